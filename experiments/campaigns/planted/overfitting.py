"""Bugs for the rows of `experiments/notes/overfitting.py`."""

from experiments.campaigns.planting import Bug, scaled

BUGS = {
    "000-20": Bug("fnn.kernels.products:outer_sum", scaled(0), "0 in place of the sum over the rows"),
    "001-19": Bug("fnn.optimizers:SGD.penalised", lambda right: lambda sgd, params, gradient: gradient, "no penalty"),
}
UNFLIPPED = {}
