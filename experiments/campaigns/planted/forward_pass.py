"""Bugs for the rows of `experiments/notes/forward_pass.py`."""

from experiments.campaigns.planting import Bug

NO_BIAS = Bug("fnn.kernels.products:affine", lambda right: lambda W, b, a: right(W, 0 * b, a), "forgets the bias")
ABSOLUTE = Bug(
    "fnn.layers:Dense.backward",
    lambda right: lambda layer, p, a, delta: right(layer, p._replace(W=abs(p.W)), a, delta),
    "passes errors back by |W|",
)
BUGS = {
    "000-07": Bug(
        "fnn.lessons.logic:Circuit.__post_init__", lambda right: lambda circuit: None, "does not look for loops"
    ),
    "000-15": ABSOLUTE,
    "000-16": NO_BIAS,
    "001-13": Bug(
        "fnn.network:forward",
        lambda right: lambda net, params, x: right(net[: len(params)], params, x),
        "leaves out the layers without params",
    ),
    "001-15": Bug("fnn.activation_functions:Sigmoid.f", lambda right: lambda f, z: right(f, -z), "falls for rising"),
    "001-16": NO_BIAS,
    "004-16": ABSOLUTE,
}
UNFLIPPED = {}
