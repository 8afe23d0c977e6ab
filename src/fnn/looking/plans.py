"""What `load_data` is best told about a source, and why; here what tables and arrays have in common.

Nothing of it is used in silence: `fnn data` prints it, `fnn new` writes it into a config, each choice with its reason.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from fnn.data.labels import MOST_CLASSES
from fnn.data.splitting import drawn_order
from fnn.data.wording import short
from fnn.errors import InputError
from fnn.looking.columns import Looked
from fnn.looking.roles import Role

FEWEST_TO_SPLIT = 20  # rows; if there are fewer, all are for training
SHARE = 0.2  # of the rows, for validation and for the test each
LARGEST_PART = 10_000  # rows: more do not tell much more
MOST_NUMBERS = 20  # different whole numbers that are taken for classes, and
ROWS_PER_CLASS = 5  # at least on average
RARE = 20  # rows: a text that is there more often is among the training rows in any case
PARTS = 3
SEEDS, NUMBERS_DRAWN = 1000, 10**7  # that are tried at most


class Entry(NamedTuple):
    """An argument of `load_data`."""

    value: Any
    why: str


class Plan(NamedTuple):
    """The arguments of `load_data` for a source."""

    source: str
    rows: int  # that are split into parts
    task: str  # "classes", "binary" or "quantity"
    entries: dict[str, Entry]  # in the order in which a config has them
    roles: dict[str, Role]  # of each column but the label
    notes: tuple[str, ...]  # what a reader has to decide, a line each
    shape: tuple[int, ...]  # of an example, as the net gets it
    n_out: int  # the number of outputs


STANDARDISE = Entry(True, "numbers get the mean 0 and the deviation 1, by those of the training rows")
SEED = "the first split with each class in each part, and each text in the training rows, as far as there is one"
STANDARDISE_Y = Entry(True, "the label too; results and predictions stay in its own units")


def task_of(path: str, target: Looked) -> tuple[str, Entry]:
    """What is predicted, and how `load_data` is told so.

    Raises:
        InputError: There is nothing in the column that a net could learn to predict.
    """
    where = f"{path}: the label {short(target.name)}"
    another = "is it what you want to predict? Another column of a table is named by --label COLUMN"
    if target.faults:
        raise InputError(f"{path}: {target.faults[0]}")
    if target.different < 2:
        held = f"has {target.only()} in every row" if target.filled else "is blank"
        raise InputError(f"{where} {held}, so that there is nothing to learn; {another}")
    k, rows = target.different, target.filled
    if target.kind != "numbers":
        if k > MOST_CLASSES or 2 < k > rows // 2:
            raise InputError(f"{where} has {target.many()} different texts in {rows:,} rows; {another}")
        return _classes(target, "text")
    if not target.is_whole:
        return "quantity", Entry("quantity", "not all of its numbers are whole")
    most = MOST_NUMBERS if target.is_written_whole else MOST_NUMBERS // 2
    if k == 2 or (k <= most and k * ROWS_PER_CLASS <= rows):
        return _classes(target, f'{k} different whole numbers; "quantity" reads them as amounts')
    return "quantity", Entry("quantity", f"{k:,} different whole numbers in {rows:,} rows are amounts and no classes")


def _classes(target: Looked, why: str) -> tuple[str, Entry]:
    if target.different > 2:
        return "classes", Entry("one-hot", f"{target.different:,} classes ({why}), an output for each")
    names = sorted(target.counts, key=float if target.kind == "numbers" else str)
    return "binary", Entry("binary", f"two classes ({why}), one output: the probability of {short(names[1])}")


def parts(rows: int) -> dict[str, Entry]:
    """`validation` and `test`."""
    if rows < FEWEST_TO_SPLIT:
        return {}
    part = min(round(SHARE * rows), LARGEST_PART)
    share = f"{part / rows:.0%} of the rows" if part < LARGEST_PART else "rows"
    return {
        "validation": Entry(part, f"{share}: when to stop, and which epoch to keep"),
        "test": Entry(part, f"{share}: the result at the end, nothing is decided by them"),
    }


def held_out(rows: int) -> int:
    """How many rows are in these two parts."""
    return sum(entry.value for entry in parts(rows).values())


def first_seed(
    rows: int, held: int, wanted: Sequence[np.ndarray], order: str, spread: Sequence[np.ndarray] = ()
) -> int:
    """The first seed of a good split; -1 if none was found.

    Args:
        rows: How many are split.
        held: How many of them are held out, one half for validation, the other for the test.
        wanted: Rows of which one at least is for training.
        order: As for `load_data`.
        spread: Rows of which each part has one at least.
    """
    if not held:
        return 0
    if order != "random":
        return 0 if all(places[0] < rows - held for places in wanted) else -1
    for seed in range(max(1, min(SEEDS, NUMBERS_DRAWN // rows)) if wanted or spread else 1):
        part, drawn = np.zeros(rows, np.int8), drawn_order(rows, seed)
        part[drawn[: held // 2]], part[drawn[held // 2 : held]] = 2, 1
        trained = all((part[places] == 0).any() for places in wanted)
        if trained and all(len(np.unique(part[places])) == PARTS for places in spread):
            return seed
    return -1


def seed_for_classes(rows: int, classes: Sequence[np.ndarray], texts: Sequence[np.ndarray], order: str) -> int:
    """The first seed with which each class is in every part, or else among the training rows, and each text is there.

    The classes need it less than the texts: without it, a class is told to be missing, and a text is refused.
    """
    held = held_out(rows)
    spread = [places for places in classes if len(places) >= ROWS_PER_CLASS] if order == "random" else []
    tries = ([*texts, *classes], spread), ([*texts, *classes], []), (texts, [])
    found = (first_seed(rows, held, wanted, order, every) for wanted, every in tries)
    return next((seed for seed in found if seed >= 0), -1)


def rare_texts(column: Looked, kept: np.ndarray) -> list[np.ndarray]:
    """The places among the rows that are kept of each text that is in few rows."""
    codes = column.column.codes
    if codes is None:
        return []
    codes = codes[kept]
    counts = np.bincount(codes[codes >= 0], minlength=len(column.column.texts))
    return [np.flatnonzero(codes == code) for code in np.flatnonzero((counts > 0) & (counts <= RARE))]
