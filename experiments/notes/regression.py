"""One linear or logistic unit: descent, the exact answer, and Newton's method, which uses the curvature.

python -m experiments.notes.regression [FOLDER]      10 s, pictures into FOLDER (runs/regression)
"""

from functools import cache

import jax
import jax.numpy as jnp
import numpy as np
from jax.flatten_util import ravel_pytree

import fnn
from experiments.notes.findings import Finding, corrected, judged, listed, main
from fnn import SGD, CrossEntropy, Dense, Identity, Quadratic, Sigmoid
from fnn.layers import DenseParams
from fnn.plots import curves, room

UNIT, SMALL = (Dense(1),), (Dense(3), Sigmoid(), Dense(1))
DECAY = 0.01  # of all parameters of the small net
TRUE = np.array([1.5, -1.0, 0.5, 0.3])  # weights and, last, the bias of the synthetic data


@cache
def points(n=400):
    """Inputs `(n, 3)`, noisy sums, and labels drawn with the probability σ(w·x + b)."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((n, 3))
    z = x @ TRUE[:3] + TRUE[3]
    return x, z + 0.3 * rng.standard_normal(n), (rng.random(n) < 1 / (1 + np.exp(-z))).astype(float)


def flat(p):
    """The params of the unit as one vector, bias last."""
    return np.append(np.asarray(p[0].W)[0], np.asarray(p[0].b))


def descended(cost, y, eta, steps):
    """The weights and the bias after every step of batch descent from zero, `(steps, 4)`, float64."""
    with jax.enable_x64(True):
        x, y = jnp.asarray(points()[0]), jnp.asarray(y)[:, None]

        def on(p, _):
            p = SGD(eta).update(p, (), fnn.backprop(UNIT, cost, p, x, y)[1])[0]
            return p, p

        start = (DenseParams(jnp.zeros((1, 3)), jnp.zeros(1)),)
        history = jax.jit(lambda p: jax.lax.scan(on, p, None, length=steps)[1])(start)
        return np.column_stack([np.asarray(history[0].W)[:, 0], np.asarray(history[0].b)])


@cache
def newton(n=400):
    """The weights of logistic regression on n points after each step of Newton's method from 0."""
    x, _, y = points(n)
    design, w, way = np.column_stack([x, np.ones(len(x))]), np.zeros(4), [np.zeros(4)]
    for _ in range(8):
        a = 1 / (1 + np.exp(-design @ w))
        hessian = design.T * (a * (1 - a)) @ design
        w = w - np.linalg.solve(hessian, design.T @ (a - y))
        way.append(w)
    return np.array(way)


def least_squares():
    """Linear regression minimises the mean squared distance, of gradient -2/n Σ (y - wᵀx) x (004-06)."""
    x, y, _ = points()
    exact, *_ = np.linalg.lstsq(np.column_stack([x, np.ones(len(x))]), y, rcond=None)
    apart = abs(descended(Quadratic(Identity()), y, 0.5, 300)[-1] - exact).max()
    with jax.enable_x64(True):
        p = (DenseParams(jnp.asarray([[0.2, 0.1, -0.3]]), jnp.asarray([0.4])),)
        _, g = fnn.backprop(UNIT, Quadratic(Identity()), p, jnp.asarray(x), jnp.asarray(y)[:, None])
        ours = 2 * np.asarray(g[0].W)[0]  # our cost has the factor 1/2
    slope = -2 / len(x) * ((y - x @ [0.2, 0.1, -0.3] - 0.4)[:, None] * x).sum(axis=0)
    return Finding(
        "004-06",
        "Linear regression minimises the mean squared distance; its gradient is -2/n Σ (y - wᵀx) x.",
        f"300 steps of descent end {apart:.0e} from least squares; twice our gradient (of half the square) differs "
        f"from the formula by {abs(ours - slope).max():.0e}",
        "below 1e-8; rounding",
        judged(apart < 1e-8 and abs(ours - slope).max() < 1e-13),
    )


