"""Examples: what a mini-batch is read as."""

import jax
import jax.numpy as jnp
import numpy as np

from fnn import Examples


def test_rows_have_one_dtype_whatever_the_scale():
    x, y = np.ones((3, 2), np.uint8), np.ones((3, 1), np.uint8)
    for scale in (1 / 255, np.float64(1 / 255), np.float32(1 / 255)):
        assert {part.dtype.name for part in Examples(x, y, scale).rows(slice(2))} == {"float32"}
        half = Examples(jnp.asarray(x, "bfloat16"), y, scale)
        with jax.numpy_dtype_promotion("standard"):
            assert {part.dtype.name for part in half.rows(slice(2))} == {"bfloat16"}
