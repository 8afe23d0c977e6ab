"""The equations of backpropagation on one small net in three ways: by loops, by matrices, by `jax.grad`.

python -m experiments.notes.backpropagation [FOLDER]      20 s, a picture into FOLDER (runs/backpropagation)
"""

import jax
import jax.numpy as jnp
import numpy as np

import fnn
from experiments.notes.findings import Finding, judged, listed, main
from fnn import CrossEntropy, Dense, LogLikelihood, Quadratic, ReLU, Sigmoid, Tanh, variable
from fnn.layers import DenseParams
from fnn.lessons import graphs
from fnn.plots import curves, room

NET = (Dense(3), Sigmoid(), Dense(2))
W1, B1 = np.array([[0.1, -0.2], [0.3, 0.4], [-0.5, 0.6]]), np.array([0.01, -0.02, 0.03])
W2, B2 = np.array([[0.7, -0.8, 0.9], [-1, 1.1, -1.2]]), np.array([0.04, -0.05])
X, Y = np.array([[0.5, -1.5]]), np.array([[1.0, 0]])
DELTA1 = np.array([-0.160146401557, 0.175149775621, -0.151813822584])  # to twelve digits, from difference quotients
DELTA2 = np.array([-0.409496921329, 0.374917859244])


def sigmoid(z):
    """`σ(z)` in NumPy."""
    return 1 / (1 + np.exp(-z))


def dsigmoid(z):
    """`σ′(z)`."""
    return sigmoid(z) * (1 - sigmoid(z))


def params():
    """The params of the small net, in the float type of the scope."""
    return DenseParams(jnp.asarray(W1), jnp.asarray(B1)), (), DenseParams(jnp.asarray(W2), jnp.asarray(B2))


def loops(x, y):
    """The gradient for one example, index by index as in the notes, without any operation on arrays."""
    z1 = [sum(W1[i][j] * x[j] for j in range(2)) + B1[i] for i in range(3)]
    a1 = [sigmoid(z) for z in z1]
    z2 = [sum(W2[i][j] * a1[j] for j in range(3)) + B2[i] for i in range(2)]
    d2 = [sigmoid(z2[i]) - y[i] for i in range(2)]
    d1 = [sum(W2[k][j] * d2[k] for k in range(2)) * dsigmoid(z1[j]) for j in range(3)]
    by_W1 = [[d1[i] * x[j] for j in range(2)] for i in range(3)]
    by_W2 = [[d2[i] * a1[j] for j in range(3)] for i in range(2)]
    return {"z1": z1, "z2": z2, "W1": by_W1, "b1": d1, "W2": by_W2, "b2": d2}


def named(gradient):
    """The leaves of a gradient by name."""
    return {"W1": gradient[0].W, "b1": gradient[0].b, "W2": gradient[2].W, "b2": gradient[2].b}


def apart(one, other):
    """The largest difference between two gradients by name."""
    return max(float(abs(np.asarray(one[k]) - np.asarray(other[k])).max()) for k in ("W1", "b1", "W2", "b2"))


def ways():
    """The gradient by loops, by `fnn.backprop`, and by `fnn.autodiff`."""
    with jax.enable_x64(True):
        by_hand, auto = (jax.jit(g)(NET, CrossEntropy(), params(), X, Y)[1] for g in (fnn.backprop, fnn.autodiff))
        return loops(X[0], Y[0]), jax.tree.map(np.asarray, named(by_hand)), jax.tree.map(np.asarray, named(auto))


def delta_rule():
    """The errors of a layer follow from the errors of the next layer by a matrix product (000-17)."""
    worst = {}
    with jax.enable_x64(True):
        rng = np.random.default_rng(0)
        x, y = jnp.asarray(rng.standard_normal((5, 2))), jnp.asarray(np.eye(2)[[0, 1, 1, 0, 1]])
        for f in (Sigmoid(), Tanh(), ReLU()):
            for cost in (Quadratic(), CrossEntropy(), LogLikelihood()):
                net = (Dense(3), f, Dense(2))
                by_hand, auto = (named(jax.jit(g)(net, cost, params(), x, y)[1]) for g in (fnn.backprop, fnn.autodiff))
                scale = max(float(abs(v).max()) for v in auto.values())
                worst[f, cost] = apart(by_hand, auto) / scale
    return Finding(
        "000-17",
        "The errors of a layer follow from those of the next one by a matrix product: all derivatives in two passes.",
        "by hand and automatically, 3 activations times 3 costs: relative difference at most "
        f"{max(worst.values()):.0e}",
        "at most 1e-12 (float64)",
        judged(max(worst.values()) < 1e-12),
    )


