"""Gradient descent: the step, its size, its noise, and what it needs from the cost.

python experiments/descent.py [FOLDER]      30 s, pictures into FOLDER (runs/descent)
"""

from functools import cache

import jax
import jax.numpy as jnp
import numpy as np
from findings import Finding, corrected, judged, listed, main

import fnn
from fnn import SGD, CrossEntropy, Dense, Examples, LogLikelihood, Quadratic, Sigmoid, Step, plots
from fnn.schedules import EarlyStopping, HalveOnPlateau, Progress
from fnn.shuffling import permutation

NET, COST = (Dense(30), Sigmoid(), Dense(10)), CrossEntropy()
CURVATURES = np.array([1.0, 10.0])  # of the valley ½ (x² + 10 y²)


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
    """000-09."""
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
        f"{min(after):.0%} to "
        f"{max(after):.0%} after 5 epochs on 1,000",
        "about 10 %, then far above",
        judged(max(before) < 0.25 and min(after) > 0.8),
    )


def step_and_its_limit():
    """000-14."""
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
        "falls at "
        f"η = 0.05 {falls[0]}, 0.19 {falls[1]}, 0.21 {falls[2]}",
        "at most a last digit; falls below 2/λmax = 0.2, grows beyond",
        judged(ulp <= 1e-7 and falls == [True, True, False]),
    )


def learning_rate_limit():
    """001-21."""
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

        factors = np.array([0.01, 0.5, 0.98, 1.02])
        ratios = np.asarray(jax.jit(jax.vmap(ratio))(jnp.asarray(factors * limit)))
    return Finding(
        "001-21",
        "The learning rate is the most important setting: too small is slow, too large diverges.",
        f"a linear unit on the unit square, limit 2/λmax = {limit:.3f}; after 2,000 steps at {listed(factors)} of it "
        "the "
        f"cost is {listed(ratios, 2)} of its start",
        "the limit is 1.308 for infinitely many points; least in between, growing beyond it",
        judged(ratios[3] > 1 > ratios[0] > ratios[1] and ratios[2] < 1 and abs(limit - 1.308) < 0.05),
    )


def three_difficulties():
    """000-18."""
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
    """003-21."""
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


@cache
def example_gradients():
    """The gradient of each of 1,000 digits at one point, `(1000, 650)`."""
    x, y = digits().train.rows(slice(None))
    net = (Dense(10),)
    p = fnn.init(net, jax.random.key(0), (64,))
    _, each = jax.jit(fnn.per_example(fnn.backprop))(net, LogLikelihood(), p, x, y)
    return np.concatenate([np.asarray(each[0].W).reshape(1000, -1), np.asarray(each[0].b)], axis=1).astype(float)


def noise(m, replace, draws=2000):
    """The variance of the mean gradient of m examples, summed over coordinates, and the norm of its mean's error."""
    rng, each = np.random.default_rng(m), example_gradients()
    if replace:
        weights = rng.multinomial(m, np.full(1000, 1e-3), draws) / m
    else:
        weights = (rng.random((draws, 1000)).argsort(axis=1).argsort(axis=1) < m) / m
    means = weights @ each
    error = means - each.mean(axis=0)
    return (error**2).sum(axis=1).mean(), np.linalg.norm(error.mean(axis=0))


def noise_of_samples():
    """000-21."""
    sizes = np.array([1, 10, 100])
    found = [noise(m, True) for m in sizes]
    power = np.polyfit(np.log(sizes), np.log([v for v, _ in found]), 1)[0]
    bias = found[1][1] / np.linalg.norm(example_gradients().mean(axis=0))
    ratio = noise(500, False)[0] / noise(500, True)[0]
    return Finding(
        "000-21",
        "A small sample estimates the gradient: right on average, with noise.",
        f"variance falls as m^{power:.3f} for m examples with replacement; without, m = 500 of 1,000: {ratio:.3f} of "
        "it; "
        f"the mean of 2,000 estimates (m = 10) is {bias:.1%} off",
        f"m^-1; (N-m)/(N-1) = {500 / 999:.3f}; 0",
        judged(abs(power + 1) < 0.05 and abs(ratio - 500 / 999) < 0.02 and bias < 0.05),
    )


def noise_by_size():
    """004-07."""
    jitter = []
    for size, epochs in ((1, 1), (10, 10), (1000, 200)):
        x, y = map(jnp.asarray, digits().train.rows(slice(None)))

        def on(p, rows, x=x, y=y):
            value, g = fnn.backprop(NET, COST, p, x[rows], y[rows])
            return SGD(0.1).update(p, (), g)[0], value

        rng = np.random.default_rng(0)
        order = np.concatenate([rng.permutation(1000) for _ in range(epochs)])
        values = np.asarray(jax.jit(lambda p, r, on=on: jax.lax.scan(on, p, r)[1])(start(), order.reshape(-1, size)))
        jitter.append(float(np.abs(np.diff(values[-100:])).mean()))
    return Finding(
        "004-07",
        "One example, a few, or all of them per step: one algorithm, with more or less noise.",
        f"mean jump of the cost from step to step, last 100 steps: {listed(jitter, 2)} for m = 1, 10, 1000",
        "falling with m",
        judged(jitter[0] > jitter[1] > jitter[2]),
    )


