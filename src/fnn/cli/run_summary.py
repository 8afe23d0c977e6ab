"""What `fnn run` prints at its end: why it stopped, which epoch is kept, and what the net does, in 80 columns.

All of it stands in the table "results" of `result.json`, see `fnn.runs.results`.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from fnn.data.wording import listed
from fnn.plots import curves

WIDTH = 79  # columns that are used of a terminal's 80
INDENT = 9
LONGEST_NAME, LONGEST_INPUT = 20, 40  # characters in a table
MOST_CLASSES, MOST_OUTPUTS = 50, 20  # in a table
MOST_NAMED = 5  # in a warning
LARGEST_PLAIN = 1e12  # a number that is written without an exponent
SAID = {"train": "training", "validation": "validation", "test": "test"}
NOT_FINITE = "not finite"
ERRORS = ("RMSE", "baseline", "R²")

Table = Mapping[str, Any]


def lines(results: Table, seconds: float, columns: Sequence[str]) -> list[str]:
    """The whole summary.

    Args:
        results: What came out.
        seconds: Of training.
        columns: The names of the inputs; () where they have none.
    """
    if results["task"] == "truth table":
        told = _truth_table(results, columns)
    else:
        told = _quantities(results) if results["task"] == "quantities" else _classes(results)
    return [
        *wrapped("trained", f"{results['epochs']:,} epoch{'s' * (results['epochs'] > 1)} in {seconds:.2f} s"),
        *wrapped("stopped", results["stopped"]),
        *wrapped("kept", _kept(results)),
        "",
        *told,
    ]


def wrapped(name: str, text: str) -> list[str]:
    """A text with its name before it, in as many lines as it needs."""
    return textwrap.wrap(
        f"{name:{INDENT}}{text}", WIDTH, subsequent_indent=" " * INDENT, break_on_hyphens=False, break_long_words=False
    )


def _kept(results: Table) -> str:
    """Which epoch is kept, and which was the best by validation."""
    best, kept, last = results.get("best_epoch"), results["kept_epoch"], results["epochs"]
    place = f"epoch {kept}{', the last' if kept == last else ''}"
    if best is None:
        return place
    if best == kept:
        by = ": accuracy, then cost" if "accuracy" in results["parts"].get("validation", {}) else ""
        return f"{place}, the best by validation{by}"
    return f'{place}; best by validation: {best} (keep = "best" keeps it)'


def judged(results: Table) -> str:
    """The part of the data that says most about new rows: the test, else the validation, else the training rows."""
    return list(_parts(results))[-1]


def _parts(results: Table) -> dict[str, Table]:
    """The parts that the data have, in the usual order."""
    return {name: results["parts"][name] for name in SAID if name in results["parts"]}


def _classes(results: Table) -> Iterator[str]:
    """The accuracies beside their baselines, and the part that says most by class."""
    rows = []
    for name, part in _parts(results).items():
        share, always = part["majority"]["share"], f"always {brief(part['majority']['class'])}"
        accuracy = percent(part["accuracy"], NOT_FINITE)
        rows.append([SAID[name], f"{part['n']:,}", number(part["cost"]), accuracy, percent(share, "-"), always])
    yield from aligned(["", "rows", "cost", "accuracy", "baseline", ""], rows)
    name = judged(results)
    part = results["parts"][name]
    table = _by_class(part)
    more = "; right of the bar how many are decided as each" if "|" in table[0] else ""
    yield from ("", f"{SAID[name]} rows by class{more}", *table, *_warnings(part, SAID[name]))


def _by_class(part: Table) -> list[str]:
    """A row for each class, and how many are decided as each class: at its right, else in a table below, if that fits.

    Of very many classes those of the lowest recall are shown.
    """
    classes, head = part["classes"], ["", "rows", "recall", "precision"]
    names = [brief(c["class"]) for c in classes]
    cells = [[f"{c['n']:,}", percent(c["recall"], "-"), percent(c["precision"], "-")] for c in classes]
    if len(classes) > MOST_CLASSES:
        worst = sorted(range(len(classes)), key=lambda k: (classes[k]["n"] == 0, classes[k]["recall"]))[:MOST_CLASSES]
        of = f"the {MOST_CLASSES} of {len(classes):,} classes with the lowest recall; result.json has all"
        return [*aligned(head, [[names[k], *cells[k]] for k in worst]), of]
    plain = [[name, *row] for name, row in zip(names, cells, strict=True)]
    if "confusion" not in part:
        return aligned(head, plain)
    counts = [[f"{n:,}" if n else "." for n in row] for row in part["confusion"]]
    nothing = ["none"] * (len(counts[0]) - len(names))
    right = [[*row, "|", *n] for row, n in zip(plain, counts, strict=True)]
    if _fits(whole := aligned([*head, "|", *names, *nothing], right)):
        return whole
    numbers = [str(k) for k in range(1, 1 + len(names))]
    numbered = [[f"{k:>{len(numbers[-1])}} {row[0]}", *row[1:]] for k, row in zip(numbers, plain, strict=True)]
    for called, rows in ((names, plain), (numbers, numbered)):
        below = aligned(["", *called, *nothing], [[name, *n] for name, n in zip(called, counts, strict=True)])
        if _fits(below):
            return [*aligned(head, rows), "", "how many of each class are decided as each", *below]
    return aligned(head, plain)


def _fits(table: Sequence[str]) -> bool:
    return max(map(len, table)) <= WIDTH


def _warnings(part: Table, said: str) -> Iterator[str]:
    """What a reader of the accuracy alone would not see."""
    majority, accuracy, n = part["majority"], part["accuracy"], part["n"]
    if accuracy is not None and accuracy < 1 and round(accuracy * n) <= round(majority["share"] * n):
        always = f"always saying {brief(majority['class'])!r}, which is right for {majority['share']:.2%} of the rows"
        yield from wrapped("warning:", f"the {said} accuracy of {accuracy:.2%} is no better than that of {always}")
    lost = [c for c in part["classes"] if c["n"] and not c["recall"]]
    if lost:
        named = [f"{brief(c['class'])!r} ({c['n']:,} row{'s' * (c['n'] > 1)})" for c in lost]
        yield from wrapped("warning:", f"never found among the {said} rows: {listed(named, MOST_NAMED)}")


def _quantities(results: Table) -> Iterator[str]:
    """The costs, and RMSE and R² in the units of the user; of several quantities for the part that says most."""
    parts, name = _parts(results), judged(results)
    outputs = parts[name]["outputs"]
    rows = [[SAID[key], f"{part['n']:,}", number(part["cost"])] for key, part in parts.items()]
    if len(outputs) == 1:
        rows = [[*row, *_error(part["outputs"][0])] for row, part in zip(rows, parts.values(), strict=True)]
        yield from aligned(["", "rows", "cost", *ERRORS], rows)
        unit = f"units of {brief(outputs[0]['name'])}"
    else:
        yield from aligned(["", "rows", "cost"], rows)
        table = [[brief(output["name"]), *_error(output)] for output in outputs[:MOST_OUTPUTS]]
        yield from ("", *aligned([f"{SAID[name]} rows", *ERRORS], table))
        more = f"; result.json has all {len(outputs):,} outputs" if len(outputs) > MOST_OUTPUTS else ""
        unit = f"units of each output{more}"
    yield f"RMSE in the {unit}; the baseline is always saying the mean"
    poor = [brief(output["name"]) for output in outputs if output["r2"] is not None and output["r2"] <= 0]
    if poor:
        said = f"on the {SAID[name]} rows no better than always saying the mean: {listed(poor, MOST_NAMED)}"
        yield from wrapped("warning:", said)


def _error(output: Table) -> list[str]:
    r2 = "-" if output["r2"] is None else f"{output['r2']:.4f}"
    return [number(output["rmse"]), number(output["sd"]), r2]


def _truth_table(results: Table, columns: Sequence[str]) -> Iterator[str]:
    """All rows; those that are decided wrongly are marked."""
    part = results["parts"]["train"]
    rows = part["rows"]
    names = [brief(name) for name in columns or [f"x{k}" for k in range(1, 1 + len(rows[0]["x"]))]]
    wrong = [row["desired"] != row["decided"] for row in rows]
    said = [
        [brief(row["desired"]), brief(row["decided"]), " ".join(f"{a:.4f}" for a in row["a"]), "wrong" * mistaken]
        for row, mistaken in zip(rows, wrong, strict=True)
    ]
    head = ["|", "desired", "decided", f"output{'s' * (len(rows[0]['a']) > 1)}", ""]
    table = aligned([*names, *head], [[*map(str, row["x"]), "|", *more] for row, more in zip(rows, said, strict=True)])
    if not _fits(table):
        inputs = ["".join(map(str, row["x"]))[:LONGEST_INPUT] for row in rows]
        table = aligned(["inputs", *head], [[x, "|", *more] for x, more in zip(inputs, said, strict=True)])
    yield from table
    yield f"{len(rows) - sum(wrong)} of {len(rows)} rows right; cost {number(part['cost'])}"
    yield from _warnings(part, SAID["train"])


def aligned(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """A table: the first column stands at the left, all others at the right of their width."""
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    table = ([row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])] for row in (head, *rows))
    return ["  ".join(line).rstrip() for line in table]


def brief(name: str) -> str:
    """A name as it fits into a table: printable, and cut where it is long."""
    return curves.short(name if name.isprintable() else ascii(name)[1:-1], LONGEST_NAME)


def number(value: float | None) -> str:
    """A number with four digits, and without an exponent up to a million million."""
    if value is None:
        return NOT_FINITE
    text = f"{value:.4g}"
    return f"{float(text):,.0f}" if "e+" in text and abs(value) < LARGEST_PLAIN else text


def percent(share: float | None, without: str) -> str:
    """A share in percent; where there is none, the text `without`."""
    return without if share is None else f"{share:.2%}"
