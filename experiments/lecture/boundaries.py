"""The border between two classes, drawn by a net that is trained on xor, moons or spirals; and epoch by epoch.

python -m experiments.lecture.boundaries [FOLDER] [NAME ...]      8 s a name, into FOLDER (runs/lecture)

For each name (all three without one): NAME.png with the border at the start, on the way and at the end, and NAME.gif,
an animation of the training. The nets are those of configs/NAME.toml.
"""

import sys
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

import fnn
from experiments.lecture.trainings import Training, folder, trained
from fnn.plots import animation, curves, room

SAYS = {  # and an epoch on the way
    "xor": ("four units bend the border until each corner has its class", 60),
    "moons": ("the border bends into the gap between the half circles", 10),
    "spirals": ("the border winds itself up between the arms", 6),
}
FRAMES = 32
PREDICT = jax.jit(fnn.predict)  # compiled once for all maps
MARGIN = 0.4  # around the points
SIDE = 120  # points of the grid across
SHADES = ("#FFE3B8", "#4F9BCB")  # of class 0 and class 1: light and dark, so that they differ in grey too


def outputs(training: Training, x: np.ndarray) -> Callable[[Any], np.ndarray]:
    """The probability of class 1 at each row of x, as a function of the params."""
    net, rows = training.prepared.config.network, jnp.asarray(x, jnp.float32)
    return lambda params: np.asarray(PREDICT(net.layers, net.cost, params, rows))[:, 0]


def points(training: Training) -> tuple[np.ndarray, np.ndarray]:
    """The points that are drawn and their classes: those of the test; of the training where there are none."""
    data = training.prepared.data
    x, y = (data.test if data.test is not None and data.test.n else data.train).rows(slice(None))
    return np.asarray(x), np.asarray(y)[:, 0]


class Map:
    """Axes with the points of a data set, whose background shows what a net says everywhere."""

    def __init__(self, axes: Any, training: Training) -> None:
        """Draw the points; `show` draws the background."""
        from matplotlib.colors import LinearSegmentedColormap

        x, y = points(training)
        (left, low), (right, high) = x.min(axis=0) - MARGIN, x.max(axis=0) + MARGIN
        self.u, self.v = np.meshgrid(np.linspace(left, right, SIDE), np.linspace(low, high, SIDE))
        self.predict = outputs(training, np.stack((self.u.ravel(), self.v.ravel()), axis=1))
        shades = LinearSegmentedColormap.from_list("classes", SHADES)
        picture = {"extent": (left, right, low, high), "origin": "lower", "interpolation": "bilinear"}
        self.axes, self.border = axes, None
        self.shades = axes.imshow(np.zeros(self.u.shape), vmin=0, vmax=1, cmap=shades, **picture)
        size = 400 if len(x) < 10 else 40
        for label, marker, colour in ((0, "o", "#E69F00"), (1, "^", "#00305C")):
            axes.scatter(*x[y == label].T, s=size, marker=marker, color=colour, edgecolor="black", lw=0.7, zorder=3)
        axes.set(xlim=(left, right), ylim=(low, high), xlabel="$x_0$", ylabel="$x_1$")

    def show(self, params: Any) -> None:
        """Draw what the net says with these params: shades, and the border at 1/2."""
        if self.border is not None:
            self.border.remove()
        p = self.predict(params).reshape(self.u.shape)
        self.shades.set_data(p)
        self.border = self.axes.contour(self.u, self.v, p, [0.5], colors="black", linewidths=3, zorder=2)


def right(training: Training) -> np.ndarray:
    """The share of right answers in % at the start and after each epoch, of the points that are drawn."""
    x, y = points(training)
    predict = outputs(training, x)
    return np.array([100 * np.mean((predict(params) > 0.5) == (y > 0.5)) for params in training.path])


def stops(epochs: int, n: int) -> list[int]:
    """About `n` epochs from 0 to the last one; most of them early, when most happens."""
    return sorted({0, *np.geomspace(1, epochs, n - 1).round().astype(int).tolist()})


def picture(training: Training, share: np.ndarray, path: Any) -> None:
    """The border at the start, on the way and at the end."""
    name, last = training.prepared.config.name, len(training.results)
    said, way = SAYS[name]
    high, wide = np.flip(np.ptp(points(training)[0], axis=0) + 2 * MARGIN)
    with room.picture(path, f"{name}: {said}", height=2.2 + 3.7 * high / wide) as fig:
        for axes, epoch in zip(fig.subplots(1, 3, sharey=True), (0, way, last), strict=True):
            Map(axes, training).show(training.path[epoch])
            axes.set_title(f"{f'epoch {epoch}' if epoch else 'start'}: {share[epoch]:.3g} % right")
            axes.label_outer()


def film(training: Training, share: np.ndarray, path: Any) -> int:
    """The border and the costs epoch by epoch; returns the number of frames."""
    cost = [result.train.cost for result in training.results]
    name, last = training.prepared.config.name, len(cost)
    with room.settings():
        fig = curves.figure(room.WIDTH, room.HEIGHT)
        left, right = fig.subplots(1, 2)
        border = Map(left, training)
        right.plot(range(1, last + 1), cost, color=curves.PALETTE[0])
        (now,) = right.plot([], [], "o", ms=16, color=curves.PALETTE[1], mec="black")
        right.set(xlabel="epoch", ylabel="training cost (nats per example)", ylim=(0, None), xscale="log")
        right.xaxis.set_major_formatter("{x:g}")
        right.grid()

        def draw(epoch: int) -> None:
            border.show(training.path[epoch])
            now.set_data([epoch], [cost[epoch - 1]] if epoch else [])
            fig.suptitle(f"{name}, epoch {epoch} of {last}: {share[epoch]:5.1f} % right", weight="bold")

        return animation.write(fig, stops(last, FRAMES), draw, path)


def main() -> None:
    """Train, draw, say where."""
    place = folder()
    for name in sys.argv[2:] or SAYS:
        training = trained(name)
        share = right(training)
        picture(training, share, place / f"{name}.png")
        n = film(training, share, place / f"{name}.gif")
        print(f"{name}: {share[-1]:.4g} % right after epoch {len(training.results)}")
        print(f"pictures: {place / name}.png, {place / name}.gif ({n} frames)")


if __name__ == "__main__":
    main()
