"""Strict settings for every test."""

import os

os.environ["JAX_DEFAULT_MATMUL_PRECISION"] = "highest"  # all bits of a product, on GPUs too, and in processes of tests

import jax
import pytest


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
