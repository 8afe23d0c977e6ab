"""nan stays nan: no layer turns it into a number, forwards, by either gradient, or in the form of the definitions."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import fnn
from fnn import Conv, ConvPool, CrossEntropy, Dense, Flatten, LogLikelihood, Maxout, MaxPool, Quadratic, ReLU, Softmax
from fnn.kernels import definitions, pooling
from tests.helpers.support import ACTIVATIONS, LAYERS, draw

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
    params, _ = layer.init(jax.random.key(0), (3,))
    x = draw(1, (4, 3))[0].at[2, 1].set(jnp.nan)
    outputs = layer.forward(params, x)
    assert jnp.isnan(outputs[2]).any()
    assert not jnp.isnan(outputs[jnp.array([0, 1, 3])]).any()


@pytest.mark.long
@pytest.mark.parametrize("layer", IMAGES, ids=repr)
@pytest.mark.parametrize("pixel", [(0, 0), (0, 1), (1, 0), (1, 1), (3, 3)])
def test_a_pixel_that_is_nan_is_seen_wherever_it_stands_in_its_square(layer, pixel):
    params, _ = layer.init(jax.random.key(0), (1, 4, 4))
    a = draw(2, (3, 1, 4, 4))[0].at[(1, 0, *pixel)].set(jnp.nan)
    outputs = layer.forward(params, a)
    assert jnp.isnan(outputs[1]).any()
    assert not jnp.isnan(outputs[jnp.array([0, 2])]).any()


@pytest.mark.parametrize("holes", [[0], [3], [1, 2], [0, 3], [0, 1, 2, 3]])
def test_the_first_nan_of_a_square_takes_the_derivative_by_hand_and_by_autodiff(holes):
    a = jnp.array([5.0, 7.0, 6.0, 8.0]).at[jnp.array(holes)].set(jnp.nan).reshape(1, 1, 2, 2)
    first = np.zeros(4)
    first[holes[0]] = 1
    for module in (definitions, pooling):
        assert jnp.isnan(module.max_pool(a, 2)).all()
        by_hand = module.max_pool_backward(a, 2, jnp.ones((1, 1, 1, 1)))
        automatic = jax.grad(lambda a, module=module: module.max_pool(a, 2).sum())(a)
        np.testing.assert_array_equal(by_hand.ravel(), first)
        np.testing.assert_array_equal(automatic.ravel(), first)


NETS = [(Dense(4), layer, Dense(2)) for layer in (*ACTIVATIONS, Maxout(3))]
NETS += [(*layers, Flatten(), Dense(2)) for layers in ((Conv(2, 2),), (MaxPool(2),), (ConvPool(2, 3, 2), ReLU()))]


OTHERS = [pytest.param(cost, marks=pytest.mark.long) for cost in (CrossEntropy(), Quadratic())]


@pytest.mark.parametrize("cost", [LogLikelihood(), *OTHERS], ids=repr)
@pytest.mark.parametrize("net", NETS, ids=repr)
def test_a_hole_in_the_inputs_reaches_the_cost_and_both_gradients(net, cost):
    shape = (1, 4, 4) if isinstance(net[0], IMAGES_TYPES) else (3,)
    params = fnn.init(net, jax.random.key(0), shape)
    x = draw(3, (4, *shape))[0]
    x, y = x.at[(1, *(0 for _ in shape))].set(jnp.nan), jnp.eye(2)[jnp.array([0, 1, 0, 1])]
    for gradient in (fnn.backprop, fnn.autodiff):
        value, slopes = gradient(net, cost, params, x, y)
        assert jnp.isnan(value)
        assert any(jnp.isnan(leaf).any() for leaf in jax.tree.leaves(slopes))


IMAGES_TYPES = (Conv, MaxPool, ConvPool)


@pytest.mark.parametrize("leaf", ["W", "b"])
def test_a_weight_that_is_nan_is_seen_in_every_output(leaf):
    net = (Dense(6), ReLU(), Dense(2))
    first, *others = fnn.init(net, jax.random.key(0), (3,))
    broken = first._replace(**{leaf: getattr(first, leaf).at[0].set(jnp.nan)})
    assert jnp.isnan(fnn.predict(net, LogLikelihood(), (broken, *others), draw(4, (5, 3))[0])).all()
