"""Bugs for the rows of `experiments/notes/pretraining.py`."""

from experiments.campaigns.planting import Bug, scaled

BUGS = {"001-28": Bug("fnn.costs:CrossEntropy.delta", scaled(-1), "has the wrong sign")}
UNFLIPPED = {}
