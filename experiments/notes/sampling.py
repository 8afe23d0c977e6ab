"""The examples that a step is computed from: one, a few, or all; how much noise and how much work that makes.

python -m experiments.notes.sampling [FOLDER]      40 s, pictures into FOLDER (runs/sampling)
"""

from functools import cache

import jax
import jax.numpy as jnp
import numpy as np

import fnn
from experiments.notes.descent import COST, NET, digits, start
from experiments.notes.findings import Finding, judged, listed, main
from fnn import SGD, Dense, Examples, LogLikelihood
from fnn.layers import DenseParams
from fnn.plots import curves, room
from fnn.training.order import permutation


def gradients(rule):
    """What a rule says of 1,000 digits at one point, the derivatives of an example or of all on the last axis."""
    x, y = digits().train.rows(slice(None))
    net = (Dense(10),)
    _, found = jax.jit(rule)(net, LogLikelihood(), fnn.init(net, jax.random.key(0), (64,)), x, y)
    W, b = (np.asarray(leaf, float) for leaf in found[0])
    return np.concatenate([W.reshape(*b.shape[:-1], -1), b], axis=-1)


@cache
def example_gradients():
    """The gradient of each of 1,000 digits at one point, `(1000, 650)`."""
    return gradients(fnn.per_example(fnn.backprop))


@cache
def whole_gradient():
    """The gradient of all of them together, `(650,)`."""
    return gradients(fnn.backprop)


def noise(m, replace, draws=2000):
    """The variance of the mean gradient of m examples, summed over coordinates, and the norm of its mean's error."""
    rng, each = np.random.default_rng(m), example_gradients()
    if replace:
        weights = rng.multinomial(m, np.full(1000, 1e-3), draws) / m
    else:
        weights = (rng.random((draws, 1000)).argsort(axis=1).argsort(axis=1) < m) / m
    means = weights @ each
    error = means - whole_gradient()
    return (error**2).sum(axis=1).mean(), np.linalg.norm(error.mean(axis=0))


def noise_of_samples():
    """A small sample estimates the gradient: right on average, with noise (000-21)."""
    sizes = np.array([1, 10, 100])
    found = [noise(m, True) for m in sizes]
    power = np.polyfit(np.log(sizes), np.log([v for v, _ in found]), 1)[0]
    bias = found[1][1] / np.linalg.norm(whole_gradient())
    ratio = noise(500, False)[0] / noise(500, True)[0]
    return Finding(
        "000-21",
        "A small sample estimates the gradient: right on average, with noise.",
        f"variance falls as m^{power:.3f} for m examples with replacement; without, m = 500 of 1,000: {ratio:.3f} of "
        f"it; the mean of 2,000 estimates (m = 10) is {bias:.1%} off",
        f"m^-1; (N-m)/(N-1) = {500 / 999:.3f}; 0",
        judged(abs(power + 1) < 0.05 and abs(ratio - 500 / 999) < 0.02 and bias < 0.05),
    )


def noise_by_size():
    """Steps on one example, a few or all of them are one algorithm, with more or less noise (004-07)."""
    jitter = []
    for size, epochs in ((1, 1), (10, 10), (1000, 200)):
        x, y = map(jnp.asarray, digits().train.rows(slice(None)))

        def on(p, rows, x=x, y=y):
            _, g = fnn.backprop(NET, COST, p, x[rows], y[rows])
            return SGD(0.1).update(p, (), g)[0], COST.value(
                fnn.forward(NET, p, x), y
            )  # the cost of all examples, not of the sample

        rng = np.random.default_rng(0)
        order = np.concatenate([rng.permutation(1000) for _ in range(epochs)])
        values = np.asarray(jax.jit(lambda p, r, on=on: jax.lax.scan(on, p, r)[1])(start(), order.reshape(-1, size)))
        jitter.append(float(np.diff(values[-100:]).std()))  # the standard deviation, since a steady fall is no noise
    return Finding(
        "004-07",
        "One example, a few, or all of them per step: one algorithm, with more or less noise.",
        f"spread of the steps of the cost of all 1,000 digits, last 100 steps, η = 0.1: sd {listed(jitter, 2)} nats "
        "for m = 1, 10, 1000",
        "falling with m",
        judged(jitter[0] > jitter[1] > jitter[2]),
    )


def by_the_book(p, data, key, size, eta, lmbda=0.0):
    """An epoch as the notes write it: shuffle, cut into mini-batches, step; the penalty is on W alone."""
    order, rule = np.asarray(permutation(key, data.n)), jax.jit(fnn.backprop)
    for first in range(0, data.n, size):
        rows = order[first : first + size]
        x, y = data.rows(rows)
        _, gradient = rule(NET[:1], COST, p, x, y)
        p = (DenseParams(p[0].W - eta * (gradient[0].W + lmbda * p[0].W), p[0].b - eta * gradient[0].b),)
    return p


