"""What one threshold unit can decide, and what is different about a smooth unit.

python -m experiments.notes.perceptrons [FOLDER]      10 s, a picture into FOLDER (runs/perceptrons)
"""

from functools import cache

import jax
import jax.numpy as jnp
import numpy as np

import fnn
from experiments.notes.findings import Finding, corrected, judged, listed, main
from experiments.notes.seeds import starts
from fnn import Dense, Sigmoid, Step, circuit, layered
from fnn.layers import DenseParams
from fnn.lessons import logic
from fnn.plots import curves, room

X2, X3 = logic.inputs(2), logic.inputs(3)
ETAS = 5.0 / 10 ** jnp.arange(6.0)
NAND = circuit(2, lambda nand, p, q: nand(p, q))


def bits(rows):
    """`00001111` from the outputs of a unit."""
    return "".join(str(int(v)) for v in np.ravel(rows))


def unit(weights, threshold, x=X3):
    """The outputs of one perceptron, by the package's own layers."""
    params = logic.from_threshold(np.array([weights], np.float32), np.array([threshold], np.float32))
    return np.asarray(fnn.forward((Dense(1), Step()), (params, ()), x))[:, 0]


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
        fires, eager = (unit(w, k) > 0 for k in (t, t - 1))  # the threshold lower by 1 is the bias higher by 1
        same &= bool((fires == (X3 @ w > t)).all())
        rises &= bool((fires <= eager).all())
    bias = float(logic.from_threshold(np.ones((1, 3)), np.array([5.0])).b[0])
    return Finding(
        "003-06",
        "A threshold is a bias with the other sign; the larger the bias, the easier the unit fires.",
        f"threshold 5 is the bias {bias:g}; 100 random units answer as w·x > threshold: {same}; with bias + 1 no 1 "
        f"became a 0: {rises}",
        "-5; True; True",
        judged(bias == -5 and same and rises),
    )


def lost_equals_sign():
    """The bias is minus the threshold; the notes lose the equals sign (E8)."""
    params = logic.from_threshold(np.array([[6.0, 2, 2]]), np.array([5.0]))
    w0 = float(params.b[0])
    tables = [bits(fnn.forward((Dense(1), Step()), (params._replace(b=jnp.array([b])), ()), X3)) for b in (w0 - 5, w0)]
    return Finding(
        "E8",
        "The bias is minus the threshold; with the equals sign lost it reads as w0 minus the threshold.",
        f"(6,2,2), threshold 5: bias {w0 - 5:g} gives {tables[0]}, bias {w0:g} gives {tables[1]}",
        "00000000 and 00001111",
        corrected(tables[0] == "00001111", tables[1] == "00001111"),
    )


def smooth_is_gentle():
    """Learning needs small changes to have small effects: in a sigmoid unit they do, in a perceptron not (003-08)."""
    eps, rng = 1e-3, np.random.default_rng(0)
    start, x = np.array([2.0, -1.0, 0.5, 0.0]), np.array([[1.0, 1.5, -1.0]])  # w·x + b = 0: on the boundary
    with jax.enable_x64(True):

        def answers(activation, wb):
            net = (Dense(1), activation)
            return np.asarray(
                jax.vmap(lambda v: fnn.forward(net, (DenseParams(v[None, :3], v[3:]), ()), x)[0, 0])(jnp.asarray(wb))
            )

        moved = start + rng.uniform(-eps, eps, (10_000, 4))
        changes = [abs(answers(f, moved) - answers(f, start[None])).max() for f in (Sigmoid(), Step())]
        soft = np.asarray(fnn.forward(*logic.softened(*layered(NAND), 10.0), jnp.asarray(X2, float)))[:, 0]
    bound = eps / 4 * (abs(x).sum() + 1)
    exact = abs(soft - [1 - 9.4e-14, 0.999954602131, 0.999954602131, 4.53978687024e-05]).max()
    return Finding(
        "003-08",
        "Learning needs small changes to have small effects: a sigmoid unit, a perceptron made smooth, obliges; a "
        "perceptron flips.",
        f"weights moved by up to 0.001: the sigmoid's output by up to {changes[0]:.2e}, the perceptron's by "
        f"{changes[1]:g}; still a NAND with σ(10z): {listed(soft[1:4:2], 12)}",
        f"at most {bound:.3e}, and 1; 0.999954602131 and 4.53978687024e-05",
        judged(0 < changes[0] <= bound and changes[1] == 1 and exact < 1e-12),
    )


