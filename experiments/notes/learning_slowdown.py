"""One neuron that is badly wrong: why it learns slowly with the quadratic cost and fast with the cross-entropy.

    python -m experiments.notes.learning_slowdown [FOLDER]      3 s, pictures into FOLDER (runs/learning_slowdown)

Nielsen's toy of ch. 3: input 1, desired output 0, eta = 0.15, starts (w, b) = (0.6, 0.9) and (2, 2).
"""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

import fnn
from experiments.notes.findings import Finding, corrected, judged, listed, main
from fnn import CrossEntropy, Dense, Quadratic
from fnn.layers import DenseParams
from fnn.plots import curves, room

STARTS, RATE = ((0.6, 0.9), (2.0, 2.0)), 0.15
QUADRATIC = (0.0939556948636, 0.202848424268)  # outputs after 300 updates, to twelve digits
ENTROPY = (0.0116382089689, 0.0120087415108)


@partial(jax.jit, static_argnums=(0, 2))
def trained(cost, eta, updates, start):
    """The outputs, the costs and the slopes ∂C/∂w before each update and after the last one."""
    net, x, y = (Dense(1),), jnp.ones((1, 1)), jnp.zeros((1, 1))

    def on(params, _):
        value, gradient = fnn.backprop(net, cost, params, x, y)
        said = fnn.predict(net, cost, params, x)[0, 0], value, gradient[0].W[0, 0]
        return fnn.SGD(eta).update(params, (), gradient)[0], said

    params = (DenseParams(start[0].reshape(1, 1), start[1].reshape(1)),)
    return jax.lax.scan(on, params, None, length=updates + 1)[1]


def run(cost, eta=RATE, updates=300):
    """`trained` from both starts: outputs, costs, slopes, each `(2, updates + 1)`."""
    with jax.enable_x64(True):
        every = [trained(cost, eta, updates, jnp.asarray(start)) for start in STARTS]
        return [np.stack([np.asarray(e[i]) for e in every]) for i in range(3)]


def first_below(a, limit):
    """The first update after which the output is below the limit."""
    return int(np.argmax(a < limit))


def slow_when_wrong():
    """A sigmoid neuron with the quadratic cost learns slowly when it is very wrong (002-02)."""
    a, _, slopes = run(Quadratic())
    halves = [first_below(row, 0.5) for row in a]
    return Finding(
        "002-02",
        "One expects to learn fast when very wrong; a sigmoid neuron with the quadratic cost does the opposite.",
        f"starts at {listed(a[:, 0], 3)}: slopes {listed(slopes[:, 0])}, output below 1/2 after {halves[0]} and "
        f"{halves[1]} updates, after 300 {listed(a[:, -1], 10)}",
        "slopes 0.1219 and 0.01735; 36 and 232; 0.0939556949, 0.2028484243",
        judged(halves == [36, 232] and np.allclose(a[:, -1], QUADRATIC, rtol=1e-10) and slopes[1, 0] < slopes[0, 0]),
    )


def fast_when_wrong():
    """With the cross-entropy σ′ cancels, and the slope is the error itself (002-06)."""
    a, _, slopes = run(CrossEntropy())
    halves = [first_below(row, 0.5) for row in a]
    return Finding(
        "002-06",
        "With the cross-entropy σ′ cancels: the slope is the error itself.",
        f"slope minus error at most {abs(slopes - a).max():.0e} over 300 updates; output below 1/2 after {halves[0]} "
        f"and {halves[1]} updates, after 300 {listed(a[:, -1], 10)}",
        "0; 8 and 17; 0.01163820897, 0.01200874151",
        judged(halves == [8, 17] and np.allclose(a[:, -1], ENTROPY, rtol=1e-10) and abs(slopes - a).max() < 1e-14),
    )


