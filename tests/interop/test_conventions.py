"""What `docs/coming_from.md` says of scikit-learn: its alpha, momentum and losses against ours, step by step."""

import jax
import numpy as np
import pytest

import fnn
from tests.helpers.support import draw, draw_params

networks = pytest.importorskip("sklearn.neural_network")

B, ALPHA, ETA, MU = 5, 0.3, 0.1, 0.9
MODELS = {
    "several classes": (networks.MLPClassifier, fnn.LogLikelihood(), 3),
    "two classes": (networks.MLPClassifier, fnn.CrossEntropy(), 1),
    "quantities": (networks.MLPRegressor, fnn.Quadratic(fnn.Identity()), 2),
}


def theirs(kind, params, x, y, targets):
    """The params after a mini-batch each of B rows, by scikit-learn."""
    settings = {"hidden_layer_sizes": (4,), "activation": "tanh", "solver": "sgd", "shuffle": False, "batch_size": B}
    numbers = {"alpha": ALPHA, "learning_rate_init": ETA, "momentum": MU, "nesterovs_momentum": False}
    model = kind(**settings, **numbers, random_state=0)
    classes = {"classes": np.unique(targets)} if kind is networks.MLPClassifier else {}
    model.partial_fit(x[:B], targets[:B], **classes)  # makes the arrays
    del model._optimizer  # and a velocity, which begins again at 0
    dense = [p for p in params if p]
    for coefs, intercepts, p in zip(model.coefs_, model.intercepts_, dense, strict=True):
        coefs[:], intercepts[:] = p.W.T, p.b  # their W is (n_in, n_out)
    for first in range(0, len(x), B):
        model.partial_fit(x[first : first + B], targets[first : first + B])
    return [(coefs.T, intercepts) for coefs, intercepts in zip(model.coefs_, model.intercepts_, strict=True)]


@pytest.mark.parametrize("name", MODELS)
def test_lmbda_is_alpha_by_the_batch_and_momentum_is_theirs_without_nesterov(name):
    kind, cost, n_out = MODELS[name]
    net = (fnn.Dense(4), fnn.Tanh(), fnn.Dense(n_out))
    with jax.enable_x64(True):
        params, (x, y) = draw_params(net, 0, (3,)), draw(1, (15, 3), (15, n_out))
        targets = np.asarray(y)
        if kind is networks.MLPClassifier:
            targets = np.arange(15) % max(n_out, 2)
            y = np.eye(n_out)[targets] if n_out > 1 else targets[:, None].astype(float)
        sgd = fnn.SGD(eta=ETA, mu=MU, lmbda=ALPHA / B)
        ours, v = params, sgd.init(params)
        step = jax.jit(fnn.step, static_argnames="gradient")
        for first in range(0, 15, B):
            ours, v = step(net, cost, sgd, ours, v, x[first : first + B], y[first : first + B], fnn.backprop)
        expected = theirs(kind, params, np.asarray(x), np.asarray(y), targets)
    for p, (W, b) in zip([p for p in ours if p], expected, strict=True):
        np.testing.assert_allclose(p.W, W, rtol=1e-10, atol=1e-12)
        np.testing.assert_allclose(p.b, b, rtol=1e-10, atol=1e-12)