@cache
def learners(hidden):
    """Who of 20 seeds learns XOR with four such hidden units at each of six rates, and how far their weights moved.

    Both are `(rates, seeds)`, after 2,000 steps.
    """
    net, cost = (Dense(4), hidden, Dense(1)), fnn.CrossEntropy()
    x, y = fnn.load_data("xor", targets="binary").train.rows(slice(None))
    begin = starts(net, (2,), 20)

    def train(eta, p):
        def on(p, _):
            return fnn.SGD(eta).update(p, (), fnn.backprop(net, cost, p, x, y)[1])[0], None

        p = jax.lax.scan(on, p, None, length=2000)[0]
        return ((fnn.forward(net, p, x) > 0) == (y > 0.5)).all(), p[0].W

    right, W = jax.jit(jax.vmap(jax.vmap(train, (None, 0)), (0, None)))(ETAS, begin)
    return np.asarray(right), np.asarray(abs(W - begin[0].W).max(axis=(2, 3)))


def easier_to_train():
    """A sigmoid neuron is much easier to train than a perceptron, through which no gradient passes (000-19)."""
    (smooth, went), (stepped, stood) = learners(Sigmoid()), learners(Step())
    best = [100 * right.mean(axis=1).max() for right in (smooth, stepped)]
    nand = bits(fnn.forward(*fnn.perceptron([1, 1, 1, 0]), X2))
    try:
        fnn.perceptron([0, 1, 1, 0])
        refused = False
    except ValueError:
        refused = True
    return Finding(
        "000-19",
        "A sigmoid neuron is much easier to train than a perceptron.",
        f"XOR by four hidden units, 20 seeds, the best of six rates: {best[0]:.0f} % learn it with sigmoids, "
        f"{best[1]:.0f} % with steps, which are those whose random units happened to do; hidden weights moved by up to "
        f"{went.max():.2g} and {stood.max():g}. Rosenblatt's own rule needs no gradient, but it trains one perceptron "
        f"(NAND: {nand}), no hidden ones (XOR refused: {refused}). Being steeper is no hardship of its own: "
        "σ(c(wx + b)) is σ(Wx + B) with W = cw and B = cb, another start",
        "nearly all against few; hidden steps never move",
        judged(best[0] > 90 and best[1] < 50 and stood.max() == 0 < went.max() and nand == "1110" and refused),
    )


CLAIMS = (
    *(the_next_float, ties, all_or_nothing, festival, forgotten_threshold, bias_form, lost_equals_sign),
    *(smooth_is_gentle, easier_to_train),
)


def pictures(folder):
    """What a sigmoid and a step say and pass back; who learns XOR with them."""
    title = "A step has no slope: hidden weights never move, and XOR is learned by luck alone"
    with room.picture(folder / "perceptrons.png", title) as fig:
        left, right = fig.subplots(1, 2)
        z = jnp.linspace(-6, 6, 600)
        for i, f in enumerate((Sigmoid(), Step())):
            name, colour = type(f).__name__.lower(), curves.PALETTE[i]
            left.plot(z, f.f(z), "-", color=colour, label=f"{name}: output")
            left.plot(z, f.df(z), ":", color=colour, label=f"{name}: slope")
            learned = 100 * learners(f)[0].mean(axis=1)
            right.plot(ETAS, learned, ("o-", "s--")[i], color=colour, label=f"hidden {name}s")
        left.set(xlabel="weighted input z", title="What a unit says, and what it passes back", ylim=(-0.05, 1.75))
        right.set(xscale="log", xlabel="learning rate η", ylabel="seeds that learn XOR (%), of 20", ylim=(-4, 104))
        right.set_title("The sigmoid learns, the step does not")
        for axes in (left, right):
            axes.grid()
            axes.legend(loc="upper left")
    return ("perceptrons.png",)


if __name__ == "__main__":
    main(CLAIMS, pictures)
