"""Compiled programs are kept where the user says, found again, and never in a folder that others may write."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from fnn.cli import doctor, main
from fnn.machine import compile_cache

XOR = Path(__file__).parents[2] / "configs" / "xor.toml"


def said(*arguments, **variables):
    """The status of this interpreter with these arguments, and what it says about errors."""
    ours = ("TF_CPP_MIN_LOG_LEVEL", *compile_cache.OF_JAX)  # JAX's, and the folder of the tests
    environment = {name: value for name, value in os.environ.items() if name not in ours}
    environment |= {name: str(value) for name, value in variables.items()}
    command = [sys.executable, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    return done.returncode, done.stdout, done.stderr


STEP = """
import sys
from fnn.machine import compile_cache
compile_cache.keep(sys.argv[1])
import jax, fnn
net, data = (fnn.Dense(2),), fnn.load_data("xor").train
*_, last = fnn.fit(net, fnn.LogLikelihood(), fnn.SGD(1.0), fnn.init(net, jax.random.key(0), (2,)), data,
                   jax.random.key(1), batch_size=2, epochs=2)
print(last.params[0].W.tolist())
"""


@pytest.mark.long
def test_a_second_training_finds_its_programs_and_ends_with_the_same_bits(tmp_path):
    status, first, error = said("-c", STEP, tmp_path / "cache")
    assert (status, error) == (0, "")
    kept = programs(tmp_path / "cache")
    assert len(kept) > 5
    assert said("-c", STEP, tmp_path / "cache") == (0, first, "")
    assert programs(tmp_path / "cache") == kept


def programs(cache):
    """The names of the kept programs; the times of their last use, which JAX keeps beside them, left out."""
    return sorted(path.name for path in cache.glob("*/*") if not path.name.endswith("-atime"))


@pytest.mark.skipif(not hasattr(os, "getuid"), reason="this system has no owners of folders")
def test_a_folder_that_others_may_write_is_refused(tmp_path):
    tmp_path.chmod(0o777)
    status, _, error = said("-m", "fnn.cli", "run", XOR, "--cache", tmp_path)
    assert status == 2
    assert error.count("\n") == 1
    assert "mode drwxrwxrwx" in error


def test_a_cache_without_a_name_is_refused():
    status, _, error = said("-m", "fnn.cli", "run", XOR, "--cache", "")
    assert (status, error) == (2, "fnn: --cache '': expected a path, got none; for the current folder write a dot.\n")


def test_a_cache_after_jax_is_imported_would_be_ignored(tmp_path):
    with pytest.raises(RuntimeError, match="too late"):
        compile_cache.keep(tmp_path)


def explain(cache, *options):
    """What `fnn explain`, a short command that compiles, says with this folder named by the variable."""
    status, out, error = said("-m", "fnn.cli", "explain", XOR, *options, FNN_CACHE=cache)
    assert (status, bool(out)) == (0, True)
    return error


@pytest.mark.long
def test_programs_are_kept_by_default_and_a_damaged_one_is_compiled_again(tmp_path):
    cache = tmp_path / "cache"
    assert explain(cache) == ""
    assert {path.stat().st_mode & 0o777 for path in (cache, *cache.glob("*/"))} == {0o700}
    kept = programs(cache)
    assert kept
    for path in cache.glob("*/*-cache"):
        path.write_bytes(path.read_bytes()[:-40])
    error = explain(cache)
    assert error.count("\n") == 1
    assert "a compiled program cannot be read; it is compiled." in error
    assert programs(cache) == kept
    assert explain(cache) == ""


@pytest.mark.campaign
def test_no_programs_are_kept_where_the_user_says_so(tmp_path):
    assert explain(tmp_path / "cache", "--no-cache") == ""
    assert not (tmp_path / "cache").exists()
    assert explain("off") == explain("OFF") == ""


@pytest.mark.long
@pytest.mark.skipif(not hasattr(os, "getuid"), reason="this system has no owners of folders")
def test_a_cache_that_cannot_be_used_costs_one_line(tmp_path):
    (tmp_path / "open").mkdir()
    (tmp_path / "open").chmod(0o777)
    (tmp_path / "file").touch()
    for folder, reason in (("open", "others may write there"), ("file", "cannot be made")):
        error = explain(tmp_path / folder)
        assert error.count("\n") == 1
        assert error.startswith("fnn: compiled programs are not kept: ")
        assert reason in error
        assert error.endswith("FNN_CACHE=off turns this off.\n")


@pytest.mark.long
def test_a_folder_that_is_full_costs_one_line(tmp_path):
    program = (
        "import sys, pathlib; from fnn.cli import main; write = pathlib.Path.write_bytes\n"
        "def full(path, data):\n"
        "    if path.name.endswith('-cache'): raise OSError(28, 'No space left on device')\n"
        "    return write(path, data)\n"
        "pathlib.Path.write_bytes = full; sys.exit(main(sys.argv[1:]))"
    )
    status, _, error = said("-c", program, "explain", XOR, FNN_CACHE=tmp_path / "cache")
    assert (status, error.count("\n")) == (0, 1)
    assert "a compiled program cannot be kept; it is compiled." in error


@pytest.mark.campaign
def test_who_has_set_the_cache_of_jax_keeps_it(tmp_path):
    theirs = {"JAX_COMPILATION_CACHE_DIR": tmp_path / "theirs", "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": 0}
    status, *_ = said("-m", "fnn.cli", "explain", XOR, FNN_CACHE=tmp_path / "ours", **theirs)
    assert (status, (tmp_path / "ours").exists(), (tmp_path / "theirs").exists()) == (0, False, True)


def test_the_programs_used_longest_ago_go_first(tmp_path, monkeypatch):
    for number, name in enumerate(("b", "a", "c")):
        path = tmp_path / f"kind{number % 2}" / f"{name}-cache"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(bytes(100))
        os.utime(path, (number, number))
    assert compile_cache.kept(tmp_path) == (tmp_path, 3, 300)
    monkeypatch.setattr(compile_cache, "MOST_BYTES", 250)
    compile_cache._remove_oldest(tmp_path)
    assert programs(tmp_path) == ["a-cache", "c-cache"]
    compile_cache.empty(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_the_default_is_in_the_cache_folder_of_the_user(tmp_path, monkeypatch):
    monkeypatch.delenv("FNN_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(compile_cache.sys, "platform", "linux")
    assert compile_cache.default_folder() == tmp_path / "fnn" / "programs"
    monkeypatch.setenv("FNN_CACHE", "~/mine")
    assert compile_cache.default_folder() == Path.home() / "mine"


def test_the_doctor_says_where_programs_are_and_removes_them(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("FNN_CACHE", str(tmp_path))
    (tmp_path / "kind").mkdir()
    (tmp_path / "kind" / "jit_step-1-cache").write_bytes(bytes(2**20))
    assert doctor.programs().said == f"1 kept in {tmp_path}, 1.0 of 256 MB"
    assert main(["doctor", "--empty-cache"]) == 0
    assert capsys.readouterr().out == f"{tmp_path}: 1 compiled programs removed, 1.0 MB\n"
    assert doctor.programs().said == f"0 kept in {tmp_path}, 0.0 of 256 MB"
    monkeypatch.setenv("FNN_CACHE", "off")
    assert doctor.programs().said == "none are kept: FNN_CACHE=off"
    assert main(["doctor", "--empty-cache"]) == 0
