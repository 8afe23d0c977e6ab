"""What one threshold unit can decide, what layers of them can, and what a smooth unit changes.

python experiments/perceptrons.py [FOLDER]      20 s, pictures into FOLDER (runs/perceptrons)
"""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
from findings import Finding, corrected, judged, listed, main

import fnn
from fnn import Dense, Sigmoid, Step, circuit, layered, logic, perceptron, plots, truth_table

X2, X3 = logic.inputs(2), logic.inputs(3)
NAND = circuit(2, lambda nand, p, q: nand(p, q))
NAND_Z = np.array([3.0, 1, 1, -1])


def bits(rows):
    """`00001111` from the outputs of a unit."""
    return "".join(str(int(v)) for v in np.ravel(rows))


def unit(weights, threshold, x=X3):
    """The outputs of one perceptron, by the package's own layers."""
    params = logic.from_threshold(np.array([weights], np.float32), np.array([threshold], np.float32))
    return np.asarray(fnn.forward((Dense(1), Step()), (params, ()), x))[:, 0]


def weighted_sum():
    """000-04, 001-06, 004-01 in one."""
    with jax.enable_x64(True):
        rng = np.random.default_rng(0)
        W, b, x = rng.standard_normal((3, 5)), rng.standard_normal(3), rng.standard_normal((4, 5))
        params = fnn.layers.DenseParams(jnp.asarray(W), jnp.asarray(b))
        ours = np.asarray(fnn.forward((Dense(3), Sigmoid()), (params, ()), x))
    z = np.array([[sum(W[i, j] * row[j] for j in range(5)) + b[i] for i in range(3)] for row in x])
    return float(abs(ours - 1 / (1 + np.exp(-z))).max())


def activation_of_a_sum():
    """000-04."""
    error = weighted_sum()
    return Finding(
        "000-04",
        "A unit's answer is an activation of the weighted sum of its inputs.",
        f"layers and index loops differ by {error:.0e} at most",
        "at most 1e-15 (float64)",
        judged(error <= 1e-15),
    )


def linear_then_not():
    """001-06."""
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
    """004-01."""
    error = weighted_sum()
    return Finding(
        "004-01",
        "Synapses, an adder and an activation are all there is to a unit.",
        f"products, a sum and a function, one after the other, differ from the layers by {error:.0e}",
        "at most 1e-15 (float64)",
        judged(error <= 1e-15),
    )


def ties():
    """000-05."""
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
    """000-01."""
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
    """001-01."""
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
    """000-02."""
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
    """003-04."""
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
    """E16."""
    written, right = (bits(unit((6, 2, 2), t)) for t in (0, 5))
    return Finding(
        "E16",
        "A step of w·x alone forgets the threshold.",
        f"(6,2,2), threshold 5: {written} as written, {right} corrected",
        "01111111 and 00001111",
        corrected(written == "00001111", right == "00001111"),
    )


def bias_form():
    """003-06."""
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
    """E8."""
    tables = [bits((X3 @ np.array([6, 2, 2]) + b > 0).astype(int)) for b in (-5 - 5, -5)]
    return Finding(
        "E8",
        "The bias is minus the threshold; with the equals sign lost it reads as w0 minus the threshold.",
        f"(6,2,2), threshold 5: bias -10 gives {tables[0]}, bias -5 gives {tables[1]}",
        "00000000 and 00001111",
        corrected(tables[0] == "00001111", tables[1] == "00001111"),
    )


def able(n):
    """How many functions of n inputs one perceptron computes; the others are refused with a reason."""
    found = 0
    for table in itertools.product((0, 1), repeat=2**n):
        try:
            perceptron(table)
            found += 1
        except ValueError:
            pass
    return found


def able_of_four():
    """Functions of four inputs: those that whole weights up to 3 give, and those that no sums of pairs forbid."""
    x = logic.inputs(4).astype(int)
    w = np.array(list(itertools.product(range(-3, 4), repeat=4)))
    tables = {row.tobytes() for t in range(-13, 13) for row in (w @ x.T > t)}
    every = ((np.arange(2**16)[:, None] >> np.arange(16)) & 1).astype(bool)
    allowed = np.ones(2**16, bool)
    pairs = {}
    for i, j in itertools.combinations_with_replacement(range(16), 2):
        pairs.setdefault(tuple(x[i] + x[j]), []).append((i, j))
    for same in pairs.values():  # rows with one sum: two that fire cannot sum to two that do not
        for (i, j), (k, m) in itertools.permutations(same, 2):
            allowed &= ~(every[:, i] & every[:, j] & ~every[:, k] & ~every[:, m])
    return len(tables), int(allowed.sum())


