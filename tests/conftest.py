"""Strict settings for every test."""

import contextlib
import functools
import io
import os
import shutil

os.environ["JAX_DEFAULT_MATMUL_PRECISION"] = "highest"  # all bits of a product, on GPUs too, and in processes of tests
os.environ["SCIPY_ARRAY_API"] = "1"  # for a check of scikit-learn's, which it else skips; read when scipy is imported
os.environ["FNN_CACHE"] = "off"  # the user's own folder: the tests have one of theirs

from collections import Counter
from pathlib import Path

import jax
import jax.monitoring
import pytest

from fnn import cli
from fnn.plots import curves
from tests.helpers.configs import GOOD, GRID

COMPILED = "/jax/core/compile/backend_compile_duration"
MOST_PROGRAMS = 1000  # that a process of tests keeps


@pytest.fixture(autouse=True, scope="session")
def devices():
    """All are in use from the start, or `fnn sweep` would change their number for the tests that follow."""
    jax.devices()


@pytest.fixture(scope="session")
def programs():
    """A counter of the programs that XLA has compiled."""
    compiled = Counter()

    def count(event, seconds, **_):
        compiled[event] += 1

    jax.monitoring.register_event_duration_secs_listener(count)
    return compiled


@pytest.fixture(autouse=True, scope="module")
def forget_programs(programs):
    """The next file uses many of the same programs; but a thousand of them take two gigabytes."""
    yield
    if programs[COMPILED] > MOST_PROGRAMS:
        jax.clear_caches()
        programs.clear()


@pytest.fixture(autouse=True)
def strict():
    """No silent broadcasting between ranks, no silent promotion of dtypes."""
    with jax.numpy_rank_promotion("raise"), jax.numpy_dtype_promotion("strict"):
        yield


@pytest.fixture
def no_pictures(monkeypatch):
    """As if matplotlib were not installed."""
    monkeypatch.setattr(curves, "available", lambda: False)


@pytest.fixture
def config(tmp_path):
    """The path of a config that trains in a second."""
    path = tmp_path / "good.toml"
    path.write_text(GOOD)
    return str(path)


@pytest.fixture
def grid(tmp_path):
    """The path of a config with a sweep of eight networks."""
    path = tmp_path / "grid.toml"
    path.write_text(GRID)
    return str(path)


@pytest.fixture(scope="session")
def run_once(tmp_path_factory):
    """The directory of the finished run of a config's text, with pictures or without; each is trained once."""

    @functools.cache
    def directory(text, pictures):
        folder = tmp_path_factory.mktemp("once")
        (folder / "good.toml").write_text(text)
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            assert cli.main(["run", str(folder / "good.toml"), "--out", str(folder / "runs")]) == 0
        return next((folder / "runs").iterdir())

    return directory


@pytest.fixture
def finished(config, run_once, tmp_path):
    """The directory of a finished run of `config`, which the test may change."""
    run = run_once(Path(config).read_text(), curves.available())
    return shutil.copytree(run, tmp_path / "runs" / run.name)
