"""Vectorised NumPy: a mini-batch is a matrix, every update is in place; as one writes it without a library."""

from __future__ import annotations

import numpy as np

from experiments.benchmark.tasks import Layers, Task, timed


class Network:
    """Weights and biases, and the delta rule on matrices; rows are examples."""

    def __init__(self, task: Task) -> None:
        """Copies the start."""
        self.task = task
        self.layers = [(W.copy(), b.copy()) for W, b in task.start]
        self.f, self.df = ACTIVATIONS[task.activation]
        self.delta = DELTAS[task.cost]
        self.x, self.y = task.data.pixels, task.data.targets

    @timed
    def epoch(self, seed: int) -> None:
        """A Python loop over mini-batches."""
        for rows in self.task.batches(seed):
            self._step(self.x[rows], self.y[rows])

    def _step(self, x: np.ndarray, y: np.ndarray) -> None:
        (*hidden, (W, b)), inputs = self.layers, [x]
        for V, c in hidden:
            inputs.append(self.f(inputs[-1] @ V.T + c))
        delta = self.delta(inputs[-1] @ W.T + b, y)
        eta = np.float32(self.task.eta / len(x))
        for i in reversed(range(len(self.layers))):
            (W, b), a = self.layers[i], inputs[i]
            delta_prev = (delta @ W) * self.df(a) if i else delta
            W -= eta * (delta.T @ a)
            b -= eta * delta.sum(axis=0)
            delta = delta_prev

    def params(self) -> list[Layers]:
        """Of the one network."""
        return [self.layers]


def sigmoid(z: np.ndarray) -> np.ndarray:
    """`1/(1 + e⁻ᶻ)`, clipped where float32 would overflow."""
    return 1 / (1 + np.exp(-np.clip(z, -80, 80)))


def sigmoid_slope(a: np.ndarray) -> np.ndarray:
    """The derivative of the sigmoid, from its value `a`."""
    return a * (1 - a)


def relu(z: np.ndarray) -> np.ndarray:
    """`max(z, 0)`."""
    return np.maximum(z, 0)


def relu_slope(a: np.ndarray) -> np.ndarray:
    """The derivative of the ReLU, from its value `a`; 0 at 0."""
    return a > 0


def quadratic_delta(z: np.ndarray, y: np.ndarray) -> np.ndarray:
    """`(a − y) a (1 − a)` per row; the mean's 1/B is in the step."""
    a = sigmoid(z)
    return (a - y) * a * (1 - a)


def softmax_delta(z: np.ndarray, y: np.ndarray) -> np.ndarray:
    """`softmax(z) − y` per row."""
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True) - y


ACTIVATIONS = {"sigmoid": (sigmoid, sigmoid_slope), "relu": (relu, relu_slope)}
DELTAS = {"quadratic": quadratic_delta, "log-likelihood": softmax_delta}
