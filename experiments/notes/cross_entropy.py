"""Cross-entropy and log-likelihood: what they measure, the outputs that go with them, and their slopes.

python -m experiments.notes.cross_entropy [FOLDER]      5 s, a picture into FOLDER (runs/cross_entropy)
"""

import jax
import jax.numpy as jnp
import numpy as np

import fnn
from experiments.notes.costs import COSTS, batch
from experiments.notes.findings import Finding, judged, listed, main
from fnn import CrossEntropy, LogLikelihood
from fnn.plots import curves, room


def logit(a):
    """The z of a sigmoid output a."""
    return np.log(a / (1 - a))


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


def by_ratio(z):
    """The notes' other way to ten shares: each sigmoid output over the sum of all."""
    a = CrossEntropy().output(z)
    return a / a.sum(axis=1, keepdims=True)


def heads():
    """Softmax makes probabilities of ten outputs; it is taken instead of dividing them by their sum (002-07)."""
    with jax.enable_x64(True):
        z, y = jnp.array([[1.0, 2, 3], [-1, 2, 1]]), jnp.eye(3)[:1]
        soft, moved = np.asarray(LogLikelihood().output(z)), np.asarray(LogLikelihood().output(z + 7.0))
        ratio = np.asarray(by_ratio(z))
        wrong = jnp.array([[0.0, 8.0, -8.0]])  # the second output is sure, and should not be
        kept = LogLikelihood().delta(wrong, y)[0, 1]
        lost = jax.grad(lambda z: -jnp.log(by_ratio(z)[0, 0]))(wrong)[0, 1]
    sums = abs(soft.sum(axis=1) - 1).max(), abs(ratio.sum(axis=1) - 1).max()
    return Finding(
        "002-07",
        "Ten outputs become probabilities by softmax, instead of each being divided by the sum of all.",
        f"of z = (-1, 2, 1): softmax {listed(soft[1])}, the ratio of sigmoid outputs {listed(ratio[1])}; both are "
        f"distributions, to {max(sums):.0e}. But from a wrong output at z = 8 the cost -ln a takes the slope "
        f"{kept:.4f} by softmax, {lost:.5f} by the ratio: a saturated sigmoid passes nothing back; and softmax is "
        f"unchanged by z + 7, to {abs(soft - moved).max():.0e}",
        "0.03512, 0.7054, 0.2595 and 0.1430, 0.4682, 0.3887; rounding; nearly 1 and nearly 0",
        judged(
            max(sums) < 1e-14
            and abs(soft - moved).max() < 1e-14
            and np.allclose(soft[1], [0.03512, 0.7054, 0.2595], atol=1e-4)
            and kept > 0.99
            and abs(lost) < 0.001
        ),
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


CLAIMS = (limits, heads, log_likelihood, pairs, entropy_and_divergence, log_loss_gradient)


def pictures(folder):
    """Cross-entropy, entropy and divergence of a soft label."""
    a, y = np.linspace(0.005, 0.995, 400), jnp.array([[0.3]])
    value = jax.vmap(lambda z: CrossEntropy().value(z[None, None], y))
    cross, least = np.asarray(value(jnp.asarray(logit(a)))), float(value(jnp.asarray(logit(np.array([0.3]))))[0])
    with room.picture(folder / "soft_label.png", "A soft label leaves a cost that no fit takes away") as fig:
        axes = fig.subplots()
        axes.plot(a, cross, "-", color=curves.PALETTE[0], label="cross-entropy")
        axes.axhline(least, ls="--", color=curves.PALETTE[1], label=f"entropy of the label, {least:.3f}")
        axes.fill_between(a, least, cross, color="0.85", label="divergence of the fit")
        axes.set(ylim=(0, 2.5), xlabel="output a (label y = 0.3)", ylabel="nats")
        axes.grid()
        axes.legend(loc="upper center")
    return ("soft_label.png",)


if __name__ == "__main__":
    main(CLAIMS, pictures)
