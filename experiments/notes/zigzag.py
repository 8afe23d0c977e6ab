"""Inputs that are all positive: the entries of a unit's gradient have one sign, and descent goes in a zig-zag.

python -m experiments.notes.zigzag [FOLDER]      3 s, pictures into FOLDER (runs/zigzag)
"""

from functools import cache

import jax
import jax.numpy as jnp
import numpy as np

import fnn
from experiments.notes.findings import Finding, corrected, listed, main
from fnn import SGD, Dense, Identity, Quadratic
from fnn.layers import DenseParams
from fnn.plots import curves, room

NET, COST, ETA = (Dense(1),), Quadratic(Identity()), 0.25
TARGET = np.array([1.0, -0.6], np.float32)


def agreement(x, m):
    """The share of 1,000 gradients, each of m examples, whose entries by the weights all have one sign."""
    rng = np.random.default_rng(1)
    w, y = rng.standard_normal((1000, 1, x.shape[1])), rng.standard_normal((1000, m, 1))
    rows = x[rng.integers(0, len(x), (1000, m))]

    def gradient(w, rows, y):
        return fnn.backprop(NET, COST, (DenseParams(w, jnp.zeros(1)),), rows, y)[1][0].W[0]

    found = np.asarray(jax.jit(jax.vmap(gradient))(*(jnp.asarray(v, jnp.float32) for v in (w, rows, y))))
    return float(((found > 0).all(axis=1) | (found < 0).all(axis=1)).mean())


def points(centred, n=400):
    """`n` random points of the unit square; if centred, of the unit square around 0."""
    return np.random.default_rng(0).random((n, 2)) - (0.5 if centred else 0)


def walk(centred, m, target, key, steps=400):
    """The two weights of a unit on its way from 0 to the target, by SGD on m random points a step, `(steps + 1, 2)`."""

    def on(state, x):
        params, _ = fnn.step(NET, COST, SGD(ETA), *state, x, x @ target[:, None], fnn.backprop)
        return (params, ()), params[0].W[0]

    start = ((DenseParams(jnp.zeros((1, 2)), jnp.zeros(1)),), ())
    way = jax.lax.scan(on, start, jax.random.uniform(key, (steps, m, 2)) - (0.5 if centred else 0))[1]
    return jnp.concatenate([jnp.zeros((1, 2)), way])


@cache
def detours(centred, m, seeds=40):
    """The length of the way over the straight line, for targets in random directions; the median of the seeds."""

    def one(key):
        k_target, k_points = jax.random.split(key)
        target = jax.random.normal(k_target, (2,))
        target = target / jnp.linalg.norm(target)
        way = walk(centred, m, target, k_points)
        return jnp.linalg.norm(jnp.diff(way, axis=0), axis=1).sum(), jnp.linalg.norm(way[-1] - target)

    length, left = jax.jit(jax.vmap(one))(jax.random.split(jax.random.key(0), seeds))
    return float(np.median(length)), float(left.max())


def one_sign():
    """With positive inputs an example's gradient has entries of one sign, and descent zig-zags (001-29)."""
    shares = {(c, m): agreement(points(c), m) for c in (False, True) for m in (1, 10)}
    ways = {(c, m): detours(c, m)[0] for c in (False, True) for m in (1, 10)}
    left = max(detours(c, m)[1] for c in (False, True) for m in (1, 10))
    return Finding(
        "001-29",
        "If all inputs of a unit are positive, so are all entries of its gradient, or none, and descent zig-zags: "
        "true for one example at a time, hardly for the mean over a mini-batch.",
        f"gradients of one sign: {shares[False, 1]:.0%} for one example, but {shares[False, 10]:.0%} for mini-batches "
        f"of 10 (centred inputs {shares[True, 1]:.0%} and {shares[True, 10]:.0%}); the way of the weights, by the same "
        f"η = {ETA:g}, in straight lines: {ways[False, 1]:.2f} with one example a step, {ways[False, 10]:.2f} with 10 "
        f"(centred {ways[True, 1]:.2f} and {ways[True, 10]:.2f}; median of 40 targets in random directions, reached to "
        f"{left:.2f})",
        "100 % for one example, fewer for a mini-batch; a longer way than with centred inputs, by half and more",
        corrected(
            shares[False, 10] == 1 and ways[False, 10] > 1.5 * ways[True, 10],
            shares[False, 1] == 1 and ways[False, 1] > 1.5 * ways[True, 1] and left < 0.2,
        ),
    )


def signs_of_what():
    """It is the gradient whose entries all have one sign, not the weights, as one slide says (E18)."""
    w = np.asarray(walk(False, 10, TARGET, jax.random.key(0))[-1])
    share = agreement(points(False), 1)
    return Finding(
        "E18",
        "It is the gradient, not the weights as one slide writes, whose entries all have one sign.",
        f"a unit trained on positive inputs ends with the weights {listed(w, 3)}; its gradients have one sign in "
        f"{share:.0%} of cases",
        "weights of both signs; 100 %",
        corrected((w > 0).all() or (w < 0).all(), share == 1),
    )


CLAIMS = (one_sign, signs_of_what)


def pictures(folder):
    """The way of two weights, with positive inputs and with centred ones, by the same rate."""
    title = "Inputs that are all positive send the weights in a zig-zag; centred ones do not"
    with room.picture(folder / "zigzag.png", title, height=6.4) as fig:
        for axes, centred in zip(fig.subplots(1, 2, sharex=True, sharey=True), (False, True), strict=True):
            way = np.asarray(walk(centred, 1, TARGET, jax.random.key(3)))
            length = np.linalg.norm(np.diff(way, axis=0), axis=1).sum() / np.linalg.norm(TARGET)
            axes.plot(*way.T, "o-", ms=4, lw=1.8, color=curves.PALETTE[0])
            axes.plot([0, TARGET[0]], [0, TARGET[1]], ":", color="black")
            axes.plot(*TARGET, "*", ms=26, color=curves.PALETTE[1], mec="black")
            axes.set(xlabel="weight 1", aspect="equal", xlim=(-0.15, 1.1), ylim=(-0.72, 0.13))
            axes.set_title(f"{'centred' if centred else 'positive'} inputs: {length:.1f} times the straight line")
            axes.grid()
        fig.axes[0].set_ylabel("weight 2")
        fig.axes[0].text(0.03, 0.03, "start")
        fig.axes[0].text(0.93, -0.66, "target", ha="right")
    return ("zigzag.png",)


if __name__ == "__main__":
    main(CLAIMS, pictures)
