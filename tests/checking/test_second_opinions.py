"""The same weights and data through PyTorch's autograd and scikit-learn's MLP give the same gradient."""

import jax
import numpy as np
import pytest

import fnn
from fnn import CrossEntropy, Dense, Identity, LogLikelihood, Quadratic, ReLU, Sigmoid, Tanh, backprop

RELATIVE = {"float32": 1e-6, "float64": 1e-10}  # of the largest entry of a leaf
DTYPES = pytest.mark.parametrize("dtype", RELATIVE)
N, N_IN, HIDDEN, N_OUT = 16, 7, 5, 3


def point(dtype):
    """Weights and biases of two layers, inputs, classes as one-hot rows."""
    rng = np.random.default_rng(0)
    shapes = (HIDDEN, N_IN), (HIDDEN,), (N_OUT, HIDDEN), (N_OUT,), (N, N_IN)
    *leaves, x = (rng.standard_normal(shape).astype(dtype) for shape in shapes)
    return leaves, x, np.eye(N_OUT, dtype=dtype)[rng.integers(0, N_OUT, N)]


def by_hand(activation, cost, leaves, x, y):
    with jax.enable_x64(x.dtype == np.float64):
        net = (Dense(HIDDEN), activation, Dense(N_OUT))
        p = fnn.layers.DenseParams
        value, gradient = backprop(net, cost, (p(*leaves[:2]), (), p(*leaves[2:])), x, y)
        return float(value), [np.asarray(leaf) for leaf in jax.tree.leaves(gradient)]


def assert_same(got, expected, dtype):
    for g, e in zip(got, expected, strict=True):
        assert (g.dtype, g.shape) == (np.dtype(dtype), e.shape)
        assert np.abs(g - e).max() <= RELATIVE[dtype] * np.abs(e).max()


def torch_costs(torch):
    """Sum over outputs, mean over rows, as here."""
    F = torch.nn.functional

    def squares(a, y):
        return 0.5 * ((a - y) ** 2).sum(dim=1).mean()

    return {
        "cross-entropy": lambda z, y: F.binary_cross_entropy_with_logits(z, y, reduction="none").sum(dim=1).mean(),
        "log-likelihood": lambda z, y: F.cross_entropy(z, y),
        "quadratic": lambda z, y: squares(torch.sigmoid(z), y),
        "regression": squares,
    }


COSTS = {
    "cross-entropy": CrossEntropy(),
    "log-likelihood": LogLikelihood(),
    "quadratic": Quadratic(Sigmoid()),
    "regression": Quadratic(Identity()),
}


@DTYPES
@pytest.mark.parametrize("cost", COSTS)
@pytest.mark.parametrize(("activation", "name"), [(Sigmoid(), "sigmoid"), (Tanh(), "tanh"), (ReLU(), "relu")], ids=repr)
def test_the_gradient_is_that_of_torch(activation, name, cost, dtype):
    torch = pytest.importorskip("torch")
    leaves, x, y = point(dtype)
    W1, b1, W2, b2 = tensors = [torch.tensor(leaf, requires_grad=True) for leaf in leaves]
    z = getattr(torch, name)(torch.tensor(x) @ W1.T + b1) @ W2.T + b2
    value = torch_costs(torch)[cost](z, torch.tensor(y))
    value.backward()
    value_here, gradient = by_hand(activation, COSTS[cost], leaves, x, y)
    assert value_here == pytest.approx(float(value.detach()), rel=RELATIVE[dtype])
    assert_same(gradient, [t.grad.numpy() for t in tensors], dtype)


@DTYPES
@pytest.mark.parametrize(
    ("activation", "name"),
    [(Sigmoid(), "logistic"), (Tanh(), "tanh"), (ReLU(), "relu"), (Identity(), "identity")],
    ids=repr,
)
def test_the_gradient_is_that_of_scikit_learn(activation, name, dtype):
    networks = pytest.importorskip("sklearn.neural_network")
    leaves, x, y = point(dtype)
    there = step_of_scikit_learn(networks, name, leaves, x, y.argmax(axis=1))
    _, gradient = by_hand(
        activation, LogLikelihood(), leaves, x, y
    )  # its reported loss clips small outputs: not compared
    assert_same(gradient, there, dtype)


def step_of_scikit_learn(networks, activation, leaves, x, labels):
    """The gradient from one step of plain descent, so long that the weights before it are lost in rounding."""
    eta = 2.0**20
    mlp = networks.MLPClassifier(
        (HIDDEN,),
        activation=activation,
        solver="sgd",
        alpha=0.0,
        batch_size=N,
        shuffle=False,
        learning_rate_init=eta,
        momentum=0.0,
        nesterovs_momentum=False,
    )
    mlp.partial_fit(x, labels, classes=range(N_OUT))  # makes the arrays, which are then filled with ours
    W1, b1, W2, b2 = leaves
    theirs, ours = [*mlp.coefs_, *mlp.intercepts_], [W1.T, W2.T, b1, b2]
    for array, leaf in zip(theirs, ours, strict=True):
        array[...] = leaf
    mlp.partial_fit(x, labels)
    W1, W2, b1, b2 = ((old - new) / x.dtype.type(eta) for old, new in zip(ours, theirs, strict=True))
    return [W1.T, b1, W2.T, b2]
