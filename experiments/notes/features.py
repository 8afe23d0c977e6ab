"""Layers make progress step by step: filters for edges, a unit that combines them, and the filters that training finds.

python -m experiments.notes.features [FOLDER]      30 s, a picture into FOLDER (runs/features); needs MNIST
"""

from functools import cache

import jax
import jax.numpy as jnp
import numpy as np

import fnn
from experiments.notes.findings import Finding, judged, main
from fnn import SGD, Conv, ConvPool, Dense, Flatten, LogLikelihood, MaxPool, ReLU, Step, Zeros
from fnn.layers import DenseParams
from fnn.plots import room

SIDE, SIZE, FILTERS = 20, 5, 12
ALIKE = 0.6  # a filter is called an edge if it correlates more with one
EDGE = np.tile(
    [[-1.0], [-1.0], [0.0], [1.0], [1.0]], (1, SIZE)
)  # light below dark; transposed: light to the right of dark


def bars(count, seed=0):
    """Images `(count, 1, SIDE, SIDE)` of a bar of random place, length and lightness; which of the bars lie flat."""
    rng = np.random.default_rng(seed)
    x, flat = np.zeros((count, 1, SIDE, SIDE), np.float32), rng.random(count) < 0.5
    for image, lies in zip(x[:, 0], flat, strict=True):
        length, down = (
            rng.integers(9, 15),
            rng.integers(3, SIDE - 4),
        )  # not at the border, where a filter does not see the edge
        across = rng.integers(3, SIDE - length - 2)
        view = image if lies else image.T
        view[down : down + 2, across : across + length] = rng.uniform(0.7, 1)
    return x + rng.normal(0, 0.02, x.shape).astype(np.float32), flat


def edges():
    """A net with two filters set by hand; its outputs are the largest answer of each filter in the image."""
    net = (Conv(2, SIZE), ReLU(), MaxPool(SIDE - SIZE + 1), Flatten())
    params = fnn.init(net, jax.random.key(0), (1, SIDE, SIDE))
    W = jnp.asarray(np.stack([EDGE, EDGE.T])[:, None], jnp.float32)
    return net, (params[0]._replace(W=W, b=jnp.zeros(2)), *params[1:])


def both_edges(limit):
    """The same net with one more layer: a perceptron for images in which both filters answer more than `limit`."""
    net, params = edges()
    first, last = params[0]._replace(b=jnp.full(2, -limit)), DenseParams(jnp.ones((1, 2)), jnp.array([-1.5]))
    return (*net, Step(), Dense(1), Step()), (first, *params[1:], (), last, ())


@cache
def learned():
    """The filters `(FILTERS, SIZE, SIZE)` at the random start and after two epochs on 10,000 images."""
    data = fnn.load_data("mnist", train=10_000, shape=(1, 28, 28))
    net = (ConvPool(FILTERS, SIZE, 2, bias_initializer=Zeros()), ReLU(), Flatten(), Dense(10))  # so that none is dead
    key = jax.random.key(0)
    start = fnn.init(net, key, (1, 28, 28))
    results = fnn.fit(net, LogLikelihood(), SGD(0.05, mu=0.9), start, data.train, key, batch_size=50, epochs=2)
    *_, last = results
    return [np.asarray(p[0].W).reshape(FILTERS, SIZE, SIZE) for p in (start, last.params)], float(last.train.accuracy)


@cache
def every_edge():
    """Edges in 16 directions, through the middle or a pixel beside it, each of mean 0 and length 1."""
    at, directions = np.arange(SIZE) - 2.0, np.arange(16) * np.pi / 8
    across = [np.cos(t) * at[None] + np.sin(t) * at[:, None] for t in directions]
    found = np.array([np.tanh(2 * (a - shift)) for a in across for shift in (-1, 0, 1)]).reshape(-1, SIZE**2)
    found -= found.mean(axis=1, keepdims=True)
    return found / np.linalg.norm(found, axis=1, keepdims=True)


