"""A net in other JAX code: its `jax.grad` is the gradient written by hand, under everything that JAX offers."""

import copy
import dataclasses
import pickle
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import export
from jax.sharding import Mesh, PartitionSpec

import fnn
from fnn import (
    Conv,
    ConvPool,
    CrossEntropy,
    Dense,
    Flatten,
    Maxout,
    MaxPool,
    Quadratic,
    ReLU,
    Sigmoid,
    Tanh,
    backprop,
    by_hand,
)
from tests.helpers.support import LAYERS, assert_trees_close, compiled, draw, draw_params

SMALL = (Dense(4), Tanh(), Maxout(3), Sigmoid(), Dense(2))
IMAGES = (Conv(2, 3), ReLU(), MaxPool(2), ConvPool(3, 2, 2), Sigmoid(), Flatten(), Dense(2))
NETS = [
    *(pytest.param((Dense(5), layer, Dense(2)), (3,), id=repr(layer)) for layer in LAYERS),
    pytest.param(IMAGES, (1, 8, 8), id="images"),
]


@fnn.static
class Tripled:
    """`W a` entry by entry, whose `backward` is three times too large: who goes through it, is seen."""

    def init(self, key, shape):
        return jnp.ones(shape), shape

    def forward(self, params, a):
        return params[None] * a

    def backward(self, params, a, delta):
        return 3 * (delta * a).sum(axis=0), 3 * delta * params[None]


@fnn.static
class Rows:
    """A table of whole numbers among the params: row `table[i]` of W is added to output i."""

    def init(self, key, shape):
        return {"W": jnp.ones((3, 2)), "table": jnp.array([2, 0])}, shape

    def forward(self, params, a):
        return a + params["W"][params["table"]].sum(axis=1)[None]

    def backward(self, params, a, delta):
        nabla = jnp.zeros_like(params["W"]).at[params["table"]].add(delta.sum(axis=0)[:, None])
        return {"W": nabla, "table": params["table"]}, delta


@fnn.static
class Misfit:
    """A layer whose `backward` returns what it was built with."""

    nabla: object
    delta: object = None

    def init(self, key, shape):
        return (), shape

    def forward(self, params, a):
        return a

    def backward(self, params, a, delta):
        return self.nabla, delta if self.delta is None else jnp.zeros(self.delta)


@dataclasses.dataclass
class Unhashable:
    """A layer that is no `fnn.static`."""

    sizes: list
    init = forward = backward = None


def point(net, shape, n=5):
    return draw_params(net, 0, shape), *draw(1, (n, *shape), (n, 2))


def loss(net, params, x, y):
    return jnp.square(by_hand(net)(params, x) - y).sum()


def both(net, params, x, y):
    """Value and derivatives by params and x of a loss around the function, and the same by `backprop` and autodiff."""
    cost = Quadratic(Sigmoid())
    got = jax.value_and_grad(lambda params, x: cost.value(by_hand(net)(params, x), y), (0, 1))(params, x)
    by_x = jax.grad(lambda x: cost.value(fnn.forward(net, params, x), y))(x)
    value, gradient = backprop(net, cost, params, x, y)
    return got, (value, (gradient, by_x))


@pytest.mark.parametrize(("net", "shape"), NETS)
def test_its_grad_is_backprop_and_the_derivative_by_the_inputs(net, shape):
    assert_trees_close(*compiled(partial(both, net))(*point(net, shape)))
    with jax.enable_x64(True):
        assert_trees_close(*compiled(partial(both, net))(*point(net, shape)))


def test_the_value_is_that_of_forward():
    params, x, _ = point(SMALL, (3,))
    np.testing.assert_array_equal(by_hand(SMALL)(params, x), fnn.forward(SMALL, params, x))


