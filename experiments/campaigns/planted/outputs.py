"""Bugs for the rows of `experiments/notes/outputs.py`."""

import jax.numpy as jnp

from experiments.campaigns.planting import Bug, scaled

BUGS = {
    "003-09": Bug("fnn.costs:CrossEntropy.delta", scaled(-1), "goes uphill"),
    "003-11": Bug(
        "fnn.lessons.logic:from_threshold", lambda right: lambda W, t: right(W, -t), "the bias is plus the threshold"
    ),
    "003-12": Bug(
        "fnn.costs:CrossEntropy.delta",
        lambda right: lambda cost, z, y: right(cost, z, y) * (jnp.arange(z.shape[1]) < 8),
        "leaves out every output after the eighth",
    ),
    "003-13": Bug(
        "fnn.lessons.logic:bit_layer",
        lambda right: (
            lambda classes=10: (
                right(classes)[0],
                (right(classes)[1][0]._replace(W=right(classes)[1][0].W[::-1]), ()),
            )
        ),
        "the lowest bit first",
    ),
}
UNFLIPPED = {}
