"""What a training prints while it runs: one line that is rewritten on a terminal, or a few lines elsewhere."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Protocol, TextIO, TypeVar

from fnn.runs import metrics
from fnn.runs.printing import PARTS, words
from fnn.training.tasks import Result

COLUMNS = 80  # of a terminal that does not say how wide it is
LINES = 30  # that a pipe gets, about


class OfAnEpoch(Protocol):
    """A result of one epoch."""

    @property
    def epoch(self) -> int:
        """Its number, from 1."""
        ...


R = TypeVar("R", bound=OfAnEpoch)
Say = Callable[[R, int, float, TextIO], str]


def shown(
    results: Iterable[R], epochs: int, out: TextIO | None, say: Say[R] | None = None, lines: int = LINES
) -> Iterator[R]:
    """The same results; each is printed to `out` as it passes.

    A terminal has one row, which is rewritten at most ten times a second. A pipe, and a terminal that cannot rewrite a
    row (`TERM=dumb`), gets about as many `lines`, and the first and the last epoch are among them. If nothing can be
    printed, for example because a disk is full, the training goes on all the same.

    Args:
        results: Each is of one epoch.
        epochs: How many there will be at most.
        out: None if the process has no stdout.
        say: What is printed, `say(result, epochs, seconds left, out)`; by default the costs and accuracies of a run.
        lines: In a pipe.
    """
    if out is None:
        yield from results
        return
    say = say or _told
    start, every, told, result, left = time.monotonic(), max(1, -(-epochs // lines)), -1.0, None, 0.0
    rewriting = rewrites(out)
    try:
        for done, result in enumerate(results, 1):
            now = time.monotonic()
            left = (now - start) / done * (epochs - result.epoch)
            if rewriting and now - told > 0.1:
                printed(f"{clear(out)}{say(result, epochs, left, out)}", "", out)
                told = now
            elif not rewriting and (done == 1 or result.epoch % every == 0):
                printed(say(result, epochs, left, out), "\n", out)
                told = result.epoch
            yield result
    finally:  # the last epoch is printed also if the training is stopped, and with it the end of the line
        if result is not None and rewriting:
            printed(f"{clear(out)}{say(result, epochs, left, out)}", "\n", out)
        elif result is not None and told != result.epoch:
            printed(say(result, epochs, left, out), "\n", out)


def _told(result: Any, epochs: int, left: float, out: TextIO) -> str:
    return row(result, epochs, left, width(out)) if out.isatty() else line(result, epochs)


def rewrites(out: TextIO) -> bool:
    """Whether a row of `out` can be printed anew."""
    return out.isatty() and os.environ.get("TERM") != "dumb"


def clear(out: TextIO) -> str:
    """What clears the row of a terminal: an escape sequence; blanks where NO_COLOR asks for none, and on Windows.

    There an older terminal prints an escape sequence as it is.
    """
    plain = os.environ.get("NO_COLOR") or sys.platform == "win32"
    return f"\r{' ' * (width(out) - 1)}\r" if plain else "\r\x1b[K"


def printed(text: str, end: str, out: TextIO) -> None:
    """Print at once; a full disk is no reason to stop."""
    try:
        print(text, end=end, file=out, flush=True)
    except BrokenPipeError:  # the reader has seen enough
        raise
    except OSError:
        pass


def width(out: TextIO) -> int:
    """The columns of the terminal that `out` is."""
    try:
        return os.get_terminal_size(out.fileno()).columns or COLUMNS
    except (OSError, ValueError):
        return COLUMNS


def row(result: Result, epochs: int, left: float, columns: int) -> str:
    """One epoch in one row of a terminal; every number keeps its place.

    It is the line of a pipe with the seconds that remain. In a narrow terminal it is the short form, with as many parts
    of the data as fit. The last column stays free, because a terminal may begin a new row once that is filled.
    """
    count = f"{result.epoch:{len(str(epochs))}}/{epochs}"
    text = f"epoch {count}  {left:6.0f} s left  {words(result, '{:9.4g}', '{:7.2%}')}"
    if len(text) >= columns:
        text = f"{count} {left:4.0f}s"
        for part in _by_parts(result):
            text += f"  {part}" if len(text) + 2 + len(part) < columns else ""
    return text[: columns - 1]


def line(result: Result, epochs: int) -> str:
    """One epoch in words: `epoch  3/30  cost: train 0.0712, validation 0.0813  accuracy: train 96.21%, ...`."""
    return f"epoch {result.epoch:{len(str(epochs))}}/{epochs}  {words(result, '{:.4g}', '{:.2%}')}"


def _by_parts(result: Result) -> Iterator[str]:
    """What was measured on each part of the data: the cost, and the accuracy where there is one."""
    numbers = metrics.numbers(result)
    for part in PARTS:
        if f"{part}_cost" in numbers:
            accuracy = numbers.get(f"{part}_accuracy")
            said = f"{'val' if part == 'validation' else part} {numbers[f'{part}_cost']:8.3g}"
            yield said if accuracy is None else f"{said} {accuracy:6.1%}"
