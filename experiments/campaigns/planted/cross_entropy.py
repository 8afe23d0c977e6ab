"""Bugs for the rows of `experiments/notes/cross_entropy.py`."""

import jax.numpy as jnp

from experiments.campaigns.planting import Bug, scaled

NO_SIGN = Bug("fnn.costs:CrossEntropy.value", scaled(-1), "loses the minus sign")
BUGS = {
    "002-05": NO_SIGN,
    "002-07": Bug(
        "fnn.costs:LogLikelihood.output",
        lambda right: lambda cost, z: jnp.exp(z) / jnp.exp(z).sum(),
        "divides by the sum over the whole batch",
    ),
    "002-08": Bug("fnn.costs:LogLikelihood.delta", scaled(2), "is twice too large"),
    "002-09": Bug(
        "fnn.costs:CrossEntropy.delta",
        lambda right: lambda cost, z, y: right(cost, z, y) * cost.output(z) * (1 - cost.output(z)),
        "keeps the factor σ′",
    ),
    "004-12": NO_SIGN,
    "004-13": Bug("fnn.costs:CrossEntropy.delta", scaled(2), "is twice too large"),
}
UNFLIPPED = {}
