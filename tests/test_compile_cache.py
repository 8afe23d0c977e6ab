"""Compiled programs are kept where the user says, found again, and never in a folder that others may write."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from fnn import compile_cache

XOR = Path(__file__).parents[1] / "configs" / "xor.toml"


def fnn(*arguments):
    command = [sys.executable, "-m", "fnn.cli", *map(str, arguments)]
    environment = {name: value for name, value in os.environ.items() if name != "TF_CPP_MIN_LOG_LEVEL"}  # JAX's, here
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)  # noqa: S603 (ours)
    return done.returncode, done.stderr


def run(folder, cache):
    assert fnn("run", XOR, "--set", "training.epochs=2", "--out", folder, "--cache", cache) == (0, "")
    (params,) = folder.glob("*/params.npz")
    return params.read_bytes()


def test_a_second_run_finds_its_programs_and_ends_with_the_same_bytes(tmp_path):
    cache = tmp_path / "cache"
    first = run(tmp_path / "first", cache)
    kept = programs(cache)
    assert len(kept) > 5
    assert run(tmp_path / "second", cache) == first
    assert programs(cache) == kept


def programs(cache):
    """The names of the kept programs; the times of their last use, which JAX keeps beside them, left out."""
    return sorted(path.name for path in cache.glob("*/*") if not path.name.endswith("-atime"))


@pytest.mark.skipif(not hasattr(os, "getuid"), reason="this system has no owners of folders")
def test_a_folder_that_others_may_write_is_refused(tmp_path):
    tmp_path.chmod(0o777)
    status, error = fnn("run", XOR, "--cache", tmp_path)
    assert status == 2
    assert error.count("\n") == 1
    assert "mode drwxrwxrwx" in error


def test_a_cache_after_jax_is_imported_would_be_ignored(tmp_path):
    with pytest.raises(RuntimeError, match="too late"):
        compile_cache.keep(tmp_path)
