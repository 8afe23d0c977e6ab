"""What a person sees on a terminal."""

import fcntl
import os
import re
import select
import struct
import termios


class Screen:
    """The rows of a terminal, after what was written to it; it wraps a row that is too long."""

    def __init__(self, columns):
        self.columns, self.rows, self.column, self.written = columns, [""], 0, ""

    def write(self, text):
        self.written += text
        for part in re.findall(r"\x1b\[K|[^\x1b]", text):
            if part == "\x1b[K":
                self.rows[-1] = self.rows[-1][: self.column]
            elif part == "\r":
                self.column = 0
            elif part == "\n":
                self.rows, self.column = [*self.rows, ""], 0
            else:
                if self.column == self.columns:
                    self.rows, self.column = [*self.rows, ""], 0
                now = self.rows[-1].ljust(self.column)
                self.rows[-1], self.column = now[: self.column] + part + now[self.column + 1 :], self.column + 1


def read(terminal):
    """What was written to a pseudo-terminal since the last time."""
    text = b""
    while select.select([terminal], [], [], 0)[0]:
        try:
            text += os.read(terminal, 65536)
        except OSError:  # its other end is closed
            break
    return text.decode().replace("\r\n", "\n")


def screen(columns, shown, monkeypatch, **settings):
    """The screen after `shown(out)` has yielded all, on a pseudo-terminal so wide."""
    ours, theirs = os.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    for name in ("NO_COLOR", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)
    for name, value in ({"TERM": "xterm"} | settings).items():
        monkeypatch.setenv(name, value)
    seen = Screen(columns or 80)
    with os.fdopen(theirs, "w") as out:
        for _ in shown(out):
            seen.write(read(ours))
        seen.write(read(ours))
    seen.write(read(ours))
    os.close(ours)
    return seen
