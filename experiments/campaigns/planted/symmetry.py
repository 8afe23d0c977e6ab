"""Bugs for the rows of `experiments/notes/symmetry.py`."""

import jax

from experiments.campaigns.planting import Bug

BUGS = {
    "001-20": Bug(
        "fnn.initializers:Zeros.draw",
        lambda right: lambda zeros, key, shape, n_in, n_out: 0.01 * jax.random.normal(key, shape),
        "draws small random numbers",
    ),
}
UNFLIPPED = {}
