"""Bugs for the rows of `experiments/notes/strip.py`."""

from experiments.campaigns.planting import Bug

FLAT = Bug("fnn.activation_functions:ReLU.f", lambda right: lambda f, z: 0 * z, "is 0 everywhere")
BUGS = {"003-02": FLAT, "003-10": FLAT}
UNFLIPPED = {}
