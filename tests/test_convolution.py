"""Convolution and pooling against autodiff, finite differences, loops over indices, and the compiler's own."""

import functools
import itertools
import math
import re

import jax
import jax.flatten_util
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import fnn
from fnn import SGD, CrossEntropy, Dense, Examples, Glorot, LogLikelihood, ReLU, Sigmoid, Zeros, autodiff, backprop
from fnn.convolution import Conv, ConvParams, ConvPool, Flatten, MaxPool
from fnn.kernels.im2col import apart, im2col
from tests.helpers.support import assert_trees_close, compiled, draw, draw_params, one_hot_rows

# rectangular images, one and several channels, sizes of 1, few and many patches per image
CASES = [
    (Conv(3, 3), (2, 7, 6)),
    (Conv(2, 1), (3, 4, 5)),
    (Conv(2, 4), (1, 4, 5)),
    (MaxPool(1), (2, 3, 4)),
    (MaxPool(2), (2, 4, 6)),
    (MaxPool(3), (1, 6, 9)),
    (ConvPool(3, 3, 2), (1, 14, 12)),
    (ConvPool(2, 3, 2), (5, 6, 8)),
    (ConvPool(2, 4, 3), (2, 9, 6)),
    (ConvPool(2, 1, 2), (3, 4, 6)),
    (ConvPool(2, 3, 1), (2, 5, 4)),
    (ConvPool(2, 2, 3), (1, 4, 7)),
    (Flatten(), (2, 3, 4)),
]
EVERY = pytest.mark.parametrize(("layer", "shape"), CASES, ids=repr)
NETS = [
    ((Conv(2, 3), ReLU(), MaxPool(2), Flatten(), Dense(3)), (1, 6, 8)),
    ((ConvPool(2, 3, 2), Sigmoid(), ConvPool(3, 2, 1), Sigmoid(), Flatten(), Dense(4), Sigmoid(), Dense(3)), (2, 8, 6)),
]


def case(layer, shape, n=3, seed=0):
    """Params, a batch, a delta: standard normal."""
    (params,) = draw_params((layer,), seed, shape)
    (a,) = draw(seed + 1, (n, *shape))
    return params, a, draw(seed + 2, jax.eval_shape(layer.forward, params, a).shape)[0]


def by_autodiff(layer, params, a, delta):
    return jax.vjp(layer.forward, params, a)[1](delta)


@compiled
def both(layer, params, a, delta):
    return layer.backward(params, a, delta), by_autodiff(layer, params, a, delta)


@functools.cache
def computed(layer, shape, x64):
    """A case, its output, and its derivatives by hand and by autodiff: one compilation for several tests."""
    with jax.enable_x64(x64):
        data = case(layer, shape, n=2)
        everything = compiled(lambda *x: (layer.forward(*x[:2]), layer.backward(*x), by_autodiff(layer, *x)))
        return data, *everything(*data)


@EVERY
def test_backward_is_the_transpose_of_the_derivative(layer, shape):
    _, _, by_hand, auto = computed(layer, shape, True)
    assert_trees_close(by_hand, auto)


@pytest.mark.parametrize(("layer", "shape"), [CASES[0], CASES[5], CASES[6], CASES[7]], ids=repr)
def test_backward_is_the_transpose_in_float32(layer, shape):
    _, _, by_hand, auto = computed(layer, shape, False)
    assert_trees_close(by_hand, auto)


@pytest.mark.long
def test_backward_is_the_transpose_without_jit():
    layer, data = CASES[10][0], case(*CASES[10])
    assert_trees_close(layer.backward(*data), by_autodiff(layer, *data))


@EVERY
def test_init_promises_the_shape_of_forward(layer, shape):
    promised = fnn.shape_out((layer,), shape)
    assert computed(layer, shape, True)[1].shape == (2, *promised)


@pytest.mark.parametrize(("layer", "shape"), [CASES[0], CASES[2], CASES[4], CASES[6], CASES[7]], ids=repr)
def test_no_image_is_a_batch_too(layer, shape):
    params, a, delta = case(layer, shape, n=0)
    assert delta.shape == (0, *fnn.shape_out((layer,), shape))
    nabla, delta_prev = compiled(layer.backward)(params, a, delta)
    assert_trees_close((nabla, delta_prev), (jax.tree.map(jnp.zeros_like, params), a))


