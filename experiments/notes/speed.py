"""What is slow and what is fast: brains and gates, units at once and in turn, ReLU and sigmoid.

    python -m experiments.notes.speed [FOLDER]      10 s, a picture into FOLDER (runs/speed)

A verdict here rests on what a compiled program has to do, which is counted. The times beside it are ratios of runs by
turns on whatever else the machine does.
"""

import time
from functools import cache

import jax
import jax.numpy as jnp
import numpy as np

import fnn
from experiments.notes.findings import Finding, corrected, judged, main
from experiments.notes.parameter_counts import layers
from fnn import CrossEntropy, Dense, LeakyReLU, ReLU, Sigmoid, Tanh
from fnn.plots import curves, room

SLIDE = {  # what one slide says of a human and of a computer: note 001, lines 45 to 50
    "units": (1e11, 1e7),
    "links per unit": (1e3, "a few"),
    "cycles per second": (1e3, 5e8),
    "bits per second": (1e13, 1e9),
    "years to double": (2e5, 2),
}
SYNAPSES = 1e15  # another slide, line 62
ACTIVATIONS = {"ReLU": ReLU(), "leaky ReLU": LeakyReLU(), "tanh": Tanh(), "sigmoid": Sigmoid()}


def loops_in(program, *args):
    """The loops of a compiled program, whose rounds wait for each other."""
    return program.lower(*args).as_text().count("stablehlo.while")


def ratios(programs, *args, rounds=15):
    """The times of programs over that of the first one: medians, run by turns."""
    spent = {name: [] for name in programs}
    for _ in range(rounds):
        for name, program in programs.items():
            start = time.perf_counter()
            jax.block_until_ready(program(*args))
            spent[name].append(time.perf_counter() - start)
    first = np.median(next(iter(spent.values()))[1:])
    return {name: float(np.median(times[1:]) / first) for name, times in spent.items()}


def brains_and_computers():
    """Brains have more units, links and bandwidth than computers, but slower units (001-02)."""
    ahead = [name for name, (human, computer) in SLIDE.items() if computer == "a few" or human > computer]
    (_, links), (brain, gate) = (SLIDE[name] for name in ("links per unit", "cycles per second"))
    slower = gate / brain
    return Finding(
        "001-02",
        "Brains have more units, more links and more bandwidth, and take longer to double; their units are 'a million "
        "times slower' than gates.",
        f"the table's own numbers (2017): the brain has more {', '.join(ahead)}; a gate's links are {links}; a neuron "
        f"is {slower:.0e} times slower, {1e6 / slower:g} times less than a million",
        "all but the cycles; half a million",
        corrected(slower >= 1e6, len(ahead) == 4 and "cycles per second" not in ahead and slower == 5e5),
    )


def number_of_synapses():
    """Two slides differ by a factor of ten on the number of synapses (E14)."""
    table = SLIDE["units"][0] * SLIDE["links per unit"][0]
    return Finding(
        "E14",
        "Two slides differ by a factor of ten on the number of synapses.",
        f"{SLIDE['units'][0]:.0e} neurons with {SLIDE['links per unit'][0]:g} links each make {table:.0e}, the other "
        f"slide says {SYNAPSES:.0e}",
        "one number; 1e14 by the table",
        corrected(np.isclose(table, SYNAPSES), np.isclose(10 * table, SYNAPSES)),
    )


def all_at_once():
    """All neurons of a layer work in parallel (001-03)."""
    with jax.enable_x64(True):
        rng, net = np.random.default_rng(0), layers(4, 2)
        p = jax.tree.map(
            lambda leaf: jnp.asarray(rng.standard_normal((3, *leaf.shape))),
            jax.eval_shape(lambda key: fnn.init(net, key, (5,)), jax.random.key(0)),
        )
        x = rng.standard_normal((6, 5))
        program = jax.jit(jax.vmap(lambda p: fnn.forward(net, p, x)))
        together, loops = np.asarray(program(p)), loops_in(program, p)
    W1, b1, W2, b2 = (np.asarray(v) for v in (p[0].W, p[0].b, p[2].W, p[2].b))
    worst = 0.0
    for m in range(3):
        for i in range(6):
            a = [1 / (1 + np.exp(-sum(W1[m, j, k] * x[i, k] for k in range(5)) - b1[m, j])) for j in range(4)]
            z = [sum(W2[m, j, k] * a[k] for k in range(4)) + b2[m, j] for j in range(2)]
            worst = max(worst, abs(together[m, i] - np.array(z, float)).max())
    return Finding(
        "001-03",
        "All neurons of a layer work at once, in parallel.",
        f"3 networks on 6 examples in one program, and neuron by neuron in loops: {worst:.0e} apart; loops in the "
        f"program: {loops}",
        "rounding; 0: no unit waits for another of its layer",
        judged(worst < 1e-13 and loops == 0),
    )


