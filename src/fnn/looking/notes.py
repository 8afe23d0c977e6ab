"""What only somebody who knows the data can decide about a table, in lines."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from fnn.data.wording import listed, short
from fnn.looking.columns import Looked
from fnn.looking.plans import FEWEST_TO_SPLIT
from fnn.looking.roles import Role, direction, rises, tells
from fnn.looking.tables import LookedTable

FEW_HELD = 15  # rows of a part that is held out
FEW_NUMBERS = 10  # different whole numbers that may be codes
UNBALANCED = 0.8  # the share of a class with which the accuracy alone says little
FAR, SELDOM = 1000, 0.02  # times the distance of the quartiles; the share of rows that may be so far
FOR_BLANKS = (-99, -999, -9999, -99999)  # numbers that are often written for what is not known
LABELS = ("label", "labels", "target", "class", "y", "outcome")  # names that a label often has


def about_label(columns: Sequence[Looked], target: Looked) -> Iterator[str]:
    """Another column, which may be the label."""
    likely = [column.name for column in columns if column.name.lower() in LABELS and column is not target]
    if likely and target.name.lower() not in LABELS:
        yield f"{short(likely[0])} may be the label; --label {likely[0]} predicts it"


def about_classes(target: Looked, task: str) -> Iterator[str]:
    """A class that is most rows."""
    if task == "quantity":
        return
    name, most = max(target.counts.items(), key=lambda each: each[1])
    if most >= UNBALANCED * target.filled:
        share = f"{most / target.filled:.1%} of the rows"
        yield f"{share} are {short(name)}: the recall of the others says more than the accuracy"


def about_inputs(inputs: Sequence[Looked], roles: Mapping[str, Role], target: Looked, task: str) -> Iterator[str]:
    """Inputs that are hardly inputs, that may be codes, or that may be known only after the label."""
    for column in (c for c in inputs if roles[c.name].why):
        yield f"no column is left but {short(column.name)} ({roles[column.name].why})"
    codes = [c for c in inputs if c.kind == "numbers" and c.is_whole and 2 < c.different <= FEW_NUMBERS < c.filled]
    if codes:
        names = listed([f"{short(c.name)} ({c.different} different)" for c in codes], 5)
        yield f"few whole numbers, in {names}: if they are codes and no amounts, put them into onehot"
    for column in (c for c in inputs if c.kind == "text" and task != "quantity" and tells(c, target)):
        one = f"each text of {short(column.name)} goes with one {short(target.name)} alone"
        yield f"{one}: if it is known only after the label, drop it"


def about_numbers(columns: Sequence[Looked]) -> Iterator[str]:
    """A number that is far from the others of its column, and one that may stand for a blank."""
    for column in (c for c in columns if c.kind == "numbers" and c.filled >= FEWEST_TO_SPLIT and not c.faults):
        numbers = column.column.numbers
        low, middle, high = np.nanpercentile(numbers, (25, 50, 75))
        far = np.flatnonzero(np.abs(numbers - middle) > FAR * (high - low))
        if low < high and 0 < len(far) <= SELDOM * column.filled:
            more = f" and {len(far) - 1:,} more" if len(far) > 1 else ""
            said = f"{short(column.name)}, {column.place(int(far[0]))}: {numbers[far[0]]:g}{more}"
            yield f"{said}, far from the others, half of which are {low:g} to {high:g}: correct it, or leave it out"
        negative = numbers[numbers < 0]
        if column.low in FOR_BLANKS and len(negative) > 1 and np.all(negative == column.low):
            said = f"{short(column.name)} is {column.low:g} in {len(negative):,} rows, and else never negative"
            yield f"{said}: if that stands for a blank, leave the cells empty"


def about_time(table: LookedTable, inputs: Sequence[Looked], task: str, order: str) -> Iterator[str]:
    """Columns in whose order the rows may be."""
    rising = [c for c in inputs if c.kind == "numbers" and c.n >= FEWEST_TO_SPLIT and rises(c)]
    if rising and order == "random":
        yield f'{short(rising[0].name)} rises from row to row: if it is a time, say order = "as stored"'
    for column in (c for c in table.columns if c.kind == "dates" and not table.faults):
        way = direction(column)
        if way > 0 and task != "quantity":
            yield f'the dates in {short(column.name)} rise: for a series say order = "as stored"'
        if way < 0:
            yield f"the dates in {short(column.name)} fall: for a series sort the rows, the oldest first"


def about_size(n_in: int, rows: int, held: int) -> Iterator[str]:
    """Few rows that are held out, and more inputs than training rows."""
    training = rows - held
    if 0 < held < 2 * FEW_HELD:
        few = f"{held // 2} validation and {held // 2} test rows are few"
        yield f"{few}: which epoch is best, and the result, change much with split_seed"
    if n_in > training >= FEWEST_TO_SPLIT:
        yield f"{n_in:,} inputs are more than the {training:,} training rows: columns left out may help"
