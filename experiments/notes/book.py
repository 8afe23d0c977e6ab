"""The book behind the notes: where to find its chapters here, and what its symbols mean.

python -m experiments.notes.book [FOLDER]      5 s, no pictures
"""

import importlib.util
import pathlib

import jax
import jax.numpy as jnp
import numpy as np

import fnn
from experiments.notes.findings import Finding, judged, listed, main
from fnn import CrossEntropy, Dense, Identity, Quadratic
from fnn.config.reading import load_config
from fnn.layers import DenseParams

CONFIGS = pathlib.Path(__file__).parents[2] / "configs" / "nielsen"
CHAPTERS = {  # of M. A. Nielsen, Neural Networks and Deep Learning (2015)
    "1, recognising digits": ("ch1_30.toml", "ch1_100.toml", "perceptrons.py", "descent.py"),
    "2, backpropagation": ("backpropagation.py", "chain_rule.py"),
    "3, learning better": ("ch3_cross_entropy_30.toml", "ch3_regularised_100.toml", "learning_slowdown.py"),
    "4, approximation": ("approximation.py",),
    "5, vanishing gradients": ("vanishing_gradients.py", "depth.py"),
    "6, deep learning": ("ch6_conv1.toml", "ch6_relu.toml", "features.py"),
}


def usable(name):
    """Whether a config's net takes the images of MNIST and gives its cost ten outputs, or an experiment is there."""
    if name.endswith(".py"):
        return importlib.util.find_spec(f"experiments.notes.{name.removesuffix('.py')}") is not None
    config = load_config(CONFIGS / name)
    shape = config.data.shape or (784,)
    return fnn.shape_out(config.network.layers, shape) == (10,)


def chapters():
    """The notes follow a book of six chapters, and each chapter has configs or experiments here (003-01)."""
    missing = [name for names in CHAPTERS.values() for name in names if not usable(name)]
    counts = ", ".join(f"{title}: {len(names)}" for title, names in CHAPTERS.items())
    return Finding(
        "003-01",
        "The slides follow a book of six chapters, which can be followed here too.",
        f"configs and experiments for chapter {counts}; missing or not fitting MNIST: {len(missing)}",
        "six chapters, none without; 0",
        judged(len(CHAPTERS) == 6 and all(CHAPTERS.values()) and not missing),
    )


def slope_of_the_mean(rows, w):
    """The slope of the mean over examples of the squared output, which is twice the quadratic cost, for targets 0."""
    with jax.enable_x64(True):
        p, x = (DenseParams(jnp.asarray(w)[None, :], jnp.zeros(1)),), jnp.asarray(rows)
        _, gradient = fnn.backprop((Dense(1),), Quadratic(Identity()), p, x, jnp.zeros((len(rows), 1)))
        return 2 * np.asarray(gradient[0].W)[0]


def one_symbol_for_several_things():
    """The notes use one symbol for several things, such as ε for the learning rate and the residual (004-17)."""
    with jax.enable_x64(True):
        net, p = (Dense(1),), (DenseParams(jnp.array([[0.5, -0.25]]), jnp.array([0.2])),)
        x, y = jnp.array([[1.0, 2]]), jnp.ones((1, 1))
        before, gradient = fnn.backprop(net, CrossEntropy(), p, x, y)
        residual = float(fnn.predict(net, CrossEntropy(), p, x)[0, 0] - y[0, 0])
        after = [
            float(CrossEntropy().value(fnn.forward(net, fnn.SGD(e).update(p, (), gradient)[0], x), y))
            for e in (0.1, residual)
        ]
    rows, w = np.array([[1.0, 2, 3], [0, 1, 1]]), np.ones(3)  # two examples of three features
    slopes = [-2 / n * rows.T @ (np.zeros(2) - rows @ w) for n in rows.shape]
    true = slope_of_the_mean(rows, w)
    return Finding(
        "004-17",
        "The notes use one symbol for several things: ε is the learning rate and the residual, n counts features and "
        "examples.",
        f"a step of the neuron with loss {float(before):.4f}: with ε = 0.1, the rate, to {after[0]:.4f}, with ε = "
        f"{residual:.4f}, the residual, to {after[1]:.4f}; 2/n of two examples of three features: slopes "
        f"{listed(slopes[0])} with n for examples, {listed(slopes[1])} for features; "
        f"backprop: {listed(true)}",
        "0.5981; down to 0.4855, or up; only the first is the slope of the mean. Here eta is the rate, delta the "
        "error, n the number of examples, everywhere",
        judged(after[0] < float(before) < after[1] and [np.allclose(s, true) for s in slopes] == [True, False]),
    )


CLAIMS = (chapters, one_symbol_for_several_things)


def pictures(folder):
    """None."""
    return ()


if __name__ == "__main__":
    main(CLAIMS, pictures)
