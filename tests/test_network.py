"""Networks in numbers that a reader can redo, and what they refuse."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import fnn
from fnn import SGD, CrossEntropy, Dense, Identity, LogLikelihood, Quadratic, ReLU, Sigmoid, Step, Tanh
from fnn.layers import DenseParams
from tests.helpers.support import COSTS, LAYERS, Swish, assert_trees_close, draw, draw_params, one_hot_rows


def dense(W, b):
    return DenseParams(jnp.array(W, float), jnp.array(b, float))


def test_one_weight():
    # z = 1·2 + 0 = 2, C = ½(2 − 0)² = 2, ∂C/∂w = (2 − 0)·2 = 4, ∂C/∂b = 2
    params = (dense([[1]], [0]),)
    value, ((W, b),) = fnn.backprop((Dense(1),), Quadratic(Identity()), params, jnp.array([[2.0]]), jnp.array([[0.0]]))
    assert (value, W, b) == (2, 4, 2)


def test_one_sgd_step_of_a_2_2_1_sigmoid_net():
    # x = (1, 0), y = 1; z1 = (0, 0), a1 = (½, ½); z2 = ½·1 + ½·(−1) = 0, a2 = ½; C = ½(½ − 1)² = 1/8
    # δ2 = (½ − 1)·¼ = −1/8 (BP1); ∂C/∂W2 = δ2 a1 = (−1/16, −1/16) (BP4), ∂C/∂b2 = −1/8 (BP3)
    # δ1 = W2ᵀδ2 ⊙ ¼ = (−1/32, 1/32) (BP2); ∂C/∂W1 = δ1 xᵀ = ((−1/32, 0), (1/32, 0)), ∂C/∂b1 = (−1/32, 1/32)
    # η = 2, λ = ½: W ← W − 2(∂C/∂W + ½W) = −2 ∂C/∂W, since 1 − ηλ = 0; b ← b − 2 ∂C/∂b
    net = (Dense(2), Sigmoid(), Dense(1))
    params = (dense([[0, 3], [0, 5]], [0, 0]), (), dense([[1, -1]], [0]))
    x, y, sgd = jnp.array([[1.0, 0.0]]), jnp.array([[1.0]]), SGD(eta=2.0, lmbda=0.5)
    value, _ = fnn.backprop(net, Quadratic(Sigmoid()), params, x, y)
    new, _ = fnn.step(net, Quadratic(Sigmoid()), sgd, params, sgd.init(params), x, y, fnn.backprop)
    assert value == 1 / 8
    expected = (dense([[1 / 16, 0], [-1 / 16, 0]], [1 / 16, -1 / 16]), (), dense([[1 / 8, 1 / 8]], [1 / 4]))
    assert_trees_close(new, expected)


@pytest.mark.parametrize(
    ("weights", "threshold", "table"),
    [((6, 2, 2), 5, "00001111"), ((3, 2, 2), 5, "00000001"), ((6, 2, 2), 3, "00011111")],
)
def test_the_festival_perceptron(weights, threshold, table):
    # weather, company, transport; 3 + 2 = 5 is not more than 5, so a tie gives 0
    x = jnp.array([[i >> 2 & 1, i >> 1 & 1, i & 1] for i in range(8)], float)
    params = (dense([weights], [-threshold]), ())
    out = fnn.forward((Dense(1), Step()), params, x)
    assert "".join(str(int(a)) for a in out[:, 0]) == table


TOY = [  # cost, eta, start, output after 300 updates, first update with a < 1/2 (Nielsen, ch. 3)
    (Quadratic(), 0.15, (0.6, 0.9), 0.0939556948636, 36),
    (Quadratic(), 0.15, (2.0, 2.0), 0.202848424268, 232),
    (CrossEntropy(), 0.15, (0.6, 0.9), 0.0116382089689, 8),
    (CrossEntropy(), 0.15, (2.0, 2.0), 0.0120087415108, 17),
    (CrossEntropy(), 0.005, (2.0, 2.0), 0.779587064206, None),
]


@pytest.mark.parametrize(("cost", "eta", "start", "last", "half"), TOY)
def test_the_toy_neuron_to_ten_digits(cost, eta, start, last, half):
    with jax.enable_x64(True):
        net, x, y, sgd = (Dense(1),), jnp.ones((1, 1)), jnp.zeros((1, 1)), SGD(eta)
        params = (dense([[start[0]]], [start[1]]),)

        def update(carry, _):
            carry = fnn.step(net, cost, sgd, *carry, x, y, fnn.backprop)
            return carry, fnn.predict(net, cost, carry[0], x)[0, 0]

        _, outputs = jax.jit(lambda p: jax.lax.scan(update, (p, sgd.init(p)), length=300))(params)
        assert float(outputs[-1]) == pytest.approx(last, rel=1e-10)
        below = np.flatnonzero(np.asarray(outputs) < 0.5)
        assert (below[0] + 1 if below.size else None) == half


GOLDEN_X, GOLDEN_Y = [[0.5, -1.5]], [[1.0, 0.0]]
GOLDEN = [  # hidden layer, cost, C, δ2, δ1
    (
        Sigmoid(),
        Quadratic(),
        0.154125564879,
        [-0.0990201199806, 0.0878636717215],
        [-0.0380483024175, 0.0416251555429, -0.0360878646540],
    ),
    (
        Sigmoid(),
        CrossEntropy(),
        0.996652642361,
        [-0.409496921329, 0.374917859244],
        [-0.160146401557, 0.175149775621, -0.151813822584],
    ),
    (
        Sigmoid(),
        LogLikelihood(),
        0.347791473968,
        [-0.293753868436, 0.293753868436],
        [-0.120886197622, 0.132102442005, -0.114425485242],
    ),
    (
        Tanh(),
        CrossEntropy(),
        1.48169290752,
        [-0.523633064221, 0.522946225328],
        [-0.783486494286, 0.803252487356, -0.382200109075],
    ),
    (ReLU(), CrossEntropy(), 1.06678166418, [-0.427514304611, 0.398912121152], [-0.698172134379, 0, 0]),
]


@pytest.mark.parametrize(("hidden", "cost", "value", "delta2", "delta1"), GOLDEN)
def test_the_golden_network(hidden, cost, value, delta2, delta1):
    with jax.enable_x64(True):
        net = (Dense(3), hidden, Dense(2))
        params = (
            dense([[0.1, -0.2], [0.3, 0.4], [-0.5, 0.6]], [0.01, -0.02, 0.03]),
            (),
            dense([[0.7, -0.8, 0.9], [-1, 1.1, -1.2]], [0.04, -0.05]),
        )
        x, y = jnp.array(GOLDEN_X), jnp.array(GOLDEN_Y)
        got, gradient = fnn.backprop(net, cost, params, x, y)
        assert float(got) == pytest.approx(value, rel=1e-11)
        np.testing.assert_allclose(gradient[2].b, delta2, rtol=1e-10)
        np.testing.assert_allclose(gradient[0].b, delta1, rtol=1e-10)
        np.testing.assert_allclose(gradient[0].W, np.outer(delta1, GOLDEN_X), rtol=1e-10)
        first, _, last = fnn.deltas(net, cost, params, x, y)
        np.testing.assert_allclose(first[0], delta1, rtol=1e-10)
        np.testing.assert_allclose(last[0], delta2, rtol=1e-10)


@pytest.mark.long
def test_deltas_are_derivatives_by_a_shift_of_each_output():
    net, cost = (Dense(4), Sigmoid(), Dense(3), Swish(), Dense(2)), CrossEntropy()
    with jax.enable_x64(True):
        params, (x,), y = draw_params(net, 0, (3,)), draw(1, (5, 3)), one_hot_rows(2, 5, 2)

        def shifted(shifts):
            a = x
            for layer, p, shift in zip(net, params, shifts, strict=True):
                a = layer.forward(p, a) + shift
            return cost.value(a, y)

        shifts = tuple(jnp.zeros_like(a) for a in fnn.activations(net, params, x)[1:])
        assert_trees_close(fnn.deltas(net, cost, params, x, y), jax.grad(shifted)(shifts))


@pytest.mark.parametrize(("units", "shape", "count"), [((4, 4, 1), (3,), 41), ((30, 10), (784,), 23_860)])
def test_count_params(units, shape, count):
    net = tuple(Dense(k) for k in units)
    assert fnn.count_params(fnn.init(net, jax.random.key(0), shape)) == count


def test_a_net_is_a_value():
    assert (Dense(3), Sigmoid()) == (Dense(3), Sigmoid()) != (Dense(4), Sigmoid())
    assert hash(fnn.Quadratic()) == hash(fnn.Quadratic(Sigmoid()))
    assert repr(fnn.LeakyReLU(0.1)) == "LeakyReLU(slope=0.1)"
    assert all(isinstance(layer, fnn.Layer) for layer in LAYERS)
    assert all(isinstance(cost, fnn.Cost) for cost in COSTS)


X, Y = jnp.ones((2, 3)), jnp.ones((2, 4))
NET = (Dense(4), Sigmoid(), Dense(4))
PARAMS = draw_params(NET, 0, (3,))
REFUSED = {
    "an empty net": (lambda: fnn.init((), jax.random.key(0), (3,)), ValueError, "0 layers.*at least one"),
    "a list": (lambda: fnn.init([Dense(3)], jax.random.key(0), (3,)), TypeError, "list.*tuple of layers"),
    "negative width": (lambda: Dense(-3), ValueError, r"Dense\(units=-3\).*at least 1"),
    "no width": (lambda: Dense(0), ValueError, r"units=0"),
    "half a unit": (lambda: Dense(2.5), TypeError, "units=2.5.*whole number"),
    "no pieces": (lambda: fnn.Maxout(2, 0), ValueError, "pieces=0"),
    "negative std": (lambda: fnn.Normal(-1.0), ValueError, "std=-1.0.*Zeros"),
    "images": (lambda: fnn.init(NET, jax.random.key(0), (28, 28)), ValueError, r"\(28, 28\).*Flatten"),
    "empty rows": (lambda: fnn.init(NET, jax.random.key(0), (0,)), ValueError, r"\(0,\)"),
    "no numbers": (lambda: fnn.init(NET, jax.random.key(0), (3.0,)), TypeError, r"3\.0.*whole numbers"),
    "params of another net": (lambda: fnn.forward(NET, PARAMS[:2], X), ValueError, "3 layers.*2 entries.*init"),
    "four columns for ten outputs": (
        lambda: fnn.backprop((*NET, Dense(10)), CrossEntropy(), (*PARAMS, dense(np.ones((10, 4)), np.ones(10))), X, Y),
        ValueError,
        r"\(2, 4\).*\(2, 10\)",
    ),
    "labels": (lambda: fnn.autodiff(NET, CrossEntropy(), PARAMS, X, Y[:, 0]), ValueError, r"\(2,\).*one_hot\(y, 4\)"),
    "an array in a layer": (lambda: ArrayField(np.ones(3)), TypeError, "ArrayField.scale.*ndarray.*params"),
    "no examples": (
        lambda: fnn.evaluate(NET, CrossEntropy(), PARAMS, fnn.Examples(X[:0], Y[:0])),
        ValueError,
        "0 examples",
    ),
}


@fnn.static
class ArrayField:
    scale: object


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_fit_is_refused(case):
    call, kind, message = REFUSED[case]
    with pytest.raises(kind, match=message):
        call()


def test_shape_out_computes_nothing():
    assert fnn.shape_out((Dense(10**9), Sigmoid(), Dense(10)), (10**6,)) == (10,)


def test_a_subclass_is_checked_as_its_class_is():
    @fnn.static
    class Mine(Dense):
        """With what `Dense` demands."""

    assert Mine(3).units == 3
    with pytest.raises(ValueError, match="expected at least 1"):
        Mine(-3)


@pytest.mark.parametrize(
    ("net", "shape", "message"),
    [
        ((Dense(3), Sigmoid), (2,), r"net\[1\] is the class Sigmoid; a layer is a value of one"),
        ((Dense(3),), 784, "shape is 784; expected the whole numbers"),
    ],
)
def test_a_likely_slip_is_named(net, shape, message):
    with pytest.raises(TypeError, match=message):
        fnn.init(net, jax.random.key(0), shape)
