"""A training as values: what to train and how, where it stands, and what comes out of each epoch."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from fnn.examples import Examples
from fnn.network import backprop
from fnn.schedules import Constant, Progress, Schedule
from fnn.training.augmentation import Shifted
from fnn.training.evaluation import Evaluation, Measure
from fnn.training.monitors import Reading
from fnn.training.spreading import Spread
from fnn.types import Cost, Gradient, Key, Net, Optimizer, Params, brief, numbers_in


class Task(NamedTuple):
    """What to train and how; `fit` documents the fields."""

    net: Net
    cost: Cost
    optimizer: Optimizer
    train: Examples | Shifted | Spread
    key: Key
    batch_size: int
    epochs: int
    gradient: Gradient = backprop
    validation: Examples | Spread | None = None
    test: Examples | Spread | None = None
    schedule: Schedule = Constant()
    target_cost: float = -math.inf
    monitor: bool = False
    measure: Measure | None = None
    keep: str = "last"  # or "best": which params a run directory gets, see `training.keeping`

    @property
    def parts(self) -> tuple[Any, Any, Any]:
        """The examples to train on, to choose by and to report on; the last two may be None or empty."""
        return self.train, self.validation, self.test


class State(NamedTuple):
    """Where a training stands. With its `Task` this decides all that follows."""

    epochs: int  # that are finished, evaluation included
    step: int  # mini-batches of the next epoch that are done
    params: Params
    v: Params  # the optimiser's state
    progress: Progress  # the schedule's memory
    seconds: float = 0.0  # of training in the unfinished epoch
    done: bool = False  # no epoch follows
    tally: Any = ()  # of the unfinished epoch, see `training.monitors`; `()` in a training that is not monitored


class Start(NamedTuple):
    """What a training remembers between two epochs, besides its params: `fit` goes on from it."""

    v: Params  # the optimiser's state
    progress: Progress  # the schedule's memory, which counts the epochs
    cost: float = math.inf  # of the training set, which `target_cost` is held against before the next epoch


class Result(NamedTuple):
    """What `fit` yields after each epoch."""

    epoch: int  # from 1
    factor: float  # of eta in this epoch, by the schedule
    train: Evaluation  # on the training examples, after the epoch
    validation: Evaluation | None  # None without such examples
    test: Evaluation | None  # the same
    seconds: float  # the epoch's training, and waiting for a file: neither compilation nor evaluation
    params: Params  # after the epoch
    v: Params  # the optimiser's state
    progress: Progress  # the schedule's memory
    monitor: tuple[Reading, ...] = ()  # of each layer; `()` unless asked for

    def __repr__(self) -> str:
        """What was measured, and how large the rest is, in one line."""
        parts = (f"{part}={getattr(self, part)!r}" for part in ("train", "validation", "test") if getattr(self, part))
        said = ", ".join(
            [f"epoch={self.epoch}", f"factor={brief(self.factor)}", *parts, f"seconds={brief(self.seconds)}"]
        )
        return f"Result({said}, params={numbers_in(self.params)})"

    @property
    def start(self) -> Start:
        """From where, with `params`, `fit` goes on after this epoch."""
        return Start(self.v, self.progress, float(self.train.cost))
