"""The equations of backpropagation on one small net in three ways: by loops, by matrices, by `jax.grad`.

python -m experiments.notes.backpropagation [FOLDER]      20 s, a picture into FOLDER (runs/backpropagation)
"""

import jax
import jax.numpy as jnp
import numpy as np

import fnn
from experiments.notes.findings import Finding, judged, listed, main
from fnn import Circuit, CrossEntropy, Dense, LogLikelihood, Quadratic, ReLU, Sigmoid, Tanh
from fnn.layers import DenseParams
from fnn.plots import curves

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


def forward_recursion():
    """The activation of a layer is σ(W a + b), where a is the activation of the layer before (000-16)."""
    with jax.enable_x64(True):
        trace = [np.asarray(a) for a in fnn.activations(NET, params(), X)]
    unrolled = W2 @ sigmoid(W1 @ X[0] + B1) + B2
    return Finding(
        "000-16",
        "Each layer's activation is σ of a matrix times the activation before, plus a bias.",
        f"z1 = {listed(trace[1][0])}, z2 = {listed(trace[3][0], 6)}; the unrolled formula differs by "
        f"{abs(trace[3][0] - unrolled).max():.0e}",
        "0.36, -0.47, -1.12; 0.366045, -0.511176",
        judged(np.allclose(trace[1][0], [0.36, -0.47, -1.12]) and abs(trace[3][0] - unrolled).max() < 1e-14),
    )


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


def written_out():
    """The forward pass written out unit by unit gives the same numbers as the compact form (001-15)."""
    x1, x2 = X[0]
    z = [W1[i, 0] * x1 + W1[i, 1] * x2 + B1[i] for i in range(3)]
    out = W2[0, 0] * sigmoid(z[0]) + W2[0, 1] * sigmoid(z[1]) + W2[0, 2] * sigmoid(z[2]) + B2[0]
    with jax.enable_x64(True):
        compact = float(fnn.forward(NET, params(), X)[0, 0])
    return Finding(
        "001-15",
        "The forward pass of a small net written out unit by unit is the compact one.",
        f"first output {out:.12f} unit by unit, {compact:.12f} by layers",
        "0.366045464150, twice",
        judged(abs(out - compact) < 1e-14 and abs(out - 0.366045464150) < 1e-11),
    )


