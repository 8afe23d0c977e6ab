"""`load_data`: from the name of a source to examples for training, validation and test."""

import os
from typing import Any

import numpy as np

from fnn.data import arguments, digits, frames, generated, mnist, tables, user_files
from fnn.data.arguments import MEMORY, NAMES
from fnn.data.dataset import Dataset, Raw, of_classes
from fnn.data.encoding import Encoding, encoded, fitted
from fnn.data.precision import check_kept
from fnn.data.scaling import loaded, scaled, standardised, with_standardised_outputs
from fnn.data.shapes import check_shape
from fnn.data.splitting import Parts, as_stored, split, split_in_order
from fnn.data.table_files import Choice
from fnn.data.telling import about_filled, about_inputs, about_order, about_units
from fnn.data.wording import counted


def load_data(
    source: Any,
    *,
    train: int = 0,
    validation: int = 0,
    test: int = 0,
    split_seed: int = 0,
    order: str = "random",
    classes: tuple[str, ...] = (),
    targets: str = "",
    shape: tuple[int, ...] = (),
    scale: float = 0.0,
    standardise: bool = False,
    standardise_y: bool = False,
    label: str = "",
    drop: tuple[str, ...] = (),
    onehot: tuple[str, ...] = (),
    missing: str = "refuse",
    y: str | os.PathLike[str] = "",
    memory: float = MEMORY,
    size: int = 0,
    noise: float = generated.NOISE,
    seed: int = 0,
) -> Dataset:
    """A data set, split and encoded; the same arguments always give the same bytes.

    Args:
        source: `digits`, `mnist`, `and`, `or`, `nand`, `xor`, `moons`, `spirals`, `sine`, or a path to the user's own
            `.npz` (arrays `x` and `y`), `.csv` (with a header line), `.parquet` (pyarrow reads it), or `.npy` (the
            inputs; `y` names the outputs). In Python also columns in memory: a dict of lists or arrays by name, or a
            table of pandas, polars or pyarrow; the same columns give the same bytes from everywhere.
        train: How many examples to keep for training; 0 for all that are not held out.
        validation: How many to hold out for validation. `mnist`: the last ones of its 60,000 training images.
        test: How many to hold out for the test. `mnist` has 10,000 test images of its own: how many of these, the
            first ones; 0 for all.
        split_seed: Decides which examples are held out and, with `train`, which are kept. Not for `mnist`, which keeps
            its order.
        order: `random`: the examples of each part are drawn by `split_seed`. `as stored`, for a series in time: the
            first examples are for training, the next for validation, the last for the test.
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
            both computed in float64 from the numbers as stored, after missing cells are filled. The inputs of one-hot
            columns stay 0 and 1, as is usual beside standardised numbers.
        standardise_y: The same for each output over the training examples; for quantities alone. The costs are then in
            these units; the predictions of a trained model are in those of the source.
        label: The column of a table to predict; "" for the last that is not dropped.
        drop: Columns of a table to leave out. A table of new inputs may have them or not.
        onehot: Columns of a table, of text or of whole numbers, that become one input for each different text of the
            training examples, 1 where the cell is this text and else 0. Whole numbers are in the order of their
            values, texts are sorted. A text that no training example has is refused.
        missing: What happens where a cell of a table is missing: empty, null, nan, or a mark such as `NA`. `refuse`;
            `drop` leaves the row out, before the split; `mean` puts the mean over the training examples, of a one-hot
            column the share of each text. A missing label is never filled. With `drop`, new inputs must be whole.
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

    Examples:
        >>> xor = load_data("xor", targets="binary")
        >>> xor.train.x.tolist(), xor.train.y.tolist(), xor.test.n
        ([[0, 0], [0, 1], [1, 0], [1, 1]], [[0], [1], [1], [0]], 0)
    """
    source = source if frames.is_frame(source) else arguments.text("source", source)
    y, label = arguments.text("y", y), arguments.text("label", label)
    classes, shape = arguments.texts("classes", classes), arguments.whole_numbers("shape", shape)
    choice = Choice(label, targets, arguments.texts("drop", drop), arguments.texts("onehot", onehot), missing)
    numbers = {"scale": scale, "memory": memory, "noise": noise}
    scale, memory, noise = (arguments.number(*given) for given in numbers.items())
    for name, truth in (("standardise", standardise), ("standardise_y", standardise_y)):
        arguments.check_truth(name, truth)
    counts = {"train": train, "validation": validation, "test": test, "split_seed": split_seed, "size": size}
    whole = arguments.counts({**counts, "seed": seed})
    train, validation, test, split_seed, size, seed = whole.values()
    for name, word, words in (("missing", missing, arguments.MISSING), ("order", order, arguments.ORDERS)):
        arguments.check_word(name, word, words)
    arguments.check_source(source)
    arguments.check_columns(source, choice)
    arguments.check_use(source, split_seed, order, (size, noise, seed))
    arguments.check_files(source, y, memory)
    arguments.check_targets(targets)
    if isinstance(source, str) and source == "mnist":
        images, own_test = (_meant(of_classes(raw, classes), targets) for raw in mnist.load())
        parts = split_in_order(images, own_test, train, validation, test)
    else:
        raw = _read(source, y, memory, size, noise, seed, choice, standardise_y)
        _check_kept(source, raw, standardise)
        raw = _meant(of_classes(raw, classes), targets)
        drawn = order == "random"
        parts = split(raw, train, validation, test, split_seed) if drawn else as_stored(raw, train, validation, test)
    parts, encoding = _encoded(parts)
    parts = loaded(_shaped(parts, shape), standardise)
    parts, y_mean, y_sd = with_standardised_outputs(parts) if standardise_y else (parts, 0.0, 1.0)
    data = standardised(parts, targets, scale, encoding) if standardise else scaled(parts, targets, scale)
    data = data._replace(encoding=encoding, y_mean=y_mean, y_sd=y_sd)
    return data._replace(told=(*about_inputs(data), *parts[0].told, *about_units(data), *about_order(data, order)))


