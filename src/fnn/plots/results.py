"""How a training has gone, as a figure for a notebook, a talk or a file: from what `fnn.fit` yields."""

from __future__ import annotations

import io
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from fnn.plots import curves, room

PARTS = {"train": "training", "validation": "validation", "test": "test"}
MARKS = ("o", "s", "^", "D", "v", "P", "X")  # beside the colour and the dashes, so that a grey print tells curves apart
MOST = len(curves.PALETTE)
DPI = 72  # of the picture in a notebook, which is then about as wide as the page


class Line(NamedTuple):
    """A curve in both axes."""

    name: str
    part: str  # of the data
    results: Sequence[Any]
    colour: str
    dashes: str
    mark: str


def learning(results: Iterable[Any] | Mapping[str, Iterable[Any]]) -> Any:
    """A figure with the cost, and the accuracy if there is one, over the epochs.

    Of one training it has a curve for each part of the data. Of several it has a curve for each training: on the
    validation data if all have some, else on the training data. A notebook shows the figure; `figure.savefig(path)`
    writes it. It is 13.3 inches wide with 18 points, as a slide needs it, and no window is opened.

    Args:
        results: What `fit` yields, whole or so far; or several trainings by their names, `{"eta 0.1": results, ...}`.

    Returns:
        A `matplotlib.figure.Figure`, made without pyplot.

    Raises:
        ImportError: matplotlib is not installed.
        TypeError: something is no result of `fit`.
        ValueError: there is no result, or there are more than 7 trainings, which are not told apart.
    """
    named = isinstance(results, Mapping)
    trainings = {str(name): list(each) for name, each in (results if named else {"": results}).items()}
    _check(trainings)
    if not curves.available():
        raise ImportError(curves.MISSING)
    lines = _by_training(trainings) if named else _by_part(trainings[""])
    with room.settings():
        figure = curves.figure(room.WIDTH, 6.0 + 0.4 * len(lines))
        accurate = any(_has_accuracy(result) for each in trainings.values() for result in each)
        measures = ("cost", "accuracy") if accurate else ("cost",)
        for axes, measure in zip(figure.subplots(1, len(measures), squeeze=False)[0], measures, strict=True):
            _draw(axes, measure, lines, named)
        figure.draw_without_rendering()
    figure._repr_png_ = lambda: _png(figure)  # what a notebook shows, without pyplot and %matplotlib too
    return figure


def _check(trainings: Mapping[str, Sequence[Any]]) -> None:
    for name, results in trainings.items():
        if not results:
            raise ValueError(
                f"learning: {name or 'the training'} has no results; a generator is empty once it was read."
            )
        for result in results:
            if not hasattr(result, "epoch") or math.prod(getattr(result.train.cost, "shape", ())) != 1:
                raise TypeError(f"learning: got {result!r:.80}; expected results of fit, each of one epoch.")
    if not 1 <= len(trainings) <= MOST:
        raise ValueError(f"learning: {len(trainings)} trainings; expected 1 to {MOST}, which can be told apart.")


def _by_part(results: Sequence[Any]) -> list[Line]:
    """A line for each part of the data that one training has."""
    there = [part for part in PARTS if all(getattr(result, part) is not None for result in results)]
    looks = {part: (curves.COLOURS[part], curves.STYLES[part], mark) for part, mark in zip(PARTS, MARKS, strict=False)}
    return [Line(PARTS[part], part, results, *looks[part]) for part in there]


def _by_training(trainings: Mapping[str, Sequence[Any]]) -> list[Line]:
    """A line for each training, all on the same part of the data."""
    validated = all(result.validation is not None for results in trainings.values() for result in results)
    part = "validation" if validated else "train"
    looks = zip(curves.PALETTE, (*curves.DASHES, *curves.DASHES), MARKS, strict=False)
    return [Line(name, part, each, *look) for (name, each), look in zip(trainings.items(), looks, strict=False)]


def _draw(axes: Any, measure: str, lines: Sequence[Line], named: bool) -> None:
    """The curves of one measure, with a legend above them that has their last values."""
    unit, factor = ("(%)", 100) if measure == "accuracy" else ("(mean per example)", 1)
    for line in lines:
        epochs = [result.epoch for result in line.results]
        values = factor * np.array([float(getattr(getattr(r, line.part), measure)) for r in line.results])
        label = f"{line.name}, last {values[-1]:.4g}{' %' * (factor == 100)}"
        look = {"color": line.colour, "ls": line.dashes, "marker": line.mark, "markevery": max(1, len(epochs) // 8)}
        axes.plot(epochs, values, label=label, **look)
    curves.label_epochs(axes, f"{PARTS[lines[0].part]} {measure} {unit}" if named else f"{measure} {unit}")
    if measure == "cost" and _spans_a_decade(axes):
        curves.log_scale(axes)
    axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), handlelength=3.0)


def _spans_a_decade(axes: Any) -> bool:
    """Whether all that is drawn is above 0, and some so large that a linear axis hides the rest; nan is not drawn."""
    numbers = np.concatenate([np.asarray(line.get_ydata(), float) for line in axes.get_lines()])
    numbers = numbers[np.isfinite(numbers)]
    return numbers.size > 0 and numbers.min() > 0 and numbers.max() > 10 * numbers.min()


def _has_accuracy(result: Any) -> bool:
    return math.isfinite(float(result.train.accuracy))


def _png(figure: Any) -> bytes:
    buffer = io.BytesIO()
    with room.settings():
        figure.savefig(buffer, format="png", dpi=DPI)
    return buffer.getvalue()
