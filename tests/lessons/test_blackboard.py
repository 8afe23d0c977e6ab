"""The blackboard: its numbers are those of the real step, and every sum that is written comes out."""

import functools
import math
import pathlib
import re
from dataclasses import dataclass
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import fnn
from fnn import (
    SGD,
    Conv,
    ConvPool,
    CrossEntropy,
    Dense,
    Flatten,
    Identity,
    LeakyReLU,
    LogLikelihood,
    Maxout,
    MaxPool,
    Quadratic,
    ReLU,
    Sigmoid,
    Softmax,
    Step,
    Tanh,
)
from fnn.config.reading import load_config
from fnn.config.sections import TYPES
from fnn.layers import DenseParams
from fnn.lessons.blackboard import explained
from fnn.runs.preparing import prepare
from tests.helpers.support import ACTIVATIONS, COSTS, Swish, draw, draw_params

pytestmark = pytest.mark.long  # on the newest Python a change has no time for these

NET, COST, SGD_L2 = (Dense(3), Sigmoid(), Dense(2)), CrossEntropy(), SGD(0.5, lmbda=0.01)
X, Y = np.array([[0.5, -1.5]]), np.array([[1.0, 0]])
CONFIGS = pathlib.Path(__file__).parents[2] / "configs"
NUMBER = r"(?:\d+\.?\d*(?:e[-+]\d+)?|nan|inf)"
WORD = r"(?:sigmoid|tanh|relu|leaky|identity|step|max|ln)"
CUT = "terms)"


class About(NamedTuple):
    """A number that was rounded to its digits, and how far off it may be."""

    value: float
    error: float

    def of(self, f, slope):
        return About(f(self.value), abs(slope) * self.error)

    def __add__(self, other):
        return About(self.value + other.value, self.error + other.error)

    def __sub__(self, other):
        return About(self.value - other.value, self.error + other.error)

    def __mul__(self, other):
        error = abs(self.value) * other.error + abs(other.value) * self.error + self.error * other.error
        return About(self.value * other.value, error)

    def __truediv__(self, other):
        return self * other.of(lambda v: 1 / v, 1 / other.value**2)

    def __pow__(self, power):
        return self * self

    def __neg__(self):
        return About(-self.value, self.error)


def about(text):
    """What a printed number may stand for: half a unit of its sixth digit, and the rounding of float32."""
    value = float(text)
    digits = 10.0 ** (math.floor(math.log10(abs(value))) - 5) / 2 if value else 1e-30
    return About(value, digits + abs(value) * 3e-7)


def sigmoid(z):
    return (1 + math.tanh(z / 2)) / 2


def words(slope):
    """The functions that a board names."""
    return {
        "N": about,
        "exp": lambda z: z.of(math.exp, math.exp(z.value)),
        "ln": lambda z: z.of(math.log, 1 / z.value),
        "sigmoid": lambda z: z.of(sigmoid, 0.25),
        "tanh": lambda z: z.of(math.tanh, 1),
        "relu": lambda z: z.of(lambda v: max(v, 0.0), 1),
        "leaky": lambda z: z.of(lambda v: v if v > 0 else slope * v, 1),
        "identity": lambda z: z,
        "step": lambda z: z.of(lambda v: float(v > 0), 0),
        "max": lambda *zs: max(zs),
    }


def equations(text):
    """Name, what is worked out, and value of every equation that has all three; broken lines are put together."""
    whole = re.sub(r"\n +(?=[-+=] )", " ", text)
    for line in whole.splitlines():
        name, *rest = line.strip().split(" = ")
        if len(rest) == 2 and name != "eta" and (value := re.fullmatch(rf"(-?{NUMBER})(?:, .*)?", rest[1])):
            yield name, rest[0], value[1]


def sums(text, slope=0.01):
    """How many equations are worked out on a board; every one has come out."""
    count = 0
    for name, worked, value in equations(text):
        if CUT in worked or worked.startswith("f("):
            continue
        python = re.sub(rf"ln\(e\^(-?{NUMBER})\)", r"(\1)", worked)
        python = re.sub(rf"e\^(-?{NUMBER})", r"exp(\1)", python)
        assert re.fullmatch(rf"(?:{WORD}|exp|{NUMBER}|[-+*/^(), ])+", python), worked
        python = re.sub(rf"(?<![\w.]){NUMBER}", r"N('\g<0>')", python).replace("^N('2')", "**2")
        found, printed = eval(python, words(slope)), about(value)
        assert abs(found.value - printed.value) <= found.error + printed.error, (name, worked, value, found)
        count += 1
    return count


