"""What was made of a source, in lines for before the training."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from fnn.data.dataset import Dataset
from fnn.data.encoding import Encoding
from fnn.data.wording import counted

MOST_SHOWN = 8  # columns, and texts of a one-hot column


def about_inputs(data: Dataset) -> tuple[str, ...]:
    """The columns of a table that are inputs, by their kind."""
    if not data.columns:
        return ()
    onehot = data.encoding.onehot if data.encoding else ()
    numbers = [name for name in data.columns if name not in onehot]
    said = []
    if numbers:
        said.append(f"{counted(len(numbers), 'number', 'numbers')}, {_some([repr(name) for name in numbers])}")
    if data.encoding and onehot:
        texts = [f"{c.name!r} ({_some([text[:40] for text in c.texts])})" for c in data.encoding.columns if c.texts]
        said.append(f"{len(onehot):,} one-hot, {_some(texts)}")
    n_in = int(np.prod(data.shape))
    return (f"x: {counted(n_in, 'input', 'inputs')} from {'; '.join(said)}",)


def _some(words: list[str], between: str = ", ") -> str:
    """The first words of a list, and how many there are if there are more."""
    more = f"{between}... {len(words):,} in all" if len(words) > MOST_SHOWN else ""
    return f"{between.join(words[:MOST_SHOWN])}{more}"


def about_filled(encoding: Encoding, filled: Iterable[int]) -> tuple[str, ...]:
    """How many missing cells of each column were filled, and by what."""
    said = []
    for column, number in zip(encoding.columns, filled, strict=False):  # none, where nothing is filled
        if number:
            by = "the share of each text" if column.texts else f"{column.fill[0]:.6g}"
            said.append(f"{number:,} of {column.name!r} by {by}")
    if not said:
        return ()
    return (f"filled with the mean of the training rows: {_some(said, '; ')}",)


def about_units(data: Dataset) -> tuple[str, ...]:
    """What is said of standardised inputs beside one-hot ones, and of standardised outputs."""
    said = []
    if data.encoding and data.encoding.onehot and not np.all(np.equal(data.sd, 1)):
        said.append("standardised: the inputs that are numbers; the one-hot inputs stay 0 and 1")
    if np.ndim(data.y_sd):
        pairs = zip(np.ravel(data.y_mean), np.ravel(data.y_sd), strict=True)
        units = [f"(y {'+' if mean < 0 else '-'} {abs(mean):.6g})/{sd:.6g}" for mean, sd in pairs]
        said.append(f"y: standardised, {_some(units)}; costs are in these units, predictions in those of y")
    return tuple(said)


def about_order(data: Dataset, order: str) -> tuple[str, ...]:
    """Which rows are in which part, if they were not drawn."""
    if order == "random":
        return ()
    said = [f"the first {data.train.n:,} for training"]
    said += [f"the next {data.validation.n:,} for validation"] if data.validation.n else []
    said += [f"the last {data.test.n:,} for the test"] if data.test.n else []
    return (f"rows: as stored, {', '.join(said)}",)
