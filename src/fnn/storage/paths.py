"""Paths as users give them: `~` is the home folder, and no invisible character is part of a name."""

from __future__ import annotations

import os
import shlex
import sys
import unicodedata
from collections.abc import Iterable, Mapping
from pathlib import Path

from fnn.errors import InputError


def user_path(path: str, name: str) -> str:
    """The path with `~` and `~user` replaced by the home folder; a shell does that only for a word of its own.

    Args:
        path: What the user wrote.
        name: The option, variable or entry that the user gave it to, for messages.

    Raises:
        InputError: the path is empty or holds an invisible character, or there is no such user or no home folder.
    """
    if not path.strip():
        raise InputError(f"{name} {path!r}: expected a path, got none; for the current folder write a dot.")
    check_visible(path, name)
    expanded = os.path.expanduser(path)
    if path.startswith("~") and expanded == path:
        raise InputError(
            f"{name} {path}: there is no such user, or no home folder; give the path from / on, "
            "or ./~... for a name that begins with ~."
        )
    return expanded


def user_cache(remedy: str, environ: Mapping[str, str] = os.environ, platform: str = sys.platform) -> Path:
    """The folder in which fnn keeps what it can get again: `fnn` in the user's cache folder, as the system has it.

    Args:
        remedy: What the user can do without such a folder, for the message.
        environ: The variables of the process.
        platform: As `sys.platform`.

    Raises:
        InputError: there is no home folder.
    """
    if platform == "darwin":
        cache = "~/Library/Caches"
    elif platform == "win32":
        cache = environ.get("LOCALAPPDATA") or "~/AppData/Local"
    else:
        cache = environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(user_path(cache, f"the cache folder ({remedy})")) / "fnn"


def check_visible(text: str, name: str) -> None:
    """Refuse a text with a control character, such as the carriage return at the end of a line of Windows.

    Raises:
        InputError: there is one; the message shows it.
    """
    hidden = next((c for c in text if unicodedata.category(c) == "Cc" and c != "\t"), None)
    if hidden is not None:
        hint = " A file with Windows line ends leaves it at the end of a line." if hidden == "\r" else ""
        raise InputError(f"{name} {text!r}: holds {hidden!r}, a character that cannot be seen; remove it.{hint}")


def typed(words: Iterable[str]) -> str:
    """The words of a command as they are typed in a shell: of POSIX, or of Windows, which knows double quotes alone."""
    if sys.platform != "win32":
        return shlex.join(words)
    from subprocess import list2cmdline  # a slow import

    return list2cmdline(words)
