"""A unit: synapses, an adder, an activation; signs of weights; linear, then not.

python -m experiments.notes.units [FOLDER]      3 s, a picture into FOLDER (runs/units)
"""

import jax
import jax.numpy as jnp
import numpy as np

import fnn
from experiments.notes.findings import Finding, corrected, judged, listed, main
from fnn import Dense, Sigmoid, variable
from fnn.layers import DenseParams
from fnn.lessons import graphs
from fnn.plots import curves, room

UNIT = (Dense(1), Sigmoid())
WEIGHTS = np.array([1.5, -0.7, 0.2, -2.0])


def by_loops(W, b, x):
    """`σ(W x + b)` of every row, index by index."""
    z = [[sum(W[i, j] * row[j] for j in range(len(row))) + b[i] for i in range(len(b))] for row in x]
    return 1 / (1 + np.exp(-np.array(z)))


def drawn(n_out, n_in, rows):
    """Random weights, biases and inputs."""
    rng = np.random.default_rng(0)
    return rng.standard_normal((n_out, n_in)), rng.standard_normal(n_out), rng.standard_normal((rows, n_in))


def activation_of_a_sum():
    """A unit's answer is an activation of the weighted sum of its inputs (000-04)."""
    W, b, x = drawn(3, 5, 4)
    with jax.enable_x64(True):
        params = DenseParams(jnp.asarray(W), jnp.asarray(b))
        ours = np.asarray(fnn.forward((Dense(3), Sigmoid()), (params, ()), x))
    error = abs(ours - by_loops(W, b, x)).max()
    return Finding(
        "000-04",
        "A unit's answer is an activation of the weighted sum of its inputs.",
        f"layers and index loops differ by {error:.0e} at most",
        "at most 1e-15 (float64)",
        judged(error <= 1e-15),
    )


def three_elements():
    """A unit consists of synapses, an adder and an activation, and of nothing else (004-01)."""
    W, b, x = drawn(1, 3, 4)
    synapses = [w * variable(f"x{j}") for j, w in enumerate(W[0])]
    unit = graphs.sigmoid(sum(synapses, start=variable("b")))  # three products, three sums, one activation
    with jax.enable_x64(True):
        ours = np.asarray(fnn.forward(UNIT, (DenseParams(jnp.asarray(W), jnp.asarray(b)), ()), x))[:, 0]
        gates = [float(graphs.forward(unit, {"b": b[0], **{f"x{j}": v for j, v in enumerate(row)}})) for row in x]
    error = abs(ours - gates).max()
    return Finding(
        "004-01",
        "Synapses, an adder and an activation are all there is to a unit.",
        f"gates that multiply, add and squash, wired by hand, differ from a layer with one unit by {error:.0e}",
        "at most 1e-15 (float64)",
        judged(error <= 1e-15),
    )


def linear_then_not():
    """A unit is a linear function of its inputs, followed by a nonlinear one (001-06)."""
    x = np.linspace(-3, 3, 7)[:, None].astype(np.float32)
    params = DenseParams(jnp.array([[1.7]]), jnp.array([0.4]))
    z = np.asarray(fnn.forward(UNIT[:1], (params,), x))[:, 0]
    a = np.asarray(fnn.forward(UNIT, (params, ()), x))[:, 0]
    bend = [abs(np.diff(v, 2)).max() for v in (z, a)]
    return Finding(
        "001-06",
        "A unit is a linear function of its inputs followed by a nonlinear one.",
        f"second differences at equal steps: {bend[0]:.0e} before the activation, {bend[1]:.2f} after it",
        "0 but for rounding, then not 0",
        judged(bend[0] < 1e-5 and bend[1] > 0.1),
    )


def signs():
    """A positive weight excites the unit, a negative one inhibits it (000-02)."""
    params, x = (DenseParams(jnp.array([WEIGHTS], jnp.float32), jnp.zeros(1)), ()), jnp.full((1, 4), 0.1)
    more = np.asarray(fnn.forward(UNIT, params, x + 0.5 * jnp.eye(4)) - fnn.forward(UNIT, params, x))[:, 0]
    a, (dense, sigmoid) = fnn.activations(UNIT, params, x), UNIT
    slopes = np.asarray(dense.backward(params[0], x, sigmoid.backward((), a[1], jnp.ones((1, 1)))[1])[1])[0]
    return Finding(
        "000-02",
        "A positive weight excites the unit, a negative one inhibits it.",
        f"weights {listed(WEIGHTS)}: 0.5 more at one input changes the output by {listed(more, 2)}; its slopes, by "
        f"the layers' own backward, {listed(slopes, 2)}",
        "the sign of each weight, twice",
        judged((np.sign(more) == np.sign(WEIGHTS)).all() and (np.sign(slopes) == np.sign(WEIGHTS)).all()),
    )


def input_of_the_next():
    """The outputs of one layer are the inputs of the next one, not its outputs (E17)."""
    net, key = (Dense(3), Dense(2)), jax.random.key(0)
    params = fnn.init(net, key, (2,))
    a, second = fnn.activations(net, params, jnp.ones((1, 2))), params[1]
    taken = np.array_equal(net[1].forward(second, a[1]), a[2])
    return Finding(
        "E17",
        "The outputs of one layer are used as the inputs, not as the outputs, of the next.",
        f"a layer of 3 before a layer of 2: the second has weights {second.W.shape}, a column for each output of the "
        f"first, and its own outputs come from those: {taken}",
        "(2, 3); True",
        corrected(np.array_equal(a[1], a[2]) or second.W.shape[0] == 3, taken and second.W.shape == (2, 3)),
    )


CLAIMS = (signs, activation_of_a_sum, linear_then_not, three_elements, input_of_the_next)


def pictures(folder):
    """The weighted sum of a unit with one input, and its activation."""
    x = jnp.linspace(-3, 3, 200)[:, None]
    a = fnn.activations(UNIT, (DenseParams(jnp.array([[1.7]]), jnp.array([0.4])), ()), x)
    with room.picture(folder / "unit.png", "A unit adds up its inputs, and then bends the sum", height=6.5) as fig:
        left, right = fig.subplots(1, 2)
        left.plot(x[:, 0], a[1][:, 0], "-", color=curves.PALETTE[0])
        right.plot(x[:, 0], a[2][:, 0], "--", color=curves.PALETTE[1])
        left.set(xlabel="input x", ylabel="weighted sum z = 1.7 x + 0.4", title="the sum is a straight line")
        right.set(xlabel="input x", ylabel="activation a = σ(z)", title="the activation is not", ylim=(-0.03, 1.03))
        for axes in (left, right):
            axes.grid()
    return ("unit.png",)


if __name__ == "__main__":
    main(CLAIMS, pictures)
