"""What a few terms of Taylor's series predict, and how well they predict the effect of a gradient step.

python -m experiments.notes.taylor [FOLDER]      5 s, pictures into FOLDER (runs/taylor)
"""

import jax
import jax.numpy as jnp
import numpy as np
from jax.flatten_util import ravel_pytree

import fnn
from experiments.notes.findings import Finding, corrected, judged, listed, main
from fnn import SGD, CrossEntropy, Dense, Identity, Quadratic, Sigmoid
from fnn.layers import DenseParams
from fnn.plots import curves, room

ETAS = np.array([0.1, 0.01, 0.001, 0.0001])
UNIT, SQUARES = (Dense(1),), Quadratic(Identity())
CURVATURES = np.array([1.0, 10.0])
# Inputs for which the cost of a linear unit with targets 0 is ½ (w1² + 10 w2²); in pairs, so that the bias stays 0.
VALLEY = np.sqrt(2 * CURVATURES)[:, None] * np.eye(2)
VALLEY = np.concatenate([VALLEY, -VALLEY])
BOOK = (3.141592653590, 2.026120126460, 0.5240439134172, 0.07522061590362, 6.925270707505e-3, 4.451602382095e-4)
BOOK += (2.114256755807e-5,)  # the largest error of degrees 1, 3, ..., 13 for the sine on [-π, π]


def coefficients(f, degree, radius=2.0):
    """Taylor's coefficients of `f` at 0, by Cauchy's formula on a circle on which and in which `f` has no pole."""
    with jax.enable_x64(True):
        circle = radius * np.exp(2j * np.pi * np.arange(256) / 256)
        found = np.fft.fft(np.asarray(f(jnp.asarray(circle)))).real / 256
    return found[: degree + 1] / radius ** np.arange(degree + 1)


def polynomial(f, degree, x):
    """The Taylor polynomial of `f` at 0."""
    return np.polynomial.polynomial.polyval(x, coefficients(f, degree))


def errors(f, degrees, width):
    """The largest error of the polynomials of these degrees on `[-width, width]`."""
    with jax.enable_x64(True):
        x = np.linspace(-width, width, 20_001)
        true = np.asarray(f(jnp.asarray(x)))
    return np.array([abs(polynomial(f, degree, x) - true).max() for degree in degrees])


def unit(weights, bias=0.0):
    """A linear unit with these weights, as params of float64."""
    return (DenseParams(jnp.asarray(weights, float)[None], jnp.asarray([bias], float)),)


def step(eta, weights):
    """The cost of the valley and its gradient at some weights, and the cost after a step of descent from there."""
    with jax.enable_x64(True):
        p, y = unit(weights), jnp.zeros((4, 1))
        value, gradient = fnn.backprop(UNIT, SQUARES, p, jnp.asarray(VALLEY), y)
        after, _ = SGD(eta).update(p, (), gradient)
        return float(value), np.asarray(gradient[0].W)[0], float(SQUARES.value(fnn.forward(UNIT, after, VALLEY), y))


def network_cost():
    """The cost of a small net and its gradient as functions of one vector, and a random such vector."""
    net, rng = (Dense(3), Sigmoid(), Dense(2)), np.random.default_rng(0)
    x, y = rng.standard_normal((4, 2)), np.eye(2)[[0, 1, 1, 0]]
    template = jax.eval_shape(lambda key: fnn.init(net, key, (2,)), jax.random.key(0))
    at, unravel = ravel_pytree(jax.tree.map(lambda leaf: rng.standard_normal(leaf.shape), template))

    def cost_and_gradient(p):
        value, gradient = fnn.backprop(net, CrossEntropy(), unravel(p), x, y)
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


