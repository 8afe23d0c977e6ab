"""`load_data`: from the name of a source to examples for training, validation and test."""

import os
from math import isfinite

import numpy as np

from fnn.data import arguments, digits, generated, mnist, user_files
from fnn.data.arguments import GENERATED, MEMORY
from fnn.data.dataset import Dataset, Raw, of_classes, outputs, scaled_inputs
from fnn.data.labels import counted
from fnn.data.on_disk import Stored
from fnn.data.precision import check_kept, check_scale, units
from fnn.data.shapes import check_shape
from fnn.data.splitting import Parts, split, split_in_order
from fnn.errors import InputError
from fnn.examples import Examples

LARGEST_TARGETS = 2**26  # bytes of one-hot rows; they may be larger by the bytes of the inputs


def load_data(
    source: str | os.PathLike[str],
    *,
    train: int = 0,
    validation: int = 0,
    test: int = 0,
    split_seed: int = 0,
    classes: tuple[str, ...] = (),
    targets: str = "",
    shape: tuple[int, ...] = (),
    scale: float = 0.0,
    standardise: bool = False,
    label: str = "",
    y: str | os.PathLike[str] = "",
    memory: float = MEMORY,
    size: int = 0,
    noise: float = generated.NOISE,
    seed: int = 0,
) -> Dataset:
    """A data set, split and encoded; the same arguments always give the same bytes.

    Args:
        source: `digits`, `mnist`, `and`, `or`, `nand`, `xor`, `moons`, `spirals`, `sine`, or a path to the user's own
            `.npz` (arrays `x` and `y`), `.csv` (with a header line), or `.npy` (the inputs; `y` names the outputs).
        train: How many examples to keep for training; 0 for all that are not held out.
        validation: How many to hold out for validation. `mnist`: the last ones of its 60,000 training images.
        test: How many to hold out for the test. `mnist` has 10,000 test images of its own: how many of these, the
            first ones; 0 for all.
        split_seed: Decides which examples are held out and, with `train`, which are kept. Not for `mnist`, which keeps
            its order.
        classes: Keep only the examples of these classes and number them in this order; this comes before the split.
        targets: `one-hot`, one output for each class; `binary`, the class number in bits, the highest first: one
            output for two classes, four for ten; `quantity`, the numbers themselves. With "" the data decide: text and
            whole numbers are classes, one-hot; numbers with a point or an exponent, floats in an array and arrays
            `(n, k)` that are not one-hot are quantities. `one-hot` and `binary` make classes of floats too if all are
            whole, and of text among numbers, which is otherwise refused. `read_as` of the result says what was decided.
        shape: The shape to give each example; `()` for the source's own, which is flat: `(784,)` for `mnist`. It may
            split or join the axes of the source, in their order; `(32, 32, 3)` is not `(3, 32, 32)`.
        scale: What to multiply x by; 0 for the source's own: 1/255 for `mnist`, 1/16 for `digits`, else 1.
        standardise: Subtract the mean and divide by the standard deviation of each input over the training examples,
            both computed in float64 from the numbers as stored.
        label: The csv column to predict; "" for the last.
        y: The `.npy` file with the desired outputs or the labels, for inputs in an `.npy` file.
        memory: GiB that inputs from an `.npy` file may take. Larger inputs stay in their file and are read during the
            training; the results are the same, to the bit. The labels and about 20 bytes for each example are always
            in memory, and an evaluation holds up to three times 5,000 inputs, however small the budget is.
        size: How many points to generate, for `moons`, `spirals` and `sine`; 0 for 1,000.
        noise: The standard deviation of their noise.
        seed: Decides their points.

    Returns:
        The examples of the three parts, with NumPy arrays.

    Raises:
        InputError: An option is wrong or has no effect on this source, the file is not a table of numbers and labels,
            an input varies in it and no longer does in float32, or `mnist` is not on this machine and cannot be
            downloaded.
        CorruptFileError: A file is damaged.

    Example:
        >>> xor = load_data("xor", targets="binary")
        >>> xor.train.x.tolist(), xor.train.y.tolist(), xor.test.n
        ([[0, 0], [0, 1], [1, 0], [1, 1]], [[0], [1], [1], [0]], 0)
    """
    source, y, label = (arguments.text(*given) for given in (("source", source), ("y", y), ("label", label)))
    classes, shape = arguments.texts("classes", classes), arguments.whole_numbers("shape", shape)
    numbers = {"scale": scale, "memory": memory, "noise": noise}
    scale, memory, noise = (arguments.number(*given) for given in numbers.items())
    arguments.check_truth("standardise", standardise)
    counts = {"train": train, "validation": validation, "test": test, "split_seed": split_seed, "size": size}
    whole = arguments.counts({**counts, "seed": seed})
    train, validation, test, split_seed, size, seed = whole.values()
    arguments.check_use(source, label, split_seed, (size, noise, seed))
    arguments.check_files(source, y, memory)
    arguments.check_targets(targets)
    if source == "mnist":
        images, own_test = (_meant(of_classes(raw, classes), targets) for raw in mnist.load())
        parts = split_in_order(images, own_test, train, validation, test)
    else:
        raw = _read(source, label, y, memory, size, noise, seed, targets)
        remedy = "data.standardise = true, or subtract a number in the file"
        _check_kept(
            source, raw, *((np.float64, "subtract a number in the file") if standardise else (np.float32, remedy))
        )
        parts = split(_meant(of_classes(raw, classes), targets), train, validation, test, split_seed)
    parts = _loaded(_shaped(parts, shape), standardise)
    return _standardised(parts, targets, scale) if standardise else _scaled(parts, targets, scale)