def three_steps():
    """Backpropagation is forward, errors backward, outer products, by elements as by matrices (001-25)."""
    by_loops, by_matrices, auto = ways()
    return Finding(
        "001-25",
        "Forward, errors backward, outer products: the algorithm by elements and by matrices is one.",
        f"loops, matrices, automatic: at most {max(apart(by_loops, auto), apart(by_matrices, auto)):.0e} apart; errors "
        f"of the hidden layer {listed(by_loops['b1'])}",
        "rounding; -0.1601, 0.1751, -0.1518",
        judged(max(apart(by_loops, auto), apart(by_matrices, auto)) < 1e-14 and np.allclose(by_loops["b1"], DELTA1)),
    )


def by_gates():
    """The gradient of the small net by a graph of scalar gates, one for each product, sum and sigmoid."""
    w = {f"{name}{i}{j}": v for name, W in (("V", W1), ("W", W2)) for (i, j), v in np.ndenumerate(W)}
    b = {f"{name}{i}": v for name, row in (("c", B1), ("b", B2)) for i, v in enumerate(row)}
    v = {name: variable(name) for name in w | b}
    hidden = [sum((v[f"V{i}{j}"] * X[0, j] for j in range(2)), start=v[f"c{i}"]) for i in range(3)]
    a1 = [graphs.sigmoid(z) for z in hidden]
    a2 = [graphs.sigmoid(sum((v[f"W{i}{j}"] * a1[j] for j in range(3)), start=v[f"b{i}"])) for i in range(2)]
    loss = sum((graphs.log(a if y else 1 - a) * -1.0 for a, y in zip(a2, Y[0], strict=True)), start=0.0)
    with jax.enable_x64(True):
        _, by = graphs.backprop(loss, w | b)
    return {
        "W1": np.array([[by[f"V{i}{j}"] for j in range(2)] for i in range(3)]),
        "W2": np.array([[by[f"W{i}{j}"] for j in range(3)] for i in range(2)]),
        "b1": np.array([by[f"c{i}"] for i in range(3)]),
        "b2": np.array([by[f"b{i}"] for i in range(2)]),
    }


def by_index():
    """A hidden unit's error is the weighted sum of the errors of the units it feeds, times its slope (004-10)."""
    by_loops, by_matrices, _ = ways()
    gates = by_gates()
    return Finding(
        "004-10",
        "The error of a hidden unit is the weighted sum of those it feeds, times its own slope; times an input, the "
        "weight's.",
        f"the note's example, a weight w_ji into hidden unit j: index by index, by matrices and by a graph of scalar "
        f"gates at most {max(apart(by_loops, by_matrices), apart(by_loops, gates)):.0e} apart; dC/dW1[1,2] = "
        f"{gates['W1'][0, 1]:.12f}",
        "rounding; 0.240219602336",
        judged(
            max(apart(by_loops, by_matrices), apart(by_loops, gates)) < 1e-14
            and abs(by_loops["W1"][0][1] - 0.240219602336) < 1e-11
        ),
    )


def outer_product():
    """The derivative by a weight is the error at its end times the activation at its start (001-24)."""
    _, by_matrices, auto = ways()
    a1 = sigmoid(W1 @ X[0] + B1)
    outer = {"W1": np.outer(DELTA1, X[0]), "b1": DELTA1, "W2": np.outer(DELTA2, a1), "b2": DELTA2}
    return Finding(
        "001-24",
        "The derivative by a weight is the error at its end times the activation at its start, by a bias the error "
        "alone.",
        f"outer products of known errors and activations differ from the gradient by {apart(outer, by_matrices):.0e}",
        "the 12 digits they are known to",
        judged(max(apart(outer, auto), apart(outer, by_matrices)) < 1e-11),
    )


def error_terms():
    """The error of a unit is the derivative of the cost by its weighted input (001-23)."""
    with jax.enable_x64(True):

        def nudged(nudges):
            a = jnp.asarray(X)
            for layer, p, nudge in zip(NET, params(), nudges, strict=True):
                a = layer.forward(p, a) + nudge
            return CrossEntropy().value(a, jnp.asarray(Y))

        zeros = tuple(jnp.zeros((1, k)) for k in (3, 3, 2))
        auto = jax.jit(jax.grad(nudged))(zeros)
        ours = fnn.deltas(NET, CrossEntropy(), params(), X, Y)
        worst = max(float(abs(o - a).max()) for o, a in zip(ours, auto, strict=True))
    return Finding(
        "001-23",
        "The error term of a unit is the derivative of the cost by its weighted input.",
        f"deltas and derivatives by numbers added to each layer's output differ by {worst:.0e}; at the output "
        f"{listed(np.asarray(ours[2])[0])}",
        "rounding; -0.4095, 0.3749",
        judged(worst < 1e-14 and np.allclose(np.asarray(ours[2])[0], DELTA2)),
    )