def assert_well_written(text):
    """No zero has a sign, no sum has two, and every line fits 80 columns."""
    assert not re.search(r"-0(?:\.0*)?(?![\d.])", text)
    assert not re.search(r"[-+] ?[-+] ?\d|\*-|/-", text.replace("e-", "").replace("e+", ""))
    assert max(map(len, text.splitlines())) <= 80


def golden():
    """The net of a worked example with twelve known digits."""
    hidden = np.array([[0.1, -0.2], [0.3, 0.4], [-0.5, 0.6]]), np.array([0.01, -0.02, 0.03])
    last = np.array([[0.7, -0.8, 0.9], [-1, 1.1, -1.2]]), np.array([0.04, -0.05])
    return DenseParams(*map(jnp.asarray, hidden)), (), DenseParams(*map(jnp.asarray, last))


@pytest.fixture(scope="module")
def board():
    with jax.enable_x64(True):
        return explained(NET, COST, SGD_L2, golden(), X, Y)


def said(text, name):
    """The value of each equation of this name."""
    return begun(text, rf"{re.escape(name)}(?= =)")


def begun(text, pattern):
    """The value of each equation whose name begins by the pattern."""
    whole = re.sub(r"\n +(?=[-+=] )", " ", text)
    found = re.findall(rf"^ *{pattern}[^=]* = (?:.* = )?(-?{NUMBER})(?:, .*)?$", whole, re.MULTILINE)
    return [float(value) for value in found]


@pytest.mark.parametrize(
    ("name", "values"),
    {
        "z[0]": [0.36, 0.366045],
        "z[1]": [-0.47, -0.511176],
        "a[1]": [0.384616, 0.374918],  # of the hidden layer, then of the output
        "C[0]": [0.52678],
        "C[1]": [0.469872],
        "C": [0.996653],
        "dC/dW[0,1]": [-0.157499, 0.24022],
        "delta[1]": [0.374918, 0.740007, 0.17515],  # BP1, then at the output of the sigmoid, then before it
        "f'(-0.47)": [0.236687],
        "W[0,0]": [0.139537, 0.817105],
        "W[2,1]": [0.48314],
        "b[1]": [-0.107575, -0.237459],
    }.items(),
    ids=lambda v: v if isinstance(v, str) else "",
)
def test_the_worked_example(board, name, values):
    assert said(board, name) == pytest.approx(values, rel=2e-6)


@functools.cache
def drawn_board(net, cost, shape=(3,), n=1, optimizer=SGD_L2, gradient=fnn.backprop):
    """The board of a net with params that are drawn, and what it was made of."""
    params = draw_params(net, 0, shape)
    (x,) = draw(1, (n, *shape))
    n_out = fnn.forward(net, params, x).shape[1]
    y = jnp.asarray(np.random.default_rng(2).dirichlet(np.ones(n_out), n), jnp.float32)
    arguments = net, cost, optimizer, params, x, y, gradient
    return explained(*arguments), arguments


