"""Hyperparameters: what is set before training. Is the learning rate the most important one of them?

python -m experiments.notes.hyperparameters [FOLDER]      90 s, a picture into FOLDER; needs MNIST
"""

from functools import cache

import jax
import jax.numpy as jnp
import numpy as np

import fnn
from experiments.notes.descent import COST, NET, digits
from experiments.notes.findings import Finding, judged, listed, main
from experiments.notes.seeds import accuracies, grid
from fnn import SGD, Dense, Normal, Quadratic, Sigmoid
from fnn.plots import curves, room

RATES, FACTORS = (0.025, 0.25, 2.5), (0.01, 0.5, 0.98, 1.02)
SEEDS, EPOCHS = 3, 10
SPAN = (0.01, 0.1, 1.0, 10.0, 100.0)  # times the usual value, for every hyperparameter that has a scale
USUAL = {"η": 0.5, "hidden units": 30, "batch size": 10, "λ": 1e-4, "size of the start": 1.0}


def unit_at_its_limit():
    """2/λmax of a linear unit on the unit square; by which factor 2,000 steps at `FACTORS` of it change the cost."""
    rng = np.random.default_rng(0)
    x = rng.random((1000, 2))
    design = np.column_stack([x, np.ones(1000)])  # the design matrix: a row for each example, a 1 for the bias
    limit = 2 / np.linalg.eigvalsh(design.T @ design / 1000).max()
    with jax.enable_x64(True):
        net, cost, y = (Dense(1),), Quadratic(fnn.Identity()), jnp.asarray(x @ [[1.0], [-1.0]] + 0.5)
        p = (fnn.layers.DenseParams(jnp.asarray(rng.standard_normal((1, 2))), jnp.zeros(1)),)

        def ratio(eta):
            def on(p, _):
                value, gradient = fnn.backprop(net, cost, p, jnp.asarray(x), y)
                return SGD(eta).update(p, (), gradient)[0], value

            values = jax.lax.scan(on, p, None, length=2000)[1]
            return values[-1] / values[0]

        factors = np.array(FACTORS)
        ratios = np.asarray(jax.jit(jax.vmap(ratio))(jnp.asarray(factors * limit)))
    return limit, ratios


@cache
def by_rate():
    """The training cost of [784, 30, 10] after each of 12 epochs on 5,000 images, at the book's three rates."""
    data = fnn.load_data("mnist", train=5000)
    results = grid(NET, COST, SGD(jnp.array(RATES), lmbda=1e-4), data, epochs=12, seeds=1, validate=False)
    return np.stack([np.asarray(r.train.cost) for r in results], axis=1)


def scored(net, optimizer, batch_size=10):
    """Validation accuracy in % after `EPOCHS` epochs, mean of the seeds, for each of the optimisers."""
    every = grid(net, COST, optimizer, digits(), epochs=EPOCHS, batch_size=batch_size, seeds=SEEDS)
    return accuracies(every, SEEDS)[..., -1].mean(axis=1)


def sized(factor):
    """The net with weights that start `factor` times as large."""
    return Dense(30, Normal(factor / 8)), Sigmoid(), Dense(10, Normal(factor / 30**0.5))


@cache
def one_by_one():
    """For each hyperparameter its values and the accuracies in % with them, all others at their usual values."""
    span, usual = np.array(SPAN), SGD(USUAL["η"], lmbda=USUAL["λ"])
    values = {name: value * span for name, value in USUAL.items()}
    values["hidden units"] = np.array([1, 3, 30, 300])
    values["batch size"] = np.array([1, 3, 10, 100, 1000])
    return {
        "η": (values["η"], scored(NET, SGD(jnp.array(values["η"]), lmbda=1e-4))),
        "λ": (values["λ"], scored(NET, SGD(0.5, lmbda=jnp.array(values["λ"])))),
        "size of the start": (values["size of the start"], np.array([scored(sized(f), usual)[0] for f in SPAN])),
        "batch size": (
            values["batch size"],
            np.array([scored(NET, usual, int(size))[0] for size in values["batch size"]]),
        ),
        "hidden units": (
            values["hidden units"],
            np.array([scored((Dense(int(n)), Sigmoid(), Dense(10)), usual)[0] for n in values["hidden units"]]),
        ),
    }