def to_the_contour(weights, eta=0.3, radius=1e-5):
    """The angles in degrees between a step and the contour, which is where values on a small circle do not change."""
    with jax.enable_x64(True):
        rng = np.random.default_rng(0)
        x, y = jnp.asarray(rng.standard_normal((20, 2))), jnp.asarray(rng.integers(0, 2, (20, 1)), float)
        value, gradient = fnn.backprop(UNIT, CrossEntropy(), unit(weights), x, y)
        after = np.asarray(SGD(eta).update(unit(weights), (), gradient)[0][0].W)[0]
        t = np.linspace(0, 2 * np.pi, 721)
        around = weights + radius * np.stack([np.cos(t), np.sin(t)], axis=1)
        change = np.array(jax.vmap(lambda w: CrossEntropy().value(fnn.forward(UNIT, unit(w), x), y))(around) - value)
    at = np.flatnonzero(np.sign(change[1:]) != np.sign(change[:-1]))
    crossings = t[at] + (t[1] - t[0]) * change[at] / (change[at] - change[at + 1])
    direction = np.arctan2(*(after - weights)[::-1])
    return after, np.degrees(abs((crossings - direction + np.pi) % (2 * np.pi) - np.pi))


def downhill_at_right_angles():
    """Every step of gradient descent leaves its contour at a right angle (004-03)."""
    found, weights = [], np.array([1.0, 0.3])
    for _ in range(30):
        weights, angles = to_the_contour(weights)
        found.extend(angles)
    return Finding(
        "004-03",
        "Gradient descent rolls straight downhill: every step leaves its contour at a right angle.",
        f"30 steps of a logistic unit; its contour is found by values alone, on a small circle around each point, "
        f"which it crosses {len(found) / 30:g} times: at {min(found):.2f} to {max(found):.2f} degrees from the step",
        "twice; 90 degrees",
        judged(len(found) == 60 and np.allclose(found, 90, atol=0.1)),
    )


def more_terms():
    """The more terms of Taylor's series, the wider the range with little error: not for every function (003-17)."""
    sine = errors(jnp.sin, range(1, 14, 2), np.pi)
    degrees = (1, 3, 7, 13, 21, 39)
    near, far = (errors(Sigmoid().f, degrees, width) for width in (2, 4))
    return Finding(
        "003-17",
        "The more terms of Taylor's series are used, the wider the range with little error: so it is for the sine; for "
        "the sigmoid only nearer to 0 than π, where its series ends.",
        f"largest error of degrees 1, 3, …, 13 for the sine on [-π, π]: {listed(sine)}; of degrees {listed(degrees)} "
        f"for the sigmoid on [-2, 2]: {listed(near, 2)}, on [-4, 4]: {listed(far, 2)}",
        f"{listed(BOOK)}; falling on [-2, 2]; rising on [-4, 4], since the sigmoid has poles at ±iπ",
        corrected(
            np.allclose(sine, BOOK, rtol=1e-7) and (np.diff(far) < 0).all(),
            np.allclose(sine, BOOK, rtol=1e-7) and (np.diff(near) < 0).all() and far[-1] > 1000 * far[0],
        ),
    )


def finite_or_not():
    """A finite number of terms expresses a polynomial; any other function it only approximates (E29)."""
    degrees = (1, 5, 9, 13)
    left = errors(Sigmoid().f, degrees, 1)
    (square,) = errors(jax.vmap(lambda z: SQUARES.value(z[None, None], jnp.ones((1, 1)))), [2], 1)
    return Finding(
        "E29",
        "A finite number of terms of its Taylor series expresses a function only if this is a polynomial; any other "
        "function, such as the sigmoid, it approximates.",
        f"largest error on [-1, 1]: the sigmoid with degrees {listed(degrees)}: {listed(left, 2)}; the quadratic cost "
        f"with degree 2: {square:.0e}",
        "smaller with every term, never 0; rounding",
        corrected(left[0] < 1e-14, square < 1e-14 and left[-1] > 1e-10 and (np.diff(left) < 0).all()),
    )


def equals_or_about():
    """The first-order change of the cost is only its limit for short steps, not equal to it (E20)."""
    found = [(after - value, -eta * (g**2).sum()) for eta in ETAS for value, g, after in [step(eta, [1.0, 1.0])]]
    (change, promise), *_ = found
    ratios = [one / other for one, other in found]
    return Finding(
        "E20",
        "Written with an equals sign, the first-order change of the cost is only its limit for short steps.",
        f"a unit with the cost ½(x²+10y²), from (1,1) with η = 0.1: {change:.4g}, promised {promise:.4g}; "
        f"the ratio for η = {listed(ETAS)}: {listed(ratios)}",
        "-5.095 against -10.1; ratios 0.5045, 0.9504, 0.9950, 0.9995",
        corrected(np.isclose(change, promise), abs(ratios[-1] - 1) < 1e-3 and np.isclose(change, -5.095)),
    )


