# %% [markdown]
# # Check your gradient
#
# You have written a derivative: in NumPy for a course, or in JAX for speed. `fnn.check_vjp` says whether it is right,
# number by number, and if not, what is wrong. It needs no network.

# %%
import jax
import jax.numpy as jnp
import numpy as np

import fnn

rng = np.random.default_rng(0)
z = rng.standard_normal((4, 3))  # the raw outputs for 4 examples and 3 classes
y = np.eye(3)[[0, 2, 1, 0]]  # the classes, one-hot

# %% [markdown]
# ## The softmax and its cost, in NumPy
#
# The cost is the mean over the examples of −Σ y ln a, where a is the softmax of z. Its derivative by z is known to be
# a − y. This function has it like that:


# %%
def softmax(z):
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def value(z):
    return -(y * np.log(softmax(z))).sum(axis=1).mean()


def backward(z, cotangent):
    return cotangent * (softmax(z) - y)


report = fnn.check_vjp((value, backward), z)
print(report)

# %% [markdown]
# `by hand` is the number that the rule gave, beside it what a finite difference of the value gives. NumPy cannot be
# differentiated automatically, so there are two opinions here. The rule is four times too large: the mean over four
# examples has been forgotten. It is the derivative of the sum.


# %%
def mended(z, cotangent):
    return cotangent * (softmax(z) - y) / len(z)


print(str(fnn.check_vjp((value, mended), z)).splitlines()[-1])

# %% [markdown]
# ## The same in JAX
#
# A `custom_vjp` gives JAX a rule of yours. Then `jax.grad` trusts it, right or wrong. Here the rule of a norm forgets
# that the cotangent may be another number than 1:


# %%
@jax.custom_vjp
def norm(x):
    return jnp.sqrt((x**2).sum())


norm.defvjp(lambda x: (norm(x), x), lambda x, cotangent: (x / jnp.sqrt((x**2).sum()),))
print("\n".join(fnn.check_vjp(norm, z[0]).slips))

# %% [markdown]
# With a value of one number, `jax.grad` calls the rule with the cotangent 1. So this rule is right under `jax.grad` of
# the norm alone, and wrong as soon as anything follows the norm:

# %%
wrong = jax.grad(lambda x: 10 * norm(x))(jnp.asarray(z[0], "float32"))
right = jax.grad(lambda x: 10 * jnp.sqrt((x**2).sum()))(jnp.asarray(z[0], "float32"))
print("ten times too small:", jnp.allclose(10 * wrong, right))

# %%
norm.defvjp(
    lambda x: (norm(x), x),
    lambda x, cotangent: (cotangent * x / jnp.sqrt((x**2).sum()),),
)
print(fnn.check_vjp(norm, z[0]).ok)
