"""Functions with right derivatives: custom rules, pairs of NumPy functions, Pallas kernels, losses.

Each value stands beside its derivative. `tests/helpers/planted_rules.py` has the same functions with wrong derivatives.
"""

import dataclasses
import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.experimental import pallas as pl

from tests.helpers.support import draw


class Case(NamedTuple):
    """What `fnn.check_vjp` takes."""

    f: Any
    args: tuple
    forward: Callable | None = None


def rule(value, backward):
    """`value` under a `custom_vjp` whose backward pass is `backward(*args, cotangent)`."""
    f = jax.custom_vjp(value)
    f.defvjp(lambda *args: (value(*args), args), lambda args, ct: backward(*args, ct))
    return f


def sigmoid(x):
    return 1 / (1 + jnp.exp(-x))


def softmax(z):
    e = jnp.exp(z - z.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def softmax_backward(z, ct):
    p = softmax(z)
    return (p * (ct - (ct * p).sum(axis=-1, keepdims=True)),)


def normalised(x):
    """Rows of mean 0 and variance 1, and the standard deviation of each row."""
    std = jnp.sqrt(x.var(axis=-1, keepdims=True) + 1e-5)
    return (x - x.mean(axis=-1, keepdims=True)) / std, std


def layer_norm(x, gain, bias):
    return normalised(x)[0] * gain[None] + bias[None]


def layer_norm_backward(x, gain, bias, ct):
    n, std = normalised(x)
    d = ct * gain[None]
    dx = (d - d.mean(axis=-1, keepdims=True) - n * (d * n).mean(axis=-1, keepdims=True)) / std
    return dx, (ct * n).sum(axis=0), ct.sum(axis=0)


def relu_dense(x, W):
    return jnp.maximum(x @ W.T, 0)


def relu_dense_backward(x, W, ct):
    d = jnp.where(x @ W.T > 0, ct, 0)
    return d @ W, d.T @ x


def dense(x, W, b):
    return x @ W.T + b[None]


def dense_backward(x, W, b, ct):
    return ct @ W, ct.T @ x, ct.sum(axis=0)


def relu(x):
    return jnp.maximum(x, 0)


def relu_backward(at_zero):
    """The derivative of `relu` that is `at_zero` at 0, where any number from 0 to 1 is right."""
    return lambda x, ct: (jnp.where(x > 0, ct, jnp.where(x < 0, 0, at_zero * ct)),)


def windows(x, size):
    """`(n, size)`: the windows of `size` numbers around each entry; there are zeros beyond the ends."""
    padded = jnp.pad(x, size // 2)
    return jnp.stack([padded[k : k + len(x)] for k in range(size)], axis=1)


def convolution(x, kernel):
    return windows(x, len(kernel)) @ kernel


def convolution_backward(x, kernel, ct):
    return windows(ct, len(kernel)) @ kernel[::-1], ct @ windows(x, len(kernel))


def images_convolution(x, kernels):
    dimensions = jax.lax.conv_dimension_numbers(x.shape, kernels.shape, ("NHWC", "HWIO", "NHWC"))
    return jax.lax.conv_general_dilated(x, kernels, (1, 1), "VALID", dimension_numbers=dimensions)


def images_convolution_backward(x, kernels, ct):
    h, w = kernels.shape[:2]
    padded = jnp.pad(ct, ((0, 0), (h - 1, h - 1), (w - 1, w - 1), (0, 0)))
    flipped = kernels[::-1, ::-1].transpose(0, 1, 3, 2)
    rows, columns = ct.shape[1:3]
    dk = [[jnp.einsum("nrci,nrco->io", x[:, a : a + rows, b : b + columns], ct) for b in range(w)] for a in range(h)]
    return images_convolution(padded, flipped), jnp.stack([jnp.stack(row) for row in dk])


def attention(q, k, v):
    return softmax(q @ k.T / len(q[0]) ** 0.5) @ v


def attention_backward(q, k, v, ct):
    scale = len(q[0]) ** -0.5
    p = softmax(q @ k.T * scale)
    dp = ct @ v.T
    ds = p * (dp - (dp * p).sum(axis=-1, keepdims=True)) * scale
    return ds @ k, ds.T @ q, p.T @ ct


class Cell(NamedTuple):
    """The parameters of a recurrent cell."""

    W: Any  # (units, n_in)
    U: Any  # (units, units)
    b: Any  # (units,)


def rnn(cell, xs, h):
    """The last state after the rows of `xs`."""
    for x in xs:
        h = jnp.tanh(cell.W @ x + cell.U @ h + cell.b)
    return h


def states(cell, xs, h):
    return [h, *(h := jnp.tanh(cell.W @ x + cell.U @ h + cell.b) for x in xs)]


def rnn_backward(cell, xs, h, ct, steps=None):
    """Back through the last `steps` rows; None is all of them, which is right."""
    hs, gradient, dxs = states(cell, xs, h), jax.tree.map(jnp.zeros_like, cell), jnp.zeros_like(xs)
    for t in reversed(range(len(xs))[-(steps or len(xs)) :]):
        d = ct * (1 - hs[t + 1] ** 2)
        gradient = jax.tree.map(jnp.add, gradient, Cell(jnp.outer(d, xs[t]), jnp.outer(d, hs[t]), d))
        dxs, ct = dxs.at[t].set(cell.W.T @ d), cell.U.T @ d
    return gradient, dxs, ct


def cross_entropy(z, labels):
    """The mean over the rows of `-log softmax(z)[label]`."""
    z = z - z.max(axis=-1, keepdims=True)
    return (jnp.log(jnp.exp(z).sum(axis=-1)) - z[jnp.arange(len(z)), labels]).mean()


def cross_entropy_backward(z, labels, ct):
    return ct * (softmax(z) - jnp.eye(z.shape[1], dtype=z.dtype)[labels]) / len(z), None


def log_sum_exp(x):
    return x.max() + jnp.log(jnp.exp(x - x.max()).sum())


def log_sum_exp_backward(x, ct):
    return (ct * softmax(x),)


def clipped(x):
    return jnp.clip(x, -1, 1)


def pallas_squares(x):
    """The sum of squares of every row, by a kernel that JAX cannot differentiate."""

    def kernel(x, out):
        out[...] = (x[...] ** 2).sum(axis=1)

    return pl.pallas_call(kernel, out_shape=jax.ShapeDtypeStruct(x.shape[:1], x.dtype), interpret=True)(x)


def squares(x):
    return (x**2).sum(axis=1)


def squares_backward(x, ct):
    return (2 * x * ct[:, None],)


def in_float32(x):
    return jnp.sin(x.astype("float32")).sum()


def in_float32_backward(x, ct):
    return ((ct * jnp.cos(x.astype("float32"))).astype(x.dtype),)


def numpy_mean_square(W, x, y):
    return np.square(x @ W.T - y).sum(axis=1).mean()


def numpy_mean_square_backward(W, x, y, ct):
    d = 2 * (x @ W.T - y) / len(x) * ct
    return d.T @ x, d @ W, -d


@functools.partial(jax.custom_vjp, nondiff_argnums=(0, 2))
def powered(name, x, k):
    """`name` is a constant text, `k` a constant number."""
    return x**k


powered.defvjp(lambda name, x, k: (x**k, x), lambda name, k, x, ct: (ct * k * x ** (k - 1),))


@jax.custom_jvp
def log1pexp(x):
    return jnp.log1p(jnp.exp(x))


log1pexp.defjvps(lambda dx, _, x: dx * sigmoid(x))


@jax.tree_util.register_dataclass
@dataclasses.dataclass
class Line:
    """A dataclass of the user's own."""

    slope: Any
    intercept: Any
    name: str = dataclasses.field(default="", metadata={"static": True})


def trees(params, line, pair):
    """Several outputs of a dict, a dataclass and a tuple."""
    z = params["W"] @ pair[0] + params["b"]["now"]
    return {"z": z, "line": (line.slope * pair[1] + line.intercept).sum()}


def trees_backward(params, line, pair, ct):
    dz, d = ct["z"], ct["line"]
    d_params = {"W": jnp.outer(dz, pair[0]), "b": {"now": dz}}
    d_line = Line(d * pair[1].sum(), d * len(pair[1]), line.name)
    return d_params, d_line, (params["W"].T @ dz, jnp.full_like(pair[1], d * line.slope))


X, W, B = draw(0, (5, 4), (3, 4), (3,))
GAIN, BIAS = draw(1, (4,), (4,))
TIES = np.array([-1.5, 0, 0.5, 0, 2], np.float32)
SIGNAL, KERNEL = draw(2, (12,), (5,))
IMAGES, KERNELS = draw(3, (2, 5, 5, 2), (3, 3, 2, 3))
QKV = draw(4, (5, 4), (6, 4), (6, 3))
CELL, XS, H = Cell(*draw(5, (3, 2), (3, 3), (3,))), *draw(6, (4, 2), (3,))
LABELS = np.array([0, 2, 1, 1, 3])
PARAMS = {"W": W, "b": {"now": B}}
LINE, PAIR = Line(np.float32(1.5), np.float32(-0.5), "a line"), draw(7, (4,), (6,))

RIGHT = {
    "layer norm": Case(rule(layer_norm, layer_norm_backward), (X, GAIN, BIAS)),
    "relu(x Wᵀ)": Case(rule(relu_dense, relu_dense_backward), (X, W)),
    "dense": Case(rule(dense, dense_backward), (X, W, B)),
    "convolution": Case(rule(convolution, convolution_backward), (SIGNAL, KERNEL)),
    "convolution of images": Case(rule(images_convolution, images_convolution_backward), (IMAGES, KERNELS)),
    "attention": Case(rule(attention, attention_backward), QKV),
    "recurrent cell": Case(rule(rnn, rnn_backward), (CELL, XS, H)),
    "cross-entropy of labels": Case(rule(cross_entropy, cross_entropy_backward), (X, LABELS)),
    "log-sum-exp": Case(rule(log_sum_exp, log_sum_exp_backward), (SIGNAL,)),
    "log-sum-exp of large numbers": Case(rule(log_sum_exp, log_sum_exp_backward), (100 * SIGNAL,)),
    "softmax that is summed, so that all derivatives are 0": Case(
        lambda z: rule(softmax, softmax_backward)(z).sum(), (X,)
    ),
    "softmax of one number": Case(rule(softmax, softmax_backward), (X[:, :1],)),
    "saturated sigmoid, whose autodiff is nan": Case(
        rule(sigmoid, lambda x, ct: (ct * sigmoid(x) * (1 - sigmoid(x)),)), (300 * SIGNAL,)
    ),
    "saturated cross-entropy": Case(
        rule(cross_entropy, cross_entropy_backward), (np.array([[50, -50, 0], [0, 1000, -1000.0]]), LABELS[:2] // 2)
    ),
    "clip": Case(rule(clipped, lambda x, ct: (jnp.where(jnp.abs(x) < 1, ct, 0),)), (SIGNAL,)),
    "Pallas kernel with forward": Case(rule(pallas_squares, squares_backward), (X,), squares),
    "Pallas kernel": Case(rule(pallas_squares, squares_backward), (X,)),
    "float32 inside": Case(rule(in_float32, in_float32_backward), (SIGNAL,)),
    "float32 inside, by autodiff": Case(in_float32, (SIGNAL,)),
    "pair of NumPy functions": Case((numpy_mean_square, numpy_mean_square_backward), (W, X, X @ W.T + 1)),
    "pair with one argument": Case((lambda x: np.sin(x), lambda x, ct: ct * np.cos(x)), (np.linspace(-1, 1, 5),)),
    "nondiff_argnums": Case(powered, ("cube", SIGNAL, 3)),
    "custom_jvp": Case(log1pexp, (SIGNAL,)),
    "jit around a custom_vjp": Case(jax.jit(rule(layer_norm, layer_norm_backward)), (X, GAIN, BIAS)),
    "a rule inside a loss": Case(lambda x, W: jnp.square(rule(relu_dense, relu_dense_backward)(x, W)).sum(), (X, W)),
    "trees": Case(rule(trees, trees_backward), (PARAMS, LINE, PAIR)),
    "JAX's own": Case(jax.nn.silu, (SIGNAL,)),
}