def compact_recursion():
    """Forward propagation is one recursion, whatever the depth (001-16)."""
    with jax.enable_x64(True):
        rng = np.random.default_rng(0)
        net = (Dense(4), Sigmoid(), Dense(3), Sigmoid(), Dense(2), Sigmoid())
        W, b = [rng.standard_normal(s) for s in ((4, 5), (3, 4), (2, 3))], [rng.standard_normal(k) for k in (4, 3, 2)]
        p = tuple(q for w, v in zip(W, b, strict=True) for q in (DenseParams(jnp.asarray(w), jnp.asarray(v)), ()))
        x = rng.standard_normal((6, 5))
        ours = np.asarray(fnn.forward(net, p, jnp.asarray(x)))
    a = x.T
    for w, v in zip(W, b, strict=True):
        a = sigmoid(w @ a + v[:, None])
    return Finding(
        "001-16",
        "Forward propagation is one recursion, whatever the depth.",
        f"[5,4,3,2] for 6 examples: differs from the recursion by {abs(ours - a.T).max():.0e}",
        "rounding",
        judged(abs(ours - a.T).max() < 1e-14),
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


def by_index():
    """A hidden unit's error is the weighted sum of the errors of the units it feeds, times its slope (004-10)."""
    by_loops, by_matrices, _ = ways()
    return Finding(
        "004-10",
        "The error of a hidden unit is the weighted sum of those it feeds, times its own slope; times an input, the "
        "weight's.",
        f"index by index and by matrices: W1 differs by "
        f"{abs(np.array(by_loops['W1']) - by_matrices['W1']).max():.0e}; dC/dW1[1,2] = {by_loops['W1'][0][1]:.12f}",
        "rounding; 0.240219602336",
        judged(apart(by_loops, by_matrices) < 1e-14 and abs(by_loops["W1"][0][1] - 0.240219602336) < 1e-11),
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
        judged(apart(outer, auto) < 1e-11),
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
        "With an L2 penalty each weight's derivative gains λ times the weight; the biases' do not.",
        f"∇C + λW and automatic differ by {apart(ours, auto):.0e}; biases untouched: "
        f"{bool((ours['b1'] == without['b1']).all())}; a gradient without λW is flagged: {not bare.ok}",
        "rounding; True; True",
        judged(apart(ours, auto) < 1e-14 and (ours["b1"] == without["b1"]).all() and not bare.ok),
    )


def derivative_and_gradient():
    """The derivative of m functions of n numbers is an m by n matrix, for m = 1 the gradient as a row (000-15)."""
    with jax.enable_x64(True):
        W = jnp.asarray(W1)
        jacobian = jax.jacfwd(lambda x: jax.nn.sigmoid(W @ x))(jnp.asarray(X[0]))
        reverse = jax.jacrev(lambda x: jax.nn.sigmoid(W @ x))(jnp.asarray(X[0]))

        def one(x):
            return jnp.sin(x).sum()

        derivative, gradient = jax.jacfwd(lambda x: one(x)[None])(jnp.asarray(X[0])), jax.grad(one)(jnp.asarray(X[0]))
        same = float(abs(derivative[0] - gradient).max()) + float(abs(jacobian - reverse).max())
    return Finding(
        "000-15",
        "The derivative of m functions of n numbers is an m by n matrix; for m = 1 it is the gradient on its side.",
        f"3 functions of 2 numbers: {jacobian.shape}; one function: {derivative.shape}, its transpose and the gradient "
        f"differ by {same:.0e}",
        "(3, 2); (1, 2); 0",
        judged(jacobian.shape == (3, 2) and derivative.shape == (1, 2) and same < 1e-14),
    )


def no_way_back():
    """In a feedforward net a layer depends on earlier layers alone (000-07)."""
    with jax.enable_x64(True):

        def trace(nudges):
            a, after = jnp.asarray(X[0]), []
            for layer, p, nudge in zip(NET, params(), nudges, strict=True):
                a = layer.forward(p, a[None])[0] + nudge
                after.append(a)
            return after

        blocks = jax.jit(jax.jacrev(trace))([jnp.zeros(k) for k in (3, 3, 2)])
        earlier = max(float(abs(blocks[k][m]).max()) for k in range(3) for m in range(3) if k < m)
        own = max(float(abs(blocks[k][k] - jnp.eye(len(blocks[k][k]))).max()) for k in range(3))
    try:
        Circuit(2, ((0, 3), (1, 2)), (3,))
        refused = "nothing"
    except ValueError as error:
        refused = str(error).split(": ")[-1]
    return Finding(
        "000-07",
        "In a feedforward net nothing comes back: a layer depends on the layers before it alone.",
        f"derivative of earlier layers by later ones: {earlier:g}; of a layer by itself: the identity to {own:g}; a "
        f"circuit with a loop is refused: '{refused}'",
        "0; 0; refused",
        judged(earlier == 0 and own == 0 and "no loops" in refused),
    )


def neighbours_only():
    """A net has any number of layers and units, with links from each layer to the next one only (001-13)."""
    with jax.enable_x64(True):
        held = [jnp.asarray(v) for v in (X[0], W1 @ X[0] + B1, sigmoid(W1 @ X[0] + B1))]

        def each(inputs):
            return [layer.forward(p, a[None])[0] for layer, p, a in zip(NET, params(), inputs, strict=True)]

        blocks = jax.jit(jax.jacrev(each))(held)
        linked = [[int(bool(abs(np.asarray(blocks[k][m])).max() > 0)) for m in range(3)] for k in range(3)]
    try:
        fnn.forward(NET, params()[:2], X)
        refused = False
    except ValueError:
        refused = True
    return Finding(
        "001-13",
        "Any number of layers and units; links lead to the next layer only, none sideways, back or further on.",
        f"which layer's output depends directly on which layer's input: {linked}; params of another wiring refused: "
        f"{refused}",
        "the diagonal only; True",
        judged(linked == np.eye(3, dtype=int).tolist() and refused),
    )


def columns_or_rows():
    """A mini-batch may be written as columns or as rows: the numbers are the same, transposed (004-16)."""
    with jax.enable_x64(True):
        rng = np.random.default_rng(0)
        x, W, b, delta = rng.standard_normal((6, 2)), W1, B1, rng.standard_normal((6, 3))
        layer, p = Dense(3), params()[0]
        z = np.asarray(layer.forward(p, jnp.asarray(x)))
        nabla, back = layer.backward(p, jnp.asarray(x), jnp.asarray(delta))
    columns = W @ x.T + b[:, None]
    by_W, by_x = delta.T @ x, W.T @ delta.T
    worst = max(abs(z - columns.T).max(), abs(np.asarray(nabla.W) - by_W).max(), abs(np.asarray(back) - by_x.T).max())
    return Finding(
        "004-16",
        "A mini-batch may be written as columns or as rows: the same numbers, transposed.",
        f"z, the gradient and the errors of 6 examples differ by {worst:.0e}",
        "rounding",
        judged(worst < 1e-14),
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


CLAIMS = (
    *(no_way_back, derivative_and_gradient, forward_recursion, delta_rule, neighbours_only, written_out),
    *(compact_recursion, decay_of_weights_alone, error_terms, outer_product, three_steps, by_index, one_neuron),
    columns_or_rows,
)


def pictures(folder):
    """How far three ways to the gradient are apart, coordinate by coordinate, in units of the last digit."""
    by_loops, by_matrices, auto = ways()
    flat = [
        np.concatenate([np.ravel(way[k]) for k in ("W1", "b1", "W2", "b2")]) for way in (by_loops, by_matrices, auto)
    ]
    fig = curves.figure(7.2, 3.8)
    axes = fig.subplots()
    k = np.arange(1, len(flat[0]) + 1)
    axes.axhline(0, color="black", lw=0.8)
    axes.plot(k, (flat[0] - flat[2]) / 1e-16, "o", color=curves.PALETTE[0], label="loops over indices")
    axes.plot(k, (flat[1] - flat[2]) / 1e-16, "x", color=curves.PALETTE[1], ms=8, label="backprop, by hand")
    axes.set(xlabel="parameter of the [2,3,2] net", ylabel="difference (1e-16)", ylim=(-2, 2))
    axes.set_title("Three ways to one gradient: differences from jax.grad (entries up to 0.4)")
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.grid(alpha=0.3)
    axes.legend(frameon=False)
    curves.write(fig, folder / "three_ways.png")
    return ("three_ways.png",)


if __name__ == "__main__":
    main(CLAIMS, pictures)
