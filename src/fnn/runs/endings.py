"""`diverged.json`: what became infinite or nan in a training, where and when. This needs no JAX."""

from __future__ import annotations

import contextlib
import datetime
from collections.abc import Generator
from pathlib import Path
from typing import NamedTuple

from fnn.errors import CorruptFileError, DivergedError
from fnn.storage.files import remove_file
from fnn.storage.json_files import read_json, write_json

FILE = "diverged.json"


class Divergence(NamedTuple):
    """Where a training diverged, as `DivergedError` has it."""

    epoch: int  # from 1
    step: int  # of that epoch, from 1; 0 if every step was finite and only the cost after them is not
    layer: int  # from 0; -1 for the data
    message: str  # what, where, and the remedy
    when: str  # the date and the time in UTC

    def __str__(self) -> str:
        """The place in words."""
        step = f", step {self.step:,}" if self.step else ""
        return f"epoch {self.epoch:,}{step}, {'the data' if self.layer < 0 else f'layer {self.layer}'}"


@contextlib.contextmanager
def noted(folder: Path) -> Generator[None]:
    """A block that trains the run in `folder`, which says so afterwards if the training has diverged.

    What an earlier training there has said is removed. Where the file cannot be written, the divergence is raised as
    it is.
    """
    remove_file(folder / FILE)
    try:
        yield
    except DivergedError as error:
        when = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
        with contextlib.suppress(OSError):
            found = Divergence(error.epoch, error.step, error.layer, str(error), when)
            write_json(folder / FILE, found._asdict())
        raise


def divergence(folder: Path) -> Divergence | None:
    """Where the latest training of a run diverged; None if it did not.

    Raises:
        CorruptFileError: the file is there, and does not say it.
    """
    path = folder / FILE
    if not path.exists():
        return None
    table = read_json(path)
    if isinstance(table, dict) and set(table) == set(Divergence._fields):
        found = Divergence(**table)
        if all(type(n) is int for n in found[:3]) and all(isinstance(text, str) for text in found[3:]):
            return found
    raise CorruptFileError(path, "does not say where a training diverged")
