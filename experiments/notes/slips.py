"""Slips in the formulas of the notes: each is run as it is written, which fails, and corrected, which passes.

python -m experiments.notes.slips [FOLDER]      10 s, a picture into FOLDER (runs/slips)

Slips that belong to another topic are in the module of that topic.
"""

import jax
import jax.numpy as jnp
import numpy as np

import fnn
from experiments.notes.backpropagation import B1, B2, DELTA1, DELTA2, NET, W1, W2, X, Y, dsigmoid, params, sigmoid
from experiments.notes.cross_entropy import logit
from experiments.notes.findings import Finding, corrected, listed, main
from fnn import CrossEntropy, Dense, LogLikelihood, Quadratic, Sigmoid
from fnn.layers import DenseParams
from fnn.plots import room

SQUARE, A, UPSTREAM = np.array([[0.2, -0.4], [0.6, 0.8]]), np.array([1.0, 2.0]), np.array([1.0, -2.0])


def automatic_square():
    """∂C/∂w of `C = UPSTREAM · σ(w a + b)`, where w is square, by `jax.grad`."""
    with jax.enable_x64(True):
        b = jnp.array([0.1, -0.1])
        return np.asarray(
            jax.grad(lambda w: jnp.asarray(UPSTREAM) @ jax.nn.sigmoid(w @ jnp.asarray(A) + b))(jnp.asarray(SQUARE))
        )


def by_layers():
    """z, its deltas and ∂C/∂w of the square example, by a `Dense` and a `Sigmoid` of the library."""
    with jax.enable_x64(True):
        p = DenseParams(jnp.asarray(SQUARE), jnp.array([0.1, -0.1]))
        z = Dense(2).forward(p, jnp.asarray(A)[None])
        delta = Sigmoid().backward((), z, jnp.asarray(UPSTREAM)[None])[1]
        nabla, _ = Dense(2).backward(p, jnp.asarray(A)[None], delta)
        return np.asarray(z)[0], np.asarray(delta)[0], np.asarray(nabla.W)


def one_orientation():
    """The notes mix two orientations of the weights, w a + b and wᵀa + b, and lose an index (E1)."""
    auto, (z, delta, right) = automatic_square(), by_layers()
    turned = SQUARE.T @ A + np.array([0.1, -0.1])
    written = np.tile(delta * A, (2, 1))
    return Finding(
        "E1",
        "The notes mix two orientations of the weights: w a + b in one place, wᵀa + b in another, and an index too "
        "few.",
        f"z = {listed(z)} against {listed(turned)}; the gradient as written is off by {abs(written - auto).max():.3f}, "
        f"δaᵀ by {abs(right - auto).max():.0e}",
        "-0.5, 2.1 against 1.5, 1.1; off; 0",
        corrected(np.allclose(written, auto), np.allclose(right, auto, atol=1e-14)),
    )


def transposed_gradient():
    """The gradient by the weights is δaᵀ; the notes have its transpose, aδᵀ (E2)."""
    auto, (_, delta, right) = automatic_square(), by_layers()
    written = np.outer(A, delta)
    return Finding(
        "E2",
        "The gradient by the weights is δaᵀ; as written, aδᵀ, it is the transpose.",
        f"as written off by {abs(written - auto).max():.3f}, corrected by {abs(right - auto).max():.0e}; for W1 the "
        f"shape would be {np.outer(X[0], DELTA1).shape} instead of {W1.shape}",
        "the transpose; rounding",
        corrected(np.allclose(written, auto), np.allclose(right, auto, atol=1e-14)),
    )


def bias_inside_the_sum():
    """A unit adds its own bias once; in the notes the sum adds every bias (E3)."""
    with jax.enable_x64(True):
        p = DenseParams(jnp.zeros((3, 3)), jnp.array([1.0, 2, 3]))
        ours = np.asarray(Dense(3).forward(p, jnp.ones((1, 3))))[0]
    written = np.array([sum(0.0 * 1 + b for b in (1.0, 2, 3))] * 3)
    return Finding(
        "E3",
        "A unit adds its own bias once; as written the sum adds every bias.",
        f"W = 0, b = (1, 2, 3): {listed(written)} as written, {listed(ours)} corrected",
        "6, 6, 6 and 1, 2, 3",
        corrected(np.allclose(written, [1, 2, 3]), np.allclose(ours, [1, 2, 3])),
    )


