"""How the processes of one training meet, compare what they have, and notice that one of them is gone. No JAX.

Each process keeps a TCP connection to process 0. What is sent are lines of JSON. The system closes the connections of a
process that is killed, so the others hear of it at once. A process that is stopped sends no more beats.
"""

from __future__ import annotations

import contextlib
import json
import os
import queue
import socket
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from fnn.errors import InputError
from fnn.machine.launchers import Place

LOST = 5  # the exit status after another process was lost, or nothing went on
START_SECONDS = 60.0  # in which all processes have to come; FNN_START_SECONDS sets another number
BEAT = 1.0  # seconds between two signs of life
SILENT = 12.0  # seconds without one, after which a process counts as lost
GRACE = 10.0  # seconds for the others to end by themselves, after one has said that an error ends it
STUCK = 2.0  # the same after one was stuck: the others say where they stand
AT_ONCE = 0.3  # the same after one is gone or was stopped: the same signal may be on its way to the others
LAST = 5.0  # seconds, at most, that process 0 waits for the others to end before it; they need its coordinator
HELLO = 5.0  # seconds in which whoever connects has to say who it is
LONGEST = 2**24  # bytes of a line


class Lost(NamedTuple):
    """A process that is gone."""

    index: int
    why: str  # in words, after the name of the process
    status: int | None  # with which it ended, if it said so


class Rendezvous:
    """The connections of one process to the others; made by `meet`."""

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


def start_seconds() -> float:
    """The time in which all processes have to come."""
    return seconds_of("FNN_START_SECONDS", START_SECONDS)


def seconds_of(name: str, default: float) -> float:
    """The seconds that an environment variable says.

    Raises:
        InputError: It says no number above 0.
    """
    text = os.environ.get(name, "")
    try:
        seconds = float(text) if text else default
    except ValueError:
        seconds = 0.0
    if not seconds > 0:
        raise InputError(f"{name}={text!r}: expected a number of seconds above 0.")
    return seconds


def meet(place: Place, about: Mapping[str, str], listener: socket.socket | None = None) -> tuple[Rendezvous, int]:
    """Wait for all processes; also the number of a port on the host of process 0 that was free a moment ago.

    Args:
        place: Of this process.
        about: What has to be the same on all of them.
        listener: Of process 0, if it listens already.

    Raises:
        InputError: A process did not come in time, or `about` differs; the message says which.
    """
    if place.index:
        return _come(place, about)
    with listener or _listening(place) as server:
        return _gather(place, about, server)


def _listening(place: Place) -> socket.socket:
    for host in (place.host, ""):  # a name that stands for this host elsewhere need not be its own address
        try:
            kind = socket.AF_INET6 if ":" in host else socket.AF_INET
            return socket.create_server((host, place.port), family=kind, backlog=place.count)
        except OSError as error:
            reason = error.strerror or str(error)
    raise InputError(f"--distributed {place.address}: process 0 cannot listen there ({reason}); choose another port.")


def _gather(place: Place, about: Mapping[str, str], server: socket.socket) -> tuple[Rendezvous, int]:
    """Process 0: wait for the others, compare, and tell each of them who is there."""
    hosts, peers, wait = {0: socket.gethostname()}, {}, start_seconds()
    end, wrong = time.monotonic() + wait, ""
    while len(hosts) < place.count and not wrong:
        server.settimeout(max(0.01, end - time.monotonic()))
        try:
            peer, _ = server.accept()
        except TimeoutError:
            wrong = _who_is_missing(place, [i for i in range(place.count) if i not in hosts], wait)
            break
        hello = _line(peer, HELLO)
        if _is_hello(hello):
            i = hello["index"]
            wrong = _what_is_wrong(place, about, hello, hosts)
            peers[i if i not in peers else -1], hosts[i] = peer, hello["host"]
        else:
            peer.close()
    port = _free_port(place)
    known = [hosts.get(i, "") for i in range(place.count)]
    for peer in peers.values():
        with contextlib.suppress(OSError):
            peer.sendall(json.dumps({"wrong": wrong, "hosts": known, "port": port}).encode() + b"\n")
    if wrong:
        for peer in peers.values():
            peer.close()
        raise InputError(wrong)
    return Rendezvous(place, known, peers), port


