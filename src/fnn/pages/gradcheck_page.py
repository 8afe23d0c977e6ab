"""The page of a gradient check: the verdict, a row for each leaf, what is wrong, and where, as pictures."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from fnn.pages import png
from fnn.pages.heat_maps import shade
from fnn.pages.markup import Cell, escaped, escaped_lines, folded, paragraph, table

LEAST, MOST = -18.0, 0.0  # log10 of the relative difference: none, and one as large as the number itself
LARGEST = 160  # pixels of a picture; of a larger matrix a pixel is the largest of a block
UNKNOWN = (128, 128, 128)  # where there is nothing to compare with


def sections(report: Mapping[str, Any], printed: str, heats: Mapping[str, Sequence[Sequence[float]]]) -> Iterator[str]:
    """The parts of the page.

    Args:
        report: What gradcheck.json holds.
        printed: The same as the command prints it.
        heats: For each leaf the log10 of its relative differences as a matrix; nan for no opinion.
    """
    yield from _verdict(report)
    yield "<h2>Each leaf of the gradient</h2>"
    yield _leaves(report["leaves"])
    yield paragraph(
        "autodiff: the largest relative difference to automatic differentiation. difference: the largest to a finite "
        "difference of the value. compared: how many coordinates have one. kinks: how many have none, because the "
        "value is not smooth within its reach."
    )
    if report.get("layers"):
        yield "<h2>Each layer by itself</h2>"
        yield _layers(report["layers"])
    yield "<h2>Where</h2>"
    yield paragraph(
        "A pixel is a coordinate: dark blue where both derivatives are equal, yellow where they differ by as much as "
        "they are, grey where there is nothing to compare with. A row holds the weights of one unit or filter; of the "
        "inputs it is an example."
    )
    yield f'<div class="parts">{"".join(_picture(name, heat) for name, heat in heats.items() if len(heat))}</div>'
    yield folded("As it is printed", f"<pre>{escaped_lines(printed)}</pre>")


def _verdict(report: Mapping[str, Any]) -> Iterator[str]:
    loop = report.get("training_loop", {})
    right = report["ok"] and loop.get("ok", True)
    said = "The gradient is right." if report["ok"] else "The gradient is NOT right, or could not be compared."
    yield f'<p class="{"good" if right else "bad"}">{said}{_said_of_loop(loop)}</p>'
    yield paragraph(f"{report['coordinates']:,} coordinates.")
    for text in (*report.get("slips", ()), *report.get("notes", ())):
        yield paragraph(text)
    if not report.get("value_ok", True):
        yield paragraph(f"The value is {report['value']}; expected {report['value_expected']}.")


def _said_of_loop(loop: Mapping[str, Any]) -> str:
    if not loop:
        return ""
    return " The training loop is right." if loop["ok"] else " The training loop is NOT right."


def _leaves(leaves: Sequence[Mapping[str, Any]]) -> str:
    head = ("leaf", "layer", "shape", "autodiff", "difference", "compared", "kinks", "verdict")
    rows = [
        [
            Cell(leaf["name"]),
            Cell(leaf["owner"].partition("(")[0]),
            Cell("x".join(map(str, leaf["shape"])) or "()", math.prod(leaf["shape"]), number=True),
            _gap(leaf["to_autodiff"]),
            _gap(leaf["to_difference"]),
            Cell(f"{leaf['compared']:,}", leaf["compared"], number=True),
            Cell(f"{leaf['left_out']:,}", leaf["left_out"], number=True),
            Cell(f"{leaf['wrong']:,} WRONG" if leaf["wrong"] else "ok" if leaf["ok"] else "UNSEEN"),
        ]
        for leaf in leaves
    ]
    return table("Leaves", head, rows, sortable=True)


def _gap(gap: Mapping[str, Any]) -> Cell:
    value = gap.get("relative")
    return Cell("-", number=True) if value is None else Cell(f"{value:.1e}", value, number=True)


def _layers(layers: Sequence[Mapping[str, Any]]) -> str:
    rows = [
        [
            Cell(str(layer["name"])),
            Cell(f"{layer['entries']:,}", layer["entries"], number=True),
            Cell("ok" if layer["ok"] else "NOT ok"),
            Cell(
                "; ".join(map(str, (*layer["faults"], *layer["slips"], *([layer["broken"]] * bool(layer["broken"])))))
            ),
        ]
        for layer in layers
    ]
    return table("Layers", ("layer", "numbers", "verdict", "what is wrong"), rows, sortable=True)


def _picture(name: str, heat: Sequence[Sequence[float]]) -> str:
    rows = blocks(heat)
    pixels = [[_colour(value) for value in row] for row in rows]
    scale = max(1, min(8, 320 // max(len(rows), len(rows[0]))))
    worst = max((v for row in heat for v in row if not math.isnan(v)), default=math.nan)
    said = "nothing to compare with" if math.isnan(worst) else f"largest {10**worst:.1e}" if worst > LEAST else "equal"
    size = f"{len(heat)} x {len(heat[0])}"
    alt = f"{name}: relative differences of {size} coordinates, {said}"
    return (
        f'<figure><img src="{png.coloured(pixels)}" width="{len(rows[0]) * scale}" height="{len(rows) * scale}" '
        f'alt="{escaped(alt)}"><figcaption>{escaped(f"{name}, {size}: {said}")}</figcaption></figure>'
    )


def _colour(value: float) -> png.Colour:
    return UNKNOWN if math.isnan(value) else shade((value - LEAST) / (MOST - LEAST))


def blocks(heat: Sequence[Sequence[float]]) -> list[list[float]]:
    """The matrix, or the largest number of each block of it, so that no side is longer than `LARGEST`."""
    down, across = (-(-size // LARGEST) for size in (len(heat), len(heat[0])))
    if down == across == 1:
        return [list(row) for row in heat]

    def largest(i: int, j: int) -> float:
        block = [v for row in heat[i : i + down] for v in row[j : j + across] if not math.isnan(v)]
        return max(block, default=math.nan)

    return [[largest(i, j) for j in range(0, len(heat[0]), across)] for i in range(0, len(heat), down)]
