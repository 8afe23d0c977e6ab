"""The activation functions: their slopes, where they saturate, how they are related.

python -m experiments.notes.activations [FOLDER]      3 s, pictures into FOLDER (runs/activations)
"""

import jax
import jax.numpy as jnp
import numpy as np

import fnn
from experiments.notes.findings import Finding, corrected, judged, listed, main
from fnn import Dense, LeakyReLU, Maxout, ReLU, Sigmoid, Step, Tanh
from fnn.layers import DenseParams, MaxoutParams
from fnn.plots import curves, room

Z = np.linspace(-12, 12, 240_001)


def slopes(layer, z=Z):
    """The values of `f` and `df` of a layer at z, in float64."""
    with jax.enable_x64(True):
        z = jnp.asarray(z, float)
        return np.asarray(layer.f(z)), np.asarray(layer.df(z))


def beyond(layer, limit=1e-3):
    """The z beyond which the slope is below the limit."""
    low, high = 0.0, 20.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if float(slopes(layer, middle)[1]) >= limit else (low, middle)
    return high


def span(layer):
    """The least and the largest output for z from -40 to 40."""
    f, _ = slopes(layer, np.linspace(-40, 40, 801))
    return float(f.min()), float(f.max())


def sigmoid_saturates():
    """The sigmoid squashes to [0, 1], saturates, where its gradient vanishes, and is not centred at 0 (001-07)."""
    _, df = slopes(Sigmoid())
    edge, (least, most) = beyond(Sigmoid()), span(Sigmoid())
    middle = float(slopes(Sigmoid(), 0.0)[0])
    return Finding(
        "001-07",
        "The sigmoid squashes numbers to [0, 1]; it saturates, which kills the gradient, and its outputs are not "
        "centred but always positive.",
        f"outputs for |z| up to 40 from {least:.0e} to {most:g}, {middle:g} at 0; slope at most {df.max():.4f}; below "
        f"0.001 beyond |z| = {edge:.7f} (what follows from positive outputs: zigzag.py)",
        "above 0, to 1 by rounding, 0.5; 0.25; 6.9057523",
        judged(
            0 < least < 1e-15
            and 1 - 1e-15 < most <= 1
            and middle == 0.5
            and abs(df.max() - 0.25) < 1e-12
            and abs(edge - 6.9057522723) < 1e-8
        ),
    )


def tanh_is_a_sigmoid():
    """Tanh is a shifted and scaled sigmoid: its outputs are centred at 0, but it saturates as well (001-08)."""
    f, _ = slopes(Tanh())
    twice = 2 * slopes(Sigmoid(), 2 * Z)[0] - 1
    with jax.enable_x64(True):
        rng = np.random.default_rng(0)
        W1, b1, W2, b2 = (rng.standard_normal(s) for s in ((5, 3), 5, (2, 5), 2))
        x = jnp.asarray(rng.standard_normal((7, 3)))
        by_tanh = (DenseParams(*map(jnp.asarray, (W1, b1))), (), DenseParams(*map(jnp.asarray, (W2, b2))))
        doubled = DenseParams(*map(jnp.asarray, (2 * W1, 2 * b1)))
        by_sigmoid = (doubled, (), DenseParams(*map(jnp.asarray, (2 * W2, b2 - W2.sum(axis=1)))))
        tanh, sigmoid = (
            fnn.forward((Dense(5), f, Dense(2)), p, x) for f, p in ((Tanh(), by_tanh), (Sigmoid(), by_sigmoid))
        )
        nets = float(abs(tanh - sigmoid).max())
    least, most = span(Tanh())
    return Finding(
        "001-08",
        "Tanh squashes numbers to [-1, 1]. It is a sigmoid moved and stretched: centred, but it saturates all the "
        "same.",
        f"outputs for |z| up to 40 from {least:g} to {most:g}, {float(slopes(Tanh(), 0.0)[0]):g} at 0; tanh z and "
        f"2σ(2z)-1 differ by {abs(f - twice).max():.1e}, two nets converted into each other by {nets:.1e}; "
        f"slope below 0.001 beyond |z| = {beyond(Tanh()):.7f}",
        "-1, 1 and 0; rounding; 4.1467747",
        judged(
            (least, most, float(slopes(Tanh(), 0.0)[0])) == (-1, 1, 0)
            and abs(f - twice).max() < 1e-14
            and nets < 1e-14
            and abs(beyond(Tanh()) - 4.14677472625) < 1e-8
        ),
    )