def loops(layer, params, a, delta):
    """Outputs, `nabla` and `delta_prev` of any of the layers, one index at a time, in NumPy."""
    n, channels, height, width = a.shape
    size, pool = getattr(layer, "size", 1), getattr(layer, "pool", 1)
    if isinstance(layer, MaxPool):
        W, b = np.eye(channels)[:, :, None, None], np.zeros(channels)
        size, pool = 1, layer.size
    else:
        W, b = (np.asarray(p) for p in params)
    H, V = (height - size + 1) // pool, (width - size + 1) // pool
    out, by_W, by_b, by_a = np.zeros((n, len(b), H, V)), np.zeros(W.shape), np.zeros(b.shape), np.zeros(a.shape)
    taps = list(itertools.product(range(channels), range(size), range(size)))
    for e, f, u, v in np.ndindex(*out.shape):
        best, place = -math.inf, None
        for i, j in itertools.product(range(pool), range(pool)):
            y, x = u * pool + i, v * pool + j
            z = sum(W[f, c, r, s] * a[e, c, y + r, x + s] for c, r, s in taps)
            if z > best:
                best, place = z, (y, x)
        out[e, f, u, v], (y, x), d = best + b[f], place, delta[e, f, u, v]
        by_b[f] += d
        for c, r, s in taps:
            by_W[f, c, r, s] += d * a[e, c, y + r, x + s]
            by_a[e, c, y + r, x + s] += d * W[f, c, r, s]
    return out, (() if isinstance(layer, MaxPool) else ConvParams(by_W, by_b)), by_a


@pytest.mark.parametrize(("layer", "shape"), CASES[:-1], ids=repr)
def test_every_index_is_where_the_definition_puts_it(layer, shape):
    data, z, by_hand, _ = computed(layer, shape, True)
    out, nabla, delta_prev = loops(layer, *jax.tree.map(np.asarray, data))
    assert_trees_close((z, *by_hand), (out, nabla, delta_prev))


@pytest.mark.parametrize(("layer", "shape"), [CASES[0], CASES[5], CASES[9]], ids=repr)
def test_backward_agrees_with_finite_differences(layer, shape):
    with jax.enable_x64(True):
        params, a, delta = case(layer, shape, n=1)
        start, back = jax.flatten_util.ravel_pytree((params, a))
        step = 1e-6

        @compiled
        @jax.vmap
        def slope(direction):
            high, low = ((layer.forward(*back(start + s * direction)) * delta).sum() for s in (step, -step))
            return (high - low) / (2 * step)

        by_hand, _ = jax.flatten_util.ravel_pytree(compiled(layer.backward)(params, a, delta))
        np.testing.assert_allclose(by_hand, slope(jnp.eye(start.size)), atol=1e-7)


def library(layer, params, a):
    z = jax.lax.conv_general_dilated(a, params.W, (1, 1), "VALID") + params.b[None, :, None, None]
    window = (1, 1, layer.pool, layer.pool)
    return jax.lax.reduce_window(z, -jnp.inf, jax.lax.max, window, window, "VALID")


@pytest.mark.parametrize(("layer", "shape", "x64"), [(*CASES[6], False), (*CASES[7], False), (*CASES[8], True)])
def test_the_compilers_own_convolution_gives_the_same(layer, shape, x64):
    with jax.enable_x64(x64):
        (params, a, delta), z, by_hand, _ = computed(layer, shape, x64)

        @compiled
        def reference(params, a):
            expected, vjp = jax.vjp(lambda *x: library(layer, *x), params, a)
            return expected, vjp(delta)

        assert_trees_close((z, by_hand), reference(params, a))


@jax.jit
def through(net, params, a, delta):
    """The output of a net, the gradient of its first layer and by its input by hand, and both by autodiff."""
    trace = fnn.activations(net, params, a)
    d = delta
    for layer, p, x in zip(reversed(net), reversed(params), reversed(trace[:-1]), strict=True):
        nabla, d = layer.backward(p, x, d)
    auto, auto_d = jax.vjp(lambda *x: fnn.forward(net, *x), params, a)[1](delta)
    return trace[-1], (nabla, d), (auto[0], auto_d)


