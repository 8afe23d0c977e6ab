"""Bugs for the rows of `experiments/notes/sampling.py`."""

import jax

from experiments.campaigns.planting import Bug, scaled

MEAN = Bug(
    "fnn.kernels.products:outer_sum", lambda right: lambda delta, a: right(delta[:1], a[:1]), "the first row alone"
)
BUGS = {
    "000-21": Bug(
        "fnn.per_example_gradients:per_example",
        lambda right: lambda gradient: lambda *args: jax.tree.map(abs, right(gradient)(*args)),
        "gives sizes without signs",
    ),
    "000-22": Bug("fnn.optimizers:SGD.penalised", lambda right: lambda sgd, params, gradient: gradient, "no penalty"),
    "001-27": MEAN,
    "003-18": Bug("fnn.kernels.products:outer_sum", scaled(-1), "minus the sum over the rows"),
    "004-05": Bug(
        "fnn.training.order:permutation",
        lambda right: lambda key, n: right(key, n)[::-1] * 0,
        "draws one example again and again",
    ),
    "004-07": Bug("fnn.kernels.products:outer_sum", scaled(0), "0 in place of the sum over the rows"),
}
UNFLIPPED = {}
