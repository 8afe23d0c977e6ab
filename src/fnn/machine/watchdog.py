"""A process that is alive but stuck: it is ended, and says where each of its threads stands."""

from __future__ import annotations

import faulthandler
import sys
import threading
import time
from collections.abc import Callable

from fnn.machine.rendezvous import seconds_of

SECONDS = 600.0  # without the end of a part, after which a process is stuck; FNN_WATCHDOG_SECONDS sets another number
TIMES = 20  # never before so many times the longest part so far


class Watchdog:
    """Ends this process if it is not called for long; whoever trains calls it after every part."""

    def __init__(self, stuck: Callable[[str], None]) -> None:
        """Watches until `close` is called; `stuck` is to end this process, and is told what to say."""
        self.seconds, self._stuck = seconds_of("FNN_WATCHDOG_SECONDS", SECONDS), stuck
        self._longest, self._parts = 0.0, 0
        self._last = time.monotonic()
        self._closed = threading.Event()
        threading.Thread(target=self._watch, daemon=True).start()

    def __call__(self) -> None:
        """A part is over; the first one, which is compiled, does not count as long."""
        now = time.monotonic()
        self._parts += 1
        if self._parts > 2:  # the call before the program is compiled, and the one after it
            self._longest = max(self._longest, now - self._last)
        self._last = now

    def close(self) -> None:
        """Watch no more."""
        self._closed.set()

    def _watch(self) -> None:
        while not self._closed.wait(min(1.0, self.seconds / 5)):
            limit, waited = max(self.seconds, TIMES * self._longest), time.monotonic() - self._last
            if waited > limit:
                faulthandler.dump_traceback(sys.__stderr__ or 2, all_threads=True)
                self._stuck(f"nothing went on for {waited:.0f} s; above is where each thread of this process stands")
                return
