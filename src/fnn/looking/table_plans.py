"""What `load_data` is best told about a table, and why: the label, the columns to leave out, those of text."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

import numpy as np

from fnn.data.headers import UNNAMED, label_place
from fnn.data.wording import counted, listed, short
from fnn.errors import InputError
from fnn.looking import notes
from fnn.looking.columns import Looked
from fnn.looking.plans import (
    SEED,
    STANDARDISE,
    STANDARDISE_Y,
    Entry,
    Plan,
    held_out,
    parts,
    rare_texts,
    seed_for_classes,
    task_of,
)
from fnn.looking.roles import Role, direction, rises, role
from fnn.looking.tables import LookedTable

TIME = re.compile(r"(?i)t|(date|time|datetime|timestamp|day|week|month|quarter|year|hour|minute|second|step)s?")
LEFT = 0.5  # of the rows must be left without those that have no label


def plan_of_table(table: LookedTable, label: str = "", refused: Collection[str] = ()) -> Plan:
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
    inputs = _inputs(table, roles)
    n_in = sum(c.different if roles[c.name].use == "onehot" else 1 for c in inputs)
    n_out = target.different if task == "classes" else 1
    plan = Plan(table.path, rows, task, entries, roles, (), (n_in,), n_out)
    about_label = () if label else notes.about_label(table.columns, target)
    return plan._replace(notes=(*about_label, *_notes(table, target, inputs, plan, order.value)))


def _notes(table: LookedTable, target: Looked, inputs: list[Looked], plan: Plan, order: str) -> Iterator[str]:
    """What somebody who knows the data has to decide."""
    yield from notes.about_classes(target, plan.task)
    yield from notes.about_inputs(inputs, plan.roles, target, plan.task)
    yield from notes.about_numbers([target, *inputs])
    yield from notes.about_time(table, inputs, plan.task, order)
    yield from notes.about_size(plan.shape[0], plan.rows, held_out(plan.rows))


def _target(table: LookedTable, label: str) -> Looked:
    """The column of this name, or the last one that has a name."""
    if label:
        return table.columns[label_place(table.path, [column.name for column in table.columns], label)]
    return next((column for column in reversed(table.columns) if not UNNAMED.fullmatch(column.name)), table.columns[-1])


def _inputs(table: LookedTable, roles: dict[str, Role]) -> list[Looked]:
    """The columns that the net gets."""
    return [column for column in table.columns if column.name in roles and roles[column.name].use != "drop"]


def _roles(table: LookedTable, target: Looked, refused: Collection[str]) -> dict[str, Role]:
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


def _columns(table: LookedTable, roles: dict[str, Role]) -> dict[str, Entry]:
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


def _missing(table: LookedTable, target: Looked, used: list[Looked]) -> tuple[dict[str, Entry], np.ndarray]:
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
        rows = counted(target.blanks, "row has", "rows have")
        used_rows = f"no row with a blank is used, {len(left):,} of {len(every):,} are left"
        more = '; if you remove these rows, missing = "mean" can fill the other blanks' if blank else ""
        why = f"{rows} no label, which cannot be filled in; {used_rows}{more}"
        return {"missing": Entry("drop", why)}, left
    if not blank:
        return {}, every
    where = listed([f"{short(column.name)} {column.blanks:,}, the first {column.first_blank}" for column in blank], 4)
    blanks = counted(sum(column.blanks for column in blank), "blank", "blanks")
    return {"missing": Entry("mean", f"{blanks} get the mean of the training rows: {where}")}, every


def _order(table: LookedTable, target: Looked, task: str) -> Entry:
    """Whether the rows are a series: a quantity is predicted, and a date, or what is called a time, rises."""
    if task == "quantity" and not table.faults:
        for column in (c for c in table.columns if c is not target and not c.faults):
            what = "the dates in " if column.kind == "dates" and direction(column) > 0 else ""
            if what or (column.kind == "numbers" and TIME.fullmatch(column.name) and rises(column)):
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
    rare = {c.name: rare_texts(c, kept) for c in used if c.name in roles and roles[c.name].use == "onehot"}
    of_classes = rare_texts(classes, kept) if classes and order == "random" else []
    while True:
        seed = seed_for_classes(len(kept), of_classes, [places for each in rare.values() for places in each], order)
        if seed >= 0:
            return {"split_seed": Entry(seed, SEED)} if seed else {}
        worst = max(rare, key=lambda name: len(rare[name]))
        del rare[worst]
        roles[worst] = Role("drop", "some of its texts are in so few rows that a net cannot learn what they mean")