def analytic_or_not():
    """The minimum has a formula for simple costs only; that of a net has to be searched for (003-20)."""
    x, y, _ = points()
    exact, *_ = np.linalg.lstsq(np.column_stack([x, np.ones(len(x))]), y, rcond=None)
    linear = abs(descended(Quadratic(Identity()), y, 0.5, 300)[-1] - exact).max()
    net, cost = (Dense(2), Sigmoid(), Dense(1)), Quadratic()
    corners, xor = fnn.load_data("xor", targets="binary").train.rows(slice(None))

    def final(key):
        def on(p, _):
            value, g = fnn.backprop(net, cost, p, corners, xor)
            return SGD(2.0).update(p, (), g)[0], value

        return jax.lax.scan(on, fnn.init(net, key, (2,)), None, length=20_000)[1][-1]

    costs = np.sort(np.asarray(jax.jit(jax.vmap(final))(jax.random.split(jax.random.key(0), 32))))
    return Finding(
        "003-20",
        "Only for simple costs can the minimum be written down; a net's has to be searched for.",
        f"linear unit: descent ends {linear:.0e} from the solved equations; a [2,2,1] sigmoid net on XOR, 32 starts, "
        f"20,000 steps: final costs from {costs[0]:.4f} to {costs[-1]:.4f}, median {np.median(costs):.4f}",
        "below 1e-8; different ends",
        judged(linear < 1e-8 and costs[-1] > 2 * costs[0]),
    )


def small_net(p):
    """Cost with a penalty and gradient of [3, 3, 1] on the labelled points."""
    x, y = jnp.asarray(points()[0]), jnp.asarray(points()[2])[:, None]
    value, g = fnn.backprop(SMALL, CrossEntropy(), p, x, y)
    value += DECAY / 2 * sum((leaf**2).sum() for leaf in jax.tree.leaves(p))
    return value, jax.tree.map(lambda g, leaf: g + DECAY * leaf, g, p)


@jax.jit
def damped_newton(p, damping):
    """A step `(H + damping) d = ∇C` by conjugate gradients, without H: the params, whether the cost fell."""
    value, g = small_net(p)

    def curved(d):
        _, product = jax.jvp(lambda p: small_net(p)[1], (p,), (d,))
        return jax.tree.map(lambda h, d: h + damping * d, product, d)

    d, _ = jax.scipy.sparse.linalg.cg(curved, g, maxiter=40)
    q = jax.tree.map(jnp.subtract, p, d)
    return q, small_net(q)[0] < value


def searched(seed, tries=40):
    """‖∇C‖ after `tries` damped Newton steps, and after 2,000 steps of descent from the same start."""
    with jax.enable_x64(True):
        start = fnn.init(SMALL, jax.random.key(seed), (3,))
        p, damping = start, 1.0
        for _ in range(tries):
            q, fell = damped_newton(p, damping)
            p, damping = (q, damping / 10) if fell else (p, damping * 4)

        def on(p, _):
            return jax.tree.map(lambda leaf, g: leaf - g, p, small_net(p)[1]), None

        plain, _ = jax.lax.scan(on, start, None, length=2000)
        return [float(jnp.linalg.norm(ravel_pytree(small_net(q)[1])[0])) for q in (p, plain)]


def cost_of_a_product():
    """Operations of a Hessian-vector product over those of a gradient, [64, 30, 10], 1,000 examples; its parameters."""
    net, x, y = (Dense(30), Sigmoid(), Dense(10)), jnp.ones((1000, 64)), jnp.ones((1000, 10))
    p = fnn.init(net, jax.random.key(0), (64,))

    def gradient(p, x, y):
        return fnn.backprop(net, CrossEntropy(), p, x, y)[1]

    def product(p, d, x, y):
        return jax.jvp(lambda p: gradient(p, x, y), (p,), (d,))[1]

    programs = jax.jit(gradient).lower(p, x, y), jax.jit(product).lower(p, p, x, y)
    one, two = (program.compile().cost_analysis()["flops"] for program in programs)
    return two / one, fnn.count_params(p)


def product_without_matrix():
    """How far the Hessian of one unit times a vector, by differentiating `backprop`, is from the matrix product."""
    with jax.enable_x64(True):
        x, y = jnp.asarray(points()[0]), jnp.asarray(points()[2])[:, None]
        p, v = ((DenseParams(jnp.asarray(w[None, :3]), jnp.asarray(w[3:])),) for w in (TRUE, np.ones(4)))
        _, product = jax.jvp(lambda p: fnn.backprop(UNIT, CrossEntropy(), p, x, y)[1], (p,), (v,))
    design = np.column_stack([points()[0], np.ones(400)])
    a = 1 / (1 + np.exp(-design @ TRUE))
    return abs(flat(product) - (design.T * (a * (1 - a)) @ design / 400) @ np.ones(4)).max()