def by_the_book(p, data, key, size, eta):
    """An epoch as the notes write it: shuffle, cut into mini-batches, step."""
    order, rule = np.asarray(permutation(key, data.n)), jax.jit(fnn.backprop)
    for first in range(0, data.n, size):
        rows = order[first : first + size]
        x, y = data.rows(rows)
        _, gradient = rule(NET[:1], COST, p, x, y)
        p = jax.tree.map(lambda q, g: q - eta * g, p, gradient)
    return p


def compiled_epoch():
    """000-22."""
    rng, worst = np.random.default_rng(0), 0.0
    with jax.enable_x64(True):
        for k in range(5):
            n, size = 24, int(rng.integers(1, 25))
            data = Examples(rng.standard_normal((n, 5)), np.eye(3)[rng.integers(0, 3, n)])
            p = (fnn.layers.DenseParams(jnp.asarray(rng.standard_normal((3, 5))), jnp.asarray(rng.standard_normal(3))),)
            ours, _ = fnn.epoch(NET[:1], COST, SGD(0.5), p, (), data, jax.random.key(k), batch_size=size)
            loop = by_the_book(p, data, jax.random.key(k), size, 0.5)
            worst = max(worst, float(abs(ours[0].W - loop[0].W).max()))
    return Finding(
        "000-22",
        "A step of mini-batch descent subtracts η times the batch's mean gradient.",
        f"compiled epochs and Python loops, 5 batch sizes of 24 examples: at most {worst:.0e} apart",
        "at most 1e-12 (float64)",
        judged(worst < 1e-12),
    )


def pseudo_code():
    """004-05."""
    with jax.enable_x64(True):
        rng = np.random.default_rng(3)
        data = Examples(rng.standard_normal((30, 5)), np.eye(3)[rng.integers(0, 3, 30)])
        p = (fnn.layers.DenseParams(jnp.asarray(rng.standard_normal((3, 5))), jnp.zeros(3)),)
        key, target = jax.random.key(0), 1.6
        results = list(fnn.fit(NET[:1], COST, SGD(0.3), p, data, key, batch_size=7, epochs=50, target_cost=target))
        epochs, q = 0, p
        while epochs < 50:  # "while not stopped: sample m, estimate the gradient, update"
            epochs += 1
            q = by_the_book(q, data, jax.random.fold_in(key, epochs), 7, 0.3)
            if float(COST.value(fnn.forward(NET[:1], q, data.x), jnp.asarray(data.y))) <= target:
                break
        apart = float(abs(results[-1].params[0].W - q[0].W).max())
    return Finding(
        "004-05",
        "Algorithm 1: until a criterion stops it, draw m examples, estimate the gradient, update.",
        f"training and the pseudo-code taken literally stop after {results[-1].epoch} and {epochs} epochs, "
        f"{apart:.0e} apart",
        "the same epoch, before the 50th; rounding",
        judged(results[-1].epoch == epochs < 50 and apart < 1e-12),
    )


def in_chunks():
    """001-27."""
    with jax.enable_x64(True):
        x, y = (jnp.asarray(v, float) for v in digits().train.rows(slice(None)))
        p = jax.tree.map(lambda leaf: jnp.asarray(leaf, float), start())
        rule = jax.jit(fnn.backprop)
        _, whole = rule(NET, COST, p, x, y)
        parts = [rule(NET, COST, p, x[i : i + 100], y[i : i + 100])[1] for i in range(0, 1000, 100)]
        summed = jax.tree.map(lambda *g: sum(g) / 10, *parts)
        worst = max(float(abs(a - b).max()) for a, b in zip(*map(jax.tree.leaves, (whole, summed)), strict=True))
    return Finding(
        "001-27",
        "Batch descent adds up the gradients of all examples; with matrices at once, or part by part.",
        f"1,000 digits at once and ten times 100 added up: {worst:.0e} apart",
        "rounding",
        judged(worst < 1e-14),
    )


def accumulators():
    """E15."""
    right, wrong, total = 0.0, 0.0, 0.0
    early, highest = [], 0.0
    for t in range(60):
        right -= 0.1 * (right - 3)
        total += wrong - 3
        wrong -= 0.1 * total
        early, highest = early + [wrong] * (t < 3), max(highest, wrong)
    return Finding(
        "E15",
        "The sums of the gradient must be set to 0 before each step; in the notes this stands before the loop.",
        f"½(w-3)² from 0, α = 0.1, 60 steps: w = {wrong:.4f} as written, after {listed(early)}, … and up to "
        f"{highest:.4f}; "
        f"{right:.10f} corrected",
        "an oscillation up to 6.0380; 2.9946089691",
        corrected(abs(wrong - 3) < 0.1, abs(right - 2.9946089691) < 1e-9),
    )


