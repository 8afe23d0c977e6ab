"""Learning-rate schedules and early stopping, as pure functions of the scores so far (Nielsen, ch. 3).

Every epoch has a score, a number that should grow: the validation accuracy, or minus a cost. A schedule has a memory,
a `Progress` of four plain numbers. `init` gives the memory before the first epoch. From its memory and the newest score
a schedule computes its new memory. `Progress.factor` multiplies eta in the next epoch; 0 ends the training. "No
improvement in the last k epochs" means that none of them beat the best score before them; a tie is no improvement.
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
    epoch: int = 0  # epochs that are done; training counts them, so that no schedule has to

    def seen(self, score: float) -> Progress:
        """The progress after one more score."""
        if score > self.best:
            return self._replace(best=score, stale=0)
        return self._replace(stale=self.stale + 1)


@runtime_checkable
class Schedule(Protocol):
    """A rule for eta and for stopping.

    A static class of yours with these two methods is one. Warm-up and a cosine are shown in `docs/schedules.md`.

    Examples:
        >>> import fnn
        >>> @fnn.static
        ... class Decay:
        ...     rate: float = 0.9
        ...
        ...     def init(self):
        ...         return fnn.Progress()
        ...
        ...     def after(self, progress, score):
        ...         return progress.seen(score)._replace(factor=self.rate**progress.epoch)
        >>> isinstance(Decay(), fnn.Schedule), Decay().after(fnn.Progress(epoch=2), 0.5).factor
        (True, 0.81)
    """

    def init(self) -> Progress:
        """What to remember before the first epoch; its factor, above 0, is that of the first epoch."""
        ...

    def after(self, progress: Progress, score: float) -> Progress:
        """What to remember after an epoch with this score; `progress.epoch` counts that epoch already."""
        ...


def before_the_first(schedule: Schedule) -> Progress:
    """The memory of a schedule before the first epoch.

    Raises:
        TypeError: `init` gives no `Progress`.
        ValueError: the factor of the first epoch is not above 0, or is infinite.
    """
    progress = _counted("init", schedule, schedule.init(), 0)
    if progress.factor == 0:
        raise ValueError(f"{type(schedule).__name__}.init: factor = 0 for epoch 1; expected a number above 0.")
    return progress


def after_an_epoch(schedule: Schedule, progress: Progress, score: float) -> Progress:
    """The memory of a schedule after one more epoch, which had this score. The epoch is counted here.

    Raises:
        TypeError: `after` gives no `Progress`.
        ValueError: the factor of the next epoch is below 0, infinite or nan.
    """
    epoch = progress.epoch + 1
    return _counted("after", schedule, schedule.after(progress._replace(epoch=epoch), score), epoch)


def _counted(method: str, schedule: Schedule, progress: Progress, epoch: int) -> Progress:
    """What a schedule's method gave after so many epochs, with a factor that Python and JSON know."""
    name = f"{type(schedule).__name__}.{method}"
    if not isinstance(progress, Progress):
        raise TypeError(f"{name}: gave {progress!r:.80}; expected a Progress, such as progress.seen(score).")
    factor = float(progress.factor)
    if not 0 <= factor < math.inf:
        remedy = "expected a number of at least 0, which multiplies eta there; 0 ends the training"
        raise ValueError(f"{name}: factor = {factor} for epoch {epoch + 1}; {remedy}.")
    return progress._replace(factor=factor, epoch=epoch)


@static
class Constant:
    """The same eta in every epoch, to the last."""

    def init(self) -> Progress:
        """Nothing yet; the first epoch has the whole eta."""
        return Progress()

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

    def init(self) -> Progress:
        """Nothing yet; the first epoch has the whole eta."""
        return Progress()

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

    def init(self) -> Progress:
        """Nothing yet; the first epoch has the whole eta."""
        return Progress()

    def after(self, progress: Progress, score: float) -> Progress:
        """What to remember after an epoch with this score."""
        progress = progress.seen(score)
        if progress.stale < self.patience:
            return progress
        factor = progress.factor / 2
        return progress._replace(stale=0, factor=factor if factor * self.until > 1 else 0.0)
