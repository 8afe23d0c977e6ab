"""A data set and what it is made from. Shapes: `n` examples, `k` classes, `n_out` outputs."""

from typing import Any, NamedTuple

import numpy as np

from fnn.data.encoding import Encoding, Source
from fnn.errors import InputError
from fnn.examples import Examples

ROWS_AT_ONCE = 4096  # that are in float64 at a time
ROWS_LOOKED_AT = 10_000
LARGEST_COMPARED = 2**28  # bytes of inputs that are compared with each other
SMALL, LARGE = 1e-3, 20.0  # the largest input, in magnitude, with which nets train without scaling


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


def hint(data: Dataset) -> str:
    """Advice about inputs that nobody scaled and that are far from 1, in a line for before the training; "" for none.

    Only the first 10,000 training examples are looked at.
    """
    if data.train.scale != 1 or np.any(data.mean) or not np.all(np.equal(data.sd, 1)) or not data.train.n:
        return ""
    x = np.asarray(data.train.x[:ROWS_LOOKED_AT])
    least, most = float(x.min()), float(x.max())
    largest = max(abs(least), abs(most))
    if not largest or SMALL <= largest <= LARGE:
        return ""
    pixels = x.dtype == np.uint8 and largest > 127
    factor = "0.00392 (1/255)" if pixels else f"{1 / largest:.3g}"
    return (
        f"inputs go from {least:.6g} to {most:.6g} and are not scaled; data.scale = {factor} or "
        "data.standardise = true usually trains better"
    )


def unlearnt(data: Dataset) -> str:
    """The classes of the held out examples of which there is no training example, in a line; "" if there are none."""
    if not data.classes:
        return ""
    known = _class_numbers(data, data.train.y)
    missing = {
        data.classes[k]: name
        for name, part in (("test", data.test), ("validation", data.validation))
        for k in _class_numbers(data, part.y) - known
    }
    if not missing:
        return ""
    names = ", ".join(map(repr, list(missing)[:5])) + (", ..." if len(missing) > 5 else "")
    parts = " and ".join(sorted(set(missing.values()), reverse=True))
    return (
        f"no training example is of class {names}, of which the {parts} examples have some; choose other rows by "
        "data.split_seed or data.train, or leave the class out by data.classes"
    )


def repeated(data: Dataset) -> str:
    """How many held out examples have the inputs of a training example, in a line; "" if none have.

    It is not looked for in inputs that are in a file, or take more than 256 MiB.
    """
    parts = {"validation": data.validation, "test": data.test}
    if not any(part.n for part in parts.values()) or _is_large(data.train.x):
        return ""
    known = set(_hashes(data.train.x))
    counts = {name: sum(h in known for h in _hashes(part.x)) for name, part in parts.items()}
    said = [f"{n:,} of the {parts[name].n:,} {name} examples" for name, n in counts.items() if n]
    if not said:
        return ""
    what = "have the inputs of a training example, and do not show what the net does with new ones"
    return f"{' and '.join(said)} {what}"


def _is_large(x: Any) -> bool:
    return not isinstance(x, np.ndarray) or x.nbytes > LARGEST_COMPARED


def _hashes(x: Any) -> list[int]:
    return [hash(row.tobytes()) for row in np.asarray(x)]


def _class_numbers(data: Dataset, y: np.ndarray) -> set[int]:
    """The numbers of the classes in desired outputs that are one-hot rows or bits."""
    if y.shape[1] == len(data.classes):
        return set(np.flatnonzero(y.any(axis=0)).tolist())
    return set(np.unique(y @ (1 << np.arange(y.shape[1])[::-1])).tolist())
