"""Gradient descent: the step, its size, when to stop, and what it needs from the cost.

python -m experiments.notes.descent [FOLDER]      20 s, a picture into FOLDER (runs/descent)
"""

from functools import cache, partial

import jax
import jax.numpy as jnp
import numpy as np

import fnn
from experiments.notes.findings import Finding, judged, main
from experiments.notes.taylor import SQUARES, UNIT, VALLEY, unit
from fnn import SGD, CrossEntropy, Dense, Quadratic, Sigmoid, Step
from fnn.plots import curves, room
from fnn.schedules import EarlyStopping, HalveOnPlateau, Progress

NET, COST = (Dense(30), Sigmoid(), Dense(10)), CrossEntropy()


@cache
def digits():
    """1,000 digits for training, 400 for validation."""
    return fnn.load_data("digits", train=1000, validation=400)


@cache
def start(seed=0):
    """Params for `NET` on digits."""
    return fnn.init(NET, jax.random.key(seed), (64,))


def valley(eta, steps=100):
    """The weights of a unit with the cost ½ (x² + 10 y²) on its way down from (1, 1), and the cost at each of them."""
    with jax.enable_x64(True):
        x, y = jnp.asarray(VALLEY), jnp.zeros((4, 1))

        def on(p, _):
            value, gradient = fnn.backprop(UNIT, SQUARES, p, x, y)
            return SGD(eta).update(p, (), gradient)[0], (p[0].W[0], value)

        return jax.tree.map(np.asarray, jax.lax.scan(on, unit([1.0, 1.0]), None, length=steps + 1)[1])


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
    falls = [bool((np.diff(valley(eta)[1]) < 0).all()) for eta in (0.05, 0.19, 0.21)]
    return Finding(
        "000-14",
        "Each parameter moves against its own derivative, times the learning rate; small rates lower the cost.",
        f"one step and a loop over 1,920 weights differ by {ulp:.0e} (float32); in the valley ½(x²+10y²) the cost "
        f"falls at η = 0.05 {falls[0]}, 0.19 {falls[1]}, 0.21 {falls[2]}",
        "at most a last digit; falls below 2/λmax = 0.2, grows beyond",
        judged(ulp <= 1e-7 and falls == [True, True, False]),
    )


def drawn(key, count):
    """Points of the square [-1, 1]² and whether their two numbers have one sign, as often as they are asked for."""
    x = jax.random.uniform(key, (count, 2), minval=-1.0, maxval=1.0)
    return x, (x[:, :1] * x[:, 1:] > 0).astype(x.dtype)


def never_all():
    """Accuracies on 10,000 new points before and after 10,000 steps, each on ten points that are seen only once."""
    net, cost, key = (Dense(8), Sigmoid(), Dense(1)), CrossEntropy(), jax.random.key(0)

    def on(p, key):
        return SGD(1.0).update(p, (), fnn.backprop(net, cost, p, *drawn(key, 10))[1])[0], None

    before = fnn.init(net, key, (2,))
    after, _ = jax.jit(lambda p: jax.lax.scan(on, p, jax.random.split(key, 10_000)))(before)
    x, y = drawn(jax.random.key(1), 10_000)
    return [float(((fnn.forward(net, p, x) > 0) == (y > 0)).mean()) for p in (before, after)]


def three_difficulties():
    """Steps, error rates and an unknown cost cannot be descended; sigmoids, a proxy and samples can (000-18)."""
    x, y = digits().train.rows(slice(None))
    hard = (Dense(30), Step(), Dense(10))
    _, through_steps = jax.jit(fnn.backprop)(hard, Quadratic(Step()), start(), x, y)
    none = max(float(abs(leaf).max()) for leaf in jax.tree.leaves(through_steps))

    def wrong(p, x, y):
        return jnp.where(fnn.forward(NET, p, x).argmax(axis=1) == y.argmax(axis=1), 0.0, 1.0)

    slopes = jax.jit(jax.grad(lambda p: wrong(p, x, y).mean()))(start())
    flat = max(float(abs(leaf).max()) for leaf in jax.tree.leaves(slopes))
    kinds = len(np.unique(wrong(start(), x, y))), len(np.unique(jax.vmap(partial(individual, start()))(x, y)))
    before, after = never_all()
    return Finding(
        "000-18",
        "Three difficulties: an activation without a derivative, a cost of single examples that has none and tells too "
        "little, and a cost that nobody can compute, the mean over all possible examples. Sigmoids, a proxy for the "
        "cost and stochastic gradient descent (SGD) cure them.",
        f"gradient through steps {none:g}, of the error rate {flat:g}; of 1,000 digits the error rate "
        f" tells {kinds[0]} kinds apart, the cross-entropy {kinds[1]}; where points are drawn "
        f"anew for each of 10,000 steps of ten, so that there is no training set, {before:.0%} of new points are right "
        f"at first and {after:.1%} at the end",
        "0; 0; 2 and 1,000; about half and nearly all",
        judged(none == 0 == flat and kinds == (2, 1000) and before < 0.7 < 0.95 < after),
    )


def individual(p, x, y):
    """The cost of one example."""
    return COST.value(fnn.forward(NET, p, x[None]), y[None])


