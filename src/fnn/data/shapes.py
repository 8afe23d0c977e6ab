"""Which shapes may be given to examples that are stored in another one, and which of them are images.

The numbers of an example lie in a row, whatever its shape says. A shape may split axes, join neighbouring ones, or add
and drop axes of length 1: every number keeps the neighbours that it has. A shape that does more would scramble images:
(32, 32, 3) read as (3, 32, 32) puts three colours of a pixel beside each other.
"""

from itertools import accumulate
from math import isqrt, prod
from operator import mul

from fnn.errors import InputError

Shape = tuple[int, ...]

FLAT_IMAGES = ("digits", "mnist")  # sources whose flat examples are square images


def check_shape(what: str, stored: Shape, shape: Shape) -> None:
    """Refuses a shape that examples of the shape `stored` cannot be given.

    Args:
        what: What wants the shape, for the message.
        stored: The shape of an example in the file.
        shape: The shape that it shall have.

    Raises:
        InputError: The two have different numbers of numbers, or the numbers would change their neighbours.
    """
    if min(shape, default=1) < 1 or prod(shape) != prod(stored):
        raise InputError(f"{what}: {prod(shape):,} numbers, an example has {prod(stored):,}, {list(stored)}")
    if not keeps_order(stored, shape):
        raise InputError(
            f"{what}: an example is stored as {list(stored)}, whose numbers would be mixed up; {_remedy(stored, shape)}"
        )


def keeps_order(stored: Shape, shape: Shape) -> bool:
    """Whether one of two shapes of as many numbers only splits the axes of the other."""
    ours, theirs = (set(accumulate((k for k in axes if k != 1), mul)) for axes in (stored, shape))
    return ours <= theirs or theirs <= ours


def _remedy(stored: Shape, shape: Shape) -> str:
    """What to do before the array is stored."""
    if len(stored) == 3 and (*stored[-1:], *stored[:-1]) == shape:
        return "store the channels first: np.moveaxis(x, -1, 1)"
    if sorted(stored) == sorted(shape):
        return "store them in that order of axes, by np.transpose"
    return "store them in that shape, or flat"


def image_size(source: object, shape: Shape) -> tuple[int, int]:
    """Height and width of examples of a source that are images; `(0, 0)` for other examples.

    Images have the shape `(channels, height, width)`; those of digits and MNIST may be flat.
    """
    if len(shape) == 3:
        return shape[1], shape[2]
    side = isqrt(prod(shape)) if source in FLAT_IMAGES and len(shape) == 1 else 0
    return (side, side) if side * side == prod(shape) else (0, 0)
