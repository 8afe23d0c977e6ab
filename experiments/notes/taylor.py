"""What a few terms of Taylor's series predict, and how well they predict the effect of a gradient step.

python -m experiments.notes.taylor [FOLDER]      2 s, pictures into FOLDER (runs/taylor)
"""

import math

import jax
import jax.numpy as jnp
import numpy as np
from jax.flatten_util import ravel_pytree

import fnn
from experiments.notes.findings import Finding, corrected, judged, listed, main
from fnn.plots import curves

ETAS = np.array([0.1, 0.01, 0.001, 0.0001])
START, CURVATURES = np.array([1.0, 1.0]), np.array([1.0, 10.0])


def polynomial(degree, x):
    """The Taylor polynomial of sin at 0."""
    terms = [(-1) ** k * x ** (2 * k + 1) / math.factorial(2 * k + 1) for k in range((degree + 1) // 2)]
    return np.sum(terms, axis=0)


def valley(p):
    """`½ (x² + 10 y²)`, narrow across and flat along."""
    return 0.5 * (CURVATURES * p**2).sum(axis=-1)


def slope(p):
    """Its gradient."""
    return CURVATURES * p


def network_cost():
    """The cost of a small net and its gradient as functions of one vector, and a random such vector."""
    net, rng = (fnn.Dense(3), fnn.Sigmoid(), fnn.Dense(2)), np.random.default_rng(0)
    x, y = rng.standard_normal((4, 2)), np.eye(2)[[0, 1, 1, 0]]
    template = jax.eval_shape(lambda key: fnn.init(net, key, (2,)), jax.random.key(0))
    at, unravel = ravel_pytree(jax.tree.map(lambda leaf: rng.standard_normal(leaf.shape), template))

    def cost_and_gradient(p):
        value, gradient = fnn.backprop(net, fnn.CrossEntropy(), unravel(p), x, y)
        return value, ravel_pytree(gradient)[0]

    return jax.jit(cost_and_gradient), at


def linear_prediction():
    """The cost changes by the gradient times the step, up to a rest that shrinks faster than the step (000-12)."""
    with jax.enable_x64(True):
        cost, at = network_cost()
        value, gradient = cost(at)
        direction = jnp.asarray(np.random.default_rng(1).standard_normal(at.shape))
        _, (_, twist) = jax.jvp(cost, (at,), (direction,))  # the Hessian times the direction
        left = {1: [], 2: []}
        for t in (1e-2, 1e-3):
            change = float(cost(at + t * direction)[0] - value) - t * float(gradient @ direction)
            left[1].append(abs(change))
            left[2].append(abs(change - 0.5 * t**2 * float(direction @ twist)))
    first, second = (float(np.log10(large / small)) for large, small in left.values())
    return Finding(
        "000-12",
        "For a short step the cost changes by the gradient times the step; what is left shrinks faster.",
        f"in a [2,3,2] net the rest falls as step^{first:.3f}, with the Hessian's term as step^{second:.3f}",
        "powers 2 and 3",
        judged(abs(first - 2) < 0.05 and abs(second - 3) < 0.05),
    )


def steepest_direction():
    """Of all steps of one short length, the one against the gradient lowers the cost most (000-13)."""
    with jax.enable_x64(True):
        cost, at = network_cost()
        value, gradient = cost(at)
        directions = jnp.asarray(np.random.default_rng(1).standard_normal((10_000, len(at))))
        directions /= jnp.linalg.norm(directions, axis=1, keepdims=True)
        fall = float(value - cost(at - 1e-3 * gradient / jnp.linalg.norm(gradient))[0])
        falls = np.asarray(value - jax.vmap(cost)(at + 1e-3 * directions)[0])
        bound = float((directions @ gradient).min() / jnp.linalg.norm(gradient))
    return Finding(
        "000-13",
        "Of all steps of one short length the one against the gradient lowers the cost most.",
        f"it lowers it {fall / falls.max():.2f} times as much as the best of 10,000 random directions, "
        f"whose cosine with the gradient is {bound:.2f}",
        "more than any of them; the lowest possible cosine is -1",
        judged(fall > falls.max() and bound > -1),
    )


def downhill_at_right_angles():
    """Every step of gradient descent leaves its contour at a right angle (004-03)."""
    worst, p = 0.0, np.array([1.0, 0.3])
    for _ in range(30):
        step = -0.15 * slope(p)
        radii = np.sqrt(2 * valley(p) / CURVATURES)  # the contour through p is the ellipse (r1 cos t, r2 sin t)
        t = np.arctan2(p[1] / radii[1], p[0] / radii[0])
        along = radii * np.array([-np.sin(t), np.cos(t)])
        worst = max(worst, abs(step @ along) / np.linalg.norm(step) / np.linalg.norm(along))
        p = p + step
    return Finding(
        "004-03",
        "Gradient descent rolls straight downhill: every step leaves its contour at a right angle.",
        f"cosine between step and contour at most {worst:.0e} over 30 steps",
        "0 but for rounding",
        judged(worst < 1e-12),
    )


def sine_by_degrees():
    """A Taylor polynomial is good near its centre, and further out with more terms (003-17)."""
    x = np.linspace(-np.pi, np.pi, 20_001)
    errors = [abs(polynomial(degree, x) - np.sin(x)).max() for degree in range(1, 14, 2)]
    book = (3.141592653590, 2.026120126460, 0.5240439134172, 0.07522061590362)
    book += (6.925270707505e-3, 4.451602382095e-4, 2.114256755807e-5)
    return Finding(
        "003-17",
        "A Taylor polynomial is good near its centre, and the more terms, the further out.",
        f"largest error of degrees 1, 3, …, 13 for sin on [-π, π]: {listed(errors)}",
        listed(book),
        judged(np.allclose(errors, book, rtol=1e-9)),
    )


def equals_or_about():
    """The first-order change of the cost is only its limit for short steps, not equal to it (E20)."""
    step = 0.1 * slope(START)
    change, promise = valley(START - step) - valley(START), -0.1 * (slope(START) ** 2).sum()
    ratios = [(valley(START - e * slope(START)) - valley(START)) / (-e * (slope(START) ** 2).sum()) for e in ETAS]
    return Finding(
        "E20",
        "Written with an equals sign, the first-order change of the cost is only its limit for short steps.",
        f"½(x²+10y²) from (1,1) with η = 0.1: {change:.4g}, promised {promise:.4g}; "
        f"the ratio for η = {listed(ETAS)}: {listed(ratios)}",
        "-5.095 against -10.1; ratios 0.5045, 0.9504, 0.9950, 0.9995",
        corrected(np.isclose(change, promise), abs(ratios[-1] - 1) < 1e-3 and np.isclose(change, -5.095)),
    )


def minimum_or_where_it_is():
    """Training looks for the place of the minimum, not, as in the notes, for its value (E19)."""
    v = np.linspace(0, 6, 6001)
    cost = (v - 3) ** 2 + 1
    least, where = cost.min(), v[cost.argmin()]
    return Finding(
        "E19",
        "What training looks for is the place of the minimum, not, as written, the minimum.",
        f"(v-3)² + 1: minimum {least:.3g} at v = {where:.3g}",
        "two different numbers, 1 and 3",
        corrected(np.isclose(least, where), np.isclose(where, 3)),
    )


CLAIMS = (
    linear_prediction,
    steepest_direction,
    downhill_at_right_angles,
    sine_by_degrees,
    equals_or_about,
    minimum_or_where_it_is,
)


def pictures(folder):
    """The polynomials of sin; what the gradient promises for a step, and how the cost changes."""
    fig = curves.figure(7.2, 4.2)
    axes = fig.subplots()
    x = np.linspace(-2.2 * np.pi, 2.2 * np.pi, 500)
    axes.plot(x, np.sin(x), color="black", lw=3, alpha=0.35, label="sin x")
    for i, degree in enumerate((1, 3, 5, 9, 13)):
        style = {"color": curves.PALETTE[i], "ls": curves.DASHES[i % 4], "lw": 1.6}
        axes.plot(x, polynomial(degree, x), label=f"degree {degree}", **style)
    axes.set(ylim=(-3, 3), xlabel="x (radians)", ylabel="value", title="Taylor polynomials of the sine at 0")
    axes.grid(alpha=0.3)
    axes.legend(frameon=False, fontsize="small")
    curves.write(fig, folder / "sine.png")

    fig = curves.figure(5.6, 4.2)
    axes = fig.subplots()
    etas = np.geomspace(1e-4, 0.25, 200)
    change = valley(START - etas[:, None] * slope(START)) - valley(START)
    promise = etas * (slope(START) ** 2).sum()
    axes.plot(etas, promise, "--", color=curves.PALETTE[1], label="promised by the gradient: η‖∇C‖²")
    axes.plot(etas[change < 0], -change[change < 0], "-", color=curves.PALETTE[0], label="what the cost falls by")
    axes.axvline(0.2, color="black", lw=0.8, ls=":")
    axes.text(0.19, 2e-2, "η = 2/λmax: no fall", rotation=90, ha="right", va="bottom", fontsize="small")
    axes.set(xscale="log", yscale="log", xlabel="learning rate η", ylabel="fall of the cost in one step")
    axes.set_title("½(x² + 10y²), one step from (1, 1)")
    axes.grid(alpha=0.3)
    axes.legend(frameon=False, fontsize="small")
    curves.write(fig, folder / "promise.png")
    return "sine.png", "promise.png"


if __name__ == "__main__":
    main(CLAIMS, pictures)
