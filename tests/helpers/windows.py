"""This process made like one on Windows: what Python lacks there is taken away, and the rest behaves as it does there.

Run by `python -m tests.helpers.windows`, as the command line of fnn with several commands, `--` between them. What is
simulated comes from the documentation of Python and of Windows; nothing of fnn has been run there.
"""

import contextlib
import errno
import os
import platform
import random  # noqa: F401  (these begin with what POSIX has, and would fail in the middle)
import shutil  # noqa: F401
import signal
import subprocess  # noqa: F401
import sys
import tempfile  # noqa: F401
import threading  # noqa: F401
import warnings
from types import SimpleNamespace

POSIX = {
    os: (
        *("set_blocking", "get_blocking", "fork", "forkpty", "register_at_fork", "posix_spawn", "posix_spawnp"),
        *("POSIX_SPAWN_DUP2", "getuid", "geteuid", "getgid", "getegid", "getgroups", "getpgid", "setsid", "killpg"),
        *("pread", "pwrite", "preadv", "sendfile", "fchmod", "chown", "fchown", "statvfs", "fstatvfs", "mkfifo"),
        *("sysconf", "confstr", "getloadavg", "nice", "uname", "sched_getaffinity", "sched_setaffinity", "ttyname"),
        *("O_NONBLOCK", "O_DIRECTORY", "O_NOFOLLOW", "O_CLOEXEC", "O_SYNC", "WIFEXITED", "WEXITSTATUS", "sync"),
    ),
    signal: ("SIGKILL", "SIGSTOP", "SIGCONT", "SIGHUP", "SIGUSR1", "SIGCHLD", "SIGALRM", "alarm", "setitimer"),
}
MODULES = ("fcntl", "resource", "termios", "tty", "pty", "pwd", "grp")
SHARING_VIOLATION = 32


def take_away():
    """Removes from `os`, `signal` and the modules what Windows has not, and makes `os` as strict as it is there."""
    import fcntl

    flock, pipe, unblock = fcntl.flock, os.pipe, os.set_blocking
    for module, names in POSIX.items():
        for name in names:
            if hasattr(module, name):
                delattr(module, name)
    sys.modules |= dict.fromkeys(MODULES, None)

    def blocking_is_allowed():  # `signal.set_wakeup_fd` asks for more than it does on Windows
        reader, writer = pipe()
        unblock(writer, False)
        return reader, writer

    os.pipe = blocking_is_allowed
    _no_folders_are_opened()
    for name in ("replace", "rename"):
        _fails_at_first(name)
    return msvcrt(flock, fcntl)


def msvcrt(flock, fcntl):
    """`msvcrt.locking` by the locks of POSIX."""

    def locking(descriptor, mode, count):
        try:
            kind = fcntl.LOCK_UN if mode == 0 else fcntl.LOCK_EX | fcntl.LOCK_NB
            flock(descriptor, kind)
        except OSError as error:
            raise PermissionError(errno.EACCES, "Permission denied") from error

    return SimpleNamespace(locking=locking, LK_UNLCK=0, LK_NBLCK=2)


def _no_folders_are_opened():
    real = os.open

    def strict(path, *args, **kwargs):
        if os.path.isdir(path):
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return real(path, *args, **kwargs)

    os.open = strict


def _fails_at_first(name):
    real, done = getattr(os, name), set()

    def busy(old, new):
        if str(new) not in done:
            done.add(str(new))
            error = PermissionError(errno.EACCES, "Permission denied", str(new))
            error.winerror = SHARING_VIOLATION
            raise error
        return real(old, new)

    setattr(os, name, busy)


def main(words):
    """Runs the commands and prints the exit status of each."""
    import jax  # noqa: F401  (what is not fnn's asks for the system at its import)

    sys.modules["matplotlib"] = None  # no pictures, which take longer than the training
    platform.uname()  # is remembered: JAX asks for it
    locks_of_windows = take_away()
    from fnn import cli
    from fnn.cli import progress
    from fnn.storage import locks

    warnings.filterwarnings("error", category=EncodingWarning, module=r"fnn\.")  # python -X warn_default_encoding
    locks.msvcrt = locks_of_windows
    sys.platform = "win32"
    printed = progress.printed

    def interrupted(*args):
        printed(*args)
        progress.printed = printed
        os.kill(os.getpid(), signal.SIGINT)

    while words:
        end = words.index("--") if "--" in words else len(words)
        command, words = words[:end], words[end + 1 :]
        if command[0] == "ctrl-c":  # after the first epoch that the next command tells
            progress.printed = interrupted
            continue
        status = 0
        with contextlib.suppress(SystemExit):
            status = cli.main(command)
        print(f"status {status}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
