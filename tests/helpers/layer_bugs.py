"""Planted bugs that sit in one layer, or in the cost: in users' own layers and in ours, first, in the middle and last.

Each is told what it hands back wrongly: `nabla`, `delta`, or both.
"""

import jax
import jax.numpy as jnp

from fnn import Conv, ConvPool, CrossEntropy, Dense, Flatten, LogLikelihood, Maxout, MaxPool, ReLU, Tanh
from tests.helpers.mutations import (
    GATES,
    IMAGES,
    IMAGES_POOLED,
    KINKED,
    SMOOTH,
    SOFT,
    cost,
    layer,
    nabla,
    setting,
    setting_of_images,
)
from tests.helpers.own_layers import (
    Abs,
    Affine,
    Hinge,
    LayerNorm,
    MeanPool,
    MeanSquares,
    Neuron,
    Scale,
    Softplus,
    Swish,
)

OWN = setting((Swish(), Affine(4), LayerNorm(), Scale(), Neuron(4), Softplus(), Dense(3)), MeanSquares(), 4, 3)
LAST = setting((Dense(4), Abs(), Affine(4), Swish()), Hinge(), 3, 4)
LAST = LAST._replace(y=8 * LAST.y - 4)  # some outputs are beyond the hinge
FIRST = setting((Scale(), Neuron(3), LayerNorm()), LogLikelihood(), 4, 3)
OWN_IMAGES = setting_of_images(
    (MeanPool(), Conv(2, 2), ReLU(), ConvPool(2, 2, 2), Softplus(), Flatten(), Maxout(3, 2)),
    CrossEntropy(),
    (2, 6, 12),
    3,
)
POOLS = setting_of_images((MaxPool(2), Conv(2, 2), Flatten(), Dense(2)), LogLikelihood(), (1, 6, 6), 2)
FUSED = setting_of_images((ConvPool(2, 2, 2), Tanh(), Flatten(), Dense(2)), CrossEntropy(), (1, 5, 5), 2)


def both(name, where, at, edit):
    """A bug in all that a layer hands back: `edit(leaf)`."""

    def wrong(right, params, a, delta):
        return jax.tree.map(edit, right.backward(params, a, delta))

    return layer(name, where, at, wrong)


def handed_back(name, where, at, edit):
    """A bug in the delta that a layer hands back: `edit(delta_prev, params, a, delta)`."""

    def wrong(right, params, a, delta):
        found, delta_prev = right.backward(params, a, delta)
        return found, edit(delta_prev, params, a, delta)

    return layer(name, where, at, wrong)


def sigmoid(a):
    return jax.nn.sigmoid(a)


