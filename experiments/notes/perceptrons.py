"""What one threshold unit can decide, and what is different about a smooth unit.

python -m experiments.notes.perceptrons [FOLDER]      10 s, a picture into FOLDER (runs/perceptrons)
"""

from functools import cache

import jax
import jax.numpy as jnp
import numpy as np

import fnn
from experiments.notes.findings import Finding, corrected, judged, listed, main
from fnn import Dense, Sigmoid, Step, circuit, layered
from fnn.lessons import logic
from fnn.plots import curves

X2, X3 = logic.inputs(2), logic.inputs(3)
NAND = circuit(2, lambda nand, p, q: nand(p, q))


def bits(rows):
    """`00001111` from the outputs of a unit."""
    return "".join(str(int(v)) for v in np.ravel(rows))


def unit(weights, threshold, x=X3):
    """The outputs of one perceptron, by the package's own layers."""
    params = logic.from_threshold(np.array([weights], np.float32), np.array([threshold], np.float32))
    return np.asarray(fnn.forward((Dense(1), Step()), (params, ()), x))[:, 0]


def weighted_sum():
    """The largest difference between a layer of units and the formula in index loops (000-04 and 004-01)."""
    with jax.enable_x64(True):
        rng = np.random.default_rng(0)
        W, b, x = rng.standard_normal((3, 5)), rng.standard_normal(3), rng.standard_normal((4, 5))
        params = fnn.layers.DenseParams(jnp.asarray(W), jnp.asarray(b))
        ours = np.asarray(fnn.forward((Dense(3), Sigmoid()), (params, ()), x))
    z = np.array([[sum(W[i, j] * row[j] for j in range(5)) + b[i] for i in range(3)] for row in x])
    return float(abs(ours - 1 / (1 + np.exp(-z))).max())


def activation_of_a_sum():
    """A unit's answer is an activation of the weighted sum of its inputs (000-04)."""
    error = weighted_sum()
    return Finding(
        "000-04",
        "A unit's answer is an activation of the weighted sum of its inputs.",
        f"layers and index loops differ by {error:.0e} at most",
        "at most 1e-15 (float64)",
        judged(error <= 1e-15),
    )


def linear_then_not():
    """A unit is a linear function of its inputs, followed by a nonlinear one (001-06)."""
    x = np.linspace(-3, 3, 7)[:, None].astype(np.float32)
    params = fnn.layers.DenseParams(jnp.array([[1.7]]), jnp.array([0.4]))
    z = np.asarray(fnn.forward((Dense(1),), (params,), x))[:, 0]
    a = np.asarray(fnn.forward((Dense(1), Sigmoid()), (params, ()), x))[:, 0]
    bend = [abs(np.diff(v, 2)).max() for v in (z, a)]
    return Finding(
        "001-06",
        "A unit is a linear function of its inputs followed by a nonlinear one.",
        f"second differences at equal steps: {bend[0]:.0e} before the activation, {bend[1]:.2f} after it",
        "0 but for rounding, then not 0",
        judged(bend[0] < 1e-5 and bend[1] > 0.1),
    )


def three_elements():
    """A unit consists of synapses, an adder and an activation, and of nothing else (004-01)."""
    error = weighted_sum()
    return Finding(
        "004-01",
        "Synapses, an adder and an activation are all there is to a unit.",
        f"products, a sum and a function, one after the other, differ from the layers by {error:.0e}",
        "at most 1e-15 (float64)",
        judged(error <= 1e-15),
    )


def ties():
    """A perceptron answers 1 only above its threshold; at the threshold it answers 0 (000-05)."""
    strict = unit((3, 2, 2), 5)
    loose = (X3 @ np.array([3, 2, 2]) >= 5).astype(int)
    return Finding(
        "000-05",
        "A perceptron answers 1 only above its threshold: a tie is a 0.",
        f"weights (3,2,2), threshold 5: {bits(strict)}, a 0 at the ties 101, 110; with ≥ {bits(loose)}",
        "00000001, against 00000111 with ≥",
        judged(bits(strict) == "00000001" and bits(loose) == "00000111"),
    )


def the_next_float():
    """A cell fires only once the signal is above the threshold (000-01)."""
    theta = np.float32(0.3)
    above = np.nextafter(theta, np.float32(1), dtype=np.float32)
    said = [int(unit((1.0,), theta, np.array([[v]], np.float32))[0]) for v in (theta, above)]
    return Finding(
        "000-01",
        "A signal makes the cell fire only once it is over the threshold.",
        f"output at the threshold {said[0]}, at the next number above it {said[1]} (the firing rate: neurons.py)",
        "0, then 1",
        judged(said == [0, 1]),
    )


