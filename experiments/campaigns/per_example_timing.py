"""How long per-example gradient norms take beside the gradient of the batch, in one process.

    python -m experiments.campaigns.per_example_timing

The net is [784,100,10], sigmoid, cross-entropy, with 512 examples in float32. Times are medians over 31 rounds in which
the programs take turns. Seen on two CPU cores (Intel, AVX-512) with JAX 0.10.1: the norms take 0.57 of the time of
`backprop` (at most 1.3 is wanted), the same norms from `vmap(grad)` 24 times as long as `backprop`. About 10 s.
"""

import statistics
import time

import jax
import jax.numpy as jnp
import numpy as np

from fnn import CrossEntropy, Dense, Sigmoid, autodiff, backprop, init, per_example, per_example_norms

ROUNDS = 31
NET, COST = (Dense(100), Sigmoid(), Dense(10)), CrossEntropy()


def norms_by_vmap(net, cost, params, x, y):
    """The same norms from `vmap(grad)`."""
    _, gradients = per_example(autodiff)(net, cost, params, x, y)
    squares = [jnp.square(leaf).reshape(len(leaf), -1).sum(axis=1) for leaf in jax.tree.leaves(gradients)]
    return jnp.sqrt(sum(squares))


def main():
    """Print a Markdown table."""
    rng = np.random.default_rng(0)
    x = jnp.asarray(rng.random((512, 784)), jnp.float32)
    y = jnp.asarray(np.eye(10)[rng.integers(0, 10, 512)], jnp.float32)
    point = NET, COST, init(NET, jax.random.key(0), (784,)), x, y
    rules = {
        "backprop, the whole batch": backprop,
        "norms, per_example_norms": per_example_norms,
        "norms, vmap(grad)": norms_by_vmap,
        "gradients, per_example(backprop)": per_example(backprop),
    }
    programs = {name: jax.jit(rule).lower(*point).compile() for name, rule in rules.items()}
    seconds = {name: [] for name in programs}
    for _ in range(ROUNDS):
        for name, program in programs.items():
            start = time.perf_counter()
            jax.block_until_ready(program(*point))
            seconds[name].append(time.perf_counter() - start)
    medians = {name: statistics.median(times) for name, times in seconds.items()}
    print("| rule | ms | times the batch's gradient |\n|---|---|---|")
    for name, median in medians.items():
        print(f"| {name} | {1e3 * median:.2f} | {median / medians['backprop, the whole batch']:.2f} |")


if __name__ == "__main__":
    main()
