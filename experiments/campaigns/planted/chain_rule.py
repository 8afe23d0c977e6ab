"""Bugs for the rows of `experiments/notes/chain_rule.py`."""

import jax.numpy as jnp

from experiments.campaigns.planting import Bug

BUGS = {
    "001-17": Bug(
        "fnn.lessons.gates:Sin.backward",
        lambda right: lambda gate, inputs, delta: (delta * jnp.sin(inputs[0]),),
        "sin for cos",
    ),
    "004-08": Bug(
        "fnn.lessons.gates:FanOut.backward", lambda right: lambda gate, inputs, delta: delta[:1], "the first path alone"
    ),
    "004-09": Bug(
        "fnn.convolution:MaxPool.backward",
        lambda right: lambda pool, p, a, delta: ((), jnp.repeat(jnp.repeat(delta, 2, axis=2), 2, axis=3) / 4),
        "divides the error among all four inputs",
    ),
    "004-18": Bug(
        "fnn.lessons.gates:Log.backward",
        lambda right: lambda gate, inputs, delta: (delta * inputs[0],),
        "x for 1/x",
    ),
    "E9": Bug(
        "fnn.lessons.gates:Multiply.backward",
        lambda right: lambda gate, inputs, delta: (delta * inputs[0], delta * inputs[1]),
        "each input receives itself",
    ),
    "E10": Bug(
        "fnn.lessons.gates:Add.backward",
        lambda right: lambda gate, inputs, delta: (delta / len(inputs),) * len(inputs),
        "the r-th part of delta",
    ),
    "E11": Bug(
        "fnn.lessons.gates:FanOut.backward", lambda right: lambda gate, inputs, delta: delta[:1], "the first path alone"
    ),
    "E24": Bug(
        "fnn.lessons.gates:Max.backward",
        lambda right: lambda gate, inputs, delta: tuple(jnp.where(x == max(inputs), delta, 0) for x in inputs),
        "every winner takes all",
    ),
}
UNFLIPPED = {}
