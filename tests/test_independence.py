"""`autodiff` owes nothing to us: what training by it differentiates has no rule of ours, and is the user's net.

`by_hand(net)` is a rule of ours, made for other programs than ours. Nothing in fnn imports it. No program that trains
by autodiff contains it, and a program that does would be seen.
"""

import ast
import pathlib

import jax
import jax.numpy as jnp
import pytest

import fnn
from fnn import (
    SGD,
    Conv,
    ConvPool,
    CrossEntropy,
    Dense,
    Examples,
    Flatten,
    LogLikelihood,
    Maxout,
    MaxPool,
    ReLU,
    Sigmoid,
    handwritten_gradient,
    network,
)
from fnn.training import mini_batches, segments
from fnn.training.mini_batches import Rule
from tests.helpers.support import LAYERS

INPUTS, UNITS = mini_batches.BLOCK_INPUTS, mini_batches.BLOCK_UNITS
BLOCKED_ROWS = mini_batches.BLOCK_ROWS // 3  # with more rows in a mini-batch no blocks are made
NETS = {  # on both sides of the thresholds for blocks, and for how products and patches are computed
    "narrow": ((Dense(30), Sigmoid(), Dense(10)), (784,)),
    "too narrow for blocks": ((Dense(UNITS - 1), Sigmoid(), Dense(10)), (INPUTS,)),
    "wide enough for blocks": ((Dense(UNITS), Sigmoid(), Dense(10)), (INPUTS,)),
    "too few inputs for blocks": ((Dense(UNITS), Sigmoid(), Dense(10)), (INPUTS - 1,)),
    "blocks after Flatten": ((Flatten(), Dense(100), ReLU(), Maxout(20), Dense(10)), (1, 28, 28)),
    "filters": ((Conv(4, 3), MaxPool(2), ReLU(), ConvPool(4, 4, 2), Flatten(), Dense(10)), (1, 28, 28)),
}
SOFTMAX = LogLikelihood()
BATCH_SIZES = (1, 8, 9, 10, 11, BLOCKED_ROWS, BLOCKED_ROWS + 1, 64, 65)


@fnn.static
class OwnRule:
    """A layer whose derivative is written by hand for `jax.grad`: what this file forbids within fnn."""

    def init(self, key, shape):
        return (), shape

    def forward(self, params, a):
        @jax.custom_jvp
        def double(a):
            return 2 * a

        double.defjvp(lambda primals, tangents: (2 * primals[0], 2 * tangents[0]))
        return double(a)

    def backward(self, params, a, delta):
        return (), 2 * delta


@fnn.static
class OneWay:
    """A layer with a forward alone."""

    def init(self, key, shape):
        return (), shape

    def forward(self, params, a):
        return 2 * a

    def backward(self, params, a, delta):
        raise NotImplementedError("backward was called")


@fnn.static
class Opaque:
    """A layer that JAX cannot differentiate: NumPy computes it."""

    def init(self, key, shape):
        return (), shape

    def forward(self, params, a):
        return jax.pure_callback(lambda a: 2 * a, a, a)

    def backward(self, params, a, delta):
        return (), 2 * delta


@fnn.static
class ByHandInside:
    """A layer that is a net of its own, by the rule that `by_hand` gives to JAX."""

    net: fnn.Net

    def init(self, key, shape):
        return fnn.init(self.net, key, shape), fnn.shape_out(self.net, shape)

    def forward(self, params, a):
        return fnn.by_hand(self.net)(params, a)

    def backward(self, params, a, delta):
        return jax.vjp(lambda params, a: fnn.forward(self.net, params, a), params, a)[1](delta)


def program(net, shape, batch_size, cost=SOFTMAX):
    """What training by autodiff differentiates: the nets, and the jaxprs of the program, of each net and of its cost.

    The program's own jaxpr does not suffice: in it JAX has already replaced what it differentiated by the derivative.
    """
    nets, jaxprs, real = [], [], network.forward

    def forward(net, *inputs):
        nets.append(net)
        params, x = jax.tree.map(lambda a: jax.ShapeDtypeStruct(a.shape, a.dtype), inputs)
        y = jax.ShapeDtypeStruct((x.shape[0], 10), jnp.float32)
        jaxprs.append(jax.make_jaxpr(lambda params, x, y: cost.value(real(net, params, x), y))(params, x, y).jaxpr)
        return real(net, *inputs)

    params = jax.eval_shape(lambda: fnn.init(net, jax.random.key(0), shape))
    n = 200
    examples = Examples(jax.ShapeDtypeStruct((n, *shape), jnp.uint8), jax.ShapeDtypeStruct((n, 10), jnp.uint8), 1 / 255)
    rule = Rule(net, cost, SGD(0.1), fnn.autodiff, batch_size)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(mini_batches, "platform", lambda: "cpu")
        patch.setattr(network, "forward", forward)
        jax.clear_caches()  # what was traced before would not be seen
        traced = segments.segment.trace(rule, params, (), examples, jax.ShapeDtypeStruct((n,), jnp.int32), 0, 1)
    return set(nets), [traced.jaxpr.jaxpr, *jaxprs]


def own_rules(jaxprs):
    """Where each custom derivative or batching rule was written that is not JAX's own."""
    return [where for jaxpr in jaxprs for where in _rules(jaxpr) if "/jax/_src/" not in where.replace("\\", "/")]


