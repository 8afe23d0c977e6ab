"""What a comparison of two trainings has shown, in one sentence."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np

from fnn.checking.comparison import Comparison, Difference, Training
from fnn.training.tasks import Result
from fnn.types import Net

AGREES = 1e-2  # what is apart by more is said to differ
LARGE_ERROR, APART = 1e-4, 100  # an error that is larger, and so many times that of the other way, is no rounding
PARTS = ("train", "validation", "test")


def verdict(
    net: Net, epochs: Sequence[Comparison], trainings: Mapping[str, Training], asked: int, wrong_loops: Iterable[str]
) -> str:
    """How far the two ways agree, in one sentence.

    Args:
        net: The layers.
        epochs: The epochs that were compared.
        trainings: Both trainings after the last comparison, "backprop" and "autodiff".
        asked: The number of epochs that the trainings may have.
        wrong_loops: The ways whose training loop is wrong.
    """
    said = ", ".join(_clauses(net, epochs)) if epochs else "no epoch could be compared"
    loops = [f"the training loop of {way} is WRONG" for way in wrong_loops]
    return "; ".join([said, *_end(epochs, trainings, asked), *loops])


def _clauses(net: Net, epochs: Sequence[Comparison]) -> Iterator[str]:
    """What agrees: the gradients, then the parameters and what they reach in the last epoch."""
    last = epochs[-1]
    gradients = _gradients(net, epochs) if last.differences else "no layer has parameters, so there is no gradient"
    yield gradients
    if last.differences:
        n, gap = last.backprop.epoch, _gap(np.max([row.params for row in last.differences]))
        gap = gap.removeprefix("agree ") if " agree to " in gradients else gap
        yield f"the parameters after {n} epoch{'s' * (n > 1)} {gap}"
    yield _reached(last.backprop, last.autodiff)


def _gradients(net: Net, epochs: Sequence[Comparison]) -> str:
    """The largest difference between gradients, and the first that is nan."""
    rows = [(epoch, row) for epoch in epochs for row in epoch.differences]
    numbers = [(epoch, row) for epoch, row in rows if not math.isnan(row.gradient)]
    lost = next((epoch for epoch, row in rows if math.isnan(row.gradient)), None)
    said = "by hand and automatic gradients "
    if numbers:
        epoch, row = max(numbers, key=lambda pair: pair[1].gradient)
        said += _gap(row.gradient) + " of the largest entry at worst" * (row.gradient > 0)
        if not _is_rounding(row):
            where = f"layer {row.layer} ({type(net[row.layer]).__name__}), epoch {epoch.backprop.epoch}"
            said += f" (in {where}; nearer to float64: {row.nearer}; fnn gradcheck tells more)"
    else:
        said += "cannot be compared"
    if lost is not None:
        return f"{said}{', but not' * bool(numbers)} after epoch {lost.backprop.epoch}: {lost.fault or 'both are nan'}"
    return said


def _is_rounding(row: Difference) -> bool:
    """Whether two gradients differ no more than by rounding: both are about as far from float64."""
    less, more = sorted((row.backprop_error, row.autodiff_error))
    return row.gradient <= AGREES and not (more > LARGE_ERROR and more > APART * less)


def _gap(apart: float) -> str:
    """A relative difference in words; its number has one digit, `2e-5`."""
    if apart == 0:
        return "are equal"
    if apart > AGREES or math.isnan(apart):
        return f"differ by {apart:.2g}"
    digit, power = f"{apart:.0e}".split("e")
    return f"agree to {digit}e{int(power)}"


def _reached(by_hand: Result, automatic: Result) -> str:
    """The accuracies of both in the last epoch; the costs where there is no accuracy."""
    both = {part: (getattr(by_hand, part), getattr(automatic, part)) for part in PARTS}
    scores = {part: pair for part, pair in both.items() if None not in pair}
    shares = {part: [float(score.accuracy) for score in pair] for part, pair in scores.items()}
    if np.isnan(list(shares.values())).all():
        costs = [[float(score.cost) for score in pair] for pair in scores.values()]
        return f"costs {_gap(np.max([_apart(*pair) for pair in costs]))}"
    apart = {part: pair for part, pair in shares.items() if not np.array_equal(*pair, equal_nan=True)}
    said = [f"{part} {hand:.2%} by hand and {auto:.2%} automatic" for part, (hand, auto) in apart.items()]
    return f"accuracies differ ({', '.join(said)})" if said else "accuracies equal"


def _apart(one: float, other: float) -> float:
    """The relative difference of two numbers; 0 if both are infinite or nan."""
    return 0.0 if np.array_equal(one, other, equal_nan=True) else abs(one - other) / max(abs(one), abs(other))


def _end(epochs: Sequence[Comparison], trainings: Mapping[str, Training], asked: int) -> Iterator[str]:
    """Why there is no further epoch, unless all have been trained."""
    n = epochs[-1].backprop.epoch if epochs else 0
    diverged = {way: training.diverged for way, training in trainings.items() if training.diverged}
    others = {way: training for way, training in trainings.items() if way not in diverged}
    on = [way for way, training in others.items() if training.last is not None and training.last.epoch > n]
    if diverged:
        epoch = next(iter(diverged.values())).epoch
        who = "both trainings" if len(diverged) == 2 else f"the training by {next(iter(diverged))}"
        yield f"{who} diverged in epoch {epoch}" + "".join(f", that by {way} did not" for way in on)
    elif n < asked:
        stopped = [way for way in others if way not in on]
        who = "both trainings" if len(stopped) == 2 else f"the training by {stopped[0]}"
        yield f"{who} stopped there, before epoch {asked}" + "".join(f", that by {way} went on" for way in on)


def state(way: str, training: Training) -> str:
    """How a training stands: why it diverged, or what its last epoch has reached."""
    if training.diverged is not None:
        return f"{way}: {training.diverged}"
    if training.last is None:
        return f"{way}: no epoch."
    return f"{way}: epoch {training.last.epoch} is finite, training cost {float(training.last.train.cost):.4g}."
