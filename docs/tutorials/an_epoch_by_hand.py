# %% [markdown]
# # An epoch by hand
#
# You write the derivative of a layer, let it be checked, and train with it.

# %%
from collections import namedtuple

import jax
import jax.numpy as jnp

import fnn
from fnn.training.order import permutation

# %% [markdown]
# ## A layer with a mistake
#
# A layer maps a batch `a` of n rows to `z = a Wᵀ + b`. Its `backward` gets `delta`, the derivative of the cost by each
# z, and returns the derivatives by W and b, and by a. From z[k, i] = Σⱼ a[k, j] W[i, j] + b[i] follows
#
# - ∂C/∂W[i, j] = Σₖ delta[k, i] a[k, j], and ∂C/∂b[i] = Σₖ delta[k, i],
# - ∂C/∂a[k, j] = Σᵢ delta[k, i] W[i, j].
#
# This first try has a mean over the rows in place of a sum. All shapes are right.


# %%
Weights = namedtuple("Weights", "W b")  # (n_out, n_in), (n_out,)


@fnn.static
class Affine:
    units: int  # n_out

    def init(self, key, shape):
        W = jax.random.normal(key, (self.units, *shape)) / shape[0] ** 0.5
        return Weights(W, jnp.zeros(self.units)), (self.units,)

    def forward(self, params, a):
        return a @ params.W.T + params.b

    def backward(self, params, a, delta):
        return Weights(delta.T @ a, delta.mean(axis=0)), delta @ params.W


data, cost = fnn.load_data("digits", test=397), fnn.LogLikelihood()
x, y = data.train.rows(slice(20))


def checked(net):
    params = fnn.init(net, jax.random.key(0), data.shape)
    report = fnn.gradcheck(net, cost, params, x, y)
    return "\n".join([*report.slips, str(report).splitlines()[-1]])


print(checked((Affine(10),)))

# %% [markdown]
# The check names the layer and the mistake. Training with this layer would work, only a little worse. Mended:


# %%
@fnn.static
class Mended(Affine):
    def backward(self, params, a, delta):
        return Weights(delta.T @ a, delta.sum(axis=0)), delta @ params.W


print(checked((Mended(10),)))

# %% [markdown]
# ## The loop
#
# An epoch makes a step on each mini-batch of a random order: params minus eta times the gradient.

# %%
net, eta, key = (Mended(20), fnn.Tanh(), Mended(10)), 0.1, jax.random.key(1)
start = fnn.init(net, jax.random.key(0), data.shape)


@jax.jit
def step(params, x, y):
    _, gradient = fnn.backprop(net, cost, params, x, y)
    return jax.tree.map(lambda p, g: p - eta * g, params, gradient)


params, order = start, permutation(key, data.train.n)  # the order of fnn.epoch
for rows in order.reshape(-1, 10):
    params = step(params, *data.train.rows(rows))
print(f"{fnn.evaluate(net, cost, params, data.test).accuracy:.0%} of the test right")

# %% [markdown]
# `fnn.epoch` is the same loop, compiled as a whole. The params differ by rounding at most:

# %%
sgd = fnn.SGD(eta)
same, _ = fnn.epoch(net, cost, sgd, start, (), data.train, key, batch_size=10)
gaps = jax.tree.leaves(jax.tree.map(lambda a, b: abs(a - b).max(), params, same))
print("largest difference below 1e-5:", max(gaps) < 1e-5)
