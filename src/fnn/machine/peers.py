"""The connections between the processes of one training: to compare what they have, and to notice a loss. No JAX.

Each process keeps a TCP connection to process 0; `rendezvous` makes them. What is sent are lines of JSON. The system
closes the connections of a process that is killed, so the others hear of it at once. A process that is stopped sends no
more beats.
"""

from __future__ import annotations

import contextlib
import json
import queue
import socket
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from fnn.errors import InputError
from fnn.machine.launchers import Place

LOST = 5  # the exit status after another process was lost, or nothing went on
BEAT = 1.0  # seconds between two signs of life
SILENT = 12.0  # seconds without one, after which a process counts as lost
GRACE = 10.0  # seconds for the others to end by themselves, after one has said that an error ends it
STUCK = 2.0  # the same after one was stuck: the others say where they stand
AT_ONCE = 0.3  # the same after one is gone or was stopped: the same signal may be on its way to the others
LAST = 5.0  # seconds, at most, that process 0 waits for the others to end before it; they need its coordinator
LONGEST = 2**24  # bytes of a line


class Lost(NamedTuple):
    """A process that is gone."""

    index: int
    why: str  # in words, after the name of the process
    status: int | None  # with which it ended, if it said so


class Peers:
    """The connections of one process to the others; made by `rendezvous.meet`."""

    def __init__(self, place: Place, hosts: list[str], peers: dict[int, socket.socket]) -> None:
        """Nothing is watched before `watch` is called."""
        self.place, self.hosts = place, hosts
        self._peers, self._locks = peers, {i: threading.Lock() for i in peers}
        self._inbox: queue.Queue[Any] = queue.Queue()
        self._gone: dict[int, Lost] = {}
        self._closed = threading.Event()
        self._once = threading.Lock()
        self.lost: Callable[[Lost], None] = lambda lost: None

    def name(self, index: int) -> str:
        """What messages call a process."""
        return f"process {index} of {self.place.count} ({self.hosts[index]})"

    def watch(self, lost: Callable[[Lost], None]) -> None:
        """From now on `lost` is called in a thread, once, if another process is gone. It should end this process."""
        self.lost = lost
        for i in self._peers:
            threading.Thread(target=self._listen, args=(i,), daemon=True).start()
        threading.Thread(target=self._beat, daemon=True).start()

    def exchange(self, value: Any) -> list[Any]:
        """The values of all processes, by their numbers; each of them has to call this.

        Raises:
            InputError: a process has ended instead, because its input is wrong.
        """
        if self.place.index:
            self._send(0, {"said": value})
            return self._received()
        values = {0: value}
        while len(values) < self.place.count:
            i, said = self._received()
            values[i] = said
        everything = [values[i] for i in range(self.place.count)]
        for i in self._peers:
            self._send(i, {"all": everything})
        return everything

    def gone(self, seconds: float) -> Lost | None:
        """The first process that is gone, waited for at most so long."""
        end = time.monotonic() + seconds
        while not self._gone and time.monotonic() < end:
            time.sleep(0.05)
        return next(iter(self._gone.values()), None)

    def say_goodbye(self, status: int, line: str) -> None:
        """Tell the others that this process ends now, by itself, and why."""
        self._closed.set()
        for i in self._peers:
            self._send(i, {"ended": self.place.index, "status": status, "line": line})

    def wait_for_others(self) -> None:
        """Process 0 waits a little for the others to end before it."""
        end = time.monotonic() + LAST
        while not self.place.index and len(self._gone) < len(self._peers) and time.monotonic() < end:
            time.sleep(0.05)

    def close(self) -> None:
        """End all connections of processes that have nothing more to say to each other; each of them calls this."""
        self.exchange(None)
        self._closed.set()
        for peer in self._peers.values():
            with contextlib.suppress(OSError):
                peer.shutdown(socket.SHUT_RDWR)
            peer.close()

    def _received(self) -> Any:
        """What the others said, or an error if one of them has ended instead."""
        got = self._inbox.get()
        if isinstance(got, Lost):
            if got.status == 2:
                raise InputError(f"{self.name(got.index)} {got.why}")
            threading.Event().wait()  # this process is being ended
        return got

    def _send(self, i: int, message: Mapping[str, Any]) -> None:
        with self._locks[i], contextlib.suppress(OSError):  # whoever reads the other end hears that it is closed
            self._peers[i].sendall(json.dumps(message).encode() + b"\n")

    def _beat(self) -> None:
        while not self._closed.wait(BEAT):
            for i in self._peers:
                self._send(i, {})

    def _listen(self, i: int) -> None:
        """Read what process i sends, until its connection ends."""
        self._peers[i].settimeout(SILENT)
        try:
            with self._peers[i].makefile("rb") as lines:
                while line := lines.readline(LONGEST):
                    self._heard(i, json.loads(line))
            why = "was lost"
        except TimeoutError:
            why = f"has given no sign of life for {SILENT:.0f} s"
        except (OSError, ValueError):
            why = "was lost"
        self._note(Lost(i, why, None))

    def _heard(self, i: int, message: Mapping[str, Any]) -> None:
        if "said" in message:
            self._inbox.put((i, message["said"]))
        elif "all" in message:
            self._inbox.put(message["all"])
        elif "lost" in message:
            self._note(Lost(*message["lost"]))
        elif "ended" in message:
            said = message["line"].removesuffix(".")
            self._note(Lost(message["ended"], f"ended with status {message['status']}: {said}", message["status"]))

    def _note(self, lost: Lost) -> None:
        """Remember that a process is gone; the first one ends this process, unless that ends by itself."""
        with self._once:
            first = not self._gone
            self._gone.setdefault(lost.index, lost)
        if not first or self._closed.is_set():
            return
        for i in self._peers:
            self._send(i, {"lost": lost})
        if lost.status is not None:
            self._inbox.put(lost)
        stopped = lost.status is None or lost.status >= 128
        self._closed.wait(AT_ONCE if stopped else STUCK if lost.status == LOST else GRACE)
        if not self._closed.is_set():
            self.lost(lost)
