"""What layers of threshold units compute, and what one unit, or layers without a nonlinearity, cannot compute.

python -m experiments.notes.circuits [FOLDER]      15 s, a picture into FOLDER (runs/circuits)
"""

import contextlib
import itertools
from functools import cache

import jax
import jax.numpy as jnp
import numpy as np

import fnn
from experiments.notes.findings import Finding, corrected, judged, listed, main
from experiments.notes.perceptrons import NAND, X2, X3, bits
from experiments.notes.seeds import starts
from fnn import Dense, Sigmoid, Step, layered, perceptron, truth_table
from fnn.lessons import logic
from fnn.plots import curves, room

NAND_Z = np.array([3.0, 1, 1, -1])


@cache
def single(n):
    """The perceptrons of n inputs by the tables that they answer: a perceptron is asked, and no other is refused."""
    found = {}
    for table in itertools.product((0, 1), repeat=2**n):
        with contextlib.suppress(ValueError):  # no single perceptron: refused, with a reason
            net, params = perceptron(table)
            found[bits(fnn.forward(net, params, logic.inputs(n)))] = params
    return found


def able_of_four():
    """How many functions of four inputs units with whole weights up to 3 compute, and how many an argument allows."""
    x = logic.inputs(4).astype(int)
    w = np.array(list(itertools.product(range(-3, 4), repeat=4)))
    tables = {row.tobytes() for t in range(-13, 13) for row in (w @ x.T > t)}
    every = ((np.arange(2**16)[:, None] >> np.arange(16)) & 1).astype(bool)
    allowed = np.ones(2**16, bool)
    pairs = {}
    for i, j in itertools.combinations_with_replacement(range(16), 2):
        pairs.setdefault(tuple(x[i] + x[j]), []).append((i, j))
    for same in pairs.values():  # the argument: two rows that fire cannot have the same sum as two that do not
        for (i, j), (k, m) in itertools.permutations(same, 2):
            allowed &= ~(every[:, i] & every[:, j] & ~every[:, k] & ~every[:, m])
    return len(tables), int(allowed.sum())


def layers_decide_more():
    """Layers of simple decisions make decisions that no single unit can make (000-06)."""
    two, three, (made, allowed) = len(single(2)), len(single(3)), able_of_four()
    xor = bits(fnn.forward(*layered(truth_table([0, 1, 1, 0])), X2))
    return Finding(
        "000-06",
        "Layers of simple decisions, a multilayer perceptron (MLP), make decisions that no single one can.",
        f"single units answer {two} of 16 tables of two inputs, {three} of 256 of three, {made:,} of 65,536 of "
        f"four (all others refuted: {made == allowed}), never XOR ({'0110' not in single(2)}); a net of layers gives "
        f"{xor} for it",
        "14, 104 and 1,882; True; 0110",
        judged(
            (two, three, made, allowed, xor) == (14, 104, 1882, 1882, "0110")
            and "0110" not in single(2)
            and "0111" in single(2)
        ),
    )


def by_two_layers(tables):
    """Whether a layer with a unit for each row, and one unit more, answers each of these tables of three inputs."""
    one = logic.from_threshold(2 * X3 - 1, X3.sum(axis=1) - 0.5)  # unit i fires for row i alone
    every = logic.from_threshold(tables, np.full(len(tables), 0.5))
    net = (Dense(8), Step(), Dense(len(tables)), Step())
    return (np.asarray(fnn.forward(net, (one, (), every, ()), X3)) == tables.T).all(axis=0)


def units_of_sums(bits):
    """The units that add two numbers of so many bits: in layers of NANDs, and in two layers, one for each row."""
    net, _ = layered(logic.adder(bits))
    return sum(layer.units for layer in net if layer != Step()), 2 ** (2 * bits) + bits + 1


def ever_more_complex():
    """A second layer decides what one unit cannot; a third decides nothing new, but saves units (003-05)."""
    two = int(by_two_layers(logic.inputs(8)).sum())
    (deep, flat), (deeper, flatter) = units_of_sums(4), units_of_sums(8)
    return Finding(
        "003-05",
        "Each further layer of perceptrons can take a more complex decision: the second can, but two layers are "
        "enough for any decision. More layers only take fewer units.",
        f"of 256 tables of three inputs one unit answers {len(single(3))}, two layers {two}: nothing is left for a "
        f"third; to add two numbers of 4 bits takes {deep} units in many layers, {flat} in two with a unit for each "
        f"row, of 8 bits {deeper} and {flatter:,}",
        "104 and 256; fewer units in many layers",
        corrected(two < 256, len(single(3)) < two == 256 and deep < flat and deeper < flatter),
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
    """A unit learns NAND, and NANDs compute any logical function (000-08)."""
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
    """NAND is universal: circuits of NANDs compute anything, such as sums (003-07)."""
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


def no_depth_without_bends():
    """Without a nonlinearity depth adds nothing, because the layers are one affine map (000-23)."""
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


CLAIMS = (layers_decide_more, learns_nand, no_depth_without_bends, ever_more_complex, universal_nand)


@cache
def trained_xor():
    """The params of the first 2-2-1 net of sigmoids, of 20, that has learned XOR after 5,000 steps."""
    net = (Dense(2), Sigmoid(), Dense(1))
    x, y = fnn.load_data("xor", targets="binary").train.rows(slice(None))

    def train(p):
        def on(p, _):
            return fnn.SGD(2.0).update(p, (), fnn.backprop(net, fnn.CrossEntropy(), p, x, y)[1])[0], None

        p = jax.lax.scan(on, p, None, length=5000)[0]
        return p, fnn.CrossEntropy().value(fnn.forward(net, p, x), y)

    every, costs = jax.jit(jax.vmap(train))(starts(net, (2,), 20))
    return net, jax.tree.map(lambda leaf: leaf[int((costs < 0.05).argmax())], every)


def pictures(folder):
    """XOR with the two lines of the hidden units of a trained net, and what the net says."""
    net, params = trained_xor()
    p, q = np.meshgrid(np.linspace(-0.4, 1.4, 200), np.linspace(-0.4, 1.4, 200))
    a = fnn.predict(net, fnn.CrossEntropy(), params, jnp.stack([p.ravel(), q.ravel()], axis=1)).reshape(p.shape)
    z = fnn.forward(net[:1], params[:1], jnp.stack([p.ravel(), q.ravel()], axis=1)).reshape(*p.shape, 2)
    title = "XOR: no line parts it, but two lines do; a trained net has found them"
    with room.picture(folder / "xor.png", title) as fig:
        axes = fig.subplots()
        fig.colorbar(axes.contourf(p, q, a, np.linspace(0, 1, 11), cmap="Greys", alpha=0.5), label="output of the net")
        for unit in range(2):
            style = {"colors": [curves.PALETTE[unit]], "linestyles": ["-", "--"][unit], "linewidths": 4}
            axes.contour(p, q, z[..., unit], [0.0], **style)
            axes.plot([], [], ["-", "--"][unit], color=curves.PALETTE[unit], label=f"hidden unit {unit + 1}: z = 0")
        for (x, y), one in zip(X2, (0, 1, 1, 0), strict=True):
            axes.plot(x, y, "o", ms=20, mec="black", mew=2, mfc="black" if one else "white")
            axes.annotate(f"{one}", (x, y), xytext=(16, 12), textcoords="offset points", weight="bold")
        axes.set(xlabel="input p", ylabel="input q", aspect="equal")
        fig.legend(loc="outside right center")
    return ("xor.png",)


if __name__ == "__main__":
    main(CLAIMS, pictures)
