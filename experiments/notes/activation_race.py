"""Which activation to use: each is trained at its own best learning rate; and how a large rate kills ReLU units.

    python -m experiments.notes.activation_race [FOLDER]      90 s, pictures into FOLDER (runs/activation_race)

The data are the embedded digits, the nets have three hidden layers of 32, softmax outputs and no penalty. The start
suits the activation: the weights have standard deviation sqrt(2/n_in) for ReLU and leaky ReLU, 1/sqrt(n_in) for the
others; the biases are 0. Every activation is tried at the same rates. Validation digits choose one of them; the test
digits are used once, at that rate.
"""

from functools import cache

import jax
import jax.numpy as jnp
import numpy as np

import fnn
from experiments.notes.findings import Finding, corrected, main
from experiments.notes.seeds import SEEDS, accuracies, grid, interval, of, said, scores
from fnn import SGD, Dense, He, LeakyReLU, LogLikelihood, Maxout, ReLU, ScaledNormal, Sigmoid, Tanh, Zeros
from fnn.plots import curves, room

ETAS, EPOCHS, COST, AIM = (0.1, 0.3, 1.0, 3.0, 10.0), 30, LogLikelihood(), 95.0
RATES = (0.1, 0.3, 1.0, 2.0, 3.0)  # at which dead units are counted


def layers(start, *between):
    """Three hidden layers of 32 and ten outputs."""
    return tuple(layer for _ in range(3) for layer in (Dense(32, start, Zeros()), *between)) + (
        Dense(10, start, Zeros()),
    )


NETS = {
    "sigmoid": layers(ScaledNormal(), Sigmoid()),
    "tanh": layers(ScaledNormal(), Tanh()),
    "ReLU": layers(He(), ReLU()),
    "leaky ReLU": layers(He(), LeakyReLU(0.01)),
    "maxout": (*(Maxout(32, 2, ScaledNormal(), Zeros()),) * 3, Dense(10, ScaledNormal(), Zeros())),
}


@cache
def digits():
    """1,000 to learn from, 400 to choose by, 397 to report on."""
    return fnn.load_data("digits", train=1000, validation=400, test=397)


@cache
def raced(name):
    """The best rate by its last validation accuracy, the accuracies after each epoch with it, the nets."""
    results = grid(NETS[name], COST, SGD(jnp.array(ETAS)), digits(), epochs=EPOCHS, batch_size=20)
    found = accuracies(results)
    best = int(found[..., -1].mean(axis=1).argmax())
    return ETAS[best], found[best], of(results, best)


def epochs_to(curves):
    """The first epoch of each seed that reaches the aim, or `EPOCHS + 1` if none does."""
    reached = curves >= AIM
    return np.where(reached.any(axis=1), reached.argmax(axis=1) + 1, EPOCHS + 1)


def faster():
    """ReLU does not saturate and learns faster than the sigmoid, but not than tanh; some of its units die (001-09)."""
    reached = {name: epochs_to(raced(name)[1]) for name in NETS}
    share = dead(raced("ReLU")[2]).mean()
    ahead = {name: reached[name] - reached["ReLU"] for name in ("sigmoid", "tanh")}
    leaky = reached["tanh"] - reached["leaky ReLU"]
    rates = ", ".join(f"{name} {reached[name].mean():.1f} (η = {raced(name)[0]:g})" for name in NETS)
    return Finding(
        "001-09",
        "ReLU does not saturate and converges much faster than the sigmoid and tanh in practice, but some of its units "
        "never answer. Here faster than the sigmoid, not than tanh.",
        f"three hidden layers of 32, epochs to a validation accuracy of {AIM:g} %, mean of {SEEDS} seeds "
        f"({EPOCHS + 1}: never): {rates}; saved by ReLU, paired: over the sigmoid {said(ahead['sigmoid'], 'epochs')}, "
        f"over tanh {said(ahead['tanh'], 'epochs')}; by leaky ReLU over tanh {said(leaky, 'epochs')}; "
        f"{100 * share:.1f} % of the ReLU units are dead at the end",
        "intervals above 0 for the sigmoid and for tanh; some dead",
        corrected(
            interval(ahead["sigmoid"])[1] > 0 and interval(ahead["tanh"])[1] > 0,
            interval(ahead["sigmoid"])[1] > 0 and share > 0,
        ),
    )