def _read(source: str, label: str, y: str, memory: float, size: int, noise: float, seed: int, targets: str) -> Raw:
    if source == "digits":
        return digits.load()
    if source in generated.TRUTH_TABLES:
        return generated.truth_table(source)
    if source in GENERATED:
        return generated.generate(source, size, noise, seed)
    return user_files.load(source, label, y, memory * 2**30, targets)


def _meant(raw: Raw, targets: str) -> Raw:
    """The rows of a source of ours, whose classes may be meant as numbers, and what they are read as."""
    if raw.read_as:
        return raw
    if not raw.classes:
        return raw._replace(read_as=f"y: {counted(raw.y.shape[1], 'quantity', 'quantities')}")
    if targets != "quantity":
        return raw._replace(read_as=f"y: {counted(len(raw.classes), 'class', 'classes')}")
    numbers = np.array([float(name) for name in raw.classes])  # our own classes are digits
    return raw._replace(y=numbers[raw.y][:, None], classes=(), read_as="y: a quantity, since targets = 'quantity'")


def _check_kept(source: str, raw: Raw, dtype: type[np.float32 | np.float64], remedy: str) -> None:
    check_kept(f"{source}, column" if raw.columns else f"{source}: x", raw.x, raw.columns, dtype, remedy)


def _shaped(parts: Parts, shape: tuple[int, ...]) -> Parts:
    """The parts with each example in `shape`."""
    old = parts[0].x.shape[1:]
    if shape:
        check_shape(f"shape = {list(shape)}", old, shape)
    train, validation, test = (raw._replace(x=raw.x.reshape(len(raw.x), *(shape or old))) for raw in parts)
    return train, validation, test


def _loaded(parts: Parts, standardise: bool) -> Parts:
    """The parts; those in a file are read if all of them fit into the memory that they may take.

    Inputs that will be standardised are read as stored.
    """
    x = parts[0].x
    if not isinstance(x, Stored) or sum(raw.x.nbytes for raw in parts) > x.memory:
        return parts
    train, validation, test = (raw._replace(x=np.asarray(raw.x.as_stored() if standardise else raw.x)) for raw in parts)
    return train, validation, test


def _scaled(parts: Parts, targets: str, scale: float) -> Dataset:
    if not (isfinite(scale) and scale >= 0):
        raise InputError(f"scale = {scale}: expected a number above 0, such as 1/255 for bytes, or 0 for the default")
    if scale:
        check_scale(parts[0].x, scale)
    return _dataset(parts, targets, scale or parts[0].scale, 0.0, 1.0)


def _standardised(parts: Parts, targets: str, scale: float) -> Dataset:
    """The examples in units of the training examples' mean and standard deviation, stored as float32."""
    if scale:
        raise InputError(f"scale = {scale}: standardise = true already decides the units; drop one of the two")
    x = parts[0].x
    if isinstance(x, Stored):
        raise InputError(
            f"standardise = true: only inputs in memory can be standardised, and these exceed memory = "
            f"{x.memory / 2**30:.3g} GiB; raise it, or store them standardised"
        )
    mean, sd = units(x)
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
