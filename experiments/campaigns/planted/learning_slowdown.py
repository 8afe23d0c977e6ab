"""Bugs for the rows of `experiments/notes/learning_slowdown.py`."""

import jax.numpy as jnp

from experiments.campaigns.planting import Bug, scaled

NO_SLOPE = Bug(
    "fnn.costs:Quadratic.delta",
    lambda right: lambda cost, z, y: (cost.output(z) - y) / len(z),
    "forgets the factor σ′",
)
TWICE = Bug("fnn.costs:CrossEntropy.delta", scaled(2), "is twice too large")
BUGS = {
    "002-02": NO_SLOPE,
    "002-03": NO_SLOPE,
    "002-04": TWICE,
    "002-06": TWICE,
    "002-17": NO_SLOPE,
    "E5": Bug("fnn.costs:CrossEntropy.delta", scaled(-1), "goes uphill"),
    "E26": Bug(
        "fnn.costs:CrossEntropy.delta", lambda right: lambda cost, z, y: jnp.abs(right(cost, z, y)), "loses the sign"
    ),
}
UNFLIPPED = {}
