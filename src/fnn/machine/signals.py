"""SIGINT and SIGTERM: the process ends at once, or a wish to stop is noted where something must be saved first.

Python runs no handler before compiled code returns. The handler of the system, however, writes a byte to a pipe at
once, and a thread reads it. So nothing is waited for. And no exception ends a command in the middle of a computation:
the interpreter would be torn down under the threads of XLA, which ends in a segmentation fault.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
from collections.abc import Callable, Generator

from fnn.errors import StoppedError

# of Windows is SIGBREAK, for Ctrl-Break and for a window that is closed
SIGNALS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGBREAK") if hasattr(signal, name))
LAST_WORDS = 1.0  # seconds, at most, in which a process that ends writes what it has printed; its reader may be stuck

farewells: list[Callable[[int, str], None]] = []  # told of a signal that ends this process: the status, the line
_at_once: list[_Listener] = []  # the listener of this process, once `end_at_once` was called


class Wish:
    """Whether the process was asked to stop: `number` is that of the signal, 0 as long as there was none."""

    number: int = 0


@contextlib.contextmanager
def wishes() -> Generator[Wish, None, None]:
    """A `Wish` in which the first signal in the block is noted; the second ends the process at once.

    The block looks at the wish from time to time. After its last look the command goes on to its end.
    """
    wish = Wish()
    if threading.current_thread() is not threading.main_thread():  # only the main thread may set handlers
        yield wish
        return

    def note(number: int) -> None:
        if wish.number:
            _end(number, "\nfnn: ended at once; the last checkpoint is as it was")
        wish.number = number

    with contextlib.closing(_Listener(note)):
        yield wish


def end_at_once() -> None:
    """From now on a signal ends this process at once; in blocks of `wishes` and `stopped` they decide."""
    if threading.current_thread() is threading.main_thread() and not _at_once:
        _at_once.append(_Listener(lambda number: _end(number, f"fnn: {_said(number)}")))


def command_done() -> None:
    """From now on this process ends with the status of its command: a later signal changes nothing.

    A signal that has come already still ends the process, with its own status. Without `end_at_once` nothing happens.
    """
    while _at_once:
        listener = _at_once.pop()
        listener.handlers = dict.fromkeys(SIGNALS, signal.SIG_IGN)
        listener.close()


@contextlib.contextmanager
def stopped(kept: str) -> Generator[None, None, None]:
    """A block that a signal stops, with a line that says what is kept; a second signal ends the process.

    After `end_at_once` the first signal ends the process too.

    Raises:
        StoppedError: there was a signal, and this process is not to end at once: its caller goes on.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
    elif _at_once:
        with contextlib.closing(_Listener(lambda number: _end(number, f"fnn: {_said(number)}; {kept}"))):
            yield
    else:
        with _raised(kept):
            yield


@contextlib.contextmanager
def _raised(kept: str) -> Generator[None, None, None]:
    def stop(number: int, _: object) -> None:
        for each in SIGNALS:
            signal.signal(
                each, lambda number, _: _end(number, "\nfnn: ended at once; what was being written is as it was")
            )
        raise StoppedError(number, f"{_said(number)}; {kept}")

    before = {number: signal.signal(number, stop) for number in SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class _Listener:
    """Calls a function in a thread, with the number of each signal as soon as it comes."""

    def __init__(self, told: Callable[[int], None]) -> None:
        """Listens until `close` is called."""
        self.reader, self.writer = os.pipe()
        if hasattr(os, "set_blocking"):  # Python 3.11 has it on POSIX alone, and needs it there alone
            os.set_blocking(self.writer, False)
        self.thread = threading.Thread(target=self._listen, args=(told,), daemon=True)
        self.thread.start()
        # the pipe is set before the handlers and reset after them, so that no signal in between is lost
        self.before = signal.set_wakeup_fd(self.writer, warn_on_full_buffer=False)
        self.handlers = {number: signal.signal(number, lambda *_: None) for number in SIGNALS}

    def close(self) -> None:
        """Returns once all signals so far have been told; the next ones go where they went before."""
        for number, handler in self.handlers.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(self.before)
        os.write(self.writer, b"\0")
        self.thread.join()
        os.close(self.reader)
        os.close(self.writer)

    def _listen(self, told: Callable[[int], None]) -> None:
        while number := os.read(self.reader, 1)[0]:
            if number in SIGNALS:
                told(number)


def _said(number: int) -> str:
    return f"stopped by {signal.Signals(number).name}"


def _end(number: int, line: str) -> None:
    """Ends the process with the status of the signal, after the farewells."""
    for farewell in farewells:
        farewell(128 + number, line.strip().removeprefix("fnn: "))
    say(line)
    end(128 + number)


def end(status: int) -> None:
    """Ends the process at once. No Python code runs after this, and no destructor."""
    os._exit(status)


def say(line: str) -> None:
    """Writes a line on stderr, after all that was printed; gives up after a second if nobody reads."""
    words = threading.Thread(target=_say, args=(line,), daemon=True)
    with contextlib.suppress(RuntimeError):  # the interpreter is shutting down and starts no thread
        words.start()
        words.join(LAST_WORDS)


def _say(line: str) -> None:
    with contextlib.suppress(OSError, ValueError, AttributeError):  # stdout is closed, or there is none
        sys.stdout.flush()
    with contextlib.suppress(OSError):
        os.write(2, f"{line}\n".encode())
