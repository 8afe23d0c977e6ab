"""`check_vjp`: right rules of many kinds pass, wrong ones are found, and nobody hears of layers."""

import re

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.experimental import pallas as pl
from jax.test_util import check_grads

import fnn
from tests.helpers.planted_rules import WRONG
from tests.helpers.random_functions import random_function
from tests.helpers.rules import LINE, RIGHT, SIGNAL, TIES, Case, W, X, relu, relu_backward, relu_dense, rule

pytestmark = pytest.mark.long  # on the newest Python a change has no time for these

# Wrong rules that `jax.test_util.check_grads` passes in float32: it looks along one direction, to 0.002
PASSED_BY_CHECK_GRADS = (
    "gelu's derivative by its tanh approximation",
    "1e-4 too large",
    "1e-6 too large",
    "one in ten thousand",
    "rounded to float16",
    "weight decay forgotten",
    "in float32, one wrong by 1e-3",
)
# The leaf that is wrong, how many of its coordinates are, and where the worst is
WHERE = {
    "one in a thousand": ("x", 1, (617,)),
    "one in ten thousand": ("x", 1, (4321,)),
    "the right argument gets nothing": ("S", 16, None),
    "bias: the first row alone": ("b", 3, None),
    "a number that is broadcast gets one term": ("a", 1, ()),
    "attention: the scale is forgotten for k": ("k", 24, None),
    "minus of the denominator forgotten": ("b", 6, None),
    "recurrent cell: the states after the step": ("cell.U", 9, None),
    "in float32, one wrong by 1e-3": ("x", 1, (3,)),
    "Pallas kernel that skips the last row": ("x", 4, None),
    "NumPy pair: the derivative by y has no sign": ("y", 15, None),
}


def checked(case, **more):
    return fnn.check_vjp(case.f, *case.args, forward=case.forward, **more)


@pytest.mark.parametrize("case", RIGHT.values(), ids=RIGHT)
def test_a_right_rule_passes(case):
    report = checked(case)
    assert report.ok, report
    assert not report.slips
    assert not re.search(r"\b(layers?|cost|net)\b", str(report)), report


@pytest.mark.long
@pytest.mark.parametrize(
    "case",
    [
        pytest.param(case, id=name, marks=[pytest.mark.campaign] if k % 3 else [])
        for k, (name, case) in enumerate(WRONG.items())
    ],
)
def test_a_planted_mistake_is_found(case):
    report = checked(case)
    assert not report.ok
    assert not re.search(r"\blayers?\b", str(report)), report


@pytest.mark.long
@pytest.mark.parametrize("name", WHERE)
def test_the_wrong_leaf_is_named_and_the_right_ones_are_right(name):
    leaf, wrong, index = WHERE[name]
    report = checked(WRONG[name])
    (found,) = [each for each in report.leaves if not each.ok]
    assert (found.name, found.wrong) == (leaf, wrong)
    assert index in (None, found.worst.index)
    assert leaf in str(report)


@pytest.mark.parametrize("name", PASSED_BY_CHECK_GRADS)
def test_mistakes_that_check_grads_passes(name):
    case = WRONG[name]
    check_grads(case.f, case.args, order=1, modes=["rev"])
    assert not checked(case).ok


@pytest.mark.parametrize("at_zero", [0, 0.3, 0.5, 1])
def test_at_a_tie_what_lies_between_the_slopes_is_right(at_zero):
    report = fnn.check_vjp(rule(relu, relu_backward(at_zero)), TIES)
    assert report.ok, report
    at_ties = "at a tie, where any derivative between those of the two sides is right: 2 of the coordinates"
    assert report.notes == (() if at_zero == 0.5 else (at_ties,))  # autodiff says 1/2


@pytest.mark.parametrize("at_zero", [-0.1, 1.1, -1, 2])
def test_at_a_tie_what_lies_outside_is_wrong(at_zero):
    report = fnn.check_vjp(rule(relu, relu_backward(at_zero)), TIES)
    assert (report.ok, report.leaves[0].wrong) == (False, 2)