def _rules(jaxpr):
    for equation in jaxpr.eqns:
        given = [value if isinstance(value, tuple | list) else [value] for value in equation.params.values()]
        inner = [getattr(value, "jaxpr", value) for values in given for value in values]
        for jaxpr_inside in (value for value in inner if hasattr(value, "eqns")):
            if "custom" in equation.primitive.name:
                yield jaxpr_inside.debug_info.func_src_info or "unknown"
            yield from _rules(jaxpr_inside)


@pytest.mark.parametrize("batch_size", BATCH_SIZES)
@pytest.mark.parametrize("name", NETS)
def test_training_by_autodiff_differentiates_the_net_itself_by_rules_of_jax_alone(name, batch_size):
    net, shape = NETS[name]
    differentiated, jaxprs = program(net, shape, batch_size)
    assert differentiated == {net}
    assert len(jaxprs) > 1
    assert own_rules(jaxprs) == []


@pytest.mark.parametrize("cost", [CrossEntropy(), fnn.Quadratic(), fnn.Quadratic(fnn.Softmax())], ids=repr)
def test_the_costs_have_no_rule_of_ours(cost):
    assert own_rules(program(*NETS["narrow"], 10, cost)[1]) == []


@pytest.mark.parametrize("layer", [layer for layer in LAYERS if not isinstance(layer, Dense | Maxout)], ids=repr)
def test_no_layer_has_a_rule_of_ours(layer):
    assert own_rules(program((Dense(10), layer), (20,), 10)[1]) == []


def test_a_rule_of_ours_would_be_seen():
    assert [where for where in own_rules(program((Dense(10), OwnRule()), (20,), 10)[1]) if "double" in where]


def test_by_hand_would_be_seen_in_a_training_by_autodiff():
    net = (Dense(10), ByHandInside((Dense(10), Sigmoid())), Dense(10))
    assert [where for where in own_rules(program(net, (20,), 10)[1]) if "handwritten_gradient.py" in where]
    hand = fnn.by_hand((Dense(10), Sigmoid()))
    params = jax.eval_shape(lambda: fnn.init(hand.net, jax.random.key(0), (20,)))
    outside = jax.make_jaxpr(hand)(params, jax.ShapeDtypeStruct((8, 20), jnp.float32)).jaxpr
    (where,) = own_rules([outside])
    assert "handwritten_gradient.py" in where


@pytest.mark.long
@pytest.mark.parametrize("gradient", [fnn.autodiff, fnn.backprop], ids=["autodiff", "backprop"])
def test_no_gradient_of_ours_goes_through_by_hand(gradient, monkeypatch):
    def met(*arguments):
        raise AssertionError("by_hand was met")

    for name in ("_outputs", "_forward", "_backward"):
        monkeypatch.setattr(handwritten_gradient, name, met)
    net = (Dense(4), Sigmoid(), Dense(2))
    x, y = jnp.ones((5, 3)), jnp.ones((5, 2))
    params = fnn.init(net, jax.random.key(0), (3,))
    with pytest.raises(AssertionError, match="by_hand was met"):
        fnn.by_hand(net)(params, x)
    jax.clear_caches()
    assert jnp.isfinite(gradient(net, CrossEntropy(), params, x, y)[0])
    examples = Examples(x, y)
    trained = fnn.epoch(
        net, CrossEntropy(), SGD(0.1), params, (), examples, jax.random.key(1), batch_size=2, gradient=gradient
    )
    assert jnp.isfinite(trained[0][0].W).all()


def test_autodiff_never_calls_a_backward_and_by_hand_never_differentiates_a_forward():
    net = (Dense(10), OneWay(), Dense(10))
    x, y = jnp.ones((4, 20)), jnp.eye(4, 10)
    params = fnn.init(net, jax.random.key(0), (20,))
    fnn.autodiff(net, SOFTMAX, params, x, y)
    with pytest.raises(NotImplementedError, match="backward"):
        jax.grad(lambda params: fnn.by_hand(net)(params, x).sum())(params)
    opaque = (Dense(10), Opaque(), Dense(10))
    gradient = jax.grad(lambda params: SOFTMAX.value(fnn.by_hand(opaque)(params, x), y))(params)
    assert jnp.isfinite(gradient[0].W).all()
    with pytest.raises(ValueError, match="callback"):
        fnn.autodiff(opaque, SOFTMAX, params, x, y)


def test_nothing_in_fnn_imports_by_hand_and_no_other_file_gives_jax_a_rule():
    source = pathlib.Path(fnn.__file__).parent
    rules, importing = [], []
    for path in source.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom | ast.Import):
                names = [alias.name for alias in node.names] + [getattr(node, "module", None) or ""]
                if any("handwritten_gradient" in name or name == "by_hand" for name in names):
                    importing.append(path.name)
            if isinstance(node, ast.Attribute) and node.attr in ("defvjp", "defjvp", "defjvps", "def_vmap"):
                rules.append(path.name)
    assert importing == []
    assert rules == ["handwritten_gradient.py"]


def test_backprop_takes_blocks_where_autodiff_does_not():
    net, shape = NETS["wide enough for blocks"]
    params = jax.eval_shape(lambda: fnn.init(net, jax.random.key(0), shape))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(mini_batches, "platform", lambda: "cpu")
        sizes = [
            mini_batches.block_size(Rule(net, LogLikelihood(), SGD(0.1), gradient, 10), params, (), 200)
            for gradient in (fnn.backprop, fnn.autodiff)
        ]
    assert sizes == [4, 1]
