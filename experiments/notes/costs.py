"""Costs: what they measure, their limits, their slopes, and the output that each of them belongs to.

python -m experiments.notes.costs [FOLDER]      20 s, pictures into FOLDER (runs/costs)
"""

from functools import cache

import jax
import jax.numpy as jnp
import numpy as np

import fnn
from experiments.notes.findings import Finding, judged, listed, main
from fnn import CrossEntropy, Dense, Identity, LogLikelihood, Quadratic, Sigmoid, Softmax
from fnn.layers import DenseParams
from fnn.lessons import logic
from fnn.plots import curves, room

COSTS = (Quadratic(), Quadratic(Softmax()), CrossEntropy(), LogLikelihood())


def batch(n=6, n_in=4, n_out=3):
    """A net of one layer with random params, and a random batch, in the float type of the scope."""
    rng = np.random.default_rng(0)
    p = (DenseParams(jnp.asarray(rng.standard_normal((n_out, n_in))), jnp.asarray(rng.standard_normal(n_out))),)
    return (
        (Dense(n_out),),
        p,
        jnp.asarray(rng.standard_normal((n, n_in))),
        jnp.asarray(np.eye(n_out)[np.arange(n) % n_out]),
    )


@cache
def sampled(sizes=(100, 10_000), samples=200):
    """How far the costs of samples are from the expectation over a known distribution, per size: the r.m.s.

    The distribution: the sixteen inputs of four bits, each with its own probability, and the parity as label.
    """
    x = logic.inputs(4)
    y, chance = x.sum(axis=1, keepdims=True) % 2, np.random.default_rng(0).dirichlet(np.ones(16))
    net = (Dense(1),)
    p = fnn.init(net, jax.random.key(0), (4,))
    each = np.asarray(fnn.per_example(fnn.backprop)(net, CrossEntropy(), p, x, y)[0])
    off = []
    for n in sizes:
        rows = np.random.default_rng(n).choice(16, (samples, n), p=chance)
        cost = jax.jit(jax.vmap(lambda x, y: CrossEntropy().value(fnn.forward(net, p, x), y)))
        off.append(float(np.sqrt(np.square(np.asarray(cost(x[rows], y[rows])) - chance @ each).mean())))
    return sizes, off


def mean_of_gradients():
    """The cost is the expectation over inputs; that of a set is the mean over it, and so is its gradient (000-10)."""
    worst = 0.0
    with jax.enable_x64(True):
        net, p, x, y = batch()
        for cost in COSTS:
            _, whole = jax.jit(fnn.backprop)(net, cost, p, x, y)
            _, each = jax.jit(fnn.per_example(fnn.backprop))(net, cost, p, x, y)
            worst = max(worst, float(abs(whole[0].W - each[0].W.mean(axis=0)).max()))
    sizes, off = sampled()
    return Finding(
        "000-10",
        "The cost is the expectation of the cost of one example. A set has its mean for it, and so has the gradient.",
        f"the batch's gradient and the mean of 6 gradients differ by {worst:.0e} at most, 4 costs; the mean of "
        f"{listed(sizes)} examples from a known distribution is {listed(off, 2)} off the expectation",
        "at most 1e-12 (float64); ten times nearer with a hundred times as many",
        judged(worst < 1e-12 and 7 < off[0] / off[1] < 14),
    )


def error_rate_has_no_slope():
    """The error rate and the log-likelihood both measure a classifier, but only the second has a slope (000-11)."""
    x, y = fnn.load_data("digits", train=300).train.rows(slice(None))
    net, key = (Dense(10),), jax.random.key(0)
    p = fnn.init(net, key, (64,))

    def error_rate(p):
        z = fnn.forward(net, p, x)
        return jnp.mean(jnp.where(z.argmax(axis=1) == y.argmax(axis=1), 0.0, 1.0))

    slope = max(float(abs(leaf).max()) for leaf in jax.tree.leaves(jax.jit(jax.grad(error_rate))(p)))
    before = float(error_rate(p))

    def on(p, _):
        return fnn.SGD(0.5).update(p, (), fnn.backprop(net, LogLikelihood(), p, x, y)[1])[0], None

    after = float(error_rate(jax.jit(lambda p: jax.lax.scan(on, p, None, length=200)[0])(p)))
    return Finding(
        "000-11",
        "The error rate and the log-likelihood both measure a classifier; only the second can be descended.",
        f"slope of the error rate: {slope:g} everywhere; 200 steps down the log-likelihood take it from {before:.0%} "
        f"to {after:.1%} (300 training digits)",
        "0; much lower",
        judged(slope == 0 and after < 0.1 < before),
    )


def half_square_and_penalty():
    """The cost is half the squared distance per example, averaged over the examples (001-18)."""
    with jax.enable_x64(True):
        net, p, x, y = batch()
        z = np.asarray(fnn.forward(net, p, x))
        ours = float(Quadratic().value(jnp.asarray(z), y))
    a = 1 / (1 + np.exp(-z))
    loops = sum(0.5 * sum((a[i, k] - float(y[i, k])) ** 2 for k in range(3)) for i in range(6)) / 6
    return Finding(
        "001-18",
        "Half the squared distance per example, averaged over the examples.",
        f"cost {ours:.12f}, by loops {loops:.12f} (the penalty: 001-22)",
        "equal",
        judged(abs(ours - loops) < 1e-14),
    )


