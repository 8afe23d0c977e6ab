"""Bugs for the rows of `experiments/notes/curvature.py`."""

from experiments.campaigns.planting import Bug, scaled

BUGS = {
    "004-04": Bug("fnn.kernels.products:outer_sum", scaled(0.5), "half of the sum over the rows"),
}
UNFLIPPED = {}