IMAGE = (1, 4, 4)
MOMENTUM, BOTH = SGD(0.5, mu=0.9), SGD(0.1, mu=0.5, lmbda=0.3)
IMAGES = {
    "conv": ((Conv(2, 2), ReLU(), MaxPool(3), Flatten(), Dense(2)), IMAGE),
    "channels": ((Conv(2, 3), Tanh(), Conv(1, 2), Flatten()), (2, 4, 4)),
    "pool first": ((MaxPool(2), Flatten(), Maxout(2, 3)), IMAGE),
    "convpool": ((ConvPool(2, 2, 3), Sigmoid(), Flatten(), Dense(2)), IMAGE),
    "convpool last": ((Conv(1, 2), LeakyReLU(), ConvPool(2, 2, 2), Flatten()), IMAGE),
}
QUADRATICS = [Quadratic(f) for f in ACTIVATIONS if f != Softmax()]
OTHERS = [cost for cost in COSTS if not isinstance(cost, Quadratic)]
CASES = {  # net, shape, cost, rows, optimiser, gradient
    **{f"{c!r}": ((Dense(3), c.activation, Dense(2)), (3,), c, 3, MOMENTUM, fnn.backprop) for c in QUADRATICS},
    **{f"{c!r}": ((Dense(3), Softmax(), Dense(2)), (3,), c, 1, SGD_L2, fnn.autodiff) for c in OTHERS},
    **{name: (*net, CrossEntropy(), 1 + i % 2, BOTH, fnn.backprop) for i, (name, net) in enumerate(IMAGES.items())},
    "maxout": ((Maxout(3, 2), Maxout(2, 3)), (4,), Quadratic(Softmax()), 4, BOTH, fnn.autodiff),
    "most rows": ((Dense(2), Sigmoid(), Dense(1)), (2,), Quadratic(), 10, MOMENTUM, fnn.autodiff),
    "long sums": ((Dense(3), Step(), Dense(4)), (20,), CrossEntropy(), 2, SGD(0.1), fnn.backprop),
    "first an activation": ((Identity(), LeakyReLU(-0.3), Dense(2)), (3,), CrossEntropy(), 2, SGD_L2, fnn.backprop),
}


def case(name):
    net, shape, cost, n, optimizer, gradient = CASES[name]
    return drawn_board(net, cost, shape, n, optimizer, gradient)


SOME = [pytest.param(name, marks=[pytest.mark.campaign] if k % 3 else []) for k, name in enumerate(CASES)]


@pytest.mark.parametrize("name", SOME)
def test_every_sum_on_a_board_comes_out(name):
    text, (net, cost, *_) = case(name)
    slope = next((layer.slope for layer in (*net, getattr(cost, "activation", ())) if isinstance(layer, LeakyReLU)), 0)
    assert sums(text, slope) >= 15


@pytest.mark.parametrize("name", CASES)
def test_a_board_is_well_written(name):
    assert_well_written(case(name)[0])


@pytest.mark.parametrize("name", ["Quadratic(activation=Tanh())", "LogLikelihood()", "conv", "maxout", "most rows"])
def test_the_numbers_are_those_of_the_real_step(name):
    text, (net, cost, optimizer, params, x, y, gradient) = case(name)
    old = optimizer.init(params)
    new, v = fnn.step(net, cost, optimizer, params, old, x, y, gradient)
    value, nablas = gradient(net, cost, params, x, y)
    step = text.partition("\nSTEP\n")[2]
    for prefix, after in (("", new), *([("v of ", v)] if old != () else [])):
        for leaf in ("W", "b"):
            found = begun(step, rf"{prefix}{leaf}\[")
            np.testing.assert_allclose(found, flat(after, leaf), rtol=1e-5, atol=1e-7)
    if name not in ("conv", "maxout"):  # a Maxout leaves out the pieces that lose
        for leaf in ("W", "b"):
            found = begun(text, rf"dC/d{leaf}\[")
            np.testing.assert_allclose(found, flat(reversed(nablas), leaf), rtol=1e-5, atol=1e-7)
    assert said(text, "mean C" if len(x) > 1 else "C") == pytest.approx([float(value)], rel=1e-5)


def flat(tree, leaf):
    """The leaves of a name, in order."""
    return np.concatenate([np.ravel(getattr(p, leaf)) for p in tree if p])


CONFIG_ENTRIES = {
    "xor": [],
    "regression": [],
    "logistic": [],
    "digits": ["network.layers.0.units=1"],
    "digits_conv": ["network.layers.0.filters=1", "network.layers.3.units=1"],
}


@pytest.mark.long
@pytest.mark.parametrize("name", CONFIG_ENTRIES)
def test_the_configs_that_are_small_enough(name):
    config = load_config(str(CONFIGS / f"{name}.toml"), CONFIG_ENTRIES[name], TYPES)
    prepared, net = prepare(config), config.network
    rows = prepared.data.train.rows(slice(2))
    text = explained(net.layers, net.cost, config.training.optimizer, prepared.params, *rows)
    assert_well_written(text)
    assert sums(text) >= 50