@cache
def league():
    """Test accuracy in % of every activation at its best rate, `(SEEDS,)` each."""
    return {name: scores(net, COST, raced(name)[2], digits().test)[1] for name, net in NETS.items()}


def dead(params):
    """The share of hidden ReLU units of each network that answer 0 to all 1,000 training digits, `(networks,)`."""
    x, _ = digits().train.rows(slice(None))

    def share(p):
        outputs = fnn.activations(NETS["ReLU"], p, x)[2:-1:2]
        return jnp.mean(jnp.stack([(a == 0).all(axis=0) for a in outputs]))

    return np.asarray(jax.jit(jax.vmap(share))(params))


@cache
def dead_by_rate():
    """The share of dead units and the training accuracy in %, two of `(rates, SEEDS)`; nan for a net that diverged."""
    results = grid(NETS["ReLU"], COST, SGD(jnp.array(RATES)), digits(), epochs=10, batch_size=20, validate=False)
    fine = np.isfinite(results[-1].train.cost)  # units of nan are not dead
    found = dead(results[-1].params), 100 * np.asarray(results[-1].train.accuracy)
    return tuple(np.where(fine, values, np.nan).reshape(len(RATES), SEEDS) for values in found)


def range_of(values):
    """Mean, least and largest of every row without its nan; nan for a row of nan alone."""
    kept = np.ma.masked_invalid(values)
    return tuple(np.ma.filled(found(axis=1), np.nan) for found in (kept.mean, kept.min, kept.max))


CLAIMS = (faster,)


def pictures(folder):
    """Accuracy by epoch and at the end; dead units by learning rate."""
    epochs = np.arange(1, EPOCHS + 1)
    title = "Only the sigmoid is slow: three hidden layers of 32, every activation at its best rate"
    with room.picture(folder / "race.png", title, height=8) as fig:
        left, right = fig.subplots(1, 2, width_ratios=(3, 2))
        for i, name in enumerate(NETS):
            eta, accuracies, _ = raced(name)
            style = {"ls": curves.DASHES[i % 4], "color": curves.PALETTE[i], "marker": "ov^sD"[i]}
            median = np.median(accuracies, axis=0)
            left.plot(epochs, median, markevery=(2 + i, 6), label=f"{name}, η = {eta:g}", **style)
            right.plot(league()[name], np.full(SEEDS, -i), "o", color=curves.PALETTE[i], alpha=0.5)
            right.plot(league()[name].mean(), -i, "|", color="black", ms=26, mew=3)
        left.axhline(AIM, color="black", lw=1)
        left.set(ylim=(60, 100), xlabel="epoch", ylabel="validation accuracy (%)", title=f"Median of {SEEDS} seeds")
        left.legend(loc="lower right")
        right.set_yticks(-np.arange(len(NETS)), list(NETS))
        right.set(xlabel="test accuracy (%)", title="Each seed, and the mean (line)", ylim=(0.6 - len(NETS), 0.5))
        for axes in (left, right):
            axes.grid()

    shares, accuracy = dead_by_rate()
    with room.picture(folder / "dead_units.png", "Large steps kill ReLU units") as fig:
        axes = fig.subplots()
        for i, (values, name) in enumerate(((shares * 100, "dead ReLU units"), (accuracy, "training accuracy"))):
            mean, least, most = range_of(values)
            axes.plot(RATES, mean, curves.DASHES[i] + "os"[i], color=curves.PALETTE[i], label=name)
            axes.fill_between(RATES, least, most, color=curves.PALETTE[i], alpha=0.15, lw=0)
        axes.set(xscale="log", xlabel="learning rate η (10 epochs)", ylabel="share (%), without diverged nets")
        axes.set(ylim=(-3, 103), title=f"Mean and range of {SEEDS} seeds")
        axes.set_xticks(RATES, [f"{rate:g}" for rate in RATES])
        axes.minorticks_off()
        axes.grid()
        axes.legend(loc="center left")
    return "race.png", "dead_units.png"


if __name__ == "__main__":
    main(CLAIMS, pictures)
