"""Gradient descent: the step, its size, when to stop, and what it needs from the cost.

python -m experiments.notes.descent [FOLDER]      30 s, a picture into FOLDER (runs/descent); needs MNIST
"""

from functools import cache

import jax
import jax.numpy as jnp
import numpy as np

import fnn
from experiments.notes.findings import Finding, judged, listed, main
from experiments.notes.seeds import grid
from fnn import SGD, CrossEntropy, Dense, Quadratic, Sigmoid, Step
from fnn.plots import curves
from fnn.schedules import EarlyStopping, HalveOnPlateau, Progress

NET, COST = (Dense(30), Sigmoid(), Dense(10)), CrossEntropy()
CURVATURES = np.array([1.0, 10.0])  # of the valley ½ (x² + 10 y²)
RATES, FACTORS = (0.025, 0.25, 2.5), (0.01, 0.5, 0.98, 1.02)


@cache
def digits():
    """1,000 digits for training, 400 for validation."""
    return fnn.load_data("digits", train=1000, validation=400)


@cache
def start(seed=0):
    """Params for `NET` on digits."""
    return fnn.init(NET, jax.random.key(seed), (64,))


def valley(eta, steps=100):
    """The cost of each step of descent in the valley from (1, 1)."""
    points = (1 - eta * CURVATURES) ** np.arange(steps + 1)[:, None]
    return 0.5 * (CURVATURES * points**2).sum(axis=1)


def learns():
    """Learning finds the parameters by itself (000-09)."""
    data, before, after = digits(), [], []
    for seed in range(5):
        results = fnn.fit(NET, COST, SGD(0.5), start(seed), data.train, jax.random.key(seed), batch_size=10, epochs=5)
        before.append(float(fnn.evaluate(NET, COST, start(seed), data.validation).accuracy))
        *_, last = results
        after.append(float(fnn.evaluate(NET, COST, last.params, data.validation).accuracy))
    return Finding(
        "000-09",
        "Learning finds the parameters by itself.",
        f"400 unseen digits, 5 seeds: {min(before):.0%} to {max(before):.0%} right at the random start, "
        f"{min(after):.0%} to {max(after):.0%} after 5 epochs on 1,000",
        "about 10 %, then far above",
        judged(max(before) < 0.25 and min(after) > 0.8),
    )


def step_and_its_limit():
    """Each parameter moves against its own derivative times η, and the cost falls if η is small (000-14)."""
    x, y = digits().train.rows(slice(10))
    _, nabla = jax.jit(fnn.backprop)(NET, COST, start(), x, y)
    new, _ = jax.jit(lambda p, g: SGD(0.5).update(p, (), g))(start(), nabla)
    W, g = np.asarray(start()[0].W), np.asarray(nabla[0].W)
    loop = np.array([[W[i, j] - np.float32(0.5) * g[i, j] for j in range(64)] for i in range(30)], np.float32)
    ulp = abs(np.asarray(new[0].W) - loop).max()
    falls = [bool((np.diff(valley(eta)) < 0).all()) for eta in (0.05, 0.19, 0.21)]
    return Finding(
        "000-14",
        "Each parameter moves against its own derivative, times the learning rate; small rates lower the cost.",
        f"one step and a loop over 1,920 weights differ by {ulp:.0e} (float32); in the valley ½(x²+10y²) the cost "
        f"falls at η = 0.05 {falls[0]}, 0.19 {falls[1]}, 0.21 {falls[2]}",
        "at most a last digit; falls below 2/λmax = 0.2, grows beyond",
        judged(ulp <= 1e-7 and falls == [True, True, False]),
    )


def unit_at_its_limit():
    """2/λmax of a linear unit on the unit square; by which factor 2,000 steps at `FACTORS` of it change the cost."""
    rng = np.random.default_rng(0)
    x = rng.random((1000, 2))
    design = np.column_stack([x, np.ones(1000)])
    limit = 2 / np.linalg.eigvalsh(design.T @ design / 1000).max()
    with jax.enable_x64(True):
        net, cost, y = (Dense(1),), Quadratic(fnn.Identity()), jnp.asarray(x @ [[1.0], [-1.0]] + 0.5)
        p = (fnn.layers.DenseParams(jnp.asarray(rng.standard_normal((1, 2))), jnp.zeros(1)),)

        def ratio(eta):
            def on(p, _):
                value, gradient = fnn.backprop(net, cost, p, jnp.asarray(x), y)
                return SGD(eta).update(p, (), gradient)[0], value

            values = jax.lax.scan(on, p, None, length=2000)[1]
            return values[-1] / values[0]

        factors = np.array(FACTORS)
        ratios = np.asarray(jax.jit(jax.vmap(ratio))(jnp.asarray(factors * limit)))
    return limit, ratios


