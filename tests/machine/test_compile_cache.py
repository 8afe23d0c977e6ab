"""Compiled programs are kept where the user says, found again, and never in a folder that others may write."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from fnn.machine import compile_cache

XOR = Path(__file__).parents[2] / "configs" / "xor.toml"


def said(*arguments):
    """The status of this interpreter with these arguments, and what it says about errors."""
    environment = {name: value for name, value in os.environ.items() if name != "TF_CPP_MIN_LOG_LEVEL"}  # JAX's, here
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
