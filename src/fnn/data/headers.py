"""The header line of a table: the names of its columns, and which of them are the inputs."""

import os
import re
from collections.abc import Collection
from difflib import get_close_matches

from fnn.data.cells import is_missing, is_number, is_python_number
from fnn.data.spelling import alike, canonical, hidden
from fnn.errors import InputError

LONGEST_NAME, LONGEST_SHOWN = 200, 60  # characters of a name, and of those that a message shows
RENAME = "expected names of columns; rename them"
UNNAMED = re.compile(r"(Unnamed: \d+(\.\d+)*|__index_level_\d+__)?")  # what pandas calls a column without a name


def check_header(path: str | os.PathLike[str], header: list[str], skip: Collection[str] = ()) -> None:
    """Refuses names that are no names: numbers and blanks, as in a table without a header line, and the same twice.

    Args:
        path: The file.
        header: The names in its first line.
        skip: The names of the columns that are left out; they may be blank, or numbers.
    """
    if len(header) == 1 and (other := next((c for c in ";\t|" if c in header[0]), "")):
        raise InputError(
            f"{path}: one column, {header[0][:LONGEST_SHOWN]!r}; expected inputs and a label, separated by commas and "
            f"not by {other!r}, with a point in decimal numbers"
        )
    remedy = "expected a header line with the names of the columns: the file seems to have none, write one"
    check_names(
        f"{path}, line 1", header, skip, "a header line, ", remedy, ", for example by df.to_csv(path, index=False)"
    )


def check_names(
    at: str, header: list[str], skip: Collection[str], what: str = "", write: str = RENAME, delete: str = ""
) -> None:
    """Refuses names that are no names.

    Args:
        at: Where they stand, for the messages.
        header: The names.
        skip: The names of the columns that are left out; they may be blank, or numbers.
        what: What is expected before "a different name for each column".
        write: What to do about names that are numbers.
        delete: How to delete an index.
    """
    if not any(header):
        raise InputError(f"{at}: expected {what}a different name for each column")
    looks: dict[str, int] = {}
    for place, name in enumerate(header, 1):
        if name not in skip:
            _check_name(at, header, place, write, delete)
        if alike(name) in looks:
            first = header[looks[alike(name)]]
            twice = f"{name!r} is there twice" if first == name else f"{first!r} and {name!r} look the same"
            raise InputError(f"{at}: expected {what}a different name for each column; {twice}")
        looks[alike(name)] = place - 1


def _check_name(at: str, header: list[str], place: int, write: str, delete: str) -> None:
    name = header[place - 1]
    if len(name) > LONGEST_NAME:
        raise InputError(f"{at}: a name of {len(name):,} characters; expected at most {LONGEST_NAME}")
    number = is_number(name) or (not name.isascii() and is_python_number(name))  # 0_1 is a name, of a pixel
    if number or (name and is_missing(name) and not name.isalpha()):  # Na and none may be names
        what = "a number" if number else "which marks a missing value"
        every = "all numbers" if all(map(is_number, header)) else f"column {place} is called {name!r}, {what}"
        raise InputError(f"{at}: {every}; {write}")
    if UNNAMED.fullmatch(name):
        called = f"is called {name!r}, as pandas calls a column without a name" if name else "has no name"
        raise InputError(
            f"{at}: column {place} {called}; is it an index? Name it or delete it{delete}, or set drop = [{name!r}]"
        )
    if hidden(name):
        called = f"column {place} is called {name[:LONGEST_SHOWN]!r}"
        raise InputError(f"{at}: {called}: holds {hidden(name)}, a character that cannot be seen; remove it")


def label_place(path: str | os.PathLike[str], header: list[str], label: str) -> int:
    """Where the label column stands; the last one for ""."""
    if label and label not in header:
        raise InputError(
            f"{path}: label = {label!r} is none of its columns: {str(header[:20])[:400]}{_near(label, header)}"
        )
    return header.index(label) if label else len(header) - 1


