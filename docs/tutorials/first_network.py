# %% [markdown]
# # A first network
#
# We train a network that reads handwritten digits, one step at a time: data, network, cost, gradient, step, epochs. Run
# the cells one after another in an editor that knows `# %%`, or the whole file with `python first_network.py`.

# %%
import jax

import fnn

data = fnn.load_data("digits", test=397)
print(f"{data.train.n} images to train, {data.test.n} to test, of shape {data.shape}")

# %% [markdown]
# ## An image
#
# Pixels are whole numbers from 0 to 16 in the file. The network sees numbers from 0 to 1. Here is the first image, a
# sign for each pixel, and its desired output: a 1 at the place of its class.

# %%
x, y = data.train.rows(slice(10))
for row in x[0].reshape(8, 8):
    print("".join(" .:+*#@@"[int(7 * pixel)] for pixel in row))
print("class", y[0].argmax(), "as", y[0].astype(int))

# %% [markdown]
# ## A network
#
# A network is a tuple of layers. It has no numbers in it yet. `init` draws them from a key; another key gives other
# numbers.

# %%
net = (fnn.Dense(30), fnn.Sigmoid(), fnn.Dense(10))
params = fnn.init(net, jax.random.key(0), data.shape)
print(params[0].W.shape, params[0].b.shape, params[1], params[2].W.shape)
print(fnn.count_params(params), "numbers")

# %% [markdown]
# ## What it says
#
# The last layer gives raw numbers. The cost makes probabilities of them: `LogLikelihood` has the softmax. An untrained
# network knows nothing, so its cost is near ln 10 = 2.3 or above.

# %%
cost = fnn.LogLikelihood()
outputs = fnn.predict(net, cost, params, x)
print(outputs.shape, f"each row sums to {outputs[0].sum():.2f}")

value, gradient = jax.jit(fnn.backprop)(net, cost, params, x, y)
print(f"cost {value:.1f}; the gradient of the first weights: {gradient[0].W.shape}")

# %% [markdown]
# ## One step
#
# A step goes against the gradient, by the learning rate `eta`. On the ten examples of this step the cost falls.

# %%
sgd = fnn.SGD(eta=0.1)
params, v = sgd.update(params, sgd.init(params), gradient)
after, _ = jax.jit(fnn.backprop)(net, cost, params, x, y)
print("the cost has fallen:", after < value)

# %% [markdown]
# ## Many steps
#
# An epoch takes such a step for each mini-batch of ten images, until all have been used once. `fit` yields a result
# after each epoch.

# %%
sgd, key = fnn.SGD(eta=0.5), jax.random.key(1)
settings = {"batch_size": 10, "epochs": 10, "test": data.test}
for result in fnn.fit(net, cost, sgd, params, data.train, key, **settings):
    if result.epoch in (1, 2, 5, 10):
        accuracy = f"{result.test.accuracy:.0%} of the test right"
        print(f"epoch {result.epoch}: cost {result.train.cost:.2f}, {accuracy}")

# %% [markdown]
# ## Is the gradient right?
#
# All of this rests on a gradient that was written by hand. `autodiff` has JAX compute it instead: the same numbers, up
# to rounding. [An epoch by hand](an_epoch_by_hand.md) checks such a gradient, and finds a mistake.

# %%
_, automatic = jax.jit(fnn.autodiff)(net, cost, params, x, y)
_, by_hand = jax.jit(fnn.backprop)(net, cost, params, x, y)
print("largest difference below 1e-6:", abs(by_hand[0].W - automatic[0].W).max() < 1e-6)
