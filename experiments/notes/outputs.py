"""How many outputs for ten digits: ten, four (one per bit), or one that says only "nine or not".

    python -m experiments.notes.outputs [FOLDER]      60 s, pictures into FOLDER (runs/outputs); needs MNIST

Ten outputs and four are compared on the embedded digits: [64, 30, 10] and [64, 30, 4], with sigmoids and cross-entropy.
The rate of each is chosen from the same five by validation digits. The test digits are used once, at these rates.
"""

import itertools
from functools import cache

import jax
import jax.numpy as jnp
import numpy as np

import fnn
from experiments.notes.findings import Finding, judged, listed, main
from experiments.notes.seeds import SEEDS, accuracies, grid, interval, of, said, scores
from fnn import SGD, CrossEntropy, Dense, Examples, Sigmoid, Step
from fnn.lessons import logic
from fnn.plots import curves, room

ETAS, EPOCHS, COST = (0.1, 0.3, 1.0, 3.0, 10.0), 30, CrossEntropy()
BITS = (np.arange(10)[:, None] >> np.arange(4)[::-1]) & 1


def ending(outputs):
    """[64, 30, outputs]."""
    return (Dense(30), Sigmoid(), Dense(outputs))


def coded(codes):
    """The digits data, with a row of `codes`, `(10, bits)`, as the desired output of each digit."""
    data = fnn.load_data("digits", train=1000, validation=400, test=397)
    parts = (Examples(e.x, codes[e.y.argmax(axis=1)].astype(np.float32), e.scale) for e in data[:3])
    return data._replace(**dict(zip(("train", "validation", "test"), parts, strict=True)))


def random_codes(seed):
    """Ten of the sixteen codes of four bits, drawn at random."""
    every = (np.arange(16)[:, None] >> np.arange(4)[::-1]) & 1
    return every[np.random.default_rng(seed).permutation(16)[:10]]


@cache
def tuned(four):
    """The best rate, and the nets trained with it."""
    codes = BITS if four else np.eye(10)
    results = grid(ending(codes.shape[1]), COST, SGD(jnp.array(ETAS)), coded(codes), epochs=EPOCHS)
    best = int(accuracies(results)[..., -1].mean(axis=1).argmax())
    return ETAS[best], of(results, best)


@cache
def bits_said():
    """What the nets with four outputs answer to the test digits, in bits, `(SEEDS, n, 4)`."""
    x = coded(BITS).test.rows(slice(None))[0]
    return np.asarray(jax.vmap(lambda p: fnn.forward(ending(4), p, x))(tuned(True)[1])) > 0


def by_random_codes(count=3):
    """Test accuracy in % with codes that say nothing about the digits, `(count, SEEDS)`."""
    right = []
    for seed in range(count):
        data = coded(random_codes(seed))
        last = grid(ending(4), COST, SGD(tuned(True)[0]), data, epochs=EPOCHS, validate=False)[-1]
        right.append(scores(ending(4), COST, last.params, data.test)[1])
    return np.array(right)


@cache
def compared():
    """Test accuracies in %: ten outputs, four, four with random codes."""
    ten = scores(ending(10), COST, tuned(False)[1], coded(np.eye(10)).test)[1]
    return ten, scores(ending(4), COST, tuned(True)[1], coded(BITS).test)[1], by_random_codes()


def ten_against_four():
    """Four outputs can name sixteen classes, and yet ten are better for ten digits (003-12)."""
    ten, four, drawn = compared()
    own = four - drawn.mean(axis=0)
    decided = "" if interval(own)[1] > 0 or interval(own)[2] < 0 else ", which decides nothing"
    invalid = (bits_said() @ [8, 4, 2, 1] > 9).mean()
    return Finding(
        "003-12",
        "Four outputs could name sixteen classes, and yet ten are better for ten digits.",
        f"397 test digits, {SEEDS} paired seeds, each at its best η of {listed(ETAS)} ({tuned(False)[0]:g} and "
        f"{tuned(True)[0]:g}): {ten.mean():.2f} % with ten, {four.mean():.2f} % with four outputs, {said(ten - four)}; "
        f"{100 * invalid:.1f} % of the four-bit answers are no digit (1010 to 1111); with random codes, "
        f"at the rate of the bits, {drawn.mean():.2f} %: the digit's own bits differ by {said(own)}{decided}",
        "above 0; the book argues this, without a number",
        judged(interval(ten - four)[1] > 0),
    )


def most_active():
    """A net of perceptrons that picks the largest of ten inputs: it compares each pair, then asks for nine wins."""
    pairs = list(itertools.permutations(range(10), 2))
    W = np.zeros((90, 10))
    for row, (i, j) in enumerate(pairs):
        W[row, i], W[row, j] = 1, -1
    wins = np.array([[i == k for i, _ in pairs] for k in range(10)], float)
    params = (logic.from_threshold(W, np.zeros(90)), (), logic.from_threshold(wins, np.full(10, 8.5)), ())
    return (Dense(90), Step(), Dense(10), Step()), params