def missing_half():
    """The output's error is the derivative of half the squared distance; the notes drop the half once (E4)."""
    quotient = (0.5 * (sigmoid(1 + 1e-6) - 1) ** 2 - 0.5 * (sigmoid(1 - 1e-6) - 1) ** 2) / 2e-6
    with jax.enable_x64(True):
        right = float(Quadratic().delta(jnp.ones((1, 1)), jnp.ones((1, 1)))[0, 0])
    written = 2 * (sigmoid(1) - 1) * dsigmoid(1)
    return Finding(
        "E4",
        "The output's error is the derivative of half the squared distance; one line of the notes drops the half.",
        f"z = 1, y = 1: {written:.9f} as written, {right:.9f} corrected, difference quotient {quotient:.9f}",
        "-0.105754186 and -0.052877093",
        corrected(np.isclose(written, quotient), np.isclose(right, quotient, rtol=1e-8)),
    )


def one_index_too_few():
    """Every unit feeds every unit of the next layer; the notes lose this sum over units (E13)."""
    with jax.enable_x64(True):
        full = np.asarray(jax.jacfwd(lambda z: jnp.asarray(W2) @ jax.nn.sigmoid(z) + B2)(jnp.asarray(W1 @ X[0] + B1)))
        both = fnn.deltas(NET, CrossEntropy(), params(), np.vstack([X, -X]), np.vstack([Y, Y]))[0][0]
        alone = fnn.deltas(NET, CrossEntropy(), params(), X, Y)[0][0]
        half = float(jnp.abs(2 * both - alone).max())
    right = W2 * dsigmoid(W1 @ X[0] + B1)
    written = np.where(np.eye(2, 3) > 0, right, 0)
    return Finding(
        "E13",
        "Every unit of a layer feeds every unit of the next: the sum over units is lost as written, and the error "
        "belongs to one example, not to the mean.",
        f"∂z²/∂z¹ as written lacks {np.count_nonzero(full) - np.count_nonzero(written)} of {full.size} entries, "
        f"corrected it is off by {abs(full - right).max():.0e}; the errors under a mean over two are half of those of "
        f"one to {half:.0e}",
        "4 of 6; 0; 0",
        corrected(np.allclose(written, full), np.allclose(right, full, atol=1e-14) and half < 1e-14),
    )


def slope_of_each_unit():
    """In matrix form f′ is taken of each unit's own z, not of one unit's (E25)."""
    z1 = W1 @ X[0] + B1
    written = W2.T @ DELTA2 * dsigmoid(z1[0])
    with jax.enable_x64(True):
        right = np.asarray(fnn.deltas(NET, CrossEntropy(), params(), X, Y)[0])[0]
    return Finding(
        "E25",
        "In matrix form f′ is taken of each unit's own z, not of one unit's.",
        f"errors of the hidden layer: {listed(written)} as written, {listed(right)} corrected",
        "-0.1601, 0.1751, -0.1518",
        corrected(np.allclose(written, DELTA1), np.allclose(right, DELTA1, rtol=1e-10)),
    )


def softmax_of_outputs():
    """Softmax is taken of the weighted inputs, not, as in the notes, of sigmoid outputs (E6)."""
    z, y = 30 * (2 * jnp.eye(10)[:1] - 1), jnp.eye(10)[:1]  # as sure, and as right, as can be
    a = CrossEntropy().output(z)
    p, low = (np.asarray(LogLikelihood().output(v))[0] for v in (a, 1 - a))
    written, right = (float(LogLikelihood().value(v, y)) for v in (a, z))
    return Finding(
        "E6",
        "Softmax is taken of the weighted inputs; of sigmoid outputs, as written, it can never be sure of anything.",
        f"of ten numbers in [0, 1]: probabilities from {low[0]:.4f} to {p[0]:.4f}, cost at least {written:.4f}; of "
        f"weighted inputs: cost down to {abs(right):.0e}",
        "0.0393 to 0.2320, 1.4612; 0",
        corrected(written < 0.1, right < 1e-6 and abs(written - 1.46115017173) < 1e-5),
    )


