"""What several tests of training share: two small nets, examples for them, and one training of each kind."""

import jax
import jax.numpy as jnp
import numpy as np

import fnn
from fnn import SGD, Dense, Examples, LogLikelihood, ReLU
from fnn.training.order import permutation
from tests.helpers.support import one_hot_rows

NET, LINEAR = (Dense(4), ReLU(), Dense(3)), (Dense(3),)
COST, PLAIN, MOMENTUM, KEY = LogLikelihood(), SGD(0.1), SGD(0.1, mu=0.9, lmbda=0.01), jax.random.key(1)


def some(n, seed=0, n_in=5, n_out=3):
    """Examples in bytes."""
    x = np.random.default_rng(seed).integers(0, 256, (n, n_in), np.uint8)
    return Examples(jax.device_put(x), one_hot_rows(seed, n, n_out).astype(jnp.uint8), 1 / 255)


def some_reals(n, seed=0):
    """Examples in float32."""
    x = np.random.default_rng(seed).random((n, 5), np.float32)
    return Examples(jax.device_put(x), one_hot_rows(seed, n, 3))


def params_of(net=LINEAR, shape=(5,)):
    return fnn.init(net, jax.random.key(0), shape)


def start(sgd=PLAIN, seed=0):
    """The params of `NET` and the optimiser's state before an epoch."""
    params = fnn.init(NET, jax.random.key(seed), (5,))
    return params, sgd.init(params)


def loop(examples, sgd, key, batch_size, gradient):
    """An epoch as a plain Python loop of jitted steps."""
    step = jax.jit(fnn.step, static_argnums=7)
    params, v = start(sgd)
    order = np.asarray(permutation(key, examples.n))
    x, y = np.asarray(examples.x, np.float32) * np.float32(examples.scale), np.asarray(examples.y, np.float32)
    for i in range(0, examples.n, batch_size):
        rows = order[i : i + batch_size]
        params, v = step(NET, COST, sgd, params, v, x[rows], y[rows], gradient)
    return params, v


def fit(examples=None, *, params=None, cost=COST, net=NET, optimizer=PLAIN, epochs=3, batch_size=4, **settings):
    """`fnn.fit` of a small net, some of its settings changed."""
    examples = some(30) if examples is None else examples
    params = params_of(net, examples.shape) if params is None else params
    return fnn.fit(net, cost, optimizer, params, examples, KEY, batch_size=batch_size, epochs=epochs, **settings)


def bits(tree):
    return [np.asarray(leaf).tobytes() for leaf in jax.tree.leaves(tree)]
