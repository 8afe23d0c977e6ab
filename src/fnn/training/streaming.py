"""Training from a file: the examples that come next are read while the ones before them are used.

The order of an epoch is known before it begins, so a thread can gather the rows of its next part from the file in that
order. A part is a `Window`, and the program that trains on it is the one that trains on examples in memory, with the
same mini-batches and hence the same bits.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from typing import Any, NamedTuple, Protocol, TypeGuard, runtime_checkable

import jax
import numpy as np

from fnn.examples import Examples
from fnn.training.augmentation import Shifted
from fnn.types import Array

WAIT_SECONDS = 0.5  # for a window, before the caller gets control back
WINDOWS_AT_ONCE = 3  # in memory: one in use, one read by the thread, one on the way to the device


@runtime_checkable
class Readable(Protocol):
    """Inputs `(n, *shape)` that are not in memory, such as `data.on_disk.Stored`: the `x` of streamed examples."""

    shape: tuple[int, ...]
    memory: float  # bytes that a training may hold of them at once

    @property
    def dtype(self) -> np.dtype[Any]:
        """Of the numbers once read."""
        ...

    def __getitem__(self, i: Any) -> Readable:
        """Rows `i`, a slice or their numbers; nothing is read."""
        ...

    def blocks(self) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """All rows, read in blocks of any size and in any order: the places in 0 … n − 1 of a block, and its rows."""
        ...


class Window(NamedTuple):
    """The examples at the positions `first`, `first + 1`, ... of an order; `take` is given positions."""

    examples: Examples
    first: Any  # (), traced, so that one program takes all windows

    def take(self, i: Array) -> Examples:
        """The examples at positions `i`, as they are stored."""
        return self.examples.take(i - self.first)

    def rows(self, i: Array) -> tuple[Array, Array]:
        """The examples at positions `i` in the units of training, as `Examples.rows`."""
        return self.take(i).rows(slice(None))


def in_file(examples: Examples | Shifted | None) -> TypeGuard[Examples]:
    """Whether the inputs stay in their file, to be read part by part."""
    return isinstance(examples, Examples) and isinstance(examples.x, Readable)


def check_in_memory(examples: Examples | Shifted | None, what: str) -> None:
    """Refuse examples that stay in their file, shifted or not.

    Raises:
        ValueError: they stay there; `what` takes examples in memory alone.
    """
    if in_file(examples.examples if isinstance(examples, Shifted) else examples):
        raise ValueError(f"{what} takes examples in memory, got some left in their file; give load_data more memory.")


def placed(examples: Any) -> Any:
    """The examples on the device, except those that stay in their file.

    Raises:
        ValueError: they stay there and are to be shifted.
    """
    if isinstance(examples, Shifted):
        check_in_memory(examples, "Shifted")
    return examples if in_file(examples) else jax.device_put(examples)


def capacity(x: Readable) -> int:
    """How many rows a window may have, so that all windows at once fit into the memory that `x` may take."""
    return int(x.memory // (WINDOWS_AT_ONCE * math.prod(x.shape[1:]) * x.dtype.itemsize))


def windows(examples: Examples, spans: Iterable[tuple[int, Any]], size: int) -> Iterator[Window | None]:
    """A `Window` on the device for each `(first, rows)`: these rows of the examples, at positions `first` and after.

    While a window is being read, None is yielded about every `WAIT_SECONDS`, so that the caller can stop although the
    disk is slow.

    Args:
        examples: In a file.
        spans: At least one: the position of a window's first example, and its rows, a slice or their numbers.
        size: The rows of every window; those that a span does not fill are 0 and are never used.

    Raises:
        ValueError: as `Readable.blocks`; it is raised in the thread, and then here.
    """
    stop = threading.Event()
    with ThreadPoolExecutor(1, "fnn-reader") as thread:
        try:
            futures = (thread.submit(_read, examples, span, size, stop) for span in spans)
            future = next(futures)
            while future is not None:
                while not wait([future], WAIT_SECONDS).done:
                    yield None
                window = jax.block_until_ready(jax.device_put(future.result()))
                future = next(futures, None)  # starts the next read only now: at most `WINDOWS_AT_ONCE`
                yield window
        finally:
            stop.set()  # the thread stops after the block that it is reading, so nobody waits longer


def _read(examples: Examples, span: tuple[int, Any], size: int, stop: threading.Event) -> Window:
    """The window in NumPy; unfinished if `stop` is set meanwhile."""
    first, rows = span
    chosen = examples.x[rows]
    x = np.zeros((size, *chosen.shape[1:]), chosen.dtype)
    for places, block in chosen.blocks():
        if stop.is_set():
            break
        x[places] = block
    labels = np.asarray(examples.y)[rows]
    y = np.zeros((size, *labels.shape[1:]), labels.dtype)
    y[: len(labels)] = labels
    return Window(Examples(x, y, examples.scale), first)
