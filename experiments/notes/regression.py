"""One linear or logistic unit: descent, the exact answer, and answers that are probabilities.

python -m experiments.notes.regression [FOLDER]      10 s, a picture into FOLDER (runs/regression)
"""

from functools import cache

import jax
import jax.numpy as jnp
import numpy as np

import fnn
from experiments.notes.findings import Finding, judged, listed, main
from fnn import SGD, CrossEntropy, Dense, Identity, Quadratic, Sigmoid
from fnn.layers import DenseParams
from fnn.plots import curves, room

UNIT = (Dense(1),)
TRUE = np.array([1.5, -1.0, 0.5, 0.3])  # weights and, last, the bias of the synthetic data


@cache
def points(n=400):
    """Inputs `(n, 3)`, noisy sums, and labels drawn with the probability σ(w·x + b)."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((n, 3))
    z = x @ TRUE[:3] + TRUE[3]
    return x, z + 0.3 * rng.standard_normal(n), (rng.random(n) < 1 / (1 + np.exp(-z))).astype(float)


def flat(p):
    """The params of the unit as one vector, bias last."""
    return np.append(np.asarray(p[0].W)[0], np.asarray(p[0].b))


def descended(cost, y, eta, steps):
    """The weights and the bias after every step of batch descent from zero, `(steps, 4)`, float64."""
    with jax.enable_x64(True):
        x, y = jnp.asarray(points()[0]), jnp.asarray(y)[:, None]

        def on(p, _):
            p = SGD(eta).update(p, (), fnn.backprop(UNIT, cost, p, x, y)[1])[0]
            return p, p

        start = (DenseParams(jnp.zeros((1, 3)), jnp.zeros(1)),)
        history = jax.jit(lambda p: jax.lax.scan(on, p, None, length=steps)[1])(start)
        return np.column_stack([np.asarray(history[0].W)[:, 0], np.asarray(history[0].b)])


@cache
def newton(n=400):
    """The weights of logistic regression on n points after each step of Newton's method from 0."""
    x, _, y = points(n)
    design, w, way = np.column_stack([x, np.ones(len(x))]), np.zeros(4), [np.zeros(4)]
    for _ in range(8):
        a = 1 / (1 + np.exp(-design @ w))
        hessian = design.T * (a * (1 - a)) @ design
        w = w - np.linalg.solve(hessian, design.T @ (a - y))
        way.append(w)
    return np.array(way)


def least_squares():
    """Linear regression minimises the mean squared distance, of gradient -2/n Σ (y - wᵀx) x (004-06)."""
    x, y, _ = points()
    exact, *_ = np.linalg.lstsq(np.column_stack([x, np.ones(len(x))]), y, rcond=None)
    apart = abs(descended(Quadratic(Identity()), y, 0.5, 300)[-1] - exact).max()
    with jax.enable_x64(True):
        p = (DenseParams(jnp.asarray([[0.2, 0.1, -0.3]]), jnp.asarray([0.4])),)
        _, g = fnn.backprop(UNIT, Quadratic(Identity()), p, jnp.asarray(x), jnp.asarray(y)[:, None])
        ours = 2 * np.asarray(g[0].W)[0]  # our cost has the factor 1/2
    slope = -2 / len(x) * ((y - x @ [0.2, 0.1, -0.3] - 0.4)[:, None] * x).sum(axis=0)
    return Finding(
        "004-06",
        "Linear regression minimises the mean squared distance; its gradient is -2/n Σ (y - wᵀx) x.",
        f"300 steps of descent end {apart:.0e} from least squares; twice our gradient (of half the square) differs "
        f"from the formula by {abs(ours - slope).max():.0e}",
        "below 1e-8; rounding",
        judged(apart < 1e-8 and abs(ours - slope).max() < 1e-13),
    )


def analytic_or_not():
    """The minimum has a formula for simple costs only; that of a net has to be searched for (003-20)."""
    x, y, _ = points()
    exact, *_ = np.linalg.lstsq(np.column_stack([x, np.ones(len(x))]), y, rcond=None)
    linear = abs(descended(Quadratic(Identity()), y, 0.5, 300)[-1] - exact).max()
    net, cost = (Dense(2), Sigmoid(), Dense(1)), Quadratic()
    corners, xor = fnn.load_data("xor", targets="binary").train.rows(slice(None))

    def final(key):
        def on(p, _):
            value, g = fnn.backprop(net, cost, p, corners, xor)
            return SGD(2.0).update(p, (), g)[0], value

        return jax.lax.scan(on, fnn.init(net, key, (2,)), None, length=20_000)[1][-1]

    costs = np.sort(np.asarray(jax.jit(jax.vmap(final))(jax.random.split(jax.random.key(0), 32))))
    return Finding(
        "003-20",
        "Only for simple costs can the minimum be written down; a net's has to be searched for.",
        f"linear unit: descent ends {linear:.0e} from the solved equations; a [2,2,1] sigmoid net on XOR, 32 starts, "
        f"20,000 steps: final costs from {costs[0]:.4f} to {costs[-1]:.4f}, median {np.median(costs):.4f}",
        "below 1e-8; different ends",
        judged(linear < 1e-8 and costs[-1] > 2 * costs[0]),
    )


