"""JAX's own convolution and pooling with `jax.grad`, inside the same compiled epoch: what a JAX user writes."""

from __future__ import annotations

import jax

import fnn
from experiments.benchmark.by_fnn import Network
from experiments.benchmark.tasks import Task
from fnn.types import Array


def windows(task: Task) -> Network:
    """`conv_general_dilated`, then `reduce_window`."""
    return Network(task, fnn.autodiff, WindowPool)


def reshaped(task: Task) -> Network:
    """`conv_general_dilated`, then the maximum over two axes of a reshaped array."""
    return Network(task, fnn.autodiff, ReshapePool)


@fnn.static
class WindowPool(fnn.ConvPool):
    """The compiler's own convolution and pool."""

    def forward(self, params: fnn.convolution.ConvParams, a: Array) -> Array:
        """Its gradient is automatic; the inherited `backward` is not used."""
        z = jax.lax.conv_general_dilated(a, params.W, (1, 1), "VALID")
        window = (1, 1, self.pool, self.pool)
        pooled = jax.lax.reduce_window(z, -jax.numpy.inf, jax.lax.max, window, window, "VALID")
        return pooled + params.b[None, :, None, None]


@fnn.static
class ReshapePool(fnn.ConvPool):
    """The compiler's own convolution, and no window of its own."""

    def forward(self, params: fnn.convolution.ConvParams, a: Array) -> Array:
        """Its gradient is automatic; the inherited `backward` is not used."""
        z = jax.lax.conv_general_dilated(a, params.W, (1, 1), "VALID")
        n, filters, height, width = z.shape
        squares = z.reshape(n, filters, height // self.pool, self.pool, width // self.pool, self.pool)
        return squares.max(axis=(3, 5)) + params.b[None, :, None, None]
