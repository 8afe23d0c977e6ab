"""Reading digits without a network: a rule for nines by hand, three that are fitted, and a network beside them.

    python -m experiments.notes.baselines [FOLDER]      25 s, a picture into FOLDER (runs/baselines); needs MNIST

The counts are of the 10,000 test images of MNIST; three rules see the first 50,000 training images. The two numbers of
the rule for nines were chosen by looking at 10,000 training images. One number was chosen
by looking at the counts: the size of the singular values that least squares leaves out. It was chosen so that the known
count of 8,608 is met. The count without it is shown too.
"""

from functools import cache

import jax
import numpy as np
from scipy import ndimage

import fnn
from experiments.notes.findings import Finding, judged, main
from fnn import SGD, CrossEntropy, Dense, Sigmoid
from fnn.plots import curves, room

KNOWN = {"average darkness": 2225, "nearest mean image": 8200, "least squares": 8608}
INK, UPPER = 0.5, 0.45  # what is ink; the part of a digit, from above, in which the middle of a loop is at its top
SMALLEST = 1e-3  # least squares leaves out the directions of singular values up to it


@cache
def mnist():
    """The data, and the images as float64 rows with their labels."""
    data = fnn.load_data("mnist", validation=10_000)
    x, y = data.train.rows(slice(None))
    return data, x, y.argmax(axis=1), data.test.rows(slice(None))[0], data.test.y.argmax(axis=1)


def darkness():
    """The digit whose mean darkness is nearest."""
    _, x, labels, test, _ = mnist()
    means = np.array([x[labels == k].sum(axis=1, dtype=float).mean() for k in range(10)])
    return abs(test.sum(axis=1, dtype=float)[:, None] - means).argmin(axis=1)


def nearest_mean():
    """The digit whose mean image is nearest."""
    _, x, labels, test, _ = mnist()
    means = np.array([x[labels == k].mean(axis=0, dtype=float) for k in range(10)])
    return ((means**2).sum(axis=1) - 2 * test.astype(float) @ means.T).argmin(axis=1)


def least_squares(smallest):
    """The largest of ten linear functions fitted to one-hot targets; small singular values are left out."""
    *_, test, _ = mnist()
    u, s, v, targets = decomposed()
    keep = s > smallest
    w = v[keep].T @ ((u[:, keep].T @ targets) / s[keep, None])
    return (np.column_stack([test, np.ones(len(test))]) @ w).argmax(axis=1)


@cache
def decomposed():
    """The singular values and vectors of the images, each with a 1 appended, and the targets in that basis."""
    data, _, labels, _, _ = mnist()
    q, r = np.linalg.qr(np.column_stack([data.train.x / 255, np.ones(data.train.n)]))
    return *np.linalg.svd(r), q.T @ np.eye(10)[labels]


@cache
def network():
    """One epoch of [784, 30, 10]."""
    data, *_, test, _ = mnist()
    net, key = (Dense(30), Sigmoid(), Dense(10)), jax.random.key(0)
    start = fnn.init(net, key, (784,))
    (last,) = fnn.fit(net, CrossEntropy(), SGD(0.5), start, data.train, key, batch_size=10, epochs=1)
    return np.asarray(jax.jit(fnn.predict)(net, CrossEntropy(), last.params, test)).argmax(axis=1)


@cache
def counts():
    """Test images read rightly by each."""
    answers = {
        "average darkness": darkness(),
        "nearest mean image": nearest_mean(),
        "least squares": least_squares(SMALLEST),
        "least squares, exactly": least_squares(1e-8),
        "network, 1 epoch": network(),
    }
    *_, labels = mnist()
    return {name: int((said == labels).sum()) for name, said in answers.items()}


def loop_at_the_top(ink):
    """Whether white is enclosed by ink, and the middles of all such holes are in the upper part of the digit."""
    white, count = ndimage.label(~ink)
    outside = set(np.concatenate([white[0], white[-1], white[:, 0], white[:, -1]]))
    rows = np.flatnonzero(ink.any(axis=1))
    limit = rows[0] + UPPER * (rows[-1] - rows[0])
    holes = [np.nonzero(white == hole)[0].mean() for hole in set(range(1, count + 1)) - outside]
    return bool(holes) and max(holes) < limit


