"""The textbook's loop in plain Python: one example at a time as a column, its gradient added to a sum per mini-batch.

It has the structure of the program in chapter 1 of Nielsen's book, in our own words. It computes in float32, like all
contestants; the book's program has float64.
"""

from __future__ import annotations

import numpy as np

from experiments.benchmark.by_numpy import sigmoid
from experiments.benchmark.tasks import Layers, Task, timed


class Network:
    """Lists of weights and of biases as columns; sigmoids and the quadratic cost only."""

    def __init__(self, task: Task) -> None:
        """Copies the start, and keeps every example as a pair of columns."""
        self.task = task
        self.weights = [W.copy() for W, _ in task.start]
        self.biases = [b.reshape(-1, 1).copy() for _, b in task.start]
        self.x, self.y = task.data.pixels[:, :, None], task.data.targets[:, :, None]

    @timed
    def epoch(self, seed: int) -> None:
        """Mini-batch by mini-batch."""
        for rows in self.task.batches(seed):
            self._update(rows)

    def _update(self, rows: np.ndarray) -> None:
        sum_W = [np.zeros_like(W) for W in self.weights]
        sum_b = [np.zeros_like(b) for b in self.biases]
        for row in rows:
            nabla_W, nabla_b = self._gradient(self.x[row], self.y[row])
            sum_W = [total + nabla for total, nabla in zip(sum_W, nabla_W, strict=True)]
            sum_b = [total + nabla for total, nabla in zip(sum_b, nabla_b, strict=True)]
        eta = np.float32(self.task.eta / len(rows))
        self.weights = [W - eta * total for W, total in zip(self.weights, sum_W, strict=True)]
        self.biases = [b - eta * total for b, total in zip(self.biases, sum_b, strict=True)]

    def _gradient(self, x: np.ndarray, y: np.ndarray) -> tuple[list[np.ndarray], list[np.ndarray]]:
        """The gradient for one example, a pair of columns, as two lists like the parameters."""
        activations = [x]
        for W, b in zip(self.weights, self.biases, strict=True):
            activations.append(sigmoid(W @ activations[-1] + b))
        a = activations[-1]
        delta = (a - y) * a * (1 - a)
        nabla_W, nabla_b = [delta @ activations[-2].T], [delta]
        for i in reversed(range(len(self.weights) - 1)):
            a = activations[i + 1]
            delta = (self.weights[i + 1].T @ delta) * a * (1 - a)
            nabla_W.insert(0, delta @ activations[i].T)
            nabla_b.insert(0, delta)
        return nabla_W, nabla_b

    def params(self) -> list[Layers]:
        """Of the one network."""
        return [[(W, b[:, 0]) for W, b in zip(self.weights, self.biases, strict=True)]]
