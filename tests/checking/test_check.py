"""The three-way check: what it refuses, what it says, and that it raises no false alarm."""

import json
import re

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import fnn
from fnn import (
    CrossEntropy,
    Dense,
    InputError,
    LogLikelihood,
    Maxout,
    Quadratic,
    ReLU,
    Sigmoid,
    Tanh,
    autodiff,
    backprop,
)
from fnn.checking import gradcheck, included
from fnn.checking.sampling import sample
from fnn.plots.gradcheck import heat_map
from tests.helpers.mutations import (
    IMAGES_POOLED,
    IMAGES_POOLED_TIES,
    KINKED,
    LEAKY_TIES,
    MAXOUT_TIES,
    RELU_TIES,
    SMOOTH,
    STEPS,
    entry,
    nabla,
)
from tests.helpers.support import COSTS, LAYERS, compiled, draw_params, one_hot_rows


def leaf(report, name):
    return next(leaf for leaf in report.leaves if leaf.name == name)


def test_the_three_numbers_of_a_step_that_a_reader_can_redo():
    # w = 1, b = 0, x = 2, y = 0, identity, quadratic: cost 2, nabla 4 and 2, dC/dx 2; λ w = 3 more for the weight
    params = (Dense(1).init(jax.random.key(0), (1,))[0]._replace(W=jnp.ones((1, 1)), b=jnp.zeros(1)),)
    cost = Quadratic(fnn.Identity())
    report = gradcheck((Dense(1),), cost, params, np.array([[2]]), np.array([[0]]), lmbda=3.0)
    assert report.ok
    assert report.value == 2
    assert [(w.by_hand, w.autodiff) for w in (leaf.worst for leaf in report.leaves)] == [(7, 7), (2, 2), (2, 2)]
    assert leaf(report, "0.W").worst.difference == pytest.approx(7, abs=1e-8)


@pytest.mark.long
def test_the_worst_coordinate_is_named_with_its_three_numbers():
    mutation = entry("doubled", SMOOTH, 2, "W", lambda W: W.at[1, 3].multiply(2))
    report = gradcheck(*SMOOTH, gradient=mutation.gradient)
    worst = leaf(report, "2.W").worst
    assert not report.ok
    assert [leaf.name for leaf in report.leaves if not leaf.ok] == ["2.W"]
    assert (leaf(report, "2.W").wrong, worst.index) == (1, (1, 3))
    assert worst.by_hand == pytest.approx(2 * worst.autodiff, rel=1e-12)
    assert worst.difference == pytest.approx(worst.autodiff, rel=1e-6)
    assert "2.W[1, 3]: by hand" in str(report)
    assert "WRONG" in str(report)


def test_the_report_is_plain_json():
    report = gradcheck(*KINKED, lmbda=0.1)
    table = json.loads(json.dumps(report.to_dict(), allow_nan=False))
    assert table["ok"] is True
    assert table["leaves"][0]["worst"]["index"] == list(report.leaves[0].worst.index)
    assert report == gradcheck(*KINKED, lmbda=0.1)


def test_a_right_gradient_has_no_slips():
    assert gradcheck(*SMOOTH, lmbda=0.1).slips == ()


