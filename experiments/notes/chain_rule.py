"""Backpropagation gate by gate: a gate knows only its own derivative, and the graph puts them together.

python -m experiments.notes.chain_rule [FOLDER]      3 s, a picture into FOLDER (runs/chain_rule)
"""

import jax
import jax.numpy as jnp
import numpy as np

import fnn
from experiments.notes.findings import Finding, corrected, judged, listed, main
from fnn import variable
from fnn.lessons import gates, graphs
from fnn.plots import curves

X = variable("x")
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
    same = (lit == np.sort(winners)).all()
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


CLAIMS = (exponential_of_a_sine, local_rules, the_winner_takes_it, product_gate, sum_gate, two_paths, tied_maximum)


def pictures(folder):
    """The function and its slope by the gates; the graph as a drawing."""
    fig = curves.figure(9.6, 3.8)
    left, right = fig.subplots(1, 2, width_ratios=(1.1, 1))
    x = jnp.linspace(-2.2, 2.2, 500)
    y, slope = jax.jit(jax.vmap(lambda v: graphs.backprop(CHAIN, {"x": v})))(x)
    left.plot(x, y, "-", color=curves.PALETTE[0], label="exp(sin x²)")
    left.plot(x, slope["x"], "--", color=curves.PALETTE[1], label="its slope, gate by gate")
    left.plot(0.7, 1.97765583, "o", color="black")
    left.annotate("1.978 at x = 0.7", (0.7, 1.978), xytext=(-8, 14), textcoords="offset points", ha="center")
    left.set(xlabel="x", ylabel="value", ylim=(-9, 9))
    left.grid(alpha=0.3)
    left.legend(frameon=False, loc="lower right")
    right.axis("off")
    right.set_title("the same at x = 0.7: value forward, delta back", fontsize="medium", loc="left")
    right.text(0, 0.9, graphs.drawn(CHAIN, {"x": 0.7}), family="monospace", fontsize="small", va="top")
    curves.write(fig, folder / "chain.png")
    return ("chain.png",)


if __name__ == "__main__":
    main(CLAIMS, pictures)
