"""Learning-rate schedules and early stopping, as pure functions of the scores so far (Nielsen, ch. 3).

Every epoch has a score, a number that should grow: the validation accuracy, or minus a cost. A schedule has a memory,
a `Progress` of three plain numbers. From its memory and the newest score it computes its new memory. `Progress.factor`
multiplies eta in the next epoch; 0 ends the training. "No improvement in the last k epochs" means that none of them
beat the best score before them; a tie is no improvement.
"""

from __future__ import annotations

import math
from typing import NamedTuple, Protocol, runtime_checkable

from fnn.types import positive, static


class Progress(NamedTuple):
    """What a schedule remembers from epoch to epoch."""

    best: float = -math.inf  # the highest score so far
    stale: int = 0  # epochs since the best score, or since the last change of eta if that is later
    factor: float = 1.0  # multiplies eta in the next epoch; 0 ends the training

    def seen(self, score: float) -> Progress:
        """The progress after one more score."""
        if score > self.best:
            return self._replace(best=score, stale=0)
        return self._replace(stale=self.stale + 1)


@runtime_checkable
class Schedule(Protocol):
    """A rule for eta and for stopping."""

    def after(self, progress: Progress, score: float) -> Progress:
        """What to remember after an epoch with this score."""
        ...


@static
class Constant:
    """The same eta in every epoch, to the last."""

    def after(self, progress: Progress, score: float) -> Progress:
        """What to remember after an epoch with this score."""
        return progress.seen(score)


@static
class EarlyStopping:
    """The same eta, and a stop after `patience` epochs without improvement ("no-improvement-in-n").

    Raises:
        TypeError: `patience` is not a whole number.
        ValueError: `patience` is below 1.
    """

    patience: int = 10

    def __post_init__(self) -> None:
        positive("EarlyStopping", "patience", self.patience)

    def after(self, progress: Progress, score: float) -> Progress:
        """What to remember after an epoch with this score."""
        progress = progress.seen(score)
        return progress._replace(factor=0.0) if progress.stale >= self.patience else progress


@static
class HalveOnPlateau:
    """Eta is halved after `patience` epochs without improvement; training ends when it would reach eta/`until`.

    With the default 128 the seventh halving ends the training, as in the exercise of Nielsen, ch. 3.

    Raises:
        TypeError: `patience` or `until` is not a whole number.
        ValueError: `patience` or `until` is below 1.
    """

    patience: int = 10
    until: int = 128

    def __post_init__(self) -> None:
        positive("HalveOnPlateau", "patience", self.patience)
        positive("HalveOnPlateau", "until", self.until)

    def after(self, progress: Progress, score: float) -> Progress:
        """What to remember after an epoch with this score."""
        progress = progress.seen(score)
        if progress.stale < self.patience:
            return progress
        factor = progress.factor / 2
        return progress._replace(stale=0, factor=factor if factor * self.until > 1 else 0.0)
