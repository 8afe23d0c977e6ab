"""A file, looked at, with the arguments that `load_data` is best given, and what it says to them."""

from __future__ import annotations

from typing import Any, NamedTuple

from fnn.data import tables
from fnn.data.dataset import Dataset
from fnn.data.headers import label_place
from fnn.data.loading import load_data
from fnn.errors import CorruptFileError, InputError
from fnn.looking.array_plans import plan_of_arrays
from fnn.looking.arrays import Arrays, look_at_arrays
from fnn.looking.plans import Plan
from fnn.looking.table_plans import plan_of_table
from fnn.looking.tables import LookedTable, look_at_table

ENDINGS = "a .csv, .parquet, .npz or .npy file"


class Found(NamedTuple):
    """A file that was looked at; one of the first two is there."""

    table: LookedTable | None
    arrays: Arrays | None
    plan: Plan | None  # None if there is nothing that a net could learn as it is
    data: Dataset | None  # what `load_data` makes of it; None if it refuses the file
    faults: tuple[str, ...]  # all that stands in the way, and cannot be said in a config


def looked_at(path: str, label: str = "", y: str = "") -> Found:
    """What a file holds, and what `load_data` would be told about it.

    Args:
        path: A file that is there.
        label: The column of a table to predict; "" for the last one.
        y: The `.npy` file of the desired outputs for the inputs in an `.npy` file.

    Raises:
        InputError: It is no data set.
        CorruptFileError: It cannot be read.
    """
    is_table = tables.is_table(path)
    table = look_at_table(path) if is_table else None
    arrays = None if is_table else look_at_arrays(path, y)
    if table and label:
        label_place(path, [column.name for column in table.columns], label)
    if arrays and label:
        raise InputError(f"{path}: --label {label}: only the columns of a .csv or .parquet file have names; drop it")
    if y and not path.lower().endswith(".npy"):
        raise InputError(f"{path}: --y {y}: it is for inputs in an .npy file; drop it")
    if table:
        return _of_table(table, label)
    faults = list(arrays.faults if arrays else ())
    try:
        plan = plan_of_arrays(arrays) if arrays else None
        return Found(None, arrays, plan, load_data(path, **arguments(plan)) if plan else None, tuple(faults))
    except (InputError, CorruptFileError) as error:
        return Found(None, arrays, None, None, tuple(_with(faults, path, error)))


def _of_table(table: LookedTable, label: str) -> Found:
    """The plan of a table, and what `load_data` makes of it; a column that it does not take is left out."""
    faults, refused, plan = list(table.all_faults), set[str](), None
    while True:
        try:
            plan = plan_of_table(table, label, refused)
            data = None if table.faults else load_data(table.path, **arguments(plan))
            return Found(table, None, plan, data, tuple(faults))
        except (InputError, CorruptFileError) as error:
            faults = _with(faults, table.path, error)
            inputs = [name for name, each in plan.roles.items() if each.use != "drop"] if plan else []
            named = {name for name in inputs if f"column {name!r}" in str(error) or f", {name!r}" in str(error)}
            if not named or named <= refused:
                return Found(table, None, plan, None, tuple(faults))
            refused |= named


def _with(faults: list[str], path: str, error: Exception) -> list[str]:
    """The faults with one more, if it is not one of them."""
    said = str(error).removeprefix(f"{path}: ").removeprefix(f"{path}, ")
    return faults if any(said.startswith(fault) for fault in faults) else [*faults, said]


def arguments(plan: Plan) -> dict[str, Any]:
    """The arguments of `load_data`."""
    return {name: tuple(e.value) if isinstance(e.value, list) else e.value for name, e in plan.entries.items()}
