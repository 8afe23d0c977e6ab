"""Backward against forward, by hand against automatic, for every layer, cost and random net."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from helpers.support import ACTIVATIONS, COSTS, LAYERS, assert_trees_close, compiled, draw, draw_params, one_hot_rows
from hypothesis import given, settings
from hypothesis import strategies as st

import fnn
from fnn import Dense, Maxout, ReLU, Sigmoid, autodiff, backprop, layers

X64 = pytest.mark.parametrize("x64", [False, True], ids=["float32", "float64"])


def both(net, cost, params, x, y):
    return backprop(net, cost, params, x, y), autodiff(net, cost, params, x, y)


def check_layer(layer, wrap=lambda f: f):
    (params,) = draw_params((layer,), 0, (3,))
    a, delta = draw(1, (5, 3), (5, *fnn.shape_out((layer,), (3,))))
    _, vjp = jax.vjp(layer.forward, params, a)
    assert_trees_close(wrap(layer.backward)(params, a, delta), vjp(delta))


@pytest.mark.parametrize(("x64", "wrap"), [(True, lambda f: f), (False, jax.jit)], ids=["float64", "float32-jit"])
@pytest.mark.parametrize("layer", LAYERS, ids=repr)
def test_backward_is_the_transpose_of_the_derivative(layer, x64, wrap):
    with jax.enable_x64(x64):
        check_layer(layer, wrap)


@pytest.mark.parametrize("layer", LAYERS, ids=repr)
def test_init_promises_the_shape_of_forward(layer):
    params, out_shape = layer.init(jax.random.key(0), (3,))
    assert layer.forward(params, jnp.ones((5, 3))).shape == (5, *out_shape)


@X64
@pytest.mark.parametrize("n", [8, 9, 10, 13])
def test_a_product_in_pieces_is_the_product_with_all_its_derivatives(n, x64):
    with jax.enable_x64(x64):
        W, a, dW, da, delta, delta_again = draw(5, (4, 3), (n, 3), (4, 3), (n, 3), (4, n), (4, n))

        def all_of(product):
            z, forwards = jax.jvp(product, (W, a), (dW, da))

            def backwards(W, a):
                return jax.vjp(product, W, a)[1](delta)

            second = jax.vjp(backwards, W, a)[1]((dW, da))
            several = jax.vmap(product)(jnp.stack([W, dW]), jnp.stack([a, da]))
            onto_one = jax.grad(lambda W: (product(W, a) * delta_again).sum())(W)  # a alone stands still
            return z, forwards, backwards(W, a), second, several, onto_one

        assert_trees_close(all_of(layers.cut), all_of(lambda W, a: W @ a.T))


@pytest.mark.parametrize("net", [(Dense(30), Sigmoid(), Dense(3)), (Maxout(15), Dense(3))], ids=repr)
@pytest.mark.parametrize("n", [9, 10])
def test_backprop_is_autodiff_and_its_slopes_where_products_are_in_pieces(net, n, pieces):
    with jax.enable_x64(True):
        params, (x,), y = draw_params(net, 6, (200,)), draw(7, (n, 200)), one_hot_rows(8, n, 3)
        by_hand, automatic = both(net, fnn.CrossEntropy(), params, x, y)
        assert set(pieces) == {n}
        assert_trees_close(by_hand, automatic)
        along = jax.tree.map(lambda leaf: draw(9, leaf.shape)[0], params)
        ends = (jax.tree.map(lambda p, d, h=h: p + h * d, params, along) for h in (1e-6, -1e-6))
        high, low = (backprop(net, fnn.CrossEntropy(), end, x, y)[0] for end in ends)
        slope = sum(jax.tree.leaves(jax.tree.map(lambda g, d: (g * d).sum(), by_hand[1], along)))
        assert float((high - low) / 2e-6) == pytest.approx(float(slope), rel=1e-6)


def test_products_of_several_networks_are_whole():
    W, a = draw(10, (2, 4, 3), (2, 10, 3))

    def products(f, *args):
        return jax.jit(f).lower(*args).as_text().count("stablehlo.dot_general")

    assert products(layers.cut, W[0], a[0]) == 3
    assert products(jax.vmap(layers.cut), W, a) == products(jax.vmap(layers.cut, (0, None)), W, a[0]) == 1
    one = jax.vmap(layers.cut, (0, None))(W, a[0])
    assert_trees_close(one, jnp.stack([layers.cut(w, a[0]) for w in W]))


def test_rules_of_products_in_pieces_are_traced_once_outside_of_a_program(pieces):
    W, b, a = draw(11, (30, 200), (30,), (9, 200))
    for _ in range(3):
        layers.affine(W, b, a)
    assert pieces == [9]


@pytest.mark.parametrize("dtype", ["uint8", "int32", "bool", "bfloat16"])
def test_products_in_pieces_take_every_kind_of_number(dtype, pieces):
    net, y = (Dense(30), Sigmoid(), Dense(3)), one_hot_rows(8, 9, 3)
    params, x = draw_params(net, 6, (200,)), np.random.default_rng(7).integers(0, 2, (9, 200))
    with jax.numpy_dtype_promotion("standard"):  # conftest asks for the strict one
        for gradient in (backprop, autodiff):
            got = gradient(net, fnn.CrossEntropy(), params, x.astype(jnp.dtype(dtype)), y)
            assert_trees_close(got, gradient(net, fnn.CrossEntropy(), params, x.astype("float32"), y))
    assert set(pieces) == {9}


@pytest.fixture
def pieces(monkeypatch):
    """How many rows each product had that was computed in pieces, as on a CPU wherever the tests run."""
    seen, real = [], layers.cut
    monkeypatch.setattr(layers, "cut", lambda W, a: seen.append(len(a)) or real(W, a))
    monkeypatch.setattr(jax, "default_backend", lambda: "cpu")
    return seen


@pytest.mark.parametrize(
    ("n", "units", "n_in", "backend", "expected"),
    [
        (9, 25, 200, "cpu", [9]),
        (10, 250, 200, "cpu", [10]),
        (8, 25, 200, "cpu", []),
        (11, 25, 200, "cpu", []),
        (1, 25, 200, "cpu", []),
        (10, 24, 200, "cpu", []),
        (10, 251, 200, "cpu", []),
        (10, 25, 200, "gpu", []),
    ],
)
def test_products_are_in_pieces_where_that_is_faster(n, units, n_in, backend, expected, pieces, monkeypatch):
    monkeypatch.setattr(jax, "default_backend", lambda: backend)
    params, rows = (jax.ShapeDtypeStruct(shape, "float32") for shape in ((units, n_in), (n, n_in)))
    jax.eval_shape(lambda W, a: layers.affine(W, jnp.zeros(units), a), params, rows)
    assert pieces == expected


@X64
@pytest.mark.parametrize("cost", COSTS, ids=repr)
def test_delta_is_the_gradient_of_value(cost, x64):
    with jax.enable_x64(x64):
        (z,), y = draw(2, (5, 4)), one_hot_rows(3, 5, 4)
        assert_trees_close(cost.delta(z, y), jax.grad(cost.value)(z, y))
        soft = jax.nn.softmax(draw(4, (5, 4))[0])
        assert_trees_close(cost.delta(z, soft), jax.grad(cost.value)(z, soft))


@pytest.mark.parametrize("z", [-80.0, -20.0, -3.0, 0.0, 3.0, 20.0, 80.0])
@pytest.mark.parametrize("y", [0.0, 1.0])
def test_cross_entropy_keeps_the_digits_of_a_right_answer(z, y):
    exact = 1 / (1 + math.exp(-z)) if y == 0 else -1 / (1 + math.exp(z))
    delta = fnn.CrossEntropy().delta(jnp.array([[z]]), jnp.array([[y]]))
    assert float(delta[0, 0]) == pytest.approx(exact, rel=1e-6, abs=0)


@pytest.mark.parametrize("cost", COSTS, ids=repr)
@pytest.mark.parametrize("size", [1e2, 1e4])
def test_saturated_outputs_stay_finite(cost, size):
    z = size * jnp.array([[1.0, -1.0], [-1.0, 1.0], [0.0, 1.0]])
    y = jnp.array([[0.0, 1.0], [0.0, 1.0], [1.0, 0.0]])
    for array in (cost.output(z), cost.value(z, y), cost.delta(z, y), jax.grad(cost.value)(z, y)):
        assert jnp.isfinite(array).all()


def around(layer, cost):
    """A net with the layer inside, and a point."""
    net = (Dense(5), layer, Dense(2))
    return net, cost, draw_params(net, 0, (3,)), draw(1, (5, 3))[0], one_hot_rows(2, 5, 2)


@pytest.mark.parametrize("cost", COSTS, ids=repr)
@pytest.mark.parametrize("layer", LAYERS, ids=repr)
def test_backprop_is_autodiff_for_every_layer_and_cost_in_float64(layer, cost):
    with jax.enable_x64(True):
        assert_trees_close(*both(*around(layer, cost)))


@pytest.mark.parametrize("layer", LAYERS, ids=repr)
def test_backprop_is_autodiff_for_every_layer_and_cost_compiled_in_float32(layer):
    net, _, *point = around(layer, COSTS[0])  # one program for all costs, one forward pass: compiling takes time
    for by_hand, automatic in jax.jit(lambda point: [both(net, cost, *point) for cost in COSTS])(point):
        assert_trees_close(by_hand, automatic)


@fnn.static
class ForgetsPrime(Sigmoid):
    """A planted bug: σ′ is missing."""

    def backward(self, params, a, delta):
        return (), delta


@fnn.static
class SecondWinner(Maxout):
    """A planted bug: the derivative goes to the last of the winning pieces."""

    def backward(self, params, a, delta):
        nabla, delta_prev = super().backward(params, a, delta)
        return nabla._replace(W=nabla.W[::-1]), delta_prev


@fnn.static
class TransposedDense(Dense):
    """A planted bug: `W` instead of `Wᵀ`, with a square matrix so that the shapes fit."""

    def backward(self, params, a, delta):
        return super().backward(params, a, delta)[0], delta @ params.W.T


@fnn.static
class HalfBias(Dense):
    """A planted bug: the bias gets the mean of delta, not its sum."""

    def backward(self, params, a, delta):
        nabla, delta_prev = super().backward(params, a, delta)
        return nabla._replace(b=delta.mean(axis=0)), delta_prev


@pytest.mark.parametrize("layer", [ForgetsPrime(), SecondWinner(3), TransposedDense(3), HalfBias(4)], ids=repr)
def test_the_check_rejects_a_wrong_rule(layer):
    with pytest.raises(AssertionError):
        check_layer(layer)


@X64
def test_relu_like_kinks_give_one_side_by_both_routes(x64):
    with jax.enable_x64(x64):
        zero, one = jnp.zeros((1, 1)), jnp.ones((1, 1))
        for layer, side in ((ReLU(), 0.0), (fnn.LeakyReLU(0.3), 0.3), (fnn.Step(), 0.0)):
            _, by_hand = layer.backward((), zero, one)
            assert (
                by_hand[0, 0] == jax.grad(lambda z, f=layer.f: f(z).sum())(zero)[0, 0] == jnp.asarray(side, zero.dtype)
            )


def test_tied_maxout_pieces_give_everything_to_the_first():
    layer = Maxout(1, 3)
    params = jax.tree.map(lambda p: jnp.ones_like(p), layer.init(jax.random.key(0), (2,))[0])
    a, delta = jnp.array([[2.0, 3.0]]), jnp.ones((1, 1))
    nabla, _ = layer.backward(params, a, delta)
    assert nabla.b.tolist() == [[1.0], [0.0], [0.0]]
    assert_trees_close(layer.backward(params, a, delta), jax.vjp(layer.forward, params, a)[1](delta))


@st.composite
def nets(pick, widths):
    """1 to 5 layers with at least one that has parameters, and the number of outputs."""
    hidden = st.one_of(st.sampled_from(ACTIVATIONS), widths.map(Dense), st.builds(Maxout, widths, st.integers(1, 4)))
    n_out = pick(widths)
    return (*pick(st.lists(hidden, max_size=4)), Dense(n_out)), n_out


def check_nets(wrap, cases, x64):
    """Each case is a net with its number of outputs, a cost, n_in, n, a seed; `wrap` compiles them all, or does not."""
    with jax.enable_x64(x64):
        problems = [problem(*case) for case in cases]
        found = wrap(lambda problems: [both(*problem) for problem in problems])(problems)
        for given_, (by_hand, automatic) in zip(problems, found, strict=True):
            try:
                assert_trees_close(by_hand, automatic)
            except AssertionError:
                if x64:
                    raise
                assert_as_near_to_float64(*given_, by_hand, automatic)


def problem(net, cost, n_in, n, seed):
    """The arguments of a gradient."""
    layers, n_out = net
    # too small to saturate: where 1 - a is left of a, neither route has twelve digits to agree in
    params = jax.tree.map(lambda p: np.asarray(p) / (2 * math.sqrt(p.shape[-1])), draw_params(layers, seed, (n_in,)))
    params = jax.device_put(params)
    return layers, cost, params, draw(seed + 1, (n, n_in))[0], one_hot_rows(seed + 2, n, n_out)


def assert_as_near_to_float64(net, cost, params, x, y, by_hand, automatic):
    """Where float32 keeps few digits (a - y of an output nearly right), both may be off, but not backprop alone."""
    with jax.enable_x64(True):
        exact = autodiff(net, cost, *jax.tree.map(lambda p: jnp.asarray(p, "float64"), (params, x, y)))
        exact = jax.tree.map(np.asarray, exact)
    for e, b, a in zip(*map(jax.tree.leaves, (exact, by_hand, automatic)), strict=True):
        of_backprop, of_autodiff = (abs(np.asarray(got, "float64") - e).max() for got in (b, a))
        assert of_backprop <= 2 * of_autodiff + 1e-5 * abs(e).max()


widths = st.integers(1, 17)


def cases(widths, rows):
    """One case of `check_nets`."""
    return st.tuples(nets(widths), st.sampled_from(COSTS), widths, rows, st.integers(0, 9999))


five = st.lists(cases(widths, st.integers(1, 9)), min_size=5, max_size=5)  # of 200; compiled together, in half the time


@pytest.mark.long
@settings(deadline=None, derandomize=True, max_examples=40)
@given(five, st.booleans())
def test_backprop_is_autodiff_for_random_nets(cases, x64):
    check_nets(compiled, cases, x64)


few = st.sampled_from((1, 4))  # widths: each new shape compiles every operation anew


@settings(deadline=None, derandomize=True, max_examples=8)
@given(cases(few, st.just(4)), st.booleans())
def test_backprop_is_autodiff_for_random_nets_eagerly(case, x64):
    check_nets(lambda f: f, [case], x64)
