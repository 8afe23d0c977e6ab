"""Bugs for the rows of `experiments/notes/zigzag.py`."""

import jax.numpy as jnp

from experiments.campaigns.planting import Bug

BUGS = {
    "001-29": Bug(
        "fnn.kernels.products:outer_sum",
        lambda right: lambda delta, a: right(delta, a) * jnp.array([1.0, -1.0]),
        "the derivative by the second weight has the wrong sign",
    ),
    "E18": Bug(
        "fnn.kernels.products:outer_sum",
        lambda right: lambda delta, a: right(delta, a - 0.5),
        "takes the inputs centred",
    ),
}
UNFLIPPED = {}