def sums(x):
    x *= 2
    return x.sum()


def sums_backward(x, ct):
    x[:] = 1
    ct *= 2
    return ct * x


def kernel_in_float32(x):
    def kernel(x, out):
        out[...] = jnp.sin(x[...])

    return pl.pallas_call(kernel, out_shape=jax.ShapeDtypeStruct(x.shape, "float32"), interpret=True)(x)


def scanned_in_float32(x):
    return jax.lax.scan(lambda h, v: (jnp.tanh(h + v), None), jnp.zeros((), "float32"), x)[0]


def only_float32(x):
    assert x.dtype == "float32"
    return jnp.sin(x).sum()


def by_steps(x):
    """A root by Newton's method, in a loop that JAX cannot go back through."""
    return jax.lax.while_loop(lambda y: (jnp.abs(y * y - x) > 1e-9).any(), lambda y: (y + x / y) / 2, jnp.ones_like(x))


TRAPS = {
    "NumPy in place": Case((sums, sums_backward), (SIGNAL,)),
    "a kernel of float32 alone": Case(rule(kernel_in_float32, lambda x, ct: (ct * jnp.cos(x),)), (SIGNAL,)),
    "a scan of float32 alone": Case(scanned_in_float32, (SIGNAL,)),
    "a function that asks for float32": Case(only_float32, (SIGNAL,)),
    "a Python float as the value": Case(lambda x: 3.0, (SIGNAL,)),
    "an empty array beside others": Case(lambda x, e: jnp.sin(x).sum() + e.sum(), (SIGNAL, np.zeros((0, 3)))),
    "a branch on a value": Case(lambda x: jnp.sin(x) if x[0] > 0 else jnp.cos(x), (SIGNAL,)),
    "a static number": Case(jax.jit(lambda x, n: sum(x**k for k in range(n)), static_argnums=1), (SIGNAL, 3)),
    "constants of all kinds": Case(
        lambda x, f, flag, name, none: f(x) if flag and name else x, (X, jnp.sin, True, "a", None)
    ),
    "a random key": Case(
        lambda x, key: jnp.where(jax.random.bernoulli(key, 0.5, x.shape), x, 0), (X, jax.random.key(0))
    ),
    "outputs that are no numbers": Case(lambda x: {"loss": (x**2).sum(), "at": x.argmax(), "none": None}, (SIGNAL,)),
    "an iteration": Case(rule(by_steps, lambda x, ct: (ct / (2 * jnp.sqrt(x)),)), (np.abs(SIGNAL) + 1,)),
    "nan behind the rule": Case(jnp.sinc, (np.array([0, 0.5, 1]),)),
    "bfloat16": Case(lambda x: jnp.sin(x).sum(), (SIGNAL.astype("bfloat16"),)),
    "Python floats": Case(lambda a, b: a * b, (2.0, 3.0)),
}


@pytest.mark.parametrize("case", TRAPS.values(), ids=TRAPS)
def test_no_false_alarm_in_a_trap(case):
    kept = jax.tree.map(np.copy, [a for a in case.args if isinstance(a, np.ndarray)])
    report = checked(case)
    assert report.ok, report
    for before, after in zip(kept, [a for a in case.args if isinstance(a, np.ndarray)], strict=True):
        np.testing.assert_array_equal(before, after)  # the arguments are the user's


@pytest.mark.parametrize("where", ["jit", "scan", "vmap", "remat", "cond"])
def test_a_wrong_rule_inside_a_function_is_found(where):
    wrong = WRONG["a factor 2 is missing"].f
    inside = {
        "jit": jax.jit(lambda x: jnp.sin(wrong(x)).sum()),
        "scan": lambda x: jax.lax.scan(lambda c, v: (c + wrong(v), None), jnp.zeros((), x.dtype), x)[0],
        "vmap": jax.vmap(wrong),
        "remat": jax.checkpoint(lambda x: wrong(x).sum()),
        "cond": lambda x: jax.lax.cond(x[0] > -99, wrong, jnp.sin, x),
    }
    report = fnn.check_vjp(inside[where], SIGNAL)
    assert (report.ok, report.leaves[0].wrong) == (False, SIGNAL.size)


