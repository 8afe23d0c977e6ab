"""The command line: `fnn COMMAND ...`.

A command is a row of `fnn.cli.command_table`, and a function `command` in the module `fnn.cli.<name>`. The module is
imported only when its command is chosen, so the help needs neither JAX nor NumPy.

Exit status: 0 done, 1 a check did not hold, 2 the user's input is wrong, 3 a file is corrupt, 4 training diverged, 5
another process of the same training was lost, 130 and 143 stopped by Ctrl-C and SIGTERM (a training is saved first),
141 the reader of a pipe has left.
"""

from __future__ import annotations

import argparse
import contextlib
import errno
import functools
import importlib
import io
import os
import sys
import textwrap
import unicodedata
from collections.abc import Sequence
from typing import TextIO

from fnn import __version__
from fnn.cli.command_table import COMMANDS, PATHS, PRINTED, VARIABLES
from fnn.config import shipped
from fnn.errors import CorruptFileError, DivergedError, InputError, StoppedError
from fnn.machine import compile_cache, garbage, signals, xla_flags
from fnn.storage.paths import user_path

FILES = {  # how shtab lets a shell complete a path
    "bash": "_shtab_compgen_files",
    "zsh": "_files",
    "tcsh": "f",
    "fish": "(__fish_complete_path (commandline -ct))",
}
COLUMNS = 78  # of the help: as many as argparse fills on a terminal of 80


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status; without `arguments` it is the command that this process is for."""
    printing = sys.stdout is not None
    _open_streams()
    alone = arguments is None or (arguments and list(arguments) == sys.argv[1:])
    if alone:  # the caller of any other command goes on, after a signal too
        signals.end_at_once()
        garbage.collect_seldom()
    try:
        return _flushed(_status(parser().parse_args(arguments), printing))
    except SystemExit as end:  # of argparse, after its help or its error
        raise SystemExit(_flushed(end.code if isinstance(end.code, int) else 0)) from None
    finally:
        signals.command_done()
        if alone:
            garbage.keep_all()


def _open_streams() -> None:
    """Give a process whose stdin, stdout or stderr is closed the null device, and escape what an encoding lacks.

    Otherwise the next file that is opened would take the number of the closed stream, and get what is printed there.
    """
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # which takes the lowest number that is free
        if getattr(sys, name) is None:
            setattr(sys, name, _nowhere())
    # else a file or a pipe of Windows gets a code page of the country, which lacks η and many names of columns
    utf8 = sys.platform == "win32" and "PYTHONIOENCODING" not in os.environ
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # escape what the terminal's encoding lacks, instead of failing
            encoding = "utf-8" if utf8 and not stream.isatty() else stream.encoding
            stream.reconfigure(encoding=encoding, errors="backslashreplace")


@functools.cache
def _nowhere() -> TextIO:
    return os.fdopen(os.open(os.devnull, os.O_RDWR), "w", encoding="utf-8")


def _status(options: argparse.Namespace, printing: bool) -> int:
    """Run the command that was chosen, say in one line what went wrong, and return the exit status."""
    try:
        return _run(options, printing)
    except (Exception, KeyboardInterrupt) as error:
        found = ending(error)
        if found is None:
            raise
        status, line = found
        if line:
            _say(line)
        return status


def ending(error: BaseException) -> tuple[int, str] | None:
    """The exit status for an error, and the line that says it; None for a fault of fnn or of the user's own code."""
    statuses = {InputError: 2, CorruptFileError: 3, DivergedError: 4}
    for kind, status in statuses.items():
        if isinstance(error, kind):
            return status, str(error)
    if isinstance(error, StoppedError):
        return 128 + error.number, str(error)
    if isinstance(error, KeyboardInterrupt):
        return 130, "interrupted"
    if _is_left(error):  # the reader has seen enough, as in `fnn data | head`
        return 141, ""
    if isinstance(error, OSError):  # a name is too long, links form a circle, or a disk fails
        return 2, f"{error.filename or 'a file'}: {error.strerror or error}."
    if isinstance(error, Exception) and (reason := why_jax_does_not_start(error)):  # JAX says it in many ways
        return 2, reason
    return None


