"""How deep a net can be and still learn within a budget, from a few layers to a hundred.

    python -m experiments.notes.depth [FOLDER]      130 s, a picture into FOLDER (runs/depth)

The data are the embedded digits, the nets have hidden layers of 32 and softmax outputs, and are trained for ten epochs.
Each depth has the best of three rates by validation accuracy. The biases start at 0. For the sigmoid W ~ N(0, 1/n_in).
For ReLU W ~ N(0, 2/n_in), which on average keeps the size of signals and errors from layer to layer. For tanh W is
orthogonal, which keeps it in every direction (tanh itself does not keep it).
"""

from functools import cache

import jax
import jax.numpy as jnp
import numpy as np

import fnn
from experiments.notes.findings import Finding, judged, listed, main
from experiments.notes.seeds import accuracies, grid, starts
from fnn import SGD, Dense, He, Layer, LogLikelihood, ReLU, ScaledNormal, Sigmoid, Tanh, Zeros
from fnn.plots import curves, room

COST, EPOCHS, SEEDS = LogLikelihood(), 10, 3
DEPTHS = {"sigmoid": (1, 2, 4, 8, 20), "ReLU": (1, 4, 16, 100), "tanh, orthogonal": (1, 4, 16, 100)}
LEARNED = 80.0  # % of validation digits
LONGER = 4 * EPOCHS


@fnn.static
class Stack:
    """`depth` affine layers of one width with activations, as one scan: a hundred compile as fast as two."""

    dense: Dense
    activation: Layer
    depth: int

    def init(self, key, shape):
        """Params with the layers as first axis."""
        return jax.vmap(lambda k: self.dense.init(k, shape)[0])(jax.random.split(key, self.depth)), shape

    def through(self, a, params):
        """The activations after one layer, and those before it."""
        return self.activation.forward((), self.dense.forward(params, a)), a

    def forward(self, params, a):
        """One layer after the other."""
        return jax.lax.scan(self.through, a, params)[0]

    def backward(self, params, a, delta):
        """The same in reverse, from the inputs of every layer."""

        def back(delta, layer):
            p, a = layer
            _, delta = self.activation.backward((), self.dense.forward(p, a), delta)
            nabla, delta = self.dense.backward(p, a, delta)
            return delta, nabla

        _, inputs = jax.lax.scan(self.through, a, params)
        delta, nabla = jax.lax.scan(back, delta, (params, inputs), reverse=True)
        return nabla, delta


@fnn.static
class Orthogonal:
    """A random rotation; for square weights."""

    def draw(self, key, shape, n_in, n_out):
        """`W` with `W Wᵀ = 1`."""
        return jax.random.orthogonal(key, n_in)


KINDS = {
    "sigmoid": (Dense(32, ScaledNormal(), Zeros()), Sigmoid()),
    "ReLU": (Dense(32, He(), Zeros()), ReLU()),
    "tanh, orthogonal": (Dense(32, Orthogonal(), Zeros()), Tanh()),
}


def deep(name, depth):
    """`depth` hidden layers of 32, and ten outputs. The first layer has 64 inputs, so that it cannot be a rotation."""
    dense, activation = KINDS[name]
    first = dense if name != "tanh, orthogonal" else Dense(32, ScaledNormal(), Zeros())
    rest = (Stack(dense, activation, depth - 1),) if depth > 1 else ()
    return first, activation, *rest, Dense(10, ScaledNormal(), Zeros())


@cache
def digits():
    """1,000 to learn from, 400 to choose by."""
    return fnn.load_data("digits", train=1000, validation=400)


@cache
def reached(name, depth):
    """Validation accuracy in % at the best rate, `(SEEDS,)`."""
    etas = jnp.array([0.3, 1.0, 3.0]) if name == "sigmoid" else jnp.array([0.003, 0.03, 0.3])
    every = grid(deep(name, depth), COST, SGD(etas), digits(), epochs=EPOCHS, batch_size=20, seeds=SEEDS)
    found = accuracies(every, SEEDS)[..., -1]
    return found[found.mean(axis=1).argmax()]


