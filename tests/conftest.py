"""Strict settings for every test."""

import jax
import pytest


@pytest.fixture(autouse=True, scope="module")
def forget_programs():
    """Compiled programs of one file are of no use to the next, and a thousand of them take gigabytes."""
    yield
    jax.clear_caches()


@pytest.fixture(autouse=True)
def strict():
    """No silent broadcasting between ranks, no silent promotion of dtypes, and products of all bits, on GPUs too."""
    with (
        jax.numpy_rank_promotion("raise"),
        jax.numpy_dtype_promotion("strict"),
        jax.default_matmul_precision("highest"),
    ):
        yield