def learning_rate():
    """The learning rate is the most important hyperparameter: slow if too small, diverging if too large (001-21)."""
    limit, ratios = unit_at_its_limit()
    values = by_rate()
    rises = [int((np.diff(row) > 0).sum()) for row in values]
    lost = losses()
    (first, most), *_ = ranked = sorted(lost.items(), key=lambda pair: -pair[1])
    near = {name: found[index(name) - 1 : index(name) + 2] for name, (_, found) in one_by_one().items()}
    both = [name for name, (low, usual, high) in near.items() if max(low, high) < usual - 5]
    return Finding(
        "001-21",
        "The learning rate is the most important hyperparameter in practice: too small is slow, too large diverges.",
        f"a linear unit on the unit square, limit 2/λmax = {limit:.3f}: after 2,000 steps at {listed(FACTORS)} of it "
        f"the cost is {listed(ratios, 2)} of its start; [784, 30, 10] on 5,000 images at η = {listed(RATES)}: training "
        f"cost after 12 epochs {listed(values[:, -1], 3)} nats, having risen in {listed(rises)} of 11 epochs; five "
        f"hyperparameters of [64, 30, 10], each changed by up to a hundred times, cost on average "
        f"{', '.join(f'{name} {loss:.1f}' for name, loss in ranked)} points of validation accuracy; ten times less and "
        f"ten times more both do harm to {' and '.join(both)} alone",
        "the limit is 1.308 for infinitely many points; growing beyond it. The net: slow and smooth, best, up and down "
        "(as in the book at these rates). η the most, though a net of one unit is as bad as a rate that is far too "
        "large",
        judged(
            ratios[3] > 1 > ratios[0] > ratios[1]
            and ratios[2] < 1
            and abs(limit - 1.308) < 0.05
            and values[:, -1].argmin() == 1
            and rises[0] == 0
            and rises[2] > rises[1]
            and first == "η"
            and most > 0
            and both == ["η"]
        ),
    )


def index(name):
    """The place of the usual value of a hyperparameter among its values."""
    return int(abs(one_by_one()[name][0] - USUAL[name]).argmin())


def losses():
    """For each hyperparameter how much accuracy is lost by another value than the usual one, mean over the values."""
    return {
        name: float(found[index(name)] - np.delete(found, index(name)).mean())
        for name, (_, found) in one_by_one().items()
    }


CLAIMS = (learning_rate,)


def pictures(folder):
    """The accuracy against each hyperparameter; the cost of a net at three rates."""
    message = "Of five hyperparameters it is the learning rate that one must get right"
    with room.picture(folder / "hyperparameters.png", message) as fig:
        left, right = fig.subplots(1, 2)
        for i, (name, (values, found)) in enumerate(one_by_one().items()):
            style = {"ls": curves.DASHES[i % 4], "marker": "os^Dv"[i], "color": curves.PALETTE[i]}
            left.plot(values / USUAL[name], found, label=name, **style)
        left.set(xscale="log", xlabel="times the usual value", ylabel="validation accuracy (%)", ylim=(0, 100))
        left.set_title("one changed, the others as usual")
        for i, (eta, row) in enumerate(zip(RATES, by_rate(), strict=True)):
            style = {"ls": curves.DASHES[i], "marker": "os^"[i], "color": curves.PALETTE[i]}
            right.plot(np.arange(1, len(row) + 1), row, label=f"η = {eta:g}", **style)
        right.set(
            xlabel="epoch", ylabel="training cost (nats)", ylim=(0, None), title="[784, 30, 10]: slow, good, rough"
        )
        for axes in (left, right):
            axes.grid()
            axes.legend()
    return ("hyperparameters.png",)


if __name__ == "__main__":
    main(CLAIMS, pictures)
