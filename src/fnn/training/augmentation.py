"""Training images shown in five places: as they are, and one pixel up, down, left and right (Nielsen, ch. 6)."""

from __future__ import annotations

from typing import Any, NamedTuple

import jax.numpy as jnp

from fnn.examples import Examples
from fnn.types import Array

# the top left corners of the five images in the image with a frame of 1 pixel; (1, 1) gives the image itself
PLACES = ((1, 1), (2, 1), (0, 1), (1, 2), (1, 0))


class Shifted(NamedTuple):
    """Five times as many examples in the same memory, because they are shifted when a mini-batch is read.

    Example `5 i + k` is image `i` in place `k`. Pixels that leave the image are lost, pixels that enter it are 0.
    """

    examples: Examples  # images (n, channels, height, width)

    @property
    def n(self) -> int:
        """The number of examples, 5 n."""
        return len(PLACES) * self.examples.n

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of one image."""
        return self.examples.shape

    @property
    def dtype(self) -> Any:
        """Of the images in the units of training."""
        return self.examples.dtype

    @property
    def y(self) -> Any:
        """The desired outputs `(n, n_out)` of the images, one row per image, not five; they show their kind."""
        return self.examples.y

    def take(self, i: Array) -> Examples:
        """Examples `i`, an array of their numbers, shifted, as they are stored."""
        x, y, scale = self.examples.take(i // len(PLACES))
        height, width = x.shape[-2:]
        padded = jnp.pad(x, [(0, 0)] * (x.ndim - 2) + [(1, 1)] * 2)
        place = (i % len(PLACES))[..., None, None, None]
        for k, (top, left) in enumerate(PLACES[1:], 1):
            x = jnp.where(place == k, padded[..., top : top + height, left : left + width], x)
        return Examples(x, y, scale)

    def rows(self, i: Array) -> tuple[Array, Array]:
        """Examples `i`, an array of their numbers, in the units of training, as `Examples.rows`."""
        return self.take(i).rows(slice(None))
