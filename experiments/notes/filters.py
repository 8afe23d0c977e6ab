"""Small filters whose copies share their weights: what this structure helps against, and what not.

python -m experiments.notes.filters [FOLDER]      20 s, a picture into FOLDER (runs/filters); needs MNIST
"""

import jax
import jax.numpy as jnp
import numpy as np

import fnn
from experiments.notes.findings import Finding, corrected, main
from experiments.notes.parameter_counts import count
from experiments.notes.vanishing_gradients import norms, shared
from fnn import Conv, Dense, LogLikelihood, Sigmoid
from fnn.plots import curves, room


def without_structure():
    """‖∂C/∂b‖ of eight full sigmoid layers at the start, as `shared` has it of filters, `(seeds, 8)`."""
    return norms(8, Sigmoid(), Dense(30), LogLikelihood())


def shared_weights():
    """Small filters with shared weights take the place of full layers (002-15)."""
    rng = np.random.default_rng(0)
    with jax.enable_x64(True):
        conv, image = Conv(2, 3), np.zeros((1, 1, 12, 12))
        image[:, :, 3:8, 3:8] = rng.standard_normal((5, 5))
        p = jax.tree.map(
            lambda leaf: jnp.asarray(rng.standard_normal(leaf.shape)),
            jax.eval_shape(lambda key: conv.init(key, (1, 12, 12))[0], jax.random.key(0)),
        )
        a, moved = (np.asarray(conv.forward(p, jnp.asarray(np.roll(image, k, axis=3)))) for k in (0, 1))
        shift = abs(np.roll(a, 1, axis=3) - moved)[..., 2:-2].max()
        delta = jnp.asarray(rng.standard_normal(a.shape))
        nabla, _ = conv.backward(p, jnp.asarray(image), delta)
    windows = np.lib.stride_tricks.sliding_window_view(image[0, 0], (3, 3))
    summed = np.einsum("fij,ijuv->fuv", np.asarray(delta)[0], windows)
    same = abs(np.asarray(nabla.W).reshape(2, 3, 3) - summed).max()
    small = fnn.count_params(jax.eval_shape(lambda k: Conv(20, 5).init(k, (1, 28, 28))[0], jax.random.key(0)))
    dense = count(784, 20 * 24 * 24)
    full, filters = (float(np.median(n[:, -1] / n[:, 0])) for n in (without_structure(), shared()))
    return Finding(
        "002-15",
        "Against vanishing gradients: add structure, small filters whose copies share their weights. It helps, but not "
        "against that: fewer weights, the same answer wherever the feature is.",
        f"‖∂C/∂b‖ of the last of 8 sigmoid layers over that of the first: {full:.1e} with full layers, {filters:.1e} "
        f"with shared filters; moving the image moves the output, to {shift:.0e}; a shared weight's gradient is the "
        f"sum over its places, to {same:.0e}; 20 filters of 5x5: {small} parameters against {dense:,}",
        "not less with filters; rounding; 520 against 9,043,200",
        corrected(
            filters < 0.1 * full, shift < 1e-13 and same < 1e-13 and (small, dense) == (520, 9_043_200) and full > 100
        ),
    )


CLAIMS = (shared_weights,)


def pictures(folder):
    """‖∂C/∂b‖ of each of eight layers at the start, full and with shared filters."""
    with room.picture(folder / "filters.png", "Shared filters do not keep the gradient from vanishing") as fig:
        axes = fig.subplots()
        for i, (name, found) in enumerate((("full layers of 30", without_structure()), ("5 shared filters", shared()))):
            low, middle, high = np.percentile(found / found[:, -1:], (5, 50, 95), axis=0)
            style = {"color": curves.PALETTE[i], "ls": curves.DASHES[i], "marker": "os"[i]}
            axes.plot(range(1, 9), middle, label=f"{name}: median and 5-95 % of seeds", **style)
            axes.fill_between(range(1, 9), low, high, color=curves.PALETTE[i], alpha=0.15, lw=0)
        axes.set(yscale="log", xlabel="sigmoid layer (1: next to the input)", ylabel="‖∂C/∂b‖ over that of layer 8")
        axes.grid()
        axes.legend()
    return ("filters.png",)


if __name__ == "__main__":
    main(CLAIMS, pictures)
