"""Gradients without a tolerance: every rule of sums, products and comparisons, bit by bit, and wrong ones."""

import dataclasses
from fractions import Fraction
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

import fnn
from fnn import (
    SGD,
    Conv,
    ConvPool,
    CrossEntropy,
    Dense,
    Flatten,
    Identity,
    InputError,
    LeakyReLU,
    Maxout,
    MaxPool,
    Quadratic,
    ReLU,
    Sigmoid,
    Softmax,
    Step,
    Tanh,
    autodiff,
    backprop,
)
from fnn.checking.exact import check_exactly
from fnn.kernels import im2col, pooling, products
from tests.helpers import mutations

pytestmark = pytest.mark.long  # on the newest Python a change has no time for these

LONG = pytest.mark.campaign
ROWS = [1, *(pytest.param(n, marks=LONG) for n in (8, 9)), 10, *(pytest.param(n, marks=LONG) for n in (11, 64)), 65]
FEW, MANY = products.FEW_UNITS, products.FEW_UNITS + 1
# on both sides of each threshold: of the units of a product, and of the images in a group
AFFINE = [
    (Dense(5), (3,)),
    (Dense(FEW), (3,)),
    (Dense(MANY), (3,)),
    (Dense(3), (MANY,)),
    (Maxout(3, 1), (4,)),
    (Maxout(3, 4), (4,)),
    (Maxout(FEW // 2, 2), (3,)),
    (Maxout(MANY, 2), (3,)),
]
FILTERS = [
    (Conv(2, 3), (3, 5, 5)),
    (Conv(2, 2), (1, 9, 9)),
    (MaxPool(2), (3, 4, 4)),
    (MaxPool(3), (1, 9, 9)),
    (ConvPool(2, 2, 2), (3, 5, 5)),
    (ConvPool(2, 2, 2), (1, 9, 9)),
    (ConvPool(2, 3, 3), (2, 8, 5)),
]
OTHERS = [
    (Conv(3, 1), (1, 2, 3)),
    (MaxPool(1), (2, 2, 2)),
    (ConvPool(2, 2, 1), (1, 3, 3)),
    (Flatten(), (2, 3, 4)),
    *((layer, (6,)) for layer in (ReLU(), LeakyReLU(0.25), LeakyReLU(-2), LeakyReLU(0), Identity(), Step())),
    (ReLU(), (2, 3, 4)),
]


def ids(cases):
    return [
        f"{layer}-{shape}".replace(", initializer=ScaledNormal(), bias_initializer=Normal(std=1.0)", "")
        for layer, shape in cases
    ]


def is_exact(report):
    """Everything is equal, and what a pass is worth."""
    print(report)
    assert report.ok
    assert report.difference is None
    assert [part.rounded for part in report.parts] == [""] * len(report.parts)
    assert report.chance < 1e-6


@pytest.mark.parametrize("rows", ROWS)
@pytest.mark.parametrize(("layer", "shape"), AFFINE, ids=ids(AFFINE))
def test_a_layer_of_units_is_exact_on_both_sides_of_every_threshold(layer, shape, rows):
    is_exact(check_exactly(layer, shape, rows=rows))


@pytest.mark.parametrize("rows", [1, *(pytest.param(n, marks=LONG) for n in (8, 9, 10, 11, 64, 65))])
@pytest.mark.parametrize(("layer", "shape"), FILTERS, ids=ids(FILTERS))
def test_a_layer_of_filters_is_exact_on_both_sides_of_every_threshold(layer, shape, rows):
    is_exact(check_exactly(layer, shape, rows=rows))


@pytest.mark.parametrize("rows", [1, 3])
@pytest.mark.parametrize(("layer", "shape"), OTHERS, ids=ids(OTHERS))
def test_other_layers_are_exact(layer, shape, rows):
    is_exact(check_exactly(layer, shape, rows=rows))


@LONG
@pytest.mark.parametrize("rows", [11, 14])
def test_a_pooled_convolution_is_exact_within_a_core_s_cache_and_beyond(rows):
    layer, shape = ConvPool(2, 5, 2), (20, 12, 12)
    assert pooling.repeats_pixels((rows, *shape), 5, 2) == (rows == 11)
    is_exact(check_exactly(layer, shape, rows=rows))


@pytest.mark.parametrize("cached", [10**6, 0])
def test_both_ways_to_a_pooled_convolution_are_exact(cached, monkeypatch):
    monkeypatch.setattr(pooling, "CACHED_NUMBERS", cached)
    assert pooling.repeats_pixels((3, 5, 6, 8), 3, 2) == (cached > 0)
    jax.clear_caches()
    is_exact(check_exactly(ConvPool(2, 3, 2), (5, 6, 8), rows=3))


def test_the_cases_stand_on_both_sides_of_the_choice_of_groups():
    choices = {im2col.groups((8, *shape), layer.size)[0] for layer, shape in FILTERS if isinstance(layer, Conv)}
    assert choices == {1, 8}


DENSE = (Dense(4), ReLU(), Maxout(3, 2), LeakyReLU(0.5), Dense(2))
NETS = [
    (DENSE, (3,), 4),
    (DENSE, (3,), 1),
    ((Dense(FEW), ReLU(), Dense(2)), (5,), 64),
    pytest.param((Dense(MANY), Step(), Dense(MANY), Identity(), Dense(2)), (5,), 128, marks=LONG),
    pytest.param((Conv(2, 3), MaxPool(2), ReLU(), Flatten(), Dense(2)), (1, 8, 8), 8, marks=LONG),
    pytest.param((ConvPool(2, 2, 2), ReLU(), Conv(2, 2), Flatten(), Maxout(2)), (2, 7, 7), 16, marks=LONG),
    pytest.param((Flatten(), Dense(30), ReLU(), Dense(10)), (1, 28, 28), 4, marks=LONG),
]


@pytest.mark.parametrize(("net", "shape", "rows"), NETS)
def test_a_net_is_exact_layer_by_layer_and_as_a_whole(net, shape, rows):
    report = check_exactly(net, shape, rows=rows, lmbda=0.25)
    is_exact(report)
    layers = [f"layer {i}, {type(layer).__name__}" for i, layer in enumerate(net)]
    assert [part.name for part in report.parts] == [*layers, "the cost, Quadratic", "the whole gradient"]


def test_a_deep_net_draws_smaller_numbers_until_nothing_is_rounded():
    parts = check_exactly(tuple(Dense(8) for _ in range(4)), (8,)).parts
    assert {part.values for part in parts[:4]} == {2049}
    assert 3 <= parts[-1].values < 100
    assert parts[-1].degree == 9
    with pytest.raises(
        InputError, match=r"the whole gradient: the derivative of its objective has `\w+` of up to \d\d b"
    ):
        check_exactly(tuple(Dense(30) for _ in range(12)), (30,))


@pytest.mark.parametrize("gradient", [jax.jit(backprop, static_argnums=(0, 1)), autodiff], ids=["compiled", "autodiff"])
def test_any_gradient_function_may_be_under_test(gradient):
    is_exact(check_exactly(DENSE, (3,), gradient=gradient))


# --- the optimiser


def dyadic(rng, *shape):
    return rng.integers(-64, 65, shape) / 16


def test_a_step_of_sgd_with_momentum_and_penalty_is_its_formula_without_rounding():
    rng, (eta, mu, lmbda) = np.random.default_rng(0), (0.5, 0.75, 0.125)
    params, v, g = ((fnn.layers.DenseParams(dyadic(rng, 3, 2), dyadic(rng, 3)),) for _ in range(3))
    with jax.enable_x64(True):
        for update in (SGD(eta, mu, lmbda).update, jax.jit(SGD(eta, mu, lmbda).update)):
            new, velocity = update(params, v, g)
            for leaf, penalty in (("W", Fraction(lmbda)), ("b", 0)):
                p, u, d, q, w = (getattr(tree[0], leaf).ravel() for tree in (params, v, g, new, velocity))
                exact = [
                    Fraction(mu) * Fraction(a) - Fraction(eta) * (Fraction(b) + penalty * Fraction(c))
                    for a, b, c in zip(u, d, p, strict=True)
                ]
                assert [Fraction(float(x)) for x in w] == exact
                assert [Fraction(float(x)) for x in q] == [Fraction(c) + x for c, x in zip(p, exact, strict=True)]
            plain, state = SGD(eta, 0.0, lmbda).update(params, (), g)
            assert state == ()
            np.testing.assert_array_equal(plain[0].W, params[0].W - eta * (g[0].W + lmbda * params[0].W))


def test_training_by_hand_and_by_autodiff_takes_the_same_steps_to_the_last_bit():
    rng = np.random.default_rng(1)
    net, cost = (Dense(4), ReLU(), Dense(2)), Quadratic(Identity())
    with jax.enable_x64(True):
        params = jax.eval_shape(lambda: fnn.init(net, jax.random.key(0), (3,)))
        params = jax.tree.map(lambda leaf: jnp.asarray(rng.integers(-2, 3, leaf.shape), float), params)
        x, y = (jnp.asarray(rng.integers(-2, 3, shape), float) for shape in ((4, 3), (4, 2)))
        by_hand, automatic = (
            jax.jit(partial(fnn.step, net, cost, gradient=gradient))(SGD(0.25, 0.0, 0.5), params, (), x, y)
            for gradient in (backprop, autodiff)
        )
        for a, b in zip(jax.tree.leaves(by_hand), jax.tree.leaves(automatic), strict=True):
            np.testing.assert_array_equal(a, b)


# --- wrong rules


def wrong(right, edit):
    """The layer `right` with a backward pass that is edited: `edit(nabla, delta_prev, params, a, delta)`."""

    @fnn.static
    class Wrong:
        def init(self, key, shape):
            return right.init(key, shape)

        def forward(self, params, a):
            return right.forward(params, a)

        def backward(self, params, a, delta):
            return edit(*right.backward(params, a, delta), params, a, delta)

    return Wrong()


def of_W(right, edit):
    """A wrong nabla W."""
    return wrong(right, lambda nabla, back, params, a, delta: (nabla._replace(W=edit(nabla.W, a, delta)), back))


def back(right, edit):
    """A wrong delta_prev."""
    return wrong(right, lambda nabla, d, params, a, delta: (nabla, edit(d, params, a, delta)))


DENSE_4 = Dense(4)
PLANTED = {  # the layer, its shape, and the first entry that is wrong
    "1e-12 too large": (of_W(DENSE_4, lambda W, a, d: W * (1 + 1e-12)), (3,), "nabla.W"),
    "1e-15 too large": (back(DENSE_4, lambda b, p, a, d: b * (1 + 1e-15)), (3,), "delta_prev"),
    "one entry": (of_W(DENSE_4, lambda W, a, d: W.at[2, 1].add(1)), (3,), "nabla.W"),
    "one entry, if a product is odd": (
        of_W(DENSE_4, lambda W, a, d: W.at[2, 1].add(a[0, 0] * d[1, 3])),
        (3,),
        "nabla.W",
    ),
    "the last row is left out": (of_W(DENSE_4, lambda W, a, d: d[:-1].T @ a[:-1]), (3,), "nabla.W"),
    "the mean over rows": (of_W(DENSE_4, lambda W, a, d: W / len(a)), (3,), "nabla.W"),
    "a third of the sum": (of_W(DENSE_4, lambda W, a, d: W / 3), (3,), "nabla.W"),
    "transposed": (of_W(Dense(3), lambda W, a, d: W.T), (3,), "nabla.W"),
    "opposite sign": (of_W(DENSE_4, lambda W, a, d: -W), (3,), "nabla.W"),
    "a bias that is 0": (wrong(DENSE_4, lambda n, b, *_: (n._replace(b=0 * n.b), b)), (3,), "nabla.b"),
    "transposed W on the way back": (back(Dense(3), lambda b, p, a, d: d @ p.W.T), (3,), "delta_prev"),
    "sizes of W": (back(DENSE_4, lambda b, p, a, d: d @ jnp.abs(p.W)), (3,), "delta_prev"),
    "a smooth function": (back(DENSE_4, lambda b, p, a, d: b + jnp.exp(-jnp.square(a))), (3,), "delta_prev"),
    "0 from -2 to 2": (
        back(Identity(), lambda b, p, a, d: b + a * (a - 1) * (a + 1) * (a - 2) * (a + 2)),
        (3,),
        "delta_prev",
    ),
    "beyond 1000 alone": (back(Identity(), lambda b, p, a, d: jnp.where(a > 1000, 2 * b, b)), (30,), "delta_prev"),
    "nan": (of_W(DENSE_4, lambda W, a, d: W.at[1, 2].set(jnp.nan)), (3,), "nabla.W"),
    "nan everywhere": (back(ReLU(), lambda b, p, a, d: b * jnp.nan), (3,), "delta_prev"),
    "infinity": (of_W(DENSE_4, lambda W, a, d: W.at[1, 2].set(jnp.inf)), (3,), "nabla.W"),
    "no derivative": (back(ReLU(), lambda b, p, a, d: d), (3,), "delta_prev"),
    "slope of the other side": (
        back(LeakyReLU(0.25), lambda b, p, a, d: d * jnp.where(a < 0, 1, 0.25)),
        (3,),
        "delta_prev",
    ),
    "filters turned": (back(Conv(2, 2), lambda b, p, a, d: b[..., ::-1, :]), (1, 4, 4), "delta_prev"),
    "one place of a filter": (
        of_W(Conv(2, 2), lambda W, a, d: W.at[1, 0, 1, 1].add(d[0, 0, 0, 0])),
        (1, 4, 4),
        "nabla.W",
    ),
    "the mean of a square": (
        back(MaxPool(2), lambda b, p, a, d: jnp.repeat(jnp.repeat(d / 4, 2, axis=2), 2, axis=3)),
        (1, 4, 4),
        "delta_prev",
    ),
}


@pytest.mark.parametrize("name", PLANTED)
def test_a_planted_bug_is_found_whatever_its_size(name):
    layer, shape, leaf = PLANTED[name]
    report = check_exactly(layer, shape)
    print(report)
    assert not report.ok
    assert report.difference.leaf == leaf
    assert not report.difference.tie
    assert report.difference.by_hand != report.difference.automatic
    assert f"{leaf}[" in str(report)
    assert "layer 0, Wrong" in str(report).splitlines()[-1]


def test_the_entry_that_differs_is_told():
    report = check_exactly(of_W(DENSE_4, lambda W, a, d: W.at[2, 1].add(3)), (3,))
    difference = report.difference
    assert (difference.leaf, difference.index, difference.others) == ("nabla.W", (2, 1), 0)
    assert difference.by_hand == difference.automatic + 3
    assert f"nabla.W[2, 1]: by hand {difference.by_hand!r}, autodiff {difference.automatic!r}" in str(report)
    everywhere = check_exactly(of_W(DENSE_4, lambda W, a, d: W + 1), (3,)).difference
    assert (everywhere.index, everywhere.others) == ((0, 0), 11)


def last(z, axis):
    """One-hot at the last of the largest along `axis`."""
    count = z.shape[axis]
    return jax.nn.one_hot(count - 1 - jnp.flip(z, axis).argmax(axis), count, axis=axis, dtype=z.dtype)


def maxout_last(nabla, b, params, a, delta):
    routed = last(Maxout(3, 2).affine(params, a), 1) * delta[:, None, :]
    W = jnp.einsum("nko,ni->koi", routed, a)
    return nabla._replace(W=W, b=routed.sum(axis=0)), jnp.einsum("nko,koi->ni", routed, params.W)


def turned(b, params, a, delta):
    return MaxPool(2).backward((), a[..., ::-1, ::-1], delta[..., ::-1, ::-1])[1][..., ::-1, ::-1]


@fnn.static
class Larger:
    """`max(a, 0)` whose `backward` is right, but whose autodiff shares the derivative at 0."""

    def init(self, key, shape):
        return (), shape

    def forward(self, params, a):
        return jnp.maximum(a, 0)

    def backward(self, params, a, delta):
        return (), jnp.where(a > 0, delta, 0)


@fnn.static
class Largest:
    """The largest of three: autodiff shares the derivative of a tie, by hand the first has all of it."""

    def init(self, key, shape):
        return (), (shape[0] // 3,)

    def forward(self, params, a):
        return a.reshape(len(a), -1, 3).max(axis=2)

    def backward(self, params, a, delta):
        first = jax.nn.one_hot(a.reshape(len(a), -1, 3).argmax(axis=2), 3, dtype=a.dtype)
        return (), (first * delta[:, :, None]).reshape(a.shape)


TIES = {
    "ReLU: 1 at 0": (back(ReLU(), lambda b, p, a, d: jnp.where(a >= 0, d, 0)), (4,)),
    "LeakyReLU: 1 at 0": (back(LeakyReLU(0.5), lambda b, p, a, d: jnp.where(a >= 0, d, d / 2)), (4,)),
    "maxout: the last": (wrong(Maxout(3, 2), maxout_last), (2,)),
    "pool: the last": (back(MaxPool(2), turned), (1, 4, 4)),
    "jnp.maximum": (Larger(), (4,)),
    "jnp.max of three": (Largest(), (6,)),
}


@pytest.mark.parametrize("name", TIES)
def test_another_side_of_a_tie_than_autodiff_is_told_as_such(name):
    report = check_exactly(*TIES[name])
    assert not report.ok
    assert report.difference.tie
    assert "at a tie it takes another side than autodiff" in str(report)


@pytest.mark.parametrize("seed", range(5))
def test_one_number_at_a_tie_is_met(seed):
    assert check_exactly(Larger(), (2,), rows=2, seed=seed).difference.tie


def gradient_with(edit):
    def gradient(net, cost, params, x, y):
        value, g = backprop(net, cost, params, x, y)
        return value, edit(g, params)

    return gradient


NET_BUGS = {
    "1e-12 too large": gradient_with(lambda g, p: (g[0]._replace(b=g[0].b * (1 + 1e-12)), *g[1:])),
    "penalty twice": gradient_with(lambda g, p: (g[0]._replace(W=g[0].W + p[0].W / 4), *g[1:])),
    "a penalised bias": gradient_with(lambda g, p: (g[0]._replace(b=g[0].b + p[0].b / 4), *g[1:])),
    "one entry": gradient_with(lambda g, p: (*g[:2], g[2]._replace(W=g[2].W.at[1, 3].add(1)))),
}


@pytest.mark.parametrize("name", NET_BUGS)
def test_a_wrong_gradient_of_a_net_is_found_where_every_layer_is_right(name):
    report = check_exactly((Dense(4), ReLU(), Dense(2)), (3,), gradient=NET_BUGS[name], lmbda=0.25)
    assert [part.ok for part in report.parts] == [True, True, True, True, False]
    assert report.difference.leaf.startswith("gradient.")
    assert str(report).splitlines()[-1] == "WRONG: the whole gradient"


def test_a_wrong_layer_and_a_wrong_cost_are_named():
    @fnn.static
    class Halved(Quadratic):
        def delta(self, z, y):
            return super().delta(z, y) / 2

    net = (Dense(4), back(ReLU(), lambda b, p, a, d: 2 * b), Dense(2))
    report = check_exactly(net, (3,), cost=Halved(Identity()))
    assert [part.name for part in report.parts if not part.ok] == [
        *("layer 1, Wrong", "the cost, Halved", "the whole gradient")
    ]
    assert report.difference.leaf == "delta_prev"
    assert report.parts[3].difference.leaf == "delta"


# --- layers of users


def entrywise(forward, backward=None):
    """A layer without params from its formula and its derivative; without one, JAX writes it."""

    @fnn.static
    class Own:
        def init(self, key, shape):
            return (), jax.eval_shape(forward, jax.ShapeDtypeStruct((1, *shape), float)).shape[1:]

        def forward(self, params, a):
            return forward(a)

        def backward(self, params, a, delta):
            return (), backward(a, delta) if backward else jax.vjp(forward, a)[1](delta)[0]

    return Own()


def pairs(a):
    return a[:, :, None] * a[:, None, :]


def scanned(a):
    return lax.scan(lambda c, row: (c + 2 * row, c * row), jnp.zeros(len(a), a.dtype), a.T)[1].T


OWN = {
    "cube": (lambda a: a**3, lambda a, d: 3 * a * a * d),
    "polynomial": (lambda a: a * (1 - a) / 2, lambda a, d: d * (0.5 - a)),
    "all products": (
        lambda a: pairs(a).reshape(len(a), -1),
        lambda a, d: jnp.einsum("nij,nj->ni", (d := d.reshape(len(a), 6, 6)) + d.mT, a),
    ),
    "mean of pairs": (
        lambda a: a.reshape(len(a), -1, 2).mean(axis=2),
        lambda a, d: jnp.repeat(d / 2, 2, axis=1),
    ),
    "running sum": (lambda a: jnp.cumsum(a, axis=1), lambda a, d: jnp.cumsum(d[:, ::-1], axis=1)[:, ::-1]),
    "sorted": (
        lambda a: jnp.sort(a, axis=1),
        lambda a, d: jnp.zeros_like(a).at[jnp.arange(len(a))[:, None], jnp.argsort(a, axis=1)].set(d),
    ),
    "chosen": (lambda a: a[:, jnp.array([0, 2, 2])], lambda a, d: jnp.zeros_like(a).at[:, jnp.array([0, 2, 2])].add(d)),
    "clipped": (lambda a: jnp.where(a > 1, 1, jnp.where(a < -1, -1, a)), lambda a, d: jnp.where(jnp.abs(a) <= 1, d, 0)),
    "size": (jnp.abs, lambda a, d: jnp.where(a >= 0, d, -d)),
    "jax.nn.relu": (jax.nn.relu, lambda a, d: jnp.where(a > 0, d, 0)),
    "product": (lambda a: jnp.prod(a, axis=1, keepdims=True), None),
    "maximum that shares": (lambda a: a.reshape(len(a), -1, 3).max(axis=2), None),
    "scan": (scanned, None),
    "loop": (lambda a: lax.fori_loop(0, 3, lambda i, c: 2 * c + a, a), lambda a, d: 15 * d),
    "branch": (lambda a: lax.cond(a.sum() > 0, lambda a: 2 * a, lambda a: 3 * a, a), None),
    "checkpoint": (jax.checkpoint(jnp.square), lambda a, d: 2 * a * d),
    "float32 inside": (lambda a: jnp.square(a.astype(jnp.float32)).astype(a.dtype), lambda a, d: 2 * a * d),
    "keeps nan": (lambda a: jnp.where(jnp.isfinite(a) & ~jnp.isnan(a), 2 * a, jnp.nan), lambda a, d: 2 * d),
}


@pytest.mark.parametrize("name", OWN)
def test_a_user_s_layer_of_sums_products_and_comparisons_is_exact(name):
    is_exact(check_exactly(entrywise(*OWN[name]), (6,)))


IMAGE_LAYERS = {
    "window maximum": lambda a: lax.reduce_window(a, -jnp.inf, lax.max, (1, 1, 2, 2), (1, 1, 2, 2), "VALID"),
    "window mean": lambda a: lax.reduce_window(a, 0.0, lax.add, (1, 1, 2, 2), (1, 1, 2, 2), "VALID") / 4,
    "convolution": lambda a: lax.conv_general_dilated(a, jnp.ones((3, 2, 2, 2), a.dtype), (2, 2), "SAME"),
}


@pytest.mark.parametrize("name", IMAGE_LAYERS)
def test_a_user_s_layer_of_windows_is_exact(name):
    is_exact(check_exactly(entrywise(IMAGE_LAYERS[name]), (2, 4, 4)))


@fnn.static
class Embedding:
    """Whole numbers among the params are no variables, and stay what `init` made them."""

    def init(self, key, shape):
        return {"W": jnp.ones((3, 2)), "table": jnp.array([2, 0])}, shape

    def forward(self, params, a):
        return a * params["W"][params["table"]].sum(axis=1)[None]

    def backward(self, params, a, delta):
        by_row = (delta * a).sum(axis=0)[:, None]
        nabla = jnp.zeros_like(params["W"]).at[params["table"]].add(by_row)
        return {"W": nabla, "table": params["table"]}, delta * params["W"][params["table"]].sum(axis=1)[None]


def test_params_may_have_whole_numbers_among_them():
    report = check_exactly((Embedding(), Dense(2)), (2,))
    is_exact(report)
    assert report.parts[0].entries == 6 + 4 * 2


# --- what is refused


def with_rule(a):
    @jax.custom_jvp
    def double(a):
        return 2 * a

    double.defjvp(lambda primals, tangents: (2 * primals[0], 3 * tangents[0]))
    return double(a)


REFUSED = {
    "Sigmoid": (Sigmoid(), (3,), r"layer 0, Sigmoid: the derivative of its forward has `logistic`.*use fnn.gradcheck"),
    "Tanh": (Tanh(), (3,), "has `tanh`"),
    "Softmax": (Softmax(), (3,), "layer 0, Softmax: the derivative of its forward has `"),
    "root": (entrywise(jnp.sqrt), (3,), "has `sqrt`"),
    "mean of three": (entrywise(lambda a: a.mean(axis=1, keepdims=True)), (3,), "has `div` by 3: only.*power of two"),
    "quotient": (entrywise(lambda a: a[:, :1] / (1 + a[:, 1:] ** 2)), (2,), "has `integer_pow` with exponent -2"),
    "power": (entrywise(lambda a: a**2.5), (2,), "has `pow`"),
    "slope": (
        LeakyReLU(0.01),
        (3,),
        "has `add_any` of up to 60 bits, where float64 has 53, even for the numbers -1, 0 and 1",
    ),
    "rounded and back": (entrywise(lambda a: ((a * a + 2.0**53) - 2.0**53) * a), (3,), "of up to 54 bits"),
    "a rule of its own": (
        entrywise(with_rule),
        (3,),
        "layer 0, Own: its forward brings its own derivative rule, double",
    ),
    "by_hand inside": (entrywise(lambda a: fnn.by_hand((ReLU(),))(((),), a)), (3,), "its own.*handwritten_gradient.py"),
    "NumPy": (
        entrywise(lambda a: 2 * a, lambda a, d: 2 * np.asarray(d)),
        (3,),
        r"layer 0, Own: JAX cannot trace its backward \(TracerArrayConversionError\)",
    ),
    "shapes": (
        entrywise(lambda a: 2 * a, lambda a, d: d[:, :1]),
        (3,),
        r"layer 0, Own: its backward returns the shapes .*\(4, 1\).*; expected .*\(4, 3\)",
    ),
    "a second layer": ((Dense(3), Sigmoid()), (3,), "layer 1, Sigmoid: the derivative"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_not_exact_is_refused_in_one_line(name):
    net, shape, message = REFUSED[name]
    with pytest.raises(InputError, match=message) as caught:
        check_exactly(net, shape)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"cost": CrossEntropy()}, "the cost, CrossEntropy: the derivative of its value has `"),
        ({"cost": Quadratic()}, "the cost, Quadratic: the derivative of its value has `logistic`"),
        ({"rows": 5}, "the cost, Quadratic: the derivative of its value has `div` by 5"),
        ({"lmbda": 0.1}, "the whole gradient: the derivative of its objective has `"),
    ],
)
def test_a_cost_or_a_penalty_that_rounds_is_refused(options, message):
    with pytest.raises(InputError, match=message):
        check_exactly((Dense(2),), (3,), **options)


def test_what_is_no_net_no_shape_and_no_number_is_refused_as_everywhere():
    with pytest.raises(TypeError, match="net is a list"):
        check_exactly([Dense(2)], (3,))
    with pytest.raises(TypeError, match=r"net\[0\] is the class Dense"):
        check_exactly(Dense, (3,))
    with pytest.raises(ValueError, match="Put Flatten"):
        check_exactly(Dense(2), (3, 3))
    with pytest.raises(ValueError, match=r"check_exactly\(rows=0\): expected at least 1"):
        check_exactly(Dense(2), (3,), rows=0)
    with pytest.raises(TypeError, match=r"check_exactly\(draws=2.5\)"):
        check_exactly(Dense(2), (3,), draws=2.5)


# --- what a pass is worth


def test_the_bound_is_that_of_schwartz_and_zippel_for_the_degree_of_the_rules():
    (part,) = check_exactly(Dense(4), (3,), draws=3).parts
    assert (part.degree, part.values, part.entries, part.pieces) == (2, 2049, 16 + 4 * 3, False)
    assert part.chance == (2 / 2049) * (2 / 5) * (2 / 2049)
    (kinked,) = check_exactly(ReLU(), (3,), draws=1).parts
    assert (kinked.degree, kinked.pieces, kinked.chance) == (1, True, 1 / 2049)
    assert check_exactly(Step(), (3,)).parts[0].degree == 0
    assert [part.degree for part in check_exactly((Dense(2), Dense(2)), (2,)).parts] == [2, 2, 1, 5]


def test_a_rule_by_hand_that_may_round_has_no_bound():
    @fnn.static
    class Roundabout(Identity):
        def df(self, z):
            return (z + 2.0**60) * 0 + 1

    (part,) = check_exactly(Roundabout(), (3,)).parts
    assert part.ok
    assert part.chance == 1
    assert "the rule by hand has `add` of up to" in str(part)


def test_the_report_is_frozen_fits_a_terminal_and_is_the_same_again():
    report = check_exactly((Dense(4), ReLU(), Dense(2)), (3,))
    with pytest.raises(dataclasses.FrozenInstanceError):
        report.parts = ()
    assert max(map(len, str(report).splitlines())) <= 80
    assert report == check_exactly((Dense(4), ReLU(), Dense(2)), (3,))
    assert str(report).splitlines()[-1] == "every entry is equal in 32 draws"


# --- campaigns


@LONG
@pytest.mark.parametrize("seed", range(12))
def test_a_random_net_is_exact(seed):
    rng = np.random.default_rng(seed)
    kinks = [ReLU(), LeakyReLU(0.25), Identity(), Step()]
    layers = [
        [Dense(int(rng.integers(1, 9))), Maxout(int(rng.integers(1, 5)), int(rng.integers(1, 4)))][rng.integers(2)]
        for _ in range(int(rng.integers(1, 4)))
    ]
    net = tuple(layer for affine in layers for layer in (affine, kinks[rng.integers(4)]))
    report = check_exactly(net, (int(rng.integers(1, 6)),), rows=2 ** int(rng.integers(0, 5)), lmbda=0.5, seed=seed)
    print(net, report)
    assert report.ok


EXACT = {"Dense", "Maxout", "ReLU", "Step", "Pool", "FanOut", "Product", "Sum"}
CATALOGUE = [
    m
    for m in mutations.MUTATIONS
    if {type(layer).__name__ for layer in m.setting.net} <= EXACT and m.guilty != len(m.setting.net)
]


@LONG
@pytest.mark.parametrize("mutation", CATALOGUE, ids=lambda m: m.name)
def test_every_planted_bug_of_the_catalogue_in_an_exact_net_is_found_in_its_layer(mutation):
    net = mutation.setting.net
    report = check_exactly(net, mutation.setting.x.shape[1:], gradient=mutation.gradient)
    wrong = [i for i, part in enumerate(report.parts[: len(net)]) if not part.ok]
    assert wrong == [mutation.guilty] * (mutation.guilty is not None)
    assert not report.parts[-1].ok


def test_the_catalogue_has_exact_nets():
    assert len(CATALOGUE) > 10
