"""Bugs for the rows of `experiments/notes/normalisation.py`."""

from experiments.campaigns.planting import Bug, scaled

BUGS = {
    "003-19": Bug(
        "fnn.optimizers:SGD.penalised",
        lambda right: lambda sgd, params, gradient: right(sgd, params, scaled(sgd.eta)(lambda: gradient)()),
        "multiplies the gradient by η, so that a step has η²",
    ),
    "E15": Bug("fnn.costs:Quadratic.delta", scaled(2), "the derivative of the square without its half"),
    "E21": Bug(
        "fnn.costs:CrossEntropy.delta",
        lambda right: lambda cost, z, y: right(cost, z, y) * len(z),
        "without the 1/n of the mean",
    ),
}
UNFLIPPED = {}
