"""The state of an optimiser is kept bit for bit, whatever tree it is."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from fnn import CorruptFileError
from fnn.runs import optimizer_states


class Moments(NamedTuple):
    count: Any
    mean: Any


STATES = {
    "an array": jnp.arange(3.0),
    "a tuple of tuples": ((), (jnp.ones((2, 3)), jnp.zeros(2, jnp.int32))),
    "a count and moments": Moments(jnp.int32(7), {"W": jnp.full((2, 2), 1e-30), "b": jnp.ones(2, jnp.float16)}),
}


@pytest.mark.parametrize("v", STATES.values(), ids=STATES)
def test_a_state_is_read_as_it_was_written(v, tmp_path):
    assert list(optimizer_states.write(tmp_path, v)) == ["optimizer.npz"]
    again = optimizer_states.read(tmp_path, jax.tree.map(jnp.zeros_like, v))
    assert jax.tree.structure(again) == jax.tree.structure(v)
    for a, b in zip(jax.tree.leaves(again), jax.tree.leaves(v), strict=True):
        assert (a.dtype, a.shape) == (b.dtype, b.shape)
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("v", [(), ((), ()), {"key": jax.random.key(0)}], ids=["nothing", "no arrays", "a key"])
def test_what_is_no_arrays_is_not_kept(v, tmp_path):
    assert optimizer_states.write(tmp_path, v) == {}
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("other", [jnp.zeros(4), jnp.zeros(3, jnp.int32), (jnp.zeros(3),)])
def test_the_state_of_another_optimiser_is_refused(other, tmp_path):
    optimizer_states.write(tmp_path, jnp.arange(3.0))
    with pytest.raises(CorruptFileError, match=r"optimizer\.npz"):
        optimizer_states.read(tmp_path, other)