def test_every_layer_and_cost_of_fnn_is_worked_out():
    layers = {type(layer) for net, *_ in CASES.values() for layer in net}
    costs = {type(cost) for _, _, cost, *_ in CASES.values()}
    ours = {kind for kind in TYPES.values() if issubclass(kind, fnn.types.Layer | fnn.types.Cost)}
    assert ours <= layers | costs
    known = [name for name in CASES if "Swish" not in name]
    assert not [name for name in known if re.search(r"\(\.\.\.\)|value\(z|[ (]f\(", case(name)[0])]


def test_several_rows_are_a_mini_batch():
    text, (_, _, _, _, x, *_) = case("Quadratic(activation=Tanh())")
    assert text.count("row 0") == text.count("row 2") > 5
    assert "row 3" not in text
    assert "C is the mean C of the 3 rows, so every delta has the factor 1/3" in text
    assert re.search(r"dC/da\[1\] = \(\S+ - \S+\)/3 = ", text)
    assert re.search(r"dC/db\[0\] = \S+ [+-] \S+ [+-] \S+ = ", text)
    assert re.search(r"mean C = \(\S+ \+ \S+ \+ \S+\)/3 = ", text)


def test_a_row_alone_has_no_number(board):
    assert not re.search(r"row \d|mean C|/1 ", board)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("Quadratic(activation=Sigmoid())", "a = sigmoid(z) = 1/(1 + e^-z)"),
        ("Quadratic(activation=Sigmoid())", "f'(z) = sigmoid(z) (1 - sigmoid(z))"),
        ("Quadratic(activation=Tanh())", "f'(z) = 1 - tanh(z)^2"),
        ("Quadratic(activation=ReLU())", "a = relu(z) = z if z > 0, else 0"),
        ("Quadratic(activation=LeakyReLU(slope=0.3))", "a = leaky(z) = z if z > 0, else 0.3*z"),
        ("first an activation", "f'(z) = 1 if z > 0, else (-0.3)"),
        ("Quadratic(activation=Step())", "f'(z) = 0 everywhere"),
        ("LogLikelihood()", "C[j] = -y[j] ln a[j]; C = the sum over j"),
        ("CrossEntropy()", "C[j] = -(y[j] ln a[j] + (1 - y[j]) ln(1 - a[j])); C = the sum over j"),
        ("most rows", "C = 1/2 (a - y)^2\n"),
        ("most rows", "v' = mu v - eta dC/dW, W' = W + v'; at the start v = 0"),
        ("conv", "v' = mu v - eta (dC/dW + lmbda W), W' = W + v'; at the start v = 0"),
        ("most rows", "dC/dW and dC/db by autodiff\n"),
        ("long sums", "W' = W - eta dC/dW, b' = b - eta dC/db\n  eta = 0.1\n"),
        ("long sums", "... (20 terms)"),
        ("maxout", ", piece 0 wins"),
        ("pool first", ", pixel [0,"),
        ("convpool", ", u[0,"),
    ],
)
def test_a_board_names_its_formulas(name, said):
    assert said in case(name)[0]


@pytest.mark.parametrize("z", [-1000.0, -40.0, 40.0, 1000.0])
@pytest.mark.parametrize("cost", [CrossEntropy(), LogLikelihood(), Quadratic(Tanh())], ids=repr)
def test_saturated_outputs_come_out(cost, z):
    params = (DenseParams(jnp.array([[z], [-z]]), jnp.zeros(2)),)
    text = explained((Dense(2),), cost, SGD(0.1), params, jnp.ones((1, 1)), jnp.array([[0.0, 1]]))
    assert sums(text) >= 10
    assert_well_written(text)
    value = float(cost.value(jnp.array([[z, -z]]), jnp.array([[0.0, 1]])))
    assert said(text, "C") == pytest.approx([value], rel=1e-5)
    subtracted = f"    {abs(z):g} is subtracted from every z first, which does not change the outputs\n"
    assert (subtracted in text) == (isinstance(cost, LogLikelihood) and abs(z) == 1000)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_numbers_that_are_not_finite_are_shown(bad):
    net = (Conv(1, 2), MaxPool(2), Flatten(), Maxout(2, 2), Softmax())
    params, (x,) = draw_params(net, 0, (1, 3, 3)), draw(1, (2, 1, 3, 3))
    text = explained(net, LogLikelihood(), MOMENTUM, params, x.at[0, 0, 1, 1].set(bad), jnp.array([[1.0, 0], [0, 1]]))
    assert str(bad) in text


