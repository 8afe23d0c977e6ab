"""Bugs for the rows of `experiments/notes/approximation.py`."""

from experiments.campaigns.planting import Bug

BUGS = {
    "002-11": Bug("fnn.activation_functions:Step.f", lambda right: lambda f, z: right(f, z - 0.01), "fires too late")
}
UNFLIPPED = {}
