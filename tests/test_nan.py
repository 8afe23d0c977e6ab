"""nan stays nan: no layer turns it into a number, forwards, by either gradient, or in the form of the definitions."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import fnn
from fnn import Conv, ConvPool, CrossEntropy, Dense, Flatten, LogLikelihood, Maxout, MaxPool, Quadratic, ReLU, Softmax
from fnn.kernels import definitions, pooling
from tests.helpers.support import ACTIVATIONS, LAYERS, draw, draw_params

IMAGES = (Conv(2, 2), MaxPool(2), ConvPool(2, 3, 2))


@pytest.mark.parametrize("layer", ACTIVATIONS, ids=repr)
@pytest.mark.parametrize("other", [0.0, -1.0, 2.0, jnp.inf, -jnp.inf])
def test_an_activation_of_nan_is_nan_and_of_no_number_beside_it(layer, other):
    a = layer.forward((), jnp.array([[jnp.nan, other]]))
    assert jnp.isnan(a[0, 0])
    if not isinstance(layer, Softmax):  # there every output depends on every input
        assert jnp.isnan(a[0, 1]) == jnp.isnan(layer.forward((), jnp.array([[other, other]]))[0, 1])


@pytest.mark.long
@pytest.mark.parametrize("layer", LAYERS, ids=repr)
def test_a_row_with_a_hole_has_no_output_and_the_others_have(layer):
    (params,) = draw_params((layer,), 0, (3,))
    x = np.array(draw(1, (4, 3))[0])
    x[2, 1] = np.nan
    outputs = np.asarray(jax.jit(layer.forward)(params, x))
    assert np.isnan(outputs[2]).any()
    assert not np.isnan(outputs[[0, 1, 3]]).any()


@pytest.mark.long
@pytest.mark.parametrize("layer", IMAGES, ids=repr)
@pytest.mark.parametrize("pixel", [(0, 0), (0, 1), (1, 0), (1, 1), (3, 3)])
def test_a_pixel_that_is_nan_is_seen_wherever_it_stands_in_its_square(layer, pixel):
    (params,) = draw_params((layer,), 0, (1, 4, 4))
    a = np.array(draw(2, (3, 1, 4, 4))[0])
    a[(1, 0, *pixel)] = np.nan
    outputs = np.asarray(jax.jit(layer.forward)(params, a))
    assert np.isnan(outputs[1]).any()
    assert not np.isnan(outputs[[0, 2]]).any()


@functools.cache
def pooling_of(module):
    """The maximum of squares of 2 x 2, its derivative by hand, and by autodiff: one program for all holes."""
    ones = np.ones((1, 1, 1, 1), np.float32)
    slope = jax.grad(lambda a: module.max_pool(a, 2).sum())
    return jax.jit(lambda a: (module.max_pool(a, 2), module.max_pool_backward(a, 2, ones), slope(a)))


@pytest.mark.parametrize("holes", [[0], [3], [1, 2], [0, 3], [0, 1, 2, 3]])
def test_the_first_nan_of_a_square_takes_the_derivative_by_hand_and_by_autodiff(holes):
    a = np.array([5, 7, 6, 8], np.float32)
    a[holes] = np.nan
    a = a.reshape(1, 1, 2, 2)
    first = np.zeros(4)
    first[holes[0]] = 1
    for module in (definitions, pooling):
        z, by_hand, automatic = pooling_of(module)(a)
        assert np.isnan(z).all()
        np.testing.assert_array_equal(by_hand.ravel(), first)
        np.testing.assert_array_equal(automatic.ravel(), first)


NETS = [(Dense(4), layer, Dense(2)) for layer in (*ACTIVATIONS, Maxout(3))]
NETS += [(*layers, Flatten(), Dense(2)) for layers in ((Conv(2, 2),), (MaxPool(2),), (ConvPool(2, 3, 2), ReLU()))]


OTHERS = [pytest.param(cost, marks=pytest.mark.long) for cost in (CrossEntropy(), Quadratic())]


@pytest.mark.parametrize("cost", [LogLikelihood(), *OTHERS], ids=repr)
@pytest.mark.parametrize("net", NETS, ids=repr)
def test_a_hole_in_the_inputs_reaches_the_cost_and_both_gradients(net, cost):
    shape = (1, 4, 4) if isinstance(net[0], IMAGES_TYPES) else (3,)
    params = draw_params(net, 0, shape)
    x = np.array(draw(3, (4, *shape))[0])
    x[(1, *(0 for _ in shape))] = np.nan
    y = np.eye(2, dtype=x.dtype)[[0, 1, 0, 1]]
    both = jax.jit(lambda *point: [gradient(net, cost, *point) for gradient in (fnn.backprop, fnn.autodiff)])
    for value, slopes in both(params, x, y):
        assert np.isnan(value)
        assert any(np.isnan(leaf).any() for leaf in jax.tree.leaves(slopes))


IMAGES_TYPES = (Conv, MaxPool, ConvPool)


@pytest.mark.parametrize("leaf", ["W", "b"])
def test_a_weight_that_is_nan_is_seen_in_every_output(leaf):
    net = (Dense(6), ReLU(), Dense(2))
    first, *others = draw_params(net, 0, (3,))
    hole = np.array(getattr(first, leaf))
    hole[0] = np.nan
    outputs = jax.jit(fnn.predict)(net, LogLikelihood(), (first._replace(**{leaf: hole}), *others), draw(4, (5, 3))[0])
    assert np.isnan(outputs).all()
