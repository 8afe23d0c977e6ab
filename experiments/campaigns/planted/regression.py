"""Bugs for the rows of `experiments/notes/regression.py`."""

from experiments.campaigns.planting import Bug, scaled

BUGS = {
    "003-20": Bug("fnn.costs:Quadratic.delta", scaled(-1), "has the wrong sign"),
    "004-06": Bug("fnn.costs:Quadratic.delta", scaled(2), "the derivative of the square without its half"),
    "004-11": Bug("fnn.costs:CrossEntropy.output", scaled(1.2), "a fifth too large"),
    "004-15": Bug(
        "fnn.layers:Dense.backward",
        lambda right: lambda *args: (lambda nabla, delta: (nabla._replace(b=nabla.b / 2), delta))(*right(*args)),
        "half of the derivative by the bias",
    ),
}
UNFLIPPED = {}