def leaky():
    """A leaky ReLU unit never dies, because its slope is nowhere 0 (001-10)."""
    f, df = slopes(LeakyReLU(0.1), [-2.0, 0.0, 3.0])
    _, relu = slopes(ReLU(), Z)
    _, leaking = slopes(LeakyReLU(0.1), Z)
    return Finding(
        "001-10",
        "A leaky ReLU never dies: it passes some of the gradient on everywhere.",
        f"slope 0.1 at z = -2, 0, 3: values {listed(f)}, derivatives {listed(df)}; derivative 0 at "
        f"{np.mean(relu == 0):.0%} of z for ReLU, {np.mean(leaking == 0):.0%} for leaky",
        "-0.2, 0, 3; 0.1, 0.1, 1; half and none",
        judged(np.allclose(f, [-0.2, 0, 3]) and np.allclose(df, [0.1, 0.1, 1]) and (leaking != 0).all()),
    )


def maxout_of(first, second, x):
    """One maxout unit with the pieces (w, b) on scalars x."""
    W, b = (jnp.asarray([[first[i]], [second[i]]], float) for i in (0, 1))
    return np.asarray(Maxout(1, 2).forward(MaxoutParams(W[:, :, None], b), jnp.asarray(x)[:, None]))[:, 0]


def maxout_is_general():
    """Maxout contains ReLU and leaky ReLU, never saturates or dies, and has twice the parameters (001-11)."""
    with jax.enable_x64(True):
        x = np.linspace(-3, 3, 601)
        z = 1.5 * x + 0.5
        same = [
            abs(maxout_of((0, 0), (1.5, 0.5), x) - np.maximum(z, 0)).max(),
            abs(maxout_of((0.15, 0.05), (1.5, 0.5), x) - np.where(z > 0, z, 0.1 * z)).max(),
            abs(maxout_of((-1, 0), (1, 0), x) - abs(x)).max(),
        ]
        slope = np.gradient(maxout_of((-1, 0.2), (1, 0), x), x)
    sizes = [
        fnn.count_params(jax.eval_shape(lambda k, layer=layer: layer.init(k, (7,))[0], jax.random.key(0)))
        for layer in (Dense(5), Maxout(5, 2))
    ]
    return Finding(
        "001-11",
        "Maxout contains ReLU and leaky ReLU, never saturates or dies, and doubles the parameters.",
        f"differences from ReLU, leaky ReLU and |x|: {listed(same, 1)}; a slope of 0 nowhere: {(slope != 0).all()}; "
        f"parameters {sizes[0]} and {sizes[1]}",
        "0, 0, 0; True; 40 and 80",
        judged(max(same) < 1e-12 and (slope != 0).all() and sizes[1] == 2 * sizes[0]),
    )


def relu_with_bias():
    """Maxout is ReLU if one piece is 0; the notes set the other bias to 0 too, so that the ReLU has none (E7)."""
    with jax.enable_x64(True):
        at = np.array([-0.2])
        written, free = maxout_of((0, 0), (1, 0), at)[0], maxout_of((0, 0), (1, 0.5), at)[0]
    return Finding(
        "E7",
        "Maxout is ReLU when one piece is 0; setting the other bias to 0 too, as written, gives only units without "
        "bias.",
        f"w = 1, b = 0.5, x = -0.2: {written:.1f} as written, {free:.1f} with the bias left free",
        "the ReLU unit says 0.3",
        corrected(np.isclose(written, 0.3), np.isclose(free, 0.3)),
    )


