"""The optimiser in numbers that a reader can redo."""

import jax.numpy as jnp

from fnn import SGD


def test_momentum_accumulates():
    # g = 1 throughout, η = 1, μ = ½: v = −1, −3/2, −7/4, and p their running sum
    sgd, p, v = SGD(eta=1.0, mu=0.5), (jnp.zeros(1),), (jnp.zeros(1),)
    path = []
    for _ in range(3):
        p, v = sgd.update(p, v, (jnp.ones(1),))
        path.append(float(p[0][0]))
    assert path == [-1, -2.5, -4.25]