def slow_when_good():
    """Near a good value the slope does vanish, as one would expect (002-17)."""
    a = np.geomspace(1e-6, 2 / 3, 2000)
    ways = {}
    for cost in (Quadratic(), CrossEntropy()):
        with jax.enable_x64(True):
            z = np.log(a / (1 - a))[:, None]
            slopes = np.asarray(cost.delta(jnp.asarray(z), jnp.zeros_like(z)))[:, 0] * len(a)
        power = np.log10(slopes[0] / slopes[500]) / np.log10(a[0] / a[500])
        ways[cost] = bool((np.diff(slopes) > 0).all()), power
    (up_q, power_q), (up_e, power_e) = ways.values()
    return Finding(
        "002-17",
        "Near a good value the slope does vanish, as one would expect.",
        f"towards a = 0 both slopes fall steadily ({up_q and up_e}), as a^{power_q:.2f} with the quadratic cost and as "
        f"a^{power_e:.2f} with the cross-entropy",
        "a² and a",
        judged(up_q and up_e and round(power_q) == 2 and round(power_e) == 1),
    )


def bell():
    """The slope of the sigmoid is a bell: learning is fast in its middle and slow at its ends (002-03)."""
    z = np.linspace(-8, 8, 16001)
    df = np.asarray(fnn.Sigmoid().df(jnp.asarray(z, jnp.float32)))
    at4 = float(fnn.Sigmoid().df(jnp.float32(4)))
    with jax.enable_x64(True):
        a = np.linspace(0.001, 0.999, 30_001)
        slope = Quadratic().delta(jnp.asarray(np.log(a / (1 - a)))[:, None], jnp.zeros((len(a), 1)))
        best = a[int(slope.argmax())]
    return Finding(
        "002-03",
        "The slope of the sigmoid is a bell: learning is fast in its middle and slow at its ends.",
        f"σ′ is largest, {df.max():.4f}, at z = {abs(z[df.argmax()]):.3f}; σ′(4) = {at4:.6f}; the quadratic cost's "
        f"slope a²(1-a) is largest at a = {best:.4f}",
        "0.25 at 0; 0.017663; 2/3",
        judged(abs(df.max() - 0.25) < 1e-6 and abs(at4 - 0.0176627) < 1e-6 and abs(best - 2 / 3) < 1e-4),
    )


def wrong_sign():
    """The notes' cross-entropy lacks its minus sign, so that descent would run away from the target (E5)."""
    value = float(CrossEntropy().value(jnp.log(jnp.array([[0.8 / 0.2]])), jnp.ones((1, 1))))
    w, b = 2.0, 2.0
    for _ in range(300):  # descend the cost with its sign lost: the slope is -(a - y) = -a
        a = 1 / (1 + np.exp(-w - b))
        w, b = w + 0.15 * a, b + 0.15 * a
    rest = np.exp(-w - b)
    right = run(CrossEntropy())[0][1, -1]
    return Finding(
        "E5",
        "The cross-entropy as written lacks its minus sign, so descent would run away from the target.",
        f"y = 1, a = 0.8: {-value:.9f} as written, {value:.9f} corrected; 300 updates from (2, 2) towards y = 0 leave "
        f"1 - a = {rest:.1e} as written, a = {right:.10f} corrected",
        "1.5e-41 and 0.0120087415",
        corrected(rest > 0.5, np.isclose(right, ENTROPY[1])),
    )


def unsigned_error():
    """The slope is to be proportional to the signed error, not to its absolute value (E26)."""
    start, y = jnp.log(jnp.array([[4.0]])), jnp.ones((1, 1))  # a = 0.8
    after = {}
    for name, size in (("written", jnp.abs), ("signed", lambda slope: slope)):
        z = start
        for _ in range(50):
            z = z - 0.5 * size(CrossEntropy().delta(z, y))
        after[name] = float(CrossEntropy().output(z)[0, 0])
    a, slope = (float(v[0, 0]) for v in (CrossEntropy().output(start), CrossEntropy().delta(start, y)))
    return Finding(
        "E26",
        "The slope is to be proportional to the signed error, not to its size.",
        f"a = {a:.1f}, y = 1: slope {abs(slope):.1f} as written, {slope:.1f} signed; after 50 steps the output is "
        f"{after['written']:.4f} and {after['signed']:.4f}",
        "away from 1, and to it",
        corrected(after["written"] > a, after["signed"] > 0.95),
    )