def likeness(filters):
    """The correlation of every filter with the edge that is most like it."""
    flat = filters.reshape(len(filters), -1)
    flat = flat - flat.mean(axis=1, keepdims=True)
    return (flat @ every_edge().T / np.linalg.norm(flat, axis=1, keepdims=True)).max(axis=1)


def step_by_step():
    """Layers make progress step by step: first edges, then features, then their combination (002-12)."""
    x, flat = bars(1000)
    answers = np.asarray(fnn.forward(*edges(), x))
    right = int(((answers[:, 0] > answers[:, 1]) == flat).sum())
    others, lie = bars(1000, 1)
    every = np.concatenate([x, np.maximum(x, others)])
    found = np.asarray(fnn.forward(*both_edges(6.5), every))[:, 0] > 0.5
    want = np.concatenate([np.zeros(1000, bool), flat != lie])
    right_units, base = np.mean(found == want), max(want.mean(), 1 - want.mean())
    (before, after), accuracy = learned()
    moved = np.linalg.norm(after - before, axis=(1, 2)) / np.linalg.norm(before, axis=(1, 2))
    first, last = ((likeness(filters) > ALIKE).sum() for filters in (before, after))
    return Finding(
        "002-12",
        "Layers make progress step by step: edges lying and standing, then features, then their combination.",
        f"of two filters set by hand the one of the bar's direction answers more for {right:,} of 1,000 bars; a unit "
        f"behind them tells images with both directions from those with one in {right_units:.1%} of 2,000, where "
        f"always the same answer is right in {base:.1%}; of {FILTERS} filters learned from digits ({accuracy:.1%} "
        f"right; all moved, by {moved.min():.0%} and more of their size) {last} are edges, correlating by more than "
        f"{ALIKE} with one, {first} at the start; on average {likeness(after).mean():.2f}, at the start "
        f"{likeness(before).mean():.2f}",
        "1,000; nearly all; some, from none (noise correlates by 0.35): training finds edges, and not only edges",
        judged(right == 1000 and right_units > max(0.9, base) and moved.min() > 0.1 and first == 0 and last >= 4),
    )


CLAIMS = (step_by_step,)


def pictures(folder):
    """Two bars and what the edge filters make of them; filters before and after training, on one scale."""
    x, flat = bars(10, 3)
    x = x[[flat.argmax(), flat.argmin()]]
    net, params = edges()
    maps = np.asarray(fnn.forward(net[:2], params[:2], x))
    (before, after), _ = learned()
    found = likeness(after) > ALIKE
    message = f"Edges by hand, and in {found.sum()} of {FILTERS} filters that training finds by itself"
    with room.picture(folder / "features.png", message, height=7.8) as fig:
        top, bottom = fig.subfigures(2, 1, height_ratios=(1.2, 1))
        cells = top.subplots(1, 6)
        names = ("a bar", "answer of\nlying edges", "answer of\nstanding edges") * 2
        for axes, image, name in zip(cells, [c for k in (0, 1) for c in (x[k, 0], *maps[k])], names, strict=True):
            axes.imshow(image, cmap="gray_r", vmin=0, vmax=1 if name == "a bar" else maps.max())
            axes.set(xticks=[], yticks=[], title=name)
        cells = bottom.subplots(2, FILTERS)
        limit = float(abs(np.concatenate([before, after])).max())
        for row, filters in zip(cells, (before, after), strict=True):
            for axes, image in zip(row, filters, strict=True):
                shown = axes.imshow(image, cmap="gray", vmin=-limit, vmax=limit)
                axes.set(xticks=[], yticks=[])
        for axes, edge in zip(cells[1], found, strict=True):
            axes.set_xlabel("edge" if edge else "")
        for row, name in zip(cells, ("random\nstart", "learned"), strict=True):
            row[0].set_ylabel(name)
        bottom.colorbar(shown, ax=list(cells.ravel()), label="weight")
    return ("features.png",)


if __name__ == "__main__":
    main(CLAIMS, pictures)
