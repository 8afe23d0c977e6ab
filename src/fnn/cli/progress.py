"""What a training prints while it runs: one line that is rewritten on a terminal, or a few lines in a pipe."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from typing import TextIO

from fnn.runs import metrics
from fnn.training.fitting import Result


def shown(results: Iterable[Result], epochs: int, out: TextIO | None) -> Iterator[Result]:
    """The same results; each is printed to `out` as it passes.

    A terminal has one line, which is rewritten at most ten times a second. A pipe gets about thirty lines at most, and
    the first and the last epoch are among them.
    """
    if out is None:  # the process has no stdout
        yield from results
        return
    start, every, told, result = time.monotonic(), max(1, -(-epochs // 30)), -1.0, None
    try:
        for done, result in enumerate(results, 1):
            now = time.monotonic()
            remaining = (now - start) / done * (epochs - result.epoch)
            if out.isatty() and now - told > 0.1:
                print(f"\r\x1b[K{line(result, epochs)}  {remaining:.0f} s left", end="", file=out, flush=True)
                told = now
            elif not out.isatty() and (done == 1 or result.epoch % every == 0):
                print(line(result, epochs), file=out, flush=True)
                told = result.epoch
            yield result
    finally:  # the last epoch is printed also if the training is stopped, and with it the end of the line
        if result is not None and out.isatty():
            print(f"\r\x1b[K{line(result, epochs)}", file=out, flush=True)
        elif result is not None and told != result.epoch:
            print(line(result, epochs), file=out, flush=True)


def line(result: Result, epochs: int) -> str:
    """One epoch in words: `epoch  3/30  cost: train 0.0712, validation 0.0813  accuracy: train 96.21%, ...`."""
    numbers = metrics.line(result)
    words = [f"epoch {result.epoch:{len(str(epochs))}}/{epochs}"]
    for measure, form in (("cost", "{:.4g}"), ("accuracy", "{:.2%}")):
        parts = [p for p in ("train", "validation", "test") if f"{p}_{measure}" in numbers]
        said = ", ".join(f"{p} {form.format(numbers[f'{p}_{measure}'])}" for p in parts)
        words += [f"{measure}: {said}"] if parts else []
    return "  ".join(words)
