"""Bugs for the rows of `experiments/notes/costs.py`."""

from experiments.campaigns.planting import Bug, scaled
from fnn import SGD

BUGS = {
    "000-10": Bug(
        "fnn.costs:CrossEntropy.delta",
        lambda right: lambda cost, z, y: right(cost, z, y) * len(z),
        "sums over the examples",
    ),
    "000-11": Bug("fnn.costs:LogLikelihood.delta", scaled(-1), "goes uphill"),
    "001-18": Bug("fnn.costs:Quadratic.value", scaled(2), "forgets the half"),
    "002-10": Bug(
        "fnn.optimizers:SGD.penalised",
        lambda right: lambda sgd, p, g: right(SGD(sgd.eta, sgd.mu, -sgd.lmbda), p, g),
        "the penalty has the wrong sign",
    ),
    "003-15": Bug("fnn.costs:CrossEntropy.value", scaled(-1), "loses the minus sign"),
    "004-02": Bug(
        "fnn.costs:CrossEntropy.value",
        lambda right: lambda cost, z, y: right(cost, z, y) * len(z),
        "sums over the examples",
    ),
}
UNFLIPPED = {}