def newtons_method():
    """Newton's method sets the step by the curvature; it is possible here, though the notes deny it (004-04)."""
    curvatures, at = np.array([1.0, 10.0]), np.array([1.0, 1.0])
    one = at - np.linalg.solve(np.diag(curvatures), curvatures * at)
    errors = np.linalg.norm(newton() - newton()[-1], axis=1)[:6]
    orders = np.log(errors[3:] / errors[2:-1]) / np.log(errors[2:-1] / errors[1:-2])
    slow = np.linalg.norm(descended(CrossEntropy(), points()[2], 1.0, 50) - newton()[-1], axis=1)
    apart, (work, columns) = product_without_matrix(), cost_of_a_product()
    ends = np.array([searched(seed) for seed in range(3)])
    quick = np.allclose(one, 0) and 1.8 < orders[-1] < 2.2 and errors[5] < 1e-8 < slow[-1]
    done = apart < 1e-13 and ends[:, 0].max() < 1e-9
    return Finding(
        "004-04",
        "Newton's method sets the step by the curvature; the notes call computing it impossible here. Its product "
        "with a vector costs about two gradients, and that is enough.",
        f"½(x²+10y²): one step to {listed(abs(one), 1)}; logistic regression: errors {listed(errors, 2)} (order "
        f"{orders[-1]:.1f} at last), while 50 steps of descent leave {slow[-1]:.1e}; a Hessian-vector product without "
        f"the matrix: {apart:.0e} off, {work:.2f} times the operations of a gradient ([64, 30, 10]); with such "
        f"products alone, 40 damped Newton steps of a [3, 3, 1] net from three starts: norm of the gradient at most "
        f"{ends[:, 0].max():.0e}, after 2,000 steps of descent at least {ends[:, 1].min():.0e}",
        f"the minimum; order 2; rounding; about 2 (impossible would be {columns:,}, as much as the matrix); 0",
        corrected(work > columns, quick and done and 1 < work < 3 and ends[:, 1].min() > 100 * ends[:, 0].max()),
    )


def online():
    """Logistic regression is trained example by example with the error a - y (004-15)."""
    x, _, y = points()
    optimum = newton()[-1]
    design = np.column_stack([x, np.ones(len(x))])

    def cost(w):
        return float(np.mean(np.logaddexp(0, design @ w) - y * (design @ w)))

    with jax.enable_x64(True):
        start = (DenseParams(jnp.zeros((1, 3)), jnp.zeros(1)),)

        def on(p, row):
            k, i = row
            g = fnn.backprop(UNIT, CrossEntropy(), p, jnp.asarray(x)[i][None], jnp.asarray(y)[i][None, None])[1]
            return SGD(2.0 / (1 + 0.05 * k)).update(p, (), g)[0], None

        rows = np.random.default_rng(1).integers(0, len(x), 200_000)
        p = jax.jit(lambda p: jax.lax.scan(on, p, (jnp.arange(200_000.0), rows))[0])(start)
        p = jax.tree.map(np.asarray, p)
        _, g = fnn.backprop(UNIT, CrossEntropy(), start, jnp.asarray(x)[:1], jnp.asarray(y)[:1, None])
    off = abs(flat(g) - (0.5 - y[0]) * design[0]).max()
    gap = cost(flat(p)) - cost(optimum)
    return Finding(
        "004-15",
        "Logistic regression is trained example by example with the error a - y.",
        f"the gradient of the first example is a - y times its input, and a - y for the bias, to {off:.0e}; 200,000 "
        f"single examples at a falling rate end {gap:.1e} nats above the optimum that Newton's method finds",
        "rounding; below 1e-4",
        judged(off < 1e-15 and 0 <= gap < 1e-4),
    )


def answered(w, x):
    """What a logistic unit with these weights and, last, this bias answers."""
    with jax.enable_x64(True):
        p = (DenseParams(jnp.asarray(w[None, :3]), jnp.asarray(w[3:])),)
        return np.asarray(fnn.predict(UNIT, CrossEntropy(), p, jnp.asarray(x)))[:, 0]


def probabilities():
    """Logistic regression answers with a probability, a number between 0 and 1 (004-11)."""
    rng = np.random.default_rng(5)
    x = rng.standard_normal((50_000, 3))
    truth = 1 / (1 + np.exp(-(x @ TRUE[:3] + TRUE[3])))  # not by the library, which is judged by it
    w = newton(20_000)[-1]
    said = answered(w, x)
    label = rng.random(len(x)) < truth
    bins = np.digitize(said, np.linspace(0, 1, 11)[1:-1])
    off = max(abs(label[bins == b].mean() - said[bins == b].mean()) for b in range(10))
    return Finding(
        "004-11",
        "Logistic regression answers with a probability: a number between 0 and 1 that may be unsure.",
        f"answers from {said.min():.4f} to {said.max():.4f}; in ten groups of 50,000 new cases it is off from the "
        f"share of ones by at most {off:.3f}; learned weights {listed(w, 2)}, true {listed(TRUE, 2)}",
        "inside (0, 1); at most a few hundredths; weights from 20,000 examples",
        judged(said.min() > 0 and said.max() < 1 and off < 0.03),
    )


