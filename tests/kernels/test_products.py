"""The products of the layers, in pieces where that is faster, against the plain ones."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import fnn
from fnn import Dense, Maxout, Sigmoid, autodiff, backprop, layers
from tests.helpers.support import assert_trees_close, draw, draw_params, one_hot_rows

X64 = pytest.mark.parametrize("x64", [False, True], ids=["float32", "float64"])


@X64
@pytest.mark.parametrize("n", [8, 9, 10, 13])
def test_a_product_in_pieces_is_the_product_with_all_its_derivatives(n, x64):
    with jax.enable_x64(x64):
        W, a, dW, da, delta, delta_again = draw(5, (4, 3), (n, 3), (4, 3), (n, 3), (4, n), (4, n))

        def all_of(product):
            z, forwards = jax.jvp(product, (W, a), (dW, da))

            def backwards(W, a):
                return jax.vjp(product, W, a)[1](delta)

            second = jax.vjp(backwards, W, a)[1]((dW, da))
            several = jax.vmap(product)(jnp.stack([W, dW]), jnp.stack([a, da]))
            onto_one = jax.grad(lambda W: (product(W, a) * delta_again).sum())(W)  # a alone stands still
            return z, forwards, backwards(W, a), second, several, onto_one

        assert_trees_close(all_of(layers.cut), all_of(lambda W, a: W @ a.T))


@pytest.mark.parametrize("net", [(Dense(30), Sigmoid(), Dense(3)), (Maxout(15), Dense(3))], ids=repr)
@pytest.mark.parametrize("n", [9, 10])
def test_backprop_is_autodiff_and_its_slopes_where_products_are_in_pieces(net, n, pieces):
    with jax.enable_x64(True):
        params, (x,), y = draw_params(net, 6, (200,)), draw(7, (n, 200)), one_hot_rows(8, n, 3)
        by_hand, automatic = (f(net, fnn.CrossEntropy(), params, x, y) for f in (backprop, autodiff))
        assert set(pieces) == {n}
        assert_trees_close(by_hand, automatic)
        along = jax.tree.map(lambda leaf: draw(9, leaf.shape)[0], params)
        ends = (jax.tree.map(lambda p, d, h=h: p + h * d, params, along) for h in (1e-6, -1e-6))
        high, low = (backprop(net, fnn.CrossEntropy(), end, x, y)[0] for end in ends)
        slope = sum(jax.tree.leaves(jax.tree.map(lambda g, d: (g * d).sum(), by_hand[1], along)))
        assert float((high - low) / 2e-6) == pytest.approx(float(slope), rel=1e-6)


def test_products_of_several_networks_are_whole():
    W, a = draw(10, (2, 4, 3), (2, 10, 3))

    def products(f, *args):
        return jax.jit(f).lower(*args).as_text().count("stablehlo.dot_general")

    assert products(layers.cut, W[0], a[0]) == 3
    assert products(jax.vmap(layers.cut), W, a) == products(jax.vmap(layers.cut, (0, None)), W, a[0]) == 1
    one = jax.vmap(layers.cut, (0, None))(W, a[0])
    assert_trees_close(one, jnp.stack([layers.cut(w, a[0]) for w in W]))


def test_rules_of_products_in_pieces_are_traced_once_outside_of_a_program(pieces):
    W, b, a = draw(11, (30, 200), (30,), (9, 200))
    for _ in range(3):
        layers.affine(W, b, a)
    assert pieces == [9]


@pytest.mark.parametrize("dtype", ["uint8", "int32", "bool", "bfloat16"])
def test_products_in_pieces_take_every_kind_of_number(dtype, pieces):
    net, y = (Dense(30), Sigmoid(), Dense(3)), one_hot_rows(8, 9, 3)
    params, x = draw_params(net, 6, (200,)), np.random.default_rng(7).integers(0, 2, (9, 200))
    with jax.numpy_dtype_promotion("standard"):  # conftest asks for the strict one
        for gradient in (backprop, autodiff):
            got = gradient(net, fnn.CrossEntropy(), params, x.astype(jnp.dtype(dtype)), y)
            assert_trees_close(got, gradient(net, fnn.CrossEntropy(), params, x.astype("float32"), y))
    assert set(pieces) == {9}


@pytest.fixture
def pieces(monkeypatch):
    """How many rows each product had that was computed in pieces, as on a CPU wherever the tests run."""
    seen, real = [], layers.cut
    monkeypatch.setattr(layers, "cut", lambda W, a: seen.append(len(a)) or real(W, a))
    monkeypatch.setattr(jax, "default_backend", lambda: "cpu")
    return seen


@pytest.mark.parametrize(
    ("n", "units", "n_in", "backend", "expected"),
    [
        (9, 25, 200, "cpu", [9]),
        (10, 250, 200, "cpu", [10]),
        (8, 25, 200, "cpu", []),
        (11, 25, 200, "cpu", []),
        (1, 25, 200, "cpu", []),
        (10, 24, 200, "cpu", []),
        (10, 251, 200, "cpu", []),
        (10, 25, 200, "gpu", []),
    ],
)
def test_products_are_in_pieces_where_that_is_faster(n, units, n_in, backend, expected, pieces, monkeypatch):
    monkeypatch.setattr(jax, "default_backend", lambda: backend)
    params, rows = (jax.ShapeDtypeStruct(shape, "float32") for shape in ((units, n_in), (n, n_in)))
    jax.eval_shape(lambda W, a: layers.affine(W, jnp.zeros(units), a), params, rows)
    assert pieces == expected