def _run(options: argparse.Namespace, printing: bool) -> int:
    if not printing and options.command in PRINTED and not getattr(options, "out", None):
        raise InputError(f"stdout is closed, and fnn {options.command} does nothing but print; give it one: > FILE.")
    for name in VARIABLES:
        if os.environ.get(name, "").startswith("~"):
            os.environ[name] = user_path(os.environ[name], name)
    for name, said in PATHS.items():
        given = getattr(options, name, None)
        if isinstance(given, list):
            setattr(options, name, [user_path(path, said) for path in given])
        elif given is not None:
            setattr(options, name, user_path(given, said))
    if hasattr(options, "config"):
        options.config = shipped.located(options.config)
    if "jaxlib" not in sys.modules:  # else XLA has taken the flags already
        xla_flags.check()
    if options.cache is not None:  # before the command's module imports JAX
        compile_cache.keep(options.cache)
    elif not options.no_cache:
        compile_cache.keep_by_default(_say)
    return importlib.import_module(f"fnn.cli.{options.command}").command(options)


def why_jax_does_not_start(error: Exception) -> str:
    """One line that says why JAX does not start in this process, where it raised `error`; "" if it does start."""
    try:
        import jax.numpy as jnp

        jnp.zeros(1).block_until_ready()
    except Exception:
        words = " ".join(str(error).split()).partition(" (set JAX_PLATFORMS")[0].rstrip(".") or type(error).__name__
        settings = [f"{name}={value!r}" for name, value in sorted(os.environ.items()) if name.startswith("JAX_")]
        remedy = f"this environment sets {', '.join(settings)}: unset what is wrong" if settings else "install fnn anew"
        return f"JAX does not start here: {words}; {remedy}."
    return ""


def _say(what: object) -> None:
    """Print an error on stderr, with control characters made visible; a stderr that nobody reads is no error."""
    with contextlib.suppress(OSError):
        print(f"fnn: {_visible(what)}", file=sys.stderr, flush=True)


def _visible(what: object) -> str:
    return "".join(c if c == "\n" or unicodedata.category(c) != "Cc" else repr(c)[1:-1] for c in str(what))


def _flushed(status: int) -> int:
    """The status, once all that was printed has arrived; a reader who has left or a full disk changes a status of 0."""
    try:
        sys.stdout.flush()
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if _is_left(error):
            return status or 141
        if not status:
            _say(f"stdout: cannot be written ({error.strerror}); what was printed is incomplete.")
        return status or 2
    return status


def _is_left(error: BaseException) -> bool:
    """Whether the reader of a pipe has left; Windows calls that an invalid argument."""
    windows = sys.platform == "win32" and isinstance(error, OSError) and not error.filename
    return isinstance(error, BrokenPipeError) or (windows and getattr(error, "errno", None) == errno.EINVAL)


class _Help(argparse.RawDescriptionHelpFormatter):
    """The help of `fnn` itself, whose description lists the commands, a line each; argparse would wrap the lines."""

    def add_argument(self, action: argparse.Action) -> None:
        """Leave out what the description has."""
        if action.dest != "command":
            super().add_argument(action)


def parser() -> argparse.ArgumentParser:
    """The parser of the command line, made from `COMMANDS`."""
    top = argparse.ArgumentParser(
        prog="fnn",
        usage="fnn [-h] [--version] COMMAND ...",
        description="Feedforward neural networks, every gradient written by hand and proved.",
        epilog="exit status: 0 done, 1 a check failed, 2 wrong input, 3 corrupt file,\n4 diverged, 5 another process "
        "was lost, 130/141/143 stopped",
        formatter_class=_Help,
    )
    top.add_argument("--version", action="version", version=f"fnn {__version__}")
    top.set_defaults(cache=None, no_cache=True)  # of the commands that have no such options
    listed = "\n".join(f"{row.name:10} {row.help}" for row in COMMANDS)
    commands = top.add_subparsers(
        dest="command",
        required=True,
        metavar="COMMAND",
        title="commands (fnn COMMAND --help says more)",
        description=listed,
    )
    for row in COMMANDS:
        command = commands.add_parser(
            row.name,
            help=row.help,
            prog=f"fnn {row.name}",
            description=textwrap.fill(row.about, COLUMNS),
            epilog="\n  ".join(["examples:", *row.examples]) + (f"\n\n{row.more}" if row.more else ""),
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        for name, settings in row.arguments:
            argument = command.add_argument(name, **settings)
            if argument.dest in PATHS:
                argument.complete = FILES  # type: ignore[attr-defined] (shtab looks for it)
    return top
