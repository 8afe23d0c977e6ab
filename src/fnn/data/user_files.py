"""The user's own data: `.npz` and `.npy` here, tables with named columns in `fnn.data.table_files`."""

import os
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from fnn.data import tables
from fnn.data.arguments import is_file
from fnn.data.dataset import Raw
from fnn.data.encoding import Encoding
from fnn.data.gathering import Texts
from fnn.data.labels import AS_CLASSES, AS_QUANTITY, MOST_CLASSES, Labels, Outputs, Where
from fnn.data.on_disk import Stored, stored
from fnn.data.precision import check_kept
from fnn.data.shapes import check_shape
from fnn.data.table_files import Choice, read_inputs, read_table
from fnn.data.wording import counted
from fnn.errors import InputError
from fnn.storage.arrays import OtherArraysError, read_npy, read_npz
from fnn.storage.paths import user_path

OUTPUTS_REMEDY = "data.standardise_y = true, or subtract a number from all of them in the file"
SUBTRACT = "subtract a number from all of them in the file"


def load(source: Any, y: str, memory: float, choice: Choice, standardise_y: bool) -> Raw:
    """The examples of a table or an `.npz` file, or of the `.npy` file at `source` and the one at `y`.

    `choice.targets` decides what `y` is, as for `fnn.load_data`.
    """
    if isinstance(source, str):
        source, y = user_path(source, "source ="), y and user_path(y, "y =")
        _check_there(source)
    if tables.is_table(source):
        raw = read_table(source, choice)
    elif source.lower().endswith(".npy"):
        raw = _read_files(source, y, memory, choice.targets)
    else:
        raw = _read_arrays(source, choice.targets)
    _check_outputs(raw, source if isinstance(source, str) else tables.IN_MEMORY, y, standardise_y)
    return raw


def _check_outputs(raw: Raw, where: str, y: str, standardise_y: bool) -> None:
    """Refuse one class alone, and quantities that vary in the source and no longer do in the computation."""
    if raw.classes and not np.any(raw.y != raw.y[0]):
        name = raw.classes[int(raw.y[0])]
        raise InputError(f"{where}: every row has the label {name!r}; expected two or more classes. {raw.read_as}")
    if not raw.classes:
        at, columns = (f"{where}, column", (raw.label,)) if raw.label else (f"{y or where}: y", ())
        dtype, remedy = (np.float64, SUBTRACT) if standardise_y else (np.float32, OUTPUTS_REMEDY)
        check_kept(at, raw.y, columns, dtype, remedy)


def load_inputs(
    path: str | os.PathLike[str],
    shape: tuple[int, ...],
    *,
    label: str = "",
    columns: tuple[str, ...] = (),
    encoding: Encoding | None = None,
) -> np.ndarray | Stored:
    """New inputs `(n, *shape)` for a trained network, in the type of the file: neither scaled nor standardised.

    Args:
        path: An `.npy`, whose rows stay in it, an `.npz` with `x`, or a `.csv` with a header line, or a `.parquet`. `y`
            in an `.npz` is ignored.
        shape: The shape of one example.
        label: The name of the label column, which a table may have and which is ignored.
        columns: The names of the inputs in the order of the training. The columns of a table are matched by name. With
            () they are taken in the order of the file, as many as `shape` has numbers.
        encoding: How the columns of a table become inputs; None where each is one number.

    Raises:
        InputError: The file is missing, its rows do not have `shape`, or its columns are not the inputs.
        CorruptFileError: It is damaged.
    """
    path = user_path(os.fsdecode(path), "the file")
    _check_there(path)
    if not is_file(path):
        raise InputError(f"{path}: expected an .npz, .npy, .csv or .parquet file, told by the end of its name")
    if tables.is_table(path):
        x: Any = read_inputs(path, prod(shape), label, columns, encoding)
    elif path.lower().endswith(".npy"):
        x = stored(path, 0.0).as_stored()
    else:
        x = _inputs(path, _arrays(path, ("x",), ("y",))["x"])
    if prod(x.shape[1:]) != prod(shape):
        raise InputError(f"{path}: its examples have shape {x.shape[1:]}, the network takes {shape}")
    check_shape(f"{path}: the network takes {list(shape)}", x.shape[1:], shape)
    return x.reshape(len(x), *shape)


def _check_there(path: str | os.PathLike[str]) -> None:
    if not Path(path).is_file():
        raise InputError(f"{path}: there is no such file; expected a path to an .npz, .npy, .csv or .parquet file")


def _read_arrays(path: str, targets: str) -> Raw:
    """The examples of an `.npz` file."""
    arrays = _arrays(path, ("x", "y"), ())
    return _raw(path, _inputs(path, arrays["x"]), arrays["y"], targets)


def _read_files(path: str, y: str, memory: float, targets: str) -> Raw:
    """The examples of two `.npy` files; `x` stays in its file."""
    _check_there(y)
    try:
        return _raw(y, stored(path, memory), read_npy(y, text=True), targets)
    except OtherArraysError as error:
        raise InputError(f"{y}: {error.reason}") from None


def _arrays(path: str, names: tuple[str, ...], unread: tuple[str, ...]) -> dict[str, np.ndarray]:
    try:
        return read_npz(path, names, unread=unread, text=("y",))
    except OtherArraysError as error:
        raise InputError(f"{path}: {error.reason}; write them by np.savez(path, x=x, y=y)") from None


