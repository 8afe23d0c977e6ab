"""Bugs for the rows of `experiments/notes/parameter_counts.py`."""

import jax
import jax.numpy as jnp

from experiments.campaigns.planting import Bug

NO_BIASES = Bug(
    "fnn.layers:Dense.init",
    lambda right: lambda layer, key, shape: (right(layer, key, shape)[0]._replace(b=jnp.zeros((1,))), (layer.units,)),
    "one bias for all units of a layer",
)


def forgetful(right):
    """`describe` without the scale of the inputs."""

    def describe(value, *rest):
        table = right(value, *rest)
        return {k: v for k, v in table.items() if k != "scale"} if isinstance(table, dict) else table

    return describe


BUGS = {
    "001-04": Bug(
        "fnn.optimizers:SGD.update", lambda right: lambda sgd, p, v, gradient: (p, v), "leaves the weights as they are"
    ),
    "001-14": NO_BIASES,
    "001-30": NO_BIASES,
    "001-32": Bug(
        "fnn.network:activations", lambda right: lambda net, p, x: (x, *right(net, p, x)[:-1]), "a layer late"
    ),
    "002-01": Bug("fnn.config.schema:describe", forgetful, "forgets the scale of the inputs"),
    "002-16": Bug(
        "fnn.training.order:permutation",
        lambda right: lambda key, n: jax.random.randint(key, (n,), 0, n),
        "draws with replacement",
    ),
    "003-14": Bug(
        "fnn.examples:Examples.rows", lambda right: lambda e, i: (e.x[i], e.y[i]), "does not scale the inputs"
    ),
}
UNFLIPPED = {}