def test_what_jax_gets_is_what_backward_says():
    net, params, x, y = (Tripled(), Tripled()), (jnp.ones(2), jnp.ones(2)), jnp.ones((1, 2)), jnp.zeros((1, 2))
    by_params, by_x = jax.grad(partial(loss, net), (0, 1))(params, x, y)
    assert [leaf.tolist() for leaf in by_params] == [[18, 18], [6, 6]]
    assert by_x.tolist() == [[18, 18]]
    assert jax.grad(lambda x: jnp.square(fnn.forward(net, params, x)).sum())(x).tolist() == [[2, 2]]


WRAPS = {
    "jit": jax.jit,
    "checkpoint": jax.checkpoint,
    "checkpoint that keeps products": partial(jax.checkpoint, policy=jax.checkpoint_policies.dots_saveable),
    "jit of checkpoint of jit": lambda f: jax.jit(jax.checkpoint(jax.jit(f))),
}


@pytest.mark.long
@pytest.mark.parametrize("wrap", WRAPS)
def test_it_is_differentiated_within_other_transformations(wrap):
    params, x, y = point(SMALL, (3,))
    f = partial(loss, SMALL)
    assert_trees_close(jax.grad(WRAPS[wrap](f), (0, 1))(params, x, y), jax.grad(f, (0, 1))(params, x, y))
    assert_trees_close(WRAPS[wrap](jax.grad(f))(params, x, y), jax.grad(f)(params, x, y))


def test_vmap_over_rows_gives_the_gradient_of_each_and_over_params_that_of_each_net():
    params, x, y = point(SMALL, (3,))
    slope = jax.grad(partial(loss, SMALL))
    gradient = compiled(slope)
    of_rows = compiled(jax.vmap(lambda x, y: slope(params, x[None], y[None])))(x, y)
    assert_trees_close(jax.tree.map(lambda g: np.sum(g, axis=0), of_rows), gradient(params, x, y))
    several = [draw_params(SMALL, seed, (3,)) for seed in range(3)]
    stacked = jax.tree.map(lambda *leaves: np.stack(leaves), *several)
    of_nets = compiled(jax.vmap(slope, (0, None, None)))(stacked, x, y)
    assert_trees_close(of_nets, jax.tree.map(lambda *g: np.stack(g), *(gradient(p, x, y) for p in several)))

    def row_by_row(params):
        return jax.vmap(lambda x: by_hand(SMALL)(params, x[None])[0])(x).sum()

    assert_trees_close(
        compiled(jax.grad(row_by_row))(params),
        compiled(jax.grad(lambda params: by_hand(SMALL)(params, x).sum()))(params),
    )


def test_it_trains_in_a_scan_as_backprop_does():
    params, x, y = point(SMALL, (3,))
    cost = CrossEntropy()

    def trained(gradient):
        def step(params, _):
            g = gradient(params)
            return jax.tree.map(lambda p, g: p - 0.5 * g, params, g), None

        return jax.jit(lambda params: jax.lax.scan(step, params, length=4)[0])(params)

    assert_trees_close(
        trained(jax.grad(lambda params: cost.value(by_hand(SMALL)(params, x), y))),
        trained(lambda params: backprop(SMALL, cost, params, x, y)[1]),
    )


def test_the_gradient_of_a_scan_through_it_is_that_of_the_loop():
    net = (Dense(3), Tanh())
    params, x, _ = point(net, (3,))

    def scanned(f, params, x):
        return jax.lax.scan(lambda a, _: (f(params, a), None), x, length=4)[0].sum()

    got, expected = (
        jax.grad(partial(scanned, f), (0, 1))(params, x) for f in (by_hand(net), partial(fnn.forward, net))
    )
    assert_trees_close(got, expected)


@pytest.mark.long
def test_params_that_all_devices_share_get_the_sum_over_their_rows():
    mesh = Mesh(np.array(jax.devices()[:1]), ("rows",))
    params, x, y = point(SMALL, (3,), n=4)

    def total(params, x, y):
        return jax.lax.psum(loss(SMALL, params, x, y), "rows")

    rows, shared = PartitionSpec("rows"), PartitionSpec()
    sharded = jax.shard_map(total, mesh=mesh, in_specs=(shared, rows, rows), out_specs=shared)
    assert_trees_close(jax.grad(sharded, (0, 1))(params, x, y), jax.grad(partial(loss, SMALL), (0, 1))(params, x, y))


