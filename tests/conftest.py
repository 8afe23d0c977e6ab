"""Strict settings for every test."""

import os

os.environ["JAX_DEFAULT_MATMUL_PRECISION"] = "highest"  # all bits of a product, on GPUs too, and in processes of tests

import jax
import pytest

from fnn import cli


@pytest.fixture(autouse=True, scope="module")
def forget_programs():
    """Compiled programs of one file are of no use to the next, and a thousand of them take gigabytes."""
    yield
    jax.clear_caches()


@pytest.fixture(autouse=True)
def strict():
    """No silent broadcasting between ranks, no silent promotion of dtypes."""
    with jax.numpy_rank_promotion("raise"), jax.numpy_dtype_promotion("strict"):
        yield


@pytest.fixture
def finished(config, tmp_path, capsys):
    """The directory of a finished run of the file's own `config`."""
    assert cli.main(["run", config, "--out", str(tmp_path / "runs")]) == 0
    capsys.readouterr()
    return next((tmp_path / "runs").iterdir())