def compiled_epoch():
    """A step of mini-batch descent subtracts η times the mean gradient of the batch (000-22)."""
    rng, worst, n = np.random.default_rng(0), 0.0, 24
    with jax.enable_x64(True):
        for size in rng.choice(np.arange(1, n + 1), 5, replace=False):
            for k in range(10):
                eta, lmbda = rng.uniform(0.01, 1), rng.choice([0.0, 0.1])
                data = Examples(rng.standard_normal((n, 5)), np.eye(3)[rng.integers(0, 3, n)])
                p = (DenseParams(jnp.asarray(rng.standard_normal((3, 5))), jnp.asarray(rng.standard_normal(3))),)
                args = data, jax.random.key(k)
                ours, _ = fnn.epoch(NET[:1], COST, SGD(eta, lmbda=lmbda), p, (), *args, batch_size=int(size))
                loop = by_the_book(p, *args, int(size), eta, lmbda)
                worst = max(worst, *(float(abs(a - b).max()) for a, b in zip(ours[0], loop[0], strict=True)))
    return Finding(
        "000-22",
        "A step of mini-batch descent subtracts η times the batch's mean gradient.",
        f"compiled epochs and Python loops, 50 random settings (5 batch sizes of 24 examples, η, λ, data, start, "
        f"order): at most {worst:.0e} apart",
        "at most 1e-12 (float64)",
        judged(worst < 1e-12),
    )


def pseudo_code():
    """Algorithm 1 draws m examples, estimates the gradient and updates, until a criterion stops it (004-05)."""
    with jax.enable_x64(True):
        rng = np.random.default_rng(3)
        data = Examples(rng.standard_normal((30, 5)), np.eye(3)[rng.integers(0, 3, 30)])
        p = (DenseParams(jnp.asarray(rng.standard_normal((3, 5))), jnp.zeros(3)),)
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
    """Batch descent adds up the gradients of all examples, at once with matrices or part by part (001-27)."""
    single = start()  # outside the float64 scope: `start` is cached, and others want it in float32
    with jax.enable_x64(True):
        x, y = (jnp.asarray(v, float) for v in digits().train.rows(slice(None)))
        p = jax.tree.map(lambda leaf: jnp.asarray(leaf, float), single)
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


def passes_to(accuracy, size, etas, limit):
    """The fewest passes over 1,000 digits that reach this training accuracy, at the best of these etas."""
    best = None
    for eta in etas:
        results = fnn.fit(
            NET, COST, SGD(eta), start(), digits().train, jax.random.key(0), batch_size=size, epochs=limit
        )
        found = next((r.epoch for r in results if r.train.accuracy >= accuracy), None)
        best = min(filter(None, (best, found)), default=None)
    return best


def sampling_pays():
    """With many examples the full gradient is slow, and a random sample per step is enough (003-18)."""
    by_sample = passes_to(0.9, 10, (0.1, 0.3, 1.0), 30)
    by_all = passes_to(0.9, 1000, (0.3, 1.0, 3.0), 400)
    return Finding(
        "003-18",
        "With many examples the full gradient is slow; a random sample per step is enough.",
        f"examples seen until 90 % of 1,000 digits are right, each at its best eta: "
        f"{1000 * (by_sample or np.nan):,.0f} with mini-batches of 10, {1000 * (by_all or np.nan):,.0f} with all at "
        "once",
        "far fewer",
        judged(by_sample and by_all and by_all > 5 * by_sample),
    )


CLAIMS = (noise_of_samples, compiled_epoch, in_chunks, sampling_pays, pseudo_code, noise_by_size)


def pictures(folder):
    """The noise of the gradient against the size of the sample; the cost against the work."""
    message = "A mini-batch is noisy, and gets there with far less work"
    with room.picture(folder / "sampling.png", message) as fig:
        left, right = fig.subplots(1, 2)
        sizes = np.array([1, 2, 5, 10, 20, 50, 100, 200, 500, 900])
        for i, replace in enumerate((True, False)):
            style = {"ls": curves.DASHES[i], "marker": "os"[i], "color": curves.PALETTE[i]}
            name = "with replacement" if replace else "without"
            left.plot(sizes, [noise(m, replace, 500)[0] for m in sizes], label=name, **style)
        left.plot(sizes, noise(1, True)[0] / sizes, ":", color="black", label="1/m")
        left.set(xscale="log", yscale="log", title="noise: less with every example drawn")
        left.set(xlabel="examples m in the sample (of 1,000)", ylabel="variance of the gradient")
        for i, (size, eta) in enumerate(((1, 0.1), (10, 0.5), (1000, 1.0))):
            args = NET, COST, SGD(eta), start(), digits().train, jax.random.key(0)
            values = [float(r.train.cost) for r in fnn.fit(*args, batch_size=size, epochs=20)]
            style = {"ls": curves.DASHES[i], "marker": "os^"[i], "color": curves.PALETTE[i]}
            right.plot(np.arange(1, 21), values, label=f"m = {size:,}, η = {eta:g}", **style)
        right.set(yscale="log", title="work: all at once is the slowest")
        right.set(xlabel="passes over 1,000 digits", ylabel="training cost (nats)")
        right.xaxis.get_major_locator().set_params(integer=True)
        for axes in (left, right):
            axes.legend()
            axes.grid()
    return ("sampling.png",)


if __name__ == "__main__":
    main(CLAIMS, pictures)