@cache
def passes():
    """Programs that take a million z through an activation and an error back through it."""
    return {
        name: jax.jit(lambda z, f=f: f.backward((), z, f.forward((), z))[1]).lower(jnp.ones((1000, 1000))).compile()
        for name, f in ACTIVATIONS.items()
    }


@cache
def efforts():
    """Exponentials and their like for one z of each activation, and the times over that of ReLU."""
    counts = {name: program.cost_analysis().get("transcendentals", 0) / 1e6 for name, program in passes().items()}
    return counts, ratios(passes(), jax.random.normal(jax.random.key(0), (1000, 1000)))


def cheap_activation():
    """ReLU is cheap to compute: it compares, and needs no exponential (001-33)."""
    counts, times = efforts()
    x, y = jax.random.normal(jax.random.key(0), (100, 784)), jnp.eye(10)[jnp.arange(100) % 10]
    steps = {}
    for name in ("ReLU", "sigmoid"):
        net = (Dense(100), ACTIVATIONS[name], Dense(10))
        step = jax.jit(lambda p, net=net: fnn.backprop(net, CrossEntropy(), p, x, y)[1])
        steps[name] = step
    whole = ratios(steps, fnn.init((Dense(100), ReLU(), Dense(10)), jax.random.key(0), (784,)))["sigmoid"]
    return Finding(
        "001-33",
        "ReLU and leaky ReLU are very efficient to compute.",
        f"exponentials and their like for one z, there and back: {told(counts, 2)}; times over ReLU's, by turns: "
        f"{told(times, 2)}; but a whole step of [784, 100, 10], which is mostly products of matrices, takes with "
        f"sigmoids {whole:.2f} times as long as with ReLU",
        "none against some (the times are told, not judged)",
        judged(counts["ReLU"] == counts["leaky ReLU"] == 0 and min(counts["tanh"], counts["sigmoid"]) >= 1),
    )


def told(numbers, digits):
    """`name number, name number`."""
    return ", ".join(f"{name} {number:.{digits}g}" for name, number in numbers.items())


def matrices():
    """Matrices are what parallel hardware likes: a mini-batch at once, in no loop (001-34)."""
    net, m = layers(30, 10), 100
    p = fnn.init(net, jax.random.key(0), (784,))
    x, y = jax.random.uniform(jax.random.key(1), (m, 784)), jnp.eye(10)[jnp.arange(m) % 10]

    def by_matrices(p):
        return fnn.backprop(net, CrossEntropy(), p, x, y)[1]

    def in_turn(p):
        one = jax.lax.map(lambda xy: fnn.backprop(net, CrossEntropy(), p, xy[0][None], xy[1][None])[1], (x, y))
        return jax.tree.map(lambda g: g.mean(axis=0), one)

    programs = {"by matrices": jax.jit(by_matrices), "in turn": jax.jit(in_turn)}
    loops = {name: loops_in(program, p) for name, program in programs.items()}
    pairs = zip(*(jax.tree.leaves(program(p)) for program in programs.values()), strict=True)
    apart = max(float(abs(one - other).max()) for one, other in pairs)
    return Finding(
        "001-34",
        "Matrices are favourable for a GPU.",
        f"the gradient of {m} examples by matrices and one by one: {apart:.0e} apart; loops in the programs: "
        f"{told(loops, 1)}, whose {m} rounds wait for each other, on whatever hardware; one by one takes "
        f"{ratios(programs, p)['in turn']:.1f} times as long on these CPUs, by "
        "turns (on a GPU: experiments/benchmark)",
        "rounding; 0 against 1 (the times are told, not judged)",
        judged(apart < 1e-6 and loops == {"by matrices": 0, "in turn": 1}),
    )


CLAIMS = (brains_and_computers, all_at_once, cheap_activation, matrices, number_of_synapses)


def pictures(folder):
    """The time of each activation over that of ReLU, and what each computes."""
    counts, times = efforts()
    with room.picture(folder / "speed.png", "ReLU is cheap: it compares, the others take exponentials", 6.5) as fig:
        axes = fig.subplots()
        for i, (name, ratio) in enumerate(times.items()):
            axes.barh(-i, ratio, color="0.75" if counts[name] == 0 else curves.PALETTE[1], edgecolor="black")
            axes.text(
                ratio + 0.05,
                -i,
                f"{ratio:.1f}; {'no' if counts[name] == 0 else f'{counts[name]:g}'} exponential per z",
                va="center",
            )
        axes.set_yticks(-np.arange(len(times)), list(times))
        axes.set(xlabel="time there and back over that of ReLU (a million z)", xlim=(0, 1.6 * max(times.values())))
    return ("speed.png",)


if __name__ == "__main__":
    main(CLAIMS, pictures)