def sums_and_means():
    """003-19."""
    x, y = digits().train.rows(slice(10))
    rule = jax.jit(fnn.backprop)
    _, mean = rule(NET, COST, start(), x, y)
    total = jax.tree.map(
        lambda *g: sum(g), *[rule(NET, COST, start(), x[i : i + 1], y[i : i + 1])[1] for i in range(10)]
    )
    by_mean, by_sum = (
        jax.tree.map(lambda p, g, eta=eta: p - eta * g, start(), g) for eta, g in ((0.5, mean), (0.5 / 10, total))
    )
    apart = max(float(abs(a - b).max()) for a, b in zip(*map(jax.tree.leaves, (by_mean, by_sum)), strict=True))
    return Finding(
        "003-19",
        "Whether a mini-batch's gradients are summed or averaged, the learning rate absorbs it.",
        f"η on the mean of 10 and η/10 on their sum give parameters {apart:.0e} apart (float32)",
        "rounding",
        judged(apart < 1e-6),
    )


def unknown_number():
    """E21."""
    gradients = np.random.default_rng(0).standard_normal(50) + 1
    summed = -0.01 * gradients.sum()
    assumed = {n: -(0.01 * 50) * gradients.sum() / n for n in (50, 500)}  # the mean's η, with a guess of n
    return Finding(
        "E21",
        "For data that arrive in real time it is leaving out the 1/n that helps, since n is unknown; the slide has it "
        "the "
        "other way.",
        f"a stream of 50: the sum needs no n; the mean with n taken as 500 steps {assumed[500] / summed:.2f} times as "
        "far",
        "n/n assumed = 0.1",
        corrected(
            np.isclose(assumed[500], summed), np.isclose(assumed[50], summed) and np.isclose(assumed[500], summed / 10)
        ),
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
    """003-16."""
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


def passes_to(accuracy, size, etas, limit):
    """The least number of passes over 1,000 digits to this training accuracy, at the best of these etas."""
    best = None
    for eta in etas:
        results = fnn.fit(
            NET, COST, SGD(eta), start(), digits().train, jax.random.key(0), batch_size=size, epochs=limit
        )
        found = next((r.epoch for r in results if r.train.accuracy >= accuracy), None)
        best = min(filter(None, (best, found)), default=None)
    return best


def sampling_pays():
    """003-18."""
    by_sample = passes_to(0.9, 10, (0.1, 0.3, 1.0), 30)
    by_all = passes_to(0.9, 1000, (0.3, 1.0, 3.0), 400)
    return Finding(
        "003-18",
        "With many examples the full gradient is slow; a random sample per step is enough.",
        f"examples seen until 90 % of 1,000 digits are right, each at its best eta: {1000 * by_sample:,} with "
        "mini-batches "
        f"of 10, {1000 * by_all:,} with all at once",
        "far fewer",
        judged(by_sample and by_all and by_all > 5 * by_sample),
    )


CLAIMS = (
    *(learns, step_and_its_limit, three_difficulties, noise_of_samples, compiled_epoch, learning_rate_limit, in_chunks),
    *(stopping, sampling_pays, sums_and_means, crucial_ingredient, pseudo_code, noise_by_size, accumulators),
    unknown_number,
)


def pictures(folder):
    """Ways down the valley at four learning rates; the noise of the gradient against the size of the sample."""
    fig = plots.figure(10.0, 4.0)
    left, right = fig.subplots(1, 2)
    x, y = np.meshgrid(np.linspace(-1.2, 1.2, 200), np.linspace(-1.2, 1.2, 200))
    left.contour(x, y, 0.5 * (x**2 + 10 * y**2), levels=np.geomspace(0.05, 8, 9), colors="0.75", linewidths=0.8)
    for i, eta in enumerate((0.03, 0.18, 0.205)):
        way = (1 - eta * CURVATURES) ** np.arange(16)[:, None]
        left.plot(
            way[:, 0], way[:, 1], plots.DASHES[i], marker="os^"[i], ms=3, color=plots.PALETTE[i], label=f"η = {eta}"
        )
    left.plot(0, 0, "*", color="black", ms=12)
    left.set(xlim=(-0.4, 1.2), ylim=(-1.6, 1.6), xlabel="x", ylabel="y", title="½(x² + 10y²): 15 steps; limit η = 0.2")
    left.legend(frameon=False, loc="lower left")
    sizes = np.array([1, 2, 5, 10, 20, 50, 100, 200, 500, 900])
    for i, replace in enumerate((True, False)):
        name = "drawn with" if replace else "drawn without"
        style = {"ls": plots.DASHES[i], "marker": "os"[i], "color": plots.PALETTE[i], "ms": 4}
        right.plot(sizes, [noise(m, replace, 500)[0] for m in sizes], label=f"{name} replacement", **style)
    right.plot(sizes, noise(1, True)[0] / sizes, ":", color="black", label="1/m")
    right.set(xscale="log", yscale="log", xlabel="examples m in the sample (of 1,000 digits)",
              ylabel="variance of the gradient (summed)", title="The noise of a mini-batch")  # fmt: skip
    right.legend(frameon=False)
    right.grid(alpha=0.3)
    plots.write(fig, folder / "descent.png")
    return ("descent.png",)


if __name__ == "__main__":
    main(CLAIMS, pictures)