@pytest.mark.parametrize(
    ("text", "edit"),
    [
        (r"0\.W, 2\.W, 4\.W: the L2 penalty is omitted", None),
        (r"2\.W: the transpose", lambda g: (*g[:2], g[2]._replace(W=g[2].W.T), *g[3:])),
        (r"everywhere: the opposite sign", lambda g: jax.tree.map(jnp.negative, g)),
        (r"everywhere: 5 times.*1/n.*missing", lambda g: jax.tree.map(lambda a: 5 * a, g)),
        (r"everywhere: 1/5 .*there twice", lambda g: jax.tree.map(lambda a: a / 5, g)),
        (r"everywhere: 1/3 .*mean over the 3 outputs", lambda g: jax.tree.map(lambda a: a / 3, g)),
        (r"0\.W, 0\.b: zeros", lambda g: (jax.tree.map(jnp.zeros_like, g[0]), *g[1:])),
        (r"everywhere: 1\.25 times", lambda g: jax.tree.map(lambda a: 1.25 * a, g)),
        (r"only row 2 of 0\.W", lambda g: (g[0]._replace(W=g[0].W.at[2].multiply(1.01)), *g[1:])),
        (r"only one coordinate.*4\.b", lambda g: (*g[:4], g[4]._replace(b=g[4].b.at[0].multiply(1.01)))),
    ],
)
def test_a_known_slip_is_named(text, edit):
    def gradient(*arguments):
        value, g = backprop(*arguments)
        return value, edit(g)

    rules = {"penalised": included} if edit is None else {"gradient": gradient}
    assert any(re.search(text, slip) for slip in gradcheck(*SMOOTH, lmbda=0.1, **rules).slips)


def test_what_is_wrong_is_narrowed_down_by_layer():
    wrong = nabla("out of step", SMOOTH, 2, lambda g, a, d: g._replace(W=jnp.roll(g.W, 1, axis=1)))
    rule, slip = gradcheck(*SMOOTH, gradient=wrong.gradient).slips
    assert rule.endswith("right: the fault is in how gradient puts them together")
    assert slip == "2.W: its inputs are out of step by one"

    def halved_below(*arguments):
        value, g = backprop(*arguments)
        return value, (jax.tree.map(lambda a: a + 0.1, g[0]), *g[1:])

    *_, slip = gradcheck(*SMOOTH, gradient=halved_below).slips
    assert slip == "wrong from layer 0 down: look at how delta goes from layer 2 to layer 0"

    def one_leaf(*arguments):
        value, g = backprop(*arguments)
        return value, (*g[:2], g[2]._replace(W=g[2].W ** 2), *g[3:])

    *_, slip = gradcheck(*SMOOTH, gradient=one_leaf).slips
    assert slip == "2.b is right, so the delta is: the rule for 2.W itself is wrong"


@fnn.static
class Deceptive(Sigmoid):
    """A forward with a custom derivative that is wrong, and a backward that repeats it."""

    def forward(self, params, a):
        f = jax.custom_jvp(jax.nn.sigmoid)
        f.defjvp(lambda primal, tangent: (f(*primal), 0.3 * tangent[0]))
        return f(a)

    def backward(self, params, a, delta):
        return (), 0.3 * delta


def test_the_finite_differences_see_what_two_equal_mistakes_hide():
    net = (SMOOTH.net[0], Deceptive(), *SMOOTH.net[2:])
    report = gradcheck(net, *SMOOTH[1:])
    assert leaf(report, "0.W").to_autodiff.relative < 1e-13
    assert not report.ok
    assert report.slips[0].startswith("layer 1, Deceptive: its forward has a derivative rule of its own")
    assert report.slips[0].endswith("contradicts finite differences, 1.5 of its size")


@pytest.mark.long
def test_kinks_are_left_out_and_counted_and_hide_nothing():
    for setting in (LEAKY_TIES, RELU_TIES, MAXOUT_TIES, STEPS):
        assert gradcheck(*setting).ok
    report = gradcheck(*LEAKY_TIES)
    first, last = leaf(report, "0.W"), leaf(report, "2.W")
    assert first.left_out == 12  # every unit of the layer is at its kink
    assert (last.left_out, last.compared) == (0, 12)
    assert gradcheck(*KINKED).left_out == 0  # none within a step
    wrong = entry("wrong elsewhere", LEAKY_TIES, 2, "W", lambda W: W.at[0, 0].add(1e-3))
    assert not gradcheck(*LEAKY_TIES, gradient=wrong.gradient).ok
    wrong = entry("wrong at the kink", LEAKY_TIES, 0, "W", lambda W: W.at[0, 0].multiply(1.01))
    assert leaf(gradcheck(*LEAKY_TIES, gradient=wrong.gradient), "0.W").wrong == 1


