"""Backpropagation gate by gate: a gate knows only its own derivative, and the graph puts them together.

python -m experiments.notes.chain_rule [FOLDER]      3 s, a picture into FOLDER (runs/chain_rule)
"""

import jax
import jax.numpy as jnp
import numpy as np

import fnn
from experiments.notes.findings import Finding, corrected, judged, listed, main
from experiments.notes.graph_drawing import draw
from fnn import variable
from fnn.layers import DenseParams
from fnn.lessons import gates, graphs
from fnn.plots import curves, room

X = variable("x")
LOGISTIC = {"w1": 0.5, "x1": 1.0, "w2": -0.25, "x2": 2.0, "b": 0.2}
CHAIN = graphs.exp(graphs.sin(graphs.square(X)))
ONE_INPUT = (gates.Square(), gates.Reciprocal(), gates.Exp(), gates.Log(), gates.Sin(), gates.Sigmoid())
GATES = ((gates.Add(), 3), (gates.Multiply(), 2), (gates.Max(), 3), *((gate, 1) for gate in ONE_INPUT))


def scalars(*values):
    """JAX numbers in the precision of the scope."""
    return tuple(jnp.asarray(v, jnp.result_type(float)) for v in values)


def exponential_of_a_sine():
    """The derivative of a chain of functions is the product of their derivatives (001-17)."""
    with jax.enable_x64(True):
        value, by = graphs.backprop(CHAIN, {"x": 0.7})
        auto = float(jax.grad(lambda x: jnp.exp(jnp.sin(x**2)))(0.7))
        high, low = (float(graphs.forward(CHAIN, {"x": 0.7 + h})) for h in (1e-6, -1e-6))
    value, slope = float(value), float(by["x"])
    by_hand = 2 * 0.7 * np.cos(0.49) * np.exp(np.sin(0.49))
    worst = max(abs(slope - v) for v in (auto, by_hand))
    return Finding(
        "001-17",
        "The derivative of a chain of functions is the product of theirs: exp(sin x²).",
        f"at x = 0.7: {value:.11f}, slope {slope:.11f}; formula and automatic differ by {worst:.0e}, a difference "
        f"quotient by {abs(slope - (high - low) / 2e-6):.0e}",
        "1.60099592411 and 1.97765583448",
        judged(abs(value - 1.60099592411) < 1e-11 and abs(slope - 1.97765583448) < 1e-11 and worst < 1e-12),
    )


def local_rules():
    """A gate multiplies the error that arrives by its own derivative; a signal used twice adds both errors (004-08)."""
    worst = steps = 0.0
    with jax.enable_x64(True):
        rng = np.random.default_rng(0)
        for gate, n in GATES:
            x = scalars(*rng.uniform(0.3, 2, n))
            ours = gate.backward(x, scalars(1.0)[0])
            auto = jax.vjp(gate.forward, x)[1](scalars(1.0)[0])[0]
            worst = max(worst, *(abs(float(o - a)) for o, a in zip(ours, auto, strict=True)))
            for i in range(n):
                high, low = (gate.forward((*x[:i], x[i] + h, *x[i + 1 :])) for h in (1e-6, -1e-6))
                steps = max(steps, abs(float(ours[i] - (high - low) / 2e-6)))
        deltas = scalars(0.5, -2.0, 3.0)
        copied = float(gates.FanOut(3).backward(deltas[:1], deltas)[0]) == float(gates.Add().forward(deltas))
    return Finding(
        "004-08",
        "Each gate multiplies the error that arrives by its own derivative; a signal used several times adds them up.",
        f"{len(GATES)} gates: {worst:.0e} from automatic derivatives, {steps:.0e} from difference quotients; "
        f"fan-out is the reverse of the sum: {copied}",
        "rounding; 1e-9; True",
        judged(worst < 1e-14 and steps < 1e-8 and copied),
    )


