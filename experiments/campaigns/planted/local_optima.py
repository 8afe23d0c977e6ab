"""Bugs for the rows of `experiments/notes/local_optima.py`."""

from experiments.campaigns.planting import Bug, scaled

BUGS = {"001-35": Bug("fnn.kernels.products:outer_sum", scaled(-1), "minus the sum over the rows")}
UNFLIPPED = {}
