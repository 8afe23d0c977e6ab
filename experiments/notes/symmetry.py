"""Starts: hidden units that begin equal stay equal, and those with large weights begin saturated.

python -m experiments.notes.symmetry [FOLDER]      30 s, pictures into FOLDER (runs/symmetry); needs MNIST
"""

from functools import cache

import jax
import jax.numpy as jnp
import numpy as np

import fnn
from experiments.notes.findings import Finding, judged, main
from experiments.notes.seeds import SEEDS, accuracies, grid, starts
from fnn import CrossEntropy, Dense, Normal, ReLU, ScaledNormal, Sigmoid, Tanh, Zeros
from fnn.plots import curves, room

UPDATES, EPOCHS = 60, 15


def net(activation, start):
    """[4, 5, 3] with this start for all weights and biases."""
    return (Dense(5, start, start), activation, Dense(3, start, start))


def data():
    """Twenty examples."""
    rng = np.random.default_rng(0)
    return jnp.asarray(rng.standard_normal((20, 4))), jnp.asarray(np.eye(3)[rng.integers(0, 3, 20)])


def constant(p, value):
    """The params p with every number this value."""
    return jax.tree.map(lambda leaf: jnp.full_like(leaf, value), p)


def trained(activation, start, value=None):
    """The params after each update, in float64; `value` replaces every number of the start."""
    with jax.enable_x64(True):
        layers, (x, y) = net(activation, start), data()
        p = fnn.init(layers, jax.random.key(0), (4,))
        p = p if value is None else constant(p, value)

        def on(p, _):
            p, _ = fnn.SGD(0.5).update(p, (), fnn.backprop(layers, CrossEntropy(), p, x, y)[1])
            return p, p

        return jax.tree.map(np.asarray, jax.jit(lambda p: jax.lax.scan(on, p, None, length=UPDATES)[1])(p))


def spread(history):
    """How far the rows of the hidden weights are apart, after each update."""
    W = history[0].W
    return abs(W - W[:, :1]).max(axis=(1, 2))


@cache
def images():
    """1,000 images of MNIST to learn from, 1,000 to choose by."""
    return fnn.load_data("mnist", train=1000, validation=1000)


@cache
def random_start(initializer):
    """For [784, 30, 10]: the hidden z of the images at the start, and validation accuracies in %, `(SEEDS, epochs)`."""
    layers = (Dense(30, initializer), Sigmoid(), Dense(10, initializer))
    x, _ = images().train.rows(slice(None))
    z = np.asarray(jax.jit(jax.vmap(lambda p: fnn.forward(layers[:1], p[:1], x)))(starts(layers, (784,))))
    results = grid(layers, CrossEntropy(), fnn.SGD(0.5), images(), epochs=EPOCHS)
    return z, accuracies(results)[0]


def saturated(z):
    """The share of units with less than a tenth of the sigmoid's greatest slope."""
    a = 1 / (1 + np.exp(-z))
    return np.mean(a * (1 - a) < 0.025)


