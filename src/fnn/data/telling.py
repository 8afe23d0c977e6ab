"""What was made of a source, in lines for before the training."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from fnn.data.dataset import Dataset
from fnn.data.encoding import Encoding
from fnn.data.headers import shown
from fnn.data.labels import counted

MOST_SHOWN = 8  # texts of a one-hot column


def about_inputs(data: Dataset) -> tuple[str, ...]:
    """The columns of a table that are inputs, by their kind."""
    if not data.columns:
        return ()
    onehot = data.encoding.onehot if data.encoding else ()
    numbers = [name for name in data.columns if name not in onehot]
    said = [f"{counted(len(numbers), 'number', 'numbers')}, {shown(numbers)}"] if numbers else []
    if data.encoding and onehot:
        texts = [f"{c.name!r} ({_some(c.texts)})" for c in data.encoding.columns if c.texts]
        said.append(f"{len(onehot):,} one-hot, {', '.join(texts[:20])}{', ...' if len(texts) > 20 else ''}")
    n_in = int(np.prod(data.shape))
    return (f"x: {counted(n_in, 'input', 'inputs')} from {'; '.join(said)}",)


def _some(texts: tuple[str, ...]) -> str:
    more = f", ... {len(texts):,} in all" if len(texts) > MOST_SHOWN else ""
    return f"{', '.join(text[:40] for text in texts[:MOST_SHOWN])}{more}"


def about_filled(encoding: Encoding, filled: Mapping[str, int]) -> tuple[str, ...]:
    """In which columns how many missing cells were filled, and by what."""
    if not any(filled.values()):
        return ()
    said = []
    for column in encoding.columns:
        if filled[column.name]:
            by = "the share of each text" if column.texts else f"{column.fill[0]:.6g}"
            said.append(f"{filled[column.name]:,} of {column.name!r} by {by}")
    more = f"; ... {len(said):,} columns in all" if len(said) > 20 else ""
    return (f"filled with the mean of the training rows: {'; '.join(said[:20])}{more}",)


def about_units(data: Dataset) -> tuple[str, ...]:
    """What is said of standardised inputs beside one-hot ones, and of standardised outputs."""
    said = []
    if data.encoding and data.encoding.onehot and not np.all(np.equal(data.sd, 1)):
        said.append("standardised: the inputs that are numbers; the one-hot inputs stay 0 and 1")
    if np.ndim(data.y_sd):
        pairs = zip(np.ravel(data.y_mean), np.ravel(data.y_sd), strict=True)
        units = ", ".join(f"(y - {mean:.6g})/{sd:.6g}" for mean, sd in list(pairs)[:8])
        said.append(f"y: standardised, {units}; costs are in these units, predictions in those of y")
    return tuple(said)


def about_order(data: Dataset, order: str) -> tuple[str, ...]:
    """Which rows are in which part, if they were not drawn."""
    if order == "random":
        return ()
    said = [f"the first {data.train.n:,} for training"]
    said += [f"the next {data.validation.n:,} for validation"] if data.validation.n else []
    said += [f"the last {data.test.n:,} for the test"] if data.test.n else []
    return (f"rows: as stored, {', '.join(said)}",)
