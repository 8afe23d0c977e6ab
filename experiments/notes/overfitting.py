"""Overfitting: a net learns 1,000 images by heart; what a penalty, another start and more images do against it.

    python -m experiments.notes.overfitting [FOLDER]      140 s, pictures into FOLDER (runs/overfitting); needs MNIST

The net is [784, 30, 10] with sigmoids and cross-entropy, as in Nielsen's ch. 3. Validation images choose the strength
of the penalty, once for weights that start large (sd 1, as in the book's section on it) and once for weights that
start with sd 1/√n_in. The test images are used once, with the strength chosen and with none.
"""

from dataclasses import dataclass
from functools import cache

import jax
import jax.numpy as jnp
import numpy as np

import fnn
from experiments.notes.findings import Finding, judged, listed, main
from experiments.notes.seeds import SEEDS, grid, interval, of, said, scores
from fnn import SGD, CrossEntropy, Dense, Normal, Quadratic, Sigmoid
from fnn.plots import curves, room

NET = (Dense(30), Sigmoid(), Dense(10))
LARGE = (Dense(30, Normal(1.0)), Sigmoid(), Dense(10, Normal(1.0)))
STRENGTHS, EPOCHS = (0.0, 1e-4, 3e-4, 1e-3, 3e-3, 1e-2), 30  # the book: λ = 0.1 for 1,000 images, here 1e-4
SIZES = (100, 300, 1000, 3000, 10_000, 30_000)
UPDATES = 3000  # for every size of the training set


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class DecayOfAll:
    """Descent with a penalty that includes the biases, which `SGD` leaves out: `p ← p − η (∇C + λ p)`."""

    eta: fnn.Array | float
    lmbda: fnn.Array | float

    def init(self, params):
        """Nothing to remember."""
        return ()

    def scaled(self, factor):
        """The same with `factor` times the learning rate."""
        return DecayOfAll(self.eta * factor, self.lmbda)

    def update(self, params, v, gradient):
        """The params after a step."""
        return jax.tree.map(lambda p, g: p - self.eta * (g + self.lmbda * p), params, gradient), v


@cache
def images(count=1000):
    """The first images of MNIST, 1,000 to choose by, and the test images."""
    return fnn.load_data("mnist", train=count, validation=1000)


@cache
def long_run(epochs=400, seeds=2):
    """Training accuracy (%) and cost, validation accuracy and cost after each epoch, each `(seeds, epochs)`."""
    results = grid(NET, CrossEntropy(), SGD(0.5), images(), epochs=epochs, seeds=seeds)
    parts = [getattr(r, part) for part in ("train", "validation") for r in results]
    values, right = (np.stack([np.asarray(getattr(p, m)) for p in parts], axis=1) for m in ("cost", "accuracy"))
    return 100 * right[:, :epochs], values[:, :epochs], 100 * right[:, epochs:], values[:, epochs:]


def squares():
    """Training accuracy (%) and cost after each of 200 epochs on 300 embedded digits, with the squared distance."""
    data, key = fnn.load_data("digits", train=300).train, jax.random.key(1)
    start = fnn.init(NET, jax.random.key(0), (64,))
    results = list(fnn.fit(NET, Quadratic(), SGD(3.0), start, data, key, batch_size=10, epochs=200))
    return (np.array([float(getattr(r.train, name)) for r in results]) for name in ("accuracy", "cost"))


def after_the_last_mistake(accuracy, value):
    """The first epoch after which no mistake is made any more, the cost after it, and the cost at the end."""
    first = int(np.flatnonzero(accuracy < accuracy.max())[-1]) + 2  # epochs count from 1
    return (
        first,
        float(value[min(first, len(value)) - 1]),
        float(value[-1]),
    )  # `first` is past the end if the last epoch has a mistake