@pytest.mark.long
def test_the_gradient_is_exported_for_any_number_of_rows():
    (n,) = export.symbolic_shape("n")
    params, x, y = point(IMAGES, (1, 8, 8))
    gradient = jax.jit(jax.grad(partial(loss, IMAGES), (0, 1)))
    of_any = (jax.ShapeDtypeStruct((n, *a.shape[1:]), a.dtype) for a in (x, y))
    kept = export.export(gradient)(jax.eval_shape(lambda: params), *of_any).serialize()
    assert_trees_close(export.deserialize(kept).call(params, x, y), gradient(params, x, y))


def test_the_gradient_of_an_exported_function_is_kept_with_it():
    params, x, y = point(SMALL, (3,))
    f = by_hand(SMALL)
    kept = export.export(jax.jit(f.__call__))(params, x).serialize(vjp_order=1)
    read = export.deserialize(kept).call
    assert_trees_close(jax.vjp(read, params, x)[1](y), jax.vjp(f, params, x)[1](y))


def summed(f, params, x):
    return f(params, x).sum()


@pytest.mark.parametrize(
    "program",
    [
        lambda: lambda f, params, x: jax.jit(f)(params, x),
        lambda: jax.jit(summed),
        lambda: jax.jit(summed, static_argnums=0),
        lambda: jax.jit(jax.grad(summed, argnums=1)),
    ],
    ids=["the function", "an argument", "a static argument", "grad"],
)
def test_equal_nets_compile_once(program):
    traces = []

    @fnn.static
    class Seen:
        def init(self, key, shape):
            return (), shape

        def forward(self, params, a):
            traces.append(a.shape)
            return a

        def backward(self, params, a, delta):
            return (), delta

    program = program()
    params, x = (*draw_params((Dense(2),), 0, (3,)), ()), jnp.ones((5, 3))
    program(by_hand((Dense(2), Seen())), params, x)
    once = len(traces)
    for _ in range(3):
        program(by_hand((Dense(2), Seen())), params, x)
    assert len(traces) == once


def test_it_compares_by_its_net_and_may_be_copied_and_pickled():
    f = by_hand(SMALL)
    assert f == copy.deepcopy(f) == pickle.loads(pickle.dumps(f))
    assert hash(f) == hash(copy.deepcopy(f))
    assert f != by_hand(SMALL[:-1])
    assert jax.tree.leaves(f) == []
    assert "Dense(units=4" in repr(f)


def second(f, params, x, y):
    """The Hessian of a loss, and the gradient of the squared norm of its gradient."""

    def loss(params):
        return jnp.square(f(params, x) - y).sum()

    def steepness(params):
        return sum(jnp.square(g).sum() for g in jax.tree.leaves(jax.grad(loss)(params)))

    return jax.hessian(loss)(params), jax.grad(steepness)(params)


def test_the_second_derivative_is_that_of_the_code_of_backward():
    with jax.enable_x64(True):
        arguments = point((Dense(3), Tanh(), Dense(2)), (3,))
        net = (Dense(3), Tanh(), Dense(2))
        got, expected = (compiled(partial(second, f))(*arguments) for f in (by_hand(net), partial(fnn.forward, net)))
        assert_trees_close(got, expected)
    net, w, a = (Tripled(),), (jnp.ones(1),), jnp.ones((1, 1))
    assert jax.grad(lambda a: jax.grad(lambda w: by_hand(net)(w, a).sum())(w)[0].sum())(a).tolist() == [[3]]


def test_forward_mode_is_refused_by_jax():
    params, x, _ = point(SMALL, (3,))
    with pytest.raises(TypeError, match="forward-mode"):
        jax.jvp(by_hand(SMALL), (params, x), (params, x))