def cost_from_slope():
    """A slope proportional to the error gives the cross-entropy of two outcomes, not of ten classes (002-04)."""
    a = np.linspace(0.05, 0.95, 200_001)
    worst = 0.0
    with jax.enable_x64(True):
        z = jnp.log(jnp.asarray(a / (1 - a)))[:, None]
        for y in (0.0, 0.3, 1.0):
            label = jnp.full_like(z, y)
            delta = np.asarray(CrossEntropy().delta(z, label))[:, 0] * len(a)
            slope = (a - y) / (a * (1 - a))  # by a, of a cost whose slope by z is the error
            area = np.concatenate([[0], np.cumsum((slope[1:] + slope[:-1]) / 2 * np.diff(a))])
            entropy = np.asarray(jax.vmap(lambda z, y: CrossEntropy().value(z[None], y[None]))(z, label))
            worst = max(worst, abs(area - (entropy - entropy[0])).max(), abs(delta - (a - y)).max())
    z = jnp.full((1, 10), float(np.log(1 / 9)))
    summed = float(CrossEntropy().value(z, jnp.eye(10)[:1]))
    categorical = float(fnn.LogLikelihood().value(jnp.zeros((1, 10)), jnp.eye(10)[:1]))
    return Finding(
        "002-04",
        "Asking for a slope proportional to the error gives the cross-entropy of two outcomes; over ten outputs "
        "it is not that of ten classes.",
        f"the integral differs from it by {worst:.0e} and a constant; ten outputs of 0.1: {summed:.6f} against ln 10 = "
        f"{categorical:.6f}",
        "rounding; 3.250830 and 2.302585",
        judged(worst < 1e-8 and abs(summed - 3.25082973391) < 1e-5 and abs(categorical - 2.30258509299) < 1e-5),
    )


CLAIMS = (slow_when_wrong, bell, cost_from_slope, fast_when_wrong, slow_when_good, wrong_sign, unsigned_error)


def pictures(folder):
    """Cost and output of the toy neuron, both starts, both costs; the slopes against the output."""
    title = "From a bad start the quadratic cost waits 150 updates; the cross-entropy goes at once"
    with room.picture(folder / "two_starts.png", title, height=9.5) as fig:
        grid = fig.subplots(2, 2, sharex=True)
        for row, (cost, name) in enumerate(((Quadratic(), "quadratic cost"), (CrossEntropy(), "cross-entropy"))):
            a, values, _ = run(cost)
            for i, start in enumerate(STARTS):
                label = f"start w, b = {start[0]:g}, {start[1]:g}"
                for axes, drawn in zip(grid[row], (values[i], a[i]), strict=True):
                    axes.plot(drawn, color=curves.PALETTE[i], ls=curves.DASHES[i], label=label)
            grid[row, 0].set(ylabel="cost" + (" (nats)" if row else ""), title=f"{name}: cost", ylim=(0, None))
            grid[row, 1].set(ylabel="output a", title=f"{name}: output (desired: 0)", ylim=(0, 1))
        for axes in grid.flat:
            axes.grid()
        grid[1, 1].legend(loc="upper right")
        for axes in grid[1]:
            axes.set_xlabel(f"update (η = {RATE:g})")

    a = np.linspace(0.001, 0.999, 300)
    z, zero = jnp.log(jnp.asarray(a / (1 - a)))[:, None], jnp.zeros((300, 1))
    title = "Beyond 2/3: the more wrong, the less the quadratic cost learns"
    with room.picture(folder / "slopes.png", title) as fig:
        axes = fig.subplots()
        for i, (cost, name) in enumerate(((CrossEntropy(), "cross-entropy: a"), (Quadratic(), "quadratic: a²(1 - a)"))):
            slope = np.asarray(cost.delta(z, zero))[:, 0] * len(a)
            axes.plot(a, slope, curves.DASHES[i], color=curves.PALETTE[i], label=name)
        axes.axvline(2 / 3, color="black", lw=1.5, ls=":")
        axes.text(0.66, 0.45, "2/3", ha="right")
        axes.set(xlabel="output a (desired: 0)", ylabel="slope ∂C/∂w of an input of 1")
        axes.grid()
        axes.legend(loc="upper left")
    return "two_starts.png", "slopes.png"


if __name__ == "__main__":
    main(CLAIMS, pictures)
