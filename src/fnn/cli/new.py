"""`fnn new FILE > mine.toml`: a config, that runs as it is, for a file or for a source that fnn knows. No JAX here."""

from __future__ import annotations

import argparse
import io
import os
import stat
import sys
from pathlib import Path

from fnn.cli.data import check_alone, checked_file
from fnn.config.proposing import proposal, toml
from fnn.data import sources
from fnn.data.hints import hints
from fnn.data.wording import short
from fnn.errors import InputError
from fnn.looking.array_plans import plan_of_source
from fnn.looking.files import looked_at
from fnn.looking.plans import Plan
from fnn.storage.files import optional

LONGEST_NAME = 40  # characters of a run's name


def command(options: argparse.Namespace) -> int:
    """Print a config on stdout, and on stderr what was chosen and is worth a thought; status 0.

    Raises:
        InputError: There is no such file or source, it holds no data set, or something in it has to be mended first.
        CorruptFileError: The file cannot be read.
    """
    known = {source.name: source for source in sources()}
    config = _redirected_to()
    if options.file in known:
        check_alone(options.file, options.label, options.y or "")
        plan, source, name, notes = plan_of_source(known[options.file]), options.file, options.file, []
    else:
        plan, notes = _plan(checked_file(options.file, list(known)), options)
        source, name = _seen_from(config, plan.source), _run_name(plan.source)
        if "y" in plan.entries:
            plan.entries["y"] = plan.entries["y"]._replace(value=_seen_from(config, options.y or ""))
    saved = config.name if config else "FILE.toml"
    header = [
        f"A first config for {source}, by fnn new; change what you know better.",
        f"fnn run {saved}",
    ]
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8")  # whatever the terminal has: a config is UTF-8
    print(proposal(plan, source, name, header), end="")
    print(*_told(plan, notes, saved), sep="\n", file=sys.stderr, flush=True)
    return 0


def _plan(path: str, options: argparse.Namespace) -> tuple[Plan, list[str]]:
    """What `load_data` is told about a file, and hints about its examples.

    Raises:
        InputError: It refuses the file all the same.
    """
    found = looked_at(path, options.label, options.y or "")
    if not found.plan or not found.data:
        more = f" ({len(found.faults) - 1} more: fnn data {path})" if found.faults[1:] else ""
        raise InputError(f"{path}: {found.faults[0]}{more}")
    return found.plan, hints(found.data)


def _redirected_to() -> Path | None:
    """The file that stdout goes to, if it is a file and the system says which."""
    try:
        status = os.fstat(sys.stdout.fileno())
        path = _name(sys.stdout.fileno())
        return path if stat.S_ISREG(status.st_mode) and os.path.samestat(status, os.stat(path)) else None
    except (OSError, ValueError):  # no file, or no such folder on this system
        return None


def _name(descriptor: int) -> Path:
    """The path of an open file, as Linux and macOS tell it."""
    fcntl = optional("fcntl")
    if hasattr(fcntl, "F_GETPATH"):
        return Path(os.fsdecode(fcntl.fcntl(descriptor, fcntl.F_GETPATH, bytes(1024)).rstrip(b"\0")))
    return Path(os.readlink(f"/proc/self/fd/{descriptor}"))


def _seen_from(config: Path | None, path: str) -> str:
    """A path as the config has it: relative to the folder of the config, unless the user gave it from / on."""
    if os.path.isabs(path):
        return path
    try:
        found = os.path.relpath(os.path.realpath(path), os.path.realpath(config.parent if config else "."))
    except ValueError:  # they are on two drives of Windows
        return os.path.realpath(path)
    return Path(found).as_posix()


def _run_name(path: str) -> str:
    """A name for the runs, from the name of the file."""
    stem = Path(path).name.rpartition(".")[0]
    plain = "".join(c if c.isascii() and c.isalnum() else "-" for c in stem)
    return plain.strip("-")[:LONGEST_NAME].strip("-") or "run"


def _told(plan: Plan, notes: list[str], saved: str) -> list[str]:
    """What is said on stderr."""
    label = plan.entries.get("label")
    chosen = [f"label = {short(label.value)}: {label.why}"] if label else []
    missing = plan.entries.get("missing")
    chosen += [f"missing = {toml(missing.value)}: {missing.why}"] if missing else []
    dropped = [f"left out: {short(name)}: {role.why}" for name, role in plan.roles.items() if role.use == "drop"]
    return [*chosen, *dropped, *(f"hint: {note}" for note in (*plan.notes, *notes)), f"next: fnn run {saved}"]
