"""Bugs for the rows of `experiments/notes/backpropagation.py`."""

import jax

from experiments.campaigns.planting import Bug

ABSOLUTE = Bug(
    "fnn.layers:Dense.backward",
    lambda right: lambda layer, p, a, delta: right(layer, p._replace(W=abs(p.W)), a, delta),
    "passes errors back by |W|",
)
HALF_BIAS = Bug(
    "fnn.layers:Dense.backward",
    lambda right: (
        lambda layer, p, a, delta: (
            right(layer, p, a, delta)[0]._replace(b=0.5 * delta.sum(axis=0)),
            right(layer, p, a, delta)[1],
        )
    ),
    "half of the biases' gradient",
)
BUGS = {
    "000-17": Bug("fnn.activation_functions:Tanh.df", lambda right: lambda f, z: 1 - f.f(z), "forgets the square"),
    "001-22": Bug(
        "fnn.optimizers:SGD.penalised",
        lambda right: lambda sgd, p, g: jax.tree.map(lambda p, g: g + sgd.lmbda * p, p, g),
        "penalises the biases too",
    ),
    "001-23": ABSOLUTE,
    "001-24": HALF_BIAS,
    "001-25": ABSOLUTE,
    "004-10": ABSOLUTE,
    "004-14": Bug(
        "fnn.optimizers:SGD.update",
        lambda right: lambda sgd, p, v, g: right(sgd, p, v, jax.tree.map(lambda leaf: -leaf, g)),
        "goes uphill",
    ),
}
UNFLIPPED = {}
