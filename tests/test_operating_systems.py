"""fnn on Windows and macOS, as far as Linux can tell: what Python lacks there is taken away, what it adds is added."""

import ast
import contextlib
import errno
import io
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import fnn
from fnn import cli
from fnn.cli import commands, new, progress
from fnn.config import shipped
from fnn.config.reading import load_config, short_hash
from fnn.data.on_disk import stored
from fnn.machine.hardware import memory
from fnn.machine.idle_cores import wake_time
from fnn.runs.measured import timeless
from fnn.storage import files, locks, paths
from fnn.storage.files import make_folder, open_plain, remove_folder, write_atomically, write_folder
from tests.helpers import windows

ROOT = Path(__file__).parents[1]
TEXT_MODES = {"open": 1, "fdopen": 1, "read_text": None, "write_text": None}  # the place of the mode


def on_windows(folder, *words, script="tests.helpers.windows"):
    command = [sys.executable, "-X", "warn_default_encoding", "-m", script, *map(str, words)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(ROOT)])}
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, encoding="utf-8", env=environment)


def test_a_run_is_trained_stopped_resumed_and_used_without_what_windows_lacks(tmp_path):
    short = ("xor", "--set", "training.epochs=40")
    name = f"xor-{short_hash(load_config(shipped.located('xor'), ['training.epochs=40']))}"
    train = ("run", *short, "--out")
    ended = on_windows(
        tmp_path,
        *(*train, "a", "--", "ctrl-c", "--", *train, "b", "--", *train, "b", "--resume"),
        *("--", "watch", f"b/{name}", "--", "runs", "b", "--", "predict", f"a/{name}", "--out", "a.csv"),
    )
    assert [line for line in ended.stdout.splitlines() if line.startswith("status")] == [
        f"status {status}" for status in (0, 130, 0, 0, 0, 0)
    ], ended.stderr
    assert f"go on with: fnn run {' '.join(short)} --out b --resume" in ended.stderr
    once, twice = (tmp_path / folder / name for folder in ("a", "b"))
    assert (once / "params.npz").read_bytes() == (twice / "params.npz").read_bytes()
    lines = [fnn_metrics(folder) for folder in (once, twice)]
    assert lines[0] == lines[1]
    assert (tmp_path / "a.csv").read_text(encoding="utf-8").count("\n") == 5
    assert b"\r" not in (once / "metrics.jsonl").read_bytes()


def fnn_metrics(folder):
    from fnn.runs import metrics

    return timeless(metrics.read(folder))


def test_what_is_simulated_as_missing_is_here_or_was_never_used():
    """A name that is misspelt would take nothing away."""
    source = "".join(path.read_text(encoding="utf-8") for path in Path(fnn.__file__).parent.rglob("*.py"))
    for module, names in windows.POSIX.items():
        for name in names:
            assert hasattr(module, name) or f"{module.__name__}.{name}" not in source


def test_a_lock_of_windows_is_seen_by_another_process(tmp_path, monkeypatch):
    import fcntl

    monkeypatch.setattr(locks, "fcntl", None)
    monkeypatch.setattr(locks, "msvcrt", windows.msvcrt(fcntl.flock, fcntl))
    code = (
        "import fcntl, sys\nfrom fnn.storage import locks\nfrom tests.helpers import windows\n"
        "locks.fcntl, locks.msvcrt = None, windows.msvcrt(fcntl.flock, fcntl)\n"
        "print(locks.is_locked(sys.argv[1]))\n"
        "try:\n    with locks.locked(sys.argv[1]): print('free')\nexcept ValueError as error: print(error)"
    )
    command = [sys.executable, "-c", code, str(tmp_path)]
    with locks.locked(tmp_path):
        held = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT).stdout
    released = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT).stdout
    assert held.startswith("True\n")
    assert "another process is training here" in held
    assert released == "False\nfree\n"


def test_a_system_without_locks_trains_and_says_that_it_does_not_know(tmp_path, monkeypatch):
    monkeypatch.setattr(locks, "fcntl", None)
    with locks.locked(tmp_path):
        assert locks.is_locked(tmp_path) is None


