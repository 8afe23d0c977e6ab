"""How deep a net can be and still learn within a budget: sigmoid nets by hand, ReLU nets of a hundred layers.

    python experiments/depth.py [FOLDER]      90 s, a picture into FOLDER (runs/depth)

Hidden layers of 32 on the embedded digits, softmax outputs, ten epochs, biases 0, each depth at its best of three
rates by validation accuracy. W ~ N(0, 1/n_in) for the sigmoid; for ReLU N(0, 2/n_in), which keeps the size of signals
and errors from layer to layer on average.
"""

from functools import cache

import jax
import jax.numpy as jnp
import numpy as np
from findings import Finding, judged, listed, main
from seeds import accuracies, grid, starts

import fnn
from fnn import SGD, Dense, He, LogLikelihood, ReLU, ScaledNormal, Sigmoid, plots

COST, EPOCHS, SEEDS = LogLikelihood(), 10, 3
DEPTHS, DEEPEST = (1, 2, 3, 5, 10, 20), 100
SIGMOID = (Dense(32, ScaledNormal(), fnn.Zeros()), Sigmoid()), jnp.array([0.3, 1.0, 3.0])
RELU = (Dense(32, He(), fnn.Zeros()), ReLU()), jnp.array([0.03, 0.1, 0.3])
LEARNED = 80.0  # % of validation digits


def deep(pair, depth):
    """So many hidden layers and ten outputs."""
    return pair * depth + (Dense(10, ScaledNormal(), fnn.Zeros()),)


@cache
def digits():
    """1,000 to learn from, 400 to choose by."""
    return fnn.load_data("digits", train=1000, validation=400)


@cache
def reached(relu, depth):
    """Validation accuracy in % at the best rate, `(SEEDS,)`."""
    pair, etas = RELU if relu else SIGMOID
    etas = etas / 30 if depth == DEEPEST else etas
    every = grid(deep(pair, depth), COST, SGD(etas), digits(), epochs=EPOCHS, batch_size=20, seeds=SEEDS)
    found = accuracies(every, SEEDS)[..., -1]
    return found[found.mean(axis=1).argmax()]


@cache
def norms(relu, depth):
    """‖∂C/∂W‖ of every hidden layer at the start, median of the seeds, first to last."""
    net, (x, y) = deep((RELU if relu else SIGMOID)[0], depth), digits().train.rows(slice(None))

    def of(params):
        _, gradient = fnn.backprop(net, COST, params, x, y)
        return jnp.stack([jnp.linalg.norm(layer.W) for layer in gradient[:-1:2]])

    return np.median(jax.jit(lambda p: jax.lax.map(of, p))(starts(net, (64,), SEEDS)), axis=0)


def how_deep():
    """002-13."""
    by_sigmoid, by_relu = (np.array([reached(relu, d).mean() for d in DEPTHS]) for relu in (False, True))
    hundred = reached(True, DEEPEST)
    learn = [d for d, accuracy in zip(DEPTHS, by_sigmoid, strict=True) if accuracy > LEARNED]
    return Finding(
        "002-13",
        "Deep means many layers: up to about ten by hand, a hundred by force.",
        f"validation accuracy with {listed(DEPTHS)} hidden layers: sigmoid {listed(by_sigmoid, 3)} %, ReLU started to "
        f"keep the size of signals {listed(by_relu, 3)} %; ReLU with {DEEPEST} layers {listed(hundred, 3)} % for three "
        f"seeds. Sigmoid nets learn with up to {max(learn)}",
        "sigmoid nets stop learning at some depth in between, the others do not; depth by itself gains nothing here "
        "(nor in the book: 96.48, 96.90, 96.57, 96.53 % for 1 to 4 layers)",
        judged(by_sigmoid[-1] < LEARNED < by_sigmoid[0] and by_relu.min() > LEARNED and hundred.max() > LEARNED),
    )


CLAIMS = (how_deep,)


def pictures(folder):
    """Accuracy against depth; the profile of the gradient at 20 layers."""
    fig = plots.figure(9.8, 4.0)
    left, right = fig.subplots(1, 2)
    for i, (relu, name) in enumerate(((False, "sigmoid"), (True, "ReLU"))):
        style = {"ls": plots.DASHES[i], "marker": "os"[i], "color": plots.PALETTE[i], "lw": 1.6, "ms": 5}
        depths = (*DEPTHS, DEEPEST) if relu else DEPTHS
        every = np.array([reached(relu, d) for d in depths])
        left.plot(depths, every.mean(axis=1), label=name, **style)
        left.fill_between(depths, every.min(axis=1), every.max(axis=1), color=plots.PALETTE[i], alpha=0.15, lw=0)
        right.plot(np.arange(1, 21), norms(relu, 20), label=name, **style)
    left.axhline(10, color="black", ls=":", lw=1)
    left.text(DEEPEST, 11.5, "guessing", ha="right")
    left.set(xscale="log", xlabel="hidden layers", ylabel="validation accuracy (%)", ylim=(0, 100),
             title=f"after {EPOCHS} epochs: mean and range of {SEEDS} seeds")  # fmt: skip
    left.set_xticks((*DEPTHS, DEEPEST), [str(d) for d in (*DEPTHS, DEEPEST)])
    left.minorticks_off()
    right.set(yscale="log", xlabel="hidden layer (1 is next to the input)", ylabel="‖∂C/∂W‖ at the start",
              title="20 hidden layers of 32")  # fmt: skip
    for axes in (left, right):
        axes.grid(alpha=0.3)
        axes.legend(frameon=False, loc="center right" if axes is right else "lower left")
    plots.write(fig, folder / "depth.png")
    return ("depth.png",)


if __name__ == "__main__":
    main(CLAIMS, pictures)
