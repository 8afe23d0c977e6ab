"""The nerve cell that a unit stands for: its firing rate, two kinds of inhibition, and what a unit leaves out.

    python -m experiments.notes.neurons [FOLDER]      2 s, pictures into FOLDER (runs/neurons)

The cell is leaky integrate-and-fire: dV/dt = (R I - V)/τ. At V = θ it fires; then V is 0, and the cell answers to
nothing for a time t_ref. Here τ = R = θ = 1.
"""

from functools import cache

import jax
import jax.numpy as jnp
import numpy as np

import fnn
from experiments.notes.findings import Finding, judged, listed, main
from fnn import Dense, Sigmoid, Step
from fnn.layers import DenseParams
from fnn.plots import curves, room

DEAF = 0.1  # t_ref, in units of τ
CURRENTS = np.array([1.1, 1.5, 2, 5, 100])
RATES = np.array([0.400337040103, 0.834298137483, 1.26080004381, 3.09459989510, 9.08675100575])


def rate(current):
    """Spikes per τ for a constant current, by a formula; 0 up to I = 1."""
    current = np.asarray(current, float)
    firing = current > 1
    wait = np.log(np.where(firing, current, 2) / (np.where(firing, current, 2) - 1))
    return np.where(firing, 1 / (DEAF + wait), 0.0)


def spikes(current, dt=1e-4):
    """The times of the spikes, for a current given at every time step `dt`."""
    v, deaf, times = 0.0, 0.0, []
    for k, i in enumerate(current):
        if deaf > 0:
            deaf -= dt
            continue
        v += dt * (i - v)
        if v > 1:
            times.append(k * dt)
            v, deaf = 0.0, DEAF
    return times


@cache
def fitted():
    """The sigmoid of ln I, of the library, that is nearest to the rate: its height, steepness and centre, its distance.

    Found by small steps of descent on the squared distance, from a start at (10, 1, ln 9).
    """
    z, r = jnp.log(jnp.geomspace(0.3, 300, 400)), jnp.asarray(rate(np.geomspace(0.3, 300, 400)))

    def distance(p):
        return jnp.square(p[0] * Sigmoid().f(p[1] * (z - p[2])) - r).mean()

    def on(p, _):
        return p - jnp.array([1.0, 0.03, 0.03]) * jax.grad(distance)(p), None

    p = jax.jit(lambda p: jax.lax.scan(on, p, None, length=2000)[0])(jnp.array([10.0, 1.0, np.log(9)]))
    return np.asarray(p), float(abs(p[0] * Sigmoid().f(p[1] * (z - p[2])) - r).max())


def fires_at_a_rate():
    """The sigmoid can be read as a firing rate that saturates (001-31)."""
    times = [spikes(np.full(100_000, i), 1e-4) for i in (1.5, 5.0)]
    counted = [(len(t) - 1) / (t[-1] - t[0]) for t in times]
    every = rate(np.linspace(0, 1e4, 100_001))
    (height, steep, centre), off = fitted()
    return Finding(
        "001-31",
        "The sigmoid can be read as a firing rate that saturates.",
        f"a cell's rate for currents {listed(CURRENTS)}: {listed(rate(CURRENTS))} (counted: {listed(counted, 3)} at "
        f"1.5 and 5); it never reaches 1/t_ref: {every.max():.4f}; the nearest sigmoid of ln I is {height:.1f} "
        f"σ({steep:.2f} ln(I/{np.exp(centre):.1f})), nowhere further off than {off:.1f}",
        f"{listed(RATES)}; below 10, and never falling; a height near 10, less than 1 off",
        judged(
            np.allclose(rate(CURRENTS), RATES)
            and every.max() < 10
            and (np.diff(every) >= 0).all()
            and np.allclose(counted, rate([1.5, 5.0]), rtol=0.01)
            and abs(height - 10) < 0.5
            and off < 1
        ),
    )


def settled(current, leak=1.0, dt=0.01):
    """The voltage to which a constant current brings a cell that never fires, by 5,000 small time steps."""
    v = np.zeros_like(current)
    for _ in range(5000):
        v += dt * (current - leak * v)
    return v