@pytest.mark.parametrize("distance", [1e-9, 1e-7, 1e-6, 2.0183e-6, 3e-6, 1e-5])
def test_a_kink_near_by_neither_alarms_nor_blinds(distance):
    # one unit whose z is `distance` right of its kink, whichever part of the step that is
    net = (Dense(1), ReLU(), Dense(1))
    params = (
        fnn.layers.DenseParams(np.array([[1.0]]), np.array([distance - 1])),
        (),
        fnn.layers.DenseParams(np.array([[1.5]]), np.array([0.3])),
    )
    report = gradcheck(net, CrossEntropy(), params, np.array([[1.0]]), np.array([[1.0]]))
    assert report.ok, str(report)
    assert report.left_out == (3 if distance < 1e-8 else 0)


def test_beyond_the_budget_every_unit_has_its_share():
    i = sample([(10, 100), (10,), (4, 10), (4,)], 500)
    assert len(i) == len(set(i.tolist())) <= 500
    per_unit = np.bincount(i[i < 1000] // 100, minlength=10)
    assert set(per_unit.tolist()) == {44}
    assert (i >= 1000).sum() == 54  # short rows and biases are complete
    assert len(sample([(300, 2), (300,)], 100)) == 100
    assert sample([(2, 3), ()], 7).tolist() == list(range(7))


def test_a_sampled_check_says_so_and_still_compares_every_coordinate_with_autodiff():
    wrong = entry("one", SMOOTH, 2, "W", lambda W: W.at[3, 3].multiply(1.0001))
    report = gradcheck(*SMOOTH, gradient=wrong.gradient, budget=40)
    assert not report.ok
    assert "a sample of 27 against a finite difference" in str(report)
    assert report.directions_compared == 8
    assert gradcheck(*SMOOTH, budget=40).ok


def test_the_random_directions_see_what_the_sample_missed():
    net = (SMOOTH.net[0], Deceptive(), *SMOOTH.net[2:])
    assert gradcheck(net, *SMOOTH[1:], budget=40).directions_wrong == 8


def test_a_gradient_that_penalises_by_itself():
    def penalised(net, cost, params, x, y):
        value, g = backprop(net, cost, params, x, y)
        value = value + 0.05 * sum((p.W**2).sum() for p in params if p)
        return value, jax.tree.map(lambda p, g: g + 0.1 * p if p.ndim == 2 else g, params, g)

    assert gradcheck(*SMOOTH, gradient=penalised, penalised=included, lmbda=0.1).ok
    assert not gradcheck(*SMOOTH, gradient=penalised, lmbda=0.1).ok


def test_a_wrong_value_is_reported():
    report = gradcheck(*SMOOTH, gradient=lambda *a: (2 * backprop(*a)[0], backprop(*a)[1]))
    assert not report.ok
    assert "the value is" in str(report)


def test_numpy_can_be_checked_and_so_can_the_compiled_program():
    def numpy(net, cost, params, x, y):
        x, y, (p, _) = np.asarray(x), np.asarray(y), params
        a = 1 / (1 + np.exp(-(x @ np.asarray(p.W).T + np.asarray(p.b))))
        value = -(y * np.log(a) + (1 - y) * np.log(1 - a)).sum(axis=1).mean()
        delta = (a - y) / len(x)
        return value, (p._replace(W=delta.T @ x, b=delta.sum(axis=0)), ())

    net = (Dense(3), fnn.Identity())
    params = draw_params(net, 0, (4,))
    assert gradcheck(net, CrossEntropy(), params, SMOOTH.x, SMOOTH.y, gradient=numpy).ok
    assert gradcheck(*SMOOTH, gradient=jax.jit(backprop)).ok


@fnn.static
class Swish:
    """z σ(z), with a factor of the derivative that can be forgotten."""

    right: bool = True

    def init(self, key, shape):
        return (), shape

    def forward(self, params, a):
        return a * jax.nn.sigmoid(a)

    def backward(self, params, a, delta):
        s = jax.nn.sigmoid(a)
        return (), delta * (s + a * s * (1 - s) if self.right else s)


@pytest.mark.parametrize("right", [True, False])
def test_a_layer_without_parameters_is_checked_alone_by_its_inputs(right):
    report = gradcheck((Swish(right),), CrossEntropy(), ((),), SMOOTH.x, np.eye(5, 4))
    assert report.ok == right
    assert [(leaf.name, leaf.shape, leaf.wrong > 0) for leaf in report.leaves] == [("x", (5, 4), not right)]


def test_the_last_delta_of_a_chain_is_seen():
    @fnn.static
    class Forgetful(Dense):
        def backward(self, params, a, delta):
            nabla, delta_prev = super().backward(params, a, delta)
            return nabla, 2 * delta_prev

    net = (Forgetful(4), *SMOOTH.net[1:])  # no parameter lies before it
    report = gradcheck(net, *SMOOTH[1:])
    assert [leaf.name for leaf in report.leaves if leaf.wrong] == ["x"]


def test_a_gradient_that_is_not_finite_is_wrong():
    def gradient(*arguments):
        value, g = backprop(*arguments)
        return value, with_(g, 4, b=np.array([0, np.inf, np.nan]))

    report = gradcheck(*SMOOTH, gradient=gradient)
    assert leaf(report, "4.b").wrong >= 2
    assert "4.b[1]: by hand inf" in str(report)


@fnn.static
class Root:
    """The root of the positive part. By hand it is right everywhere; `jax.grad` of this forward is nan where a <= 0."""

    factor: float = 1.0

    def init(self, key, shape):
        return (), shape

    def forward(self, params, a):
        return jnp.where(a > 0, jnp.sqrt(a), 0.0)

    def backward(self, params, a, delta):
        slope = jnp.where(a > 0, 1 / (2 * jnp.sqrt(jnp.where(a > 0, a, 1.0))), 0.0)
        return (), self.factor * slope * delta


@pytest.mark.long
def test_where_autodiff_is_nan_the_finite_differences_decide():
    for factor in (1.0, 1.01):
        report = gradcheck((Dense(4), Root(factor), Dense(3)), *draw_root())
        assert report.ok == (factor == 1), str(report)
        first = leaf(report, "0.W")
        assert first.without_autodiff == 16
        assert (first.compared, leaf(report, "2.W").without_autodiff) == (16, 0)
        assert "15 of 55 coordinates against autodiff" in str(report)
    assert not gradcheck((Dense(4), Root(), Dense(3)), *draw_root(), gradient=autodiff).ok


def draw_root():
    return CrossEntropy(), draw_params((Dense(4), Root(), Dense(3)), 0, (4,)), SMOOTH.x, SMOOTH.y


@fnn.static
class Narrow(Sigmoid):
    """A layer that computes in float32, whatever it is given."""

    factor: float = 1.0

    def forward(self, params, a):
        return jax.nn.sigmoid(a.astype(jnp.float32)).astype(a.dtype)

    def backward(self, params, a, delta):
        s = self.forward(params, a)
        return (), self.factor * delta * s * (1 - s)


@pytest.mark.long
def test_a_layer_in_float32_gets_the_tolerance_of_float32():
    for factor in (1.0, 1.001):
        net = (SMOOTH.net[0], Narrow(factor), *SMOOTH.net[2:])
        report = gradcheck(net, *SMOOTH[1:])
        assert report.ok == (factor == 1), str(report)


@pytest.mark.parametrize(
    "setting", [SMOOTH, pytest.param(IMAGES_POOLED, marks=pytest.mark.long)], ids=["a net", "images"]
)
def test_the_table_fits_a_terminal_and_says_what_its_words_mean(setting):
    lines = str(gradcheck(*setting)).splitlines()
    head = lines.index(next(line for line in lines if line.startswith("leaf")))
    end = head + len(setting.net) + 8
    assert max(map(len, lines[head:end])) <= 80
    for word in ("autodiff", "difference", "compared", "kinks"):
        assert word in lines[head]
        assert any(f"{word}: " in line for line in lines[head + 1 :])
    assert lines[-1] == "the gradient is right"


def test_inputs_of_more_axes_and_of_whole_numbers():
    @fnn.static
    class Flat:
        def init(self, key, shape):
            return (), (int(np.prod(shape)),)

        def forward(self, params, a):
            return a.reshape(len(a), -1)

        def backward(self, params, a, delta):
            return (), delta.reshape(a.shape)

    net = (Flat(), Dense(2))
    params = fnn.init(net, jax.random.key(0), (1, 2, 2))
    x = np.arange(20, dtype=np.int16).reshape(5, 1, 2, 2)
    assert gradcheck(net, CrossEntropy(), params, x, np.eye(2, dtype=bool)[[0, 1, 0, 1, 1]]).ok


def test_the_users_settings_neither_matter_nor_change():
    before = dict(jax.config.values)
    with jax.default_matmul_precision("bfloat16"):
        assert gradcheck(*SMOOTH).ok
    assert dict(jax.config.values) == before
    assert jnp.ones(1).dtype == jnp.float32


def with_(params, layer, **leaves):
    return (*params[:layer], params[layer]._replace(**leaves), *params[layer + 1 :])


REFUSALS = {
    "no examples": (dict(x=np.zeros((0, 4)), y=np.zeros((0, 3))), r"x has shape \(0, 4\).*at least one"),
    "no batch": (dict(x=np.zeros(4)), r"x has shape \(4,\).*\(n, \*shape\)"),
    "rows": (dict(y=np.zeros((4, 3))), r"y has shape \(4, 3\), x has 5 rows"),
    "integers": (dict(params=with_(SMOOTH.params, 2, W=np.ones((4, 4), int))), r"params 2\.W holds int64.*astype"),
    "an empty leaf": (dict(params=with_(SMOOTH.params, 2, b=np.zeros(0))), r"params 2\.b is empty"),
    "nan": (dict(params=with_(SMOOTH.params, 2, W=np.full((4, 4), np.nan))), r"params 2\.W\[0, 0\] is nan and 15 more"),
    "infinite x": (dict(x=np.where(np.arange(20).reshape(5, 4) == 6, np.inf, 1)), r"x\[1, 2\] is inf; expected finite"),
    "nan in y": (dict(y=np.full((5, 3), np.nan)), r"y\[0, 0\] is nan and 14 more"),
    "labels": (dict(y=np.zeros(5)), r"y has shape \(5,\), the network's output \(5, 3\).*one_hot"),
    "texts": (dict(x=np.array([["a"] * 4] * 5)), "x is a ndarray; expected an array of real numbers"),
    "lmbda": (dict(lmbda=float("nan")), "lmbda is nan"),
    "structure": (dict(gradient=lambda *a: (backprop(*a)[0], backprop(*a)[1][:-1])), "returned a tree.*like params"),
    "shape": (
        dict(gradient=lambda *a: (0.0, with_(backprop(*a)[1], 4, W=np.ones((4, 3))))),
        r"4\.W has shape \(4, 3\); expected \(3, 4\).*transposed",
    ),
    "autodiff": (
        dict(params=with_(SMOOTH.params, 4, W=1e308 * np.ones((3, 4)), b=1e308 * np.ones(3))),
        "the cost at these params is (nan|inf)",
    ),
}


@pytest.mark.parametrize(("change", "message"), REFUSALS.values(), ids=REFUSALS)
def test_a_refusal_is_one_line_by_name_and_index(change, message):
    given = {**SMOOTH._asdict(), **change}
    with pytest.raises(ValueError, match=message) as caught:
        gradcheck(**given)
    assert "\n" not in str(caught.value)
    assert isinstance(caught.value, InputError) or "labels" in message or "one_hot" in message


def test_the_picture_is_a_png_whatever_the_verdict(tmp_path):
    wrong = entry("doubled", SMOOTH, 2, "W", lambda W: W.at[1, 3].multiply(2))
    for gradient in (backprop, wrong.gradient):
        report = gradcheck(*SMOOTH, gradient=gradient)
        heat_map(report, tmp_path / "heat.png")
        assert (tmp_path / "heat.png").read_bytes()[:4] == b"\x89PNG"
    assert leaf(report, "2.W").heat().shape == (4, 4)
    assert leaf(report, "2.b").heat().shape == (4, 1)
    assert np.unravel_index(leaf(report, "2.W").heat().argmax(), (4, 4)) == (1, 3)


@pytest.mark.long
def test_filters_are_rows_and_what_meets_a_kink_is_said():
    report = gradcheck(*IMAGES_POOLED, gradient=compiled(backprop))
    assert leaf(report, "2.W").heat().shape == (3, 2 * 2 * 2)
    assert "8 random directions: " in str(report)
    assert "random directions all meet a kink" in str(gradcheck(*IMAGES_POOLED_TIES, gradient=compiled(backprop)))


@pytest.mark.long
@settings(deadline=None, derandomize=True, max_examples=4)
@given(
    layer=st.sampled_from(LAYERS),
    cost=st.sampled_from(COSTS),
    scale=st.sampled_from([1e-8, 1e-3, 1.0, 1.0, 30.0, 1e4]),
    dtype=st.sampled_from([np.int16, np.float32, np.float64]),
    seed=st.integers(0, 9999),
)
def test_no_false_alarm_for_random_right_nets(layer, cost, scale, dtype, seed):
    net = (Dense(4), layer, Dense(3))
    params = jax.tree.map(lambda p: scale * p, draw_params(net, seed, (3,)))
    x = (10 * np.random.default_rng(seed).random((5, 3))).astype(dtype)
    report = gradcheck(net, cost, params, x, one_hot_rows(seed, 5, 3), lmbda=1e-3, gradient=compiled(backprop))
    assert report.ok, str(report)


def test_tiny_weights_have_their_kinks_close_together():
    net = (Dense(4), ReLU(), Dense(4))  # a step of the usual size would jump over all of them
    params = jax.tree.map(lambda p: 1e-8 * p, draw_params(net, 3, (5,)))
    rng = np.random.default_rng(3)
    for _ in range(3):
        x, y = 255 * rng.random((5, 5)), rng.standard_normal((5, 4))
        assert gradcheck(net, Quadratic(fnn.Identity()), params, x, y).ok


@pytest.mark.long
def test_saturated_maxout_and_softmax_nets_are_right():
    net = (Maxout(4, 2), Tanh(), Dense(3))
    params = jax.tree.map(lambda p: 100 * p, draw_params(net, 1, (4,)))
    assert gradcheck(net, LogLikelihood(), params, SMOOTH.x, SMOOTH.y).ok


@fnn.static
class OneSlope:
    """A ReLU that learns its slope, one number for all units."""

    def init(self, key, shape):
        return jnp.full((), 0.25), shape

    def forward(self, params, a):
        return jnp.where(a > 0, a, params * a)

    def backward(self, params, a, delta):
        return jnp.where(a > 0, 0, delta * a).sum(), jnp.where(a > 0, delta, params * delta)


def test_a_parameter_that_is_one_number_has_a_heat_map_too():
    net = (Dense(3), OneSlope(), Dense(2))
    params = fnn.init(net, jax.random.key(0), (3,))
    report = gradcheck(net, CrossEntropy(), params, jnp.ones((5, 3)), jnp.ones((5, 2)))
    assert report.ok
    assert [leaf.heat().shape for leaf in report.leaves] == [(3, 3), (3, 1), (1, 1), (2, 3), (2, 1), (5, 3)]


def test_a_budget_below_zero_is_refused():
    net = (Dense(1),)
    params = fnn.init(net, jax.random.key(0), (2,))
    with pytest.raises(fnn.InputError, match="budget = -1: expected a number of finite differences"):
        fnn.gradcheck(net, CrossEntropy(), params, np.ones((1, 2)), np.ones((1, 1)), budget=-1)
