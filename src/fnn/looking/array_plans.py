"""What `load_data` is best told about arrays, and about the sources that it knows, and why."""

from __future__ import annotations

import math

import numpy as np

from fnn.data.inventory import Source
from fnn.errors import InputError
from fnn.looking.arrays import Arrays
from fnn.looking.plans import (
    FEWEST_TO_SPLIT,
    SEED,
    STANDARDISE,
    STANDARDISE_Y,
    Entry,
    Plan,
    parts,
    rare_texts,
    seed_for_classes,
    task_of,
)

LARGEST_UNSCALED = 2.0  # the largest input, in magnitude, that is left as it is
SMALLEST_IMAGE = 8  # pixels in height and width
CHANNELS = (1, 3, 4)  # of an image
MEMORY = 4 * 2**30  # bytes of float32: larger inputs stay in their file


def plan_of_arrays(arrays: Arrays) -> Plan:
    """The arguments for the arrays of a file.

    Raises:
        InputError: There are faults, or nothing to predict.
    """
    if arrays.faults:
        more = f" (and {len(arrays.faults) - 1} more: fnn data {arrays.path})" if arrays.faults[1:] else ""
        raise InputError(f"{arrays.path}: {arrays.faults[0]}{more}")
    if not arrays.y_shape:
        raise InputError(f"{arrays.path}: the inputs are alone; name the .npy file of the desired outputs by --y FILE")
    task, targets, n_out = _outputs(arrays)
    entries = {"targets": targets}
    if arrays.y_path:
        entries = {"y": Entry(arrays.y_path, "the desired outputs, a row for each input")} | entries
    shape, entries["shape"] = _shape(arrays.x.shape)
    entries |= _units(arrays, shape) | ({"standardise_y": STANDARDISE_Y} if task == "quantity" else {})
    entries |= _split_seed(arrays, task) | parts(arrays.x.n)
    entries = {name: entry for name, entry in entries.items() if entry.value != ()}
    return Plan(arrays.path, arrays.x.n, task, entries, {}, tuple(_notes(arrays)), shape, n_out)


def _outputs(arrays: Arrays) -> tuple[str, Entry, int]:
    """What is predicted, how `load_data` is told so, and the number of outputs."""
    several = arrays.y_shape[1:] not in ((), (1,))
    if several and arrays.one_hot:
        k = arrays.y_shape[1]
        return "classes", Entry("one-hot", f"{k:,} classes, an output for each: each row of y has a single 1"), k
    if several or arrays.y is None:
        k = arrays.y_shape[1]
        return "quantity", Entry("quantity", f"{k:,} numbers a row"), k
    task, targets = task_of(arrays.path, arrays.y)
    return task, targets, arrays.y.different if task == "classes" else 1


def _shape(stored: tuple[int, ...]) -> tuple[tuple[int, ...], Entry]:
    """The shape of an example for the net, and the entry that says so, if it is not that of the file."""
    if len(stored) == 2 and min(stored) >= SMALLEST_IMAGE:
        return (1, *stored), Entry([1, *stored], f"images of {stored[0]} x {stored[1]} pixels in one channel")
    return stored, Entry((), "")


def is_image(shape: tuple[int, ...]) -> bool:
    """Whether examples of a shape are images, channels first."""
    return len(shape) == 3 and shape[0] in CHANNELS and min(shape[1:]) >= SMALLEST_IMAGE


def _units(arrays: Arrays, shape: tuple[int, ...]) -> dict[str, Entry]:
    """`scale` or `standardise`."""
    x, largest = arrays.x, max(abs(arrays.x.low), abs(arrays.x.high))
    span = f"the inputs go from {x.low:g} to {x.high:g}"
    large = 4 * x.n * math.prod(x.shape) > MEMORY
    if x.dtype == np.uint8 or x.dtype == np.bool_ or len(shape) > 1 or large:
        if largest <= LARGEST_UNSCALED:
            return {}
        top = 255.0 if x.dtype == np.uint8 and largest > 127 else largest
        return {"scale": Entry(1 / top, f"{span}; times 1/{top:g} they are at most 1")}
    return {"standardise": STANDARDISE}


def _split_seed(arrays: Arrays, task: str) -> dict[str, Entry]:
    if task == "quantity" or arrays.y is None:
        return {}
    seed = seed_for_classes(arrays.x.n, rare_texts(arrays.y, np.arange(arrays.x.n)), [], "random")
    return {"split_seed": Entry(seed, SEED)} if seed > 0 else {}


def _notes(arrays: Arrays) -> list[str]:
    shape = arrays.x.shape
    if len(shape) == 3 and shape[2] in CHANNELS and shape[0] not in CHANNELS:
        return ["the colours of x come last; np.moveaxis(x, -1, 1) stores images that layers of filters take"]
    root = math.isqrt(math.prod(shape))
    if len(shape) == 1 and root >= SMALLEST_IMAGE and root**2 == shape[0]:
        return [f"if the rows are images, shape = [1, {root}, {root}] lets layers of filters see them as such"]
    return []


def plan_of_source(source: Source) -> Plan:
    """The arguments for a source that fnn knows by name; nothing is read."""
    k, rows = int(source.outputs.split()[0]), source.rows
    task = "quantity" if "quantit" in source.outputs else "binary" if k == 2 else "classes"
    targets = {"quantity": "quantity", "binary": "binary", "classes": "one-hot"}[task]
    entries = {"targets": Entry(targets, source.outputs)}
    if source.name == "mnist":
        rows = 60_000  # it has a test set of its own
        entries["validation"] = Entry(10_000, "the last of its 60,000 training images; it has 10,000 more for the test")
    else:
        entries |= parts(rows)
    notes = ("a truth table: there are no other rows to validate or test by",) if rows < FEWEST_TO_SPLIT else ()
    return Plan(source.name, rows, task, entries, {}, notes, source.shape, k if task == "classes" else 1)
