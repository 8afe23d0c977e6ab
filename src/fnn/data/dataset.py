"""A data set and what it is made from. Shapes: `n` examples, `k` classes, `n_out` outputs."""

from typing import Any, NamedTuple

import numpy as np

from fnn.errors import InputError
from fnn.examples import Examples


class Dataset(NamedTuple):
    """Examples in three parts, and the names of their classes."""

    train: Examples
    validation: Examples  # 0 rows when there is none
    test: Examples  # 0 rows when there is none
    classes: tuple[str, ...]  # in the order of the class numbers; () for quantities
    shape: tuple[int, ...]  # of one example
    mean: np.ndarray | float = 0.0  # shape; was subtracted from the x of the source, and must be from new inputs
    sd: np.ndarray | float = 1.0  # shape; the x were then divided by it, and new inputs must be
    columns: tuple[str, ...] = ()  # the names of the inputs of a table, in order; () where they have none
    label: str = ""  # the name of the column that y was read from; "" where it has none
    read_as: str = ""  # what y was read as and why, in a sentence


class Raw(NamedTuple):
    """What a source holds, before it is split and its classes become outputs."""

    x: Any  # (n, *shape), uint8 or float32, in memory or `Stored`
    y: np.ndarray  # (n,) class numbers, or (n, n_out) float32 quantities
    classes: tuple[str, ...]  # () for quantities
    scale: float = 1.0

    def rows(self, i: slice | np.ndarray) -> "Raw":
        """Some of the rows."""
        return self._replace(x=self.x[i], y=self.y[i])


def of_classes(raw: Raw, names: tuple[str, ...]) -> Raw:
    """The rows of some classes, which are numbered in the order of `names`; all rows for `()`."""
    if not names:
        return raw
    if len(set(names)) != len(names) or len(names) < 2 or not set(names) <= set(raw.classes):
        known = str(list(raw.classes[:20]))[1:-1] or "none, its outputs are quantities"
        raise InputError(f"classes = {list(names)}: expected two or more different names of these: {known}")
    number = np.full(len(raw.classes), -1)
    number[[raw.classes.index(name) for name in names]] = np.arange(len(names))
    y = number[raw.y]
    return raw._replace(x=raw.x[y >= 0], y=y[y >= 0], classes=names)


def outputs(raw: Raw, targets: str) -> np.ndarray:
    """Desired outputs `(n, n_out)`: quantities as they are; class numbers as uint8 one-hot rows, or as bits.

    `binary` writes the class number in as few bits as the largest one needs, the most significant first. Two classes
    are one output, ten are four.
    """
    if targets not in ("one-hot", "binary"):
        raise InputError(f"targets = {targets!r}: expected 'one-hot' or 'binary'")
    if not raw.classes:
        if targets == "binary":
            raise InputError("targets = 'binary': the outputs are quantities, and only classes have a number; drop it")
        return raw.y
    return _one_hot(raw.y, len(raw.classes)) if targets == "one-hot" else _bits(raw.y, len(raw.classes))


def _one_hot(y: np.ndarray, k: int) -> np.ndarray:
    rows = np.zeros((len(y), k), np.uint8)
    rows[np.arange(len(y)), y] = 1
    return rows


def _bits(y: np.ndarray, k: int) -> np.ndarray:
    width = max(1, (k - 1).bit_length())
    return (y[:, None] >> np.arange(width - 1, -1, -1)[None, :] & 1).astype(np.uint8)
