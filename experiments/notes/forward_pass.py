"""The forward pass: from unit to unit, as one recursion, in columns or rows, and with no way back.

python -m experiments.notes.forward_pass [FOLDER]      5 s, a picture into FOLDER (runs/forward_pass)
"""

import jax
import jax.numpy as jnp
import numpy as np

import fnn
from experiments.notes.backpropagation import B1, NET, W1, X, params, sigmoid
from experiments.notes.findings import Finding, judged, listed, main
from fnn import Circuit, Dense, Sigmoid
from fnn.layers import DenseParams
from fnn.plots import curves, room

SMALL = (Dense(3), Sigmoid(), Dense(1), Sigmoid())  # the notes' net: three inputs, three hidden units, one output
V1, C1 = np.array([[0.2, -0.5, 0.3], [-0.4, 0.1, 0.6], [0.7, 0.8, -0.9]]), np.array([0.1, -0.2, 0.3])
V2, C2, X3 = np.array([[1.0, -1.5, 0.5]]), np.array([0.25]), np.array([0.6, -0.8, 1.2])


def small():
    """The params of the notes' net."""
    return DenseParams(jnp.asarray(V1), jnp.asarray(C1)), (), DenseParams(jnp.asarray(V2), jnp.asarray(C2)), ()


def forward_recursion():
    """The activation of a layer is σ(W a + b), where a is the activation of the layer before (000-16)."""
    with jax.enable_x64(True):
        _, z1, a1, z2, a2 = (np.asarray(a)[0] for a in fnn.activations(SMALL, small(), X3[None]))
    unrolled = sigmoid(V2 @ sigmoid(V1 @ X3 + C1) + C2)
    return Finding(
        "000-16",
        "Each layer's activation is σ of a matrix times the activation before, plus a bias.",
        f"3-3-1: z1 = {listed(z1)}, a1 = {listed(a1)}, z2 = {listed(z2)}, a2 = {listed(a2, 6)}; the unrolled formula "
        f"differs by {abs(a2 - unrolled).max():.0e}",
        "0.98, 0.2, -1; 0.571219",
        judged(
            np.allclose(z1, [0.98, 0.2, -1.0])
            and abs(a2[0] - 0.571219381194) < 1e-11
            and abs(a2 - unrolled).max() < 1e-14
        ),
    )


def written_out():
    """The forward pass written out unit by unit gives the same numbers as the compact form (001-15)."""
    x1, x2, x3 = X3
    a = [sigmoid(V1[i, 0] * x1 + V1[i, 1] * x2 + V1[i, 2] * x3 + C1[i]) for i in range(3)]
    h = sigmoid(V2[0, 0] * a[0] + V2[0, 1] * a[1] + V2[0, 2] * a[2] + C2[0])
    with jax.enable_x64(True):
        compact = float(fnn.forward(SMALL, small(), X3[None])[0, 0])
    return Finding(
        "001-15",
        "The forward pass of a 3-3-1 net written out unit by unit, f of the output too, is the compact one.",
        f"h = a⁽³⁾ = f(z⁽³⁾): {h:.12f} unit by unit, {compact:.12f} by layers",
        "one number, twice",
        judged(abs(h - compact) < 1e-14),
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


def derivative_and_gradient():
    """The derivative of m functions of n numbers is an m by n matrix, for m = 1 the gradient as a row (000-15)."""
    with jax.enable_x64(True):
        x, y = jnp.asarray(X), jnp.array([[1.0]])
        three, one = SMALL[:2], (*NET[:2], Dense(1), Sigmoid())
        p3 = params()[:2]
        p1 = (*p3, DenseParams(jnp.asarray(V2), jnp.asarray(C2)), ())

        def back(net, p, delta):
            for layer, q, a in reversed(list(zip(net, p, fnn.activations(net, p, x)[:-1], strict=True))):
                _, delta = layer.backward(q, a, delta)
            return np.asarray(delta)[0]

        rows = np.stack([back(three, p3, jnp.eye(3)[i : i + 1]) for i in range(3)])
        jacobian = np.asarray(jax.jacfwd(lambda x: fnn.forward(three, p3, x[None])[0])(x[0]))
        gradient, derivative = back(one, p1, y), jax.jacfwd(lambda x: fnn.forward(one, p1, x[None])[0])(x[0])
    worst = max(abs(rows - jacobian).max(), abs(gradient - np.asarray(derivative)[0]).max())
    return Finding(
        "000-15",
        "The derivative of m functions of n numbers is an m by n matrix; for m = 1 it is the gradient on its side.",
        f"a layer of 3 units and 2 inputs: {jacobian.shape}, one output: {derivative.shape}; their rows, by the "
        f"layers' own backward, are the gradients of the outputs to {worst:.0e}",
        "(3, 2); (1, 2); rounding",
        judged(jacobian.shape == (3, 2) and derivative.shape == (1, 2) and worst < 1e-14),
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
        "A mini-batch may be written as columns or as rows (the design matrix): the same numbers, transposed.",
        f"z, the gradient and the errors of 6 examples differ by {worst:.0e}",
        "rounding",
        judged(worst < 1e-14),
    )


CLAIMS = (
    *(no_way_back, derivative_and_gradient, forward_recursion, neighbours_only, written_out, compact_recursion),
    columns_or_rows,
)


def pictures(folder):
    """The notes' net with its numbers: circles, lines as thick as the weights."""
    trace = [np.asarray(a)[0] for a in fnn.activations(SMALL, small(), jnp.asarray(X3, jnp.float32)[None])]
    columns = [trace[0], trace[2], trace[4]]
    with room.picture(folder / "forward.png", "Each activation is σ of a weighted sum of those before it") as fig:
        axes = fig.subplots()
        at = [[(k, (len(a) - 1) / 2 - i) for i in range(len(a))] for k, a in enumerate(columns)]
        for k, W in enumerate((V1, V2)):
            for (i, j), w in np.ndenumerate(W):
                (x0, y0), (x1, y1) = at[k][j], at[k + 1][i]
                colour, dash = (curves.PALETTE[0], "-") if w > 0 else (curves.PALETTE[1], "--")
                axes.plot([x0, x1], [y0, y1], dash, color=colour, lw=1 + 5 * abs(w), zorder=1)
        for k, a in enumerate(columns):
            for (x, y), value in zip(at[k], a, strict=True):
                axes.plot(x, y, "o", ms=78, mfc="white", mec="black", mew=2)
                axes.text(x, y, f"{value:.2f}", ha="center", va="center")
        for name, style in (("positive weight", "-"), ("negative weight", "--")):
            axes.plot([], [], style, color=curves.PALETTE[style == "--"], label=name)
        for k, name in enumerate(("a⁽¹⁾ = x", "a⁽²⁾ = f(W⁽¹⁾x + b⁽¹⁾)", "a⁽³⁾ = f(W⁽²⁾a⁽²⁾ + b⁽²⁾)")):
            axes.text(k, -1.75, name, ha="center")
        axes.set(xlim=(-0.4, 2.5), ylim=(-1.9, 1.6))
        axes.axis("off")
        axes.legend(loc="upper right")
    return ("forward.png",)


if __name__ == "__main__":
    main(CLAIMS, pictures)
