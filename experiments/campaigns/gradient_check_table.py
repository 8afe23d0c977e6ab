"""What a check along one random direction misses: the planted bugs, checked by `jax.test_util.check_grads`.

    python -m experiments.campaigns.gradient_check_table > experiments/campaigns/GRADIENT_CHECKS.md

For every bug of `tests/helpers/mutations.py` and `layer_bugs.py` the wrong gradient is given to JAX by `custom_vjp`.
Then `check_grads(order=1, modes=["rev"])` with its default tolerances checks it, in float32 and in float64, and
`gradcheck` checks it too. The last column is what `gradcheck` names, in bold where the bug sits elsewhere. The same is
done for bugs in a net of the size that people train: [784,30,10], sigmoid, cross-entropy, a batch of 10, L2 of 1e-4.
Expected: float32 passes at least the first two of these, `gradcheck` none, and it names the layer, alone, of every bug
that sits in one. It takes about 10 minutes.
"""

import jax
import jax.numpy as jnp
import numpy as np
from jax.test_util import check_grads

from fnn import CrossEntropy, Dense, Sigmoid, backprop, init
from fnn.checking import gradcheck, l2
from fnn.checking.point import Point, objective
from tests.helpers.layer_bugs import LAYER_BUGS, RIGHT
from tests.helpers.mutations import (
    LMBDA,
    MUTATIONS,
    SETTINGS,
    Mutation,
    Setting,
    entry,
    penalised_biases,
    unpenalised,
    whole,
)

SMALL_LMBDA = 1e-4
HEAD = """# Gradient checks

Made by `python -m experiments.campaigns.gradient_check_table > experiments/campaigns/GRADIENT_CHECKS.md`
with JAX {version} on {backend}. `check_grads` looks along one random direction, with a
tolerance of 2e-3 in float32 and 1e-5 in float64; `gradcheck` at every coordinate, in float64, and at every layer.
The last column is what it names: the layer, or what the rule does with right layers. In bold: the bug sits elsewhere.
"""


def flagged_by_one_direction(mutation, lmbda, x64):
    """Whether `check_grads` objects, at its default tolerances."""
    with jax.enable_x64(x64):
        net, cost, params, x, y = jax.tree.map(lambda a: jnp.asarray(a, jnp.result_type(float)), mutation.setting)

        @jax.custom_vjp
        def value(params):
            return objective(Point(net, cost, params, x, y, jnp.asarray(lmbda)))

        def backward(params, scale):
            _, gradient = mutation.gradient(net, cost, params, x, y)
            return (jax.tree.map(lambda g: scale * g, mutation.penalised(params, gradient, lmbda)),)

        value.defvjp(lambda params: (value(params), params), backward)
        try:
            check_grads(value, (params,), order=1, modes=["rev"])
        except AssertionError:
            return True
        return False


def report_on(mutation, lmbda):
    """What `gradcheck` says."""
    return gradcheck(*mutation.setting, gradient=mutation.gradient, penalised=mutation.penalised, lmbda=lmbda)


def named(mutation, report):
    """What is wrong by the report: the layers, or else the rule; and whether the bug sits there."""
    wrong = [k for k, verdict in enumerate(report.layers) if not verdict.ok]
    rule = "nothing" if report.ok else report.slips[0].split("the fault is in ")[-1]
    who = ", ".join(report.layers[k].name for k in wrong) or rule
    return who, wrong == ([] if mutation.guilty is None else [mutation.guilty])


def mnist_sized():
    """[784,30,10] with a batch of 10, and bugs planted in it."""
    net, rng = (Dense(30), Sigmoid(), Dense(10)), np.random.default_rng(0)
    params = jax.tree.map(np.asarray, init(net, jax.random.key(0), (784,)))
    setting = Setting(net, CrossEntropy(), params, rng.random((10, 784)), np.eye(10)[np.arange(10)])
    return setting, (
        Mutation("weight decay omitted", setting, penalised=unpenalised),
        Mutation("biases decayed too", setting, penalised=penalised_biases),
        entry("one weight with flipped sign", setting, 0, "W", lambda W: W.at[3, 300].multiply(-1)),
        entry("one weight, relative 1e-4", setting, 0, "W", lambda W: W.at[3, 300].multiply(1 + 1e-4)),
        entry("one hidden unit's row of dW1 zeroed", setting, 0, "W", lambda W: W.at[3].set(0)),
        entry("dW1 zero", setting, 0, "W", jnp.zeros_like),
        entry("dW1 doubled", setting, 0, "W", lambda W: 2 * W),
        whole("everything 0.1 % too large", setting, lambda g, p: jax.tree.map(lambda g: 1.001 * g, g)),
    )


def table(mutations, lmbda, what="planted bug"):
    """Print one row per mutation, and the counts."""
    print(f"| {what} | check_grads, float32 | check_grads, float64 | gradcheck | wrong is |\n|---|---|---|---|---|")
    counts, rightly, sitting = np.zeros(3, int), 0, [mutation.guilty is not None for mutation in mutations]
    for k, mutation in enumerate(mutations):
        if k % 20 == 0:
            jax.clear_caches()  # Linux lets a process map 65,530 pieces of memory; compiled programs take several each
        report = report_on(mutation, lmbda)
        flags = [*(flagged_by_one_direction(mutation, lmbda, x64) for x64 in (False, True)), not report.ok]
        who, right = named(mutation, report)
        cells = ["flagged" if flag else "**passes**" for flag in flags]
        print(f"| {mutation.name} |", " | ".join(cells), f"| {who if right else f'**{who}**'} |", flush=True)
        counts, rightly = counts + flags, rightly + (right and mutation.guilty is not None)
    layers = f"{rightly} of {sum(sitting)} layers" if any(sitting) else ""
    print(f"| **flagged, of {len(mutations)}** |", " | ".join(map(str, counts)), f"| {layers} |")


def main():
    """Print the page."""
    print(HEAD.format(version=jax.__version__, backend=jax.default_backend()))
    setting, bugs = mnist_sized()
    print("## [784,30,10], a batch of 10, λ = 1e-4\n")
    table(bugs, SMALL_LMBDA)
    print("\n## The catalogue of `tests/helpers/mutations.py`: small nets, λ = 0.1\n")
    table(MUTATIONS, LMBDA)
    print("\n## Bugs in layers of a user's own, and in ours where they stand elsewhere: `layer_bugs.py`, λ = 0.1\n")
    table(LAYER_BUGS, LMBDA)
    print("\n## No bug: every flag here is a false alarm\n")
    right = {"[784,30,10]": setting, **SETTINGS, **RIGHT}
    table([Mutation(name, setting, backprop, l2) for name, setting in right.items()], LMBDA, "net")


if __name__ == "__main__":
    main()