def the_winner_takes_it():
    """Max-pooling sends the error back to the inputs that it selected on the way forward (004-09)."""
    image = jnp.asarray(np.random.default_rng(0).permutation(16).reshape(1, 1, 4, 4), jnp.float32)
    delta = jnp.array([[[[1.0, 2], [3, 4]]]])
    pool = fnn.MaxPool(2)
    _, back = pool.backward((), image, delta)
    winners = np.asarray(pool.forward((), image)).ravel()
    lit = np.sort(np.asarray(image)[np.asarray(back) != 0])
    same = np.array_equal(lit, np.sort(winners))
    return Finding(
        "004-09",
        "What max-pooling selects on the way forward is where the error goes on the way back.",
        f"a 4x4 image in four pools: the error reaches exactly the four maxima: {same}; its sum {float(delta.sum()):g} "
        f"stays {float(back.sum()):g}",
        "True; 10 and 10",
        judged(same and float(back.sum()) == 10),
    )


def product_gate():
    """The derivative of a product by one factor is the other factor, not product/factor, which fails at 0 (E9)."""
    with jax.enable_x64(True), np.errstate(invalid="ignore"):
        written = float(np.float64(0.0 * 3.0) / np.float64(0.0))
        ours = [float(d) for d in gates.Multiply().backward(scalars(0.0, 3.0), scalars(1.0)[0])]
    return Finding(
        "E9",
        "The derivative of a product by one factor is the other one; written as the product over the factor it is no "
        "number at 0.",
        f"inputs 0 and 3: {written} as written, {ours[0]:g} corrected",
        "nan and 3",
        corrected(written == 3, ours == [3.0, 0.0]),
    )


def sum_gate():
    """A sum passes the whole error to each of its r inputs, not 1/r of it (E10)."""
    ours = [float(d) for d in gates.Add().backward(scalars(1.0, 2.0, 3.0), scalars(1.0)[0])]
    quotient = (graphs.forward(X + 2 + 3, {"x": 1.5}) - graphs.forward(X + 2 + 3, {"x": 0.5})) / 1
    return Finding(
        "E10",
        "A sum passes the whole error to each of its inputs, not the r-th part of it.",
        f"three inputs, error 1: {1 / 3:.3f} as written, {listed(ours)} corrected; the difference quotient is "
        f"{float(quotient):g}",
        "1 each",
        corrected(np.isclose(1 / 3, quotient), ours == [1, 1, 1] and float(quotient) == 1),
    )


def two_paths():
    """Along two paths the derivatives by both intermediate values count; the notes use one of them twice (E11)."""
    t = variable("t")
    with jax.enable_x64(True):
        ours = float(graphs.backprop(graphs.square(t) * (t * t * t), {"t": 1.5})[1]["t"])
    y, z = 1.5**2, 1.5**3
    written = y * 3 * 1.5**2 + y * 0  # dJ/dz dz/dt + dJ/dz dz/dy, and dz/dy = 0
    return Finding(
        "E11",
        "Along two paths the derivatives by both intermediate values count; as written one of them is used twice.",
        f"J = y z, y = t², z = t³ at t = 1.5: {written} as written, {z * 2 * 1.5 + y * 3 * 1.5**2} corrected, "
        f"{ours} by the gates",
        "15.1875; 25.3125 = 5t⁴",
        corrected(np.isclose(written, 5 * 1.5**4), np.isclose(ours, 5 * 1.5**4)),
    )


def tied_maximum():
    """A maximum of equal inputs needs a rule; without one the error is passed on twice (E24)."""
    x = np.array([2.0, 2.0, 1.0])
    written = (x == x.max()).astype(float)
    ours = np.array([float(d) for d in gates.Max().backward(scalars(*x), scalars(1.0)[0])])
    split = np.asarray(jax.grad(jnp.max)(jnp.asarray(x, jnp.float32)))
    return Finding(
        "E24",
        "A maximum of equal inputs needs a rule; without one the error is passed on twice.",
        f"inputs 2, 2, 1: {listed(written)} as written, sum {written.sum():g}; here {listed(ours)}: the first wins "
        f"(jnp.max splits: {listed(split)})",
        "a sum of 1",
        corrected(written.sum() == 1, ours.tolist() == [1, 0, 0] and split.sum() == 1),
    )


def loss_of_one(y):
    """The log loss of a logistic unit with two inputs, as a graph of gates."""
    w1, x1, w2, x2, b = map(variable, ("w1", "x1", "w2", "x2", "b"))
    a = graphs.sigmoid(w1 * x1 + w2 * x2 + b)
    return -(y * graphs.log(a) + (1 - y) * graphs.log(1 - a))