def minimum_or_where_it_is():
    """Training looks for the place of the minimum, not, as in the notes, for its value (E19)."""
    with jax.enable_x64(True):
        x, far = jnp.array([[1.0], [1.0], [-1.0], [-1.0]]), 3 + 2**0.5
        y, p = jnp.array([[far], [3 - 2**0.5], [-far], [2**0.5 - 3]]), unit([0.0])
        for _ in range(60):
            p, _ = SGD(0.5).update(p, (), fnn.backprop(UNIT, SQUARES, p, x, y)[1])
        place, least = float(p[0].W[0, 0]), float(fnn.backprop(UNIT, SQUARES, p, x, y)[0])
    return Finding(
        "E19",
        "What training looks for is the place of the minimum, not, as written, the minimum.",
        f"a unit with the cost ½ (w-3)² + 1: 60 steps of descent end at w = {place:.3g}, where the cost is {least:.3g}",
        "two different numbers, 3 and 1",
        corrected(np.isclose(place, least), np.isclose(place, 3) and np.isclose(least, 1)),
    )


CLAIMS = (
    *(linear_prediction, steepest_direction, downhill_at_right_angles, more_terms, finite_or_not, equals_or_about),
    minimum_or_where_it_is,
)


def pictures(folder):
    """The polynomials of the sine and of the sigmoid; what the gradient promises for a step."""
    draw_series(folder / "sine.png")
    draw_promise(folder / "promise.png")
    return "sine.png", "promise.png"


def draw_series(path):
    """Both functions with some of their polynomials."""
    with room.picture(path, "More terms reach further out for the sine, but never past π for the sigmoid") as fig:
        for axes, f, width, (low, high), name in zip(
            fig.subplots(1, 2),
            (jnp.sin, Sigmoid().f),
            (7, 5),
            ((-2.5, 2.5), (-0.5, 1.5)),
            ("sine", "sigmoid"),
            strict=True,
        ):
            x = np.linspace(-width, width, 800)
            axes.plot(x, np.asarray(f(x)), color="black", lw=7, alpha=0.3)
            for i, degree in enumerate((1, 5, 13, 21)):
                y = polynomial(f, degree, x)
                shown = np.where((y > low) & (y < high), y, np.nan)
                axes.plot(x, shown, curves.DASHES[i], color=curves.PALETTE[i], label=f"degree {degree}")
            axes.set(xlabel="x", ylim=(low, high), title=f"the {name} (grey) and its Taylor polynomials")
            axes.grid()
        fig.axes[1].legend(loc="upper left", frameon=True, framealpha=1)
        for x in (-np.pi, np.pi):
            fig.axes[1].axvline(x, color="black", lw=1.5, ls=":")


def draw_promise(path):
    """How far the cost falls in one step, and what the gradient promises."""
    etas = np.geomspace(1e-3, 0.4, 150)
    found = [(eta, value - after, eta * (g**2).sum()) for eta in etas for value, g, after in [step(eta, [1.0, 1.0])]]
    etas, falls, promised = np.array(found).T
    turn = 202 / 1001  # 2 ‖g‖² / gᵀHg at (1, 1), where g = (1, 10)
    with room.picture(path, "The gradient promises more than a long step keeps") as fig:
        axes = fig.subplots()
        axes.plot(etas, promised, "--", color=curves.PALETTE[1], label="promised by the gradient: η‖∇C‖²")
        axes.plot(etas, falls, "-", color=curves.PALETTE[0], label="what the cost falls by")
        axes.axhline(0, color="black", lw=1)
        axes.axvline(turn, color="black", lw=1.5, ls=":")
        axes.annotate(f"η = {turn:.4f}: no fall", (turn, 0), (0.23, 6), arrowprops={"arrowstyle": "->"})
        axes.set(xlim=(0, 0.3), ylim=(-10, 22), xlabel="learning rate η", ylabel="fall of the cost in one step")
        axes.set_title("a unit with the cost ½(x² + 10y²), one step from (1, 1)")
        axes.grid()
        axes.legend(loc="upper left")


if __name__ == "__main__":
    main(CLAIMS, pictures)
