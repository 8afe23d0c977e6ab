"""Patches as columns of a matrix, and back onto the images."""

import jax
import pytest

from fnn.kernels.im2col import col2im, im2col
from tests.helpers.support import assert_trees_close, compiled, draw


@pytest.mark.parametrize(
    ("shape", "size", "stride", "groups"),
    [
        ((2, 3, 7, 8), 3, 2, 1),  # the last column of pixels is in no patch
        ((2, 1, 9, 8), 3, 1, 2),
        ((3, 2, 6, 9), 3, 3, 1),
        ((2, 1, 14, 15), 2, 2, 2),
        ((2, 1, 16, 17), 4, 3, 2),
        ((2, 2, 11, 8), 2, 3, 2),  # strides leave pixels out between patches
    ],
)
def test_col2im_is_the_transpose_of_im2col(shape, size, stride, groups):
    def reverses(a, delta):
        _, transpose = jax.vjp(lambda a: im2col(a, size, stride), a)
        return col2im(delta, shape, size, stride), *transpose(delta)

    (a,) = draw(0, shape)
    x = jax.eval_shape(lambda: im2col(a, size, stride))
    assert x.shape[0] == groups
    assert_trees_close(*compiled(reverses)(a, *draw(1, x.shape)))
