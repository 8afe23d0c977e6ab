"""Newton's method, which sets the step by the curvature, and what the curvature of a net costs.

python -m experiments.notes.curvature [FOLDER]      15 s, a picture into FOLDER (runs/curvature)
"""

import jax
import jax.numpy as jnp
import numpy as np
from jax.flatten_util import ravel_pytree

import fnn
from experiments.notes.findings import Finding, corrected, listed, main
from experiments.notes.regression import TRUE, UNIT, descended, flat, newton, points
from fnn import CrossEntropy, Dense, Sigmoid
from fnn.layers import DenseParams
from fnn.plots import curves, room

SMALL, DECAY = (Dense(3), Sigmoid(), Dense(1)), 0.01  # DECAY is of all parameters of the small net


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


CLAIMS = (newtons_method,)


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


def pictures(folder):
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
    with room.picture(folder / "newton.png", "Newton's method knows the curvature, descent does not") as fig:
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
    return ("newton.png",)


if __name__ == "__main__":
    main(CLAIMS, pictures)