@cache
def by_rate():
    """The training cost of [784, 30, 10] after each of 12 epochs on 5,000 images, at the book's three rates."""
    data = fnn.load_data("mnist", train=5000)
    results = grid(NET, COST, SGD(jnp.array(RATES), lmbda=1e-4), data, epochs=12, seeds=1, validate=False)
    return np.stack([np.asarray(r.train.cost) for r in results], axis=1)


def learning_rate():
    """The learning rate matters most: learning is slow if it is too small, and diverges if too large (001-21)."""
    limit, ratios = unit_at_its_limit()
    values = by_rate()
    rises = [int((np.diff(row) > 0).sum()) for row in values]
    return Finding(
        "001-21",
        "The learning rate is the most important setting: too small is slow, too large diverges.",
        f"a linear unit on the unit square, limit 2/λmax = {limit:.3f}: after 2,000 steps at {listed(FACTORS)} of it "
        f"the cost is {listed(ratios, 2)} of its start; [784, 30, 10] on 5,000 images at η = {listed(RATES)}: training "
        f"cost after 12 epochs {listed(values[:, -1], 3)} nats, having risen in {listed(rises)} of 11 epochs",
        "the limit is 1.308 for infinitely many points; growing beyond it. The net: slow and smooth, best, up and down "
        "(as in the book at these rates)",
        judged(
            ratios[3] > 1 > ratios[0] > ratios[1]
            and ratios[2] < 1
            and abs(limit - 1.308) < 0.05
            and values[:, -1].argmin() == 1
            and rises[0] == 0
            and rises[2] > rises[1]
        ),
    )


def three_difficulties():
    """Sigmoids, a smooth cost and samples make learning easier than steps, error rates and all the data (000-18)."""
    x, y = digits().train.rows(slice(None))
    hard = (Dense(30), Step(), Dense(10))
    _, through_steps = jax.jit(fnn.backprop)(hard, Quadratic(Step()), start(), x, y)
    none = max(float(abs(leaf).max()) for leaf in jax.tree.leaves(through_steps))

    def error_rate(p):
        return jnp.mean(jnp.where(fnn.forward(NET, p, x).argmax(axis=1) == y.argmax(axis=1), 0.0, 1.0))

    flat = max(float(abs(leaf).max()) for leaf in jax.tree.leaves(jax.jit(jax.grad(error_rate))(start())))
    reached = []
    for size in (1000, 10):
        *_, last = fnn.fit(NET, COST, SGD(0.5), start(), digits().train, jax.random.key(0), batch_size=size, epochs=3)
        reached.append(float(last.train.accuracy))
    return Finding(
        "000-18",
        "Steps, error rates and whole data sets are hard to learn with; sigmoids, a smooth cost and samples cure that.",
        f"gradient through steps {none:g}, of the error rate {flat:g}; after 3 passes with one update each "
        f"{reached[0]:.0%} right, with 100 updates each {reached[1]:.0%}",
        "0; 0; far more",
        judged(none == flat == 0 and reached[1] > reached[0] + 0.3),
    )


def crucial_ingredient():
    """Learning needs the gradient, which is why sigmoids replaced perceptrons (003-21)."""
    x, y = digits().train.rows(slice(None))
    norms = []
    for f in (Step(), Sigmoid()):
        _, g = jax.jit(fnn.backprop)((Dense(30), f, Dense(10)), Quadratic(f), start(), x, y)
        norms.append(float(jnp.sqrt(sum(jnp.square(leaf).sum() for leaf in jax.tree.leaves(g)))))
    return Finding(
        "003-21",
        "The gradient is what learning lives on: that is why sigmoids replaced perceptrons.",
        f"norm of the gradient on 1,000 digits: perceptrons {norms[0]:g}, sigmoid neurons {norms[1]:.3f}",
        "0 and above 0",
        judged(norms[0] == 0 < norms[1]),
    )