class InUse:
    """An operation of `os` that Windows refuses so many times, because another process has the file open."""

    def __init__(self, real, times, winerror=windows.SHARING_VIOLATION):
        self.real, self.times, self.winerror = real, times, winerror

    def __call__(self, *args, **kwargs):
        self.times -= 1
        if self.times >= 0:
            error = PermissionError(errno.EACCES, "Permission denied")
            error.winerror = self.winerror
            raise error
        return self.real(*args, **kwargs)


DOES = {
    "replace": lambda path: write_atomically(path / "a", b"new"),
    "rename": lambda path: write_folder(path / "folder", {"a": b"1"}),
    "rmdir": lambda path: remove_folder(path / "old"),
    "unlink": lambda path: files.remove_file(path / "a"),
    "unlink in a folder": lambda path: remove_folder(path / "old"),
}


@pytest.mark.parametrize("case", DOES)
def test_what_windows_refuses_for_a_moment_is_done_a_moment_later(case, tmp_path, monkeypatch):
    monkeypatch.setattr(files.time, "sleep", lambda seconds: None)
    name = case.split()[0]
    for folder, times in (tmp_path / "once", len(files.WAITS)), (tmp_path / "forever", 1000):
        (folder / "old").mkdir(parents=True)
        (folder / "a").write_bytes(b"old")
        if case == "unlink in a folder":
            (folder / "old" / "b").touch()
        with monkeypatch.context() as busy:
            busy.setattr(os, name, InUse(getattr(os, name), times))
            with contextlib.nullcontext() if times < 1000 else pytest.raises(PermissionError):
                DOES[case](folder)


def test_what_is_forbidden_is_not_tried_again(tmp_path, monkeypatch):
    refused = InUse(os.replace, 1, winerror=None)
    monkeypatch.setattr(os, "replace", refused)
    with pytest.raises(PermissionError):
        write_atomically(tmp_path / "a", b"new")
    assert refused.times == 0


def test_a_file_that_is_just_being_replaced_is_read_a_moment_later(tmp_path, monkeypatch):
    (tmp_path / "a").write_bytes(b"new")
    monkeypatch.setattr(files, "open", InUse(open, 2), raising=False)
    with open_plain(tmp_path / "a") as file:
        assert file.read() == b"new"


@pytest.fixture
def macos(monkeypatch):
    """The requests to flush the disk's own cache, and what they shall raise."""
    asked = SimpleNamespace(number=0, fails=None)

    def fcntl(descriptor, request):
        asked.number += request == 51
        if asked.fails:
            raise OSError(asked.fails, os.strerror(asked.fails))

    monkeypatch.setattr(files, "fcntl", SimpleNamespace(F_FULLFSYNC=51, fcntl=fcntl))
    return asked


def test_macos_flushes_the_cache_of_the_disk_after_each_file_and_folder(macos, tmp_path, monkeypatch):
    monkeypatch.delattr(os, "fsync")
    write_atomically(tmp_path / "a", b"new")
    assert macos.number == 2
    make_folder(tmp_path / "b")
    assert macos.number == 3
    macos.fails = errno.EIO
    with pytest.raises(OSError, match="Input/output"):
        write_atomically(tmp_path / "a", b"newer")
    assert (tmp_path / "a").read_bytes() == b"new"


def test_a_disk_of_macos_without_that_request_gets_a_plain_sync(macos, tmp_path, monkeypatch):
    plain = []
    monkeypatch.setattr(os, "fsync", plain.append)
    macos.fails = errno.ENOTSUP
    write_atomically(tmp_path / "a", b"new")
    assert len(plain) == macos.number == 2


def test_rows_of_a_file_are_read_without_pread(tmp_path, monkeypatch):
    x = np.arange(300, dtype=np.float32).reshape(100, 3)
    np.save(tmp_path / "x.npy", x)
    rows = stored(tmp_path / "x.npy", 2.0**20)[[5, 99, 0, 42]]
    monkeypatch.delattr(os, "pread")
    np.testing.assert_array_equal(np.asarray(rows), x[[5, 99, 0, 42]])


