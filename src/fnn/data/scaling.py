"""From the parts of a source to examples: their units, and the types in which they are stored."""

from math import isfinite

import numpy as np

from fnn.data.dataset import Dataset, Raw, outputs, scaled_inputs
from fnn.data.encoding import Encoding
from fnn.data.on_disk import Stored
from fnn.data.precision import check_scale, units
from fnn.data.splitting import Parts
from fnn.errors import InputError
from fnn.examples import Examples

LARGEST_TARGETS = 2**26  # bytes of one-hot rows; they may be larger by the bytes of the inputs


def with_standardised_outputs(parts: Parts) -> tuple[Parts, np.ndarray, np.ndarray]:
    """The parts with quantities in units of those of the training examples, and their mean and deviation.

    Raises:
        InputError: The outputs are classes.
    """
    if parts[0].classes:
        raise InputError(
            f"standardise_y = true: the outputs are classes, and only quantities have units; drop it. "
            f"{parts[0].read_as}"
        )
    mean, sd = units(parts[0].y)
    train, validation, test = (raw._replace(y=scaled_inputs(raw.y, mean, sd, 1.0, "y")) for raw in parts)
    return (train, validation, test), mean, sd


def loaded(parts: Parts, standardise: bool) -> Parts:
    """The parts; those in a file are read if all of them fit into the memory that they may take.

    Inputs that will be standardised are read as stored.
    """
    x = parts[0].x
    if not isinstance(x, Stored) or sum(raw.x.nbytes for raw in parts) > x.memory:
        return parts
    train, validation, test = (raw._replace(x=np.asarray(raw.x.as_stored() if standardise else raw.x)) for raw in parts)
    return train, validation, test


def scaled(parts: Parts, targets: str, scale: float) -> Dataset:
    """The examples times `scale`, or times the factor of their source for 0; they are stored as they are.

    Raises:
        InputError: The scale is no number above 0, or leaves nothing of the inputs.
    """
    if not (isfinite(scale) and scale >= 0):
        raise InputError(f"scale = {scale}: expected a number above 0, such as 1/255 for bytes, or 0 for the default")
    if scale:
        check_scale(parts[0].x, scale)
    return _dataset(parts, targets, scale or parts[0].scale, 0.0, 1.0)


def standardised(parts: Parts, targets: str, scale: float, encoding: Encoding | None) -> Dataset:
    """The examples in units of the training examples' mean and standard deviation, stored as float32.

    One-hot inputs keep their zeros and ones.

    Raises:
        InputError: There is a scale too, or the inputs are too large for the memory.
    """
    if scale:
        raise InputError(f"scale = {scale}: standardise = true already decides the units; drop one of the two")
    x = parts[0].x
    if isinstance(x, Stored):
        raise InputError(
            f"standardise = true: only inputs in memory can be standardised, and these exceed memory = "
            f"{x.memory / 2**30:.3g} GiB; raise it, or store them standardised"
        )
    mean, sd = units(x)
    if encoding:
        number = encoding.is_number.reshape(mean.shape)
        mean, sd = np.where(number, mean, 0.0), np.where(number, sd, 1.0)
    train, validation, test = (raw._replace(x=scaled_inputs(raw.x, mean, sd, 1.0)) for raw in parts)
    return _dataset((train, validation, test), targets, 1.0, mean, sd)


def _dataset(parts: Parts, targets: str, scale: float, mean: np.ndarray | float, sd: np.ndarray | float) -> Dataset:
    raw = parts[0]
    train, validation, test = (_examples(part, targets, scale) for part in parts)
    return Dataset(train, validation, test, raw.classes, train.shape, mean, sd, raw.columns, raw.label, raw.read_as)


def _examples(raw: Raw, targets: str, scale: float) -> Examples:
    n, k = len(raw.y), len(raw.classes)
    if targets != "binary" and n * k > LARGEST_TARGETS + raw.x.nbytes:
        raise InputError(
            f"{n:,} one-hot rows of {k:,} classes take {n * k:,} bytes; keep fewer classes, or use 'binary'"
        )
    return Examples(_numbers(raw.x), outputs(raw, targets), scale)


def _numbers(x: np.ndarray | Stored) -> np.ndarray | Stored:
    """Bytes stay bytes, all other numbers become float32."""
    return x if isinstance(x, Stored) or x.dtype == np.uint8 else x.astype(np.float32, copy=False)