def until_stopped(rule, scores):
    """The epoch after which a schedule stops, and its halvings, over these scores."""
    progress, factors = Progress(), []
    for epoch, score in enumerate(scores, 1):
        progress = rule.after(progress, float(score))
        factors.append(progress.factor)
        if progress.factor == 0:
            return epoch, len(set(factors) - {1.0, 0.0})
    return None, len(set(factors) - {1.0, 0.0})


def by_definition(scores, n):
    """The first epoch after which none of the last n beat the best before them."""
    return next((e for e in range(n + 1, len(scores) + 1) if max(scores[e - n : e]) <= max(scores[: e - n])), None)


def backtracking():
    """Costs of steps that are accepted only if the cost falls, else halved."""
    x, y = digits().train.rows(slice(300))
    rule, p, eta, values = jax.jit(fnn.backprop), start(), 64.0, []
    value, gradient = rule(NET, COST, p, x, y)
    for _ in range(30):
        new = jax.tree.map(lambda q, g, eta=eta: q - eta * g, p, gradient)
        after, next_gradient = rule(NET, COST, new, x, y)
        if after < value:
            p, value, gradient = new, after, next_gradient
            values.append(float(value))
        else:
            eta /= 2
    return values


def stopping():
    """One can stop when nothing improves, and accept a step only if the cost falls (003-16)."""
    rng = np.random.default_rng(0)
    curves = [1 - 1 / np.arange(1, 200) ** 0.7 + 0.01 * rng.standard_normal(199) for _ in range(50)]
    same = sum(until_stopped(EarlyStopping(10), c)[0] == by_definition(c, 10) for c in curves)
    flat = until_stopped(HalveOnPlateau(10), np.zeros(200))
    values = backtracking()
    return Finding(
        "003-16",
        "How to update, when to stop, and to accept a step only if the cost falls.",
        f"'no improvement in 10' stops at the epoch of its definition for {same} of 50 noisy curves; on a flat one the "
        f"seventh halving ends it, after epoch {flat[0]}; accepting only falls: {len(values)} steps, all down: "
        f"{bool((np.diff(values) < 0).all())}",
        "50; 71 = 1 + 7·10; True",
        judged(same == 50 and flat == (71, 6) and (np.diff(values) < 0).all() and len(values) > 5),
    )


CLAIMS = (learns, step_and_its_limit, three_difficulties, learning_rate, stopping, crucial_ingredient)


def pictures(folder):
    """The way down the valley at three rates; a network at three rates."""
    fig = curves.figure(10.0, 4.0)
    left, right = fig.subplots(1, 2)
    x, y = np.meshgrid(np.linspace(-0.7, 1.2, 200), np.linspace(-1.6, 1.6, 200))
    left.contour(x, y, 0.5 * (x**2 + 10 * y**2), levels=np.geomspace(0.05, 8, 9), colors="0.75", linewidths=0.8)
    for i, eta in enumerate((0.03, 0.18, 0.205)):
        way = (1 - eta * CURVATURES) ** np.arange(16)[:, None]
        style = {"ls": curves.DASHES[i], "marker": "os^"[i], "color": curves.PALETTE[i], "ms": 3}
        left.plot(way[:, 0], way[:, 1], label=f"η = {eta}", **style)
    left.plot(0, 0, "*", color="black", ms=12)
    left.set(xlim=(-0.7, 1.2), ylim=(-1.6, 1.6), xlabel="x", ylabel="y", title="½(x² + 10y²): 15 steps; limit η = 0.2")
    left.legend(frameon=False, loc="lower left")
    values = by_rate()
    for i, (eta, row) in enumerate(zip(RATES, values, strict=True)):
        style = {"ls": curves.DASHES[i], "marker": "os^"[i], "color": curves.PALETTE[i], "ms": 4}
        right.plot(np.arange(1, len(row) + 1), row, label=f"η = {eta:g}", **style)
    right.set(xlabel="epoch", ylabel="training cost (nats)", ylim=(0, None), title="[784, 30, 10] on 5,000 images")
    right.grid(alpha=0.3)
    right.legend(frameon=False)
    curves.write(fig, folder / "descent.png")
    return ("descent.png",)


if __name__ == "__main__":
    main(CLAIMS, pictures)
