"""Examples as they are stored, and as a network sees them. Shapes: `n` examples, `n_out` outputs."""

from __future__ import annotations

from typing import Any, NamedTuple


class Examples(NamedTuple):
    """Examples as stored; the network sees `x * scale`.

    Images stay bytes, in a file, in memory and on the device, and are scaled when a batch is read. This takes a quarter
    of the memory of float32 and no second copy.
    """

    x: Any  # (n, *shape), uint8 or float32, NumPy or JAX, or in its file: see `training.streaming`
    y: Any  # (n, n_out): uint8 zeros and ones for classes, float32 for quantities
    scale: Any = 1.0  # (): multiplies x when a row is read, 1/255 for 8-bit images

    @property
    def n(self) -> int:
        """The number of examples. `len` would count the fields of the tuple."""
        return self.x.shape[0]

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of one `x`, without the axis of the examples."""
        return tuple(self.x.shape[1:])

    def take(self, i: Any) -> Examples:
        """Rows `i` as they are stored; in `x` and `y` the shape of `i` replaces the first axis."""
        return Examples(self.x[i], self.y[i], self.scale)

    def rows(self, i: Any) -> tuple[Any, Any]:
        """Rows `i` in the units of training.

        Args:
            i: A slice, or an array of row numbers; traced by JAX or not.

        Returns:
            `(x * scale, y)` for those rows, both float32, or both in the dtype of an `x` stored as floating point.
        """
        x, y, _ = self.take(i)
        dtype = "float32" if x.dtype.kind in "biu" else x.dtype  # the kind of bfloat16 is V, not f
        return (x.astype(dtype) * self.scale).astype(dtype), y.astype(dtype)
