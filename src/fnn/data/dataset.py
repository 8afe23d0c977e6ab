"""A data set and what it is made from. Shapes: `n` examples, `k` classes, `n_out` outputs."""

from typing import Any, NamedTuple

import numpy as np

from fnn.data.encoding import Encoding, Source
from fnn.errors import InputError
from fnn.examples import Examples

ROWS_AT_ONCE = 4096  # that are in float64 at a time


class Dataset(NamedTuple):
    """Examples in three parts, and the names of their classes."""

    train: Examples
    validation: Examples  # 0 rows when there is none
    test: Examples  # 0 rows when there is none
    classes: tuple[str, ...]  # in the order of the class numbers; () for quantities
    shape: tuple[int, ...]  # of one example
    mean: np.ndarray | float = 0.0  # shape, float64; was subtracted from the x of the source, see `scaled_inputs`
    sd: np.ndarray | float = 1.0  # shape, float64; the x were then divided by it
    columns: tuple[str, ...] = ()  # the names of the inputs of a table, in order; () where they have none
    label: str = ""  # the name of the column that y was read from; "" where it has none
    read_as: str = ""  # what y was read as and why, in a sentence
    encoding: Encoding | None = None  # of the columns as inputs; None where each is one number and none was left out
    y_mean: np.ndarray | float = 0.0  # (n_out,), float64; was subtracted from the y of the source
    y_sd: np.ndarray | float = 1.0  # (n_out,), float64; the y were then divided by it
    told: tuple[str, ...] = ()  # what else was made of the source, a line each

    def __repr__(self) -> str:
        """The parts that have rows, and the names, in one line."""
        parts = (f"{part}={getattr(self, part)!r}" for part in ("train", "validation", "test") if getattr(self, part).n)
        names = (f"{name}={few(getattr(self, name))}" for name in ("columns", "classes") if getattr(self, name))
        label = [f"label={self.label!r}"] if self.label else []
        return f"Dataset({', '.join([*parts, f'shape={self.shape}', *names, *label])})"


def few(names: tuple[str, ...]) -> str:
    """Names as a tuple is written; of more than six the first two and the last."""
    shown = [*map(repr, names[:2]), "...", repr(names[-1])] if len(names) > 6 else [*map(repr, names)]
    return f"({', '.join(shown)}{',' * (len(names) == 1)})"


class Raw(NamedTuple):
    """What a source holds, before it is split and its classes become outputs."""

    x: Any  # (n, *shape), numbers as stored, in memory or `Stored`
    y: np.ndarray  # (n,) class numbers, or (n, n_out) quantities
    classes: tuple[str, ...]  # () for quantities
    scale: float = 1.0
    columns: tuple[str, ...] = ()  # the last three as in `Dataset`
    label: str = ""
    read_as: str = ""
    source: Source | None = None  # of a table: what the columns of x are, before they are encoded
    places: Any = None  # of a table: (n,) of each row, its place in the table
    told: tuple[str, ...] = ()  # as in `Dataset`

    def rows(self, i: slice | np.ndarray) -> "Raw":
        """Some of the rows."""
        places = None if self.places is None else self.places[i]
        return self._replace(x=self.x[i], y=self.y[i], places=places)


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
    return raw._replace(y=y, classes=names).rows(y >= 0)


def outputs(raw: Raw, targets: str) -> np.ndarray:
    """Desired outputs `(n, n_out)`: quantities in float32; class numbers as uint8 one-hot rows, or as bits.

    `binary` writes the class number in as few bits as the largest one needs, the most significant first. Two classes
    are one output, ten are four.
    """
    if not raw.classes:
        if targets == "binary":
            raise InputError(
                "targets = 'binary': the outputs are quantities, and only classes have a number; drop it. "
                f"{raw.read_as}"
            )
        return raw.y.astype(np.float32)
    return _bits(raw.y, len(raw.classes)) if targets == "binary" else _one_hot(raw.y, len(raw.classes))


def _one_hot(y: np.ndarray, k: int) -> np.ndarray:
    rows = np.zeros((len(y), k), np.uint8)
    rows[np.arange(len(y)), y] = 1
    return rows


def _bits(y: np.ndarray, k: int) -> np.ndarray:
    width = max(1, (k - 1).bit_length())
    return (y[:, None] >> np.arange(width - 1, -1, -1)[None, :] & 1).astype(np.uint8)


def scaled_inputs(
    x: np.ndarray, mean: np.ndarray | float, sd: np.ndarray | float, scale: float, name: str = "x"
) -> np.ndarray:
    """`((x - mean)/sd) * scale` in float32, which is what the network sees of inputs as stored.

    It is computed in float64, so that large numbers close to each other stay apart. Training and prediction both come
    here and thus see the same bits. Where nothing is subtracted or divided, it is `x * scale` in float32.

    Args:
        x: `(n, *shape)` numbers in any dtype, as they are in the file.
        mean: One number, or one for each of an example's, in any shape.
        sd: As `mean`.
        scale: A factor.
        name: What the numbers are called in messages.

    Raises:
        InputError: An input is so far from the others that it is infinite in float32.
    """
    if not np.any(mean) and np.all(np.equal(sd, 1)):
        return x.astype(np.float32) * np.float32(scale)
    centre, width = (_per_example(units, x.shape[1:]) for units in (mean, sd))
    scaled = np.empty(x.shape, np.float32)
    for i in range(0, len(x), ROWS_AT_ONCE):
        with np.errstate(over="ignore"):  # what is too large becomes inf, and is refused below
            scaled[i : i + ROWS_AT_ONCE] = (x[i : i + ROWS_AT_ONCE].astype(np.float64) - centre) / width * scale
    if not np.isfinite(scaled).all():
        row = int(np.isfinite(scaled).reshape(len(x), -1).all(axis=1).argmin())
        raise InputError(f"{name}[{row}] is too far from the training examples: beyond float32 when it is standardised")
    return scaled


def _per_example(units: np.ndarray | float, shape: tuple[int, ...]) -> np.ndarray:
    units = np.asarray(units, np.float64)
    return units.reshape(()) if units.size == 1 else units.reshape(shape)