def layers_decide_more():
    """000-06."""
    two, three, (made, allowed) = able(2), able(3), able_of_four()
    net, params = layered(truth_table([0, 1, 1, 0]))
    xor = bits(fnn.forward(net, params, X2))
    return Finding(
        "000-06",
        "Layers of simple decisions make decisions that no single one can.",
        f"single units compute {two} of 16 functions of two inputs, {three} of 256 of three, {made:,} of 65,536 of "
        f"four (all others refuted: {made == allowed}); a net of layers gives {xor} for XOR",
        "14, 104 and 1,882; 0110",
        judged((two, three, made, allowed, xor) == (14, 104, 1882, 1882, "0110")),
    )


def ever_more_complex():
    """003-05."""
    counts = []
    for n in (2, 3):
        every = logic.inputs(2**n).T
        net, params = layered(truth_table(every))
        counts.append(int((np.asarray(fnn.forward(net, params, logic.inputs(n))) == every).all(axis=0).sum()))
    return Finding(
        "003-05",
        "Each further layer of perceptrons can take a more complex decision.",
        f"one unit computes 14 of 16 and 104 of 256 functions, layers of them {counts[0]} of 16 and {counts[1]} of 256",
        "all of them",
        judged(counts == [16, 256]),
    )


def trained_nand():
    """The four outputs of a sigmoid unit after training on NAND, for ten seeds."""
    net, data = (Dense(1),), fnn.load_data("nand", targets="binary").train
    x, y = data.rows(slice(None))

    def train(key):
        def on(p, _):
            return jax.tree.map(lambda p, g: p - 1.0 * g, p, fnn.backprop(net, fnn.CrossEntropy(), p, x, y)[1]), None

        return jax.lax.scan(on, fnn.init(net, key, (2,)), None, length=1000)[0]

    params = jax.jit(jax.vmap(train))(jax.random.split(jax.random.key(0), 10))
    return np.asarray(jax.vmap(lambda p: fnn.forward(net, p, x))(params))[..., 0] > 0


def learns_nand():
    """000-08."""
    right = int((trained_nand() == (NAND_Z > 0)).all(axis=1).sum())
    every = logic.inputs(8).T
    net, params = layered(truth_table(every))
    exact = int((np.asarray(fnn.forward(net, params, X3)) == every).all(axis=0).sum())
    return Finding(
        "000-08",
        "A unit learns NAND, and NANDs imitate any logical function.",
        f"{right} of 10 seeds learn NAND; {exact} of 256 functions of three inputs are exact by NANDs; the half adder "
        f"takes {len(logic.half_adder().gates)}",
        "10 of 10, 256 of 256, 5 NANDs",
        judged(right == 10 and exact == 256 and len(logic.half_adder().gates) == 5),
    )


def universal_nand():
    """003-07."""
    said = np.asarray(jax.jit(fnn.forward)(*layered(logic.adder(4)), logic.inputs(8))) @ 2 ** np.arange(5)[::-1]
    a, b = np.divmod(np.arange(256), 16)
    half = np.asarray(fnn.forward(*layered(logic.half_adder()), X2)).astype(int).tolist()
    z = np.asarray(fnn.forward(layered(NAND)[0][:1], layered(NAND)[1][:1], X2))[:, 0]
    return Finding(
        "003-07",
        "NAND is universal: circuits of it compute anything, such as sums. (In layers without skipping links "
        "some units only repeat a signal: NANDs alone give monotone functions there.)",
        f"NAND z = {listed(z)}; half adder {half}; 4-bit adder right in {int((said == a + b).sum())} of 256 cases",
        "3, 1, 1, -1; 4 of 4; 256 of 256",
        judged((z == NAND_Z).all() and half == [[0, 0], [1, 0], [1, 0], [0, 1]] and (said == a + b).all()),
    )


def smooth_is_gentle():
    """003-08."""
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
    """000-19."""
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


