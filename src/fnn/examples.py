"""Examples as they are stored, and as a network sees them. Shapes: `n` examples, `n_out` outputs."""

from __future__ import annotations

from typing import Any, NamedTuple


class Examples(NamedTuple):
    """Examples as stored; the network sees `x * scale`.

    Images stay bytes wherever they live and are scaled as a batch is read: a quarter of the memory and no second copy.
    """

    x: Any  # (n, *shape), uint8 or float32, NumPy or JAX, or in its file: see `streaming`
    y: Any  # (n, n_out): uint8 zeros and ones for classes, float32 for quantities
    scale: Any = 1.0  # (): multiplies x as a row is read, 1/255 for 8-bit images

    @property
    def n(self) -> int:
        """The number of examples; `len` of a tuple counts its fields."""
        return self.x.shape[0]

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of one `x`, without the axis of the examples."""
        return tuple(self.x.shape[1:])

    def take(self, i: Any) -> Examples:
        """Rows `i` as they are stored; `x` and `y` get the shape of `i` in the place of their first axis."""
        return Examples(self.x[i], self.y[i], self.scale)

    def rows(self, i: Any) -> tuple[Any, Any]:
        """Rows `i` in the units of training.

        Args:
            i: A slice, or an array of row numbers; traced by JAX or not.

        Returns:
            `(x * scale, y)` for those rows, both float32, or both in the dtype of an `x` stored as floating point.
        """
        x, y, _ = self.take(i)
        dtype = "float32" if x.dtype.kind in "biu" else x.dtype  # by kind: bfloat16 has the kind V
        return (x.astype(dtype) * self.scale).astype(dtype), y.astype(dtype)
