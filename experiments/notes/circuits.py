"""What layers of threshold units compute, and what one unit, or layers without a nonlinearity, cannot compute.

python -m experiments.notes.circuits [FOLDER]      15 s, a picture into FOLDER (runs/circuits)
"""

import itertools
from functools import cache

import jax
import jax.numpy as jnp
import numpy as np

import fnn
from experiments.notes.findings import Finding, judged, listed, main
from experiments.notes.perceptrons import NAND, X2, X3, bits
from fnn import Dense, layered, perceptron, truth_table
from fnn.lessons import logic
from fnn.plots import curves

NAND_Z = np.array([3.0, 1, 1, -1])


@cache
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
    """Each further layer of perceptrons can make more complex decisions (003-05)."""
    counts = []
    for n in (2, 3):
        every = logic.inputs(2**n).T
        net, params = layered(truth_table(every))
        counts.append(int((np.asarray(fnn.forward(net, params, logic.inputs(n))) == every).all(axis=0).sum()))
    return Finding(
        "003-05",
        "Each further layer of perceptrons can take a more complex decision.",
        f"one unit computes {able(2)} of 16 and {able(3)} of 256 functions, layers of them {counts[0]} and {counts[1]}",
        "fewer; all of them",
        judged(able(2) < 16 and able(3) < 256 and counts == [16, 256]),
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


def pictures(folder):
    """XOR with the two lines of its hidden units."""
    fig = curves.figure(4.8, 4.2)
    axes = fig.subplots()
    p, q = np.meshgrid(np.linspace(-0.4, 1.4, 200), np.linspace(-0.4, 1.4, 200))
    axes.contourf(p, q, (p + q > 0.5) & (p + q < 1.5), levels=[0.5, 1], colors=["#cccccc"])
    for line, (c, name) in enumerate(((0.5, "p + q > 1/2"), (1.5, "p + q < 3/2"))):
        axes.plot(
            [-0.4, 1.4], [c + 0.4, c - 1.4], curves.DASHES[line], color=curves.PALETTE[line], label=f"unit: {name}"
        )
    for (x, y), one in zip(X2, (0, 1, 1, 0), strict=True):
        axes.plot(x, y, "o", ms=11, mec="black", mfc="black" if one else "white")
        axes.annotate(f"{one}", (x, y), xytext=(9, 9), textcoords="offset points")
    axes.set(xlim=(-0.4, 1.4), ylim=(-0.4, 1.4), xlabel="p", ylabel="q", aspect="equal")
    axes.set_title("XOR: no line parts it, two lines do")
    axes.legend(frameon=False, fontsize="small", loc="lower left")
    curves.write(fig, folder / "xor.png")
    return ("xor.png",)


if __name__ == "__main__":
    main(CLAIMS, pictures)