def test_desired_outputs_that_do_not_sum_to_1_weigh_the_softmax():
    text, _ = drawn_board((Dense(2),), LogLikelihood())
    assert "the sum of y" not in text
    arguments = (Dense(2),), LogLikelihood(), SGD(0.1), draw_params((Dense(2),), 0, (3,)), jnp.ones((1, 3))
    text = explained(*arguments, jnp.array([[1.0, 0.5]]))
    assert re.search(r"delta\[0\] = \S+\*1\.5 - 1 = \S+, the sum of y is 1\.5", text)
    assert sums(text) >= 15


def test_only_the_places_that_won_have_a_part_in_a_convpool():
    text, (_, _, _, _, x, *_) = case("convpool last")
    assert len(x) == 1
    part = text.partition("layer 2, ConvPool (1, 3, 3) -> (2, 1, 1)\n    delta")[2].partition("layer 1")[0]
    assert len(re.findall(r"dC/dW\S+ = \S+\*\S+ = ", part)) == 8
    assert "dC/db[0] = -" in part or "dC/db[0] = 0." in part
    assert not re.search(r"dC/db\S+ = \S+ [+-] ", part)


def test_a_tie_of_a_pool_goes_to_the_first():
    net = (Identity(), MaxPool(2), Flatten())
    text = explained(net, CrossEntropy(), SGD(0.1), ((), (), ()), jnp.zeros((1, 1, 2, 2)), jnp.ones((1, 1)))
    assert "a[0,0,0] = max(0, 0, 0, 0) = 0, pixel [0,0,0] wins" in text
    assert "\n      delta[0,0,0] = -0.5, from square [0,0,0]\n      the other 3 pixels get 0\n" in text


def test_the_cost_falls_by_about_what_the_gradient_promised():
    neuron = (DenseParams(jnp.array([[0.5, -0.25]]), jnp.array([0.2])),)
    text = explained((Dense(1),), COST, SGD(0.1), neuron, jnp.array([[1.0, 2]]), jnp.array([[1.0]]))
    assert "C is 0.598139 before the step and 0.485471 after it." in text
    assert "The gradient promised 0.476549:" in text


class Shift(NamedTuple):
    c: jax.Array


@fnn.static
class Moved:
    def init(self, key, shape):
        return Shift(jnp.zeros(shape)), shape

    def forward(self, params, a):
        return a + params.c[None]

    def backward(self, params, a, delta):
        return Shift(delta.sum(axis=0)), delta


@dataclass(frozen=True)
class SignDescent:
    def init(self, params):
        return ()

    def update(self, params, v, gradient):
        return jax.tree.map(lambda p, g: p - 0.1 * jnp.sign(g), params, gradient), v

    def scaled(self, factor):
        return self


def test_layers_and_rules_of_ones_own_are_explained_too():
    net = (Maxout(2, 2), Moved(), Swish(), Dense(2), Softmax())
    params = draw_params(net, 0, (6,))
    x = jnp.ones((1, 6))
    text = explained(net, fnn.Quadratic(fnn.Identity()), SignDescent(), params, x, jnp.array([[1.0, 0]]))
    assert "layer 1, Moved 2 -> 2: a = forward(...)" in text
    assert "to layer 1, BP2: what backward(...) returns" in text
    assert "\n    dC/dc[1] = " in text
    assert "new parameters = SignDescent" in text
    new, _ = fnn.step(
        net, fnn.Quadratic(fnn.Identity()), SignDescent(), params, (), x, jnp.array([[1.0, 0]]), fnn.backprop
    )
    assert said(text, "c[1]") == pytest.approx([float(new[1].c[1])], rel=1e-5)


@fnn.static
class Scaled:
    """A layer whose params are one array, without a name."""

    def init(self, key, shape):
        return jnp.ones(shape), shape

    def forward(self, params, a):
        return a * params[None]

    def backward(self, params, a, delta):
        return (a * delta).sum(axis=0), delta * params[None]