def no_depth_without_bends():
    """000-23."""
    with jax.enable_x64(True):
        rng, x = np.random.default_rng(0), jnp.asarray(X2, float)
        net = (Dense(3), fnn.Identity(), Dense(4), fnn.Identity(), Dense(1))
        W = [rng.standard_normal(s) for s in ((3, 2), (4, 3), (1, 4))]
        b = [rng.standard_normal(s) for s in (3, 4, 1)]
        layers = [fnn.layers.DenseParams(jnp.asarray(w), jnp.asarray(v)) for w, v in zip(W, b, strict=True)]
        deep = np.asarray(fnn.forward(net, (layers[0], (), layers[1], (), layers[2]), x))
    flat = X2 @ (W[2] @ W[1] @ W[0]).T + (W[2] @ (W[1] @ b[0] + b[1]) + b[2])
    z = X2 @ rng.standard_normal((2, 20_000)) + rng.standard_normal(20_000)
    best = int(((z > 0) == (np.array([0, 1, 1, 0]) > 0)[:, None]).sum(axis=0).max())
    return Finding(
        "000-23",
        "Without a nonlinearity depth adds nothing: the layers are one affine map.",
        f"three linear layers and the product of their matrices differ by {abs(deep - flat).max():.0e}; of 20,000 "
        f"affine maps the best gets {best} of 4 cases of XOR",
        "rounding; 3 of 4",
        judged(abs(deep - flat).max() < 1e-12 and best == 3),
    )


def input_of_the_next():
    """E17."""
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
    *(the_next_float, signs, activation_of_a_sum, ties, layers_decide_more, learns_nand, easier_to_train),
    *(no_depth_without_bends, all_or_nothing, linear_then_not, festival, ever_more_complex, bias_form, universal_nand),
    *(smooth_is_gentle, three_elements, lost_equals_sign, forgotten_threshold),
    input_of_the_next,
)


def pictures(folder):
    """XOR with the two lines of its hidden units; σ(cz) and what it does to training."""
    fig = plots.figure(9.2, 4.0)
    left, right = fig.subplots(1, 2)
    p, q = np.meshgrid(np.linspace(-0.4, 1.4, 200), np.linspace(-0.4, 1.4, 200))
    left.contourf(p, q, (p + q > 0.5) & (p + q < 1.5), levels=[0.5, 1], colors=["#cccccc"])
    for line, (c, name) in enumerate(((0.5, "p + q > 1/2"), (1.5, "p + q < 3/2"))):
        left.plot([-0.4, 1.4], [c + 0.4, c - 1.4], plots.DASHES[line], color=plots.PALETTE[line], label=f"unit: {name}")
    for (x, y), one in zip(X2, (0, 1, 1, 0), strict=True):
        left.plot(x, y, "o", ms=11, mec="black", mfc="black" if one else "white")
        left.annotate(f"{one}", (x, y), xytext=(9, 9), textcoords="offset points")
    left.set(xlim=(-0.4, 1.4), ylim=(-0.4, 1.4), xlabel="p", ylabel="q", aspect="equal",
             title="XOR: no line parts it, two lines do")  # fmt: skip
    left.legend(frameon=False, fontsize="small", loc="lower left")
    z = np.linspace(-2, 2, 400)
    for i, c in enumerate((1, 3, 10, 100)):
        right.plot(z, 1 / (1 + np.exp(-c * z)), plots.DASHES[i], color=plots.PALETTE[i], label=f"σ({c} z)")
    right.set(xlabel="weighted input z", ylabel="output", title="From a sigmoid neuron to a perceptron")
    right.grid(alpha=0.3)
    right.legend(frameon=False)
    plots.write(fig, folder / "perceptrons.png")

    fig = plots.figure(5.4, 3.6)
    axes = fig.subplots()
    c, share = sharpness()
    axes.plot(c, 100 * share, "o-", color=plots.PALETTE[0])
    axes.set(xscale="log", xlabel="sharpness c of σ(cz)", ylabel="seeds that learn XOR (%), of 20", ylim=(-4, 104),
             title="The sharper the unit, the harder to train")  # fmt: skip
    axes.grid(alpha=0.3)
    plots.write(fig, folder / "sharpness.png")
    return "perceptrons.png", "sharpness.png"


if __name__ == "__main__":
    main(CLAIMS, pictures)
