"""What `load_data` is best told about a table, and why: the label, the columns to leave out, those of text."""

from __future__ import annotations

import re
from collections.abc import Collection

import numpy as np

from fnn.data.headers import UNNAMED, label_place
from fnn.data.labels import counted
from fnn.data.looked_columns import Looked, listed, short
from fnn.data.looking import Table
from fnn.data.plans import (
    FEWEST_TO_SPLIT,
    STANDARDISE,
    STANDARDISE_Y,
    Entry,
    Plan,
    first_seed,
    parts,
    rare_texts,
    task_of,
)
from fnn.data.roles import Role, direction, role, tells
from fnn.errors import InputError

FEW_NUMBERS = 10  # different whole numbers that may be codes
UNBALANCED = 0.8  # the share of a class with which the accuracy alone says little
TIME = re.compile(r"(?i)t|(date|time|datetime|timestamp|day|week|month|quarter|year|hour|minute|second|step)s?")
LABELS = ("label", "labels", "target", "class", "y", "outcome")  # names that a label often has
LEFT = 0.5  # of the rows must be left without those that have no label


def plan(table: Table, label: str = "", refused: Collection[str] = ()) -> Plan:
    """The arguments for a table.

    Args:
        table: As it was found.
        label: The column to predict, or "" for the last one.
        refused: Columns that `load_data` does not take as inputs.

    Raises:
        InputError: There is no such column, nothing in it to predict, or no other column to predict it from.
    """
    target = _target(table, label)
    task, targets = task_of(table.path, target)
    roles = _roles(table, target, refused)
    used = [target, *_inputs(table, roles)]
    missing, kept = _missing(table, target, used)
    order = _order(table, target, task)
    seed = _split_seed(used, target if task != "quantity" else None, roles, kept, order.value)
    rows = len(kept) if table.looked_at == table.rows else table.rows
    held = target.described() if task == "quantity" else target.shares()
    why = f"to predict: {held}" if label else f"to predict, the last column: {held}"
    entries = {
        "label": Entry(target.name, why),
        "targets": targets,
        **_columns(table, roles),
        **missing,
        **({"standardise": STANDARDISE} if any(each.use == "number" for each in roles.values()) else {}),
        **({"standardise_y": STANDARDISE_Y} if task == "quantity" else {}),
        **({"order": order} if order.value != "random" else {}),
        **seed,
        **parts(rows),
    }
    notes = _notes(table, target, task, roles, bool(label), order.value)
    inputs = [c.different if roles[c.name].use == "onehot" else 1 for c in _inputs(table, roles)]
    n_out = target.different if task == "classes" else 1
    training = rows - sum(entry.value for entry in parts(rows).values())
    if sum(inputs) > training >= FEWEST_TO_SPLIT:
        notes.append(f"{sum(inputs):,} inputs are more than the {training:,} training rows: columns left out may help")
    return Plan(table.path, rows, task, entries, roles, tuple(notes), (sum(inputs),), n_out)


def _target(table: Table, label: str) -> Looked:
    """The column of this name, or the last one that has a name."""
    if label:
        return table.columns[label_place(table.path, [column.name for column in table.columns], label)]
    return next((column for column in reversed(table.columns) if not UNNAMED.fullmatch(column.name)), table.columns[-1])


def _inputs(table: Table, roles: dict[str, Role]) -> list[Looked]:
    """The columns that the net gets."""
    return [column for column in table.columns if column.name in roles and roles[column.name].use != "drop"]


def _roles(table: Table, target: Looked, refused: Collection[str]) -> dict[str, Role]:
    """What each column but the label is for; at least one is an input.

    Raises:
        InputError: None can be one.
    """
    roles = {column.name: role(column, target) for column in table.columns if column is not target}
    roles |= {name: Role("drop", "it cannot be computed with as it is") for name in refused}
    if all(each.use == "drop" for each in roles.values()):
        others = [c for c in table.columns if c is not target and not UNNAMED.fullmatch(c.name)]
        sound = [c for c in others if c.kind == "numbers" and c.name not in refused and not c.faults]
        varying = [c.name for c in sound if c.different > 1]
        if not varying:
            why = "; ".join(f"{short(name)}: {each.why}" for name, each in list(roles.items())[:5])
            raise InputError(
                f"{table.path}: no column is left to predict {short(target.name)} from; add one of numbers, or of few "
                f"texts. {why}"
            )
        roles |= {name: Role("number", roles[name].why) for name in varying}
    return roles


def _columns(table: Table, roles: dict[str, Role]) -> dict[str, Entry]:
    """`drop` and `onehot`."""
    dropped = [name for name, each in roles.items() if each.use == "drop"]
    onehot = [column for column in _inputs(table, roles) if roles[column.name].use == "onehot"]
    entries = {}
    if dropped:
        entries["drop"] = Entry(dropped, "; ".join(f"{short(name)}: {roles[name].why}" for name in dropped))
    if onehot:
        inputs = sum(column.different for column in onehot)
        entries["onehot"] = Entry(
            [column.name for column in onehot],
            f"text: an input, 0 or 1, for each different text, {inputs:,} in all",
        )
    return entries


