"""Bugs for the rows of `experiments/notes/activations.py`."""

import jax.numpy as jnp

from experiments.campaigns.planting import Bug

BUGS = {
    "001-07": Bug("fnn.activation_functions:Sigmoid.f", lambda right: lambda f, z: 2 * right(f, z) - 1, "centred at 0"),
    "001-08": Bug("fnn.activation_functions:Tanh.f", lambda right: lambda f, z: (right(f, z) + 1) / 2, "from 0 to 1"),
    "001-10": Bug(
        "fnn.activation_functions:LeakyReLU.df",
        lambda right: lambda f, z: jnp.where(z >= 0, jnp.ones_like(z), f.slope),
        "slope 1 at the kink",
    ),
    "001-11": Bug("fnn.layers:largest", lambda right: lambda a: -right(-a), "takes the smallest piece"),
    "001-26": Bug("fnn.activation_functions:Tanh.df", lambda right: lambda f, z: 1 - f.f(z), "forgets the square"),
    "E7": Bug("fnn.layers:Maxout.affine", lambda right: lambda f, p, a: right(f, p._replace(b=0 * p.b), a), "no bias"),
}
UNFLIPPED = {}
