"""The page of runs: a table with a row for each, their curves in common pictures, and the results of the best ones."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

from fnn.pages.charts import TOLD_APART, Curve, chart, legend
from fnn.pages.details import PARTS, details
from fnn.pages.markup import Cell, escaped, folded, paragraph, table
from fnn.pages.runs_table import Shown, results_table

IN_DETAIL = 6  # runs whose results are shown one by one
MISTAKES, OF_SEVERAL = 40, 12  # mistakes that are shown of a run alone, and of one among others
PARTS_SAID = {part: PARTS[part] for part in ("train", "validation", "test")}


def sections(runs: Sequence[Shown], same: Mapping[str, str], warnings: Sequence[str] = ()) -> Iterator[str]:
    """The parts of the page.

    Args:
        runs: In the order in which they are shown, at least one.
        same: The settings that all of them have.
        warnings: What a reader who compares them has to know.
    """
    yield f"<h2>{'Runs' if len(runs) > 1 else 'Results'}</h2>"
    yield from map(paragraph, _about(runs))
    yield from (f'<p class="bad">{escaped(warning)}</p>' for warning in warnings)
    yield results_table(runs, [_place(i) for i in range(IN_DETAIL)] if len(runs) > 1 else ())
    if same:
        rows = [[Cell(name), Cell(value)] for name, value in same.items()]
        title = "The same in all of them" if len(runs) > 1 else "Settings"
        yield folded(title, table(title, ("setting", "value"), rows))
    yield from _curves([run for run in runs if run.lines])
    yield from _details(runs)


def _about(runs: Sequence[Shown]) -> Iterator[str]:
    validated = sum(any(name.startswith("validation") for name in run.scores) for run in runs)
    if len(runs) > 1:
        order = "the best by validation first" if validated else "the newest first: none has validation data"
        yield f"{len(runs)} runs, {order}. A click on the head of a column sorts by it."
    yield (
        "The results are those of the params that a run has kept: of its best epoch by validation if it was told so, "
        "else of its last one. Cost: the mean per example. The share of the largest class is what always saying it "
        "would get right."
    )


def labels(runs: Sequence[Shown]) -> list[str]:
    """What the curves are called: what the runs differ in, or their names; both where the first is the same."""
    said = [run.label for run in runs]
    return [one if said.count(one) == 1 else f"{one} ({run.name})" for one, run in zip(said, runs, strict=True)]


def _points(run: Shown, name: str) -> list[tuple[float, float]]:
    factor = 100 if name.endswith("accuracy") else 1
    return [(line["epoch"], factor * line.get(name, math.nan)) for line in run.lines]


def _axis(measure: str) -> str:
    return "accuracy (%)" if measure == "accuracy" else "cost (mean per example)"


def _curves(runs: Sequence[Shown]) -> Iterator[str]:
    """The pictures of the curves, if there are any, with their legend."""
    some = runs[:TOLD_APART]
    pictures = _of_one(runs[0]) if len(runs) == 1 else _side_by_side(some)
    if not any(pictures):
        return
    yield "<h2>Curves</h2>"
    if len(runs) > TOLD_APART:
        yield paragraph(f"Of the first {TOLD_APART} of the {len(runs)} runs; more cannot be told apart.")
    has = {name.partition("_")[0] for line in runs[0].lines for name in line}
    of_one = {i: said for i, (part, said) in enumerate(PARTS_SAID.items()) if part in has}
    yield legend(of_one if len(runs) == 1 else dict(enumerate(labels(some))))
    yield f'<div class="charts">{"".join(pictures)}</div>'


def _of_one(run: Shown) -> list[str]:
    """The curves of a run: its parts in one picture for each measure."""
    return [
        chart(
            measure,
            "epoch",
            _axis(measure),
            [
                Curve(said, i, _points(run, f"{part}_{measure}"), faint=part == "test")
                for i, (part, said) in enumerate(PARTS_SAID.items())
                if any(f"{part}_{measure}" in line for line in run.lines)
            ],
            log=measure == "cost",
        )
        for measure in ("cost", "accuracy")
    ]


def _side_by_side(runs: Sequence[Shown]) -> list[str]:
    """The curves of several runs: a picture for each measure on the training data, and on those to choose by."""
    has = {name for run in runs for line in run.lines for name in line}
    chosen = next((part for part in ("validation", "test") if f"{part}_cost" in has), "train")
    wanted = dict.fromkeys((("train", "cost"), (chosen, "cost"), ("train", "accuracy"), (chosen, "accuracy")))
    return [
        chart(
            f"{PARTS_SAID[part]} {measure}",
            "epoch",
            f"{PARTS_SAID[part]} {_axis(measure)}",
            [
                Curve(said, i, _points(run, f"{part}_{measure}"))
                for i, (run, said) in enumerate(zip(runs, labels(runs), strict=True))
            ],
            log=measure == "cost",
        )
        for part, measure in wanted
        if f"{part}_{measure}" in has
    ]


def _place(i: int) -> str:
    return f"run-{i + 1}"


def _details(runs: Sequence[Shown]) -> Iterator[str]:
    """The results of the first runs, one by one."""
    if len(runs) > 1:
        yield "<h2>One by one</h2>"
    if len(runs) > IN_DETAIL:
        yield paragraph(f"The first {IN_DETAIL} of the {len(runs)} runs; fnn report RUN shows another.")
    for i, run in enumerate(runs[:IN_DETAIL]):
        if len(runs) > 1:
            yield f'<h3 id="{_place(i)}">{escaped(run.name)}</h3>'
        yield paragraph("; ".join(_ended(run)))
        try:
            yield details(run.results, run.images, MISTAKES if len(runs) == 1 else OF_SEVERAL)
        except (AttributeError, LookupError, TypeError, ValueError, ArithmeticError) as error:
            yield paragraph(f"Its result.json has results that cannot be shown: {type(error).__name__}: {error}")


def _ended(run: Shown) -> Iterator[str]:
    """How the run has ended."""
    yield run.label if run.label != run.name else run.state
    if run.results.get("stopped"):
        yield str(run.results["stopped"])
    if run.results.get("best_epoch"):
        yield f"best epoch by validation: {run.results['best_epoch']}"
    if not run.results:
        yield "no results of single classes: it is not finished, or was trained by an earlier version of fnn"
