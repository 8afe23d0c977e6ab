"""Vanishing gradients: how much the error shrinks from layer to layer on its way back through deep sigmoid nets.

    python -m experiments.notes.vanishing_gradients [FOLDER]      70 s, pictures into FOLDER (runs/vanishing_gradients)

This is Nielsen's measurement of ch. 5, here for 32 seeds: the norm of ∂C/∂b of each hidden layer of 30 at the random
start, for the cross-entropy, as the mean over the first 1,000 training images of MNIST (pixels/256). It needs MNIST.
"""

from functools import cache

import jax
import jax.numpy as jnp
import numpy as np

import fnn
from experiments.notes.findings import Finding, judged, listed, main
from fnn import CrossEntropy, Dense, He, LogLikelihood, Normal, ReLU, Sigmoid, Tanh, Zeros
from fnn.plots import curves, room

SEEDS = 32
BOOK = {
    2: (0.0657413, 0.309218),
    3: (0.0118382, 0.0599652, 0.283142),
    4: (0.00297527, 0.0170767, 0.0695392, 0.285139),
}


def deep(depth, activation, dense):
    """`depth` hidden layers of 30, and ten outputs."""
    return tuple(layer for _ in range(depth) for layer in (dense, activation)) + (Dense(10),)


@cache
def images():
    """The first 1,000 training images and their labels."""
    data = fnn.load_data("mnist", train=1000, scale=1 / 256)
    return tuple(map(jnp.asarray, data.train.rows(slice(None))))


@cache
def norms(depth, activation, dense, cost):
    """‖∂C/∂b‖ of every hidden layer, first to last, `(SEEDS, depth)`."""
    net, (x, y) = deep(depth, activation, dense), images()

    def of(key):
        _, gradient = fnn.backprop(net, cost, fnn.init(net, key, (784,)), x, y)
        return jnp.stack([jnp.linalg.norm(g.b) for g in gradient[:-1:2]])

    return np.asarray(jax.jit(lambda keys: jax.lax.map(of, keys))(jax.random.split(jax.random.key(0), SEEDS)))


@cache
def training(depth, updates=500, seeds=3):
    """The norms before each update of batch descent, η = 0.1 and λ = 5/1000, `(seeds, updates, depth)`."""
    net, (x, y), sgd = deep(depth, Sigmoid(), Dense(30)), images(), fnn.SGD(0.1, lmbda=0.005)

    def of(key):
        def on(p, _):
            _, gradient = fnn.backprop(net, CrossEntropy(), p, x, y)
            return sgd.update(p, (), gradient)[0], jnp.stack([jnp.linalg.norm(g.b) for g in gradient[:-1:2]])

        return jax.lax.scan(on, fnn.init(net, key, (784,)), None, length=updates)[1]

    return np.asarray(jax.jit(lambda keys: jax.lax.map(of, keys))(jax.random.split(jax.random.key(0), seeds)))


@cache
def shared(seeds=8, count=100):
    """The norms at the start in eight sigmoid layers of 5 filters of 3 by 3, for 100 of the images, `(seeds, 8)`."""
    net, (x, y) = (fnn.Conv(5, 3), Sigmoid()) * 8 + (fnn.Flatten(), Dense(10)), images()

    def of(key):
        p = fnn.init(net, key, (1, 28, 28))
        _, gradient = fnn.backprop(net, LogLikelihood(), p, x[:count].reshape(-1, 1, 28, 28), y[:count])
        return jnp.stack([jnp.linalg.norm(g.b) for g in gradient[:-2:2]])

    return np.asarray(jax.jit(lambda keys: jax.lax.map(of, keys))(jax.random.split(jax.random.key(0), seeds)))


def formula():
    """How far the notes' formula by elements is from `deltas` and from `autodiff`, in a net of 3 hidden layers."""
    net, (x, y) = deep(3, Sigmoid(), Dense(30)), images()
    with jax.enable_x64(True):
        template = jax.eval_shape(lambda key: fnn.init(net, key, (784,)), jax.random.key(0))
        rng = np.random.default_rng(0)
        p = jax.tree.map(lambda leaf: jnp.asarray(rng.standard_normal(leaf.shape) / leaf.shape[-1] ** 0.5), template)
        x, y = jnp.asarray(x[:3], float), jnp.asarray(y[:3], float)
        deltas = [np.asarray(d) for d in fnn.deltas(net, CrossEntropy(), p, x, y)]
        _, auto = jax.jit(fnn.autodiff)(net, CrossEntropy(), p, x, y)
        z = [np.asarray(a) for a in fnn.activations(net, p, x)]
    worst = 0.0
    for k in (0, 2, 4):  # layer k is affine, k + 1 the sigmoid, k + 2 affine again
        slope = np.exp(-z[k + 1]) / (1 + np.exp(-z[k + 1])) ** 2
        by_hand = (deltas[k + 2] @ np.asarray(p[k + 2].W)) * slope
        worst = max(worst, abs(by_hand - deltas[k]).max(), abs(by_hand.sum(axis=0) - np.asarray(auto[k].b)).max())
    return worst


