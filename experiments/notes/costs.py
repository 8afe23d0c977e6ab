"""Costs: what they measure, their limits, their slopes, and the output that each of them belongs to.

python -m experiments.notes.costs [FOLDER]      20 s, pictures into FOLDER (runs/costs)
"""

import jax
import jax.numpy as jnp
import numpy as np

import fnn
from experiments.notes.findings import Finding, judged, listed, main
from fnn import CrossEntropy, Dense, Identity, LogLikelihood, Quadratic, Sigmoid, Softmax
from fnn.layers import DenseParams
from fnn.plots import curves

COSTS = (Quadratic(), Quadratic(Softmax()), CrossEntropy(), LogLikelihood())


def logit(a):
    """The z of a sigmoid output a."""
    return np.log(a / (1 - a))


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


def mean_of_gradients():
    """The cost of a set is the mean over its examples, and so is its gradient (000-10)."""
    worst = 0.0
    with jax.enable_x64(True):
        net, p, x, y = batch()
        for cost in COSTS:
            _, whole = jax.jit(fnn.backprop)(net, cost, p, x, y)
            _, each = jax.jit(fnn.per_example(fnn.backprop))(net, cost, p, x, y)
            worst = max(worst, float(abs(whole[0].W - each[0].W.mean(axis=0)).max()))
    return Finding(
        "000-10",
        "The cost of a set is the mean over its examples, and so is its gradient.",
        f"the batch's gradient and the mean of 6 gradients differ by {worst:.0e} at most, 4 costs",
        "at most 1e-12 (float64)",
        judged(worst < 1e-12),
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


def limits():
    """The cross-entropy is never negative, and goes to 0 as the output goes to its target (002-05)."""
    with jax.enable_x64(True):
        eps = np.array([1e-2, 1e-4, 1e-6])
        near = [float(CrossEntropy().value(jnp.array([[logit(1 - e)]]), jnp.ones((1, 1)))) for e in eps]
        mirrored = [float(CrossEntropy().value(jnp.array([[logit(e)]]), jnp.zeros((1, 1)))) for e in eps]
        z, y = np.random.default_rng(0).standard_normal((1000, 1)) * 5, np.random.default_rng(1).random((1000, 1))
        each = [float(CrossEntropy().value(jnp.asarray(z[i : i + 1]), jnp.asarray(y[i : i + 1]))) for i in range(50)]
    return Finding(
        "002-05",
        "The cross-entropy is never negative and goes to 0 as the output goes to its target.",
        f"output off by {listed(eps)}: cost {listed(near)} at y = 1, {listed(mirrored)} at y = 0; least of 50 random "
        f"ones {min(each):.3f} (as written the sign is lost: E5)",
        "to 0; at least 0",
        judged(np.allclose(near, eps, rtol=0.01) and np.allclose(mirrored, eps, rtol=0.01) and min(each) >= 0),
    )


def heads():
    """Softmax makes probabilities of ten outputs; dividing them by their sum does not (002-07)."""
    with jax.enable_x64(True):
        z = jnp.array([[1.0, 2, 3], [-1, 2, 1]])
        soft, moved = np.asarray(LogLikelihood().output(z)), np.asarray(LogLikelihood().output(z + 7.0))
    ratio = np.asarray(z[1]) / np.asarray(z[1]).sum()
    return Finding(
        "002-07",
        "Ten outputs become probabilities by softmax; dividing by their sum would not do.",
        f"softmax(-1, 2, 1) = {listed(soft[1])}, sum {soft[1].sum():.15f}, unchanged by z + 7 to "
        f"{abs(soft - moved).max():.0e}; the ratio gives {listed(ratio)}",
        "0.03512, 0.7054, 0.2595; -0.5, 1, 0.5 is no distribution",
        judged(abs(soft.sum(axis=1) - 1).max() < 1e-14 and abs(soft - moved).max() < 1e-14 and ratio.min() < 0),
    )


def log_likelihood():
    """The cost of softmax outputs is minus the log of the probability of the right class (002-08)."""
    far = jnp.array([[1e4, -1e4]])
    costs = [float(LogLikelihood().value(far, jnp.eye(2)[k : k + 1])) for k in (0, 1)]
    with jax.enable_x64(True):
        z, y = jnp.asarray(np.random.default_rng(0).standard_normal((5, 3))), jnp.eye(3)[np.arange(5) % 3]
        delta = LogLikelihood().delta(z, y)
        worst = float(abs(delta - (jax.nn.softmax(z, axis=-1) - y) / 5).max())
        auto = float(abs(delta - jax.grad(LogLikelihood().value)(z, y)).max())
    return Finding(
        "002-08",
        "The cost of softmax outputs is minus the log of the probability of the right class.",
        f"z = (1e4, -1e4): {abs(costs[0]):g} and {costs[1]:g} nats; its slope is softmax - y to {worst:.0e}, automatic "
        f"{auto:.0e}",
        "0 and 20000, finite; rounding",
        judged(costs == [0, 20000] and worst < 1e-14 and auto < 1e-14),
    )


def pairs():
    """Sigmoid with cross-entropy and softmax with log-likelihood keep the whole error (002-09)."""
    kept, z = {}, np.array([[8.0, -8.0]])  # sure, and wrong
    with jax.enable_x64(True):
        y = jnp.array([[0.0, 1.0]])
        for cost in COSTS:
            error = cost.output(jnp.asarray(z)) - y
            kept[repr(cost)] = float(jnp.linalg.norm(cost.delta(jnp.asarray(z), y)) / jnp.linalg.norm(error))
    quadratic, softmax_quadratic, entropy, likelihood = kept.values()
    return Finding(
        "002-09",
        "Sigmoid goes with cross-entropy and softmax with log-likelihood: these pairs keep the whole error.",
        f"sure and wrong (z = 8, -8): of the error there remains a share of {entropy:.4f} and {likelihood:.4f}; with "
        f"the quadratic cost {quadratic:.4f} (sigmoid) and {softmax_quadratic:.0e} (softmax)",
        "1 and 1; a vanishing factor",
        judged(abs(entropy - 1) + abs(likelihood - 1) < 1e-12 and quadratic < 1e-3 and softmax_quadratic < 1e-3),
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
        "A penalty on the squared weights keeps them small.",
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
        soft = float(CrossEntropy().value(jnp.array([[logit(0.3)]]), jnp.array([[0.3]])))
    return Finding(
        "003-15",
        "A cost adds up distances: never negative, 0 exactly when every output is right.",
        f"least of 200 random ones, 5 costs: {min(least.values()):.0e}; at the target: {max(at_target.values()):.0e}; "
        f"but for a soft label 0.3 the cross-entropy ends at {soft:.4f}",
        "above 0; 0; not 0: the entropy 0.6109",
        judged(min(least.values()) > 0 and max(at_target.values()) < 1e-20 and abs(soft - 0.610864302055) < 1e-10),
    )


def entropy_and_divergence():
    """The cross-entropy is the entropy of the labels plus the divergence of the outputs from them (004-12)."""
    with jax.enable_x64(True):
        value = float(CrossEntropy().value(jnp.array([[logit(0.6)]]), jnp.array([[0.3]])))
        a = np.linspace(0.01, 0.99, 99)
        every = np.array([float(CrossEntropy().value(jnp.array([[v]]), jnp.array([[0.3]]))) for v in logit(a)])
    h = -(0.3 * np.log(0.3) + 0.7 * np.log(0.7))
    divergence = 0.3 * np.log(0.3 / 0.6) + 0.7 * np.log(0.7 / 0.4)
    return Finding(
        "004-12",
        "Labels are probabilities too: the cross-entropy is their entropy plus the divergence of the fit from them.",
        f"y = 0.3, a = 0.6: {value:.9f} = {h:.9f} + {divergence:.9f}; over a it is least at a = "
        f"{a[every.argmin()]:.2f}",
        "0.794651199 = 0.610864302 + 0.183786897; 0.30",
        judged(abs(value - h - divergence) < 1e-12 and abs(a[every.argmin()] - 0.3) < 1e-9),
    )


def log_loss_gradient():
    """The gradient of the log loss is the mean of input times error (004-13)."""
    with jax.enable_x64(True):
        net, p, x, _ = batch(n=8, n_in=3, n_out=1)
        y = jnp.asarray((np.arange(8) % 2)[:, None], float)
        _, ours = fnn.backprop(net, CrossEntropy(), p, x, y)
        a = np.asarray(fnn.predict(net, CrossEntropy(), p, x))
    loops = [sum(float(x[i, j]) * (a[i, 0] - float(y[i, 0])) for i in range(8)) / 8 for j in range(3)]
    worst = abs(np.asarray(ours[0].W)[0] - loops).max()
    return Finding(
        "004-13",
        "The gradient of the log loss is the mean of input times error.",
        f"mean x(ŷ - y) by loops {listed(loops)}, by backprop {worst:.0e} off",
        "rounding",
        judged(worst < 1e-14),
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
    *(mean_of_gradients, error_rate_has_no_slope, half_square_and_penalty, limits, heads, log_likelihood, pairs),
    *(penalty_convention, never_below_zero, loss_and_cost, entropy_and_divergence, log_loss_gradient),
)


def pictures(folder):
    """Cost and slope against the weighted input of a wrong output; cross-entropy, entropy and divergence."""
    fig = curves.figure(9.8, 3.9)
    left, right = fig.subplots(1, 2)
    z = jnp.linspace(-6, 8, 300)[:, None]
    y = jnp.zeros((1, 1))
    for i, (cost, name) in enumerate(((CrossEntropy(), "cross-entropy"), (Quadratic(), "quadratic"))):
        values = jax.vmap(lambda z, c=cost: c.value(z[None], y))(z)
        slopes = jax.vmap(lambda z, c=cost: c.delta(z[None], y)[0, 0])(z)
        style = {"ls": curves.DASHES[i], "color": curves.PALETTE[i], "label": name, "lw": 1.8}
        left.plot(z[:, 0], values, **style)
        right.plot(z[:, 0], slopes, **style)
    left.set(xlabel="weighted input z (desired output 0)", ylabel="cost", title="how wrong")
    right.set(
        xlabel="weighted input z (desired output 0)", ylabel="slope δ = ∂C/∂z", title="how much is learned from it"
    )
    for axes in (left, right):
        axes.grid(alpha=0.3)
        axes.legend(frameon=False)
    curves.write(fig, folder / "wrong_outputs.png")

    fig = curves.figure(5.8, 3.9)
    axes = fig.subplots()
    a = np.linspace(0.005, 0.995, 400)
    cross = -(0.3 * np.log(a) + 0.7 * np.log(1 - a))
    axes.plot(a, cross, "-", color=curves.PALETTE[0], label="cross-entropy")
    axes.axhline(0.610864, ls="--", color=curves.PALETTE[1], label="entropy of the label, 0.611")
    axes.fill_between(a, 0.610864, cross, color="0.85", label="divergence of the fit")
    axes.set(
        ylim=(0, 2.5), xlabel="output a (label y = 0.3)", ylabel="nats", title="A soft label leaves a cost of its own"
    )
    axes.grid(alpha=0.3)
    axes.legend(frameon=False, loc="upper center")
    curves.write(fig, folder / "soft_label.png")
    return "wrong_outputs.png", "soft_label.png"


if __name__ == "__main__":
    main(CLAIMS, pictures)