def decay_of_weights_alone():
    """An L2 penalty adds λ times the weight to each weight's derivative, and nothing to the biases' (001-22)."""
    with jax.enable_x64(True):

        def penalised(p):
            weights = sum(jnp.square(q.W).sum() for q in p if q)
            return CrossEntropy().value(fnn.forward(NET, p, X), jnp.asarray(Y)) + 0.5 * 0.1 * weights

        auto = named(jax.jit(jax.grad(penalised))(params()))
        _, plain = fnn.backprop(NET, CrossEntropy(), params(), X, Y)
        ours, without = named(fnn.SGD(1.0, lmbda=0.1).penalised(params(), plain)), named(plain)
        bare = fnn.gradcheck(NET, CrossEntropy(), params(), X, Y, lmbda=0.1, penalised=lambda p, g, lmbda: g)
    return Finding(
        "001-22",
        "With an L2 penalty (regularization, weight decay) each weight's derivative gains λ times the weight; the "
        "biases' do not.",
        f"∇C + λW and automatic differ by {apart(ours, auto):.0e}; biases untouched: "
        f"{bool((ours['b1'] == without['b1']).all())}; a gradient without λW is flagged: {not bare.ok}",
        "rounding; True; True",
        judged(apart(ours, auto) < 1e-14 and (ours["b1"] == without["b1"]).all() and not bare.ok),
    )


def one_neuron():
    """A neuron is trained in six steps: forward, compare, error, delta, gradient, new weights (004-14)."""
    with jax.enable_x64(True):
        net, p = (Dense(1),), (DenseParams(jnp.array([[0.5, -0.25]]), jnp.array([0.2])),)
        x, y = jnp.array([[1.0, 2]]), jnp.ones((1, 1))
        _, gradient = fnn.backprop(net, CrossEntropy(), p, x, y)
        a = float(fnn.predict(net, CrossEntropy(), p, x)[0, 0])
        new, _ = fnn.step(net, CrossEntropy(), fnn.SGD(0.1), p, (), x, y, fnn.backprop)
        after = float(CrossEntropy().value(fnn.forward(net, new, x), y))
    delta = float(gradient[0].b[0])
    return Finding(
        "004-14",
        "A neuron is trained by: forward, compare with the label, error, delta, gradient, back to the weights.",
        f"x = (1, 2): a = {a:.9f}, δ = {delta:.9f}, new w = {listed(new[0].W[0], 9)}, loss after the step {after:.9f} "
        "(all steps: fnn explain)",
        "0.549833997, -0.450166003, 0.545016600 and -0.159966799, 0.485470904",
        judged(np.allclose([a, delta, after], [0.549833997312, -0.450166002688, 0.485470904423], rtol=1e-11)),
    )


CLAIMS = (delta_rule, decay_of_weights_alone, error_terms, outer_product, three_steps, by_index, one_neuron)


def pictures(folder):
    """The gradient of the small net as bars: by difference quotients, by loops and by hand; all the same."""
    by_loops, by_matrices, auto = ways()
    flat = [
        np.concatenate([np.ravel(way[k]) for k in ("W1", "b1", "W2", "b2")]) for way in (by_loops, by_matrices, auto)
    ]
    names = [f"W1[{i},{j}]" for i in (1, 2, 3) for j in (1, 2)] + [f"b1[{i}]" for i in (1, 2, 3)]
    names += [f"W2[{i},{j}]" for i in (1, 2) for j in (1, 2, 3)] + [f"b2[{i}]" for i in (1, 2)]
    far = max(abs(one - flat[2]).max() for one in flat[:2])
    title = "Three ways to one gradient: loops, matrices and jax.grad agree in every entry"
    with room.picture(folder / "three_ways.png", title) as fig:
        axes = fig.subplots()
        k = np.arange(len(names))
        axes.bar(k, flat[2], color="0.85", edgecolor="black", label="automatic (jax.grad)")
        axes.plot(k, flat[0], "o", color=curves.PALETTE[0], ms=15, mfc="none", mew=2.5, label="by loops over indices")
        axes.plot(k, flat[1], "x", color=curves.PALETTE[1], ms=11, mew=2.5, label="by matrices (backprop)")
        axes.axhline(0, color="black", lw=1)
        axes.set_xticks(k, names, rotation=90)
        axes.set(ylabel="∂C/∂(parameter)", title=f"the [2, 3, 2] net; largest difference {far:.0e}", ylim=(-0.45, 0.75))
        axes.grid(axis="y")
        axes.legend(loc="upper left", ncols=2)
    return ("three_ways.png",)


if __name__ == "__main__":
    main(CLAIMS, pictures)
