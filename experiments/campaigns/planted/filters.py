"""Bugs for the rows of `experiments/notes/filters.py`."""

from experiments.campaigns.planting import Bug, scaled

BUGS = {"002-15": Bug("fnn.convolution:Conv.backward", scaled(0.5), "half of the sum over the places")}
UNFLIPPED = {}
