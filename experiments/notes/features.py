"""Layers make progress step by step: filters for edges, a unit that combines them, and the filters that training finds.

python -m experiments.notes.features [FOLDER]      30 s, a picture into FOLDER (runs/features); needs MNIST
"""

from functools import cache

import jax
import jax.numpy as jnp
import numpy as np

import fnn
from experiments.notes.findings import Finding, judged, main
from fnn import SGD, Conv, ConvPool, Dense, Flatten, LogLikelihood, MaxPool, ReLU, Step
from fnn.layers import DenseParams
from fnn.plots import curves

SIDE, SIZE, FILTERS = 20, 5, 12
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
    net = (ConvPool(FILTERS, SIZE, 2), ReLU(), Flatten(), Dense(10))
    key = jax.random.key(0)
    start = fnn.init(net, key, (1, 28, 28))
    results = fnn.fit(net, LogLikelihood(), SGD(0.05, mu=0.9), start, data.train, key, batch_size=50, epochs=2)
    *_, last = results
    return [np.asarray(p[0].W).reshape(FILTERS, SIZE, SIZE) for p in (start, last.params)], float(last.train.accuracy)


def smoothness(filters):
    """The correlation of neighbouring weights, mean over the filters: 0 for noise, near 1 for patches."""
    found = []
    for f in filters - filters.mean(axis=(1, 2), keepdims=True):
        pairs = np.concatenate(
            [np.stack([a.ravel(), b.ravel()], 1) for a, b in ((f[1:], f[:-1]), (f[:, 1:], f[:, :-1]))]
        )
        found.append((pairs[:, 0] * pairs[:, 1]).sum() / (pairs**2).mean(axis=1).sum())
    return float(np.mean(found))


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
    return Finding(
        "002-12",
        "Layers make progress step by step: edges lying and standing, then features, then their combination.",
        f"of two filters set by hand the one of the bar's direction answers more for {right:,} of 1,000 bars; a unit "
        f"behind them tells images with both directions from those with one in {right_units:.1%} of 2,000, where "
        f"always the same answer is right in {base:.1%}; "
        f"in filters learned from digits ({accuracy:.1%} right) neighbouring weights correlate by "
        f"{smoothness(after):.2f}, {smoothness(before):.2f} at the start",
        "1,000; nearly all; patches of light and dark, from noise",
        judged(right == 1000 and right_units > max(0.9, base) and smoothness(after) > smoothness(before) + 0.15),
    )


CLAIMS = (step_by_step,)


def pictures(folder):
    """A bar and what the edge filters make of it; filters before and after training."""
    fig = curves.figure(10.0, 3.4)
    cells = fig.subplots(3, FILTERS)
    x, flat = bars(10, 3)
    x = x[[flat.argmax(), flat.argmin()]]
    net, params = edges()
    maps = np.asarray(fnn.forward(net[:2], params[:2], x))
    shown = [x[0, 0], EDGE, maps[0, 0], EDGE.T, maps[0, 1], None, x[1, 0], EDGE, maps[1, 0], EDGE.T, maps[1, 1], None]
    names = ["image", "filter", "answer", "filter", "answer", ""] * 2
    (before, after), _ = learned()
    for row, images in enumerate((shown, before, after)):
        for axes, image in zip(cells[row], images, strict=True):
            if image is None:
                axes.set_axis_off()
                continue
            limit = float(abs(image).max())
            axes.imshow(image, cmap="cividis", vmin=-limit, vmax=limit)
            axes.set(xticks=[], yticks=[])
    for axes, name in zip(cells[0], names, strict=True):
        axes.set_title(name, fontsize="small")
    for row, name in enumerate(("by hand", "at the start", "learned")):
        cells[row, 0].set_ylabel(name)
    fig.suptitle("Edges by hand, and twelve filters learned from digits (dark below 0, light above)")
    curves.write(fig, folder / "features.png")
    return ("features.png",)


if __name__ == "__main__":
    main(CLAIMS, pictures)
