"""The runs of a page, and the table of their results."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any, NamedTuple

from fnn.pages.details import PARTS
from fnn.pages.markup import Cell, table

LARGEST = 2**63  # a whole number that a file says
MOST_TOLD = 4  # settings that name a curve, and that stand before the results


class Shown(NamedTuple):
    """A run, as the page shows it."""

    name: str
    state: str  # in words
    different: dict[str, str]  # the settings in which the runs differ, by their short names
    epoch: int  # the last one that is finished
    epochs: int
    seconds: float  # of training
    parameters: int | None
    scores: dict[str, float]  # "test_accuracy", ...: of the params that are kept, else of the last epoch
    lines: Sequence[dict[str, float]]  # of metrics.jsonl: "epoch", and measures that may be nan
    results: dict[str, Any]  # the entry of its result.json; {} for a run of an earlier version
    images: Sequence[str] = ()  # of its mistakes

    @property
    def label(self) -> str:
        """What it differs in; its name, if that is nothing or too much for a line."""
        said = [f"{name} {value}" for name, value in self.different.items() if value]
        return ", ".join(said) if 0 < len(said) <= MOST_TOLD else self.name


def ranked(runs: Sequence[Shown]) -> list[Shown]:
    """The best by validation first: the highest accuracy, else the lowest cost; the others after them, as they came."""

    def rank(run: Shown) -> tuple[int, float]:
        accuracy, cost = (run.scores.get(f"validation_{name}", math.nan) for name in ("accuracy", "cost"))
        if not math.isnan(accuracy):
            return 0, -accuracy
        return (1, cost) if not math.isnan(cost) else (2, 0.0)

    return sorted(runs, key=rank)


def results_table(runs: Sequence[Shown], places: Sequence[str]) -> str:
    """The sortable table with a row for each run; of one run alone a row for each result.

    Args:
        runs: In the order in which they are shown.
        places: Where on the page the details of the first ones are; () if that is nowhere.
    """
    different = list(dict.fromkeys(name for run in runs for name in run.different))
    settings = [(name, [_setting(run.different.get(name, "")) for run in runs]) for name in different]
    columns: list[tuple[str, list[Cell]]] = [
        ("run", [Cell(run.name, link=link) for run, link in zip(runs, [*places, *[""] * len(runs)], strict=False)]),
        *settings[:MOST_TOLD],
        *(
            (f"{PARTS[part]} {measure}", [score(measure, run.scores.get(f"{part}_{measure}")) for run in runs])
            for part, measure in product(("validation", "test", "train"), ("accuracy", "cost"))
        ),
        ("largest class", [_majority(run.results) for run in runs]),
        ("RMSE", [_rmse(run.results) for run in runs]),
        ("state", [Cell(run.state) for run in runs]),
        ("epochs", [Cell(f"{run.epoch}/{run.epochs}", run.epoch, number=True) for run in runs]),
        ("kept epoch", [_whole(run.results.get("kept_epoch")) for run in runs]),
        ("parameters", [_whole(run.parameters) for run in runs]),
        ("seconds", [Cell(f"{run.seconds:.1f}", run.seconds, number=True) for run in runs]),
        *settings[MOST_TOLD:],
    ]
    kept = [(name, cells) for name, cells in columns if any(cell.text for cell in cells)]
    if len(runs) == 1:
        return table("Results", ("result", "value"), [[Cell(name), cells[0]] for name, cells in kept])
    rows = zip(*(cells for _, cells in kept), strict=True)
    return table("Runs", [name for name, _ in kept], list(rows), sortable=True)


def score(measure: str, value: float | None) -> Cell:
    """An accuracy in percent, a cost with five digits; empty for None."""
    if value is None:
        return Cell("", number=True)
    if math.isnan(value):
        return Cell("not finite", number=True)
    return Cell(f"{value:.2%}" if measure == "accuracy" else f"{value:.5g}", value, number=True)


def _setting(value: str) -> Cell:
    try:
        number = float(value)
    except ValueError:
        return Cell(value)
    return Cell(value, number if math.isfinite(number) else None, number=True)


def _whole(value: Any) -> Cell:
    known = isinstance(value, int) and abs(value) < LARGEST
    return Cell(f"{value:,}", value, number=True) if known else Cell("", number=True)


def _first_part(results: Mapping[str, Any]) -> Mapping[str, Any]:
    """What is measured on the test data, else on the validation data, else on the training data."""
    parts = results.get("parts")
    parts = parts if isinstance(parts, dict) else {}
    part = next((parts[name] for name in PARTS if name in parts), {})
    return part if isinstance(part, dict) else {}


def _majority(results: Mapping[str, Any]) -> Cell:
    majority = _first_part(results).get("majority")
    value = majority.get("share") if isinstance(majority, dict) else None
    return score("accuracy", float(value)) if isinstance(value, (int, float)) else Cell("", number=True)


def _rmse(results: Mapping[str, Any]) -> Cell:
    """The error in the user's units, where there is one output."""
    outputs = _first_part(results).get("outputs")
    one = outputs[0] if isinstance(outputs, list) and len(outputs) == 1 else {}
    value = one.get("rmse") if isinstance(one, dict) else None
    return score("cost", float(value)) if isinstance(value, (int, float)) else Cell("", number=True)
