"""Bugs for the rows of `experiments/notes/hyperparameters.py`."""

from experiments.campaigns.planting import Bug, scaled

BUGS = {"001-21": Bug("fnn.costs:Quadratic.delta", scaled(2), "the derivative of the square without its half")}
UNFLIPPED = {}
