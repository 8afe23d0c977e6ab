"""Layers: backward is the transpose of forward's derivative, and wrong rules are rejected."""

import jax
import jax.numpy as jnp
import pytest

import fnn
from fnn import Dense, Maxout, ReLU, Sigmoid
from tests.helpers.support import LAYERS, assert_trees_close, compiled, draw, draw_params

X64 = pytest.mark.parametrize("x64", [False, True], ids=["float32", "float64"])


def check_layer(layer, wrap=compiled):
    (params,) = draw_params((layer,), 0, (3,))
    a, delta = draw(1, (5, 3), (5, *fnn.shape_out((layer,), (3,))))
    both = wrap(lambda *x: (layer.backward(*x), jax.vjp(layer.forward, *x[:2])[1](x[2])))
    assert_trees_close(*both(params, a, delta))


@pytest.mark.parametrize(("x64", "wrap"), [(True, compiled), (False, jax.jit)], ids=["float64", "float32-jit"])
@pytest.mark.parametrize("layer", LAYERS, ids=repr)
def test_backward_is_the_transpose_of_the_derivative(layer, x64, wrap):
    with jax.enable_x64(x64):
        check_layer(layer, wrap)


@pytest.mark.parametrize("layer", LAYERS, ids=repr)
def test_init_promises_the_shape_of_forward(layer):
    (params,) = draw_params((layer,), 0, (3,))
    assert jax.eval_shape(layer.forward, params, draw(1, (5, 3))[0]).shape == (5, *fnn.shape_out((layer,), (3,)))


@fnn.static
class ForgetsPrime(Sigmoid):
    """A planted bug: σ′ is missing."""

    def backward(self, params, a, delta):
        return (), delta


@fnn.static
class SecondWinner(Maxout):
    """A planted bug: the derivative goes to the last of the winning pieces."""

    def backward(self, params, a, delta):
        nabla, delta_prev = super().backward(params, a, delta)
        return nabla._replace(W=nabla.W[::-1]), delta_prev


@fnn.static
class TransposedDense(Dense):
    """A planted bug: `W` instead of `Wᵀ`, with a square matrix so that the shapes fit."""

    def backward(self, params, a, delta):
        return super().backward(params, a, delta)[0], delta @ params.W.T


@fnn.static
class HalfBias(Dense):
    """A planted bug: the bias gets the mean of delta, not its sum."""

    def backward(self, params, a, delta):
        nabla, delta_prev = super().backward(params, a, delta)
        return nabla._replace(b=delta.mean(axis=0)), delta_prev


@pytest.mark.parametrize("layer", [ForgetsPrime(), SecondWinner(3), TransposedDense(3), HalfBias(4)], ids=repr)
def test_the_check_rejects_a_wrong_rule(layer):
    with pytest.raises(AssertionError):
        check_layer(layer)


@X64
def test_relu_like_kinks_give_one_side_by_both_routes(x64):
    with jax.enable_x64(x64):
        zero, one = jnp.zeros((1, 1)), jnp.ones((1, 1))
        for layer, side in ((ReLU(), 0.0), (fnn.LeakyReLU(0.3), 0.3), (fnn.Step(), 0.0)):
            _, by_hand = layer.backward((), zero, one)
            assert (
                by_hand[0, 0] == jax.grad(lambda z, f=layer.f: f(z).sum())(zero)[0, 0] == jnp.asarray(side, zero.dtype)
            )


@pytest.mark.long
def test_tied_maxout_pieces_give_everything_to_the_first():
    layer = Maxout(1, 3)
    params = jax.tree.map(lambda p: jnp.ones_like(p), layer.init(jax.random.key(0), (2,))[0])
    a, delta = jnp.array([[2.0, 3.0]]), jnp.ones((1, 1))
    nabla, _ = layer.backward(params, a, delta)
    assert nabla.b.tolist() == [[1.0], [0.0], [0.0]]
    assert_trees_close(layer.backward(params, a, delta), jax.vjp(layer.forward, params, a)[1](delta))
