"""Wrong derivatives as people write them: functions of `tests/helpers/rules.py` and others, with their mistakes."""

import jax
import jax.numpy as jnp
import numpy as np

from tests.helpers import rules
from tests.helpers.rules import (
    BIAS,
    CELL,
    GAIN,
    IMAGES,
    KERNEL,
    KERNELS,
    LABELS,
    LINE,
    PAIR,
    PARAMS,
    QKV,
    SIGNAL,
    XS,
    Case,
    H,
    W,
    X,
    rule,
    sigmoid,
    softmax,
)
from tests.helpers.support import draw

SQUARE, SIDE = draw(8, (4, 4), (5, 4))
PAIRED = draw(10, (6,), (6,))
LONG = np.random.default_rng(9).standard_normal(1000).astype(np.float32)
MANY = np.random.default_rng(11).standard_normal(10_000).astype(np.float32)
ROWS = np.array([0, 2, 2, 1])  # one row is taken twice


def planted(value, backward, *args):
    return Case(rule(value, backward), args)


def elementwise(f, df, *args):
    """A function of one array with a wrong derivative `df`."""
    return planted(f, lambda x, ct: (ct * df(x),), *(args or (SIGNAL,)))


def changed(backward, change):
    """A right backward pass whose derivatives are changed by `change(*derivatives)`."""
    return lambda *args: change(*backward(*args))


def layer_norm(terms, gain_used=True, ddof=0, args=(X, GAIN, BIAS)):
    """Layer norm whose dx lacks the terms that are not among `terms`, or the gain, or counts n - ddof entries."""

    def backward(x, gain, bias, ct):
        _, d_gain, d_bias = rules.layer_norm_backward(x, gain, bias, ct)
        n, std = rules.normalised(x)
        d = ct * gain[None] if gain_used else ct
        m = x.shape[-1] - ddof
        parts = {"mean": d.sum(axis=-1, keepdims=True) / m, "var": n * (d * n).sum(axis=-1, keepdims=True) / m}
        return (d - sum(parts[term] for term in terms)) / std, d_gain, d_bias

    return planted(rules.layer_norm, backward, *args)


def attention(scale_dk=True, rank_one=True, axis=-1):
    def backward(q, k, v, ct):
        scale = len(q[0]) ** -0.5
        p = softmax(q @ k.T * scale)
        dp = ct @ v.T
        ds = p * (dp - (dp * p).sum(axis=axis, keepdims=True) * float(rank_one)) * scale
        return ds @ k, ds.T @ q / (1.0 if scale_dk else scale), p.T @ ct

    return planted(rules.attention, backward, *QKV)