def test_names_are_those_of_the_user():
    tree = {"net": [(X, {3: SIGNAL})], "line": LINE}
    report = fnn.check_vjp(lambda tree, *rest, scale=2.0: tree["net"][0][0].sum() * rest[0].sum(), tree, X)
    assert [leaf.name for leaf in report.leaves] == [
        *("tree['line'].slope", "tree['line'].intercept", "tree['net'][0][0]", "tree['net'][0][1][3]", "rest[0]")
    ]


@pytest.mark.parametrize(
    "first", [pytest.param(k, marks=pytest.mark.campaign if k else pytest.mark.long) for k in range(0, 200, 5)]
)
def test_no_false_alarm_on_random_functions(first):
    reports = {seed: checked(random_function(seed)) for seed in range(first, first + 5)}
    assert not {seed: str(report) for seed, report in reports.items() if not report.ok}
    jax.clear_caches()  # 200 functions in two forms would fill gigabytes


def test_an_equinox_loss():
    eqx = pytest.importorskip("equinox")
    model = eqx.nn.MLP(4, 2, 5, 1, activation=twice_relu(1.0), key=jax.random.key(0))
    report = fnn.check_vjp(mean_square, model, X, X[:, :2])
    assert report.ok, report
    assert [leaf.name for leaf in report.leaves][:2] == ["model.layers[0].weight", "model.layers[0].bias"]
    wrong = eqx.nn.MLP(4, 2, 5, 1, activation=twice_relu(0.9), key=jax.random.key(0))
    report = fnn.check_vjp(mean_square, wrong, X, X[:, :2])
    assert [leaf.name for leaf in report.leaves if leaf.ok] == ["model.layers[1].weight", "model.layers[1].bias", "y"]


def test_a_flax_loss():
    linen = pytest.importorskip("flax.linen")
    net = linen.Sequential([linen.Dense(5), twice_relu(1.0), linen.LayerNorm(), linen.Dense(2)])
    params = net.init(jax.random.key(0), X)
    report = fnn.check_vjp(
        lambda params, x, y: mean_square(lambda row: net.apply(params, row), x, y), params, X, X[:, :2]
    )
    assert report.ok, report
    assert "params['params']['layers_0']['kernel']" in {leaf.name for leaf in report.leaves}


def mean_square(model, x, y):
    return jnp.square(jax.vmap(model)(x) - y).mean()


def twice_relu(factor):
    """`2 relu(x)` with a derivative that is right for `factor` 1."""
    return rule(lambda x: 2 * jnp.maximum(x, 0), lambda x, ct: (2 * factor * jnp.where(x > 0, ct, 0),))


FORMS = {
    "one derivative too few": (lambda x, W, ct: (ct @ W,), "returned 1 derivatives; expected a tuple of 2"),
    "no tuple": (lambda x, W, ct: ct @ W, "expected a tuple of 2, one for each argument"),
    "transposed": (lambda x, W, ct: (ct @ W, x.T @ ct), r"by W has shape \(4, 3\); expected \(3, 4\)"),
    "a text": (lambda x, W, ct: ("much", ct.T @ x), "by x"),
    "another tree": (lambda x, W, ct: ({"x": ct @ W}, ct.T @ x), "by x is a dict; expected an array"),
}


@pytest.mark.parametrize(("backward", "said"), FORMS.values(), ids=FORMS)
def test_a_derivative_of_another_form_is_named(backward, said):
    for f in ((relu_dense, backward), rule(relu_dense, backward)):
        with pytest.raises(fnn.InputError, match=said if isinstance(f, tuple) else "relu_dense") as caught:
            fnn.check_vjp(f, X, W)
        assert "\n" not in str(caught.value)
