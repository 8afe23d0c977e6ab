"""Bugs for the rows of `experiments/notes/depth.py`."""

from experiments.campaigns.planting import Bug, scaled

BUGS = {"002-13": Bug("fnn.activation_functions:Tanh.df", scaled(0.5), "half of the derivative")}
UNFLIPPED = {}
