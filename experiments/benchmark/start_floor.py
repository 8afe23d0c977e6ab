"""The floor of the case `start`: import JAX, run one jitted line, draw one figure, save it, end."""

import sys

import jax
import jax.numpy as jnp
import matplotlib

jax.jit(lambda x: x + 1)(jnp.ones(3)).block_until_ready()
matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402 - the backend is chosen first

fig, ax = plt.subplots()
ax.plot([1, 2, 3])
fig.savefig(sys.argv[1])
print("drawn")
