"""One hidden layer comes as close to a curve as one likes: a net built by hand, its bound, and how many units it takes.

    python -m experiments.notes.approximation [FOLDER]      30 s, pictures into FOLDER (runs/approximation)

The curve is Nielsen's of ch. 4, f(x) = 0.2 + 0.4 x² + 0.3 x sin 15x + 0.05 cos 50x on [0, 1].
"""

from functools import cache

import jax
import jax.numpy as jnp
import numpy as np

import fnn
from experiments.notes.findings import Finding, judged, listed, main
from fnn import Dense, Identity, Normal, Quadratic, Sigmoid, Step
from fnn.layers import DenseParams
from fnn.plots import curves, room

UNITS = (10, 30, 100, 300, 1000)
BINS = (2, 5, 10, 16, 32, 64, 128, 256, 512)
KNOWN = (0.596612467, 0.473412298, 0.246106368, 0.197659309, 0.107613328)  # the largest error for each of them
KNOWN += (0.0544989802, 0.0272861760, 0.0136604276, 0.00683123381)


def curve(x):
    """f(x)."""
    return 0.2 + 0.4 * x**2 + 0.3 * x * np.sin(15 * x) + 0.05 * np.cos(50 * x)


def built(bins, activation, sharpness):
    """A net that is f(centre of the bin) on each bin: one hidden unit per jump, with the jump as its output weight."""
    heights = curve((np.arange(bins) + 0.5) / bins)
    W, b = np.full((bins - 1, 1), sharpness), -sharpness * np.arange(1, bins) / bins
    hidden = DenseParams(jnp.asarray(W), jnp.asarray(b))
    return (Dense(bins - 1), activation, Dense(1)), (
        hidden,
        (),
        DenseParams(jnp.asarray([np.diff(heights)]), jnp.asarray(heights[:1])),
    )


@cache
def errors():
    """The largest error of the built net, on a fine grid, for each number of bins."""
    x = np.linspace(0, 1, 200_001)
    found = []
    with jax.enable_x64(True):
        for bins in BINS:
            net, p = built(bins, Step(), 1.0)
            said = [np.asarray(fnn.forward(net, p, part[:, None]))[:, 0] for part in np.array_split(x, 20)]
            found.append(abs(np.concatenate(said) - curve(x)).max())
    return np.array(found)


def modulus(bins):
    """How much f changes over half a bin at most: the bound on the error."""
    x = np.linspace(0, 1, 20_481)  # half a bin is a whole number of steps of this grid
    f, window = curve(x), 20_480 // (2 * bins)
    views = np.lib.stride_tricks.sliding_window_view(f, window + 1)
    return (views.max(axis=1) - views.min(axis=1)).max()


@cache
def trained(units, steps=8_000):
    """The largest error after training [1, units, 1] with sigmoids by descent with momentum, best of 5 starts."""
    net, cost = (Dense(units, Normal(20.0), Normal(10.0)), Sigmoid(), Dense(1)), Quadratic(Identity())
    x = jnp.linspace(0, 1, 401)[:, None]
    y = jnp.asarray(curve(np.linspace(0, 1, 401)), jnp.float32)[:, None]
    sgd = fnn.SGD(0.3 / units**0.5, mu=0.9)

    def final(key):
        p = fnn.init(net, key, (1,))

        def on(carry, _):
            p, v = carry
            return sgd.update(p, v, fnn.backprop(net, cost, p, x, y)[1]), None

        (p, _), _ = jax.lax.scan(on, (p, sgd.init(p)), None, length=steps)
        return abs(fnn.forward(net, p, x) - y).max()

    return float(jnp.nanmin(jax.jit(jax.vmap(final))(jax.random.split(jax.random.key(0), 5))))


def sheet(x):
    """The product of the curve over the inputs, `(n,)`, for points `(n, inputs)` of the unit cube, of sd 1."""
    f = np.prod(curve(x), axis=1)
    return (f - f.mean()) / f.std()