def test_params_without_a_name_are_written_as_p():
    text = explained((Scaled(),), COST, SGD(0.1), (jnp.ones(2),), jnp.ones((1, 2)), jnp.array([[1.0, 0]]))
    assert "dC/dp[1] = 0.731059" in text
    assert said(text, "p[1]") == pytest.approx([1 - 0.1 * 0.731059], rel=1e-5)


def test_long_sums_are_cut_short():
    params = draw_params((Dense(1),), 0, (11,))
    text = explained((Dense(1),), COST, SGD(0.1), params, jnp.ones((1, 11)), jnp.ones((1, 1)))
    assert re.search(r" z\[0\] = \S+ [+-] \S+ [+-] \S+ \+ \.\.\. \(11 terms\)\s+[+-] \S+\s+= \S+\n", text)


@pytest.mark.parametrize(("n", "n_y"), [(0, 0), (11, 11), (2, 3)])
def test_a_board_is_for_a_few_examples(n, n_y):
    params = draw_params((Dense(1),), 0, (2,))
    with pytest.raises(fnn.InputError, match=f"1 to 10 examples, each with its y, got {n} rows of x and {n_y} of y"):
        explained((Dense(1),), COST, SGD(0.1), params, jnp.ones((n, 2)), jnp.ones((n_y, 1)))


@fnn.static
class Twice(Dense):
    """A subclass that computes something else: only results are written."""

    def forward(self, params, a):
        return 2 * Dense.forward(self, params, a)

    def backward(self, params, a, delta):
        return Dense.backward(self, params, a, 2 * delta)


@fnn.static
class Halved(Quadratic):
    def value(self, z, y):
        return Quadratic.value(self, z, y) / 2

    def delta(self, z, y):
        return Quadratic.delta(self, z, y) / 2


@dataclass(frozen=True)
class Slower(SGD):
    def update(self, params, v, gradient):
        return SGD(0.5 * self.eta).update(params, v, gradient)


def test_of_a_subclass_only_the_results_are_written():
    net, cost, rule = (Twice(2), Sigmoid(), Dense(2)), Halved(), Slower(0.5)
    params, (x,), y = draw_params(net, 0, (3,)), draw(1, (2, 3)), jnp.array([[1.0, 0], [0, 1]])
    text = explained(net, cost, rule, params, x, y)
    assert "layer 0, Twice 3 -> 2: a = forward(...)" in text
    assert "cost, Halved: a = output(z)\n    C = value(z, y)\n" in text
    assert "BP1, delta[j] = dC/dz[j]: delta(z, y)\n" in text
    assert "\nSTEP\n  new parameters = Slower\n" in text
    assert not re.search(r"C\[0\]|dC/da|eta", text)
    assert sums(text) >= 20  # of the Sigmoid and the Dense
    new, _ = rule.update(params, (), fnn.backprop(net, cost, params, x, y)[1])
    assert begun(text.partition("\nSTEP\n")[2], r"W\[") == pytest.approx(list(flat(new, "W")), rel=1e-5)


@pytest.mark.parametrize("lmbda", [0.0, -0.5])
@pytest.mark.parametrize("eta", [0.5, -0.5])
def test_what_is_worked_out_is_what_it_says(eta, lmbda):
    params = draw_params((Dense(2),), 0, (3,))
    text = explained((Dense(2),), COST, SGD(eta, lmbda=lmbda), params, jnp.ones((1, 3)), jnp.array([[1.0, 0]]))
    assert sums(text) >= 20
    assert_well_written(text)


@fnn.static
class Own(fnn.activation_functions.Elementwise):
    """An elementwise function of a user's."""

    def f(self, z):
        return z**3

    def df(self, z):
        return 3 * z**2


def test_an_elementwise_function_of_ones_own_has_its_numbers():
    net = (Dense(2), Own())
    text = explained(net, COST, SGD(0.1), draw_params(net, 0, (3,)), jnp.ones((1, 3)), jnp.array([[1.0, 0]]))
    assert "layer 1, Own 2: a = f(z)\n" in text
    (z,), (a,), (slope,) = said(text, "z[0]"), begun(text, r"a\[0\](?= = f)"), begun(text, r"f'\(")[:1]
    assert (a, slope) == pytest.approx((z**3, 3 * z**2), rel=1e-4)
