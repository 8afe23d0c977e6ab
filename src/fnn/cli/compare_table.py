"""The table of `fnn compare`: a row per epoch and layer, on a terminal, in a pipe, and whole in a file."""

from __future__ import annotations

import csv
import io
import textwrap
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple, TextIO

from fnn.checking.comparison import Comparison, Difference
from fnn.cli.progress import COLUMNS, clear, printed, rewrites, width
from fnn.errors import InputError
from fnn.storage.files import write_atomically
from fnn.types import Net

ROWS = 30  # of the printed table, about
LEGEND = (
    "gradients: backprop against autodiff at one point, the largest difference over the largest entry of its leaf; "
    "ulps: the same in units in the last place of that entry; backprop, autodiff: each of them against float64, and "
    "which is nearer; params: what the two trainings have reached, in the measure of gradients"
)
FILE = "compare.csv"
HEAD = ("epoch", "layer", "type", *Difference._fields[1:], "nearer")


class Column(NamedTuple):
    """One column of numbers or words."""

    name: str
    width: int
    rank: int  # a narrow terminal leaves out those of the highest rank first


NUMBERS = (
    Column("gradients", 9, 0),
    Column("ulps", 6, 2),
    Column("backprop", 8, 1),
    Column("autodiff", 8, 1),
    Column("nearer", 8, 3),
    Column("params", 7, 0),
)
LEAST = 12  # columns for the name of a layer


class Table:
    """The table for a net and an output of some width."""

    def __init__(self, net: Net, epochs: int, columns: int) -> None:
        """The table of so many epochs; the last column stays free, as a terminal may begin a new row after it."""
        self.names = [f"{layer} {type(of).__name__}" for layer, of in enumerate(net)]
        self.count, self.columns = max(5, len(str(epochs))), columns - 1
        taken = [self.count + 2 + LEAST + sum(2 + c.width for c in NUMBERS if c.rank <= rank) for rank in range(4)]
        self.rank = max((rank for rank in range(4) if taken[rank] <= self.columns), default=0)
        spare = max(0, self.columns - taken[self.rank])
        self.longest = min(max(map(len, self.names)), LEAST + spare)

    def heading(self) -> str:
        """The names of the columns."""
        return self._row("epoch", "layer", [column.name for column in NUMBERS])

    def rows(self, epoch: Comparison) -> list[str]:
        """The row of each layer that has parameters."""
        return [self._row(epoch.backprop.epoch, self.names[row.layer], _cells(row)) for row in epoch.differences]

    def _row(self, epoch: object, name: str, cells: Sequence[str]) -> str:
        shown = [f"{cell:>{c.width}}" for cell, c in zip(cells, NUMBERS, strict=True) if c.rank <= self.rank]
        first = f"{epoch:>{self.count}}  {name[: self.longest]:{self.longest}}"
        return "  ".join([first, *shown])[: self.columns]


def _cells(row: Difference) -> list[str]:
    ulps = f"{row.ulps:.1f}" if row.ulps < 1000 else f"{row.ulps:.0e}"
    errors = [f"{error:.1e}" for error in (row.backprop_error, row.autodiff_error)]
    return [f"{row.gradient:.1e}", ulps, *errors, row.nearer, f"{row.params:.1e}"]


def shown(comparisons: Iterable[Comparison], net: Net, epochs: int, out: TextIO) -> Iterator[Comparison]:
    """The same comparisons; about thirty rows are printed as they pass, those of the first and last epoch among them.

    A terminal has one more row below, which is rewritten at most ten times a second.
    """
    table = Table(net, epochs, width(out) if out.isatty() else COLUMNS)
    start, told, since, last = time.monotonic(), 0, 0.0, None
    _put("\n".join([*textwrap.wrap(LEGEND, table.columns), table.heading(), ""]), out)
    try:
        for done, last in enumerate(comparisons, 1):
            now, epoch = time.monotonic(), last.backprop.epoch
            every = max(1, -(-epochs * len(last.differences) // ROWS))
            if not told or epoch % every == 0:
                _print(table, last, out)
                told = epoch
            elif rewrites(out) and now - since > 0.1:
                left = (now - start) / done * (epochs - epoch)
                printed(clear(out) + f"epoch {epoch}/{epochs}  {left:.0f} s left"[: table.columns], "", out)
                since = now
            yield last
    finally:
        if last is not None and told != last.backprop.epoch:
            _print(table, last, out)


def _print(table: Table, epoch: Comparison, out: TextIO) -> None:
    """Print the rows of an epoch, in the place of the row that is rewritten."""
    first = clear(out) if rewrites(out) else ""
    _put(first + "".join(f"{row}\n" for row in table.rows(epoch)), out)


def _put(text: str, out: TextIO) -> None:
    """Print at once, so that a full disk is told before the training and not after it.

    Raises:
        InputError: It cannot be printed, which is all that the command is for.
    """
    try:
        print(text, end="", file=out, flush=True)
    except BrokenPipeError:  # the reader has seen enough
        raise
    except OSError as error:
        what = f"stdout: cannot be written ({error.strerror}); what was printed is incomplete."
        raise InputError(what) from None


def say(text: str, out: TextIO) -> None:
    """Print a text; a terminal gets it in lines of its width."""
    columns = max(20, width(out) - 1)
    _put(f"{textwrap.fill(text, columns, subsequent_indent='  ') if out.isatty() else text}\n", out)


def write(folder: Path, net: Net, epochs: Sequence[Comparison]) -> None:
    """Write the whole table: a row for every epoch and every layer that has parameters."""
    text = io.StringIO()
    lines = csv.writer(text, lineterminator="\n")
    lines.writerow(HEAD)
    for epoch in epochs:
        for row in epoch.differences:
            lines.writerow([epoch.backprop.epoch, row.layer, type(net[row.layer]).__name__, *row[1:], row.nearer])
    write_atomically(folder / FILE, text.getvalue().encode())
