"""Bugs for the rows of `experiments/notes/pretraining.py`."""

from experiments.campaigns.planting import Bug, scaled

BUGS = {
    "001-28": Bug("fnn.initializers:ScaledNormal.draw", scaled(0), "draws zeros"),
}
UNFLIPPED = {}
