"""Regularisation: does a penalty on large weights (weight decay) smoothen out the learning?

python -m experiments.notes.regularisation [FOLDER]      15 s, a picture into FOLDER (runs/regularisation)
"""

from functools import cache

import jax
import jax.numpy as jnp
import numpy as np

import fnn
from experiments.notes.descent import COST, NET, digits
from experiments.notes.findings import Finding, corrected, listed, main
from experiments.notes.seeds import SEEDS, grid, interval, said
from fnn import SGD
from fnn.plots import curves, room

STRENGTHS, EPOCHS, LATE = (0.0, 1e-4, 1e-3), 30, 15


@cache
def learned():
    """Training cost after each epoch for every strength, `(strengths, SEEDS, EPOCHS)`, and the last params."""
    every = grid(NET, COST, SGD(0.5, lmbda=jnp.array(STRENGTHS)), digits(), epochs=EPOCHS, validate=False)
    values = np.stack([np.asarray(r.train.cost) for r in every], axis=1)
    return values.reshape(len(STRENGTHS), SEEDS, EPOCHS), every[-1].params


def jumps():
    """How much the cost jumps from epoch to epoch beside its trend: sd of the second differences, last epochs."""
    return np.diff(learned()[0][..., -LATE:], n=2, axis=-1).std(axis=-1)


@cache
def slopes(count=100):
    """How much the outputs change with the pixels: the root mean square of the derivatives, `(strengths, SEEDS)`."""
    x = digits().validation.rows(slice(count))[0]

    def one(p):
        each = jax.vmap(jax.jacrev(lambda pixels: fnn.predict(NET, COST, p, pixels[None])[0]))(x)
        return jnp.sqrt(jnp.square(each).mean())

    return np.asarray(jax.jit(jax.vmap(one))(learned()[1])).reshape(len(STRENGTHS), SEEDS)


def smoothens():
    """Regularisation makes what is learned smoother, not the learning (002-18)."""
    rough, steep = jumps(), slopes()
    return Finding(
        "002-18",
        "Regularisation, a penalty on large weights (weight decay), smoothens out the learning process: no, but what "
        "is learned.",
        f"[64, 30, 10] on 1,000 digits, λ = {listed(STRENGTHS)}, {SEEDS} paired seeds: the training cost jumps from "
        f"epoch to epoch by {listed(rough.mean(axis=1), 2)} nats (sd of second differences, last {LATE} of {EPOCHS} "
        f"epochs; {said(rough[-1] - rough[0], 'nats')}); the outputs change with a pixel by "
        f"{listed(steep.mean(axis=1), 3)} ({said(steep[-1] - steep[0], '')})",
        "not less with a penalty; less",
        corrected(interval(rough[-1] - rough[0])[2] < 0, interval(steep[-1] - steep[0])[2] < 0),
    )


CLAIMS = (smoothens,)


def pictures(folder):
    """The cost over the epochs with and without the penalty, and how steep the outputs are."""
    message = "A penalty makes the learned function smoother, not the learning"
    with room.picture(folder / "regularisation.png", message) as fig:
        left, right = fig.subplots(1, 2)
        for i, (strength, values) in enumerate(zip(STRENGTHS, learned()[0], strict=True)):
            style = {"ls": curves.DASHES[i], "color": curves.PALETTE[i]}
            left.plot(np.arange(1, EPOCHS + 1), values[0], label=f"λ = {strength:g}", **style)
        left.set(yscale="log", xlabel="epoch", ylabel="training cost (nats)", title="one seed")
        left.legend()
        left.grid()
        right.bar([f"λ = {strength:g}" for strength in STRENGTHS], slopes().mean(axis=1), color="#bbbbbb", ec="black")
        right.set(ylabel="change of the outputs with a pixel", title=f"mean of {SEEDS} seeds")
    return ("regularisation.png",)


if __name__ == "__main__":
    main(CLAIMS, pictures)
