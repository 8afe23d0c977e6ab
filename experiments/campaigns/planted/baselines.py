"""Bugs for the rows of `experiments/notes/baselines.py`."""

from experiments.campaigns.planting import Bug, scaled

BUGS = {"003-03": Bug("fnn.kernels.products:outer_sum", scaled(-1), "minus the sum over the rows")}
UNFLIPPED = {}