def stroke_at_the_bottom_right(ink):
    """Whether the ink in the lowest third of the digit is on average right of the digit's left third."""
    rows, columns = (np.flatnonzero(ink.any(axis=axis)) for axis in (1, 0))
    low = np.nonzero(ink[rows[-1] - (rows[-1] - rows[0]) // 3 : rows[-1] + 1])[1]
    return low.mean() > columns[0] + (columns[-1] - columns[0]) / 3


@cache
def nines():
    """Which test images are nines: by their labels, by the rule with a loop and a stroke, by the network."""
    *_, test, labels = mnist()
    inks = test.reshape(-1, 28, 28) > INK
    by_rule = np.array([loop_at_the_top(ink) and stroke_at_the_bottom_right(ink) for ink in inks])
    return labels == 9, by_rule, network() == 9


def of_nines(said):
    """The shares of all images told rightly, of the nines found, and of the others taken for nines."""
    nine = nines()[0]
    return (said == nine).mean(), said[nine].mean(), said[~nine].mean()


def rule_for_nines():
    """Features of a digit can be written down as rules; learning them from examples finds more (003-03)."""
    nine, *answers = nines()
    by_rule, learned = map(of_nines, answers)
    found = counts()
    *rules, net = found.values()
    in_words = [
        f"{right:.1%} right, {hit:.1%} of the nines found, {miss:.1%} of the others taken for nines"
        for right, hit, miss in (by_rule, learned)
    ]
    return Finding(
        "003-03",
        "A program needs features and decision rules that somebody writes down, such as: a 9 has a loop at the top and "
        "a vertical stroke in the bottom right. A network infers features and rules from examples, and does better.",
        f"'is it a nine?' for 10,000 test images: the loop and the stroke as a rule {in_words[0]}; a network after one "
        f"epoch {in_words[1]}; always no {1 - nine.mean():.1%}. All ten digits, right of 10,000, by rules that are "
        f"fitted to pixels and by the network: {', '.join(f'{name} {count:,}' for name, count in found.items())}",
        f"the rule above always no, the network above the rule; {', '.join(f'{n} {c:,}' for n, c in KNOWN.items())}; "
        "the network above all of them",
        judged(
            1 - nine.mean() < by_rule[0] < learned[0]
            and by_rule[1] < learned[1]
            and all(found[name] == count for name, count in KNOWN.items())
            and net > max(rules)
        ),
    )


CLAIMS = (rule_for_nines,)


def pictures(folder):
    """Nines that the rule finds and misses, and others that it takes for nines; the counts as bars."""
    nine, by_rule, _ = nines()
    test = mnist()[3].reshape(-1, 28, 28)
    kinds = (
        ("nines found", nine & by_rule),
        ("nines missed", nine & ~by_rule),
        ("others taken for nines", ~nine & by_rule),
    )
    with room.picture(
        folder / "nines.png", "A loop at the top and a stroke at the bottom right: a rule by hand"
    ) as fig:
        for row, (name, which) in zip(fig.subplots(3, 8), kinds, strict=True):
            for axes, image in zip(row, test[which], strict=False):
                axes.imshow(image, cmap="gray_r", vmin=0, vmax=1)
                axes.set(xticks=[], yticks=[])
            row[0].set_ylabel(
                f"{which.sum()}\n{name.replace(' taken', chr(10) + 'taken')}", rotation=0, ha="right", va="center"
            )
    with room.picture(folder / "baselines.png", "One epoch of a small network beats all rules for pixels") as fig:
        axes = fig.subplots()
        found = {"guessing": 1000, **counts()}
        colours = [*["#bbbbbb"] * (len(found) - 1), curves.PALETTE[0]]
        bars = axes.barh(list(found), [count / 100 for count in found.values()], color=colours, edgecolor="black")
        axes.bar_label(bars, fmt="%.1f %%", padding=5)
        axes.set(xlim=(0, 112), xlabel="test images of MNIST read rightly (%)")
    return "nines.png", "baselines.png"


if __name__ == "__main__":
    main(CLAIMS, pictures)
