"""The digits by scikit-learn: an epoch is a `partial_fit`; after each one the three parts are evaluated."""

from __future__ import annotations

import numpy as np
from sklearn.neural_network import MLPClassifier

from experiments.benchmark.digits_task import BATCH_SIZE, EPOCHS, ETA, LMBDA, MU, UNITS, arguments, finish


def main() -> None:
    """Train, evaluate, draw."""
    parts, picture = arguments()
    model = classifier()
    history: dict[str, list[tuple[float, float]]] = {part: [] for part in parts}
    for _ in range(EPOCHS):
        model.partial_fit(*parts["train"], classes=np.arange(10))
        for part, (x, labels) in parts.items():
            history[part].append(evaluated(model, x, labels))
    finish(history, picture)


def classifier() -> MLPClassifier:
    """The network of the task. scikit-learn divides its penalty by the mini-batch size."""
    return MLPClassifier(
        hidden_layer_sizes=(UNITS,),
        solver="sgd",
        alpha=LMBDA * BATCH_SIZE,
        batch_size=BATCH_SIZE,
        learning_rate_init=ETA,
        momentum=MU,
        nesterovs_momentum=False,
        random_state=0,
    )


def evaluated(model: MLPClassifier, x: np.ndarray, labels: np.ndarray) -> tuple[float, float]:
    """The mean cost in nats, and the accuracy."""
    outputs = model.predict_proba(x)
    cost = -np.log(outputs[np.arange(len(x)), labels]).mean()
    return float(cost), float((outputs.argmax(axis=1) == labels).mean())


if __name__ == "__main__":
    main()
