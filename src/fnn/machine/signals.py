"""SIGINT and SIGTERM as a wish to stop: the first signal is noted, the second ends the process at once."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Generator

from fnn.errors import StoppedError

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Wish:
    """Whether the process was asked to stop: `number` is that of the signal, 0 as long as there was none."""

    number: int = 0


@contextlib.contextmanager
def wishes() -> Generator[Wish, None, None]:
    """A `Wish` in which signals are noted while the block runs; the block looks at it from time to time.

    Python runs no handler before compiled code returns. The handler of the system, however, writes a byte to a pipe at
    once, and a thread reads it. The second signal therefore does not wait for anything.
    """
    wish = Wish()
    if threading.current_thread() is not threading.main_thread():  # only the main thread may set handlers
        yield wish
        return
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    thread = threading.Thread(target=_listen, args=(reader, wish), daemon=True)
    thread.start()
    # the pipe is set before the handlers and reset after them, so that no signal in between is lost
    before = signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    handlers = {number: signal.signal(number, lambda *_: None) for number in SIGNALS}
    try:
        yield wish
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(before)
        os.write(writer, b"\0")
        thread.join()
        os.close(reader)
        os.close(writer)


@contextlib.contextmanager
def raised(kept: str) -> Generator[None, None, None]:
    """Raises a `StoppedError`, which says what is kept, at a signal in the block; a second one ends the process."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(number: int, _: object) -> None:
        for each in SIGNALS:
            signal.signal(each, end)
        raise StoppedError(number, f"stopped by {signal.Signals(number).name}; {kept}")

    def end(number: int, _: object) -> None:
        os.write(2, b"\nfnn: ended at once; what was being written is as it was\n")
        os._exit(128 + number)

    before = {number: signal.signal(number, stop) for number in SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _listen(reader: int, wish: Wish) -> None:
    while number := os.read(reader, 1)[0]:
        if number not in SIGNALS:
            continue
        if wish.number:
            os.write(2, b"\nfnn: ended at once; the last checkpoint is as it was\n")
            os._exit(128 + number)
        wish.number = number
