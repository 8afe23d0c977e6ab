"""The cost of the XOR net over a plane of its parameters: two equal solutions, a hill between them, a way down.

python -m experiments.lecture.surface [FOLDER]      5 s, surface.png into FOLDER (runs/lecture)

A hidden unit is nobody in particular: the same units in another order give the same network, with other parameters.
So every solution has equals. The plane goes through the start, its solution, and that solution with the units in
reverse order.
"""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.flatten_util import ravel_pytree

import fnn
from experiments.lecture.trainings import Training, folder, trained
from fnn.plots import curves, room

SHARES = np.linspace(0, 1, 201)  # of the straight way from the one solution to the other


def exchanged(params: Any) -> Any:
    """The parameters of a net of one hidden layer with its hidden units in reverse order: the same function."""
    hidden, activation, out = params
    order = np.arange(len(hidden.b))[::-1]
    return (type(hidden)(W=hidden.W[order], b=hidden.b[order]), activation, type(out)(W=out.W[:, order], b=out.b))


def costs(training: Training, points: np.ndarray) -> np.ndarray:
    """The training cost at each row of parameters, all in one vector as `ravel_pytree` puts them."""
    config, data = training.prepared.config, training.prepared.data
    x, y = data.train.rows(slice(None))
    _, tree = ravel_pytree(training.prepared.params)

    def one(vector):
        return config.network.cost.value(fnn.forward(config.network.layers, tree(vector), x), y)

    return np.asarray(jax.jit(jax.vmap(one))(jnp.asarray(points, jnp.float32)))


def straight(training: Training) -> np.ndarray:
    """The cost along the straight way from the solution to the exchanged one, at `SHARES`."""
    end = training.path[-1]
    first, last = (np.asarray(ravel_pytree(params)[0]) for params in (end, exchanged(end)))
    return costs(training, first + SHARES[:, None] * (last - first))


def plane(training: Training) -> tuple[np.ndarray, np.ndarray]:
    """The middle between the two solutions, and two directions: from one to the other, and across towards the start."""
    start, end, other = (
        np.asarray(ravel_pytree(params)[0], float)
        for params in (training.path[0], training.path[-1], exchanged(training.path[-1]))
    )
    middle, along = (end + other) / 2, other - end
    along /= np.linalg.norm(along)
    across = (start - middle) - (start - middle) @ along * along
    return middle, np.stack((along, across / np.linalg.norm(across)))


def drawn_surface(axes: Any, training: Training) -> Any:
    """Draw the cost over the plane, and the way of the training as one sees it from above; returns the colours."""
    middle, directions = plane(training)
    way = np.array([np.asarray(ravel_pytree(params)[0]) for params in training.path])
    other = np.asarray(ravel_pytree(exchanged(training.path[-1]))[0])
    way, (other,) = (way - middle) @ directions.T, (other[None] - middle) @ directions.T
    seen = np.concatenate((way, other[None]))
    (left, low), (right, high) = seen.min(axis=0) - (3, 1.5), seen.max(axis=0) + (3, 1.5)
    u, v = np.meshgrid(np.linspace(left, right, 141), np.linspace(low, high, 121))
    height = costs(training, middle + np.stack((u.ravel(), v.ravel()), axis=1) @ directions).reshape(u.shape)
    levels = np.geomspace(0.01, 10, 25)
    filled = axes.contourf(u, v, np.clip(height, 0.0101, 9.9), levels, cmap="cividis", norm="log")
    axes.contour(u, v, height, levels[::2], colors="white", linewidths=0.6)
    axes.plot(*way.T, color="black", lw=6)
    axes.plot(*way.T, color="white", lw=3)
    for (x, y), name, mark in ((way[0], "start", "o"), (way[-1], "solution", "*"), (other, "exchanged", "*")):
        axes.plot(x, y, mark, ms=24 if mark == "*" else 14, color=curves.PALETTE[4], mec="black")
        box = {"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 2}
        axes.annotate(name, (x, y), (0, 18), textcoords="offset points", ha="center", bbox=box)
    axes.set(xlabel="from solution to solution", ylabel="across", xlim=(left, right), ylim=(low, high))
    return filled


def picture(training: Training, path: Any) -> None:
    """The surface, and the cost on the straight way between the two solutions."""
    profile = straight(training)
    said = f"{profile[0]:.3f} and {profile[-1]:.3f}, with a hill of {profile.max():.2f} between them"
    with room.picture(path, f"XOR has two equally good solutions: {said}") as fig:
        left, right = fig.subplots(1, 2, width_ratios=(3, 2))
        bar = fig.colorbar(drawn_surface(left, training), ax=left, ticks=[0.01, 0.1, 1, 10], format="{x:g}")
        bar.ax.set_title("cost")
        left.set_title("Descent rolls into the nearer valley (seen from above)")
        right.plot(SHARES, profile, color=curves.PALETTE[0])
        right.axhline(np.log(2), color="black", ls="--")
        right.text(0, np.log(2) + 0.03, "guess:\nln 2", va="bottom")
        right.set(xlabel="way from one to the other", ylabel="cost (nats per example)", ylim=(0, None))
        right.set_title("Half one solution and half the other is no solution")
        right.grid()


def main() -> None:
    """Train, print the three costs, draw."""
    training, place = trained("xor"), folder()
    profile = straight(training)
    print(f"cost of the solution          {profile[0]:.4f}")
    print(f"its hidden units exchanged    {profile[-1]:.4f}")
    print(f"half way between them         {profile[len(profile) // 2]:.4f}")
    picture(training, place / "surface.png")
    print(f"picture: {place / 'surface.png'}")


if __name__ == "__main__":
    main()
