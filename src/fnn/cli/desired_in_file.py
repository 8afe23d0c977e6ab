"""What a file of inputs says about the desired outputs of its rows: the label column of a table, or `y` of an `.npz`.

Nothing there is refused, for the outputs do not depend on it. A cell that says nothing that is understood counts as one
that does not say what is desired. Shape letters: `n` rows, `n_out` outputs.
"""

from __future__ import annotations

import math

import numpy as np

from fnn.cli.prediction_table import Desired, of_classes, of_numbers
from fnn.data import tables
from fnn.data.cells import is_missing, is_number
from fnn.data.spelling import canonical
from fnn.runs.prediction import Model
from fnn.storage.arrays import OtherArraysError, read_npz


def desired_in(file: str, model: Model, a: np.ndarray) -> Desired | None:
    """What a file that holds the inputs of the outputs `a` `(n, n_out)` says is desired; None if it does not say it."""
    cells = _column(file, model) if tables.is_table(file) else _array(file, model, a)
    if cells is None or len(cells) != len(a):
        return None
    if isinstance(cells, np.ndarray):
        desired = of_numbers(a, cells, "none")
    elif model.classes:
        classes = _by_number(model.classes)
        desired = of_classes(model, a, [_class(cell, classes) for cell in cells])
    else:
        desired = of_numbers(a, np.array([[_quantity(cell)] for cell in cells]), "none")
    return desired if desired.known.any() else None


def _column(file: str, model: Model) -> list[str] | None:
    """The cells of the label column of a table; None if it has no such column."""
    dropped = model.encoding.dropped if model.encoding else ()
    names = tables.header(file, dropped)
    if not model.label or model.label not in names:
        return None
    table = tables.read(file, (model.label,), {*names, *dropped} - {model.label})
    return [canonical(cell.strip()) for cell in table.cells(model.label)]


def _array(file: str, model: Model, a: np.ndarray) -> list[str] | np.ndarray | None:
    """The labels in `y` of an `.npz` as texts, or its quantities `(n, n_out)`; None if it has none that fit."""
    if not file.lower().endswith(".npz"):
        return None
    try:
        y = read_npz(file, ("y",), unread=("x",), text=("y",))["y"]
    except OtherArraysError:
        return None
    if model.classes and y.ndim == 2 and y.shape[1] == len(model.classes) > 1 and y.dtype.kind in "biuf":
        return [model.classes[k] for k in y.argmax(axis=1)]
    if not model.classes and y.dtype.kind in "biuf" and y.size == a.size:
        return y.reshape(a.shape).astype(np.float64)
    if y.size != len(y) or y.dtype.kind == "S":
        return None
    return [canonical(str(label).strip()) for label in y.ravel().tolist()]


def _by_number(classes: tuple[str, ...]) -> dict[str | float, str]:
    """The classes by their names, and by the numbers that these are: 1.0 is the class 1."""
    return {**{float(name): name for name in classes if is_number(name)}, **{name: name for name in classes}}


def _class(cell: str, classes: dict[str | float, str]) -> str:
    """The class that a cell names; "" if it names none, and the cell itself if the class is unknown."""
    if cell in classes:
        return classes[cell]
    if is_missing(cell):
        return ""
    return classes.get(float(cell), cell) if is_number(cell) else cell


def _quantity(cell: str) -> float:
    """The number in a cell; nan if it holds none."""
    return float(cell) if is_number(cell) and math.isfinite(float(cell)) else math.nan
