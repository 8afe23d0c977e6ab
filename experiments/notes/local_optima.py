"""The cost of a net is not convex: two equal solutions with a hill between them, and starts that end elsewhere.

python -m experiments.notes.local_optima [FOLDER]      15 s, a picture into FOLDER (runs/local_optima)
"""

from functools import cache

import jax
import jax.numpy as jnp
import numpy as np

import fnn
from experiments.notes.findings import Finding, judged, listed, main
from fnn import SGD, CrossEntropy, Dense, Sigmoid
from fnn.plots import curves, room

NET, COST, STARTS, STEPS = (Dense(2), Sigmoid(), Dense(1)), CrossEntropy(), 64, 5000
GOOD = 0.1  # nats: all four cases of XOR are then far on their right side


@cache
def corners():
    """The four cases of XOR."""
    return fnn.load_data("xor", targets="binary").train.rows(slice(None))


@cache
def ends():
    """The params of [2, 2, 1] after training on XOR from every start, the cost and the size of the gradient there."""

    def final(key):
        def on(p, _):
            return SGD(2.0).update(p, (), fnn.backprop(NET, COST, p, *corners())[1])[0], None

        p, _ = jax.lax.scan(on, fnn.init(NET, key, (2,)), None, length=STEPS)
        value, gradient = fnn.backprop(NET, COST, p, *corners())
        return p, value, jnp.sqrt(sum(jnp.square(leaf).sum() for leaf in jax.tree.leaves(gradient)))

    return jax.tree.map(np.asarray, jax.jit(jax.vmap(final))(jax.random.split(jax.random.key(0), STARTS)))


def exchanged(p):
    """The same net with its two hidden units in the other order."""
    first, _, last = p
    return first._replace(W=first.W[::-1], b=first.b[::-1]), (), last._replace(W=last.W[:, ::-1])


def between(p, q, share):
    """The params at a share of the straight way from one to the other."""
    return jax.tree.map(lambda one, other: (1 - share) * one + share * other, p, q)


def along(p, q, shares):
    """The cost at these shares of the way."""
    return np.array([COST.value(fnn.forward(NET, between(p, q, t), corners()[0]), corners()[1]) for t in shares])


def solution():
    """The params of the start that ended lowest."""
    params, values, _ = ends()
    return jax.tree.map(lambda leaf: leaf[values.argmin()], params)


def not_convex():
    """The cost of a net is not convex, and descent is susceptible to local optima (001-35)."""
    _, values, slopes = ends()
    stuck = values > GOOD
    one, half, other = along(solution(), exchanged(solution()), (0, 0.5, 1))
    return Finding(
        "001-35",
        "The cost of a net is non-convex: it has several minima, and descent may end in a local optimum.",
        f"[2, 2, 1] on XOR: the cost of a solution is {one:.2g} nats, of the same with its hidden units exchanged "
        f"{other:.2g}, half way between the two {half:.3g}; {stuck.sum()} of {STARTS} random starts end after "
        f"{STEPS:,} steps above {GOOD} nats, at {listed(np.unique(values[stuck].round(2)))}, where the gradient is "
        f"{slopes[stuck].max():.0e} at most",
        "equal ends, and more than either between them: a convex cost would have less; some starts, on flat ground",
        judged(
            abs(one - other) < 1e-6
            and half > 10 * max(one, other)
            and 0 < stuck.sum() < STARTS / 2
            and slopes[stuck].max() < 0.01
        ),
    )


CLAIMS = (not_convex,)


def pictures(folder):
    """The cost on the straight way between the two solutions, and where the starts end."""
    shares = np.linspace(-0.3, 1.3, 81)
    with room.picture(folder / "local_optima.png", "Two equal solutions of XOR, and a hill between them") as fig:
        left, right = fig.subplots(1, 2)
        left.plot(shares, along(solution(), exchanged(solution()), shares), color=curves.PALETTE[0])
        left.plot((0, 1), along(solution(), exchanged(solution()), (0, 1)), "*", color="black", ms=22)
        left.set(
            xlabel="share of the way",
            ylabel="cost (nats)",
            title="from a net to the same net, its hidden units exchanged",
        )
        left.set_xticks((0, 0.5, 1), ("a net", "half way", "exchanged"))
        values = np.sort(ends()[1])
        right.plot(np.arange(1, STARTS + 1), values, "o", color=curves.PALETTE[1])
        right.set(xlabel=f"{STARTS} random starts, sorted", ylabel="cost at the end (nats)")
        right.set_title(f"{(values > GOOD).sum()} of them end too high")
        for axes in (left, right):
            axes.grid()
    return ("local_optima.png",)


if __name__ == "__main__":
    main(CLAIMS, pictures)
