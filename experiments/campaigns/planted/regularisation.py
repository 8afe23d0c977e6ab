"""Bugs for the rows of `experiments/notes/regularisation.py`."""

from dataclasses import replace

from experiments.campaigns.planting import Bug

BUGS = {
    "002-18": Bug(
        "fnn.optimizers:SGD.penalised",
        lambda right: lambda sgd, params, gradient: right(replace(sgd, lmbda=-sgd.lmbda), params, gradient),
        "subtracts the penalty",
    )
}
UNFLIPPED = {}