def logistic_graph():
    """The computational graph of logistic regression gives the error a - y at z, and input times it (004-18)."""
    worst, shown = 0.0, []
    with jax.enable_x64(True):
        params = (DenseParams(jnp.array([[LOGISTIC["w1"], LOGISTIC["w2"]]]), jnp.array([LOGISTIC["b"]])),)
        x = jnp.array([[LOGISTIC["x1"], LOGISTIC["x2"]]])
        for label in (1.0, 0.0):
            value, by = graphs.backprop(loss_of_one(label), LOGISTIC)
            y = jnp.array([[label]])
            cost, (nabla,) = fnn.backprop((fnn.Dense(1),), fnn.CrossEntropy(), params, x, y)
            ours = [float(v) for v in (cost, *nabla.W[0], nabla.b[0])]
            gates_ = [float(v) for v in (value, by["w1"], by["w2"], by["b"])]
            worst = max(worst, *(abs(o - g) for o, g in zip(ours, gates_, strict=True)))
            shown.append(gates_)
        error = float(fnn.predict((fnn.Dense(1),), fnn.CrossEntropy(), params, x)[0, 0])
    by_formula = [abs(row[3] - (error - label)) for row, label in zip(shown, (1.0, 0.0), strict=True)]
    return Finding(
        "004-18",
        "The computational graph of logistic regression: gate by gate the error at z is a - y, and each weight's "
        "derivative is its input times that.",
        f"w = (0.5, -0.25), b = 0.2, x = (1, 2): loss, ∂w1, ∂w2, ∂b by gates {listed(shown[0], 6)} for y = 1, "
        f"{listed(shown[1], 6)} for y = 0; the layer and its cost differ by {worst:.0e}, a - y by "
        f"{max(by_formula):.0e}",
        "0.598139, -0.450166, -0.900332, -0.450166; rounding",
        judged(
            worst < 1e-14 and max(by_formula) < 1e-14 and np.allclose(shown[0][1:3], [-0.450166002688, -0.900332005376])
        ),
    )


CLAIMS = (
    *(exponential_of_a_sine, local_rules, the_winner_takes_it, logistic_graph),
    *(product_gate, sum_gate, two_paths, tied_maximum),
)


def pictures(folder):
    """The function and its slope by the gates; the graphs of it and of a logistic unit."""
    title = "Values go forward (above each gate), derivatives come back (below)"
    with room.picture(folder / "chain.png", title) as fig:
        above, below = fig.subplots(2, 1, height_ratios=(1, 1.5))
        draw(above, CHAIN, {"x": 0.7})
        above.set_title("exp(sin x²) at x = 0.7")
        x = jnp.linspace(-2.2, 2.2, 500)
        y, slope = jax.jit(jax.vmap(lambda v: graphs.backprop(CHAIN, {"x": v})))(x)
        value, by = graphs.backprop(CHAIN, {"x": 0.7})
        below.plot(x, y, "-", color=curves.PALETTE[0], label="exp(sin x²)")
        below.plot(x, slope["x"], "--", color=curves.PALETTE[1], label="its slope, gate by gate")
        below.plot([0.7, 0.7], [value, by["x"]], "o", color="black", ms=12)
        below.set(xlabel="x", ylim=(-9, 9))
        below.grid()
        below.legend(loc="lower left")
    title = "A logistic unit, gate by gate: at z comes back a - y, at each weight its input times that"
    with room.picture(folder / "logistic_graph.png", title, height=8.5) as fig:
        axes = fig.subplots()
        w1, x1, w2, x2, b = map(variable, ("w1", "x1", "w2", "x2", "b"))
        z = graphs.apply(gates.Add(), w1 * x1, w2 * x2, b)
        draw(axes, -graphs.log(graphs.sigmoid(z)), LOGISTIC)
        axes.set_title("−ln a for y = 1; above each number forward, below its delta")
    return "chain.png", "logistic_graph.png"


if __name__ == "__main__":
    main(CLAIMS, pictures)