def beyond_accuracy():
    """A smooth cost goes on teaching when no example is wrong any more (000-20)."""
    accuracy, value = squares()
    small = after_the_last_mistake(accuracy, value)
    seen, cost, _, _ = long_run()
    large = [after_the_last_mistake(*run) for run in zip(seen, cost, strict=True)]
    firsts = [int((run == 100).argmax()) + 1 for run in seen]
    return Finding(
        "000-20",
        "A smooth cost goes on teaching when no example is wrong any more.",
        f"squared distance, 300 digits: no mistake from epoch {small[0]} on, and the cost falls from {small[1]:.5f} to "
        f"{small[2]:.5f} by epoch 200; cross-entropy, 1,000 images of MNIST, two seeds: first without a mistake in "
        f"epochs {listed(firsts)}, for good from {listed(run[0] for run in large)}, where it costs "
        f"{listed((r[1] for r in large), 3)}, and by epoch 400 {listed((r[2] for r in large), 3)}",
        "falling at a flat accuracy (the book's run, from larger weights: first in epoch 68, cost 0.0454, for good "
        "from the 74th; 0.00420 after 400)",
        judged(accuracy.max() == 1 and seen[:, -1].min() == 100 and all(c < b / 2 for _, b, c in (small, *large))),
    )


@cache
def by_strength(net):
    """The sweep over the strengths: validation accuracies in %, `(strengths, SEEDS)`, and all results."""
    optimizer = SGD(0.5, lmbda=jnp.array(STRENGTHS))
    results = grid(net, CrossEntropy(), optimizer, images(), epochs=EPOCHS, validate=False)
    right = scores(net, CrossEntropy(), results[-1].params, images().validation)[1]
    return right.reshape(-1, SEEDS), results


def chosen(net):
    """The place of the best strength, and the test accuracies in % without a penalty and with it, `(SEEDS,)` each."""
    accuracy, results = by_strength(net)
    best = int(accuracy.mean(axis=1).argmax())
    return best, *(scores(net, CrossEntropy(), of(results, i), images().test)[1] for i in (0, best))


def biases_too(net, strength):
    """Validation accuracies in % with this penalty on the biases as well."""
    last = grid(net, CrossEntropy(), DecayOfAll(0.5, strength), images(), epochs=EPOCHS, validate=False)[-1]
    return scores(net, CrossEntropy(), last.params, images().validation)[1]


def penalty():
    """A penalty on the squared weights, neither too weak nor too strong, prevents overfitting (001-19)."""
    best, without, with_it = chosen(LARGE)
    small, small_without, small_with = chosen(NET)
    accuracy, of_small = (by_strength(net)[0].mean(axis=1) for net in (LARGE, NET))
    biased = biases_too(LARGE, STRENGTHS[best]) - by_strength(LARGE)[0][best]
    return Finding(
        "001-19",
        "A penalty on the squared weights, biases left out, prevents overfitting if it is neither too weak nor too "
        "strong: so it does for weights that start large, as in the book.",
        f"1,000 images, λ = {listed(STRENGTHS)}: from weights of sd 1 validation accuracy {listed(accuracy, 3)} %, "
        f"test accuracy {without.mean():.2f} % without and {with_it.mean():.2f} % with λ = {STRENGTHS[best]:g}, "
        f"{said(with_it - without)}, {SEEDS} paired seeds; biases included: {said(biased)} more. From sd 1/√n "
        f"validation {listed(of_small, 3)} %: the best λ is {STRENGTHS[small]:g}, test accuracy "
        f"{small_with.mean():.2f} % ({small_without.mean():.2f} % without: {said(small_without - without)} by the "
        "start alone)",
        "a maximum inside the range (the book: 82.27 to 87.10 %). Sparing the biases matters little, so the notes' "
        "reason for it is not needed; starting with smaller weights gains more than half as much by itself",
        judged(
            0 < best < len(STRENGTHS) - 1
            and interval(with_it - without)[1] > 0
            and abs(biased.mean()) < 1
            and (small_without - without).mean() > 0.5 * (with_it - without).mean()
        ),
    )


CLAIMS = (beyond_accuracy, penalty)


