# %% [markdown]
# # Vanishing gradients
#
# In a deep network of sigmoids the first layers learn slowly. Here you see the numbers of it: the size of delta, layer
# by layer, on its way back from the output.

# %%
import jax
import jax.numpy as jnp

import fnn

data, cost = fnn.load_data("digits", test=397), fnn.LogLikelihood()
x, y = data.train.rows(slice(100))


def deep(layer, activation, depth=4):
    """So many hidden layers of one kind, and an output layer."""
    return (layer, activation) * depth + (fnn.Dense(10),)


init = jax.jit(fnn.init, static_argnames="shape")  # compiled: there are many layers


def sizes(net):
    """The norm of delta at the output of each hidden layer, from the first to the last."""
    params = init(net, jax.random.key(0), data.shape)
    deltas = jax.jit(fnn.deltas)(net, cost, params, x, y)
    return [float(jnp.linalg.norm(delta)) for delta in deltas[:-1:2]]


# %% [markdown]
# ## Sigmoids
#
# On its way back through a sigmoid, delta is multiplied by σ′(z), which is 1/4 at most. Then comes a product with the
# weights. Four layers make four such factors.

# %%
sigmoids = sizes(deep(fnn.Dense(30), fnn.Sigmoid()))


def drawn(sizes):
    parts = [size / sizes[-1] for size in sizes]
    bars = ["#" * max(1, round(40 * part)) for part in parts]
    return "\n".join(
        f"{part:8.5f}  {bar}" for part, bar in zip(parts, bars, strict=True)
    )


print(drawn(sigmoids))

# %% [markdown]
# Each size is divided by that of the last hidden layer. The delta of the first one is a hundred times smaller, and the
# gradient of its weights is small too.
#
# ## Rectified units with fitting weights
#
# The derivative of a rectified unit is 1 where it is on. `He` draws weights so large that delta keeps its size where
# half of the units are on.

# %%
rectified = sizes(deep(fnn.Dense(30, fnn.He(), fnn.Zeros()), fnn.ReLU()))
print(drawn(rectified))

# %% [markdown]
# ## Does it matter?
#
# Both networks get the same examples, three epochs, and the same learning rate. The deep network of sigmoids is not
# better than guessing.

# %%
sgd = fnn.SGD(eta=0.1)
for name, net in {
    "sigmoids": deep(fnn.Dense(30), fnn.Sigmoid()),
    "rectified": deep(fnn.Dense(30, fnn.He(), fnn.Zeros()), fnn.ReLU()),
}.items():
    params, v = init(net, jax.random.key(0), data.shape), ()
    for key in jax.random.split(jax.random.key(1), 3):
        params, v = fnn.epoch(net, cost, sgd, params, v, data.train, key, batch_size=10)
    right = fnn.evaluate(net, cost, params, data.test).accuracy
    print(f"{name}: {right:.0%} right in the test")
