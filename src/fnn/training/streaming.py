"""Training from a file: the examples that come next are read while the ones before them are used.

The order of an epoch is known before it begins, so a thread can gather the rows of its next part from the file in that
order. A part is a `Window`, and the program that trains on it is the one that trains on examples in memory, with the
same mini-batches and hence the same bits.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Any, NamedTuple, Protocol, TypeGuard, runtime_checkable

import jax
import numpy as np

from fnn.errors import InputError
from fnn.examples import Examples
from fnn.training.augmentation import Shifted
from fnn.training.spreading import AXIS, Spread, SpreadWindow, agreement, beside, unspread
from fnn.types import Array

WAIT_SECONDS = 0.5  # for a window, before the caller gets control back
UNUSED = -1  # in place of the number of a row that is 0 and never used
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


Source = Examples | Shifted | Spread | Window | SpreadWindow  # what mini-batches are taken from


def in_file(examples: Examples | Shifted | Spread | None) -> TypeGuard[Examples | Spread]:
    """Whether the inputs stay in their file, to be read part by part."""
    whole = unspread(examples)
    return isinstance(whole, Examples) and isinstance(whole.x, Readable)


def check_in_memory(examples: Examples | Shifted | Spread | None, what: str) -> None:
    """Refuse examples that stay in their file, shifted or not.

    Raises:
        ValueError: they stay there; `what` takes examples in memory alone.
    """
    whole = unspread(examples)
    if in_file(whole.examples if isinstance(whole, Shifted) else whole):
        raise ValueError(f"{what} takes examples in memory, got some left in their file; give load_data more memory.")


def placed(examples: Any) -> Any:
    """The examples on the device, except those that stay in their file; spread ones are where they shall be.

    Raises:
        ValueError: they stay there and are to be shifted.
    """
    if isinstance(unspread(examples), Shifted):
        check_in_memory(examples, "Shifted")
    return examples if in_file(examples) or isinstance(examples, Spread) else jax.device_put(examples)


def capacity(x: Readable) -> int:
    """How many rows a window may have, so that all windows at once fit into the memory that `x` may take."""
    return int(x.memory // (WINDOWS_AT_ONCE * math.prod(x.shape[1:]) * x.dtype.itemsize))


def windows(
    examples: Examples | Spread, spans: Iterable[tuple[int, Any]], shape: tuple[int, int]
) -> Iterator[Window | SpreadWindow | None]:
    """A window on the device for each `(first, rows)`: these rows of the examples, at positions `first` and after.

    While a window is being read, None is yielded about every `WAIT_SECONDS`, so that the caller can stop although the
    disk is slow. Processes that share the examples yield it at the same time, and each reads its own rows alone.

    Args:
        examples: In a file.
        spans: At least one: the position of a window's first example, and its rows, a slice or their numbers.
        shape: Of every window: the number of mini-batches, and the rows of one. Those that a span does not fill are 0
            and are never used.

    Raises:
        ValueError: as `Readable.blocks`; it is raised in the thread, and then here.
        InputError: another process cannot read its rows.
    """
    stop, agreed = threading.Event(), agreement(examples)
    with ThreadPoolExecutor(1, "fnn-reader") as thread:
        try:
            futures = (thread.submit(_read, examples, span, shape, stop) for span in spans)
            future = next(futures)
            while future is not None:
                while not _is_read(future, agreed):
                    yield None
                window = jax.block_until_ready(_on_devices(examples, future.result(), shape))
                future = next(futures, None)  # starts the next read only now: at most `WINDOWS_AT_ONCE`
                yield window
        finally:
            stop.set()  # the thread stops after the block that it is reading, so nobody waits longer


def _is_read(future: Future[Window], agreed: Callable[..., tuple[float, ...]]) -> bool:
    """Whether every process has read its rows, after `WAIT_SECONDS` at most.

    Raises:
        InputError: this process has read them, another one cannot.
    """
    done = bool(wait([future], WAIT_SECONDS).done)
    waiting, failed = agreed(not done, done and future.exception() is not None)
    if failed and not (done and future.exception()):
        raise InputError("another process cannot read its examples, and says why; all of them have to")
    return bool(failed) or not waiting


def _read(examples: Examples | Spread, span: tuple[int, Any], shape: tuple[int, int], stop: threading.Event) -> Window:
    """The window in NumPy, of this process's own rows alone; unfinished if `stop` is set meanwhile."""
    (first, rows), whole = span, unspread(examples)
    rows = np.arange(*rows.indices(whole.n)) if isinstance(rows, slice) else np.asarray(rows)
    rows = np.pad(rows, (0, math.prod(shape) - len(rows)), constant_values=UNUSED).reshape(shape)
    rows = (_own(rows, examples.mesh) if isinstance(examples, Spread) else rows).ravel()
    used = np.flatnonzero(rows != UNUSED)
    chosen = whole.x[rows[used]]
    x = np.zeros((len(rows), *chosen.shape[1:]), chosen.dtype)
    for places, block in chosen.blocks():
        if stop.is_set():
            break
        x[used[places]] = block
    labels = np.asarray(whole.y)[rows[used]]
    y = np.zeros((len(rows), *labels.shape[1:]), labels.dtype)
    y[used] = labels
    return Window(Examples(x, y, whole.scale), first)


def _on_devices(examples: Examples | Spread, window: Window, shape: tuple[int, int]) -> Window | SpreadWindow:
    """The window that this process has read, each row on its device."""
    if not isinstance(examples, Spread):
        return jax.device_put(window)
    (x, y, scale), first = window
    first, scale = beside(examples, (np.int32(first), scale))
    if examples.mesh.size == 1:
        return Window(Examples(*beside(examples, (x, y)), scale), first)
    batches, batch_size = shape
    x, y = (_joined(own.reshape(batches, -1, *own.shape[1:]), batch_size, examples.mesh) for own in (x, y))
    return SpreadWindow(Examples(x, y, scale), first, batch_size, examples.mesh)


def _own(rows: np.ndarray, mesh: jax.sharding.Mesh) -> np.ndarray:
    """Of a window's rows `(mini-batches, B)` the columns of this process's devices, each of which has equally many."""
    batch_size = rows.shape[1]
    padded = np.pad(rows, [(0, 0), (0, _width(batch_size, mesh) - batch_size)], constant_values=UNUSED)
    return padded[:, _columns(batch_size, mesh)]


def _joined(own: np.ndarray, batch_size: int, mesh: jax.sharding.Mesh) -> Array:
    """The window of all processes, from this one's columns `(mini-batches, columns, ...)`."""
    width, columns = _width(batch_size, mesh), _columns(batch_size, mesh)

    def part(index: Any) -> np.ndarray:
        start, stop, _ = index[1].indices(width)
        return own[:, np.searchsorted(columns, start) :][:, : stop - start]

    over = jax.NamedSharding(mesh, jax.P(None, AXIS))
    return jax.make_array_from_callback((len(own), width, *own.shape[2:]), over, part)


def _width(batch_size: int, mesh: jax.sharding.Mesh) -> int:
    """The rows of a mini-batch, and as many more as let all devices have equally many."""
    return -(-batch_size // mesh.size) * mesh.size


def _columns(batch_size: int, mesh: jax.sharding.Mesh) -> np.ndarray:
    """The places in a mini-batch that this process's devices have, in ascending order."""
    each = _width(batch_size, mesh) // mesh.size
    own = [k for k, device in enumerate(mesh.devices.flat) if device.process_index == jax.process_index()]
    return (np.array(own)[:, None] * each + np.arange(each)).ravel()
