"""`fnn runs [DIR]`: a line for each run and sweep in a folder, newest first. This needs no JAX."""

from __future__ import annotations

import argparse
import math
import shutil
import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from fnn.cli.text_width import cut, cut_inside, padded, width
from fnn.runs.listing import DIVERGED, FINISHED, Entry, Problem, found, name_of
from fnn.runs.settings import differing, short_names, shorter_paths, text

GAP = "  "
SHOWN_ALREADY = "training.epochs"  # in the column of the epochs
LONGEST_SETTING = 24  # characters
NAME = 0.27  # of the columns that names have at least, if they need them: 21 of 80
MOST_NAMED = 12  # settings that a note names
LEGEND = {
    "cost": "validation, test: the accuracy, or without a % sign the cost",
    "sweep": "a sweep: the mean over the seeds at the point that is best by validation",
}


class Column(NamedTuple):
    """A column of the list."""

    head: str
    cells: list[str]
    right: bool = False  # are its cells aligned to the right

    @property
    def width(self) -> int:
        """The columns of the terminal that it takes, with the gap before it."""
        return max(map(width, (self.head, *self.cells))) + len(GAP)

    def rows(self) -> list[str]:
        """Its head and its cells, all as wide as the column."""
        columns = self.width - len(GAP)
        return [padded(cell, columns, self.right) for cell in (self.head, *self.cells)]


def command(options: argparse.Namespace) -> int:
    """Print the list; status 0.

    Raises:
        InputError: There is no such folder, or it cannot be listed.
    """
    folder = Path(options.folder)
    listed = found(folder)
    if not listed:
        print(f"no runs in {text(str(folder))}; fnn run CONFIG --out {text(str(folder))} makes one")
    else:
        print("\n".join(lines(listed, shutil.get_terminal_size().columns)))
    return 0


def lines(listed: Sequence[Entry | Problem], columns: int) -> list[str]:
    """The list in so many columns: a head, a line for each folder, and what is to be said below."""
    entries = [each for each in listed if isinstance(each, Entry)]
    names = Column("run", [text(name_of(each.folder)) for each in listed])
    settings = settings_of(entries)
    names, chosen = fitted(names, settings, entries, columns)
    head, *called = names.rows()
    begin, *rows = [GAP.join(cells) for cells in zip(*(column.rows() for column in chosen), strict=True)]
    left = iter(rows)
    said = [
        f"{name}{GAP}{next(left) if isinstance(each, Entry) else text(each.what)}"
        for name, each in zip(called, listed, strict=True)
    ]
    said = [f"{head}{GAP}{begin}", *said] if entries else said
    return [cut(line.rstrip(), columns) for line in said] + notes(entries, settings, chosen, columns)


def settings_of(entries: Sequence[Entry]) -> list[Column]:
    """A column for each setting in which the runs differ."""
    keys = [key for key in differing([entry.settings for entry in entries]) if key != SHOWN_ALREADY]
    called = short_names(keys)
    columns = ((called[key], shorter_paths([entry.settings.get(key, "") for entry in entries])) for key in keys)
    return [Column(name, [cut_inside(value, LONGEST_SETTING) for value in values]) for name, values in columns]


def results_of(entries: Sequence[Entry]) -> list[Column]:
    """The columns of the epochs and of the results; without those that are empty."""
    shown = [scores(entry) for entry in entries]
    epochs = Column("epochs", [f"{entry.epoch}/{entry.epochs}" for entry in entries], right=True)
    parts = [Column(part, [s[i] for s in shown], right=True) for i, part in enumerate(("validation", "test"))]
    return [epochs, *(column for column in parts if any(column.cells))]


def fitted(
    names: Column, settings: Sequence[Column], entries: Sequence[Entry], columns: int
) -> tuple[Column, list[Column]]:
    """The names and the columns that fit, in their order.

    If not all fits, the state is told in short, then long names are cut, then settings are left out.
    """
    results, wanted = results_of(entries), sum(column.width for column in settings)
    state = Column("state", [state_of(entry) for entry in entries])
    free = columns + len(GAP) - sum(column.width for column in results)
    if free - state.width - names.width < wanted:
        state = Column("state", [short_state(entry) for entry in entries])
    left = free - state.width - len(GAP)
    room = max(10, min(left, max(int(NAME * columns), left - wanted)))
    names = Column(names.head, [cut_inside(name, room) for name in names.cells])
    free, chosen = free - state.width - names.width, []
    for column in settings:
        if column.width <= free:
            chosen.append(column)
            free -= column.width
    return names, [*chosen, *results, state]


def scores(entry: Entry) -> tuple[str, str]:
    """The accuracy, else the cost, on the validation and on the test data; "" for what is not there."""
    return _score(entry, "validation"), _score(entry, "test")


def _score(entry: Entry, part: str) -> str:
    accuracy, cost = (entry.scores.get(f"{part}_{name}") for name in ("accuracy", "cost"))
    number = cost if accuracy is None else accuracy
    if number is None:
        return ""
    return "not finite" if math.isnan(number) else f"{number:.4g}" if accuracy is None else f"{number:.2%}"


def state_of(entry: Entry) -> str:
    """The state in words: where a run diverged, how many networks of a sweep are trained."""
    trained, whole = entry.networks
    if not whole:
        return f"{entry.state}: {entry.where}" if entry.where else entry.state
    count = f"{whole} networks" if trained == whole else f"{trained} of {whole} networks"
    lost = f", {entry.where.partition(' ')[0]} diverged" if entry.where and entry.state != DIVERGED else ""
    return f"{entry.state}, {count}{lost}"


def short_state(entry: Entry) -> str:
    """The state in few words."""
    if entry.state == DIVERGED and not entry.is_sweep:
        return f"{entry.state}, {entry.where.partition(',')[0]}"
    trained, whole = entry.networks
    return f"{entry.state} {trained}/{whole}" if whole and entry.state != FINISHED else entry.state


def notes(entries: Sequence[Entry], settings: Sequence[Column], chosen: Sequence[Column], columns: int) -> list[str]:
    """What is said below the list, in lines that fit."""
    shown = [score for entry in entries for score in scores(entry)]
    said = [LEGEND["cost"]] if any(score and score[-1].isdigit() for score in shown) else []
    said += [LEGEND["sweep"]] if any(entry.is_sweep for entry in entries) else []
    heads = [column.head for column in settings if column not in chosen]
    if heads:
        more = f" and {len(heads) - MOST_NAMED} more" if len(heads) > MOST_NAMED else ""
        named = f"{', '.join(heads[:MOST_NAMED])}{more}"
        said.append(f"they also differ in {named}; a wider terminal, or fnn report, shows that")
    return [line for note in said for line in textwrap.wrap(note, columns)]
