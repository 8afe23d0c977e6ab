"""Bugs for the rows of `experiments/notes/slips.py`."""

import jax
import jax.numpy as jnp

from experiments.campaigns.planting import Bug, scaled

TRANSPOSED = Bug(
    "fnn.kernels.products:outer_sum", lambda right: lambda delta, a: right(a, delta), "the transpose, aᵀδ for δᵀa"
)
TWICE = Bug("fnn.costs:CrossEntropy.delta", scaled(2), "is twice too large")
BUGS = {
    "E1": TRANSPOSED,
    "E2": TRANSPOSED,
    "E3": Bug(
        "fnn.kernels.products:affine", lambda right: lambda W, b, a: right(W, b.sum() + 0 * b, a), "adds every bias"
    ),
    "E4": Bug("fnn.costs:Quadratic.delta", scaled(2), "forgets the half"),
    "E6": Bug(
        "fnn.costs:LogLikelihood.value",
        lambda right: lambda cost, z, y: right(cost, jax.nn.sigmoid(z), y),
        "takes the softmax of sigmoid outputs",
    ),
    "E12": TWICE,
    "E13": Bug(
        "fnn.network:deltas",
        lambda right: lambda net, cost, p, x, y: jax.tree.map(lambda d: len(x) * d, right(net, cost, p, x, y)),
        "errors of the sum over the batch",
    ),
    "E22": Bug("fnn.costs:CrossEntropy.output", lambda right: lambda cost, z: jnp.ones_like(z), "says 1 always"),
    "E23": Bug(
        "fnn.per_example_gradients:per_example",
        lambda right: lambda gradient: lambda *args: jax.tree.map(lambda leaf: leaf[::-1], right(gradient)(*args)),
        "gives the examples in the wrong order",
    ),
    "E25": Bug(
        "fnn.activation_functions:Sigmoid.df",
        lambda right: lambda f, z: 0 * z + right(f, z)[:, :1],
        "takes the slope of the first unit for all",
    ),
}
UNFLIPPED = {}
