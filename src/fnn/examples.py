"""Examples as they are stored, and as a network sees them. Shapes: `n` examples, `n_out` outputs."""

from __future__ import annotations

from typing import Any, NamedTuple


class _Fields(NamedTuple):
    x: Any  # (n, *shape), uint8 or float32, NumPy or JAX, or in its file: see `training.streaming`
    y: Any  # (n, n_out): uint8 zeros and ones for classes, float32 for quantities
    scale: Any = 1.0  # (): multiplies x when a row is read, 1/255 for 8-bit images


class Examples(_Fields):
    """Examples as stored; the network sees `x * scale`.

    Images stay bytes, in a file, in memory and on the device, and are scaled when a batch is read. This takes a quarter
    of the memory of float32 and no second copy. The fields are `x` `(n, *shape)`, uint8 or float32, NumPy or JAX; `y`
    `(n, n_out)`, uint8 zeros and ones for classes, float32 for quantities; and `scale`, 1/255 for 8-bit images.

    Raises:
        ValueError: `x` and `y` have different numbers of rows.
    """

    __slots__ = ()

    def __new__(cls, x: Any, y: Any, scale: Any = 1.0) -> Examples:
        """JAX builds examples too, of tracers, shapes or numbers of axes; only arrays are compared."""
        _check_rows(x, y)
        return super().__new__(cls, x, y, scale)

    def __repr__(self) -> str:
        """The kinds and shapes of the arrays, in one line."""
        return f"Examples(x={_kind(self.x)}, y={_kind(self.y)}, scale={_kind(self.scale)})"

    @property
    def n(self) -> int:
        """The number of examples. `len` would count the fields of the tuple.

        Raises:
            TypeError: `x` or `y` is no array.
            ValueError: they have different numbers of rows, after `_replace`.
        """
        for name in ("x", "y"):
            if not _has_rows(getattr(self, name)):
                what = f"Examples.{name} is a {type(getattr(self, name)).__name__}"
                raise TypeError(f"{what}; expected an array with one row per example, such as numpy.array({name}).")
        _check_rows(self.x, self.y)
        return self.x.shape[0]

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of one `x`, without the axis of the examples."""
        return tuple(self.x.shape[1:])

    @property
    def dtype(self) -> Any:
        """Of `x` and `y` in the units of training: float32, or that of an `x` stored as floating point."""
        return "float32" if self.x.dtype.kind in "biu" else self.x.dtype  # the kind of bfloat16 is V, not f

    def take(self, i: Any) -> Examples:
        """Rows `i` as they are stored; in `x` and `y` the shape of `i` replaces the first axis."""
        return Examples(self.x[i], self.y[i], self.scale)

    def rows(self, i: Any) -> tuple[Any, Any]:
        """Rows `i` in the units of training.

        Args:
            i: A slice, or an array of row numbers; traced by JAX or not.

        Returns:
            `(x * scale, y)` for those rows, both of `dtype`.
        """
        x, y, _ = self.take(i)
        return (x.astype(self.dtype) * self.scale).astype(self.dtype), y.astype(self.dtype)


def _has_rows(array: Any) -> bool:
    return len(getattr(array, "shape", ())) > 0


def _kind(value: Any) -> str:
    """An array as its dtype and shape; a number as it is."""
    shape = getattr(value, "shape", ())
    return f"{value.dtype}{tuple(shape)}" if shape and hasattr(value, "dtype") else f"{value!r:.40}"


def _check_rows(x: Any, y: Any) -> None:
    if not (_has_rows(x) and _has_rows(y)):
        return
    rows = x.shape[0], y.shape[0]
    if all(isinstance(k, int) for k in rows) and rows[0] != rows[1]:  # a symbolic size is no int
        raise ValueError(f"Examples: x has {rows[0]:,} rows, y has {rows[1]:,}; expected one row of y for each of x.")