def _raw(path: str, x: Any, y: np.ndarray, targets: str) -> Raw:
    """The examples, with `y` taken for what its dtype and shape say, or for what `targets` says.

    Whole numbers `(n,)` are labels, whatever their values, and so is text; other numbers `(n,)` are one quantity.
    `(n, k)` are classes `0..k-1` if every row is one-hot, else the desired outputs. `path` is that of `y`.
    """
    if y.ndim not in (1, 2) or len(y) != len(x) or y.size == 0:
        raise InputError(f"{path}: y has shape {y.shape}; expected ({len(x)},) or ({len(x)}, k), a row for each x")
    if y.dtype.kind in "US":
        outputs = _text(path, y, targets)
    elif y.shape[1:] in ((), (1,)):
        outputs = _one_column(path, y, targets)
    else:
        outputs = _several_columns(path, y, targets)
    return Raw(x, outputs.y, outputs.classes, read_as=outputs.read_as)


def _text(path: str, y: np.ndarray, targets: str) -> Outputs:
    """The same as the cells of a csv column."""
    if y.shape[1:] not in ((), (1,)):
        raise InputError(f"{path}: y holds text and has shape {y.shape}; expected one label a row, ({len(y)},)")
    texts = Texts()
    texts.extend([_decoded(path, row, cell) for row, cell in enumerate(y.ravel().tolist())])
    return Labels(Where(path, "", lambda row: f"y[{row}]"), texts.column(""), targets).outputs()


def _decoded(path: str, row: int, cell: str | bytes) -> str:
    try:
        return cell.decode() if isinstance(cell, bytes) else cell
    except UnicodeDecodeError:
        raise InputError(f"{path}, y[{row}]: {cell[:40]!r} is not UTF-8 text; store text by astype(str)") from None


def _one_column(path: str, y: np.ndarray, targets: str) -> Outputs:
    """One number a row."""
    numbers, integer = _numbers(path, "y", y), y.dtype.kind in "biu"
    whole = integer or not np.any(numbers % 1)
    labels = integer and y.ndim == 1
    if targets == "quantity":
        return Outputs(numbers, (), "y: read as a quantity, since targets = 'quantity'")
    if labels if targets == "" else whole:
        return _labelled(path, y.ravel(), "it holds whole numbers" if labels else f"targets = {targets!r}")
    if not whole:
        return Outputs(numbers, (), "y: read as a quantity, since not all of its numbers are whole")
    why = f"it is a column of shape {y.shape}" if integer else "it holds floats, though all are whole"
    return Outputs(numbers, (), f"y: read as a quantity, since {why}{AS_CLASSES}")


def _labelled(path: str, y: np.ndarray, why: str) -> Outputs:
    labels, numbers = np.unique(y, return_inverse=True)
    if len(labels) > MOST_CLASSES:
        raise InputError(
            f"{path}: y holds {len(labels):,} different whole numbers; expected at most {MOST_CLASSES:,} classes."
            f" For quantities store y as float32, or set targets = 'quantity'"
        )
    classes = tuple(str(int(label)) for label in labels)
    read = f"y: read as {counted(len(classes), 'class', 'classes')}, since {why}{AS_QUANTITY}"
    return Outputs(numbers, classes, read)


def _several_columns(path: str, y: np.ndarray, targets: str) -> Outputs:
    """Several numbers a row."""
    k = y.shape[1]
    one_hot = (np.count_nonzero(y, axis=1) == 1).all() and (y.max(axis=1) == 1).all()
    if one_hot and targets != "quantity":
        read = f"y: read as {k:,} classes, since each of its rows has a single 1; targets = 'quantity' reads quantities"
        return Outputs(y.argmax(axis=1), tuple(str(i) for i in range(k)), read)
    why = "not each of its rows has a single 1" if targets != "quantity" else "targets = 'quantity'"
    bits = targets != "quantity" and ((y == 0) | (y == 1)).all()  # several labels in a row, or a binary code
    what = "outputs of 0 or 1" if bits else "quantities"
    return Outputs(_numbers(path, "y", y), (), f"y: read as {k:,} {what} a row, since {why}")


def _inputs(path: str | os.PathLike[str], x: np.ndarray) -> np.ndarray:
    if x.ndim == 0 or x.size == 0:
        raise InputError(f"{path}: x has shape {x.shape}; expected (n, ...), one example per row")
    return x.view(np.uint8) if x.dtype in (np.bool_, np.uint8) and x.ndim > 1 else _numbers(path, "x", x)


def _numbers(path: str | os.PathLike[str], name: str, array: np.ndarray) -> np.ndarray:
    """The array as stored, with at least two axes, each number finite in float32."""
    array = array.reshape(len(array), *(array.shape[1:] or (1,)))
    with np.errstate(over="ignore"):  # what is too large becomes inf, and is refused below
        finite = np.isfinite(array.astype(np.float32, copy=False)).reshape(len(array), -1).all(axis=1)
    if not finite.all():
        raise InputError(f"{path}: {name}[{finite.argmin()}] holds nan, or a number beyond float32; remove the row")
    return array