@cache
def by_inputs(inputs):
    """The error of one hidden layer for a function of so many inputs: root mean square on new points, by `UNITS`.

    The hidden units are random sigmoids, the best of three sizes of weights; the output weights are least squares.
    """
    rng, found = np.random.default_rng(inputs), []
    x = rng.random((6000, inputs))
    y = sheet(x)
    for units in UNITS:
        tried = []
        for size in (5.0, 15.0, 40.0):
            net = (Dense(units, Normal(size), Normal(size)), Sigmoid())
            p = fnn.init(net, jax.random.key(units), (inputs,))
            a = np.column_stack([fnn.forward(net, p, jnp.asarray(x - 0.5, jnp.float32)), np.ones(len(x))]).astype(float)
            w, *_ = np.linalg.lstsq(a[:5000], y[:5000], rcond=1e-6)
            tried.append(np.square(a[5000:] @ w - y[5000:]).mean() ** 0.5)
        found.append(min(tried))
    return np.array(found)


def universal():
    """One hidden layer approximates any continuous function, but takes very many units (002-11)."""
    found, bounds = errors(), [modulus(bins) for bins in BINS]
    power = np.polyfit(np.log(BINS[5:]), np.log(found[5:]), 1)[0]
    learned = {units: trained(units) for units in (5, 20)}
    sheets = [by_inputs(inputs) for inputs in (1, 2, 3)]
    within = bool((found <= np.array(bounds) * 1.001).all())
    said = "; ".join(f"{k} {listed(errs, 2)}" for k, errs in enumerate(sheets, 1))
    return Finding(
        "002-11",
        "Universal approximation: one hidden layer approximates any continuous function; but a high fan-in and fan-out "
        "of signals makes it impractical, the more the more inputs there are.",
        f"built with {listed(BINS)} bins, the largest error is {listed(found, 3)}: within the bound {within}, falling "
        f"as N^{power:.2f}; trained nets of 5 and 20 units: {learned[5]:.3f} and {learned[20]:.3f}; random layers of "
        f"{listed(UNITS)} units, error beside the function's sd for 1, 2, 3 inputs: {said}",
        f"{listed(KNOWN, 3)}; True; -1. So each digit costs ten times the units when built; training needs fewer here. "
        "The same 1,000 units are many times worse with each further input",
        judged(
            np.allclose(found, KNOWN, rtol=2e-3)
            and within
            and abs(power + 1) < 0.05
            and 100 * sheets[0][-1] < sheets[1][-1] < sheets[2][-1] / 3
        ),
    )


CLAIMS = (universal,)


def pictures(folder):
    """The curve and two built nets; the error against the number of units for one, two and three inputs."""
    message = "One hidden layer approximates anything, with too many units"
    with room.picture(folder / "approximation.png", message) as fig:
        left, right = fig.subplots(1, 2)
        x = np.linspace(0, 1, 2000)
        left.plot(x, curve(x), color="black", lw=7, alpha=0.3, label="the curve")
        with jax.enable_x64(True):
            for i, (bins, activation, sharpness) in enumerate(((16, Step(), 1.0), (64, Sigmoid(), 300.0))):
                said = np.asarray(fnn.forward(*built(bins, activation, sharpness), x[:, None]))[:, 0]
                name = f"{bins - 1} {type(activation).__name__.lower()}s, built"
                left.plot(x, said, curves.DASHES[i], color=curves.PALETTE[i], lw=2.5, label=name)
        left.set(xlabel="x", ylabel="f(x)", title="more units, a finer curve", ylim=(0.05, 1.15))
        for i, inputs in enumerate((1, 2, 3)):
            style = {"ls": curves.DASHES[i], "marker": "os^"[i], "color": curves.PALETTE[i]}
            right.plot(UNITS, by_inputs(inputs), label=f"{inputs} input{'s' if inputs > 1 else ''}", **style)
        right.set(xscale="log", yscale="log", xlabel="hidden units", ylabel="error (1: a constant)")
        right.set_title("each input costs far more units")
        for axes in (left, right):
            axes.grid()
            axes.legend(loc="best")
    return ("approximation.png",)


if __name__ == "__main__":
    main(CLAIMS, pictures)
