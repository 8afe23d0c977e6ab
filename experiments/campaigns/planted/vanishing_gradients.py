"""Bugs for the rows of `experiments/notes/vanishing_gradients.py`."""

from experiments.campaigns.planting import Bug

BUGS = {
    "002-14": Bug(
        "fnn.activation_functions:Sigmoid.df", lambda right: lambda f, z: 4 * right(f, z), "is 1 at 0, not 1/4"
    )
}
UNFLIPPED = {}
