"""The units of inputs, and numbers that a smaller type cannot tell apart.

Networks compute in float32, which has seven digits. Times in seconds since 1970 have ten, so that in float32 all times
within two minutes are one number. Shapes: `n` examples of `shape`.
"""

from collections.abc import Callable, Collection, Iterable
from decimal import MAX_EMAX, MIN_EMIN, Decimal, localcontext

import numpy as np

from fnn.data.cells import FLOAT32_MAX
from fnn.data.headers import shown
from fnn.data.on_disk import Stored
from fnn.errors import InputError

ROWS_AT_ONCE = 4096  # that are in float64 at a time
LOST = 0.05  # of a column's range: a rounding error as large as this leaves about ten different numbers
LOST_BEFORE = 1e-6  # the same for rounding to float64 before inputs are standardised: float32 shows larger errors
SMALLEST = float(np.finfo(np.float32).tiny)  # XLA computes with 0 in place of smaller numbers
DIGITS = 60  # of differences between numbers of a table; those that fit float32 have 39 before the point
ROUNDED = ("i4", "u4", "i8", "u8", "f8")  # the types with numbers that float32 has not; of f4, those below SMALLEST

Parts = Callable[[], Iterable[np.ndarray]]  # the rows, part by part, as often as it is called


def units(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The mean and the standard deviation of each input over the examples, `shape`, both in float64.

    An input that never varies has the deviation 1: it becomes 0 and not nan.
    """
    low, high = (limit.astype(np.float64) for limit in (x.min(axis=0), x.max(axis=0)))
    mean = x.mean(axis=0, dtype=np.float64)
    mean = np.clip(mean + _average(part - mean for part in _blocks(x)), low, high)  # the first sum was rounded
    reach = np.maximum(high - mean, mean - low)
    reach = np.where(reach > 0, reach, 1.0)  # divided by it, since squares of very small numbers would be 0
    sd = reach * np.sqrt(_average(((part - mean) / reach) ** 2 for part in _blocks(x)))
    return mean, np.where(sd > 0, sd, 1.0)


def _average(parts: Iterable[np.ndarray]) -> np.ndarray:
    """The mean over the rows of all parts."""
    total, n = np.float64(0), 0
    for part in parts:
        total, n = total + part.sum(axis=0), n + len(part)
    return np.asarray(total / n)


def _blocks(x: np.ndarray) -> Iterable[np.ndarray]:
    return (x[i : i + ROWS_AT_ONCE].astype(np.float64) for i in range(0, len(x), ROWS_AT_ONCE))


def check_kept(
    where: str, x: np.ndarray | Stored, columns: tuple[str, ...], dtype: type[np.float32 | np.float64], remedy: str
) -> None:
    """Refuses inputs or outputs that vary in the file and no longer do in the computation, or hardly.

    Args:
        where: The file and what `x` is in it, for the message.
        x: `(n, *shape)`, as stored.
        columns: The names of its columns; () for none.
        dtype: What the numbers are rounded to: float32, or float64 for inputs that will be standardised.
        remedy: What to do, for the message.

    Raises:
        InputError: It names the columns.
    """
    places = lost(x, dtype).tolist()
    if places:
        several = f"[{', '.join(map(str, places[:20]))}{', ...' if len(places) > 20 else ''}]"
        names = (
            f" {shown([columns[place] for place in places])}"
            if columns
            else f"[:, {several if places[1:] else places[0]}]"
        )
        digits = "seven" if dtype is np.float32 else "sixteen"
        raise InputError(
            f"{where}{names}: its numbers differ, and are one number or nearly so in {np.dtype(dtype)}, which has "
            f"{digits} digits; {remedy}"
        )


def lost(x: np.ndarray | Stored, dtype: type[np.float32 | np.float64]) -> np.ndarray:
    """The inputs, as flat numbers from 0, that vary in `x` and no longer do in `dtype`, or hardly: `(k,)`.

    Numbers of 32 bits that XLA takes for 0 are not looked for in a file that does not fit into memory.
    """
    kind = x.kind if isinstance(x, Stored) else x.dtype
    read_later = isinstance(x, Stored) and x.nbytes > x.memory
    rounded = ROUNDED if read_later else (*ROUNDED, "f4")
    if kind.str[1:] not in rounded or kind.kind == "f" and dtype is np.float64:
        return np.array([], int)
    parts = _parts(x)
    low, high = _limits(parts)
    share, span = LOST if dtype is np.float32 else LOST_BEFORE, _difference(high, low)
    step = np.spacing(np.maximum(np.abs(low.astype(dtype)), np.abs(high.astype(dtype)))).astype(np.float64)
    doubtful = np.flatnonzero((low != high) & (share * span <= np.maximum(step, SMALLEST)))
    if not doubtful.size:
        return doubtful
    return doubtful[_error(parts, doubtful, dtype) > share * span[doubtful]]


def check_scale(x: np.ndarray | Stored, scale: float) -> None:
    """Refuses a scale with which the largest input is 0 or infinite in float32; of a file it is not looked for.

    Raises:
        InputError: It names the scale.
    """
    largest = 1.0 if isinstance(x, Stored) else max(abs(float(x.min())), abs(float(x.max())))
    if largest and not SMALLEST <= min(scale, largest * scale) <= max(scale, largest * scale) <= FLOAT32_MAX:
        raise InputError(
            f"scale = {scale:g}: the largest input, {largest:g}, is 0 or infinite in float32 when it is scaled; "
            f"expected about 1/{largest:g}"
        )


def texts_lost(texts: Collection[str]) -> bool:
    """Whether the numbers in these cells of a column differ, and in float64 no longer, or hardly.

    Whole numbers are meant exactly, others are rounded anyway. One written as Python writes a float64 has lost nothing.
    """
    with localcontext(prec=DIGITS, Emax=MAX_EMAX, Emin=MIN_EMIN):
        exact = {Decimal(text.strip()) for text in texts}
        wrong = [number for number in exact if number != Decimal(repr(float(number)))]
        error = max((abs(number - Decimal(float(number))) for number in wrong), default=0)
        whole = all(number == number.to_integral_value() for number in exact)
        return error > Decimal(LOST_BEFORE if whole else LOST) * (max(exact) - min(exact))


def _parts(x: np.ndarray | Stored) -> Parts:
    """The rows, flat."""
    if isinstance(x, Stored):
        return lambda: (rows.reshape(len(rows), -1) for _, rows in x.as_stored().blocks())
    return lambda: (x.reshape(len(x), -1),)


def _limits(parts: Parts) -> tuple[np.ndarray, np.ndarray]:
    """The least and the largest number of each column."""
    limits = [(part.min(axis=0), part.max(axis=0)) for part in parts()]
    return np.min([low for low, _ in limits], axis=0), np.max([high for _, high in limits], axis=0)


def _difference(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """`|a - b|` in float64; of whole numbers it is exact before it is rounded."""
    if a.dtype.kind == "f":
        return np.abs(a.astype(np.float64) - b.astype(np.float64))
    a, b = np.maximum(a, b), np.minimum(a, b)
    wide = np.uint64 if a.dtype.kind == "u" else np.int64
    return (a.astype(wide) - b.astype(wide)).view(np.uint64).astype(np.float64)  # which undoes an overflow


def _error(parts: Parts, places: np.ndarray, dtype: type[np.float32 | np.float64]) -> np.ndarray:
    """The largest error that rounding makes in each of these columns."""
    largest = np.zeros(len(places))
    for part in parts():
        columns = part[:, places]
        rounded = columns.astype(dtype)
        rounded = np.where(np.abs(rounded) < SMALLEST, dtype(0), rounded)
        if columns.dtype.kind != "f":
            with np.errstate(invalid="ignore"):  # the largest whole numbers of 64 bits, rounded, do not fit 64 bits
                rounded = rounded.astype(np.uint64 if columns.dtype.kind == "u" else np.int64)
        largest = np.maximum(largest, _difference(columns, rounded).max(axis=0))
    return largest