@pytest.mark.long
@pytest.mark.parametrize("dtype", [jnp.bfloat16, jnp.float16, jnp.uint8, jnp.int32, bool], ids=str)
def test_derivatives_have_the_types_of_the_params_whatever_the_inputs_are(dtype):
    params, x, y = point(SMALL, (3,))
    x = jnp.abs(x).astype(dtype)
    with jax.numpy_dtype_promotion("standard"):
        gradient = jax.grad(partial(loss, SMALL))(params, x, y)
        assert_trees_close(gradient, jax.grad(partial(loss, SMALL))(params, x.astype(jnp.float32), y))
        mixed = (params[0]._replace(W=params[0].W.astype(jnp.bfloat16)), *params[1:])
        by_params, by_x = jax.grad(partial(loss, SMALL), (0, 1), allow_int=True)(mixed, x, y)
    assert by_params[0].W.dtype == jnp.bfloat16
    assert by_x.dtype == (dtype if jnp.issubdtype(dtype, jnp.floating) else jax.dtypes.float0)


def test_whole_numbers_among_the_params_have_no_derivative():
    net, x, y = (Dense(2), Rows()), *draw(1, (4, 3), (4, 2))
    params = fnn.init(net, jax.random.key(0), (3,))
    got = jax.grad(partial(loss, net), allow_int=True)(params, x, y)
    expected = jax.grad(lambda p: jnp.square(fnn.forward(net, p, x) - y).sum(), allow_int=True)(params)
    assert got[1]["table"].dtype == expected[1]["table"].dtype == jax.dtypes.float0
    assert_trees_close((got[0], got[1]["W"]), (expected[0], expected[1]["W"]))


def test_params_in_a_list_are_as_good_as_in_a_tuple():
    params, x, y = point(SMALL, (3,))
    assert_trees_close(jax.grad(partial(loss, SMALL))([*params], x, y), [*jax.grad(partial(loss, SMALL))(params, x, y)])


@pytest.mark.parametrize("wrap", [lambda f: f, jax.jit, jax.grad], ids=["eager", "jit", "grad"])
def test_params_of_another_net_are_refused_as_everywhere(wrap):
    params, x, y = point(SMALL, (3,))
    with pytest.raises(ValueError, match="net has 5 layers but params has 4 entries; make them with init"):
        wrap(partial(loss, SMALL))(params[:-1], x, y)


def test_what_is_no_net_and_no_input_is_refused_as_everywhere():
    with pytest.raises(TypeError, match="net is a list; a net is a tuple of layers"):
        by_hand([Dense(2)])
    with pytest.raises(TypeError, match=r"net\[0\] is the class Sigmoid"):
        by_hand((Sigmoid,))
    with pytest.raises(ValueError, match="net has 0 layers"):
        by_hand(())
    with pytest.raises(
        TypeError, match=r"net\[1\] is a Unhashable, which cannot be hashed; make its class @fnn.static"
    ):
        by_hand((Dense(2), Unhashable([1])))
    params, _, y = point(SMALL, (3,))
    with pytest.raises(TypeError, match="x holds bytes up to 200"):
        jax.grad(partial(loss, SMALL))(params, np.full((5, 3), 200, np.uint8), y)


@pytest.mark.parametrize(
    ("layer", "shapes"),
    [
        (Misfit((), (5, 1)), r"shapes \(\(\), \(5, 1\)\); expected those of \(params, a\), \(\(\), \(5, 2\)\)"),
        (Misfit(None), r"shapes \(None, \(5, 2\)\); expected those of \(params, a\), \(\(\), \(5, 2\)\)"),
        (Misfit(1.0), r"shapes \(\(\), \(5, 2\)\); expected"),
    ],
    ids=["delta_prev", "nabla", "a number"],
)
def test_a_backward_that_returns_other_shapes_is_named(layer, shapes):
    params, x, y = point((Dense(2),), (3,))
    with pytest.raises(ValueError, match=r"layer 1, Misfit: backward returned \(nabla, delta_prev\) of " + shapes):
        jax.grad(partial(loss, (Dense(2), layer)))((*params, ()), x, y)
