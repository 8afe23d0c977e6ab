"""The table that `fnn predict` prints: the names of its columns, its rows, and how right they are.

    row, class, desired_class, output_CLASS, ...    for classes, one output for each
    row, output_LABEL, desired_LABEL                for a quantity

All outputs begin with `output_`, so that no class and no label can have the name of another column. The desired columns
are there if the data hold what is desired. Shape letters: `n` rows, `n_out` outputs.
"""

from __future__ import annotations

import csv
import io
from typing import NamedTuple

import numpy as np

from fnn.runs.prediction import Model
from fnn.training.evaluation import Measure

MOST_NAMED = 5  # of the outputs whose error is told, and of the classes that the network does not know


class Desired(NamedTuple):
    """What the data say about each row."""

    cells: list[list[str]]  # of the desired columns, a list for each row
    known: np.ndarray  # (n,), whether the row says it
    right: np.ndarray | None  # (n,), whether the row is decided rightly; None for quantities
    error: np.ndarray  # (n, n_out), output minus desired; of quantities alone
    strange: tuple[str, ...] = ()  # the classes that the network does not know


def names(model: Model, n_out: int) -> list[str]:
    """What each output stands for: a class, a bit of the class number, the highest first, the label, or its number."""
    if model.classes and model.targets != "binary":
        return list(model.classes)
    if model.classes:  # a single bit is 1 for the second class
        return [model.classes[1]] if n_out == 1 else [f"bit_{k}" for k in reversed(range(n_out))]
    return [model.label] if model.label and n_out == 1 else [str(k) for k in range(n_out)]


def of_classes(model: Model, a: np.ndarray, desired: list[str]) -> Desired:
    """What is desired, given by the names of the classes; "" where a row does not say it."""
    known = np.array([bool(name) for name in desired], bool)
    right = np.array([d == name for d, name in zip(desired, model.classes_of(a), strict=True)], bool)
    strange = tuple(dict.fromkeys(name for name in desired if name and name not in model.classes))
    return Desired([[name] for name in desired], known, right, np.empty((len(a), 0)), strange)


def of_numbers(a: np.ndarray, y: np.ndarray, measure: Measure) -> Desired:
    """What is desired, given by numbers `(n, n_out)` in the user's units; nan where a row does not say it.

    `measure` says when a row is decided rightly, as for `fnn.evaluate`.
    """
    known = np.asarray(np.isfinite(y).all(axis=1))
    right = {
        "classes": a.argmax(axis=1) == y.argmax(axis=1),
        "bits": ((a > 0.5) == (y > 0.5)).all(axis=1),
        "none": None,
    }[measure]
    cells = [[shown(v) for v in row] if k else [""] * len(row) for row, k in zip(y, known, strict=True)]
    return Desired(cells, known, right, a.astype(np.float64) - y)


def text(model: Model, a: np.ndarray, desired: Desired | None) -> str:
    """The whole table as a csv."""
    out, classes, called = io.StringIO(), model.classes_of(a), names(model, a.shape[1])
    outputs = [f"output_{name}" for name in called]
    rows = csv.writer(out, lineterminator="\n")
    if classes:
        rows.writerow(["row", "class", *(["desired_class"] if desired else []), *outputs])
        form = "{:.6g}".format
    else:
        rows.writerow(["row", *outputs, *(f"desired_{name}" for name in called if desired)])
        form = shown
    for i, row in enumerate(a):
        given, said = desired.cells[i] if desired else [], [form(v) for v in row]
        rows.writerow([i, classes[i], *given, *said] if classes else [i, *said, *given])
    return out.getvalue()


def shown(value: float) -> str:
    """A quantity with the seven digits that float32 has."""
    return f"{value:.7g}"


def score(model: Model, desired: Desired, where: str) -> str:
    """How right the rows are, in a sentence: the accuracy, or for quantities the root of the mean squared error.

    Only rows that say what is desired count. A class that the network does not know counts as a mistake.
    """
    n, without = int(desired.known.sum()), int((~desired.known).sum())
    if desired.right is not None:
        count = int((desired.right & desired.known).sum())
        said = f"accuracy {count / n:.2%}: {count:,} of {n:,} rows of {where}"
    else:
        roots = np.sqrt(np.mean(desired.error[desired.known] ** 2, axis=0))
        called = [f"y[{name}]" if name.isdecimal() else name for name in names(model, len(roots))]
        more = ", ..." if len(roots) > MOST_NAMED else ""
        each = ", ".join(f"{name} {root:.4g}" for name, root in list(zip(called, roots, strict=True))[:MOST_NAMED])
        said = f"RMSE in the units of the data: {each}{more}, over {n:,} rows of {where}"
    if desired.strange:
        more = ", ..." if len(desired.strange) > MOST_NAMED else ""
        unknown = ", ".join(map(repr, desired.strange[:MOST_NAMED]))
        said += f"; the network does not know the class {unknown}{more}, which counts as a mistake"
    rows = "row does" if without == 1 else "rows do"
    return said + (f"; {without:,} {rows} not say what is desired" if without else "")