def derivatives():
    """σ′ = σ(1-σ), tanh′ = 1-tanh², and ReLU′ is 1 for z > 0, else 0 (001-26)."""
    worst, z = {}, np.linspace(-5, 5, 1000)  # an even number of points: none at 0
    for layer in (Sigmoid(), Tanh(), ReLU()):
        with jax.enable_x64(True):
            auto = np.asarray(jax.vmap(jax.grad(lambda v, f=layer.f: f(v)))(jnp.asarray(z)))
        worst[type(layer).__name__] = abs(slopes(layer, z)[1] - auto).max()
    tiny = 1e-20  # a complex step: f(z + i tiny).imag / tiny is the derivative, without a difference that cancels
    sigmoid = (1 / (1 + np.exp(-(z + 1j * tiny)))).imag / tiny
    tanh = np.tanh(z + 1j * tiny).imag / tiny
    steps = [abs(slopes(Sigmoid(), z)[1] - sigmoid).max(), abs(slopes(Tanh(), z)[1] - tanh).max()]
    kink = [
        float(ReLU().df(jnp.zeros(()))),
        float(jax.grad(ReLU().f)(0.0)),
        float(jax.grad(lambda z: jnp.maximum(z, 0))(0.0)),
    ]
    return Finding(
        "001-26",
        "σ′ = σ(1-σ), tanh′ = 1-tanh², ReLU′ is 1 for z > 0 and else 0.",
        f"by hand against automatic: at most {max(worst.values()):.0e}; against a complex step: {max(steps):.0e}; "
        f"ReLU′(0) by hand {kink[0]:g}, automatic {kink[1]:g} (of jnp.maximum it would be {kink[2]:g})",
        "rounding; 0 and 0",
        judged(max(*worst.values(), *steps) < 1e-14 and kink[:2] == [0, 0]),
    )


CLAIMS = (sigmoid_saturates, tanh_is_a_sigmoid, leaky, maxout_is_general, derivatives, relu_with_bias)


def maxout_curve(z):
    """A maxout unit of two pieces, -0.4 z and 0.9 z, with its slope by the layer's own `backward`."""
    with jax.enable_x64(True):
        layer, p = Maxout(1, 2), MaxoutParams(jnp.array([[[-0.4]], [[0.9]]]), jnp.zeros((2, 1)))
        back = layer.backward(p, jnp.asarray(z)[:, None], jnp.ones((len(z), 1)))[1]
        return np.asarray(layer.forward(p, jnp.asarray(z)[:, None]))[:, 0], np.asarray(back)[:, 0]


def pictures(folder):
    """Every activation above its slope, all by one scale."""
    z = np.linspace(-5, 5, 1001)
    drawn = {"step": Step(), "sigmoid": Sigmoid(), "tanh": Tanh(), "ReLU": ReLU(), "leaky ReLU": LeakyReLU(0.1)}
    pairs = {name: slopes(layer, z) for name, layer in drawn.items()} | {"maxout": maxout_curve(z)}
    with room.picture(folder / "activations.png", "Where an activation is flat, nothing is passed back", 8.5) as fig:
        for column, (name, pair) in zip(fig.subplots(2, 6, sharex=True, sharey="row").T, pairs.items(), strict=True):
            for row, (axes, values) in enumerate(zip(column, pair, strict=True)):
                axes.plot(z, values, ("-", "--")[row], color=curves.PALETTE[row])
                axes.axhline(0, color="black", lw=0.8)
                axes.set(xlim=(-5, 5), ylim=((-1.2, 2.2), (-0.6, 1.2))[row], xticks=(-4, 0, 4))
                axes.grid()
            column[0].set_title(name)
        fig.axes[0].set_ylabel("activation f(z)")
        fig.axes[6].set_ylabel("slope f′(z)")
        fig.supxlabel("weighted input z (maxout: the larger of −0.4 z and 0.9 z)")
    return ("activations.png",)


if __name__ == "__main__":
    main(CLAIMS, pictures)