@cache
def by_size():
    """Training and validation accuracy in % for each number of images, after as many updates, two of `(sizes, 5)`."""
    found = []
    for size in SIZES:
        epochs = 10 * UPDATES // size
        last = grid(NET, CrossEntropy(), SGD(0.5), images(size), epochs=epochs, seeds=5, validate=False)[-1]
        unseen = scores(NET, CrossEntropy(), last.params, images(size).validation)[1]
        found.append((100 * np.asarray(last.train.accuracy), unseen))
    return tuple(np.array(part) for part in zip(*found, strict=True))


def pictures(folder):
    """Learning by heart; the strength of the penalty; more images."""
    draw_by_heart(folder / "by_heart.png")
    draw_strength(folder / "penalty.png")
    draw_more_data(folder / "more_data.png")
    return "by_heart.png", "penalty.png", "more_data.png"


def draw_by_heart(path):
    """Accuracy and cost on the images learned and on others."""
    seen, cost_seen, unseen, cost_unseen = long_run()
    epochs, least = np.arange(1, seen.shape[1] + 1), int(cost_unseen[0].argmin())
    with room.picture(path, "Overfitting: a net learns its images by heart") as fig:
        left, right = fig.subplots(1, 2)
        for axes, lines, label in (
            (left, (seen, unseen), "accuracy (%)"),
            (right, (cost_seen, cost_unseen), "cost (nats)"),
        ):
            for i, (values, name) in enumerate(zip(lines, ("the 1,000 images it learns", "1,000 others"), strict=True)):
                axes.plot(epochs, values[0], curves.DASHES[i], color=curves.PALETTE[i], label=name)
            axes.set(xlabel="epoch", ylabel=label)
            axes.grid()
        right.plot(least + 1, cost_unseen[0, least], "v", color="black", label=f"least for others: epoch {least + 1}")
        left.set_title("in the end it knows its own")
        right.set_title("what it learns late makes it worse on others")
        left.legend(loc="lower right")
        right.legend()


def draw_strength(path):
    """Accuracy against the strength of the penalty."""
    with room.picture(path, "A penalty helps a bad start; a good start needs none") as fig:
        axes = fig.subplots()
        for i, (net, name) in enumerate(((LARGE, "weights start with sd 1"), (NET, "weights start with sd 1/√n"))):
            low, middle, high = np.percentile(by_strength(net)[0], (5, 50, 95), axis=1)
            style = {"ls": curves.DASHES[i], "marker": "os"[i], "color": curves.PALETTE[i]}
            axes.plot(range(len(STRENGTHS)), middle, label=name, **style)
            axes.fill_between(range(len(STRENGTHS)), low, high, color=curves.PALETTE[i], alpha=0.15, lw=0)
        axes.set_xticks(range(len(STRENGTHS)), [f"{strength:g}" for strength in STRENGTHS])
        axes.set(xlabel="strength λ of the penalty ½ λ Σ W²", ylabel="validation accuracy (%)")
        axes.set_title(f"1,000 images, {EPOCHS} epochs: median and 5-95 % of {SEEDS} seeds")
        axes.grid()
        axes.legend(loc="lower center")


def draw_more_data(path):
    """Accuracy on images seen and not seen against their number."""
    with room.picture(path, "With more images, what is learned holds for others too") as fig:
        axes = fig.subplots()
        for i, (accuracy, name) in enumerate(zip(by_size(), ("images it learned", "others"), strict=True)):
            style = curves.DASHES[i] + "os"[i]
            axes.plot(SIZES, accuracy.mean(axis=1), style, color=curves.PALETTE[i], label=name)
            low, high = accuracy.min(axis=1), accuracy.max(axis=1)
            axes.fill_between(SIZES, low, high, color=curves.PALETTE[i], alpha=0.15, lw=0)
        axes.set(xscale="log", xlabel="training images", ylabel="accuracy (%)")
        axes.set_title(f"{UPDATES:,} updates on more images: mean and range of 5 seeds")
        axes.grid()
        axes.legend()


if __name__ == "__main__":
    main(CLAIMS, pictures)