def widest():
    """The widest interval of inputs with |w σ′(w a + b)| ≥ 1, and the weight that has it."""
    w = np.linspace(4.0001, 30, 200_001)
    width = 2 / w * np.log(w * (1 + np.sqrt(1 - 4 / w)) / 2 - 1)
    return width.max(), w[width.argmax()]


def vanishing():
    """Early layers of deep sigmoid nets learn slowly: each step back multiplies the error by w σ′ (002-14)."""
    inside, ratios, ours = 0, [], []
    for depth, book in BOOK.items():
        found = norms(depth, Sigmoid(), Dense(30), CrossEntropy())
        low, middle, high = np.percentile(found, (5, 50, 95), axis=0)
        inside += int(((low <= book) & (book <= high)).sum())
        ratios += list(middle[1:] / middle[:-1])
        ours.append(listed(middle, 2))
    apart, (width, weight) = formula(), widest()
    later = [training(depth)[:, -1] for depth in BOOK]
    spread = [np.median(norm[:, -1] / norm[:, 0]) for norm in later]
    return Finding(
        "002-14",
        "Early layers of deep sigmoid nets learn slowly, intrinsically: each step back multiplies the error by w σ′.",
        f"formula and automatic {apart:.0e} apart; norms at the start, median of {SEEDS} seeds: {'; '.join(ours)}, "
        f"growing by {min(ratios):.1f} to {max(ratios):.1f} per layer; {inside} of the book's 9 lie within our 5-95 %; "
        f"after 499 updates the last layer's is {listed(spread, 3)} times the first's (median of 3 seeds); |wσ′| can "
        f"reach 1 on an interval of at most {width:.5f} (w = {weight:.3f})",
        ".066 .309; .012 .060 .283; .003 .017 .070 .285 in the book's single runs, after 499 updates 2.80, "
        "14.7, 112.6; 0.44774 at 6.894",
        judged(
            apart < 1e-12
            and min(ratios) > 2
            and inside >= 7
            and abs(width - 0.447743204694) < 1e-8
            and 1 < spread[0] < spread[1] < spread[2]
        ),
    )


CLAIMS = (vanishing,)


def pictures(folder):
    """The norm of each hidden layer's error for 2 to 4 hidden layers, for other activations, and during training."""
    draw_starts(folder / "vanishing.png")
    message = "The deeper the net, the slower its early layers, during training too"
    with room.picture(folder / "during_training.png", message) as fig:
        for axes, depth in zip(fig.subplots(1, 3, sharey=True), BOOK, strict=True):
            for layer in range(depth):
                style = {"ls": curves.DASHES[layer], "color": curves.PALETTE[layer], "lw": 2}
                axes.plot(training(depth)[0, :, layer], label=f"layer {layer + 1}", **style)
            axes.set(yscale="log", xlabel="update", title=f"{depth} hidden layers", ylim=(3e-6, 3))
            axes.grid()
            axes.legend(loc="upper right")
        fig.axes[0].set_ylabel("‖∂C/∂b‖ of a layer, one seed")
    return "vanishing.png", "during_training.png"


def draw_starts(path):
    """The norms at the start."""
    others = (
        ("sigmoid", Sigmoid(), Dense(30)),
        ("tanh", Tanh(), Dense(30, bias_initializer=Zeros())),
        ("ReLU, He", ReLU(), Dense(30, He(), Zeros())),
        ("ReLU, sd 0.1", ReLU(), Dense(30, Normal(0.1), Zeros())),
    )
    with room.picture(path, "Sigmoids let the gradient vanish from layer to layer") as fig:
        left, right = fig.subplots(1, 2)
        for i, (depth, book) in enumerate(BOOK.items()):
            layers = np.arange(1, depth + 1)
            _band(left, layers, norms(depth, Sigmoid(), Dense(30), CrossEntropy()), i, f"{depth} hidden layers")
            left.plot(layers, book, "os^"[i], color="black", mfc="white", ms=12, label="" if i else "the book's run")
        left.set(xticks=range(1, 5), title="sigmoids: a fifth from layer to layer")
        for i, (name, activation, dense) in enumerate(others):
            _band(right, np.arange(1, 9), norms(8, activation, dense, LogLikelihood()), i, name)
        _band(right, np.arange(1, 9), shared(), 4, "sigmoid, filters")
        right.set(ylim=(1e-12, 2), title="8 hidden layers: shared filters do not cure it")
        for axes in (left, right):
            axes.set(yscale="log", xlabel="hidden layer (1 is next to the input)", ylabel="‖∂C/∂b‖ at the start")
            axes.grid()
            axes.legend(loc="lower right")


def _band(axes, layers, found, i, name):
    """A median and its 5-95 % band."""
    low, middle, high = np.percentile(found, (5, 50, 95), axis=0)
    axes.plot(
        layers,
        middle,
        curves.DASHES[i % 4] + "vos^D"[i],
        color=curves.PALETTE[i],
        label=name,
    )
    axes.fill_between(layers, low, high, color=curves.PALETTE[i], alpha=0.15, lw=0)


if __name__ == "__main__":
    main(CLAIMS, pictures)
