"""Examples: what rows of them are read as."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from fnn.examples import Examples


@pytest.mark.parametrize("i", [slice(1, 3), np.array([2, 0])], ids=["slice", "numbers"])
@pytest.mark.parametrize("dtype", [np.uint8, np.float32], ids=["uint8", "float32"])
def test_rows_are_scaled_and_float32_in_numpy_and_traced(i, dtype):
    examples = Examples(np.arange(6, dtype=dtype).reshape(3, 2), np.eye(3, dtype=np.uint8), 0.5)
    x, y = examples.rows(i)
    assert (x.dtype, y.dtype) == (np.float32, np.float32)
    assert np.array_equal(x, np.arange(6).reshape(3, 2)[i] / 2)
    assert np.array_equal(y, np.eye(3)[i])
    traced = jax.jit(lambda examples: examples.rows(i))(jax.device_put(examples))
    assert all(np.array_equal(a, b) and a.dtype == b.dtype for a, b in zip(traced, (x, y), strict=True))
    assert (examples.n, examples.shape) == (3, (2,))


@pytest.mark.parametrize("dtype", [jnp.bfloat16, np.float16, np.float64], ids=["bfloat16", "float16", "float64"])
def test_floating_rows_keep_their_dtype(dtype):
    with jax.enable_x64(True):
        x, y = Examples(jnp.ones((3, 2), dtype), jnp.ones((3, 1), jnp.uint8)).rows(slice(2))
    assert x.dtype == y.dtype == dtype


def test_rows_have_one_dtype_whatever_the_scale():
    x, y = np.ones((3, 2), np.uint8), np.ones((3, 1), np.uint8)
    for scale in (1 / 255, np.float64(1 / 255), np.float32(1 / 255)):
        assert {part.dtype.name for part in Examples(x, y, scale).rows(slice(2))} == {"float32"}
        half = Examples(jnp.asarray(x, "bfloat16"), y, scale)
        with jax.numpy_dtype_promotion("standard"):
            assert {part.dtype.name for part in half.rows(slice(2))} == {"bfloat16"}