def crucial_ingredient():
    """Learning needs the gradient, which is why sigmoids replaced perceptrons (003-21)."""
    x, y = digits().train.rows(slice(None))
    found = []
    for f in (Step(), Sigmoid()):
        net, cost = (Dense(30), f, Dense(10)), Quadratic(f)

        def on(p, _, net=net, cost=cost):
            value, gradient = fnn.backprop(net, cost, p, x, y)
            return SGD(3.0).update(p, (), gradient)[0], value

        found.append(np.asarray(jax.jit(lambda p, on=on: jax.lax.scan(on, p, None, length=300)[1])(start())))
    steps, sigmoids = found
    return Finding(
        "003-21",
        "The gradient of the cost is the crucial element of learning: that is why sigmoids took the place of steps.",
        f"300 steps of descent on 1,000 digits: the cost of perceptrons goes from {steps[0]:.4f} to {steps[-1]:.4f}, "
        f"that of sigmoid neurons from {sigmoids[0]:.3f} to {sigmoids[-1]:.3f}",
        "not changed at all; less than half",
        judged((steps == steps[0]).all() and sigmoids[-1] < 0.5 * sigmoids[0]),
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


def backtracking(guarded, steps=30):
    """The cost after each step from η = 64; if guarded, a step is taken only if the cost falls, else η is halved."""
    x, y = digits().train.rows(slice(300))
    rule, p, eta, values = jax.jit(fnn.backprop), start(), 64.0, []
    value, gradient = rule(NET, COST, p, x, y)
    for _ in range(steps):
        new, _ = SGD(eta).update(p, (), gradient)
        after, next_gradient = rule(NET, COST, new, x, y)
        if after < value or not guarded:
            p, value, gradient = new, after, next_gradient
        else:
            eta /= 2
        values.append(float(value))
    return values


def stopping():
    """One can stop when nothing improves, and accept a step only if the cost falls (003-16)."""
    rng = np.random.default_rng(0)
    curves = [1 - 1 / np.arange(1, 200) ** 0.7 + 0.01 * rng.standard_normal(199) for _ in range(50)]
    same = sum(until_stopped(EarlyStopping(10), c)[0] == by_definition(c, 10) for c in curves)
    guarded, free = backtracking(True), backtracking(False)
    x, y = digits().train.rows(slice(300))
    begin = float(COST.value(fnn.forward(NET, start(), x), y))
    return Finding(
        "003-16",
        "How to update, when to stop, and to accept a step only if the cost falls.",
        f"'no improvement in 10' stops at the epoch of its definition for {same} of 50 noisy curves; from η = 64, 30 "
        f"tries take the cost of 300 digits from {begin:.2f} to {guarded[-1]:.3g} nats if a step that does not lower "
        f"it is refused and η halved, and to {free[-1]:.3g} if every step is accepted",
        "50; lower; higher than at first",
        judged(same == 50 and guarded[-1] < 0.5 * begin and free[-1] > begin),
    )


def no_change():
    """Where the cost stays as it is, a rule that wants falls never accepts a step again, and has to end (003-22)."""
    data, net = digits().train, (Dense(30), Step(), Dense(10))
    args = net, Quadratic(Step()), SGD(1.0), start(), data, jax.random.key(0)
    stops = {
        name: sum(1 for _ in fnn.fit(*args, batch_size=1000, epochs=100, schedule=rule))
        for name, rule in (("stops", EarlyStopping(10)), ("halves", HalveOnPlateau(10)))
    }
    return Finding(
        "003-22",
        "And if the cost after a step equals the cost before it? Then descent is on a plateau: only a rule that counts "
        "epochs without improvement ends.",
        f"a net of perceptrons, whose cost stays as it is: 'no improvement in 10' stops after {stops['stops']} epochs, "
        f"halving η seven times after {stops['halves']} of at most 100",
        "11 = 1 + 10; 71 = 1 + 7·10",
        judged(stops == {"stops": 11, "halves": 71}),
    )


CLAIMS = (learns, step_and_its_limit, three_difficulties, stopping, no_change, crucial_ingredient)


def pictures(folder):
    """The way down the valley at three rates."""
    with room.picture(folder / "descent.png", "A rate that is too large leaves the valley") as fig:
        for i, (axes, eta, said) in enumerate(
            zip(
                fig.subplots(1, 3, sharey=True),
                (0.03, 0.18, 0.205),
                ("slow", "to and fro, and down", "out"),
                strict=True,
            )
        ):
            x, y = np.meshgrid(np.linspace(-0.5, 1.2, 200), np.linspace(-1.6, 1.6, 200))
            levels = np.geomspace(0.05, 8, 9)
            axes.contour(x, y, 0.5 * (x**2 + 10 * y**2), levels=levels, colors="0.75", linewidths=1)
            way = valley(eta, 15)[0]
            axes.plot(*way.T, curves.DASHES[0] + "o", color=curves.PALETTE[i], lw=2)
            axes.plot(0, 0, "*", color="black", ms=18)
            axes.set(xlim=(-0.5, 1.2), ylim=(-1.6, 1.6), xlabel="weight x", title=f"η = {eta}: {said}")
        fig.axes[0].set_ylabel("weight y")
        fig.supxlabel("15 steps down ½(x² + 10y²); the limit is η = 2/10", fontsize=18)
    return ("descent.png",)


if __name__ == "__main__":
    main(CLAIMS, pictures)