def online():
    """Logistic regression is trained example by example with the error a - y (004-15)."""
    x, _, y = points()
    optimum = newton()[-1]
    design = np.column_stack([x, np.ones(len(x))])

    def cost(w):
        return float(np.mean(np.logaddexp(0, design @ w) - y * (design @ w)))

    with jax.enable_x64(True):
        start = (DenseParams(jnp.zeros((1, 3)), jnp.zeros(1)),)

        def on(p, row):
            k, i = row
            g = fnn.backprop(UNIT, CrossEntropy(), p, jnp.asarray(x)[i][None], jnp.asarray(y)[i][None, None])[1]
            return SGD(2.0 / (1 + 0.05 * k)).update(p, (), g)[0], None

        rows = np.random.default_rng(1).integers(0, len(x), 200_000)
        p = jax.jit(lambda p: jax.lax.scan(on, p, (jnp.arange(200_000.0), rows))[0])(start)
        p = jax.tree.map(np.asarray, p)
        _, g = fnn.backprop(UNIT, CrossEntropy(), start, jnp.asarray(x)[:1], jnp.asarray(y)[:1, None])
    off = abs(flat(g) - (0.5 - y[0]) * design[0]).max()
    gap = cost(flat(p)) - cost(optimum)
    return Finding(
        "004-15",
        "Logistic regression is trained example by example with the error a - y.",
        f"the gradient of the first example is a - y times its input, and a - y for the bias, to {off:.0e}; 200,000 "
        f"single examples at a falling rate end {gap:.1e} nats above the optimum that Newton's method finds",
        "rounding; below 1e-4",
        judged(off < 1e-15 and 0 <= gap < 1e-4),
    )


def answered(w, x):
    """What a logistic unit with these weights and, last, this bias answers."""
    with jax.enable_x64(True):
        p = (DenseParams(jnp.asarray(w[None, :3]), jnp.asarray(w[3:])),)
        return np.asarray(fnn.predict(UNIT, CrossEntropy(), p, jnp.asarray(x)))[:, 0]


def probabilities():
    """Logistic regression answers with a probability, a number between 0 and 1 (004-11)."""
    rng = np.random.default_rng(5)
    x = rng.standard_normal((50_000, 3))
    truth = 1 / (1 + np.exp(-(x @ TRUE[:3] + TRUE[3])))  # not by the library, which is judged by it
    w = newton(20_000)[-1]
    said = answered(w, x)
    label = rng.random(len(x)) < truth
    bins = np.digitize(said, np.linspace(0, 1, 11)[1:-1])
    off = max(abs(label[bins == b].mean() - said[bins == b].mean()) for b in range(10))
    return Finding(
        "004-11",
        "Logistic regression answers with a probability: a number between 0 and 1 that may be unsure.",
        f"answers from {said.min():.4f} to {said.max():.4f}; in ten groups of 50,000 new cases it is off from the "
        f"share of ones by at most {off:.3f}; learned weights {listed(w, 2)}, true {listed(TRUE, 2)}",
        "inside (0, 1); at most a few hundredths; weights from 20,000 examples",
        judged(said.min() > 0 and said.max() < 1 and off < 0.03),
    )


CLAIMS = (analytic_or_not, least_squares, probabilities, online)


def pictures(folder):
    """Newton against descent on logistic regression; the calibration of its answers."""
    w = newton(20_000)[-1]
    x = np.random.default_rng(5).standard_normal((50_000, 3))
    truth, said = answered(TRUE, x), answered(w, x)
    bins = np.digitize(said, np.linspace(0, 1, 11)[1:-1])
    label = np.random.default_rng(6).random(len(x)) < truth
    with room.picture(folder / "regression.png", "One logistic unit: its answers are probabilities") as fig:
        left, right = fig.subplots(1, 2)
        for i, eta in enumerate((0.3, 1.0, 3.0)):
            errors = np.linalg.norm(descended(CrossEntropy(), points()[2], eta, 60) - newton()[-1], axis=1)
            left.plot(
                np.arange(1, 61), errors, curves.DASHES[i], color=curves.PALETTE[i], label=f"descent, η = {eta:g}"
            )
        errors = np.linalg.norm(newton() - newton()[-1], axis=1)[:6]
        left.plot(range(6), np.maximum(errors, 1e-16), "o-", color="black", label="Newton")
        left.set(yscale="log", ylim=(1e-13, 10), xlabel="step", ylabel="distance from the optimum")
        left.set_title("Newton's method takes five steps")
        right.plot([0, 1], [0, 1], "--", color="0.5", label="calibrated")
        means, ones = ([values[bins == b].mean() for b in range(10)] for values in (said, label))
        right.plot(means, ones, "o", color=curves.PALETTE[0], label="50,000 new cases\nin ten groups")
        right.set(xlabel="what the unit answers", ylabel="share of ones", title="as often right as it says")
        for axes in (left, right):
            axes.grid()
            axes.legend()
    return ("regression.png",)


if __name__ == "__main__":
    main(CLAIMS, pictures)
