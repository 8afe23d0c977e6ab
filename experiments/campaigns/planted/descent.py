"""Bugs for the rows of `experiments/notes/descent.py`."""

import jax.numpy as jnp

from experiments.campaigns.planting import Bug, scaled

UPHILL = Bug("fnn.activation_functions:Sigmoid.df", lambda right: lambda f, z: -0.5 * right(f, z), "has the wrong sign")
BUGS = {
    "000-09": Bug("fnn.kernels.products:outer_sum", scaled(-1), "minus the sum over the rows"),
    "000-14": Bug(
        "fnn.optimizers:SGD.penalised",
        lambda right: lambda sgd, params, gradient: right(sgd, params, scaled(sgd.eta)(lambda: gradient)()),
        "multiplies the gradient by η, so that a step has η²",
    ),
    "000-18": Bug(
        "fnn.activation_functions:Step.df", lambda right: lambda f, z: jnp.ones_like(z), "lets errors through"
    ),
    "003-16": Bug(
        "fnn.schedules:EarlyStopping.after",
        lambda right: lambda rule, progress, score: right(rule, progress, -score),
        "takes a lower score for a better one",
    ),
    "003-21": UPHILL,
    "003-22": Bug(
        "fnn.schedules:EarlyStopping.after", lambda right: lambda rule, progress, score: progress, "never stops"
    ),
}
UNFLIPPED = {}