def two_inhibitions():
    """Inputs add up; inhibition subtracts from them or divides them (000-03)."""
    excitation = np.linspace(0, 4, 50)
    alone, subtracted = settled(excitation), settled(excitation - 0.8)
    shunted = settled(excitation, 1 + 0.8)  # one more leak, to the resting voltage
    fits = [np.polyfit(excitation, response, 1) for response in (alone, subtracted, shunted)]
    (slope, shift), (slope_a, shift_a), (slope_s, shift_s) = fits
    added = abs(settled(excitation + excitation[::-1]) - alone - alone[::-1]).max()
    params = (DenseParams(jnp.array([[1.0, -1.0]]), jnp.zeros(1)),)  # the unit: an excitatory, an inhibitory weight
    unit = np.asarray(fnn.forward((Dense(1),), params, jnp.stack([excitation, np.full(50, 0.8)], axis=1)))[:, 0]
    same = abs(unit - subtracted).max()
    return Finding(
        "000-03",
        "Inputs add up where the spike begins, at the axon hillock; inhibition subtracts, or, as a shunt, divides.",
        f"a cell that never fires, after 50 τ: two currents at once and one by one {added:.0e} apart; a line through "
        f"its voltage against the current: slope {slope:.3f}, shift {abs(shift):.1f}; with a current of 0.8 less "
        f"{slope_a:.3f} and {shift_a:.1f}, with a leak of 0.8 more {slope_s:.3f} and {abs(shift_s):.1f}; a unit with "
        f"a weight of -1 does the first, to {same:.0e}, and no weight does the second",
        "rounding; the first moves the line, the second turns it, by 1/1.8",
        judged(
            added < 1e-12
            and np.allclose([slope_a, shift_a], [1, -0.8])
            and np.allclose([slope_s, shift_s], [1 / 1.8, 0], atol=1e-12)
            and same < 1e-6
        ),
    )


def pulses(starts, dt=1e-3):
    """Three τ of current: a pulse of 0.15 τ and height 4 at each start."""
    t = np.arange(0, 3, dt)
    return sum(4.0 * ((t >= s) & (t < s + 0.15)) for s in starts)


def timing_matters():
    """It matters to a real neuron when its inputs arrive, which a unit cannot know (001-05)."""
    together, apart = pulses((0.5, 0.5)), pulses((0.5, 2.0))
    counts = [len(spikes(current, 1e-3)) for current in (together, apart)]
    params = (DenseParams(jnp.full((1, len(apart)), 1e-3), jnp.full(1, -1.0)), ())  # the sum over time, threshold 1
    unit = [int(fnn.forward((Dense(1), Step()), params, x[None].astype(np.float32))[0, 0]) for x in (together, apart)]
    return Finding(
        "001-05",
        "A real neuron is a complex nonlinear dynamical system: when its inputs arrive matters, which a unit cannot "
        "know.",
        f"two pulses at once: {counts[0]} spike(s), one after the other: {counts[1]}; their sum, all that a unit sees, "
        f"is {together.sum() * 1e-3:.2f} and {apart.sum() * 1e-3:.2f}, and it answers {unit[0]} and {unit[1]}",
        "different answers of the cell to equal sums, one answer of the unit",
        judged(counts[0] > counts[1] and np.isclose(together.sum(), apart.sum()) and unit == [1, 1]),
    )


CLAIMS = (two_inhibitions, timing_matters, fires_at_a_rate)


def voltage(current, dt=1e-3):
    """The voltage of the cell at every time step."""
    v, trace, deaf = 0.0, [], 0.0
    for i in current:
        deaf -= dt
        v = 0.0 if deaf > 0 else v + dt * (i - v)
        v, deaf = (0.0, DEAF) if v > 1 else (v, deaf)
        trace.append(v)
    return trace


def pictures(folder):
    """The rate against the current; the voltage for two pulses together and apart."""
    current, (height, steep, centre) = np.geomspace(0.3, 300, 800), fitted()[0]
    title = "A sigmoid can be read as a firing rate; but a cell also feels when its inputs come"
    with room.picture(folder / "neurons.png", title) as fig:
        left, right = fig.subplots(1, 2)
        left.plot(current, rate(current), "-", color=curves.PALETTE[0], label="cell, deaf for 0.1 τ")
        sigmoid = height * Sigmoid().f(steep * (jnp.log(current) - centre))
        left.plot(current, sigmoid, "--", color=curves.PALETTE[1], label="the nearest sigmoid of ln I")
        left.set(xscale="log", xlabel="current I (thresholds)", ylabel="rate (spikes per τ)", ylim=(0, 13.5))
        left.set_title("The rate saturates at 1/t_ref = 10")
        for i, (starts, name) in enumerate((((0.5, 0.5), "together"), ((0.5, 2.0), "apart"))):
            style = {"color": curves.PALETTE[i], "label": f"two pulses {name}"}
            right.plot(np.arange(0, 3, 1e-3), voltage(pulses(starts)), curves.DASHES[i], **style)
        right.axhline(1, color="black", lw=1.5, ls=":")
        right.text(3, 1.02, "threshold", ha="right")
        right.set(xlabel="time (τ)", ylabel="voltage (thresholds)", ylim=(0, 1.5))
        right.set_title("The same sum of inputs, another answer")
        for axes in (left, right):
            axes.grid()
            axes.legend(loc="upper left")
    return ("neurons.png",)


if __name__ == "__main__":
    main(CLAIMS, pictures)