def equal_starts():
    """The start must be random and small, since hidden units that begin equal stay equal (001-20)."""
    apart = [
        spread(trained(*s)).max() for s in ((Sigmoid(), Zeros()), (Sigmoid(), Zeros(), 0.3), (Tanh(), Zeros(), 0.3))
    ]
    ranks = [np.linalg.matrix_rank(trained(Sigmoid(), start)[0].W[-1], tol=1e-9) for start in (Zeros(), Normal(0.5))]
    still = []
    for activation in (Tanh(), ReLU()):
        history = trained(activation, Zeros())
        still.append(max(abs(history[0].W).max(), abs(history[2].W).max(), abs(history[0].b).max()))
    moved = abs(trained(Tanh(), Zeros())[2].b[-1]).max()
    with jax.enable_x64(True):
        layers, (x, _) = net(Sigmoid(), Normal(0.5)), data()
        p = fnn.init(layers, jax.random.key(0), (4,))
        order = np.array([3, 0, 4, 1, 2])
        mixed = (p[0]._replace(W=p[0].W[order], b=p[0].b[order]), (), p[2]._replace(W=p[2].W[:, order]))
        same = float(abs(fnn.forward(layers, p, x) - fnn.forward(layers, mixed, x)).max())
    small, large = (random_start(initializer) for initializer in (ScaledNormal(), Normal(1.0)))
    shares, after = [saturated(z) for z, _ in (small, large)], [curve[:, -1].mean() for _, curve in (small, large)]
    return Finding(
        "001-20",
        "The start must be random, since hidden units that begin equal move identically for ever, and small.",
        f"{UPDATES} updates from zeros or one constant: rows at most {max(apart):.0e} apart, rank of W1 {ranks[0]} "
        f"(random start {ranks[1]}); from zeros tanh and ReLU nets do not move at all ({max(still):g}) but for the "
        f"output bias ({moved:.2f}); exchanging hidden units changes outputs by {same:.0e}; weights of sd 1 saturate "
        f"{shares[1]:.0%} of the hidden units of [784,30,10], of sd 1/√n {shares[0]:.0%}: {after[1]:.1f} and "
        f"{after[0]:.1f} % of unseen images right after {EPOCHS} epochs on 1,000",
        "0 but for rounding, which grows slowly; rank at most 1, against 4; 0; a large start ends lower",
        judged(
            max(apart) < 1e-9
            and ranks == [1, 4]
            and max(still) == 0
            and moved > 0.01
            and same < 1e-13
            and shares[0] < shares[1]
            and after[0] > after[1]
        ),
    )


CLAIMS = (equal_starts,)


def pictures(folder):
    """The hidden units' first weight during training, from three starts; what a large start does."""
    starts = (("all zeros", Zeros(), None), ("all 0.3", Zeros(), 0.3), ("random, sd 0.5", Normal(0.5), None))
    title = "Five hidden units that start equal stay one unit; a random start makes them five"
    with room.picture(folder / "symmetry.png", title) as fig:
        for axes, (name, start, value) in zip(fig.subplots(1, 3, sharex=True, sharey=True), starts, strict=True):
            W = trained(Sigmoid(), start, value)[0].W[:, :, 0]
            lines = 1 if np.ptp(W, axis=1).max() < 1e-9 else 5
            for unit in range(lines):
                style = {"ls": curves.DASHES[unit % 4], "color": curves.PALETTE[unit]}
                axes.plot(np.arange(1, UPDATES + 1), W[:, unit], **style)
                label = "all five" if lines == 1 else f"unit {unit + 1}"
                axes.annotate(label, (UPDATES, W[-1, unit]), xytext=(6, 0), textcoords="offset points", va="center")
            axes.set(xlabel="update", title=name, xlim=(0, 95), xticks=(0, 20, 40, 60))
            axes.grid()
        fig.axes[0].set_ylabel("weight from input 1")

    title = "A start that is too large: units begin saturated, and the net stays behind"
    with room.picture(folder / "large_start.png", title, height=8) as fig:
        left, right = fig.subplots(1, 2)
        for i, (name, initializer) in enumerate((("sd 1/√n", ScaledNormal()), ("sd 1", Normal(1.0)))):
            z, accuracies = random_start(initializer)
            style = {"ls": curves.DASHES[i], "color": curves.PALETTE[i]}
            heights, edges = np.histogram(z, np.linspace(-30, 30, 121), density=True)
            left.plot((edges[1:] + edges[:-1]) / 2, heights, label=f"{name}: {saturated(z):.0%} saturated", **style)
            low, middle, high = np.percentile(accuracies, (5, 50, 95), axis=0)
            right.plot(np.arange(1, EPOCHS + 1), middle, label=name, **style)
            right.fill_between(np.arange(1, EPOCHS + 1), low, high, color=curves.PALETTE[i], alpha=0.15, lw=0)
        left.axvspan(-3.66, 3.66, color="0.92")
        left.set(xlabel="weighted input z of a hidden unit at the start", ylabel="density", ylim=(0, 0.65))
        left.set_title("Outside the grey σ′ is below a tenth of its peak")
        right.set(xlabel="epoch", ylabel="validation accuracy (%)", title=f"Median and 5-95 % of {SEEDS} seeds")
        for axes in (left, right):
            axes.grid()
            axes.legend(loc="lower right" if axes is right else "upper center")
    return "symmetry.png", "large_start.png"


if __name__ == "__main__":
    main(CLAIMS, pictures)