def wrapped_windows(x, size):
    """The windows of a circle, not of a line with zeros beyond its ends."""
    return jnp.stack([jnp.roll(x, size // 2 - k) for k in range(size)], axis=1)


def late_states(cell, xs, h, ct):
    """Each step takes the state after it for the one before it."""
    hs, right = rules.states(cell, xs, h), rules.rnn_backward(cell, xs, h, ct)
    d_U = jnp.zeros_like(cell.U)
    for t in reversed(range(len(xs))):
        d = ct * (1 - hs[t + 1] ** 2)
        d_U, ct = d_U + jnp.outer(d, hs[t + 1]), cell.U.T @ d
    return right[0]._replace(U=d_U), *right[1:]


def wrong_jvp():
    f = jax.custom_jvp(lambda a, b: a * b)
    f.defjvps(lambda da, _, a, b: da * b, lambda db, _, a, b: db * (a + b))
    return Case(f, PAIRED)


def one_power_too_many():
    f = jax.custom_vjp(lambda name, x, k: x**k, nondiff_argnums=(0, 2))
    f.defvjp(lambda name, x, k: (x**k, x), lambda name, k, x, ct: (ct * k * x**k,))
    return f


def fwd_of_another_value():
    f = jax.custom_vjp(lambda x: jnp.sin(x).sum())
    f.defvjp(lambda x: (2 * jnp.sin(x).sum(), x), lambda x, ct: (ct * jnp.cos(x),))
    return Case(f, (SIGNAL,))


def gelu(x):
    return x * jax.scipy.special.erfc(-x / 2**0.5) / 2


def gelu_by_tanh(x):
    return jax.nn.gelu(x, approximate=True)


def huber(x):
    return jnp.where(jnp.abs(x) < 1, x**2 / 2, jnp.abs(x) - 0.5)


def norm(x):
    return jnp.sqrt((x**2).sum())


def decayed(x):
    return jnp.sin(x).sum() + 0.5e-4 * (x**2).sum()


def ratio(a, b):
    return a / b


def scaled(x, a):
    return a * x


def taken(W):
    return W[ROWS]


def bilinear(x, S):
    return x @ S


def bilinear_relu(x, S):
    return jnp.maximum(x @ S, 0)


def mean_square(x):
    return (x**2).mean()


def overflowing_softmax(x, ct):
    return (ct * jnp.exp(x) / jnp.exp(x).sum(),)


def dropped(x):
    return jnp.where(jax.random.bernoulli(jax.random.key(0), 0.5, x.shape), x, 0)


def dropped_anew(x, ct):
    return (jnp.where(jax.random.bernoulli(jax.random.key(1), 0.5, x.shape), ct, 0),)


WRONG = {
    "f' omitted": elementwise(sigmoid, lambda x: 1.0),
    "the opposite sign": elementwise(jnp.cos, jnp.sin),
    "a factor 2 is missing": elementwise(jnp.square, lambda x: x),
    "Swish without its second term": elementwise(lambda x: x * sigmoid(x), sigmoid),
    "residual is the input, not the output": elementwise(jnp.tanh, lambda x: 1 - x**2),
    "exp times its input": elementwise(jnp.exp, lambda x: x),
    "right at 0 alone": elementwise(jnp.sin, lambda x: 1.0, 0.3 * SIGNAL),
    "abs without its sign": elementwise(jnp.abs, lambda x: 1.0),
    "clip lets all pass": elementwise(rules.clipped, lambda x: 1.0),
    "clip lets the wrong side pass": elementwise(rules.clipped, lambda x: jnp.where(jnp.abs(x) < 1, 0.0, 1.0)),
    "clip at another bound": elementwise(rules.clipped, lambda x: jnp.where(jnp.abs(x) < 0.9, 1.0, 0.0)),
    "huber that is never linear": elementwise(huber, lambda x: x),
    "gelu's derivative by its tanh approximation": elementwise(
        gelu, lambda x: jax.vjp(gelu_by_tanh, x)[1](jnp.ones_like(x))[0]
    ),
    "straight through a rounding": elementwise(lambda x: jnp.round(x), lambda x: 1.0),
    "one in a thousand": elementwise(jnp.square, lambda x: 2 * x * jnp.ones_like(x).at[617].set(0.9), LONG),
    "1e-4 too large": elementwise(jnp.sin, lambda x: 1.0001 * jnp.cos(x)),
    "one in ten thousand": elementwise(jnp.square, lambda x: 2 * x * jnp.ones_like(x).at[4321].set(0.9), MANY),
    "1e-6 too large": elementwise(jnp.sin, lambda x: 1.000001 * jnp.cos(x)),
    "all zeros": elementwise(jnp.sin, jnp.zeros_like),
    "nan where x is negative": elementwise(jnp.square, lambda x: 2 * jnp.sqrt(x) ** 2),
    "rounded to float16": planted(
        jnp.sin, lambda x, ct: ((ct * jnp.cos(x)).astype("float16").astype(x.dtype),), SIGNAL
    ),
    "the cotangent is ignored": planted(lambda x: jnp.sin(x).sum(), lambda x, ct: (jnp.cos(x),), SIGNAL),
    "the cotangent is summed": planted(jnp.sin, lambda x, ct: (ct.sum() * jnp.cos(x),), SIGNAL),
    "1/n is missing": planted(mean_square, lambda x, ct: (ct * 2 * x,), SIGNAL),
    "1/n is there twice": planted(mean_square, lambda x, ct: (ct * 2 * x / x.size**2,), SIGNAL),
    "weight decay forgotten": planted(decayed, lambda x, ct: (ct * jnp.cos(x),), SIGNAL),
    "norm over its square": planted(norm, lambda x, ct: (ct * x / (x**2).sum(),), SIGNAL),
    "minus of the denominator forgotten": planted(ratio, lambda a, b, ct: (ct / b, ct * a / b**2), *PAIRED),
    "denominator not squared": planted(ratio, lambda a, b, ct: (ct / b, -ct * a / b), *PAIRED),
    "the right argument gets nothing": planted(bilinear, lambda x, S, ct: (ct @ S.T, jnp.zeros_like(S)), SIDE, SQUARE),
    "W transposed": planted(bilinear, lambda x, S, ct: (ct @ S.T, ct.T @ x), SIDE, SQUARE),
    "delta through W, not its transpose": planted(bilinear, lambda x, S, ct: (ct @ S, x.T @ ct), SIDE, SQUARE),
    "two derivatives swapped": planted(lambda a, b: a * b, lambda a, b, ct: (ct * a, ct * b), *PAIRED),
    "bias: the mean over the batch, not the sum": planted(
        rules.dense, changed(rules.dense_backward, lambda dx, dW, db: (dx, dW, db / len(dx))), X, W, BIAS[:3]
    ),
    "bias: the first row alone": planted(rules.dense, lambda x, W, b, ct: (ct @ W, ct.T @ x, ct[0]), X, W, BIAS[:3]),
    "a number that is broadcast gets one term": planted(
        scaled, lambda x, a, ct: (ct * a, (ct * x)[0]), SIGNAL, np.float32(0.7)
    ),
    "relu without its mask": planted(rules.relu_dense, lambda x, W, ct: (ct @ W, ct.T @ x), X, W),
    "the mask of the input": planted(
        bilinear_relu, lambda x, S, ct: (jnp.where(x > 0, ct, 0) @ S.T, x.T @ jnp.where(x > 0, ct, 0)), SIDE, SQUARE
    ),
    "mask drawn anew": planted(dropped, dropped_anew, SIGNAL),
    "rows taken twice are not added": planted(taken, lambda W, ct: (jnp.zeros_like(W).at[ROWS].set(ct),), W),
    "cumsum not reversed": planted(lambda x: jnp.cumsum(x), lambda x, ct: (jnp.cumsum(ct),), SIGNAL),
    "sort not undone": planted(lambda x: jnp.sort(x), lambda x, ct: (ct[jnp.argsort(x)],), SIGNAL),
    "branches swapped": elementwise(
        lambda x: jnp.where(x > 0, jnp.sin(x), x**2), lambda x: jnp.where(x > 0, 2 * x, jnp.cos(x))
    ),
    "kernel not flipped": planted(
        rules.convolution, lambda x, k, ct: (rules.windows(ct, 5) @ k, ct @ rules.windows(x, 5)), SIGNAL, KERNEL
    ),
    "padding off by one": planted(
        rules.convolution, changed(rules.convolution_backward, lambda dx, dk: (jnp.roll(dx, 1), dk)), SIGNAL, KERNEL
    ),
    "padding is not zero for the kernel": planted(
        rules.convolution,
        lambda x, k, ct: (rules.convolution_backward(x, k, ct)[0], ct @ wrapped_windows(x, 5)),
        SIGNAL,
        KERNEL,
    ),
    "kernels of images flipped in one direction": planted(
        rules.images_convolution,
        lambda x, k, ct: rules.images_convolution_backward(x, k[:, ::-1], ct),
        IMAGES,
        KERNELS,
    ),
    "layer norm without the mean's term": layer_norm(("var",)),
    "layer norm without the variance's term": layer_norm(("mean",)),
    "layer norm with n - 1": layer_norm(("mean", "var"), ddof=1),
    "layer norm with n - 1 of 256": layer_norm(("mean", "var"), ddof=1, args=draw(12, (2, 256), (256,), (256,))),
    "layer norm without its gain": layer_norm(("mean", "var"), gain_used=False),
    "softmax without its rank-one term": planted(softmax, lambda z, ct: (ct * softmax(z),), X),
    "softmax as if it were the sigmoid": planted(softmax, lambda z, ct: (ct * softmax(z) * (1 - softmax(z)),), X),
    "attention: softmax without its rank-one term": attention(rank_one=False),
    "attention: the sum over the wrong axis": attention(axis=0),
    "attention: the scale is forgotten for k": attention(scale_dk=False),
    "log-softmax without the sum of the cotangent": planted(
        lambda z: jax.nn.log_softmax(z), lambda z, ct: (ct - softmax(z),), X
    ),
    "cross-entropy: the labels of the rows before": planted(
        rules.cross_entropy, lambda z, y, ct: rules.cross_entropy_backward(z, jnp.roll(y, 1), ct), X, LABELS
    ),
    "log-sum-exp that overflows": planted(rules.log_sum_exp, overflowing_softmax, 1000 * SIGNAL),
    "recurrent cell: the first step is forgotten": planted(
        rules.rnn, lambda *args: rules.rnn_backward(*args, steps=3), CELL, XS, H
    ),
    "recurrent cell: the states after the step": planted(rules.rnn, late_states, CELL, XS, H),
    "an output is forgotten": planted(
        rules.trees,
        lambda *args: rules.trees_backward(*args[:-1], args[-1] | {"line": jnp.zeros_like(args[-1]["line"])}),
        PARAMS,
        LINE,
        PAIR,
    ),
    "fwd gives another value": fwd_of_another_value(),
    "custom_jvp that adds": wrong_jvp(),
    "stop_gradient by mistake": Case(lambda x: (x * jax.lax.stop_gradient(sigmoid(x))).sum(), (SIGNAL,)),
    "in float32, one wrong by 1e-3": planted(
        rules.in_float32, changed(rules.in_float32_backward, lambda dx: (dx.at[3].multiply(1.001),)), SIGNAL
    ),
    "Pallas kernel that skips the last row": planted(
        rules.pallas_squares, changed(rules.squares_backward, lambda dx: (dx.at[-1].set(0),)), X
    ),
    "Pallas kernel beside its forward": planted(rules.pallas_squares, lambda x, ct: (x * ct[:, None],), X)._replace(
        forward=rules.squares
    ),
    "NumPy pair: the mean over entries": Case(
        (rules.numpy_mean_square, changed(rules.numpy_mean_square_backward, lambda *d: tuple(g / 3 for g in d))),
        (W, X, X @ W.T + 1),
    ),
    "NumPy pair: the derivative by y has no sign": Case(
        (rules.numpy_mean_square, changed(rules.numpy_mean_square_backward, lambda dW, dx, dy: (dW, dx, -dy))),
        (W, X, X @ W.T + 1),
    ),
    "nondiff_argnums: one power too many": Case(one_power_too_many(), ("cube", SIGNAL, 3)),
    "tied maxima both get all": planted(
        lambda x: jnp.max(x), lambda x, ct: (jnp.where(x == x.max(), ct, 0),), np.array([1, 2, 2, 0], np.float32)
    ),
}