def test_what_the_system_does_not_tell_is_infinite_or_none(monkeypatch):
    for name in ("sysconf", "sched_setaffinity", "sched_getaffinity"):
        monkeypatch.delattr(os, name)
    assert memory() == float("inf")
    assert wake_time() is None


@pytest.mark.parametrize(("platform", "written"), [("win32", "η²".encode()), ("linux", b"\\u03b7\xb2")])
def test_what_goes_to_a_file_of_windows_is_utf8(platform, written, monkeypatch):
    monkeypatch.delenv("PYTHONIOENCODING", raising=False)
    out = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(out, encoding="cp1252", newline=""))
    monkeypatch.setattr(sys, "platform", platform)
    commands._open_streams()
    print("η²", end="", flush=True)
    assert out.getvalue() == written


def test_a_reader_of_windows_who_leaves_is_no_fault(monkeypatch):
    left = OSError(errno.EINVAL, "Invalid argument")
    assert commands.ending(left) == (2, "a file: Invalid argument.")
    monkeypatch.setattr(sys, "platform", "win32")
    assert commands.ending(left) == (141, "")


def test_a_row_of_a_terminal_of_windows_is_cleared_by_blanks(monkeypatch):
    assert progress.clear(io.StringIO()) == "\r\x1b[K"
    monkeypatch.setattr(sys, "platform", "win32")
    assert progress.clear(io.StringIO()).strip() == ""


def test_a_command_is_told_as_the_shell_of_windows_takes_it(monkeypatch):
    words = ["fnn", "run", "--set", "training.optimizer={eta = 1}", "my data.toml"]
    assert paths.typed(words) == "fnn run --set 'training.optimizer={eta = 1}' 'my data.toml'"
    monkeypatch.setattr(sys, "platform", "win32")
    assert paths.typed(words) == 'fnn run --set "training.optimizer={eta = 1}" "my data.toml"'


def test_a_file_on_another_drive_is_named_in_full(monkeypatch, tmp_path):
    def no_way(path, start):
        raise ValueError("path is on mount 'D:', start on mount 'C:'")

    monkeypatch.setattr(os.path, "relpath", no_way)
    assert new._seen_from(tmp_path / "mine.toml", "table.csv") == os.path.realpath("table.csv")


def test_macos_says_where_stdout_goes(monkeypatch, tmp_path):
    def fcntl(descriptor, request, space):
        return os.fsencode(tmp_path / "mine.toml").ljust(len(space), b"\0")

    monkeypatch.setattr(new, "optional", lambda name: SimpleNamespace(F_GETPATH=50, fcntl=fcntl))
    assert new._name(1) == tmp_path / "mine.toml"


def calls(tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            yield name, node


@pytest.mark.parametrize("room", ["src/fnn", "experiments/notes", "experiments/nielsen", "experiments/lecture"])
def test_every_text_file_is_opened_as_utf8(room):
    """Else Windows takes the code page of the country."""
    for path in (ROOT / room).rglob("*.py"):
        for name, call in calls(ast.parse(path.read_text(encoding="utf-8"))):
            if name in TEXT_MODES and isinstance(call.func, ast.Attribute | ast.Name):
                mode = [arg.value for arg in call.args[1:2] if isinstance(arg, ast.Constant)]
                binary = any("b" in str(each) for each in mode)
                own = isinstance(call.func, ast.Attribute) and call.func.attr == "open"  # os.open, archive.open, ...
                said = {keyword.arg for keyword in call.keywords}
                assert binary or own or "encoding" in said, f"{path}:{call.lineno}"


def test_the_help_of_every_command_is_told_in_a_code_page(capsys):
    for row in commands.COMMANDS:
        with pytest.raises(SystemExit):
            cli.main([row.name, "--help"])
    assert capsys.readouterr().out.isascii()