def _is_hello(said: Any) -> bool:
    """Whether this is what a process of fnn says first, and no stranger."""
    return (
        isinstance(said, dict)
        and isinstance(said.get("fnn"), dict)
        and isinstance(said.get("host"), str)
        and type(said.get("index")) is type(said.get("count")) is int
        and said["index"] > 0
    )


def _who_is_missing(place: Place, missing: list[int], wait: float) -> str:
    names = " and ".join(filter(None, (", ".join(map(str, missing[:-1])), str(missing[-1]))))
    plural = "es" * (len(missing) > 1)
    return (
        f"--distributed {place.address}: process{plural} {names} of {place.count} did not come within {wait:.0f} s; "
        f"start all {place.count} of them, with this address."
    )


def _what_is_wrong(place: Place, about: Mapping[str, str], hello: Mapping[str, Any], hosts: Mapping[int, str]) -> str:
    """Why a process does not fit to process 0; "" if it does."""
    i, where = hello["index"], f"--distributed {place.address}"
    if hello["count"] != place.count:
        return f"{where}: process {i} ({hello['host']}) expects {hello['count']} processes, process 0 {place.count}."
    if i in hosts:
        return f"{where}: there are two processes {i}, on {hosts[i]} and on {hello['host']}; number them from 0."
    for name in about:
        if hello["fnn"].get(name) != about[name]:
            return (
                f"{where}: process {i} of {place.count} ({hello['host']}) has {name} {hello['fnn'].get(name)}, process "
                f"0 ({hosts[0]}) has {about[name]}; expected the same on all."
            )
    return ""


def _free_port(place: Place) -> int:
    for host in (place.host, ""):
        with contextlib.suppress(OSError), socket.create_server((host, 0)) as server:
            return server.getsockname()[1]
    return 0


def _come(place: Place, about: Mapping[str, str]) -> tuple[Rendezvous, int]:
    """Another process: connect to process 0, and hear from it who is there."""
    wait = start_seconds()
    peer = _connected(place, wait)
    hello = {"fnn": dict(about), "index": place.index, "count": place.count, "host": socket.gethostname()}
    with contextlib.suppress(OSError):
        peer.sendall(json.dumps(hello).encode() + b"\n")
    answer = _line(peer, wait + HELLO)
    if not isinstance(answer, dict) or answer.get("wrong"):
        peer.close()
    if not (isinstance(answer, dict) and {"wrong", "hosts", "port"} <= answer.keys()):
        raise InputError(
            f"--distributed {place.address}: process 0 of {place.count} answered there, but ended before all had come; "
            "its own message says why."
        )
    if answer["wrong"]:
        raise InputError(answer["wrong"])
    return Rendezvous(place, answer["hosts"], {0: peer}), answer["port"]


def _connected(place: Place, wait: float) -> socket.socket:
    begun = time.monotonic()
    while True:
        try:
            return socket.create_connection((place.host, place.port), timeout=min(wait, 5.0))
        except OSError as error:
            reason = error.strerror or str(error)
        if time.monotonic() - begun > wait:
            raise InputError(
                f"--distributed {place.address}: process 0 of {place.count} does not answer there after {wait:.0f} s "
                f"({reason}); start it, or correct the address, which all other hosts must reach."
            )
        time.sleep(0.2)


def _line(peer: socket.socket, seconds: float) -> Any:
    """One line of JSON, read byte by byte so that what follows stays unread; None if none comes in time."""
    peer.settimeout(seconds)
    data = b""
    try:
        while not data.endswith(b"\n") and len(data) < 2**16:
            byte = peer.recv(1)
            if not byte:
                return None
            data += byte
        peer.settimeout(None)
        return json.loads(data)
    except (OSError, ValueError):
        return None
