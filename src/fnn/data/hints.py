"""Hints about examples, in lines for before the training: their units, missing classes, repeated rows, far numbers."""

from __future__ import annotations

from typing import Any

import numpy as np

from fnn.data.dataset import Dataset

ROWS_LOOKED_AT = 10_000
LARGEST_COMPARED = 2**28  # bytes of inputs that are compared with each other
SMALL, LARGE = 1e-3, 20.0  # the largest input, in magnitude, with which nets train without scaling
FAR = 1000.0  # standard deviations from the mean of the training rows


def hints(data: Dataset) -> list[str]:
    """What is worth knowing about examples before the training: their units, their classes, repeated and far ones."""
    return [said for said in (hint(data), hint_for_outputs(data), unlearnt(data), repeated(data), far(data)) if said]


def hint(data: Dataset) -> str:
    """Advice about inputs that nobody scaled and that are far from 1, in a line for before the training; "" for none.

    Only the first 10,000 training examples are looked at.
    """
    if data.train.scale != 1 or np.any(data.mean) or not np.all(np.equal(data.sd, 1)) or not data.train.n:
        return ""
    x = np.asarray(data.train.x[:ROWS_LOOKED_AT])
    span, largest = _span(x)
    if not span:
        return ""
    pixels = x.dtype == np.uint8 and largest > 127
    factor = "0.00392 (1/255)" if pixels else f"{1 / largest:.3g}"
    return (
        f"inputs go {span} and are not scaled; data.scale = {factor} or data.standardise = true usually trains better"
    )


def hint_for_outputs(data: Dataset) -> str:
    """Advice about quantities to predict that are far from 1 and not standardised, in a line; "" for none.

    Only those of the first 10,000 training examples are looked at.
    """
    if data.classes or np.ndim(data.y_sd) or not data.train.n:
        return ""
    span, _ = _span(np.asarray(data.train.y[:ROWS_LOOKED_AT]))
    more = "and is not standardised; data.standardise_y = true usually trains better"
    return f"y goes {span} {more}" if span else ""


def _span(values: np.ndarray) -> tuple[str, float]:
    """Where numbers begin and end, in words, and the largest magnitude; "" where nets train well without scaling."""
    least, most = float(values.min()), float(values.max())
    largest = max(abs(least), abs(most))
    fits = not largest or SMALL <= largest <= LARGE
    return "" if fits else f"from {least:.6g} to {most:.6g}", largest


def unlearnt(data: Dataset) -> str:
    """The classes that only held out examples have and no training example, in a line; "" if there are none."""
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


def far(data: Dataset) -> str:
    """A held out number that is far from the training rows, in a line; "" if there is none, or none is standardised.

    It is not looked for in inputs that are in a file.
    """
    if np.all(np.equal(data.sd, 1)):
        return ""
    names = data.encoding.inputs if data.encoding else data.columns
    for name, part in (("validation", data.validation), ("test", data.test)):
        if part.n and isinstance(part.x, np.ndarray):
            x = part.x.reshape(part.n, -1)
            row, place = divmod(int(np.abs(x).argmax()), x.shape[1])
            if abs(x[row, place]) > FAR:
                which = f"{names[place]!r}" if names else f"input {place}"
                return (
                    f"{name} row {row}: {which} is {abs(x[row, place]):.2g} standard deviations from the mean of the "
                    f"training rows, so that the cost of the {name} rows says little; correct it, or leave it out"
                )
    return ""


def _is_large(x: Any) -> bool:
    return not isinstance(x, np.ndarray) or x.nbytes > LARGEST_COMPARED


def _hashes(x: Any) -> list[int]:
    return [hash(row.tobytes()) for row in np.asarray(x)]


def _class_numbers(data: Dataset, y: np.ndarray) -> set[int]:
    """The numbers of the classes in desired outputs that are one-hot rows or bits."""
    if y.shape[1] == len(data.classes):
        return set(np.flatnonzero(y.any(axis=0)).tolist())
    return set(np.unique(y @ (1 << np.arange(y.shape[1])[::-1])).tolist())
