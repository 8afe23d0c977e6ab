"""What the wide net is measured by: how fast this process multiplies two square float32 matrices."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np

from experiments.benchmark.tasks import Layers, Task, timed

SIZE = 2048
FLOPS = 2 * SIZE**3  # of one product
TIMES = 3  # products in an epoch


class XLA:
    """`a @ a` by XLA."""

    def __init__(self, task: Task) -> None:
        """Draws the matrix; the task does not matter."""
        self.a = jnp.asarray(_matrix())
        self.product = jax.jit(jnp.matmul)

    @timed
    def epoch(self, seed: int) -> None:
        """A few products."""
        for _ in range(TIMES):
            jax.block_until_ready(self.product(self.a, self.a))

    def params(self) -> list[Layers]:
        """None."""
        return []


class NumPy:
    """`a @ a` by NumPy's library."""

    def __init__(self, task: Task) -> None:
        """Draws the matrix; the task does not matter."""
        self.a = _matrix()

    @timed
    def epoch(self, seed: int) -> None:
        """A few products."""
        for _ in range(TIMES):
            np.matmul(self.a, self.a)

    def params(self) -> list[Layers]:
        """None."""
        return []


def _matrix() -> np.ndarray:
    return np.random.default_rng(0).standard_normal((SIZE, SIZE), np.float32)