def output_slope():
    """The output's error is a - y only with the factor a(1 - a) and a minus sign, which the notes lack (E12)."""
    measured = []
    for a, y in ((0.8, 1.0), (0.8, 0.0)):
        written = (a - y) / a + (1 - y) / (1 - a)
        right = (-y / a + (1 - y) / (1 - a)) * a * (1 - a)
        with jax.enable_x64(True):
            ours = float(CrossEntropy().delta(jnp.array([[logit(a)]]), jnp.array([[y]]))[0, 0])
        measured.append((written, right, ours))
    (w1, r1, d1), (w0, r0, d0) = measured
    return Finding(
        "E12",
        "That the output's error is a - y needs the factor a(1 - a) and the minus sign which the notes' line lacks.",
        f"a = 0.8: y = 1 gives {w1:.2f} as written, {r1:.2f} corrected; y = 0 gives {w0:.2f} and {r0:.2f}",
        "-0.2 and 0.8, as the cost's own delta",
        corrected(np.allclose([w1, w0], [d1, d0]), np.allclose([r1, r0], [d1, d0])),
    )


def sigma_misread():
    """The notes misread 'a is the estimate' as 'a minus the estimate' (E22)."""
    with jax.enable_x64(True):
        cost, z, y = CrossEntropy(), jnp.array([[0.2]]), jnp.ones((1, 1))
        a, estimate, slope = cost.output(z), fnn.predict((), cost, (), z), jax.grad(cost.value)(z, y)
        written, right, slope = (float(v[0, 0]) for v in (a - estimate, a - y, slope))
    return Finding(
        "E22",
        "A sigma read as a nabla and an equals sign as a minus turn 'a is the estimate' into 'a minus the estimate'.",
        f"z = 0.2: a - ŷ = {written:g} as written, whatever y; the error a - y of y = 1 is {right:.4f}, the slope of "
        f"the cost {slope:.4f}",
        "0 teaches nothing; -0.4502, the slope",
        corrected(np.isclose(written, slope), np.isclose(right, slope) and abs(right + 0.450166002688) < 1e-11),
    )


def one_example_or_the_mean():
    """The gradient for one example is not the mean over examples, and one input is not all of them (E23)."""
    with jax.enable_x64(True):
        net = (Dense(1),)
        p = (DenseParams(jnp.array([[0.5, -0.25]]), jnp.array([0.2])),)
        x, y = jnp.array([[1.0, 2], [3, -1]]), jnp.array([[1.0], [0]])
        _, whole = fnn.backprop(net, CrossEntropy(), p, x, y)
        _, each = fnn.per_example(fnn.backprop)(net, CrossEntropy(), p, x, y)
        alone = np.stack([fnn.backprop(net, CrossEntropy(), p, x[i : i + 1], y[i : i + 1])[1][0].W[0] for i in (0, 1)])
    whole, each = np.asarray(whole[0].W)[0], np.asarray(each[0].W)[:, 0]
    written = any(np.allclose(whole, e) for e in each) or np.isclose(*whole)
    return Finding(
        "E23",
        "The gradient for one example is not the mean over examples, and one input is not all of them.",
        f"two examples: {listed(each[0])} and {listed(each[1])}, mean {listed(whole)}; by x1 and by x2 they differ",
        "three different vectors, each of two different entries, in the order of the examples",
        corrected(written, np.allclose(each, alone) and np.allclose(whole, alone.mean(axis=0))),
    )


CLAIMS = (
    *(one_orientation, transposed_gradient, bias_inside_the_sum, missing_half, softmax_of_outputs, output_slope),
    *(one_index_too_few, sigma_misread, one_example_or_the_mean, slope_of_each_unit),
)


def pictures(folder):
    """The gradient of the square example: automatic, corrected, and in two of the forms written; one scale."""
    _, delta, right = by_layers()
    turned = np.tile(delta * A, (2, 1))
    forms = {"automatic": automatic_square(), "δaᵀ, corrected": right, "E2: aδᵀ": right.T, "E1: an index lost": turned}
    title = "∂C/∂w of a layer with two units: only the corrected form is the gradient"
    with room.picture(folder / "slips.png", title, height=5.5) as fig:
        for axes, (name, values) in zip(fig.subplots(1, 4), forms.items(), strict=True):
            drawn = axes.imshow(values, cmap="cividis", vmin=-0.5, vmax=0.5)
            for (i, j), value in np.ndenumerate(values):
                axes.text(j, i, f"{value:.3f}", ha="center", va="center", color="black" if value > 0 else "white")
            axes.set(xlabel="input", title=name)
            axes.set_xticks((0, 1), (1, 2))
            axes.set_yticks((0, 1), (1, 2))
        fig.axes[0].set_ylabel("unit")
        fig.colorbar(drawn, ax=fig.axes, shrink=0.6)
    return ("slips.png",)


if __name__ == "__main__":
    main(CLAIMS, pictures)
