"""Bugs for the rows of `experiments/notes/loops.py`."""

from experiments.campaigns.planting import Bug

BUGS = {
    "000-24": Bug("fnn.kernels.products:affine", lambda right: lambda W, b, a: right(abs(W), b, a), "takes |W| for W"),
}
UNFLIPPED = {}