@cache
def in_the_end(name, depth, etas):
    """Validation accuracy in % after `LONGER` epochs at the best of these rates, mean of the seeds."""
    optimizer = SGD(jnp.array(etas))
    every = grid(deep(name, depth), COST, optimizer, digits(), epochs=LONGER, batch_size=20, seeds=SEEDS)
    return accuracies(every, SEEDS)[..., -1].mean(axis=1).max()


@cache
def norms(name, depth=20):
    """‖∂C/∂W‖ of every hidden layer but the first at the start, median of the seeds, from input to output."""
    net, (x, y) = deep(name, depth), digits().train.rows(slice(None))

    def of(params):
        return jnp.linalg.norm(fnn.backprop(net, COST, params, x, y)[1][2].W, axis=(1, 2))

    return np.median(jax.jit(jax.vmap(of))(starts(net, (64,), SEEDS)), axis=0)


def how_deep():
    """Deep means many layers: up to about ten by hand, more than a hundred by force (002-13)."""
    found = {name: {d: reached(name, d).mean() for d in depths} for name, depths in DEPTHS.items()}
    learn = [max((d for d, accuracy in each.items() if accuracy > LEARNED), default=0) for each in found.values()]
    sigmoids = in_the_end("sigmoid", 20, (0.3, 1.0, 3.0))
    rotated = in_the_end("tanh, orthogonal", 100, (0.003,))  # the best of the three rates after `EPOCHS` epochs
    said = "; ".join(f"{name} {listed(each)}: {listed(each.values(), 3)} %" for name, each in found.items())
    return Finding(
        "002-13",
        "Deep means many layers: up to about ten by hand, more than a hundred by force.",
        f"validation accuracy after {EPOCHS} epochs (500 updates) by the number of hidden layers: {said}; above "
        f"{LEARNED:g} % with up to {listed(learn)} layers; after {LONGER} epochs (2,000 updates) 20 of sigmoids "
        f"{sigmoids:.1f} %, 100 of orthogonal tanh {rotated:.1f} %",
        "few layers of sigmoids; a hundred, with more updates, where the start lets signals and errors through; depth "
        "by itself gains nothing here (nor in the book: 96.48, 96.90, 96.57, 96.53 % for 1 to 4 layers)",
        judged(learn[0] < 10 and sigmoids < LEARNED < rotated),
    )


CLAIMS = (how_deep,)


def pictures(folder):
    """Accuracy against depth; the profile of the gradient at 20 layers."""
    message = "A start that lets signals and errors through makes a hundred layers learn"
    with room.picture(folder / "depth.png", message) as fig:
        left, right = fig.subplots(1, 2)
        for i, (name, depths) in enumerate(DEPTHS.items()):
            style = {"ls": curves.DASHES[i], "marker": "os^"[i], "color": curves.PALETTE[i]}
            every = np.array([reached(name, d) for d in depths])
            left.plot(depths, every.mean(axis=1), label=name, **style)
            left.fill_between(depths, every.min(axis=1), every.max(axis=1), color=curves.PALETTE[i], alpha=0.15, lw=0)
            right.plot(np.arange(2, 21), norms(name), label=name, **style)
        left.axhline(10, color="black", ls=":", lw=1.5)
        left.text(1, 3, "guessing")
        left.set(xscale="log", xlabel="hidden layers of 32", ylabel="validation accuracy (%)", ylim=(0, 100))
        left.set_title(f"after {EPOCHS} epochs: mean and range of {SEEDS} seeds")
        ticks = (1, 2, 4, 8, 20, 100)
        left.set_xticks(ticks, [str(d) for d in ticks])
        left.minorticks_off()
        right.set(yscale="log", xlabel="hidden layer (1 is next to the input)", ylabel="‖∂C/∂W‖ at the start")
        right.set_title("20 hidden layers: the gradient on its way back")
        right.xaxis.get_major_locator().set_params(integer=True)
        for axes in (left, right):
            axes.grid()
        right.legend(loc="lower right")
    return ("depth.png",)


if __name__ == "__main__":
    main(CLAIMS, pictures)
