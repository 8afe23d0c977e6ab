"""Bugs for the rows of `experiments/notes/conv_race.py`."""

from experiments.campaigns.planting import Bug

BUGS = {
    "001-12": Bug(
        "fnn.activation_functions:Tanh.df", lambda right: lambda f, z: 1 - right(f, z), "tanh² for 1 - tanh²"
    ),
}
UNFLIPPED = {}
