"""Bugs for the rows of `experiments/notes/units.py`."""

from experiments.campaigns.planting import Bug

NO_BIAS = Bug("fnn.kernels.products:affine", lambda right: lambda W, b, a: right(W, 0 * b, a), "forgets the bias")
BUGS = {
    "000-02": Bug(
        "fnn.layers:Dense.backward",
        lambda right: lambda layer, p, a, delta: right(layer, p._replace(W=abs(p.W)), a, delta),
        "passes errors back by |W|",
    ),
    "000-04": NO_BIAS,
    "001-06": Bug("fnn.activation_functions:Sigmoid.f", lambda right: lambda f, z: z / 4, "a straight line"),
    "004-01": NO_BIAS,
    "E17": Bug(
        "fnn.network:activations",
        lambda right: lambda net, params, x: (x, *[right(net, params, x)[1]] * len(net)),
        "hands the outputs of the first layer on as the outputs of the next",
    ),
}
UNFLIPPED = {}
