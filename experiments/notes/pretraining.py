"""Pretraining: layers first learn to remove noise, one after the other and without labels, and then from a few labels.

    python -m experiments.notes.pretraining [FOLDER]      50 s, a picture into FOLDER (runs/pretraining)

The net is [64, 50, 50, 10] with sigmoids, the data are the embedded digits. 1,000 digits are seen without labels. Some
of them, drawn anew for every seed, have labels, which both nets use; the nets differ in their start alone. The rate is
chosen for each net and each number of labels by the same 400 validation digits; the 397 test digits are used once.
"""

from functools import cache, partial

import jax
import jax.numpy as jnp
import numpy as np

import fnn
from experiments.notes.findings import Finding, judged, main
from experiments.notes.seeds import SEEDS, interval, said, scores, starts
from fnn import SGD, CrossEntropy, Dense, Examples, LogLikelihood, Sigmoid
from fnn.plots import curves, room

NET = (Dense(50), Sigmoid(), Dense(50), Sigmoid(), Dense(10))
LABELS, ETAS, UPDATES = (20, 50, 100, 300, 1000), jnp.array([0.1, 0.3, 1.0]), 3000
MASKED = 0.25  # of the inputs of an autoencoder are set to 0


@cache
def digits():
    """1,000 to learn from, 400 to choose by, 397 to report on."""
    return fnn.load_data("digits", train=1000, validation=400, test=397)


@partial(jax.jit, static_argnums=0)
@partial(jax.vmap, in_axes=(None, 0, 0))
def undo_noise(units, x, key):
    """A hidden layer, its params and activations, of an autoencoder that restores x from x with holes, 40 epochs."""
    net = (Dense(units), Sigmoid(), Dense(x.shape[1]))

    def on(params, key):
        holes, order = jax.random.split(key)
        noisy = jnp.where(jax.random.bernoulli(holes, MASKED, x.shape), 0.0, x)
        args = net, CrossEntropy(), SGD(0.5), params, (), Examples(noisy, x), order
        return fnn.epoch(*args, batch_size=20)[0], None

    params, _ = jax.lax.scan(on, fnn.init(net, key, x.shape[1:]), jax.random.split(key, 40))
    return params[0], fnn.forward(net[:2], params[:2], x)


@cache
def pretrained():
    """A start per seed: two hidden layers of autoencoders, and a random output layer."""
    x = digits().train.rows(slice(None))[0]
    keys = jax.random.split(jax.random.key(2), (2, SEEDS))
    first, a = undo_noise(50, jnp.broadcast_to(x, (SEEDS, *x.shape)), keys[0])
    second, _ = undo_noise(50, a, keys[1])
    return first, (), second, (), starts(NET, (64,))[4]


@partial(jax.jit, static_argnums=3)
def fine_tuned(params, rows, keys, epochs):
    """The params after training every seed on its own labelled rows at every rate, leaves `(etas, SEEDS, ...)`."""
    pool = jax.tree.map(jnp.asarray, digits().train)

    def one(eta, params, rows, key):
        def on(params, key):
            args = NET, LogLikelihood(), SGD(eta), params, (), pool.take(rows), key
            return fnn.epoch(*args, batch_size=10)[0], None

        return jax.lax.scan(on, params, jax.random.split(key, epochs))[0]

    return jax.vmap(jax.vmap(one, (None, 0, 0, 0)), (0, None, None, None))(ETAS, params, rows, keys)


@cache
def accuracies():
    """Test accuracy in % at the rate chosen, `(LABELS, 2, SEEDS)`: from random starts, from pretrained ones."""
    rows = np.array([np.random.default_rng(seed).permutation(1000) for seed in range(SEEDS)])
    keys, found = jax.random.split(jax.random.key(3), SEEDS), []
    for labels in LABELS:
        pair = []
        for start in (starts(NET, (64,)), pretrained()):
            every = fine_tuned(start, rows[:, :labels], keys, 10 * UPDATES // labels)
            flat = jax.tree.map(lambda leaf: leaf.reshape(-1, *leaf.shape[2:]), every)
            validation, test = (
                scores(NET, LogLikelihood(), flat, part)[1].reshape(len(ETAS), SEEDS) for part in digits()[1:3]
            )
            pair.append(test[validation.mean(axis=1).argmax()])
        found.append(pair)
    return np.array(found)


def pays_when_labels_are_few():
    """Layers that are first trained without labels help when labels are few (001-28)."""
    found = accuracies()
    gains = found[:, 1] - found[:, 0]
    few, many = interval(gains[0]), interval(gains[-1])
    each = "; ".join(
        f"{n} labels {a:.1f} and {b:.1f} %, {said(gain)}"
        for n, (a, b), gain in zip(LABELS, found.mean(axis=2), gains, strict=True)
    )
    return Finding(
        "001-28",
        "Learning from labels alone takes many of them; layers trained without labels first help when they are few.",
        f"test accuracy from random and from pretrained starts, {SEEDS} paired seeds: {each}",
        "a gain that shrinks as labels are added (no number for this setting in the notes)",
        judged(few[1] > 0 and few[0] > many[0]),
    )


CLAIMS = (pays_when_labels_are_few,)


def pictures(folder):
    """Accuracy against the number of labels."""
    found = accuracies()
    with room.picture(folder / "pretraining.png", "Learning without labels first pays when labels are few") as fig:
        left, right = fig.subplots(1, 2)
        for i, name in enumerate(("random start", "pretrained layers")):
            style = curves.DASHES[i] + "os"[i]
            left.plot(LABELS, found[:, i].mean(axis=1), style, color=curves.PALETTE[i], label=name)
            low, high = found[:, i].min(axis=1), found[:, i].max(axis=1)
            left.fill_between(LABELS, low, high, color=curves.PALETTE[i], alpha=0.15, lw=0)
        left.set(ylabel="test accuracy (%)", title=f"mean and range of {SEEDS} seeds")
        left.legend(loc="lower right")
        mean, low, high = np.array([interval(pair[1] - pair[0]) for pair in found]).T
        right.errorbar(LABELS, mean, (mean - low, high - mean), fmt="o", capsize=8, color=curves.PALETTE[2])
        right.axhline(0, color="black", lw=1)
        right.set(ylabel="gain in test accuracy (points)", title="paired gain and its 95 % interval")
        for axes in (left, right):
            axes.set(xscale="log", xlabel="digits with labels (of 1,000 seen)")
            axes.set_xticks(LABELS, [f"{n:,}" for n in LABELS])
            axes.minorticks_off()
            axes.grid()
    return ("pretraining.png",)


if __name__ == "__main__":
    main(CLAIMS, pictures)