def check_choice(
    where: str, header: tuple[str, ...], label: str, drop: tuple[str, ...], onehot: tuple[str, ...]
) -> str:
    """The label column, by name; "" chooses the last that is not dropped.

    Raises:
        InputError: A name is no column, or one is chosen for two things, or nothing is left to be an input.
    """
    for what, names in (("drop", drop), ("onehot", onehot)):
        for name in names:
            if name not in header:
                raise InputError(f"{where}: {what}: {name!r} is none of its columns: {_known(name, header)}")
            if names.count(name) > 1:
                raise InputError(f"{where}: {what}: {name!r} is there twice; name it once")
    label_place(where, list(header), label)
    for name in drop:
        if name in onehot:
            raise InputError(f"{where}: column {name!r} is in drop and in onehot; expected one of the two")
    left = [name for name in header if name not in drop]
    if label in drop and label:
        raise InputError(f"{where}: column {label!r} is the label and in drop; expected one of the two")
    chosen = label or (left[-1] if left else "")
    if chosen in onehot:
        why = "" if label else ", since it is the last column"
        raise InputError(f"{where}: column {chosen!r} is the label{why}, and in onehot; expected one of the two")
    if len(left) < 2:
        raise InputError(
            f"{where}: {_only(header, left, drop)}; expected inputs and a label"
            + (", separated by commas" if where.lower().endswith(".csv") and not drop else "")
        )
    return chosen


def _only(header: tuple[str, ...], left: list[str], drop: tuple[str, ...]) -> str:
    if not drop:
        return f"one column, {header[0]!r}"
    return f"drop leaves one column, {left[0]!r}" if left else "drop leaves no column"


def _known(name: str, header: tuple[str, ...]) -> str:
    return f"{str(list(header[:20]))[:400]}{_near(name, list(header))}"


def input_places(
    path: str | os.PathLike[str],
    header: list[str],
    n_in: int,
    label: str,
    columns: tuple[str, ...],
    dropped: tuple[str, ...] = (),
) -> list[int]:
    """Where the inputs stand, in the order of the training.

    Args:
        path: The table, for the messages.
        header: The names of its columns.
        n_in: The number of inputs.
        label: The name of the label column, which may be there and is left out.
        columns: The names of the inputs; () where they are not known. All columns but the label are then taken, in
            the order of the file.
        dropped: The names of columns that were left out of the training, and may be there.

    Raises:
        InputError: An input is missing, or a column is neither an input nor the label.
    """
    columns, label = tuple(map(canonical, columns)), canonical(label)
    if not columns:
        return _by_position(path, header, n_in, label)
    missing = [name for name in columns if name not in header]
    unknown = [name for name in header if name not in columns and name != label and name not in dropped]
    if missing:
        raise InputError(
            f"{path}: has no column {shown(missing)}, which the network was trained on; its columns are "
            f"{shown(header)}{_near(missing[0], unknown)}"
        )
    if unknown:
        raise InputError(
            f"{path}: the network was not trained on its column {shown(unknown)}; remove it. The inputs are "
            f"{shown(columns)}"
        )
    return [header.index(name) for name in columns]


def _by_position(path: str | os.PathLike[str], header: list[str], n_in: int, label: str) -> list[int]:
    places = [place for place, name in enumerate(header) if name != label]
    if len(places) != n_in:
        raise InputError(
            f"{path}: {len(places)} columns, the network takes {n_in} inputs and does not know their names: "
            f"{shown([header[place] for place in places])}; leave the {n_in} inputs alone, in their order"
        )
    return places


def shown(names: list[str] | tuple[str, ...]) -> str:
    """Some names, for a message."""
    more = f", ... ({len(names):,})" if len(names) > 20 else ""
    return f"{', '.join(repr(name) for name in names[:20])[:400]}{more}"


def _near(name: str, names: list[str]) -> str:
    near = get_close_matches(name, names, 1)
    return f"; did you mean {near[0]!r}?" if near else ""
