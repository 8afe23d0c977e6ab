"""A program computed by NumPy gives what XLA gives; what NumPy does not know is left to JAX."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from fnn import Conv, ConvPool, Dense, Flatten, Maxout, MaxPool, Softmax
from fnn.checking.in_numpy import in_numpy
from fnn.network import forward
from tests.helpers.random_functions import BINARY, UNARY
from tests.helpers.support import ACTIVATIONS, compiled, draw, draw_params

COMPILED = "/jax/core/compile/backend_compile_duration"
NETS = {
    "activations": (Dense(4), *ACTIVATIONS, Dense(3)),
    "pieces": (Maxout(4, 2), Softmax(), Maxout(3, 2)),
    "filters": (Conv(2, 3), MaxPool(2), ConvPool(3, 1, 1), Flatten(), Dense(3)),
}


def same(f, *arguments):
    found, right = in_numpy(f, *arguments), compiled(f)(*arguments)
    assert jax.tree.structure(found) == jax.tree.structure(right)
    for one, other in zip(jax.tree.leaves(found), jax.tree.leaves(right), strict=True):
        assert (one.shape, one.dtype) == (other.shape, other.dtype)
        np.testing.assert_allclose(one, other, rtol=1e-11, atol=1e-12)


def with_derivatives(f, *arguments):
    out, pull = jax.vjp(f, *arguments)
    return out, pull(jnp.cos(out))


@pytest.mark.parametrize("net", NETS.values(), ids=NETS)
def test_a_net_and_its_derivatives_by_hand_and_by_autodiff(net):
    def both(params, x):
        inputs = [x]
        for layer, p in zip(net, params, strict=True):
            inputs.append(layer.forward(p, inputs[-1]))
        delta, nablas = jnp.cos(inputs.pop()), []
        for layer, p, a in zip(reversed(net), reversed(params), reversed(inputs), strict=True):
            nabla, delta = layer.backward(p, a, delta)
            nablas.append(nabla)
        return nablas, delta, with_derivatives(lambda params, x: forward(net, params, x), params, x)

    shape = (1, 6, 6) if net is NETS["filters"] else (4,)
    with jax.enable_x64(True):
        same(both, draw_params(net, 0, shape), *draw(1, (5, *shape)))


@pytest.mark.parametrize("operations", [UNARY, BINARY], ids=["unary", "binary"])
def test_any_operation_and_its_derivative(operations):
    def f(*matrices):
        return sum(jnp.sin((k + 1.0) * first(*matrices)).sum() for k, (first, _) in enumerate(operations.values()))

    with jax.enable_x64(True):
        same(lambda *of: with_derivatives(f, *of), *draw(0, *[(4, 3)] * (1 if operations is UNARY else 2)))


def test_other_types_are_computed_by_jax():
    def f(x, n):
        return x.astype("float32") @ jnp.ones((3, 2), "float32"), n // 2, -n, (n > 3) & (n < 7), x.astype("int32")

    with jax.enable_x64(True):
        same(f, draw(0, (1, 3))[0], jnp.array([[-3, 4, 9]]))


def test_nan_and_infinity_pass_without_a_word(recwarn):
    with jax.enable_x64(True):
        x = jnp.array([np.nan, np.inf, -np.inf, 0.0, -1.0])
        same(lambda x: (x.max(), jnp.log(x), 1 / x, jnp.sqrt(x), jnp.maximum(x, 0), jax.nn.sigmoid(x), jnp.sign(x)), x)
    assert not recwarn.list


def test_nothing_is_compiled_for_a_net(programs):
    net = NETS["pieces"]
    with jax.enable_x64(True):
        params, (x,) = draw_params(net, 0, (4,)), draw(1, (5, 4))
        before = programs[COMPILED]
        in_numpy(lambda *of: with_derivatives(lambda params, x: forward(net, params, x), *of), params, x)
        assert programs[COMPILED] == before
