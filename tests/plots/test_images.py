"""Which arrays are pictures, and of what size."""

import numpy as np
import pytest

from fnn.layers import DenseParams
from fnn.plots import images


@pytest.mark.parametrize(
    ("W", "shown"),
    [((3, 16), (3, 4, 4)), ((2, 3, 16), (6, 4, 4)), ((5, 2, 3, 3), (5, 3, 3)), ((3, 15), (0, 1, 1))],
    ids=["Dense", "Maxout", "Conv", "no square"],
)
def test_every_unit_of_the_first_layer_is_a_picture(W, shown):
    params = (), DenseParams(np.ones(W), np.zeros(W[:-1])), DenseParams(np.zeros((2, 16)), np.zeros(2))
    assert images.first_weights(params, (4, 4)).shape == shown