def _missing(table: Table, target: Looked, used: list[Looked]) -> tuple[dict[str, Entry], np.ndarray]:
    """What is done with blanks, and the rows that are left, `(n,)` numbers of rows."""
    every = np.arange(table.looked_at)
    blank = [column for column in used if column.blanks and column is not target]
    if target.blanks:
        left = every[~np.any([column.column.is_missing for column in used], axis=0)]
        if len(left) < LEFT * len(every):
            raise InputError(
                f"{table.path}: {target.blanks:,} of {len(every):,} rows have no {short(target.name)}, the label, the "
                f"first {target.first_blank}; remove these rows, since a label cannot be filled in"
            )
        why = f"{target.blanks:,} rows have no label, which cannot be filled in; no row with a blank is used"
        return {"missing": Entry("drop", why)}, left
    if not blank:
        return {}, every
    where = listed([f"{short(column.name)} {column.blanks:,}, the first {column.first_blank}" for column in blank], 4)
    blanks = counted(sum(column.blanks for column in blank), "blank", "blanks")
    return {"missing": Entry("mean", f"{blanks} get the mean of the training rows: {where}")}, every


def _order(table: Table, target: Looked, task: str) -> Entry:
    """Whether the rows are a series: a quantity is predicted, and a date, or what is called a time, rises."""
    if task == "quantity" and not table.faults:
        for column in (c for c in table.columns if c is not target and not c.faults):
            what = "the dates in " if column.kind == "dates" and direction(column) > 0 else ""
            if what or (column.kind == "numbers" and TIME.fullmatch(column.name) and _rises(column)):
                why = (
                    f"{what}{short(column.name)} rise{'' if what else 's'}: the first rows train, the last are the test"
                )
                return Entry("as stored", why)
    return Entry("random", "")


def _split_seed(
    used: list[Looked], classes: Looked | None, roles: dict[str, Role], kept: np.ndarray, order: str
) -> dict[str, Entry]:
    """A seed with which each text of an input, and if possible each class, is among the training rows.

    A column for whose texts there is none is left out: `roles` gets that.
    """
    held = sum(entry.value for entry in parts(len(kept)).values())
    rare = {c.name: rare_texts(c, kept) for c in used if c.name in roles and roles[c.name].use == "onehot"}
    of_classes = rare_texts(classes, kept) if classes and order == "random" else []
    while True:
        texts = [places for each in rare.values() for places in each]
        for wanted in ([*texts, *of_classes], texts):
            seed = first_seed(len(kept), held, wanted, order)
            if seed >= 0:
                why = "the first split with each class and each text among the training rows"
                return {"split_seed": Entry(seed, why)} if seed else {}
        worst = max(rare, key=lambda name: len(rare[name]))
        del rare[worst]
        roles[worst] = Role("drop", "some of its texts are in so few rows that a net cannot learn what they mean")


def _notes(table: Table, target: Looked, task: str, roles: dict[str, Role], named: bool, order: str) -> list[str]:
    """What only somebody who knows the data can decide."""
    inputs = _inputs(table, roles)
    kept = [c for c in inputs if roles[c.name].why]
    notes = [f"no column is left but {short(c.name)} ({roles[c.name].why})" for c in kept]
    likely = [c.name for c in table.columns if c.name.lower() in LABELS and c is not target]
    if likely and not named and target.name.lower() not in LABELS:
        notes.append(f"{short(likely[0])} may be the label; --label {likely[0]} predicts it")
    if task != "quantity" and (most := max(target.counts.values())) >= UNBALANCED * target.filled:
        name = max(target.counts, key=lambda text: target.counts[text])
        share = f"{most / target.filled:.1%} of the rows"
        notes.append(f"{share} are {short(name)}: the recall of the others says more than the accuracy")
    codes = [c for c in inputs if c.kind == "numbers" and c.is_whole and 2 < c.different <= FEW_NUMBERS < c.filled]
    if codes:
        named_codes = listed([f"{short(c.name)} ({c.different} different)" for c in codes], 5)
        notes.append(f"few whole numbers, in {named_codes}: if they are codes and no amounts, put them into onehot")
    rising = [c for c in inputs if c.kind == "numbers" and c.n >= FEWEST_TO_SPLIT and _rises(c)]
    if rising and order == "random":
        notes.append(f'{short(rising[0].name)} rises from row to row: if it is a time, say order = "as stored"')
    for column in (c for c in table.columns if c.kind == "dates" and not table.faults):
        way = direction(column)
        if way > 0 and task != "quantity":
            notes.append(f'the dates in {short(column.name)} rise: for a series say order = "as stored"')
        if way < 0:
            notes.append(f"the dates in {short(column.name)} fall: for a series sort the rows, the oldest first")
    for column in (c for c in inputs if c.kind == "text" and task != "quantity"):
        if tells(column, target):
            notes.append(
                f"each text of {short(column.name)} goes with one {short(target.name)} alone: if it is known only "
                "after the label, drop it"
            )
    return notes


def _rises(column: Looked) -> bool:
    return not column.blanks and bool(np.all(np.diff(column.column.numbers) > 0))