def all_or_nothing():
    """Transmission is all or nothing, and the strength of the synapse decides which (001-01)."""
    w = np.linspace(0, 2, 201)
    fires = np.array([unit((v,), 1.0, np.array([[0.8]], np.float32))[0] for v in w])
    jump = w[fires > 0].min()
    return Finding(
        "001-01",
        "Transmission is all or nothing, and the strength of the synapse decides which.",
        f"input 0.8, threshold 1: outputs {sorted(set(fires.tolist()))}, silent up to weight "
        f"{w[fires == 0].max():.2f}, firing from {jump:.2f}",
        "0 and 1 only, the step at 1/0.8 = 1.25",
        judged(set(fires) == {0, 1} and abs(jump - 1.26) < 1e-9 and (np.diff(fires) >= 0).all()),
    )


def signs():
    """A positive weight excites the unit, a negative one inhibits it (000-02)."""
    w = np.array([1.5, -0.7, 0.2, -2.0])
    slopes = np.asarray(jax.grad(lambda x: jax.nn.sigmoid(x @ jnp.asarray(w, jnp.float32)))(jnp.full(4, 0.1)))
    return Finding(
        "000-02",
        "A positive weight excites the unit, a negative one inhibits it.",
        f"weights {listed(w)}: slopes of the output {listed(slopes, 2)}",
        "the sign of each weight",
        judged((np.sign(slopes) == np.sign(w)).all()),
    )


def festival():
    """The weights of a decision say what counts for it (003-04)."""
    said = [bits(unit(w, t)) for w, t in (((6, 2, 2), 5), ((3, 2, 2), 5), ((6, 2, 2), 3))]
    return Finding(
        "003-04",
        "The weights of a decision say what counts: (6,2,2) with threshold 5 looks at the weather alone, "
        "(3,2,2) wants all three.",
        f"{said[0]} and {said[1]}; the book's own threshold 3 gives {said[2]}",
        "00001111, 00000001 and 00011111",
        judged(said == ["00001111", "00000001", "00011111"]),
    )


def forgotten_threshold():
    """The notes' step of w·x leaves out the threshold (E16)."""
    written, right = (bits(unit((6, 2, 2), t)) for t in (0, 5))
    return Finding(
        "E16",
        "A step of w·x alone forgets the threshold.",
        f"(6,2,2), threshold 5: {written} as written, {right} corrected",
        "01111111 and 00001111",
        corrected(written == "00001111", right == "00001111"),
    )


def bias_form():
    """A bias is minus the threshold, and the larger it is, the more easily the unit fires (003-06)."""
    rng, same, rises = np.random.default_rng(0), True, True
    for _ in range(100):
        w, t = rng.integers(-4, 5, 3), int(rng.integers(-6, 7))
        z = X3 @ w
        params = logic.from_threshold(w[None], np.array([t]))
        fires = np.asarray(X3 @ np.asarray(params.W[0]) + float(params.b[0]) > 0)
        same &= bool((fires == (z > t)).all())
        rises &= bool((fires <= (z - t + 1 > 0)).all())
    return Finding(
        "003-06",
        "A threshold is a bias with the other sign; the larger the bias, the easier the unit fires.",
        f"100 random units: equal tables {same}; with bias + 1 no 1 became a 0: {rises}",
        "both",
        judged(same and rises),
    )


def lost_equals_sign():
    """The bias is minus the threshold; the notes lose the equals sign (E8)."""
    tables = [bits((X3 @ np.array([6, 2, 2]) + b > 0).astype(int)) for b in (-5 - 5, -5)]
    return Finding(
        "E8",
        "The bias is minus the threshold; with the equals sign lost it reads as w0 minus the threshold.",
        f"(6,2,2), threshold 5: bias -10 gives {tables[0]}, bias -5 gives {tables[1]}",
        "00000000 and 00001111",
        corrected(tables[0] == "00001111", tables[1] == "00001111"),
    )


def smooth_is_gentle():
    """Learning needs small changes to have small effects: in a sigmoid unit they do, in a perceptron not (003-08)."""
    eps, rng = 1e-3, np.random.default_rng(0)
    w, b, x = np.array([2.0, -1.0, 0.5]), 0.0, np.array([1.0, 1.5, -1.0])  # w·x + b = 0: on the boundary
    moved = rng.uniform(-eps, eps, (10_000, 4))
    z = (w + moved[:, :3]) @ x + b + moved[:, 3]
    gentle = abs(1 / (1 + np.exp(-z)) - 0.5).max()
    flips = int(((z > 0) != (w @ x + b > 0)).max())
    bound = eps / 4 * (abs(x).sum() + 1)
    return Finding(
        "003-08",
        "Learning needs small changes to have small effects: a sigmoid unit obliges, a perceptron flips.",
        f"weights moved by up to 0.001: the sigmoid's output by up to {gentle:.2e}, the perceptron's by {flips}",
        f"at most {bound:.3e}, and 1",
        judged(gentle <= bound and flips == 1),
    )