def argmax_is_a_layer():
    """Layers of perceptrons can pick the most active of ten outputs (003-11)."""
    data, net, key = fnn.load_data("mnist", train=10_000), (Dense(15), Sigmoid(), Dense(10)), jax.random.key(0)
    start = fnn.init(net, key, (784,))
    (last,) = fnn.fit(net, COST, SGD(0.5), start, data.train, key, batch_size=10, epochs=1)
    a = np.asarray(jax.jit(fnn.predict)(net, COST, last.params, data.test.rows(slice(None))[0]))
    untied = (a == a.max(axis=1, keepdims=True)).sum(axis=1) == 1
    picked = np.asarray(jax.jit(fnn.forward)(*most_active(), a)) == np.eye(10)[a.argmax(axis=1)]
    right = int(picked.all(axis=1)[untied].sum())
    return Finding(
        "003-11",
        "Taking the most active output can itself be done by layers of perceptrons.",
        f"100 perceptrons behind a trained [784, 15, 10], which has {fnn.count_params(start):,} parameters, pick its "
        f"largest output for {right:,} of the {untied.sum():,} test images whose largest output is one alone",
        "all of them, nearly 10,000; 11,935",
        judged(right == untied.sum() > 9900 and fnn.count_params(start) == 11_935),
    )


def ten_in_four_bits():
    """Four more outputs turn ten outputs into bits, with weights that one can write down (003-13)."""
    net, params = logic.bit_layer()
    soft = logic.softened(net, params, 10.0)
    low, high = (
        np.asarray(fnn.forward(*soft, np.where(np.eye(10) > 0, 0.99, o).astype(np.float32))) for o in (0, 0.01)
    )
    ones, zeros = float(low[BITS == 1].min()), float(high[BITS == 0].max())
    return Finding(
        "003-13",
        "Four further outputs turn ten into bits, with weights that one writes down.",
        f"weights 10·bit, bias -5, activations 0.99 and 0.01 at worst: ones at least {ones:.6f}, zeros at most "
        f"{zeros:.6f}",
        "0.992608 and 0.010987",
        judged(abs(ones - 0.992608458656) + abs(zeros - 0.0109869426306) < 1e-5),
    )


@cache
def nine_or_not():
    """Labels of the test images, 1 for a nine, and what [784, 30, 1] answers after three epochs on 10,000 images."""
    data = fnn.load_data("mnist", train=10_000)
    train, test = (Examples(e.x, e.y[:, 9:].astype(np.float32), e.scale) for e in (data.train, data.test))
    net, key = ending(1), jax.random.key(0)
    start = fnn.init(net, key, (784,))
    *_, last = fnn.fit(net, COST, SGD(0.5), start, train, key, batch_size=10, epochs=3)
    x, y = test.rows(slice(None))
    return y[:, 0], np.asarray(jax.jit(fnn.predict)(net, COST, last.params, x))[:, 0]


def roc():
    """The ROC curve, from the highest threshold down: shares of others and of nines above it; the area under it."""
    label, answer = nine_or_not()
    order = np.argsort(-answer, kind="stable")
    nines, others = np.cumsum(label[order]) / label.sum(), np.cumsum(1 - label[order]) / (1 - label).sum()
    return others, nines, float(np.trapezoid(nines, others))


def one_output():
    """One output, above or below 1/2, tells whether an image is a nine (003-09)."""
    label, answer = nine_or_not()
    right, base = ((answer > 0.5) == label).mean(), 1 - label.mean()
    others, nines, area = roc()
    found = nines[np.searchsorted(others, 0.01)]
    return Finding(
        "003-09",
        "One output above or below 1/2 can tell whether an image is a nine; its accuracy is to be held against that "
        "of always saying no.",
        f"10,000 test images: {right:.2%} right, always 'no' {base:.2%}; {found:.1%} of the nines are found while 1 % "
        f"of the others are taken for nines; area under the ROC curve {area:.4f}",
        "above 89.91 %, which needs no network; area near 1, guessing 0.5",
        judged(abs(base - 0.8991) < 1e-9 and right > 0.96 and area > 0.97),
    )


CLAIMS = (one_output, argmax_is_a_layer, ten_against_four, ten_in_four_bits)


def pictures(folder):
    """Pairs of nets; the ROC curve."""
    ten, four, drawn = compared()
    names = "ten outputs", "four: the digit's bits", "four: random codes\n(mean of 3 codes)"
    means = [ten.mean(), four.mean(), drawn.mean()]
    title = "Ten outputs read digits better than four; which four bits matters little"
    with room.picture(folder / "ten_or_four.png", title) as fig:
        axes = fig.subplots()
        for pair in zip(ten, four, drawn.mean(axis=0), strict=True):
            axes.plot(range(3), pair, "o-", color="0.55", lw=1.5, ms=8)
        axes.plot(range(3), means, "_", color=curves.PALETTE[1], ms=80, mew=5)
        for i, mean in enumerate(means):
            box = {"fc": "white", "ec": "none", "alpha": 0.8, "pad": 1}
            place = {"xytext": (48, 0), "textcoords": "offset points", "va": "center"}
            axes.annotate(f"mean {mean:.1f} %", (i, mean), bbox=box, **place)
        axes.set_xticks(range(3), names)
        axes.set(xlim=(-0.3, 2.7), ylabel="accuracy on 397 test digits (%)", title=f"{SEEDS} paired seeds")
        axes.grid()

    others, nines, area = roc()
    title = "Nine or not: what is found must be paid for with others taken for nines"
    with room.picture(folder / "nine_or_not.png", title) as fig:
        axes = fig.subplots()
        axes.plot(100 * others, 100 * nines, color=curves.PALETTE[0], label=f"[784, 30, 1]: area {area:.4f}")
        axes.plot(np.geomspace(0.02, 100), np.geomspace(0.02, 100), ":", color="black", label="guessing: area 0.5")
        axes.set(xscale="log", xlim=(0.02, 100), ylim=(0, 101), title="Every threshold, 10,000 test images")
        axes.set(xlabel="others taken for nines (%)", ylabel="nines found (%)")
        axes.grid()
        axes.legend(loc="center")
    return "ten_or_four.png", "nine_or_not.png"


if __name__ == "__main__":
    main(CLAIMS, pictures)
