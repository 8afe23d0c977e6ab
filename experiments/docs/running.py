"""Runs blocks of code one after another in this process, as a reader would in one shell and one Python."""

import contextlib
import glob
import io
import linecache
import os
import re
import shlex
import subprocess
import sys
import traceback
import types
from pathlib import Path

from fnn import cli

OWN_PROCESS = re.compile(r"[|;&]|--devices|--distributed|(?<!\S)\w+=")  # a shell's signs; what is set before JAX starts


class Session:
    """One program, whose names stay, and one shell, whose last exit status stays."""

    def __init__(self) -> None:
        """A program without names; it is `__main__`, as a script would be."""
        self.names = types.ModuleType("__main__")
        sys.modules["__main__"] = self.names
        self.status = 0

    def write(self, name: str, text: str) -> None:
        """Writes a file into the current folder."""
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text(text, encoding="utf-8")

    def program(self, code: str, line: int) -> tuple[str, str]:
        """Runs Python; what it prints, and the traceback of an error."""
        name = f"<block at line {line}>"
        linecache.cache[name] = (len(code), None, code.splitlines(keepends=True), name)  # for tracebacks and inspect
        with printing() as printed:
            try:
                exec(compile(code, name, "exec"), self.names.__dict__)  # noqa: S102  # the page's own code
            except Exception:
                return printed.getvalue(), traceback.format_exc()
        return printed.getvalue(), ""

    def command(self, line: str) -> str:
        """Runs a command; what it prints."""
        if line == "echo $?":
            status, self.status = self.status, 0
            return f"{status}\n"
        is_ours = line.startswith("fnn ") and not OWN_PROCESS.search(line)
        return self.fnn(line) if is_ours else self.shell(line)

    def fnn(self, line: str) -> str:
        """Runs the command line in this process: JAX is loaded already."""
        line = line.replace("\\\n", " ")
        words, _, file = shlex.join(shlex.split(line, comments=True)[1:]).partition(" '>' ")
        found = [path for word in shlex.split(words) for path in (sorted(glob.glob(word)) or [word])]
        with printing() as printed, contextlib.ExitStack() as stack:
            if file:
                stack.enter_context(contextlib.redirect_stdout(stack.enter_context(open(file, "w", encoding="utf-8"))))
            try:
                self.status = cli.main(found)
            except SystemExit as ended:  # argparse's, for a command that it cannot read
                self.status = ended.code
        return printed.getvalue()

    def shell(self, line: str) -> str:
        """Runs any other command, or several, in a shell that has this Python's programs."""
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
        ended = subprocess.run(  # noqa: S602  # a line of a page of ours
            line,
            shell=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, "PATH": path},
        )
        self.status = ended.returncode
        return ended.stdout


@contextlib.contextmanager
def printing():
    """A block whose output, and whose messages, go to one place as on a terminal."""
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
        yield printed
