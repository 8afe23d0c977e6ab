"""Bugs for the rows of `experiments/notes/features.py`."""

from experiments.campaigns.planting import Bug

BUGS = {
    "002-12": Bug(
        "fnn.convolution:Conv.forward",
        lambda right: lambda layer, p, a: right(layer, p._replace(W=p.W.swapaxes(-1, -2)), a),
        "rows and columns of the filters exchanged",
    )
}
UNFLIPPED = {}
