"""The task of `configs/digits.toml` for the contestants of the case `start`, which import neither fnn nor JAX."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence

import matplotlib
import numpy as np

matplotlib.use("Agg")
UNITS, EPOCHS, BATCH_SIZE = 256, 60, 32
ETA, MU, LMBDA = 0.1, 0.9, 1e-4
PARTS = "train", "validation", "test"

Parts = Mapping[str, tuple[np.ndarray, np.ndarray]]  # x (n, 64) float32 in [0, 1], labels (n,)
History = Mapping[str, Sequence[tuple[float, float]]]  # of each part the cost and the accuracy after every epoch


def arguments() -> tuple[Parts, str]:
    """The parts, from the file that the command names first, and the path of the figure."""
    _, file, picture = sys.argv
    arrays = np.load(file)
    return {part: (arrays[f"{part}_x"], arrays[f"{part}_labels"]) for part in PARTS}, picture


def finish(history: History, picture: str) -> None:
    """Draws the learning curves, and says what came out."""
    import matplotlib.pyplot as plt

    fig, axes = plt.subplots(1, 2, figsize=(9, 4), layout="constrained")
    epochs = range(1, EPOCHS + 1)
    for i, (ax, name) in enumerate(zip(axes, ("cost", "accuracy"), strict=True)):
        for part in PARTS:
            ax.plot(epochs, [values[i] for values in history[part]], label=part)
        ax.set(xlabel="epoch", ylabel=name)
        ax.grid(alpha=0.3)
    axes[0].set_yscale("log")
    axes[0].legend()
    fig.savefig(picture)
    print(f"test accuracy {history['test'][-1][1]:.2%}")