@pytest.mark.parametrize("tied", [False, True])
@pytest.mark.parametrize(("layer", "shape"), CASES[6:8], ids=repr)
def test_conv_pool_is_the_pool_of_the_convolution(layer, shape, tied):
    params, a, delta = case(layer, shape)
    if tied:  # whole numbers: sums are exact, and many positions are equal
        params, a = jax.tree.map(jnp.sign, params), (a > 0).astype(a.dtype)
    fused = through((layer,), (params,), a, delta)
    separate = through((Conv(layer.filters, layer.size), MaxPool(layer.pool)), (params, ()), a, delta)
    assert_trees_close(fused, separate)
    assert_trees_close(fused[1], fused[2])


@pytest.mark.parametrize("layer", [MaxPool(2), MaxPool(3), ConvPool(1, 1, 3)], ids=repr)
def test_one_winner_per_window_takes_everything_by_both_routes(layer):
    params = jax.tree.map(np.ones_like, draw_params((layer,), 0, (1, 6, 6))[0])
    a, pool = np.ones((1, 1, 6, 6), np.float32), getattr(layer, "pool", layer.size)
    delta = 1 + np.arange((6 // pool) ** 2, dtype=np.float32).reshape(1, 1, 6 // pool, 6 // pool)
    expected = np.zeros((6, 6))
    expected[::pool, ::pool] = delta[0, 0]  # the first pixel of every window, row by row
    for _, by_a in both(layer, params, a, delta):
        np.testing.assert_array_equal(by_a[0, 0], expected)


@pytest.mark.parametrize(
    ("pixels", "winner"), [((2, 2, 1, 0), 0), ((1, 2, 2, 2), 1), ((0, 1, 2, 2), 2), ((0, 1, 2, 3), 3)]
)
def test_the_first_of_the_largest_wins_row_by_row(pixels, winner):
    a = jnp.array(pixels, float).reshape(1, 1, 2, 2)
    for _, by_a in both(MaxPool(2), (), a, jnp.ones((1, 1, 1, 1))):
        assert by_a.ravel().tolist() == [float(p == winner) for p in range(4)]


def test_a_shifted_image_gives_a_shifted_output():
    for layer, pool in ((Conv(2, 3), 1), (ConvPool(2, 3, 2), 2)):
        params, a, _ = case(layer, (1, 10, 12), n=1)
        z, shifted = jax.jit(jax.vmap(layer.forward, (None, 0)))(params, jnp.stack([a, jnp.roll(a, (2, 4), (2, 3))]))
        assert_trees_close(shifted[:, :, 2 // pool :, 4 // pool :], z[:, :, : -2 // pool, : -4 // pool])


def test_the_gradient_of_a_shared_weight_is_the_sum_over_its_positions():
    params, a, delta = case(Conv(2, 3), (2, 5, 6))

    def unshared(W):  # a filter of its own for every position
        return jnp.einsum("qfk,nkq->nfq", W, apart(im2col(a, 3), (len(a), 18, 12))).reshape(delta.shape)

    own = np.broadcast_to(np.asarray(params.W).reshape(1, 2, 18), (12, 2, 18))
    by_position, nabla = compiled(lambda own, *x: (jax.vjp(unshared, own)[1](delta)[0], Conv(2, 3).backward(*x)[0]))(
        own, params, a, delta
    )
    assert_trees_close(nabla.W, np.asarray(by_position).sum(axis=0).reshape(params.W.shape))


def test_shared_filters_have_few_parameters():
    params = fnn.init((Conv(20, 5),), jax.random.key(0), (1, 28, 28))
    assert fnn.count_params(params) == 520
    assert fnn.count_params(fnn.init((ConvPool(20, 5, 2),), jax.random.key(0), (1, 28, 28))) == 520
    dense = jax.eval_shape(lambda key: fnn.init((Dense(20 * 24 * 24),), key, (784,)), jax.random.key(0))
    assert fnn.count_params(dense) == 9_043_200


def test_a_hand_set_edge_filter_wins_on_bars_of_its_direction():
    edge = jnp.array([[-1.0, 2, -1]] * 3)
    params = ConvParams(jnp.stack([edge, edge.T])[:, None], jnp.zeros(2))
    bars = jnp.zeros((2, 1, 8, 8)).at[0, :, :, 3].set(1).at[1, :, 4].set(1)  # upright, lying
    assert jax.jit(ConvPool(2, 3, 2).forward)(params, bars).max(axis=(2, 3)).argmax(axis=1).tolist() == [0, 1]


@fnn.static
class Fans:
    """Shows what an initialiser is told."""

    def draw(self, key, shape, n_in, n_out):
        return jnp.full(shape, n_in + 1000.0 * n_out)


@pytest.mark.parametrize(
    ("layer", "n_in", "n_out"),
    [
        (ConvPool(20, 5, 2, Fans(), Fans()), 25, 125),  # network3: N(0, 1/125)
        (ConvPool(40, 5, 2, Fans(), Fans()), 500, 250),
        (Conv(20, 5, Fans(), Fans()), 25, 500),
        (ConvPool(1, 1, 2, Fans(), Fans()), 1, 1),
    ],
)
def test_initialisers_are_told_the_fans(layer, n_in, n_out):
    params, _ = layer.init(jax.random.key(0), (n_in // layer.size**2, 8, 8))
    assert {float(v) for p in params for v in np.asarray(p).ravel()} == {n_in + 1000.0 * n_out}


def test_weights_and_biases_come_from_their_own_initialisers_and_keys():
    params, _ = jax.tree.map(np.asarray, Conv(2, 2, Glorot(), Zeros()).init(jax.random.key(0), (1, 3, 3)))
    assert params.W.any()
    assert not params.b.any()
    a, b = (jax.tree.map(np.asarray, ConvPool(4, 1, 1).init(jax.random.key(k), (1, 3, 3))[0]) for k in (0, 1))
    assert not (a.W.ravel() == a.b).any()
    assert not (a.W == b.W).any()


@pytest.mark.parametrize(
    ("layer", "shape", "message"),
    [
        (MaxPool(2), (1, 6, 7), r"MaxPool\(size=2\).*6 x 7.*2 x 2.*one of \[1\]"),
        (ConvPool(20, 5, 5), (1, 28, 28), r"28 x 28.*5 x 5.*24 x 24.*one of \[1, 2, 3, 4, 6, 8, 12, 24\]"),
        (ConvPool(20, 4, 2), (1, 28, 28), r"28 x 28.*2 x 2.*25 x 25.*one of \[1, 5, 25\]"),
        (Conv(20, 5), (1, 4, 9), r"4 x 9.*at least 5 x 5"),
        (ConvPool(20, 5, 2), (784,), r"\(784,\).*\(channels, height, width\).*\(1, height, width\)"),
        (MaxPool(2), (28, 28), r"\(28, 28\).*reshape"),
    ],
    ids=repr,
)
def test_sizes_that_do_not_fit_are_refused_with_the_numbers(layer, shape, message):
    with pytest.raises(ValueError, match=message):
        layer.init(jax.random.key(0), shape)


@pytest.mark.parametrize(
    "make", [lambda: Conv(0, 5), lambda: MaxPool(0), lambda: ConvPool(1, 5, 0), lambda: Conv(1, -1)]
)
def test_counts_below_one_are_refused(make):
    with pytest.raises(ValueError, match="expected at least 1"):
        make()


@pytest.mark.parametrize("x64", [False, True], ids=["float32", "float64"])
@pytest.mark.parametrize(("net", "shape"), NETS, ids=["conv, pool", "two conv-pools"])
def test_backprop_is_autodiff_for_whole_nets(net, shape, x64):
    with jax.enable_x64(x64):
        params, (x,), y = draw_params(net, 0, shape), draw(1, (4, *shape)), one_hot_rows(2, 4, 3)
        cost = CrossEntropy() if x64 else LogLikelihood()
        by_hand, auto = compiled(lambda *data: [g(net, cost, *data) for g in (backprop, autodiff)])(params, x, y)
        assert_trees_close(by_hand, auto)


sizes = st.integers(1, 3)


@settings(deadline=None, derandomize=True, max_examples=6)  # few: every new shape compiles
@given(sizes, sizes, sizes, sizes, st.integers(0, 3), st.integers(0, 3), st.integers(1, 4), st.integers(0, 999))
def test_backward_is_the_transpose_for_random_shapes(filters, size, pool, channels, up, across, n, seed):
    layer, shape = ConvPool(filters, size, pool), (channels, size - 1 + pool * (1 + up), size - 1 + pool * (1 + across))
    with jax.enable_x64(True):
        assert_trees_close(*both(layer, *case(layer, shape, n, seed)))


@fnn.static
class LastWinner(MaxPool):
    """A planted bug: of equal pixels the last one wins."""

    def backward(self, params, a, delta):
        (_, turned) = super().backward(params, a[:, :, ::-1, ::-1], delta[:, :, ::-1, ::-1])
        return (), turned[:, :, ::-1, ::-1]


@fnn.static
class FlippedFilter(Conv):
    """A planted bug: the gradient of true convolution."""

    def backward(self, params, a, delta):
        nabla, delta_prev = super().backward(params, a, delta)
        return nabla._replace(W=nabla.W[:, :, ::-1, ::-1]), delta_prev


@pytest.mark.parametrize(("layer", "shape"), [(LastWinner(2), (1, 4, 4)), (FlippedFilter(2, 3), (1, 4, 5))], ids=repr)
def test_the_check_rejects_a_wrong_rule(layer, shape):
    params, a, delta = case(layer, shape)
    with pytest.raises(AssertionError):
        assert_trees_close(*both(layer, params, jnp.sign(a), delta))


def test_vmap_over_networks_is_each_of_them():
    net, shape = NETS[1]
    many, (x,), y = [draw_params(net, s, shape) for s in (0, 1)], draw(5, (4, *shape)), one_hot_rows(6, 4, 3)
    stacked = jax.tree.map(lambda *p: np.stack(p), *many)
    compute = jax.jit(lambda p: backprop(net, LogLikelihood(), p, x, y))
    got = jax.jit(jax.vmap(compute))(stacked)
    assert_trees_close(got, jax.tree.map(lambda *g: np.stack(g), *map(compute, many)))


@functools.cache
def epoch_of(net, n, gradient):
    """A compiled epoch on `n` images of bytes, and its arguments."""
    rng = np.random.default_rng(0)
    examples = Examples(
        rng.integers(0, 256, (n, 1, 14, 14), np.uint8), np.eye(3, dtype=np.uint8)[np.arange(n) % 3], np.float32(1 / 255)
    )
    params, sgd = fnn.init(net, jax.random.key(0), (1, 14, 14)), SGD(0.1)
    arguments = (net, LogLikelihood(), sgd, params, sgd.init(params), examples, jax.random.key(1))
    return fnn.epoch.lower(*arguments, batch_size=8, gradient=gradient).compile(), arguments


NET = (ConvPool(4, 3, 2), Sigmoid(), ConvPool(5, 3, 2), ReLU(), Flatten(), Dense(3))


def matrices(program):
    """The shapes of all products but those with a vector: a bias's gradient is summed by a product with ones."""
    shapes = [tuple(map(int, shape.split(","))) for shape in re.findall(r" = f32\[([\d,]+)\]\S* dot\(", program)]
    return [shape for shape in shapes if len(shape) > 1 and min(shape) > 1]


@pytest.mark.long
def test_an_epoch_by_hand_is_one_by_autodiff_with_no_more_memory_or_products():
    (by_hand, arguments), (auto, _) = epoch_of(NET, 40, backprop), epoch_of(NET, 40, autodiff)
    params, expected = (run(*arguments)[0] for run in (by_hand, auto))
    jax.tree.map(lambda g, e: np.testing.assert_allclose(g, e, rtol=0, atol=1e-5), params, expected)
    products, reference = (matrices(run.as_text()) for run in (by_hand, auto))
    assert len(reference) >= 8
    assert len(products) <= len(reference)  # what backward recomputes, the compiler shares
    size, reference = (run.memory_analysis().temp_size_in_bytes for run in (by_hand, auto))
    assert size <= 1.05 * reference  # 0.5 to 0.98 for the nets of Nielsen's chapter 6, 1.03 for this small one


@pytest.mark.long
def test_memory_grows_with_the_batch_not_with_the_data():
    small, large = (epoch_of(NET, n, backprop)[0].memory_analysis().temp_size_in_bytes for n in (40, 4000))
    assert large - small < 4000 * 14 * 14  # less than one byte per pixel: no second copy, and no floats
