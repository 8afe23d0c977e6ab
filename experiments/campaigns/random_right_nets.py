"""False alarms of the gradient check on 1,000 random nets whose gradients are right.

    python -m experiments.campaigns.random_right_nets

250 nets of 1 to 5 layers, drawn from all layers and costs, a fifth of them for images, are checked at 4 points each.
Weights are 1e-8 to 1e6 times a standard normal, and the data have all types. Expected: no alarm (seen: 1,000 checks of
34,064 coordinates in all, none left out). About 10 minutes of one CPU core.
"""

import collections

import jax
import numpy as np

from fnn import Conv, ConvPool, Dense, Flatten, Maxout, MaxPool, Softmax, backprop
from fnn.checking import gradcheck
from tests.helpers.support import ACTIVATIONS, COSTS, draw_params

ELEMENTWISE = [layer for layer in ACTIVATIONS if not isinstance(layer, Softmax)]
NETS, POINTS = 250, 4
SCALES = (1e-8, 1e-3, 0.1, 1.0, 1.0, 3.0, 30.0, 1e3, 1e6)
TYPES = (np.uint8, np.float32, np.float64, np.int32)


def random_net(rng):
    """Up to four hidden layers and a last `Dense`; the shape of an example; the number of outputs."""
    n_out = int(rng.integers(1, 6))
    before, shape = random_filters(rng) if rng.random() < 0.2 else ((), (int(rng.integers(1, 6)),))
    hidden = [random_layer(rng) for _ in range(rng.integers(0, 5 - len(before)))]
    return (*before, *hidden, Dense(n_out)), shape, n_out


def random_filters(rng):
    """Layers for images, ending with `Flatten`, and the shape of an image that every pool divides."""
    f, size, pool = (int(k) for k in (rng.integers(1, 4), rng.integers(1, 4), rng.integers(1, 4)))
    shape = (
        int(rng.integers(1, 3)),
        size - 1 + pool * int(rng.integers(1, 4)),
        size - 1 + pool * int(rng.integers(1, 3)),
    )
    fused, apart = (ConvPool(f, size, pool),), (Conv(f, size), MaxPool(pool))
    alone = (Conv(f, size),)
    return (*(fused, apart, alone)[rng.integers(3)], ELEMENTWISE[rng.integers(len(ELEMENTWISE))], Flatten()), shape


def random_layer(rng):
    """Dense, maxout, or an activation."""
    kind, width = rng.integers(0, 4), int(rng.integers(1, 6))
    if kind == 0:
        return Dense(width)
    if kind == 1:
        return Maxout(width, int(rng.integers(1, 4)))
    return ACTIVATIONS[rng.integers(len(ACTIVATIONS))]


def random_data(rng, shape, n_out):
    """Inputs of any type up to 255 or 10, and targets, one-hot, soft, or anything."""
    x = 10 * rng.standard_normal((5, *shape)) if rng.random() < 0.5 else 255 * rng.random((5, *shape))
    one_hot = np.eye(n_out, dtype=np.uint8)[rng.integers(0, n_out, 5)]
    y = (one_hot, rng.dirichlet(np.ones(n_out), 5), rng.standard_normal((5, n_out)))[rng.integers(3)]
    return np.abs(x).astype(TYPES[rng.integers(4)]) if rng.random() < 0.7 else x, y


def main():
    """Print each alarm, then the counts."""
    rng, counts = np.random.default_rng(0), collections.Counter()
    for _ in range(NETS):
        (net, shape, n_out), cost = random_net(rng), COSTS[rng.integers(len(COSTS))]
        for seed in range(POINTS):
            scale = SCALES[rng.integers(len(SCALES))]
            params = jax.tree.map(lambda p, scale=scale: scale * p, draw_params(net, seed, shape))
            lmbda = (0.0, 1e-3, 1.0)[rng.integers(3)]
            x, y = random_data(rng, shape, n_out)
            report = gradcheck(net, cost, params, x, y, gradient=jax.jit(backprop), lmbda=lmbda)
            counts.update({"checks": 1, "alarms": not report.ok, "coordinates": report.coordinates})
            counts.update({"left out": report.left_out, "directions": report.directions_compared})
            if not report.ok:
                print(
                    f"ALARM: {net}, {cost}, weights of size {scale:g}, x {x.dtype}, lmbda {lmbda}\n{report}\n",
                    flush=True,
                )
        jax.clear_caches()
    print(dict(counts))


if __name__ == "__main__":
    main()
