"""Sums and means of gradients: what dividing by the number of examples changes, and what the learning rate absorbs.

python -m experiments.notes.normalisation [FOLDER]      15 s, no pictures
"""

import jax
import jax.numpy as jnp
import numpy as np

import fnn
from experiments.notes.descent import COST, NET, digits, start
from experiments.notes.findings import Finding, corrected, listed, main
from experiments.notes.sampling import noise, whole_gradient
from fnn import SGD, Dense, Identity, Quadratic
from fnn.layers import DenseParams


def accumulators():
    """The sums of the gradient must be set to 0 before each step, not once before the loop (E15)."""
    with jax.enable_x64(True):
        x, y, sgd = jnp.array([[1.0], [-1.0]]), jnp.array([[3.0], [-3.0]]), SGD(0.1)  # the cost ½ (w-3)² + ½ b²

        def gradient(p):
            return fnn.backprop((Dense(1),), Quadratic(Identity()), p, x, y)[1]

        right = wrong = (DenseParams(jnp.zeros((1, 1)), jnp.zeros(1)),)
        total, way = jax.tree.map(jnp.zeros_like, right), []
        for _ in range(60):
            right, _ = sgd.update(right, (), gradient(right))
            total = jax.tree.map(jnp.add, total, gradient(wrong))
            wrong, _ = sgd.update(wrong, (), total)
            way.append(float(wrong[0].W[0, 0]))
        end = float(right[0].W[0, 0])
    return Finding(
        "E15",
        "The sums of the gradient must be set to 0 before each step; in the notes this stands before the loop.",
        f"½(w-3)² from 0, α = 0.1, 60 steps: w = {way[-1]:.4f} as written, after {listed(way[:3])}, … and up to "
        f"{max(way):.4f}; {end:.10f} corrected",
        "an oscillation up to 6.0380; 2.9946089691",
        corrected(abs(way[-1] - 3) < 0.1, abs(end - 2.9946089691) < 1e-9),
    )


def flat(gradient):
    """All of a gradient in one vector."""
    return np.concatenate([np.ravel(leaf) for leaf in jax.tree.leaves(gradient)])


def mean_and_sum(m):
    """The gradient of m digits by `backprop`, which is a mean, and the sum of the gradients of each digit; float64."""
    single = start()  # outside the float64 scope: `start` is cached, and others want it in float32
    with jax.enable_x64(True):
        x, y = (jnp.asarray(v, float) for v in digits().train.rows(slice(m)))
        p = jax.tree.map(lambda leaf: jnp.asarray(leaf, float), single)
        _, mean = jax.jit(fnn.backprop)(NET, COST, p, x, y)
        _, each = jax.jit(fnn.per_example(fnn.backprop))(NET, COST, p, x, y)
        return flat(mean), flat(jax.tree.map(lambda leaf: leaf.sum(axis=0), each))


def stepped(eta, gradient):
    """How far a step of descent goes, as a vector."""
    with jax.enable_x64(True):
        zero = (jnp.zeros(len(gradient)),)
        return np.asarray(SGD(eta).update(zero, (), (jnp.asarray(gradient),))[0][0])


def sums_and_means():
    """More examples reduce the variance; dividing their sum by m does not: η absorbs it (003-19)."""
    apart = []
    for m in (1, 10, 100, 1000):
        mean, total = mean_and_sum(m)
        apart.append(
            abs(stepped(0.5, mean) - stepped(0.5 / m, total)).max() + abs(stepped(0.5, mean) + 0.5 * mean).max()
        )
    length = np.linalg.norm(whole_gradient())
    of_mean = [noise(m, True)[0] ** 0.5 / length for m in (1, 10, 100)]
    of_sum = [(m * noise(m, True)[0] ** 0.5) / (m * length) for m in (1, 10, 100)]
    return Finding(
        "003-19",
        "The variance caused by random sampling is reduced by normalisation: not by dividing the sum of m gradients by "
        "m, which the learning rate compensates, but by m, the number of examples.",
        f"noise over signal of the gradient of a sample of 1, 10 and 100: of means {listed(of_mean, 3)}, of sums "
        f"{listed(of_sum, 3)}; steps by η on the mean and by η/m on the sum are at most {listed(apart, 1)} apart for "
        "m = 1, 10, 100 and all 1,000",
        "falling as 1/√m, the same for both; rounding (float64)",
        corrected(
            of_mean[1] < 0.9 * of_sum[1],
            np.allclose(of_mean, of_sum) and abs(of_mean[0] / of_mean[2] - 10) < 1 and max(apart) < 1e-14,
        ),
    )


def unknown_number():
    """If examples arrive in real time, n is unknown, and it helps to leave out 1/n, not to put it in (E21)."""
    mean, total = mean_and_sum(50)
    summed = -0.01 * total
    assumed = {n: -0.5 * mean * 50 / n for n in (50, 500)}  # 0.5 = 50 * 0.01 is the rate for the mean; n is a guess
    far = np.linalg.norm(assumed[500]) / np.linalg.norm(summed)
    known = np.allclose(assumed[50], summed, rtol=1e-10, atol=1e-14)
    return Finding(
        "E21",
        "For data that arrive in real time it is leaving out the 1/n that helps, since n is unknown; the slide has it "
        "the other way.",
        f"a stream of 50 digits: the sum of their gradients needs no n; their mean with n taken as 500 steps {far:.2f} "
        f"times as far; with n known the two steps are the same: {known}",
        "n/n assumed = 0.1; True",
        corrected(abs(far - 1) < 0.01, known and abs(far - 0.1) < 1e-6),
    )


CLAIMS = (sums_and_means, accumulators, unknown_number)


def pictures(folder):
    """None."""
    return ()


if __name__ == "__main__":
    main(CLAIMS, pictures)