def _read(
    source: Any, y: str, memory: float, size: int, noise: float, seed: int, choice: Choice, standardise_y: bool
) -> Raw:
    if not isinstance(source, str) or source not in NAMES:
        return user_files.load(source, y, memory * 2**30, choice, standardise_y)
    if source == "digits":
        return digits.load()
    if source in generated.TRUTH_TABLES:
        return generated.truth_table(source)
    return generated.generate(source, size, noise, seed)


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


def _check_kept(source: Any, raw: Raw, standardise: bool) -> None:
    """Refuse inputs that vary in the source and no longer do in the computation, or hardly."""
    where = source if isinstance(source, str) else tables.IN_MEMORY
    dtype, remedy = np.float32, "data.standardise = true, or subtract a number in the file"
    if standardise:
        dtype, remedy = np.float64, "subtract a number in the file"
    x = raw.x
    if raw.source and raw.source.missing == "mean" and np.isnan(x).any():  # a missing cell is none of the numbers
        x = np.where(np.isnan(x), np.fmin.reduce(x), x)
    check_kept(f"{where}, column" if raw.columns else f"{where}: x", x, raw.columns, dtype, remedy)


def _encoded(parts: Parts) -> tuple[Parts, Encoding | None]:
    """The parts of a table with its columns as inputs, as the training rows decide it."""
    source = parts[0].source
    if source is None:
        return parts, None
    encoding = fitted(parts[0].x, source)
    filled = np.sum([np.isnan(raw.x).sum(axis=0) for raw in parts], axis=0) if source.missing == "mean" else ()
    told = (*parts[0].told, *about_filled(encoding, filled))
    train, validation, test = (raw._replace(x=encoded(encoding, raw.x, source, raw.places), told=told) for raw in parts)
    plain = not encoding.dropped and not any(column.texts or column.fill for column in encoding.columns)
    return (train, validation, test), None if plain else encoding


def _shaped(parts: Parts, shape: tuple[int, ...]) -> Parts:
    """The parts with each example in `shape`."""
    old = parts[0].x.shape[1:]
    if shape:
        check_shape(f"shape = {list(shape)}", old, shape)
    train, validation, test = (raw._replace(x=raw.x.reshape(len(raw.x), *(shape or old))) for raw in parts)
    return train, validation, test
