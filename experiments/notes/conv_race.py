"""Which activation to use in a convolutional net, the advice of one slide: a race of small ones on the digits.

    python -m experiments.notes.conv_race [FOLDER]      100 s, a picture into FOLDER (runs/conv_race)

Each net has 4 filters of 3x3, max-pooling, 24 hidden units and softmax outputs; the activation stands after the filters
and after the hidden units. Starts and the choice of rates are those of `activation_race`.
"""

from functools import cache

import jax.numpy as jnp
import numpy as np

import fnn
from experiments.notes.activation_race import RATES as DEADLY
from experiments.notes.activation_race import dead_by_rate, range_of
from experiments.notes.findings import Finding, judged, listed, main
from experiments.notes.seeds import SEEDS, accuracies, grid, interval, of, said, scores
from fnn import (
    SGD,
    Conv,
    Dense,
    Flatten,
    He,
    LeakyReLU,
    LogLikelihood,
    Maxout,
    MaxPool,
    ReLU,
    ScaledNormal,
    Sigmoid,
    Tanh,
    Zeros,
)
from fnn.plots import curves, room

ETAS, EPOCHS, COST = (0.03, 0.1, 0.3, 1.0, 3.0), 20, LogLikelihood()


def net(start, *between, hidden=None):
    """Filters, pooling, hidden units, ten outputs."""
    hidden = (Dense(24, start, Zeros()), *between) if hidden is None else (hidden,)
    return (Conv(4, 3, start, Zeros()), *between, MaxPool(2), Flatten(), *hidden, Dense(10, start, Zeros()))


NETS = {
    "sigmoid": net(ScaledNormal(), Sigmoid()),
    "tanh": net(ScaledNormal(), Tanh()),
    "ReLU": net(He(), ReLU()),
    "leaky ReLU": net(He(), LeakyReLU(0.01)),
    "maxout": net(ScaledNormal(), hidden=Maxout(24, 2, ScaledNormal(), Zeros())),  # the pool is a maxout of its filter
}


@cache
def digits():
    """400 to learn from, 500 to choose by, 897 to report on, as images."""
    data = fnn.load_data("digits", train=400, validation=500, test=897)
    parts = ("train", "validation", "test")
    return data._replace(**{p: getattr(data, p)._replace(x=getattr(data, p).x.reshape(-1, 1, 8, 8)) for p in parts})


@cache
def raced(name):
    """The best rate by its last validation accuracy, and the test accuracies in % with it, `(SEEDS,)`."""
    results = grid(NETS[name], COST, SGD(jnp.array(ETAS)), digits(), epochs=EPOCHS, batch_size=10)
    best = int(accuracies(results)[..., -1].mean(axis=1).argmax())
    return ETAS[best], scores(NETS[name], COST, of(results, best), digits().test)[1]


def advice():
    """Use ReLU, try leaky ReLU and maxout, expect less of tanh, and do not use the sigmoid (001-12)."""
    found = {name: raced(name)[1] for name in NETS}
    order = sorted(found, key=lambda name: -found[name].mean())
    table = ", ".join(f"{name} {found[name].mean():.2f} ± {found[name].std(ddof=1):.2f}" for name in order)
    shares = dead_by_rate()[0]
    few, *_, many = range_of(shares)[0]
    above = {name: found[name] - found["sigmoid"] for name in order[::-1] if name != "sigmoid"}
    ahead = found["ReLU"] - found["tanh"]
    last = all(interval(gap)[1] > 0 for gap in above.values())
    return Finding(
        "001-12",
        "In convolutional nets: use ReLU and watch the learning rate and the dead units; try leaky ReLU and maxout; "
        "expect less of tanh; leave the sigmoid. (The slide adds that all this can be overturned.)",
        f"small convolutional nets, test accuracy, mean ± sd of {SEEDS} seeds, each at its best of {len(ETAS)} rates: "
        f"{table}; minus the sigmoid, paired: {', '.join(f'{name} {said(gap)}' for name, gap in above.items())}; ReLU "
        f"minus tanh {said(ahead)}; dead units of the dense nets of activation_race for η = {listed(DEADLY)}: "
        f"{listed(100 * range_of(shares)[0], 3)} % of the nets that did not diverge "
        f"({', '.join(map(str, np.isfinite(shares).sum(axis=1)))} of {SEEDS})",
        "the sigmoid last and tanh behind ReLU, by intervals above 0; more dead units at larger rates",
        judged(last and interval(ahead)[1] > 0 and many > few),
    )


CLAIMS = (advice,)


def pictures(folder):
    """The test accuracy of every seed."""
    title = "Small convolutional nets do not follow the advice: tanh is not behind ReLU"
    with room.picture(folder / "conv_race.png", title) as fig:
        axes = fig.subplots()
        for i, name in enumerate(NETS):
            eta, found = raced(name)
            axes.plot(found, np.full(SEEDS, -i), "o", color=curves.PALETTE[i], alpha=0.6, ms=12)
            axes.plot(found.mean(), -i, "|", color="black", ms=34, mew=3)
        axes.set_yticks(-np.arange(len(NETS)), [f"{name}, η = {raced(name)[0]:g}" for name in NETS])
        axes.set(xlabel="test accuracy (%): each seed, and the mean (line)", ylim=(0.5 - len(NETS), 0.5))
        axes.grid()
    return ("conv_race.png",)


if __name__ == "__main__":
    main(CLAIMS, pictures)
