"""Bugs for the rows of `experiments/notes/speed.py`."""

import jax
import jax.numpy as jnp

from experiments.campaigns.planting import Bug

IN_TURN = Bug(
    "fnn.kernels.products:affine",
    lambda right: lambda W, b, a: jax.lax.map(lambda unit: a @ unit[0] + unit[1], (W, b)).T,
    "computes the units one after the other",
)


def misread(name, value):
    """The slide with a number misread."""
    return lambda right: right | {name: value}


BUGS = {
    "001-02": Bug("experiments.notes.speed:SLIDE", misread("cycles per second", (1e3, 5e9)), "a zero too many"),
    "001-03": IN_TURN,
    "001-33": Bug(
        "fnn.activation_functions:ReLU.f",
        lambda right: lambda f, z: jnp.logaddexp(0, 50 * z) / 50,
        "a smooth ReLU, by exponentials",
    ),
    "001-34": IN_TURN,
    "E14": Bug("experiments.notes.speed:SLIDE", misread("units", (1e12, 1e7)), "100 billion read as 1000 billion"),
}
UNFLIPPED = {}
