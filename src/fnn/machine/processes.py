"""Several processes that train one run together: what they compare, and how all of them end.

JAX joins the processes and computes; `starting` begins that. What is here sees to it that they begin with the same, and
that none of them waits for one that is gone: whatever ends one of them ends all, with a line that says why.

Exit status 5: another process was lost, or nothing went on.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import socket
import time
from collections.abc import Callable, Generator, Mapping
from pathlib import Path
from typing import Any

import jax

from fnn.errors import InputError
from fnn.machine import signals
from fnn.machine.peers import GRACE, LOST, Lost, Peers
from fnn.machine.watchdog import Watchdog
from fnn.storage.json_files import entries

SEEN = 10.0  # seconds in which a file of process 0 has to be seen by the others
SIGN = ".together"

_joined: list[Joined] = []  # this process and the others, once `start` was called and until `separate`


class Joined:
    """The other processes, and how this one ends if one of them does."""

    def __init__(self, others: Peers, go_on: str) -> None:
        """`go_on` is the command that goes on after a process was lost."""
        self.others, self.go_on = others, go_on

    def end(self, status: int, line: str) -> None:
        """End this process, after its line on stderr; the others are told."""
        self.others.say_goodbye(status, line)
        signals.say(f"fnn: {line}")
        if status != LOST:
            self.others.wait_for_others()
        signals.end(status)

    def lost(self, why: str) -> None:
        """End this process because another one is lost: a thread does so as soon as it hears which, else this one."""
        if self.others.gone(3.0):
            time.sleep(GRACE + 1)
        self.end(LOST, f"another process was lost ({why}); go on with: {self.go_on}")

    def heard(self, lost: Lost) -> None:
        """End this process because that one is gone: with its status if it was told to stop, else with 5."""
        stopped = lost.status is not None and lost.status >= 128
        line = f"{self.others.name(lost.index)} {lost.why}; go on with: {self.go_on}"
        self.end(lost.status if stopped and lost.status else LOST, line)


def first() -> bool:
    """Whether this is process 0, or the only one: the one that prints, and writes files."""
    return not jax.distributed.is_initialized() or jax.process_index() == 0


def alone() -> bool:
    """Whether `start` has joined no others, or they have parted."""
    return not _joined


def hosts() -> list[str]:
    """The host of each process, by their numbers."""
    return _joined[0].others.hosts if _joined else [socket.gethostname()]


def join(others: Peers, go_on: str) -> None:
    """From now on whatever ends one of these processes ends all of them; `go_on` is the command that goes on."""
    _joined.append(Joined(others, go_on))
    signals.farewells.append(others.say_goodbye)
    others.watch(_joined[0].heard)


def exchanged(value: Any) -> list[Any]:
    """What each process has for `value`, which is plain JSON, by their numbers; all of them have to call this."""
    return _joined[0].others.exchange(value) if _joined else [value]


def check_same(about: Mapping[str, Any]) -> None:
    """Refuse to go on if a process has something else than process 0; all of them have to call this.

    Raises:
        InputError: The message names the process and the entries that differ.
    """
    tables = [dict(entries(table)) for table in exchanged(about)]
    for i, table in enumerate(tables):
        keys = [key for key in tables[0] | table if tables[0].get(key) != table.get(key)]
        if keys:
            wrong = "; ".join(f"{key} is {_shown(table, key)}, not {_shown(tables[0], key)}" for key in keys[:3])
            more = f"; and {len(keys) - 3} more" if len(keys) > 3 else ""
            raise InputError(
                f"--distributed: {_joined[0].others.name(i)} differs from process 0: {wrong}{more}; expected the same "
                "on all."
            )


def _shown(table: Mapping[str, Any], key: str) -> str:
    return ascii(table[key])[:80] if key in table else "missing"


def check_shared(folder: Path) -> None:
    """Refuse a folder that process 0 has made and that is not the same for all; all processes have to call this.

    Raises:
        InputError: A process does not see what process 0 has written there.
    """
    if not _joined:
        return
    path, token = folder / SIGN, secrets.token_hex(8)
    if first():
        path.write_text(token, encoding="ascii")
    token = exchanged(token)[0]
    end = time.monotonic() + SEEN
    while not (seen := _reads(path, token)) and time.monotonic() < end:
        time.sleep(0.1)
    blind = [i for i, sees in enumerate(exchanged(seen)) if not sees]
    if first():
        path.unlink()
    if blind:
        raise InputError(
            f"--out: {folder}: {_joined[0].others.name(blind[0])} does not see what process 0 has written there; "
            "expected one folder on a disk that all processes share, under the same path."
        )


def _reads(path: Path, token: str) -> bool:
    try:
        os.listdir(path.parent)  # so that a network file system looks again
        return path.read_text(encoding="ascii") == token
    except OSError:
        return False


@contextlib.contextmanager
def watched() -> Generator[Callable[[], None]]:
    """A block with a function to call after each of its parts; if that does not happen for long, all processes end."""
    if not _joined:
        yield lambda: None
        return
    joined = _joined[0]
    with contextlib.closing(Watchdog(lambda why: joined.end(LOST, f"{why}; go on with: {joined.go_on}"))) as dog:
        yield dog


@contextlib.contextmanager
def together(ending: Callable[[BaseException], tuple[int, str]]) -> Generator[None]:
    """A block in which an error of one process ends all of them; without others it is raised as it is.

    This process ends without Python's exit, which would wait for the others in JAX while they wait for this one.

    Args:
        ending: The exit status for an error, and the line that says it.
    """
    try:
        yield
    except BaseException as error:
        if not _joined:
            raise
        joined = _joined[0]
        if _is_of_another(error):
            joined.lost(one_line(error))
        else:
            joined.end(*ending(error))


def one_line(error: BaseException) -> str:
    """What an error says, in one line that is not too long."""
    return " ".join(str(error).split()).rstrip(".")[:200]


def _is_of_another(error: BaseException) -> bool:
    """Whether JAX says that it does not reach another process; of this process are its memory and its programs."""
    own = ("RESOURCE_EXHAUSTED", "INVALID_ARGUMENT", "UNIMPLEMENTED")
    return isinstance(error, jax.errors.JaxRuntimeError) and not str(error).startswith(own)


def separate() -> None:
    """Leave the other processes, at the end of what all have done together; each of them has to call this.

    Process 0 goes on afterwards as a process that has no others.
    """
    while _joined:
        others = _joined[0].others
        others.close()
        signals.farewells.remove(others.say_goodbye)
        _joined.pop()
        jax.distributed.shutdown()
