"""Layers and a cost as users write them, outside the package, with right derivatives."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

import fnn


@fnn.static
class Swish:
    """`z σ(z)`."""

    def init(self, key, shape):
        return (), shape

    def forward(self, params, a):
        return a * jax.nn.sigmoid(a)

    def backward(self, params, a, delta):
        s = jax.nn.sigmoid(a)
        return (), delta * (s + a * s * (1 - s))


@fnn.static
class Softplus:
    """`ln(1 + eᶻ)`."""

    def init(self, key, shape):
        return (), shape

    def forward(self, params, a):
        return jax.nn.softplus(a)

    def backward(self, params, a, delta):
        return (), delta * jax.nn.sigmoid(a)


@fnn.static
class Abs:
    """`|z|`, with the derivative 1 at 0."""

    def init(self, key, shape):
        return (), shape

    def forward(self, params, a):
        return jnp.where(a >= 0, a, -a)

    def backward(self, params, a, delta):
        return (), jnp.where(a >= 0, delta, -delta)


class AffineParams(NamedTuple):
    """Of `Affine`."""

    kernel: jax.Array  # (n_in, n_out)
    bias: jax.Array  # (n_out,)


@fnn.static
class Affine:
    """`a K + c`, with the kernel the other way round than `Dense` has it."""

    units: int

    def init(self, key, shape):
        return AffineParams(jax.random.normal(key, (shape[0], self.units)), jnp.zeros(self.units)), (self.units,)

    def forward(self, params, a):
        return a @ params.kernel + params.bias[None]

    def backward(self, params, a, delta):
        return AffineParams(a.T @ delta, delta.sum(axis=0)), delta @ params.kernel.T


@fnn.static
class Neuron:
    """A dense layer and its sigmoid in one; its params are a dict."""

    units: int

    def init(self, key, shape):
        return {"W": jax.random.normal(key, (self.units, shape[0])), "b": jnp.zeros(self.units)}, (self.units,)

    def forward(self, params, a):
        return jax.nn.sigmoid(a @ params["W"].T + params["b"][None])

    def backward(self, params, a, delta):
        s = self.forward(params, a)
        d = delta * s * (1 - s)
        return {"W": d.T @ a, "b": d.sum(axis=0)}, d @ params["W"]


@fnn.static
class Scale:
    """A learned factor for every unit; its params are one array."""

    def init(self, key, shape):
        return jnp.ones(shape), shape

    def forward(self, params, a):
        return a * params[None]

    def backward(self, params, a, delta):
        return (delta * a).sum(axis=0), delta * params[None]


@fnn.static
class LayerNorm:
    """Each example less its mean, over its standard deviation."""

    def init(self, key, shape):
        return (), shape

    def forward(self, params, a):
        centred = a - a.mean(axis=1, keepdims=True)
        return centred / jnp.sqrt(jnp.square(centred).mean(axis=1, keepdims=True) + 1e-5)

    def backward(self, params, a, delta):
        centred = a - a.mean(axis=1, keepdims=True)
        size = jnp.sqrt(jnp.square(centred).mean(axis=1, keepdims=True) + 1e-5)
        out = centred / size
        along = (delta * out).mean(axis=1, keepdims=True)
        return (), (delta - delta.mean(axis=1, keepdims=True) - out * along) / size


@fnn.static
class MeanPool:
    """The mean of each pair of neighbours, in images of any number of channels, along the rows."""

    def init(self, key, shape):
        return (), (*shape[:-1], shape[-1] // 2)

    def forward(self, params, a):
        return (a[..., ::2] + a[..., 1::2]) / 2

    def backward(self, params, a, delta):
        return (), jnp.repeat(delta, 2, axis=-1) / 2


@fnn.static
class InNumPy:
    """A sigmoid whose `backward` is NumPy."""

    def init(self, key, shape):
        return (), shape

    def forward(self, params, a):
        return jax.nn.sigmoid(a)

    def backward(self, params, a, delta):
        s = 1 / (1 + np.exp(-np.asarray(a)))
        return (), np.asarray(delta) * s * (1 - s)


@fnn.static
class Narrow:
    """A sigmoid in float32, whatever its input is."""

    def init(self, key, shape):
        return (), shape

    def forward(self, params, a):
        return jax.nn.sigmoid(a.astype("float32")).astype(a.dtype)

    def backward(self, params, a, delta):
        s = jax.nn.sigmoid(a.astype("float32"))
        return (), (delta.astype("float32") * s * (1 - s)).astype(a.dtype)


@fnn.static
class Root:
    """√z, and 0 below 0; autodiff of the `where` gives nan at 0 and below, by hand it is 0 there."""

    def init(self, key, shape):
        return (), shape

    def forward(self, params, a):
        return jnp.where(a > 0, jnp.sqrt(a), 0.0)

    def backward(self, params, a, delta):
        return (), jnp.where(a > 0, delta / (2 * jnp.sqrt(jnp.where(a > 0, a, 1.0))), 0.0)


@fnn.static
class MeanSquares:
    """A cost: the mean over examples and outputs of (z − y)²."""

    def output(self, z):
        return z

    def value(self, z, y):
        return jnp.square(z - y).mean()

    def delta(self, z, y):
        return 2 * (z - y) / z.size


@fnn.static
class Hinge:
    """A cost: Σ max(0, 1 − y z) over outputs, with the derivative 0 where 1 = y z."""

    def output(self, z):
        return z

    def value(self, z, y):
        return jnp.where(y * z < 1, 1 - y * z, 0).sum(axis=1).mean()

    def delta(self, z, y):
        return jnp.where(y * z < 1, -y, 0) / z.shape[0]


OWN_ACTIVATIONS = (Swish(), Softplus(), Abs(), LayerNorm(), Scale())
OWN_LAYERS = (*OWN_ACTIVATIONS, Affine(3), Neuron(4))
OWN_COSTS = (MeanSquares(), Hinge())
