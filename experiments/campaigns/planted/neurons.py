"""Bugs for the rows of `experiments/notes/neurons.py`."""

import numpy as np

from experiments.campaigns.planting import Bug

BUGS = {
    "000-03": Bug("fnn.kernels.products:affine", lambda right: lambda W, b, a: right(abs(W), b, a), "takes |W| for W"),
    "001-05": Bug(
        "experiments.notes.neurons:spikes",
        lambda right: lambda current, dt=1e-4: np.flatnonzero(np.diff(np.cumsum(current) * dt // 1)).tolist(),
        "adds up the current without a leak",
    ),
    "001-31": Bug("fnn.activation_functions:Sigmoid.f", lambda right: lambda f, z: 0.5 + z / 4, "does not saturate"),
}
UNFLIPPED = {}
