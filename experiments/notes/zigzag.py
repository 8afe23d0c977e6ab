"""Inputs that are all positive: the entries of a unit's gradient have one sign, and descent goes in a zig-zag.

python -m experiments.notes.zigzag [FOLDER]      3 s, pictures into FOLDER (runs/zigzag)
"""

import jax
import jax.numpy as jnp
import numpy as np

import fnn
from experiments.notes.findings import Finding, corrected, listed, main
from fnn import Dense, Identity, Quadratic
from fnn.layers import DenseParams
from fnn.plots import curves

NET, COST = (Dense(1),), Quadratic(Identity())


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


def hessian(centred):
    """The exact second derivatives of a linear unit with a bias on inputs uniform in the unit square."""
    mean = 0.0 if centred else 0.5
    second = 1 / 12 + mean**2
    return np.array([[second, mean**2, mean], [mean**2, second, mean], [mean, mean, 1]])


def one_sign():
    """With positive inputs an example's gradient has entries of one sign; a mini-batch's need not (001-29)."""
    shares = {(c, m): agreement(points(c), m) for c in (False, True) for m in (1, 10)}
    conditions = [np.linalg.cond(hessian(c)) for c in (False, True)]
    return Finding(
        "001-29",
        "If all inputs of a unit are positive, so are all entries of its gradient, or none, and it can only zig-zag: "
        "true for one example, not for the mean over a mini-batch.",
        f"gradients of one sign: {shares[False, 1]:.0%} for one example, but {shares[False, 10]:.0%} for mini-batches "
        f"of 10 (centred inputs {shares[True, 1]:.0%} and {shares[True, 10]:.0%}); condition {conditions[0]:.4f}, "
        f"centred {conditions[1]:.0f}",
        "100 % for one example, fewer for a mini-batch; 28.0477 and 12",
        corrected(shares[False, 10] == 1, shares[False, 1] == 1 and np.allclose(conditions, [28.0476797603, 12])),
    )


def signs_of_what():
    """It is the gradient whose entries all have one sign, not the weights, as one slide says (E18)."""
    x, w = points(False), np.array([[1.0, -1.0]])
    mixed = bool((w > 0).any() and (w < 0).any())
    share = agreement(x, 1)
    return Finding(
        "E18",
        "It is the gradient, not the weights as one slide writes, whose entries all have one sign.",
        f"a unit on positive inputs may well have weights {listed(w[0])}: of both signs {mixed}; its gradients have "
        f"one sign in {share:.0%} of cases",
        "True; 100 %",
        corrected(not mixed, share == 1),
    )


CLAIMS = (one_sign, signs_of_what)


def path(centred, eta, steps=40):
    """Weights of a linear unit without bias on the way from 0 to the target (1, -0.6), one example per step."""
    x = points(centred)
    target, w, way = np.array([1.0, -0.6]), np.zeros(2), [np.zeros(2)]
    for k in range(steps):
        row = x[k]
        w = w - eta * ((w - target) @ row) * row
        way.append(w)
    return np.array(way), target


def pictures(folder):
    """The way of two weights, with positive inputs and with centred ones."""
    fig = curves.figure(9.6, 4.2)
    for axes, centred in zip(fig.subplots(1, 2, sharex=True, sharey=True), (False, True), strict=True):
        way, target = path(centred, 4.0 if centred else 1.0)
        axes.plot(way[:, 0], way[:, 1], "o-", ms=3, lw=1, color=curves.PALETTE[0], label="weights, a step per example")
        axes.plot(*target, "*", ms=14, color=curves.PALETTE[1], mec="black", label="where they should go")
        axes.axhline(0, color="black", lw=0.5)
        axes.axvline(0, color="black", lw=0.5)
        axes.set(xlabel="w1", title="centred inputs, eta = 4" if centred else "positive inputs, eta = 1")
        axes.grid(alpha=0.3)
    fig.axes[0].set_ylabel("w2")
    fig.axes[0].legend(frameon=False, loc="lower left", fontsize="small")
    curves.write(fig, folder / "zigzag.png")
    return ("zigzag.png",)


if __name__ == "__main__":
    main(CLAIMS, pictures)
