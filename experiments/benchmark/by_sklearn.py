"""scikit-learn's `MLPClassifier` with plain SGD: `partial_fit` on the shuffled data is one epoch of mini-batches.

It has no quadratic cost. With several sigmoid outputs its cost is the cross-entropy. Its update is then compared with
that of `fnn` for this cost, which takes 2 B n_out multiplications less than the quadratic cost.
"""

from __future__ import annotations

import numpy as np
from sklearn.neural_network import MLPClassifier

from experiments.benchmark.tasks import Layers, Task, timed

ACTIVATIONS = {"sigmoid": "logistic", "relu": "relu"}


class Network:
    """The classifier with the task's start, and without momentum and penalty."""

    def __init__(self, task: Task) -> None:
        """Lets the classifier make its arrays by an epoch on one example, then writes the start into them."""
        self.task = task
        self.x, self.y = task.data.pixels, labels(task)
        self.model = classifier(task)
        self.model.partial_fit(self.x[: task.batch_size], self.y[: task.batch_size], classes=np.arange(10))
        for (W, b), coefs, intercepts in zip(task.start, self.model.coefs_, self.model.intercepts_, strict=True):
            coefs[:], intercepts[:] = W.T, b

    @timed
    def epoch(self, seed: int) -> None:
        """One call; the rows are put in order before it, which is cheaper than its own shuffle."""
        rows = self.task.batches(seed).ravel()
        self.model.partial_fit(self.x[rows], self.y[rows])

    def params(self) -> list[Layers]:
        """Of the one network."""
        return [[(W.T, b) for W, b in zip(self.model.coefs_, self.model.intercepts_, strict=True)]]


def classifier(task: Task) -> MLPClassifier:
    """The task in the words of scikit-learn."""
    return MLPClassifier(
        hidden_layer_sizes=task.widths[1:-1],
        activation=ACTIVATIONS[task.activation],
        solver="sgd",
        alpha=0.0,
        batch_size=task.batch_size,
        learning_rate_init=task.eta,
        shuffle=False,
        momentum=0.0,
        nesterovs_momentum=False,
    )


def labels(task: Task) -> np.ndarray:
    """Class numbers, which give the classifier a softmax, or an indicator matrix, which gives it sigmoid outputs."""
    return task.data.y.argmax(axis=1) if task.cost == "log-likelihood" else task.data.y.astype(int)
