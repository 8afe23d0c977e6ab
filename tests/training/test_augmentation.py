"""The five places of an image."""

import jax
import jax.numpy as jnp
import numpy as np

import fnn
from fnn.training.augmentation import Shifted
from tests.helpers.support import assert_trees_close


def test_every_image_is_seen_in_five_places():
    images = np.random.default_rng(0).integers(1, 256, (3, 2, 4, 5), np.uint8)
    shifted = Shifted(fnn.Examples(jnp.asarray(images), jnp.eye(3, dtype=jnp.uint8), 1 / 255))
    assert (shifted.n, shifted.shape) == (15, (2, 4, 5))
    x, y = jax.jit(lambda i: shifted.rows(i))(jnp.arange(15))
    assert y.argmax(axis=1).tolist() == [k // 5 for k in range(15)]
    for i, image in enumerate(images.astype(np.float32) / np.float32(255)):
        expected = np.zeros((5, 2, 4, 5), np.float32)
        expected[0] = image
        expected[1][:, :-1] = image[:, 1:]  # up
        expected[2][:, 1:] = image[:, :-1]  # down
        expected[3][:, :, :-1] = image[:, :, 1:]  # left
        expected[4][:, :, 1:] = image[:, :, :-1]  # right
        assert_trees_close(x[5 * i : 5 * i + 5], jnp.asarray(expected))


def test_an_epoch_uses_every_place_once():
    def count(net, cost, params, x, y):
        return jnp.zeros(()), ({"W": -x.sum(axis=(0, 1))},)

    images = jnp.zeros((4, 1, 3, 3)).at[:, :, 1, 1].set(1)
    shifted = Shifted(fnn.Examples(images, jnp.zeros((4, 1))))
    params, sgd = ({"W": jnp.zeros((3, 3))},), fnn.SGD(1.0)
    args = (fnn.Dense(1),), fnn.CrossEntropy(), sgd, params, (), shifted, jax.random.key(0)
    ((seen,), _) = fnn.epoch(*args, batch_size=3, gradient=count)
    assert seen["W"].tolist() == [[0, 4, 0], [4, 4, 4], [0, 4, 0]]