@cache
def sharpness():
    """For each sharpness c, the share of 20 seeds whose 2-4-1 net of σ(cz) learns XOR, at the best of six etas."""
    net, cost = (Dense(4), Sigmoid(), Dense(1)), fnn.CrossEntropy()
    x, y = fnn.load_data("xor", targets="binary").train.rows(slice(None))

    def train(c, eta, key):
        def on(p, _):
            _, gradient = fnn.backprop(net, cost, jax.tree.map(lambda leaf: c * leaf, p), x, y)
            return jax.tree.map(lambda p, g: p - eta * c * g, p, gradient), None

        p = jax.lax.scan(on, fnn.init(net, key, (2,)), None, length=2000)[0]
        return ((fnn.forward(net, jax.tree.map(lambda leaf: c * leaf, p), x) > 0) == (y > 0.5)).all()

    c, etas = jnp.array([1.0, 3.0, 10.0, 30.0, 100.0]), 5.0 / 10 ** jnp.arange(6.0)
    keys = jax.random.split(jax.random.key(0), 20)
    every = jax.vmap(jax.vmap(jax.vmap(train, (None, None, 0)), (None, 0, None)), (0, None, None))
    return np.asarray(c), np.asarray(jax.jit(every)(c, etas, keys)).mean(axis=2).max(axis=1)


def easier_to_train():
    """A sigmoid neuron is easier to train than a perceptron, which it becomes as it gets sharper (000-19)."""
    c, share = sharpness()
    with jax.enable_x64(True):
        said = np.asarray(fnn.forward(*logic.softened(*layered(NAND), 10.0), jnp.asarray(X2, float)))[:, 0]
    exact = abs(said - [1 - 9.4e-14, 0.999954602131, 0.999954602131, 4.53978687024e-05]).max()
    return Finding(
        "000-19",
        "A sigmoid neuron is much easier to train than a perceptron, which it becomes as it gets sharper.",
        f"XOR learned by {listed(100 * share)} % of 20 seeds with σ(cz), c = {listed(c)}, each at its best eta; "
        f"NAND by σ(10z): {listed(said[1:4:2], 12)}",
        "falling with c; 0.999954602131 and 4.53978687024e-05",
        judged(share[0] > 0.9 and share[-1] < 0.5 and exact < 1e-12),
    )


def input_of_the_next():
    """The outputs of one layer are the inputs of the next one, not its outputs (E17)."""
    first, second = Dense(3), Dense(2)
    key = jax.random.key(0)
    _, shape = first.init(key, (2,))
    params, _ = second.init(key, shape)
    return Finding(
        "E17",
        "The outputs of one layer are used as the inputs, not as the outputs, of the next.",
        f"a layer of 3 before a layer of 2: its weights are {params.W.shape}, a column for each output of the first",
        "(2, 3)",
        corrected(params.W.shape[0] == 3, params.W.shape[1] == 3),
    )


CLAIMS = (
    *(the_next_float, signs, activation_of_a_sum, ties, easier_to_train, all_or_nothing, linear_then_not, festival),
    *(bias_form, smooth_is_gentle, three_elements, lost_equals_sign, forgotten_threshold, input_of_the_next),
)


def pictures(folder):
    """σ(cz), and what it does to training."""
    fig = curves.figure(9.2, 3.8)
    left, right = fig.subplots(1, 2)
    z = np.linspace(-2, 2, 400)
    for i, c in enumerate((1, 3, 10, 100)):
        left.plot(z, 1 / (1 + np.exp(-c * z)), curves.DASHES[i], color=curves.PALETTE[i], label=f"σ({c} z)")
    left.set(xlabel="weighted input z", ylabel="output", title="From a sigmoid neuron to a perceptron")
    left.grid(alpha=0.3)
    left.legend(frameon=False)
    c, share = sharpness()
    right.plot(c, 100 * share, "o-", color=curves.PALETTE[0])
    right.set(xscale="log", xlabel="sharpness c of σ(cz)", ylabel="seeds that learn XOR (%), of 20", ylim=(-4, 104))
    right.set_title("The sharper the unit, the harder to train")
    right.grid(alpha=0.3)
    curves.write(fig, folder / "perceptrons.png")
    return ("perceptrons.png",)


if __name__ == "__main__":
    main(CLAIMS, pictures)
