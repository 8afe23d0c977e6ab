"""Which layer is wrong: it is named, alone, with its mistake; and none is named where all are right."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import fnn
from fnn import CrossEntropy, Dense, InputError, LogLikelihood, Maxout, ReLU, Sigmoid, Tanh, backprop
from fnn.checking import gradcheck
from fnn.checking.backward_pass import backward_pass
from fnn.checking.check import in_float64
from fnn.checking.layers import layer_verdicts
from fnn.checking.point import Point
from fnn.checking.rounding_errors import rounding_errors
from tests.helpers.layer_bugs import RIGHT, both, handed_back
from tests.helpers.mutations import (
    IMAGES,
    KINKED,
    MAXOUT_TIES,
    POOL_TIES,
    RELU_TIES,
    SETTINGS,
    SMOOTH,
    STEPS,
    Setting,
    activation,
    cost,
    layer,
    nabla,
    named_like,
    pool,
    setting,
)
from tests.helpers.own_layers import InNumPy, LayerNorm, Narrow, Neuron, Root, Swish
from tests.helpers.support import compiled, draw_params

pytestmark = pytest.mark.long  # on the newest Python a change has no time for these


def verdicts(setting, lmbda=0.0):
    with in_float64():
        net, cost, *numbers = setting
        point = Point(net, cost, *jax.tree.map(lambda a: jnp.asarray(a, float), (*numbers, lmbda)))
        return layer_verdicts(point, backward_pass(point))


def wrong(setting):
    return [verdict for verdict in verdicts(setting) if not verdict.ok]


def said(setting, **rules):
    return gradcheck(*setting, gradient=compiled(backprop), **rules).slips


missing = None


def forgotten(g, p, a, delta):
    return delta * jax.nn.sigmoid(a)


IN_THE_MIDDLE = setting((Dense(4), Swish(), Dense(3)), CrossEntropy(), 3, 3)


def test_a_swish_with_a_forgotten_term_is_named_alone():
    bug = handed_back("forgotten", IN_THE_MIDDLE, 1, forgotten)
    verdict, *others = said(bug.setting)
    assert verdict.startswith("layer 1, Swish: what it hands back (delta) is wrong, 0.")
    assert verdict.endswith(" of its size; layers 0 and 2 and the cost are right")
    assert [other[:29] for other in others] == ["layer 1, Swish: worst at delta"[:29]]


def test_the_same_words_for_nabla_for_several_layers_and_for_the_cost():
    one = both("1/n twice", SMOOTH, 2, lambda leaf: leaf / 5)
    assert said(one.setting, lmbda=0.1) == (
        "layer 2, Dense: nabla W is wrong, 0.8 of its size, nabla b is wrong, 0.8 of its size, "
        "what it hands back (delta) is wrong, 0.8 of its size; layers 0, 1, 3 and 4 and the cost are right",
        "layer 2, Dense: 1/5 of the right gradient (the 1/n of the mean over 5 examples is there twice)",
    )
    two = nabla("b", one.setting, 0, lambda g, a, d: g._replace(b=-g.b))
    three = cost("uphill", two.setting, lambda z, a, y: (y - a) / len(z))
    first, second, third, *slips = said(three.setting)
    assert first == "layer 0, Dense: nabla b is wrong, 2 times its size"
    assert second.startswith("layer 2, Dense: nabla W is wrong, 0.8 of its size, nabla b")
    assert third == (
        "the cost, CrossEntropy: what it hands back (delta) is wrong, 2 times its size; layers 1, 3 and 4 are right"
    )
    assert slips[0] == "layer 0, Dense: the opposite sign"
    assert slips[2] == "the cost, CrossEntropy: the opposite sign"
    assert len(slips) == 3


def test_each_layer_is_given_the_right_delta_whatever_the_later_layers_do():
    broken = both("zeros", SMOOTH, 4, lambda leaf: 0 * leaf).setting
    assert [verdict.layer for verdict in wrong(broken)] == [4]
    also = activation("omitted", broken, 1, jnp.ones_like).setting
    assert [verdict.layer for verdict in wrong(also)] == [1, 4]


@pytest.mark.long
@pytest.mark.parametrize(
    ("bug", "slip"),
    [
        (activation("", SMOOTH, 1, jnp.ones_like), "its derivative is omitted, delta passes unchanged"),
        (activation("", SMOOTH, 3, lambda z: (1 - jnp.tanh(z) ** 2) ** 2), "f' is there twice"),
        (activation("", SMOOTH, 3, lambda z: 1 - z**2), "its derivative is 1 - a^2 of its input a; "),
        (handed_back("", SMOOTH, 2, lambda g, p, a, d: d @ p.W.T), "delta goes back through W, not its transpose"),
        (handed_back("", SMOOTH, 4, lambda g, p, a, d: 1.25 * g), "1.25 times the right gradient"),
        (handed_back("", SMOOTH, 4, lambda g, p, a, d: g.astype("float32")), "its numbers have 6 digits: they are "),
        (nabla("", SMOOTH, 2, lambda g, a, d: g._replace(W=g.W.T)), "the transpose of the right gradient"),
        (nabla("", SMOOTH, 0, lambda g, a, d: g._replace(W=5 * g.W)), "5 times the right gradient (the 1/n of the"),
        (nabla("", SMOOTH, 4, lambda g, a, d: g._replace(W=d[:-1].T @ a[:-1])), "example 4 of 5 left out"),
        (nabla("", SMOOTH, 0, lambda g, a, d: g._replace(W=5 * d[:1].T @ a[:1])), "only example 0 counts, 5 times"),
        (
            nabla("", SMOOTH, 2, lambda g, a, d: g._replace(W=g.W.at[1].set(0))),
            "only unit 1 of nabla W is wrong: zeros",
        ),
        (nabla("", SMOOTH, 2, lambda g, a, d: g._replace(b=g.b.at[1].add(1))), "only one entry is wrong, nabla b[1]"),
        (
            nabla("", SMOOTH, 4, lambda g, a, d: g._replace(W=g.W + 0.1 * SMOOTH.params[4].W)),
            "0.1 times the parameter is added: a penalty, which belongs to the optimiser",
        ),
        (cost("", SMOOTH, lambda z, a, y: (a - y) * a * (1 - a) / len(z)), "delta has the f' of the output once too"),
        (cost("", KINKED, lambda z, a, y: -y / a / len(z)), "delta is the derivative by the output a, not by z: "),
        (layer("", IMAGES, 4, lambda r, p, a, d: ((), 0 * a)), "zeros: no gradient arrives"),
    ],
)
def test_the_slip_is_told_of_that_layer_alone(bug, slip):
    (verdict,) = wrong(bug.setting)
    assert verdict.layer == (bug.guilty if bug.guilty < len(bug.setting.net) else None)
    assert len(verdict.slips) == 1
    assert verdict.slips[0].startswith(slip)


def test_another_side_at_a_tie_is_told_as_that_alone():
    for value in (1.0, 0.5):
        bug = activation("", RELU_TIES, 1, lambda z, value=value: jnp.where(z == 0, value, jnp.where(z > 0, 1.0, 0.0)))
        (verdict,) = wrong(bug.setting)
        assert verdict.slips == (
            "another side at a tie than autodiff of its own forward takes, at 20 of 20 entries of delta",
        )
    (verdict,) = wrong(
        activation("", RELU_TIES, 1, lambda z: jnp.where(z == 0, 1.5, jnp.where(z > 0, 1.0, 0.0))).setting
    )
    assert verdict.slips[-1].startswith("wrong at ties alone, at 20 of 20 entries of delta: no side of a tie has this")
    last = layer("", MAXOUT_TIES, 0, last_piece)
    (verdict,) = wrong(last.setting)
    assert verdict.slips[0].endswith("at 24 of 36 entries of nabla W and 8 of 12 entries of nabla b")
    (verdict,) = wrong(pool("", POOL_TIES, lambda z: z == z.max(axis=2, keepdims=True)).setting)
    assert "no side of a tie" in verdict.slips[-1]  # each of the equal alone would be one


def last_piece(right, params, a, delta):
    turned = jax.tree.map(lambda p: p[::-1], params)
    nabla, delta_prev = right.backward(turned, a, delta)
    return jax.tree.map(lambda g: g[::-1], nabla), delta_prev


def test_a_layer_that_no_delta_reaches_is_checked_too():
    bug = nabla("", STEPS, 0, lambda g, a, d: g._replace(W=2 * g.W))
    assert gradcheck(*STEPS, gradient=bug.gradient).ok  # the gradient is 0 there
    (verdict,) = wrong(bug.setting)
    assert (verdict.layer, verdict.faults[0].what) == (0, "nabla W")
    assert not gradcheck(*bug.setting).ok


BROKEN = {
    "raises": (lambda a, d: d * missing(a), "its backward raises TypeError: 'NoneType' object is not callable"),
    "no pair": (lambda a, d: d, "its backward returns an array; expected a pair, (nabla, delta_prev)"),
    "nothing": (lambda a, d: None, "its backward returns None; expected a pair, (nabla, delta_prev)"),
    "a nabla": (lambda a, d: (d, d), "its nabla is an array; expected a tree like its params, ()"),
    "a list": (lambda a, d: ((), [d]), "its delta_prev is [*]; expected an array of shape (5, 4)"),
    "turned": (
        lambda a, d: ((), d.T),
        "its delta has shape (4, 5); expected (5, 4), as its input; it looks ",
    ),
    "one number": (lambda a, d: ((), 0.0), "its delta has shape (); expected (5, 4), as its input"),
}


@pytest.mark.parametrize(("backward", "sentence"), BROKEN.values(), ids=BROKEN)
def test_a_backward_that_returns_no_derivatives_is_a_sentence(backward, sentence):
    bug = layer("", IN_THE_MIDDLE, 1, lambda right, params, a, delta: backward(a, delta))
    (verdict,) = wrong(bug.setting)
    assert str(verdict).startswith(f"layer 1, Swish: {sentence}")
    with pytest.raises(InputError, match="^layer 1, Swish: its ") as caught:
        gradcheck(*bug.setting)
    assert "\n" not in str(caught.value)


def test_a_cost_that_raises_is_a_sentence():
    (verdict,) = wrong(cost("", SMOOTH, lambda z, a, y: missing(z)).setting)
    assert str(verdict) == "the cost, CrossEntropy: its delta raises TypeError: 'NoneType' object is not callable"


def test_nan_by_hand_is_a_wrong_layer():
    bug = handed_back("", IN_THE_MIDDLE, 1, lambda g, p, a, d: jnp.where(a > 1, jnp.nan, g))
    (verdict,) = wrong(bug.setting)
    assert str(verdict).startswith("layer 1, Swish: what it hands back (delta) is not finite at ")
    assert "layers 0 and 2 and the cost are right" in said(bug.setting)[0]


def test_nan_of_autodiff_is_no_opinion_and_the_layers_below_are_judged():
    root = setting((Dense(4), Root(), Dense(3)), CrossEntropy(), 3, 3)
    report = gradcheck(*root)
    assert report.ok, str(report)
    inputs = fnn.activations(root.net, root.params, root.x)
    count = int((np.asarray(inputs[1]) <= 0).sum())
    assert report.notes == (f"autodiff of layer 1, Root is nan at {count} of 20 entries; by hand it is finite",)
    bug = nabla("", root, 0, lambda g, a, d: g._replace(b=2 * g.b))
    assert [verdict.layer for verdict in wrong(bug.setting)] == [0]


class Soft:
    """ln(1 + eᶻ) with a `custom_vjp` that is wrong by a tenth, and a `backward` of any size."""

    def init(self, key, shape):
        return (), shape

    def forward(self, params, a):
        return soft(a)


@jax.custom_vjp
def soft(x):
    return jax.nn.softplus(x)


soft.defvjp(lambda x: (soft(x), x), lambda x, g: (0.9 * g * jax.nn.sigmoid(x),))
OWN_RULE = "layer 1, Soft: its forward has a derivative rule of its own (a custom_vjp or stop_gradient) that"


@pytest.mark.parametrize(
    ("size", "end"),
    [
        (0.9, ""),
        (1.0, "; its backward agrees with them"),
        (0.5, "; its backward contradicts them too, 0.5 of its size"),
    ],
)
def test_a_wrong_derivative_rule_in_a_forward_is_named(size, end):
    class Own(Soft):
        def backward(self, params, a, delta):
            return (), size * delta * jax.nn.sigmoid(a)

    own = named_like(Soft(), Own)
    report = gradcheck(*setting((Dense(4), own, Dense(2)), LogLikelihood(), 3, 2))
    assert not report.ok
    assert report.slips[0] == f"{OWN_RULE} contradicts finite differences, 0.1 of its size{end}"


def test_a_rule_that_is_not_made_of_the_layers_is_told_so():
    def numpy(net, cost, params, x, y):
        value, g = backprop(net, cost, params, x, y)
        return value, jax.tree.map(lambda a: np.asarray(-a), g)

    right = "every layer's backward and the cost's delta are right: the fault is in"
    assert gradcheck(*SMOOTH, gradient=numpy).slips == (
        f"{right} how numpy puts them together",
        "everywhere: the opposite sign",
    )
    assert gradcheck(*SMOOTH, penalised=lambda p, g, lmbda: g, lmbda=0.1).slips[0] == f"{right} the penalty of <lambda>"
    bug = nabla("", SMOOTH, 0, lambda g, a, d: g._replace(b=2 * g.b))
    *_, besides, slip = gradcheck(*bug.setting, gradient=numpy).slips
    assert besides == "besides, numpy gives another gradient than the layers' backward give together"
    assert slip == "everywhere: the opposite sign"


RIGHT_NETS = {
    **SETTINGS,
    **RIGHT,
    "saturated": SMOOTH._replace(params=jax.tree.map(lambda p: 40 * p, SMOOTH.params)),
    "neurons saturated": setting((Neuron(4), LayerNorm(), Neuron(3)), CrossEntropy(), 4, 3)._replace(
        x=1e3 * np.ones((5, 4))
    ),
    "huge": KINKED._replace(params=jax.tree.map(lambda p: 1e6 * p, KINKED.params)),
    "tiny": KINKED._replace(params=jax.tree.map(lambda p: 1e-8 * p, KINKED.params)),
    "deep": setting(sum(((Dense(3), Tanh()) for _ in range(12)), ()), CrossEntropy(), 3, 3),
    "wide": setting((Dense(300), ReLU(), Maxout(200, 2), Sigmoid(), Dense(3)), LogLikelihood(), 100, 3),
    "no params": Setting((Swish(),), CrossEntropy(), ((),), SMOOTH.x, np.eye(5, 4)),
    "in NumPy": setting((Dense(4), InNumPy(), Dense(3)), CrossEntropy(), 3, 3),
    "one example": IN_THE_MIDDLE._replace(x=IN_THE_MIDDLE.x[:1], y=IN_THE_MIDDLE.y[:1]),
    "float32 inside": setting((Dense(4), Narrow(), Dense(3)), CrossEntropy(), 3, 3),
    "float32": IN_THE_MIDDLE._replace(params=draw_params(IN_THE_MIDDLE.net, 0, (3,))),
}


@pytest.mark.campaign
@pytest.mark.parametrize("setting", RIGHT_NETS.values(), ids=RIGHT_NETS)
def test_no_layer_of_a_right_net_is_wrong(setting):
    assert [str(verdict) for verdict in wrong(setting)] == []


def test_the_rounding_of_what_cancels_saturates_or_is_narrow_is_known():
    with jax.enable_x64(True):
        eps = float(jnp.finfo(float).eps)

        def sizes(f, *numbers):
            return np.asarray(compiled(lambda a: rounding_errors(f, a))(jnp.array(numbers))) / eps

        assert 1e7 < sizes(jnp.sum, 1e8, -1e8, 1.0) < 1e9
        (saturated,) = sizes(lambda z: jax.nn.sigmoid(z) * (1 - jax.nn.sigmoid(z)), 30.0)
        assert 0.1 < saturated < 2  # of 1: 1 - σ has the error of σ
        assert 1e8 < sizes(lambda a: a.astype("float32").astype("float64"), 1.0)[0] < 1e9
        assert sizes(lambda a: jnp.where(a == a.max(), a, 0), 1.0, 2.0, 2.0)[0] == 0  # the winners stay
