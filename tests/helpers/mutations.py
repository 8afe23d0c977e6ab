"""Planted bugs, as data: each a small edit of a rule, in a setting where it matters.

A mutation of a layer or a cost is a class with a right `forward` or `value` and a wrong `backward` or `delta`, as a
user would write one; `guilty` says where it sits in the net of its setting. Any other mutation is a `gradient` (or a
`penalised`, or an optimiser) to be put in the place of ours. `E1` and so on are the errata of the lecture notes that
are gradient rules, as written there.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

import fnn
from fnn import (
    SGD,
    Conv,
    ConvPool,
    CrossEntropy,
    Dense,
    Flatten,
    LeakyReLU,
    LogLikelihood,
    Maxout,
    MaxPool,
    Quadratic,
    ReLU,
    Sigmoid,
    Softmax,
    Step,
    Tanh,
    backprop,
)
from fnn.checking import included, l2

LMBDA, ETA, MU = 0.1, 0.5, 0.9


@fnn.static
class Pool:
    """The largest of each pair of neighbours; the first of equals."""

    def init(self, key, shape):
        return (), (shape[0] // 2,)

    def forward(self, params, a):
        pairs = a.reshape(len(a), -1, 2)
        return jnp.take_along_axis(pairs, pairs.argmax(axis=2, keepdims=True), axis=2)[:, :, 0]

    def backward(self, params, a, delta):
        pairs = a.reshape(len(a), -1, 2)
        wins = pairs.argmax(axis=2)[:, :, None] == jnp.arange(2)[None, None, :]
        return (), jnp.where(wins, delta[:, :, None], 0).reshape(a.shape)


@fnn.static
class Product:
    """The product gate of the first and second half of the inputs."""

    def init(self, key, shape):
        return (), (shape[0] // 2,)

    def forward(self, params, a):
        u, v = jnp.split(a, 2, axis=1)
        return u * v

    def backward(self, params, a, delta):
        u, v = jnp.split(a, 2, axis=1)
        return (), jnp.concatenate([delta * v, delta * u], axis=1)


@fnn.static
class Sum:
    """The sum gate: all inputs of an example."""

    def init(self, key, shape):
        return (), (1,)

    def forward(self, params, a):
        return a.sum(axis=1, keepdims=True)

    def backward(self, params, a, delta):
        return (), jnp.ones_like(a) * delta


@fnn.static
class FanOut:
    """Every input twice: as its square and as its cube (E11)."""

    def init(self, key, shape):
        return (), (2 * shape[0],)

    def forward(self, params, a):
        return jnp.concatenate([a**2, a**3], axis=1)

    def backward(self, params, a, delta):
        y, z = jnp.split(delta, 2, axis=1)
        return (), y * 2 * a + z * 3 * a**2


class Setting(NamedTuple):
    """A net at a point, with its data."""

    net: tuple
    cost: Any
    params: Any
    x: np.ndarray  # (5, *shape)
    y: np.ndarray  # (5, n_out)


def setting(net, cost, n_in, n_out):
    return setting_of_images(net, cost, (n_in,), n_out)


def setting_of_images(net, cost, shape, n_out):
    rng = np.random.default_rng(7)
    shapes = jax.eval_shape(lambda key: fnn.init(net, key, shape), jax.random.key(0))
    params = jax.tree.map(lambda leaf: rng.standard_normal(leaf.shape), shapes)
    return Setting(net, cost, params, rng.standard_normal((5, *shape)), np.eye(n_out)[np.arange(5) % n_out])


def zeros_in(setting, layer):
    """The setting with the params of one layer 0: every unit at its tie."""
    params = list(setting.params)
    params[layer] = jax.tree.map(np.zeros_like, params[layer])
    return setting._replace(params=tuple(params))


SMOOTH = setting((Dense(4), Sigmoid(), Dense(4), Tanh(), Dense(3)), CrossEntropy(), 4, 3)
KINKED = setting((Dense(4), LeakyReLU(0.1), Maxout(4, 3), ReLU(), Dense(3)), LogLikelihood(), 3, 3)
SOFT = setting((Dense(4), Softmax(), Dense(3)), Quadratic(Sigmoid()), 3, 3)
QUADRATIC_SOFTMAX = setting((Dense(3),), Quadratic(Softmax()), 4, 3)
STEPS = setting((Dense(4), Step(), Dense(3)), CrossEntropy(), 3, 3)
POOLED = setting((Dense(6), Pool(), Dense(3)), CrossEntropy(), 3, 3)
GATES = setting((Dense(4), FanOut(), Product(), Dense(3), Sum()), Quadratic(Sigmoid()), 3, 1)
IMAGES = setting_of_images(
    (Conv(2, 2), Tanh(), Conv(3, 2), Sigmoid(), MaxPool(2), Flatten(), Dense(3)), CrossEntropy(), (2, 6, 6), 3
)
IMAGES_POOLED = setting_of_images(
    (Conv(2, 2), Tanh(), ConvPool(3, 2, 2), Sigmoid(), Flatten(), Dense(3)), CrossEntropy(), (2, 6, 6), 3
)
LEAKY_TIES = zeros_in(setting((Dense(4), LeakyReLU(0.1), Dense(3)), CrossEntropy(), 3, 3), 0)
RELU_TIES = zeros_in(setting((Dense(4), ReLU(), Dense(3)), CrossEntropy(), 3, 3), 0)
MAXOUT_TIES = zeros_in(setting((Maxout(4, 3), Dense(3)), CrossEntropy(), 3, 3), 0)
POOL_TIES = zeros_in(POOLED, 0)
GATE_AT_ZERO = zeros_in(GATES, 0)
IMAGE_TIES = zeros_in(IMAGES, 2)
IMAGES_POOLED_TIES = zeros_in(IMAGES_POOLED, 2)
SETTINGS = {
    "smooth": SMOOTH,
    "kinked": KINKED,
    "soft": SOFT,
    "quadratic softmax": QUADRATIC_SOFTMAX,
    "steps": STEPS,
    "pooled": POOLED,
    "gates": GATES,
    "images": IMAGES,
    "images pooled": IMAGES_POOLED,
    "leaky ties": LEAKY_TIES,
    "relu ties": RELU_TIES,
    "maxout ties": MAXOUT_TIES,
    "pool ties": POOL_TIES,
    "gate at zero": GATE_AT_ZERO,
    "image ties": IMAGE_TIES,
    "images pooled ties": IMAGES_POOLED_TIES,
}


class Mutation(NamedTuple):
    """A wrong rule, and where it is tried."""

    name: str
    setting: Setting
    gradient: Callable = backprop
    penalised: Callable = l2
    guilty: int | None = None  # the one wrong layer; the number of layers: the cost; None: no layer is wrong


def layer(name, setting, at, wrong):
    """A mutation of the backward pass of the layer at one place, with `wrong(right, params, a, delta)`."""
    right = setting.net[at]

    class Wrong:
        def init(self, key, shape):
            return right.init(key, shape)

        def forward(self, params, a):
            return right.forward(params, a)

        def backward(self, params, a, delta):
            return wrong(right, params, a, delta)

    net = (*setting.net[:at], named_like(right, Wrong), *setting.net[at + 1 :])

    def gradient(_, cost, params, x, y):
        return backprop(net, cost, params, x, y)

    return Mutation(name, setting._replace(net=net), gradient, guilty=at)


def named_like(right, cls):
    """An instance of the class, under the name of the right one."""
    cls.__name__ = cls.__qualname__ = type(right).__name__
    return fnn.static(cls)()


def activation(name, setting, at, df):
    """A mutation of an elementwise derivative: `delta * df(z)`."""
    return layer(name, setting, at, lambda right, params, a, delta: ((), delta * df(a)))


def nabla(name, setting, at, edit):
    """A mutation of what a layer says about its own params: `edit(nabla, a, delta)`."""

    def wrong(right, params, a, delta):
        nabla, delta_prev = right.backward(params, a, delta)
        return edit(nabla, a, delta), delta_prev

    return layer(name, setting, at, wrong)


def passed(name, setting, at, edit):
    """A mutation of the delta that leaves a layer: `edit(params, a, delta)`."""

    def wrong(right, params, a, delta):
        return right.backward(params, a, delta)[0], edit(params, a, delta)

    return layer(name, setting, at, wrong)


def cost(name, setting, delta):
    """A mutation of the first delta: `delta(z, a, y)`."""

    class Wrong:
        def output(self, z):
            return setting.cost.output(z)

        def value(self, z, y):
            return setting.cost.value(z, y)

        def delta(self, z, y):
            return delta(z, setting.cost.output(z), y)

    wrong = named_like(setting.cost, Wrong)

    def gradient(net, _, params, x, y):
        return backprop(net, wrong, params, x, y)

    return Mutation(name, setting._replace(cost=wrong), gradient, guilty=len(setting.net))


def whole(name, setting, edit):
    """A mutation of the whole gradient: `edit(gradient, params)`."""

    def gradient(net, cost, params, x, y):
        value, right = backprop(net, cost, params, x, y)
        return value, edit(right, params)

    return Mutation(name, setting, gradient)


def entry(name, setting, at, leaf, edit):
    """A mutation of one leaf: `edit(array)`."""
    return whole(
        name,
        setting,
        lambda g, params: (*g[:at], g[at]._replace(**{leaf: edit(getattr(g[at], leaf))}), *g[at + 1 :]),
    )


def penalty(name, rule):
    return Mutation(name, SMOOTH, penalised=rule)


def on_weights(rule):
    """`rule(g, p, lmbda)` at every `W`."""

    def penalised(params, gradient, lmbda):
        return jax.tree.map_with_path(
            lambda path, p, g: rule(g, p, lmbda) if path[-1].name == "W" else g, params, gradient
        )

    return penalised


def unpenalised(params, gradient, lmbda):
    return gradient


def penalised_biases(params, gradient, lmbda):
    return jax.tree.map(lambda p, g: g + lmbda * p, params, gradient)


def optimizer(name, update):
    """A mutation of an optimiser: the gradient that its step follows, `(μ v − (p' − p))/η` by the documented rule."""

    def gradient(net, cost, params, x, y):
        value, g = backprop(net, cost, params, x, y)
        v = jax.tree.map(lambda p: 0.3 * p + 0.1, params)
        new, _ = update(SGD(ETA, MU, LMBDA), params, v, g)
        return value, jax.tree.map(lambda v, new, p: (MU * v - (new - p)) / ETA, v, new, params)

    return Mutation(name, SMOOTH, gradient, included)


def update_with(velocity):
    """The step `p + velocity(v, g)`, with `g` the penalised gradient."""

    def update(sgd, params, v, g):
        v = jax.tree.map(velocity, v, sgd.penalised(params, g))
        return jax.tree.map(jnp.add, params, v), v

    return update


def off_by_one(net, cost, params, x, y):
    """Every nabla from the activation that leaves its layer's predecessor's input: a layer too early."""
    value, g = backprop(net, cost, params, x, y)
    inputs, deltas = fnn.activations(net, params, x), fnn.deltas(net, cost, params, x, y)
    return value, (*g[:2], g[2]._replace(W=deltas[2].T @ inputs[1]), *g[3:])


def accumulated(net, cost, params, x, y):
    """E15: the accumulators keep what an earlier step, from other parameters, left in them."""
    value, g = backprop(net, cost, params, x, y)
    earlier = backprop(net, cost, jax.tree.map(lambda p: 1.1 * p, params), x, y)[1]
    return value, jax.tree.map(jnp.add, g, earlier)


def stale(net, cost, params, x, y):
    """The deltas below a layer go back through its weights after their update, not before."""
    value, g = backprop(net, cost, params, x, y)
    updated = (*params[:-1], jax.tree.map(lambda p, g: p - ETA * g, params[-1], g[-1]))
    inputs = fnn.activations(net, params, x)
    delta = cost.delta(inputs[-1], y)
    nablas = []
    for layer, p, a in zip(net[::-1], updated[::-1], inputs[-2::-1], strict=True):
        nabla, delta = layer.backward(p, a, delta)
        nablas.append(nabla)
    return value, tuple(nablas[::-1])


def maxout(name, setting, at, share):
    """A mutation of the routing: `share(z)` is the part of delta for each piece, `(n, k, n_out)`."""

    def wrong(right, params, a, delta):
        routed = share(right.affine(params, a)).astype(a.dtype) * delta[:, None, :]
        W = jnp.einsum("nko,ni->koi", routed, a)
        return params._replace(W=W, b=routed.sum(axis=0)), jnp.einsum("nko,koi->ni", routed, params.W)

    return layer(name, setting, at, wrong)


def pool(name, setting, share):
    def wrong(right, params, a, delta):
        pairs = a.reshape(len(a), -1, 2)
        return (), (share(pairs).astype(a.dtype) * delta[:, :, None]).reshape(a.shape)

    return layer(name, setting, 1, wrong)


def mean_pool(right, params, a, delta):
    """The backward pass of a layer that takes the mean where `ConvPool` takes the maximum."""

    def forward(params, a):
        z = Conv(right.filters, right.size).forward(params, a)
        squares = z.reshape(*z.shape[:2], z.shape[2] // right.pool, right.pool, z.shape[3] // right.pool, right.pool)
        return squares.mean(axis=(3, 5))

    return jax.vjp(forward, params, a)[1](delta)


def first_position(right, params, a, delta):
    """The weights are told of one position alone."""
    nabla, delta_prev = right.backward(params, a, delta)
    return right.backward(params, a, delta.at[:, :, 1:].set(0).at[:, :, :, 1:].set(0))[0]._replace(
        b=nabla.b
    ), delta_prev


def turned_back(right, params, a, delta):
    """A convolution on the way back where a correlation belongs."""
    turned = params._replace(W=params.W[..., ::-1, ::-1])
    return right.backward(params, a, delta)[0], right.backward(turned, a, delta)[1]


def back(setting, at, params, a, delta):
    """The right delta that leaves a layer."""
    return setting.net[at].backward(params, a, delta)[1]


def spread(delta):
    """To every pixel of a square of four."""
    return jnp.repeat(jnp.repeat(delta, 2, axis=2), 2, axis=3)


def in_reverse(right, params, a, delta):
    """The backward pass from the other corner: of equal pixels the last one wins."""
    turned = params if params == () else params._replace(W=params.W[..., ::-1, ::-1])
    nabla, delta_prev = right.backward(turned, a[..., ::-1, ::-1], delta[..., ::-1, ::-1])
    return nabla if params == () else nabla._replace(W=nabla.W[..., ::-1, ::-1]), delta_prev[..., ::-1, ::-1]


def last_winner(z, axis):
    """One-hot at the last of the largest along `axis`."""
    tied = z == z.max(axis=axis, keepdims=True)
    seen = jnp.flip(jnp.cumsum(jnp.flip(tied, axis), axis), axis)
    return tied & (seen == 1)


def sigma(z):
    return jax.nn.sigmoid(z)


def d_sigma(z):
    return sigma(z) * (1 - sigma(z))


def d_tanh(z):
    return 1 - jnp.tanh(z) ** 2


def n_of(z):
    return z.shape[0]


MUTATIONS = (
    # the affine layer
    passed("W instead of its transpose", SMOOTH, 2, lambda p, a, d: d @ p.W.T),
    passed("delta is not propagated", SMOOTH, 2, lambda p, a, d: jnp.zeros_like(a)),
    passed("delta passes without W", SMOOTH, 2, lambda p, a, d: d),
    passed("delta passes through the sizes of W", SMOOTH, 4, lambda p, a, d: d @ jnp.abs(p.W)),
    passed("E13: each unit from its own predecessor only", SMOOTH, 2, lambda p, a, d: d * jnp.diag(p.W)[None]),
    passed("delta of the last unit is lost", SMOOTH, 4, lambda p, a, d: d[:, :-1] @ p.W[:-1]),
    nabla("E2: nabla W is transposed", SMOOTH, 2, lambda g, a, d: g._replace(W=g.W.T)),
    nabla("E1: nabla W has equal rows", SMOOTH, 2, lambda g, a, d: g._replace(W=jnp.tile((d * a).sum(0), (4, 1)))),
    nabla("nabla W: the mean over rows, 1/n twice", SMOOTH, 0, lambda g, a, d: g._replace(W=g.W / n_of(a))),
    nabla("nabla W: 1/n undone", SMOOTH, 4, lambda g, a, d: g._replace(W=g.W * n_of(a))),
    nabla("nabla b: the mean over rows", SMOOTH, 2, lambda g, a, d: g._replace(b=d.mean(axis=0))),
    nabla("nabla b is 0", SMOOTH, 0, lambda g, a, d: g._replace(b=jnp.zeros_like(g.b))),
    nabla("nabla b has the wrong sign", SMOOTH, 4, lambda g, a, d: g._replace(b=-g.b)),
    nabla("nabla b of one unit for all", SMOOTH, 2, lambda g, a, d: g._replace(b=jnp.full_like(g.b, g.b.sum()))),
    nabla("E23: one example instead of the mean", SMOOTH, 0, lambda g, a, d: g._replace(W=n_of(a) * d[:1].T @ a[:1])),
    nabla("the last example is dropped", SMOOTH, 4, lambda g, a, d: g._replace(W=d[:-1].T @ a[:-1])),
    nabla("E23: only x_1", SMOOTH, 0, lambda g, a, d: g._replace(W=jnp.ones_like(g.W) * (d.T @ a[:, :1]))),
    nabla("examples of a and delta out of step", SMOOTH, 2, lambda g, a, d: g._replace(W=d.T @ jnp.roll(a, 1, axis=0))),
    nabla("units of a and delta out of step", SMOOTH, 2, lambda g, a, d: g._replace(W=jnp.roll(g.W, 1, axis=1))),
    Mutation("off by one: nabla from the layer before's activation", SMOOTH, off_by_one),
    Mutation("E15: accumulators are not zeroed", SMOOTH, accumulated),
    Mutation("weights are updated before delta goes back", SMOOTH, stale),
    # activations
    activation("sigmoid: σ' is omitted", SMOOTH, 1, jnp.ones_like),
    activation("sigmoid: σ (1 + σ)", SMOOTH, 1, lambda z: sigma(z) * (1 + sigma(z))),
    activation("sigmoid: z (1 − z), a taken for σ(z)", SMOOTH, 1, lambda z: z * (1 - z)),
    activation("sigmoid: σ' at a, not z", SMOOTH, 1, lambda z: d_sigma(sigma(z))),
    activation("sigmoid: σ' twice", SMOOTH, 1, lambda z: d_sigma(z) ** 2),
    activation("sigmoid: σ' from below at 0.01", SMOOTH, 1, lambda z: jnp.maximum(d_sigma(z), 0.1)),
    activation("E25: f' of the first unit for all", SMOOTH, 1, lambda z: d_sigma(z[:, :1]) * jnp.ones_like(z)),
    activation("tanh: 1 − t", SMOOTH, 3, lambda z: 1 - jnp.tanh(z)),
    activation("tanh: 1 + t²", SMOOTH, 3, lambda z: 1 + jnp.tanh(z) ** 2),
    activation("tanh: 1 − z²", SMOOTH, 3, lambda z: 1 - z**2),
    activation("tanh: the derivative of σ", SMOOTH, 3, d_sigma),
    activation("tanh: right to five digits", SMOOTH, 3, lambda z: d_tanh(z) * (1 + 1e-5)),
    activation("ReLU: 1 everywhere", KINKED, 3, jnp.ones_like),
    activation("ReLU: the wrong side", KINKED, 3, lambda z: jnp.where(z < 0, 1.0, 0.0)),
    activation("ReLU: z itself", KINKED, 3, lambda z: jnp.where(z > 0, z, 0.0)),
    activation("ReLU: 1 at the kink", RELU_TIES, 1, lambda z: jnp.where(z >= 0, 1.0, 0.0)),
    activation("ReLU: 1/2 at the kink", RELU_TIES, 1, lambda z: jnp.where(z == 0, 0.5, jnp.where(z > 0, 1.0, 0.0))),
    activation("leaky ReLU: 0 on the left", KINKED, 1, lambda z: jnp.where(z > 0, 1.0, 0.0)),
    activation("leaky ReLU: slope on both sides", KINKED, 1, lambda z: jnp.full_like(z, 0.1)),
    activation("leaky ReLU: slope of the default", KINKED, 1, lambda z: jnp.where(z > 0, 1.0, 0.01)),
    activation("leaky ReLU: 1 at the kink", LEAKY_TIES, 1, lambda z: jnp.where(z >= 0, 1.0, 0.1)),
    activation("step: a straight-through gradient", STEPS, 1, jnp.ones_like),
    layer("softmax: the diagonal of its Jacobian only", SOFT, 1, lambda r, p, a, d: ((), d * d_soft(a))),
    layer("softmax: s ⊙ δ", SOFT, 1, lambda r, p, a, d: ((), d * jax.nn.softmax(a))),
    layer("softmax: omitted", SOFT, 1, lambda r, p, a, d: ((), d)),
    layer("softmax: sums over examples", SOFT, 1, lambda r, p, a, d: ((), softmax_over(a, d, 0))),
    layer("softmax: the off-diagonal has the wrong sign", SOFT, 1, lambda r, p, a, d: ((), softmax_plus(a, d))),
    # maxout and pooling
    maxout("maxout: the second winner", KINKED, 2, lambda z: z == jnp.sort(z, axis=1)[:, -2:-1]),
    maxout("maxout: all pieces", KINKED, 2, jnp.ones_like),
    maxout("maxout: shared by the pieces", KINKED, 2, lambda z: jnp.full_like(z, 1 / 3)),
    maxout(
        "maxout: always the first piece", KINKED, 2, lambda z: jnp.ones_like(z) * jnp.array([1.0, 0, 0])[None, :, None]
    ),
    maxout("maxout: the smallest", KINKED, 2, lambda z: z == z.min(axis=1, keepdims=True)),
    maxout("maxout: the last of equals", MAXOUT_TIES, 0, lambda z: last_winner(z, 1)),
    maxout("maxout: all of the equal", MAXOUT_TIES, 0, lambda z: z == z.max(axis=1, keepdims=True)),
    nabla("maxout: the bias gets it for all pieces", KINKED, 2, lambda g, a, d: g._replace(b=g.b * 0 + d.sum(0)[None])),
    pool("E24: pooling, to all of the equal", POOL_TIES, lambda z: z == z.max(axis=2, keepdims=True)),
    pool("pooling: split among the equal", POOL_TIES, lambda z: jnp.full_like(z, 0.5)),
    pool("pooling: the last of equals", POOL_TIES, lambda z: last_winner(z, 2)),
    pool("pooling: to all", POOLED, jnp.ones_like),
    pool("pooling: as of a mean", POOLED, lambda z: jnp.full_like(z, 0.5)),
    pool("pooling: to the loser", POOLED, lambda z: z == z.min(axis=2, keepdims=True)),
    # convolution: the second convolution of its net, so that the delta which leaves it matters
    nabla("convolution: turned filters", IMAGES, 2, lambda g, a, d: g._replace(W=g.W[..., ::-1, ::-1])),
    nabla("convolution: rows for columns", IMAGES, 2, lambda g, a, d: g._replace(W=g.W.swapaxes(2, 3))),
    nabla("convolution: channels in reverse", IMAGES, 2, lambda g, a, d: g._replace(W=g.W[:, ::-1])),
    nabla("convolution: a mean over positions", IMAGES, 2, lambda g, a, d: g._replace(W=g.W / d[0, 0].size)),
    nabla("convolution: the bias of one position", IMAGES, 2, lambda g, a, d: g._replace(b=d[:, :, 0, 0].sum(axis=0))),
    nabla(
        "convolution: one weight of a filter", IMAGES, 2, lambda g, a, d: g._replace(W=g.W.at[1, 0, 1, 1].mul(1.001))
    ),
    layer("convolution: the first position only", IMAGES, 2, lambda r, p, a, d: first_position(r, p, a, d)),
    layer("convolution: turned filters on the way back", IMAGES, 2, lambda r, p, a, d: turned_back(r, p, a, d)),
    passed(
        "convolution: delta a pixel aside", IMAGES, 2, lambda p, a, d: jnp.roll(back(IMAGES, 2, p, a, d), 1, axis=3)
    ),
    passed("convolution: one filter's delta", IMAGES, 2, lambda p, a, d: back(IMAGES, 2, p, a, d.at[:, 1:].set(0))),
    layer("image pooling: the last of equals", IMAGE_TIES, 4, in_reverse),
    layer("image pooling: to all", IMAGES, 4, lambda r, p, a, d: ((), spread(d))),
    layer("image pooling: as of a mean", IMAGES, 4, lambda r, p, a, d: ((), spread(d) / 4)),
    layer("image pooling: rows for columns", IMAGES, 4, lambda r, p, a, d: r.backward(p, a, d.swapaxes(2, 3))),
    layer("pooled convolution: as of a mean", IMAGES_POOLED, 2, mean_pool),
    layer("pooled convolution: the last of equals", IMAGES_POOLED_TIES, 2, in_reverse),
    nabla("pooled convolution: a mean over positions", IMAGES_POOLED, 2, lambda g, a, d: g._replace(W=g.W / 4)),
    layer(
        "flatten: columns first", IMAGES, 5, lambda r, p, a, d: ((), d.reshape(a.swapaxes(2, 3).shape).swapaxes(2, 3))
    ),
    # gates
    layer("E9: a product divided by its input", GATE_AT_ZERO, 2, lambda r, p, a, d: ((), product_over_input(r, a, d))),
    layer("product: its own input, not the other", GATES, 2, lambda r, p, a, d: ((), jnp.concatenate([d, d], 1) * a)),
    layer("E10: a sum that shares, 1/r", GATES, 4, lambda r, p, a, d: ((), jnp.ones_like(a) * d / a.shape[1])),
    layer("E11: one of two branches", GATES, 1, lambda r, p, a, d: ((), jnp.split(d, 2, axis=1)[1] * 3 * a**2)),
    # costs
    cost("cross-entropy: with σ'", SMOOTH, lambda z, a, y: (a - y) * a * (1 - a) / n_of(z)),
    cost("the opposite sign", SMOOTH, lambda z, a, y: (y - a) / n_of(z)),
    cost("1/n is missing", SMOOTH, lambda z, a, y: a - y),
    cost("1/n twice", SMOOTH, lambda z, a, y: (a - y) / n_of(z) ** 2),
    cost("1/(n − 1)", SMOOTH, lambda z, a, y: (a - y) / (n_of(z) - 1)),
    cost("a mean over the outputs", SMOOTH, lambda z, a, y: (a - y) / n_of(z) / y.shape[1]),
    cost("E5: the cost without its minus", SMOOTH, lambda z, a, y: -(a - y) / n_of(z)),
    cost("E12: (a − y)/a + (1 − y)/(1 − a)", SMOOTH, lambda z, a, y: ((a - y) / a + (1 - y) / (1 - a)) / n_of(z)),
    cost("E22: a − ŷ", SMOOTH, lambda z, a, y: (a - sigma(z)) / n_of(z)),
    cost("E26: the size of the error, unsigned", SMOOTH, lambda z, a, y: jnp.abs(a - y) / n_of(z)),
    cost("quadratic: f' is omitted", SOFT, lambda z, a, y: (a - y) / n_of(z)),
    cost("E4: quadratic, the 1/2 is missing", SOFT, lambda z, a, y: 2 * (a - y) * a * (1 - a) / n_of(z)),
    cost("quadratic: σ' at a, not z", SOFT, lambda z, a, y: (a - y) * d_sigma(a) / n_of(z)),
    cost("quadratic of softmax: the diagonal only", QUADRATIC_SOFTMAX, lambda z, a, y: (a - y) * a * (1 - a) / n_of(z)),
    cost("log-likelihood: −y/a", KINKED, lambda z, a, y: -y / a / n_of(z)),
    cost("log-likelihood: only the true class", KINKED, lambda z, a, y: (a - 1) * y / n_of(z)),
    cost("E6: softmax of the outputs, not of z", KINKED, lambda z, a, y: (jax.nn.softmax(a) - y) / n_of(z)),
    cost("labels of another row", KINKED, lambda z, a, y: (a - jnp.roll(y, 1, axis=0)) / n_of(z)),
    # the penalty
    penalty("L2 is omitted", unpenalised),
    penalty("biases decay too", penalised_biases),
    penalty("L2 has the wrong sign", on_weights(lambda g, p, lmbda: g - lmbda * p)),
    penalty("L2 without the 1/2", on_weights(lambda g, p, lmbda: g + 2 * lmbda * p)),
    penalty("λ/n", on_weights(lambda g, p, lmbda: g + lmbda / 5 * p)),
    penalty("L1", on_weights(lambda g, p, lmbda: g + lmbda * jnp.sign(p))),
    penalty("the last layer is not penalised", lambda p, g, lmbda: (*l2(p, g, lmbda)[:-1], g[-1])),
    # the step
    optimizer("momentum has the wrong sign", update_with(lambda v, g: -MU * v - ETA * g)),
    optimizer("momentum is forgotten", update_with(lambda v, g: -ETA * g)),
    optimizer("momentum times η", update_with(lambda v, g: ETA * (MU * v - g))),
    optimizer("uphill", update_with(lambda v, g: MU * v + ETA * g)),
    optimizer("the velocity's 1 − μ", update_with(lambda v, g: MU * v - ETA * (1 - MU) * g)),
    optimizer("η without a penalty", lambda sgd, p, v, g: SGD(ETA, MU).update(p, v, g)),
    # a small part of it
    entry("one weight, relative 1e-4", SMOOTH, 0, "W", lambda W: W.at[1, 2].multiply(1 + 1e-4)),
    entry("one weight of the last layer, relative 1e-4", SMOOTH, 4, "W", lambda W: W.at[2, 0].multiply(1 - 1e-4)),
    entry("the weight with the smallest gradient, 1e-4", SMOOTH, 2, "W", lambda W: smallest(W, 1e-4)),
    entry("one weight with the opposite sign", SMOOTH, 2, "W", lambda W: W.at[0, 3].multiply(-1)),
    entry("one weight of a kinked net, relative 1e-4", KINKED, 2, "W", lambda W: largest(W, 1e-4)),
    entry("one unit's row is 0", SMOOTH, 0, "W", lambda W: W.at[2].set(0)),
    entry("one unit's row is doubled", SMOOTH, 4, "W", lambda W: W.at[1].multiply(2)),
    entry("one unit's bias is 0", SMOOTH, 2, "b", lambda b: b.at[3].set(0)),
    entry("two units are swapped", SMOOTH, 2, "W", lambda W: W.at[jnp.array([0, 1])].set(W[jnp.array([1, 0])])),
    whole("clipped", SMOOTH, lambda g, params: jax.tree.map(lambda g: jnp.clip(g, -0.05, 0.05), g)),
    whole("rounded to half precision", SMOOTH, lambda g, params: jax.tree.map(lambda g: g.astype("float16"), g)),
)


def d_soft(z):
    s = jax.nn.softmax(z)
    return s * (1 - s)


def softmax_over(z, d, axis):
    s = jax.nn.softmax(z)
    return s * (d - (d * s).sum(axis=axis, keepdims=True))


def softmax_plus(z, d):
    s = jax.nn.softmax(z)
    return s * (d + (d * s).sum(axis=1, keepdims=True) - 2 * d * s)


def product_over_input(right, a, d):
    out = right.forward((), a)
    return jnp.concatenate([d * out, d * out], axis=1) / a


def smallest(W, relative):
    at = jnp.unravel_index(jnp.abs(W).argmin(), W.shape)
    return W.at[at].multiply(1 + relative)


def largest(W, relative):
    at = jnp.unravel_index(jnp.abs(W).argmax(), W.shape)
    return W.at[at].multiply(1 + relative)
