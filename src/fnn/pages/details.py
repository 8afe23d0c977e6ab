"""What came out of one run: each class by itself, the confusion matrix, quantities, truth tables, the surest mistakes.

The tables are those of the entry "results" in a `result.json`. It comes from a file: whatever it does not say is left
out, and what it says wrongly raises a KeyError, a TypeError or a ValueError.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from fnn.pages.markup import Cell, escaped, table

PARTS = {"test": "test", "validation": "validation", "train": "training"}  # the first that there is, is shown
SHADES = 4  # of a cell of a confusion matrix, those of page.css


def details(results: Mapping[str, Any], images: Sequence[str], most: int) -> str:
    """The parts of a page about the results of a run.

    Args:
        results: The entry of its `result.json`; {} for a run of an earlier version.
        images: The address of a picture for each mistake; () if the inputs are no images.
        most: The number of mistakes that are shown at most.
    """
    parts = results.get("parts", {})
    name = next((part for part in PARTS if part in parts), "")
    if not name:
        return ""
    part, said = parts[name], f"{PARTS[name]} data, {parts[name]['n']:,} rows"
    tables = [_of_classes(part, said), _confusion(part, said), _quantities(part, said), _truth(part)]
    shown = f'<div class="parts">{"".join(tables)}</div>' if any(tables) else ""
    return shown + _mistakes(results.get("mistakes", [])[:most], images)


def share(value: Any) -> Cell:
    """A share in percent; empty for None, which stands for 0/0."""
    if value is None:
        return Cell("", None, number=True)
    return Cell(f"{value:.1%}", float(value), number=True)


def _of_classes(part: Mapping[str, Any], said: str) -> str:
    if not part.get("classes"):
        return ""
    rows = [
        [Cell(each["class"]), Cell(f"{each['n']:,}", each["n"], True), share(each["recall"]), share(each["precision"])]
        for each in part["classes"]
    ]
    named = f"Each class: {said}"
    return _captioned(named, table(named, ("class", "rows", "recall", "precision"), rows, sortable=True))


def _confusion(part: Mapping[str, Any], said: str) -> str:
    confusion = part.get("confusion")
    if not confusion:
        return ""
    names = [escaped(each["class"]) for each in part["classes"]]
    head = "".join(f'<th scope="col">{name}' for name in names)
    body = "".join(
        f'<tr><th scope="row">{names[i]}{"".join(_counted(row, i, j) for j in range(len(row)))}'
        for i, row in enumerate(confusion)
    )
    named = f"Confusion: {said}; a row for each desired class, a column for each decided one"
    return _captioned(
        named,
        f'<div class="scroll" role="region" aria-label="{escaped(named)}" tabindex="0"><table class="confusion">'
        f"<thead><tr><td>{head}<tbody>{body}</table></div>",
    )


def _counted(row: Sequence[int], i: int, j: int) -> str:
    """A cell of the matrix: the darker, the larger its share of the row."""
    shade = -(-SHADES * row[j] // max(1, sum(row)))
    kind = f" class={'r' if i == j else 'w'}{shade}" if shade else ""
    return f"<td{kind}>{row[j]:d}"


def _quantities(part: Mapping[str, Any], said: str) -> str:
    if not part.get("outputs"):
        return ""
    rows = [[Cell(each["name"]), *(_plain(each[name]) for name in ("rmse", "r2", "sd"))] for each in part["outputs"]]
    named = f"Each output in its own units: {said}; RMSE is the root of the mean squared error"
    head = ("output", "RMSE", "R²", "standard deviation of y")
    return _captioned(named, table(named, head, rows, sortable=True))


def _plain(value: Any) -> Cell:
    return Cell("", None, number=True) if value is None else Cell(f"{value:.4g}", float(value), number=True)


def _truth(part: Mapping[str, Any]) -> str:
    if not part.get("rows"):
        return ""
    rows = [
        [
            Cell(" ".join(f"{v:g}" for v in each["x"])),
            *(Cell(" ".join(f"{v:.4g}" for v in each[k])) for k in ("y", "a")),
        ]
        + [Cell(str(each["decided"]))]
        for each in part["rows"]
    ]
    return _captioned("All rows", table("All rows", ("x", "desired y", "output a", "decided"), rows))


def _captioned(title: str, inner: str) -> str:
    return f"<figure><figcaption>{escaped(title)}</figcaption>{inner}</figure>"


def _mistakes(shown: Sequence[Mapping[str, Any]], images: Sequence[str]) -> str:
    """The mistakes with their pictures, or as a table."""
    if not shown:
        return ""
    count = "The only mistake" if len(shown) == 1 else f"The {len(shown)} surest mistakes"
    title = f"{count} on the {PARTS[shown[0]['part']]} data; rows as fnn predict numbers them, from 0"
    if not images:
        rows = [
            [Cell(str(each["row"]), each["row"]), Cell(each["class"]), Cell(each["decided"]), share(each["sure"])]
            for each in shown
        ]
        return _captioned(title, table(title, ("row", "is", "decided", "how sure"), rows, sortable=True))
    figures = "".join(_pictured(each, image) for each, image in zip(shown, images, strict=False))
    return f'<figure><figcaption>{escaped(title)}</figcaption><div class="mistakes">{figures}</div></figure>'


def _pictured(mistake: Mapping[str, Any], image: str) -> str:
    row, right, wrong = (escaped(mistake[name]) for name in ("row", "class", "decided"))
    return (
        f'<figure><img src="{image}" width="64" height="64" alt="row {row}"><figcaption>{wrong} with '
        f"{mistake['sure']:.1%}, is {right}; row {row}</figcaption></figure>"
    )
