"""Bugs for the rows of `experiments/notes/book.py`."""

from experiments.campaigns.planting import Bug, scaled

BUGS = {
    "003-01": Bug(
        "fnn.layers:Dense.init",
        lambda right: lambda layer, key, shape: (right(layer, key, shape)[0], (layer.units + 1,)),
        "says that it has one output more",
    ),
    "004-17": Bug("fnn.kernels.products:outer_sum", scaled(0.5), "half of the sum over the rows"),
}
UNFLIPPED = {}
