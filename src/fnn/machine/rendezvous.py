"""How the processes of one training meet: all come to process 0, which compares them and names the missing. No JAX."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import time
from collections.abc import Mapping
from typing import Any

from fnn.errors import InputError
from fnn.machine.launchers import Place
from fnn.machine.peers import Peers

START_SECONDS = 60.0  # in which all processes have to come; FNN_START_SECONDS sets another number
HELLO = 5.0  # seconds in which whoever connects has to say who it is


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


def meet(place: Place, about: Mapping[str, str], listener: socket.socket | None = None) -> tuple[Peers, int]:
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


def _gather(place: Place, about: Mapping[str, str], server: socket.socket) -> tuple[Peers, int]:
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
    return Peers(place, known, peers), port


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


def _come(place: Place, about: Mapping[str, str]) -> tuple[Peers, int]:
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
    return Peers(place, answer["hosts"], {0: peer}), answer["port"]


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