LAYER_BUGS = (
    # activations of a user's
    handed_back("swish: a term is forgotten", OWN, 0, lambda g, p, a, d: d * sigmoid(a)),
    handed_back("swish: the sigmoid's derivative", OWN, 0, lambda g, p, a, d: d * sigmoid(a) * (1 - sigmoid(a))),
    handed_back("swish as the last layer: omitted", LAST, 3, lambda g, p, a, d: d),
    handed_back("swish as the last layer: right to six digits", LAST, 3, lambda g, p, a, d: g * (1 + 3e-7)),
    handed_back("softplus: itself", OWN, 5, lambda g, p, a, d: d * jax.nn.softplus(a)),
    handed_back("softplus of images: the other side", OWN_IMAGES, 4, lambda g, p, a, d: d - g),
    handed_back("abs: no sign", LAST, 1, lambda g, p, a, d: d),
    handed_back("abs: the opposite sign", LAST, 1, lambda g, p, a, d: -g),
    handed_back("layer norm: the mean is forgotten", OWN, 2, lambda g, p, a, d: g - g.mean(axis=0, keepdims=True)),
    handed_back("layer norm: as if constants", FIRST, 2, lambda g, p, a, d: d / jnp.std(a, axis=1, keepdims=True)),
    handed_back("relu of images: one channel", OWN_IMAGES, 2, lambda g, p, a, d: g.at[:, 1].set(0)),
    handed_back("a gate: one example twice", GATES, 2, lambda g, p, a, d: g.at[3].multiply(2)),
    handed_back("softmax: one row wrong", SOFT, 1, lambda g, p, a, d: g.at[2].add(0.01)),
    # layers with params of a user's
    handed_back("affine: K, not its transpose", OWN, 1, lambda g, p, a, d: d @ p.kernel),
    nabla("affine: nabla K is transposed", OWN, 1, lambda g, a, d: g._replace(kernel=g.kernel.T)),
    nabla("affine: one bias for all", OWN, 1, lambda g, a, d: g._replace(bias=g.bias.mean() + 0 * g.bias)),
    both("affine: 1/n twice", LAST, 2, lambda leaf: leaf / 5),
    nabla(
        "affine: K is penalised too", OWN, 1, lambda g, a, d: g._replace(kernel=g.kernel + 0.1 * OWN.params[1].kernel)
    ),
    nabla("neuron: no derivative of its sigmoid in nabla W", OWN, 4, lambda g, a, d: {**g, "W": d.T @ a}),
    nabla("neuron: bias of the first example", OWN, 4, lambda g, a, d: {**g, "b": 5 * d[0]}),
    handed_back("neuron: no derivative of its sigmoid in delta", FIRST, 1, lambda g, p, a, d: d @ p["W"]),
    both("neuron: twice", FIRST, 1, lambda leaf: 2 * leaf),
    nabla("scale: the mean over examples", OWN, 3, lambda g, a, d: g / 5),
    nabla("scale as the first layer: its own delta", FIRST, 0, lambda g, a, d: d.sum(axis=0)),
    handed_back("scale as the first layer: passes delta", FIRST, 0, lambda g, p, a, d: d),
    # ours, where they stand elsewhere than in the other settings
    handed_back("dense as the first layer: delta is zero", SMOOTH, 0, lambda g, p, a, d: 0 * g),
    handed_back("dense as the last layer: a unit is lost", OWN, 6, lambda g, p, a, d: d[:, 1:] @ p.W[1:]),
    nabla(
        "dense as the last layer: one weight, 1e-6",
        OWN,
        6,
        lambda g, a, d: g._replace(W=g.W.at[1, 2].multiply(1 + 1e-6)),
    ),
    both("dense in the middle: the opposite sign", SMOOTH, 2, lambda leaf: -leaf),
    both("maxout as the last layer: half", OWN_IMAGES, 6, lambda leaf: leaf / 2),
    handed_back("maxout: delta of one example", KINKED, 2, lambda g, p, a, d: g.at[1:].set(0)),
    nabla("maxout: a piece is lost", KINKED, 2, lambda g, a, d: g._replace(W=g.W.at[0].set(0))),
    nabla("convolution as the first layer: rows", IMAGES, 0, lambda g, a, d: g._replace(W=g.W[:, :, ::-1])),
    handed_back("convolution as the first layer: delta", IMAGES, 0, lambda g, p, a, d: g[:, ::-1]),
    both("convolution in the middle: 1.001", OWN_IMAGES, 1, lambda leaf: 1.001 * leaf),
    both("pooled convolution as the first layer: zero", FUSED, 0, lambda leaf: 0 * leaf),
    handed_back(
        "pooled convolution in the middle", OWN_IMAGES, 3, lambda g, p, a, d: g.swapaxes(2, 3).reshape(g.shape)
    ),
    nabla("pooled convolution: one bias", IMAGES_POOLED, 2, lambda g, a, d: g._replace(b=g.b.at[0].set(0))),
    handed_back("max-pool as the first layer: to all", POOLS, 0, lambda g, p, a, d: spread(d)),
    handed_back("max-pool as the first layer: one square", POOLS, 0, lambda g, p, a, d: g.at[:, :, :2, :2].set(0)),
    handed_back("mean-pool as the first layer: no half", OWN_IMAGES, 0, lambda g, p, a, d: 2 * g),
    handed_back("flatten of filters: columns first", POOLS, 2, lambda g, p, a, d: g.swapaxes(2, 3)),
    handed_back("flatten: examples in reverse", OWN_IMAGES, 5, lambda g, p, a, d: g[::-1]),
    # costs of a user's
    cost("mean of squares: no 2", OWN, lambda z, a, y: (z - y) / z.size),
    cost("mean of squares: a mean over examples alone", OWN, lambda z, a, y: 2 * (z - y) / len(z)),
    cost("mean of squares: sums", OWN, lambda z, a, y: 2 * (z - y)),
    cost("hinge: everywhere", LAST, lambda z, a, y: -y / len(z)),
    cost("hinge: one example", LAST, lambda z, a, y: (jnp.where(y * z < 1, -y, 0) / len(z)).at[0].multiply(3)),
    cost("hinge: the desired outputs of the next example", LAST, lambda z, a, y: next_example(z, y)),
)


def penalty_of(at):
    return 0.1 * OWN.params[at].kernel


def spread(delta):
    """To every pixel of a square of four."""
    return jnp.repeat(jnp.repeat(delta, 2, axis=2), 2, axis=3)


def next_example(z, y):
    y = jnp.roll(y, 1, axis=0)
    return jnp.where(y * z < 1, -y, 0) / len(z)


RIGHT = {"own": OWN, "last": LAST, "first": FIRST, "own images": OWN_IMAGES, "pools": POOLS, "fused": FUSED}
