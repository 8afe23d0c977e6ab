"""Bugs for the rows of `experiments/notes/activation_race.py`."""

import jax.numpy as jnp

from experiments.campaigns.planting import Bug

BUGS = {
    "001-09": Bug(
        "fnn.activation_functions:ReLU.df",
        lambda right: lambda f, z: jnp.where(z <= 0, 1, jnp.zeros_like(z)),
        "the two sides are exchanged",
    ),
}
UNFLIPPED = {}
