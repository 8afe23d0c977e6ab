"""Bugs for the rows of `experiments/notes/perceptrons.py`."""

import jax.numpy as jnp

from experiments.campaigns.planting import Bug

LOOSE = Bug("fnn.activation_functions:Step.f", lambda right: lambda f, z: jnp.where(z >= 0, 1.0, 0), "fires at a tie")
OTHER_SIGN = Bug(
    "fnn.lessons.logic:from_threshold", lambda right: lambda W, t: right(W, -t), "the bias is plus the threshold"
)
BUGS = {
    "000-01": LOOSE,
    "000-05": LOOSE,
    "000-19": Bug("fnn.activation_functions:Sigmoid.df", lambda right: lambda f, z: -right(f, z), "has the wrong sign"),
    "001-01": Bug(
        "fnn.activation_functions:Step.f", lambda right: lambda f, z: jnp.clip(z + 0.5, 0, 1), "a ramp, not a step"
    ),
    "003-04": LOOSE,
    "003-06": OTHER_SIGN,
    "003-08": Bug("fnn.activation_functions:Sigmoid.f", lambda right: lambda f, z: right(f, 1000 * z), "nearly a step"),
    "E8": OTHER_SIGN,
    "E16": Bug("fnn.lessons.logic:from_threshold", lambda right: lambda W, t: right(W, 0 * t), "loses the threshold"),
}
UNFLIPPED = {}
