"""Bugs for the rows of `experiments/notes/taylor.py`."""

from experiments.campaigns.planting import Bug, scaled

HALF = Bug("fnn.kernels.products:outer_sum", scaled(0.5), "half of the sum over the rows")
STRAIGHT = Bug("fnn.activation_functions:Sigmoid.f", lambda right: lambda f, z: 0.5 + z / 4, "a straight line")
BUGS = {
    "000-12": HALF,
    "000-13": Bug("fnn.kernels.products:outer_sum", scaled(-1), "minus the sum over the rows"),
    "004-03": Bug(
        "fnn.optimizers:SGD.penalised",
        lambda right: lambda sgd, params, gradient: (gradient[0]._replace(W=gradient[0].W.at[0, 0].multiply(0.5)),),
        "takes half of the derivative by the first weight",
    ),
    "003-17": STRAIGHT,
    "E29": STRAIGHT,
    "E20": HALF,
    "E19": Bug("fnn.costs:Quadratic.value", scaled(2), "the square without its half"),
}
UNFLIPPED = {}