def shrunk(w, eta, lmbda):
    """The weights after one step of `SGD` with a penalty and a gradient of zero."""
    with jax.enable_x64(True):
        p = (DenseParams(jnp.asarray(w)[None, :], jnp.zeros(1)),)
        ((W, _),), _ = fnn.SGD(eta, lmbda=lmbda).update(p, (), jax.tree.map(jnp.zeros_like, p))
        return np.asarray(W)[0]


def penalty_convention():
    """A penalty on the squared weights keeps them small (002-10)."""
    rng, n, lmbda, eta = np.random.default_rng(0), 50_000, 5e-5, 0.5
    w = rng.standard_normal(20)
    note, book, ours = w - eta * 2 * lmbda * w, w * (1 - eta * (2 * n * lmbda) / n), shrunk(w, eta, 2 * lmbda)
    x, y = fnn.load_data("digits", train=300).train.rows(slice(None))
    net = (Dense(20), Sigmoid(), Dense(10))
    strengths = jnp.array([0.0, 1e-3, 1e-2, 1e-1])

    def norm(strength):
        def on(p, _):
            sgd = fnn.SGD(0.5, lmbda=strength)
            return sgd.update(p, (), fnn.backprop(net, CrossEntropy(), p, x, y)[1])[0], None

        p = jax.lax.scan(on, fnn.init(net, jax.random.key(0), (64,)), None, length=300)[0]
        return jnp.sqrt(sum(jnp.square(q.W).sum() for q in p if q))

    norms = np.asarray(jax.jit(jax.vmap(norm))(strengths))
    return Finding(
        "002-10",
        "Regularization: a penalty on the squared weights keeps them small.",
        f"‖W‖ after 300 steps for λ = {listed(strengths)}: {listed(norms)}; one step with this note's λ Σw², the "
        f"book's 2nλ and this package's 2λ differ by {max(abs(note - book).max(), abs(note - ours).max()):.0e}",
        "falling; rounding",
        judged((np.diff(norms) < 0).all() and max(abs(note - book).max(), abs(note - ours).max()) < 1e-12),
    )


def never_below_zero():
    """A cost is never negative, and it is 0 exactly when every output is right (003-15)."""
    rng = np.random.default_rng(0)
    least, at_target = {}, {}
    with jax.enable_x64(True):
        z = jnp.asarray(3 * rng.standard_normal((200, 3)))
        y = jnp.eye(3)[rng.integers(0, 3, 200)]
        for cost in (*COSTS, Quadratic(Identity())):
            one = jax.vmap(lambda z, y, cost=cost: cost.value(z[None], y[None]))
            least[cost] = float(one(z, y).min())
            target = y if cost == Quadratic(Identity()) else 60 * (2 * y - 1)
            at_target[cost] = float(one(target, y).max())
        soft = float(CrossEntropy().value(jnp.array([[np.log(0.3 / 0.7)]]), jnp.array([[0.3]])))
    return Finding(
        "003-15",
        "A cost adds up distances: never negative, 0 exactly when every output is right.",
        f"least of 200 random ones, 5 costs: {min(least.values()):.0e}; at the target: {max(at_target.values()):.0e}; "
        f"but for a soft label 0.3 the cross-entropy ends at {soft:.4f}",
        "above 0; 0; not 0: the entropy 0.6109",
        judged(min(least.values()) > 0 and max(at_target.values()) < 1e-20 and abs(soft - 0.610864302055) < 1e-10),
    )


def loss_and_cost():
    """The loss belongs to one example, the cost to the set: it is the mean (or the sum) of the losses (004-02)."""
    with jax.enable_x64(True):
        net, p, x, y = batch()
        whole = float(CrossEntropy().value(fnn.forward(net, p, x), y))
        each = np.asarray(fnn.per_example(fnn.backprop)(net, CrossEntropy(), p, x, y)[0])
    return Finding(
        "004-02",
        "The loss belongs to one sample, the cost to the set: their mean (or their sum).",
        f"cost {whole:.9f}, mean of 6 losses {each.mean():.9f}",
        "equal",
        judged(abs(whole - each.mean()) < 1e-14),
    )


CLAIMS = (
    *(mean_of_gradients, error_rate_has_no_slope, half_square_and_penalty, penalty_convention, never_below_zero),
    loss_and_cost,
)


def pictures(folder):
    """Cost and slope against the weighted input of a wrong output."""
    z, y = jnp.linspace(-6, 8, 300)[:, None], jnp.zeros((1, 1))
    title = "The quadratic cost learns nothing from an output that is quite wrong"
    with room.picture(folder / "wrong_outputs.png", title) as fig:
        left, right = fig.subplots(1, 2)
        for i, (cost, name) in enumerate(((CrossEntropy(), "cross-entropy"), (Quadratic(), "quadratic"))):
            values = jax.vmap(lambda z, c=cost: c.value(z[None], y))(z)
            slopes = jax.vmap(lambda z, c=cost: c.delta(z[None], y)[0, 0])(z)
            style = {"ls": curves.DASHES[i], "color": curves.PALETTE[i], "label": name}
            left.plot(z[:, 0], values, **style)
            right.plot(z[:, 0], slopes, **style)
        left.set(ylabel="cost", title="How wrong it is")
        right.set(ylabel="slope δ = ∂C/∂z", title="How much is learned from it")
        for axes in (left, right):
            axes.set_xlabel("weighted input z (desired output 0)")
            axes.grid()
            axes.legend(loc="upper left")
    return ("wrong_outputs.png",)


if __name__ == "__main__":
    main(CLAIMS, pictures)
