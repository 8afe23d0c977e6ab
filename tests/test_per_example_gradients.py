"""One gradient per example and its norm, against one example at a time."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import fnn
from fnn import CrossEntropy, Dense, Maxout, ReLU, Sigmoid, autodiff, backprop, per_example, per_example_norms
from tests.helpers.support import (
    COSTS,
    LAYERS,
    TOLERANCE,
    assert_trees_close,
    compiled,
    draw,
    draw_params,
    one_hot_rows,
)

NET = (Maxout(4, 3), ReLU(), Dense(5), Sigmoid(), Dense(2))


def point(net, n=6, n_in=3, n_out=2):
    (x,) = draw(1, (n, n_in))
    return draw_params(net, 0, (n_in,)), x, one_hot_rows(2, n, n_out)


def norms_of(gradients):
    return np.sqrt(
        sum((np.asarray(leaf).reshape(len(leaf), -1) ** 2).sum(axis=1) for leaf in jax.tree.leaves(gradients))
    )


@pytest.mark.parametrize("gradient", [backprop, autodiff])
def test_it_is_the_gradient_of_one_example_at_a_time(gradient):
    with jax.enable_x64(True):
        params, x, y = point(NET)
        values, gradients = compiled(per_example(gradient))(NET, CrossEntropy(), params, x, y)
        of_one = compiled(gradient)
        one = [of_one(NET, CrossEntropy(), params, x[i : i + 1], y[i : i + 1]) for i in range(len(x))]
        assert_trees_close((values, gradients), jax.tree.map(lambda *rows: jnp.stack(rows), *one))


def test_the_mean_is_the_gradient_of_the_batch_to_1e_14():
    with jax.enable_x64(True):
        params, x, y = point(NET, n=64)
        values, gradients = compiled(per_example(backprop))(NET, CrossEntropy(), params, x, y)
        value, gradient = compiled(backprop)(NET, CrossEntropy(), params, x, y)
        assert abs(values.mean() - value) <= 1e-14 * value
        for each, whole in zip(jax.tree.leaves(gradients), jax.tree.leaves(gradient), strict=True):
            assert np.abs(each.mean(axis=0) - whole).max() <= 1e-14 * max(np.abs(whole).max(), np.abs(each).max())


def both(*point):
    return per_example_norms(*point), per_example(autodiff)(*point)


@pytest.mark.parametrize(
    ("layer", "x64"), [*((layer, True) for layer in LAYERS), (LAYERS[0], False), (LAYERS[1], False)]
)
def test_the_norms_are_those_of_the_gradients(layer, x64):
    net = (Dense(5), layer, Dense(2))
    with jax.enable_x64(x64):
        params, x, y = point(net)
        norms, (_, gradients) = compiled(both)(net, CrossEntropy(), params, x, y)
        expected = norms_of(gradients)
        assert norms.dtype == x.dtype
        np.testing.assert_allclose(norms, expected, rtol=10 * TOLERANCE[x.dtype])


@pytest.mark.long
@pytest.mark.parametrize("cost", COSTS[:4], ids=repr)
def test_the_norms_hold_for_every_kind_of_cost_eagerly(cost):
    params, x, y = point(NET)
    expected = norms_of(compiled(per_example(backprop))(NET, cost, params, x, y)[1])
    np.testing.assert_allclose(per_example_norms(NET, cost, params, x, y), expected, rtol=1e-4)


@fnn.static
class Scale:
    """A layer from outside whose gradient is no outer product: `a * W`, the same W in every place of a grid."""

    def init(self, key, shape):
        return fnn.layers.DenseParams(jnp.ones(shape[-1]), jnp.zeros(())), shape

    def forward(self, params, a):
        return a * params.W[None, None, :] + params.b

    def backward(self, params, a, delta):
        nabla = fnn.layers.DenseParams((a * delta).sum(axis=(0, 1)), delta.sum())
        return nabla, delta * params.W[None, None, :]


@fnn.static
class Flat:
    def init(self, key, shape):
        return (), (shape[0] * shape[1],)

    def forward(self, params, a):
        return a.reshape(len(a), -1)

    def backward(self, params, a, delta):
        return (), delta.reshape(a.shape)


@fnn.static
class Thrice(Dense):
    """A subclass with a rule of its own: `z = a Wᵀ + 3 b`."""

    def forward(self, params, a):
        return Dense.forward(self, params._replace(b=3 * params.b), a)

    def backward(self, params, a, delta):
        nabla, before = Dense.backward(self, params, a, delta)
        return nabla._replace(b=3 * nabla.b), before


@pytest.mark.parametrize("net", [(Scale(), Flat(), Dense(2)), (Flat(), Thrice(2))], ids=repr)
def test_a_layer_whose_gradient_is_no_outer_product_is_right_too(net):
    params = draw_params(net, 0, (2, 3))
    (x,), y = draw(1, (4, 2, 3)), one_hot_rows(2, 4, 2)
    expected = norms_of(jax.jit(per_example(autodiff))(net, CrossEntropy(), params, x, y)[1])
    np.testing.assert_allclose(jax.jit(per_example_norms)(net, CrossEntropy(), params, x, y), expected, rtol=1e-5)


def test_a_net_without_parameters_has_gradients_of_length_0():
    assert per_example_norms((Sigmoid(),), CrossEntropy(), ((),), *draw(1, (3, 2), (3, 2))).tolist() == [0, 0, 0]


def test_the_gradients_of_dense_layers_are_not_formed():
    net = (Dense(40), Sigmoid(), Dense(2))
    params, x, y = point(net, n=50, n_in=30)
    text = jax.jit(per_example_norms).lower(net, CrossEntropy(), params, x, y).compile().as_text()
    assert "f32[50,40,30]" not in text
    assert "f32[50,1200]" not in text


@pytest.mark.long
@pytest.mark.parametrize("dtype", ["uint16", "int16", "float16"])
def test_the_norms_of_inputs_whose_squares_do_not_fit_their_dtype(dtype):
    net, x, y = (Dense(4), Sigmoid(), Dense(2)), np.arange(200, 230).reshape(5, 6), one_hot_rows(8, 5, 2)
    params = jax.tree.map(lambda leaf: leaf / 100, draw_params(net, 6, (6,)))
    wanted = per_example_norms(net, CrossEntropy(), params, jnp.asarray(x, "float32"), y)
    with jax.numpy_dtype_promotion("standard"):
        got = per_example_norms(net, CrossEntropy(), params, jnp.asarray(x, dtype), y)
    assert_trees_close(got, wanted)