CLAIMS = (analytic_or_not, newtons_method, least_squares, probabilities, online)


def bowl(n=400):
    """Logistic regression on one input, `x ~ N(2, 1)`: functions of `(w, b)` for its cost, slope and curvature."""
    x = points(n)[0][:, 0] + 2
    y = points(n)[2]
    design = np.column_stack([x, np.ones(n)])

    def cost(w, b):
        z = np.multiply.outer(x, w) + b
        return (np.logaddexp(0, z) - y.reshape(-1, *[1] * np.ndim(w)) * z).mean(axis=0)

    def slope(p):
        return design.T @ (1 / (1 + np.exp(-design @ p)) - y) / n

    def curvature(p):
        a = 1 / (1 + np.exp(-design @ p))
        return design.T * (a * (1 - a)) @ design / n

    return cost, slope, curvature


def draw_contours(path):
    """The ways of descent and of Newton's method over the contours of a narrow bowl."""
    cost, slope, curvature = bowl()
    ways = {}
    for name, steps, move in (
        ("descent, η = 0.4: 40 steps", 40, lambda p: p - 0.4 * slope(p)),
        ("descent, η = 1.4: 40 steps", 40, lambda p: p - 1.4 * slope(p)),
        ("Newton: 5 steps", 5, lambda p: p - np.linalg.solve(curvature(p), slope(p))),
    ):
        ways[name] = [np.array([-0.5, 1.0])]
        for _ in range(steps):
            ways[name].append(move(ways[name][-1]))
    with room.picture(path, "Newton's method knows the curvature, descent does not") as fig:
        axes = fig.subplots()
        w, b = np.meshgrid(np.linspace(-0.8, 2.2, 200), np.linspace(-4.2, 1.6, 200))
        levels = (0.59, 0.6, 0.63, 0.68, 0.8, 1.0, 1.4, 2.0)
        lines = axes.contour(w, b, cost(w, b), levels=levels, colors="0.7", linewidths=1.2)
        axes.clabel(lines, levels[3::2], fontsize=18, fmt="%.2f")
        for i, (name, way) in enumerate(ways.items()):
            style = {"ls": curves.DASHES[i], "marker": "o^s"[i], "color": curves.PALETTE[(0, 1, 6)[i]], "lw": 2}
            axes.plot(*np.array(way).T, label=name, **style)
        axes.plot(*ways["Newton: 5 steps"][-1], "*", color="black", ms=26)
        axes.set(xlim=(-0.8, 2.2), ylim=(-4.2, 1.6), xlabel="weight w", ylabel="bias b")
        axes.set_title("contours of the cost of logistic regression (nats)")
        axes.legend(loc="lower left")


def pictures(folder):
    """Newton against descent on logistic regression, and over the contours; the calibration of its answers."""
    draw_contours(folder / "newton.png")
    w = newton(20_000)[-1]
    x = np.random.default_rng(5).standard_normal((50_000, 3))
    truth, said = answered(TRUE, x), answered(w, x)
    bins = np.digitize(said, np.linspace(0, 1, 11)[1:-1])
    label = np.random.default_rng(6).random(len(x)) < truth
    with room.picture(folder / "regression.png", "One logistic unit: its answers are probabilities") as fig:
        left, right = fig.subplots(1, 2)
        for i, eta in enumerate((0.3, 1.0, 3.0)):
            errors = np.linalg.norm(descended(CrossEntropy(), points()[2], eta, 60) - newton()[-1], axis=1)
            left.plot(
                np.arange(1, 61), errors, curves.DASHES[i], color=curves.PALETTE[i], label=f"descent, η = {eta:g}"
            )
        errors = np.linalg.norm(newton() - newton()[-1], axis=1)[:6]
        left.plot(range(6), np.maximum(errors, 1e-16), "o-", color="black", label="Newton")
        left.set(yscale="log", ylim=(1e-13, 10), xlabel="step", ylabel="distance from the optimum")
        left.set_title("Newton's method takes five steps")
        right.plot([0, 1], [0, 1], "--", color="0.5", label="calibrated")
        means, ones = ([values[bins == b].mean() for b in range(10)] for values in (said, label))
        right.plot(means, ones, "o", color=curves.PALETTE[0], label="50,000 new cases\nin ten groups")
        right.set(xlabel="what the unit answers", ylabel="share of ones", title="as often right as it says")
        for axes in (left, right):
            axes.grid()
            axes.legend()
    return "newton.png", "regression.png"


if __name__ == "__main__":
    main(CLAIMS, pictures)
