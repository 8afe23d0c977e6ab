"""What a person sees of a training while it goes on."""

import errno
import io
import itertools
import os
import re

import numpy as np
import pytest

from fnn.cli import progress
from fnn.cli.progress import shown
from fnn.schedules import Progress
from fnn.training.evaluation import Evaluation
from fnn.training.tasks import Result
from tests.helpers import terminals

ONE = Result(1, 1.0, Evaluation(np.float32(0.5), np.float32(0.75)), None, None, 0.1, (), (), Progress())


@pytest.mark.parametrize(("epochs", "over"), [(1, 1), (30, 30), (59, 59), (60, 60), (1000, 1000), (300, 7)])
def test_in_a_pipe_some_thirty_epochs_are_told_the_first_and_the_last_too(epochs, over):
    results, out = [ONE._replace(epoch=e) for e in range(1, over + 1)], io.StringIO()
    assert list(shown(results, epochs, out)) == results
    told = [int(epoch) for epoch in re.findall(rf"^epoch +(\d+)/{epochs}  cost: ", out.getvalue(), re.MULTILINE)]
    assert (told[0], told[-1]) == (1, over)
    assert told == sorted(set(told))
    assert len(told) <= 32


WHOLE = [
    Result(
        e,
        1.0,
        *(Evaluation(np.float32(10.0 ** -(e % 5) / 3), np.float32(e / 30)) for _ in range(3)),
        0.1,
        (),
        (),
        Progress(),
    )
    for e in range(1, 31)
]


def on_a_terminal(columns, results, monkeypatch, **settings):
    """The screen after a training, whose every epoch is told, on a pseudo-terminal so wide."""
    ticks = itertools.count()
    monkeypatch.setattr(progress.time, "monotonic", lambda: float(next(ticks)))
    return terminals.screen(columns, lambda out: shown(iter(results), len(results), out), monkeypatch, **settings)


@pytest.mark.parametrize("columns", [200, 120, 80, 60, 40, 20, 5, 0])
@pytest.mark.parametrize("settings", [{}, {"NO_COLOR": "1"}], ids=str)
def test_a_terminal_has_one_row_whose_columns_keep_their_places(columns, settings, monkeypatch):
    screen = on_a_terminal(columns, WHOLE, monkeypatch, **settings)
    assert screen.rows[1:] == [""]
    assert len(screen.rows[0]) < (columns or 80)
    assert ("\x1b" in screen.written) == (not settings)
    told = [text for text in re.split(r"[\r\n](?:\x1b\[K)?", screen.written) if text.strip()]
    assert len(told) == 31  # every epoch, and the last one again when all is done
    places = {tuple(match.start() for match in re.finditer(r"[a-z]{2,}|%|/|,", text)) for text in told}
    assert len(places) == 1 or columns < 20


WIDE = (
    "epoch 30/30       0 s left  cost: train    0.3333, validation    0.3333, test    0.3333"
    "  accuracy: train 100.00%, validation 100.00%, test 100.00%"
)
NARROW = {
    80: "30/30    0s  train    0.333 100.0%  val    0.333 100.0%  test    0.333 100.0%",
    60: "30/30    0s  train    0.333 100.0%  val    0.333 100.0%",
    40: "30/30    0s  train    0.333 100.0%",
    20: "30/30    0s",
}


@pytest.mark.parametrize(("columns", "last"), ({200: WIDE} | NARROW).items())
def test_a_narrow_terminal_has_whole_numbers(columns, last, monkeypatch):
    assert on_a_terminal(columns, WHOLE, monkeypatch).rows[0] == last


@pytest.mark.parametrize("columns", [200, 60, 40])
def test_a_terminal_that_cannot_rewrite_a_row_gets_lines_of_its_width(columns, monkeypatch):
    screen = on_a_terminal(columns, WHOLE, monkeypatch, TERM="dumb")
    assert not {"\x1b", "\r"} & set(screen.written)
    assert [row.removeprefix("epoch ").split("/")[0] for row in screen.rows] == [f"{e:2}" for e in range(1, 31)] + [""]


def test_a_training_that_is_stopped_ends_its_row(monkeypatch):
    def stopped():
        yield from WHOLE[:3]
        raise KeyError

    ours, theirs = os.openpty()
    monkeypatch.setenv("TERM", "xterm")
    with os.fdopen(theirs, "w") as out, pytest.raises(KeyError):
        list(shown(stopped(), 30, out))
    screen = terminals.Screen(80)
    screen.write(terminals.read(ours))
    os.close(ours)
    assert [row[:5] for row in screen.rows] == [" 3/30", ""]


class Full(io.StringIO):
    """A file on a full disk."""

    def write(self, text):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_training_goes_on_though_its_lines_cannot_be_written():
    assert list(shown(WHOLE, 30, Full())) == WHOLE
