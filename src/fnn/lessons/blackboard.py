"""One training step as a teacher writes it on a blackboard: every number, with the name of its equation.

BP1 to BP4 are the four equations of Nielsen's ch. 2. The functions that train compute every number; here the numbers
are only written down. Layers, units and inputs are counted from 1.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import jax
import jax.numpy as jnp
import numpy as np

from fnn.activation_functions import Elementwise
from fnn.errors import InputError
from fnn.lessons.written import bracketed, form, named_numbers, product, six, vector
from fnn.network import activations, backprop, count_params, deltas, forward
from fnn.optimizers import SGD
from fnn.training.epochs import step
from fnn.types import Array, Cost, Gradient, Layer, Net, Optimizer, Params

MAX_PARAMS = 120  # a larger net does not fit on a blackboard


def explained(
    net: Net, cost: Cost, optimizer: Optimizer, params: Params, x: Array, y: Array, gradient: Gradient = backprop
) -> str:
    """The step from `params` on one example: forward, backward and new parameters.

    Args:
        net: The layers.
        cost: The cost.
        optimizer: The rule of the update; its state is that before the first step.
        params: Of `net`, at most `MAX_PARAMS` numbers.
        x: The example, `(1, *shape)`.
        y: Its desired outputs, `(1, n_out)`.
        gradient: The rule that gives the nablas: `backprop` or `autodiff`.

    Raises:
        InputError: a net too large for a blackboard, or not one example.
    """
    if len(x) != 1 or len(y) != 1:
        raise InputError(
            f"a blackboard shows one example, got {len(x)} rows of x and {len(y)} of y; give it x[:1], y[:1]."
        )
    if count_params(params) > MAX_PARAMS:
        raise InputError(
            f"the net has {count_params(params):,} parameters: a blackboard takes at most {MAX_PARAMS}; "
            "make it smaller, such as by --set network.layers.0.units=1, or explain configs/xor.toml."
        )

    @jax.jit
    def numbers(params, x, y):
        new, _ = step(net, cost, optimizer, params, optimizer.init(params), x, y, gradient)
        trace, (before, nablas) = activations(net, params, x), gradient(net, cost, params, x, y)
        after = cost.value(forward(net, new, x), y)
        return trace, cost.output(trace[-1]), deltas(net, cost, params, x, y), nablas, new, before, after

    trace, a, entering, nablas, new, before, after = numbers(params, jnp.asarray(x), jnp.asarray(y))
    lines = [
        *_forward(net, params, trace),
        *(f"\n  output of {type(cost).__name__}", f"    a = {vector(a)}   desired y = {vector(y)}"),
        *(f"    C = {six(before)}", "\nBACKWARD   delta is dC/d(output of the layer)"),
        *_backward(net, params, trace, nablas, entering),
        *_update(net, optimizer, params, nablas, new),
        *_effect(params, nablas, new, float(before), float(after)),
    ]
    return "\n".join(lines)


def _forward(net: Net, params: Params, trace: Sequence[Array]) -> Iterator[str]:
    yield f"FORWARD   x = {vector(trace[0])}"
    for i, (layer, p) in enumerate(zip(net, params, strict=True)):
        a, out = np.asarray(trace[i])[0], np.asarray(trace[i + 1])[0]
        written = form(layer, p)
        yield f"\n  layer {i + 1}, {_title(layer, a, out)}: {written.formula}"
        for j, value in enumerate(out.flat):
            yield f"    {written.output}{j + 1} = {written.worked(a, j)}{six(value)}"


def _title(layer: Layer, a: np.ndarray, out: np.ndarray) -> str:
    """`Dense 2 -> 3`, or `Sigmoid 3`."""
    shapes = [str(v.size) if v.ndim == 1 else str(v.shape) for v in (a, out)]
    same = isinstance(layer, Elementwise) and shapes[0] == shapes[1]
    return f"{type(layer).__name__} {shapes[0] if same else ' -> '.join(shapes)}"


def _backward(net: Net, params: Params, trace: Sequence, nablas: Params, entering: Sequence) -> Iterator[str]:
    yield f"\n  BP1, from the cost: delta = dC/dz = {vector(entering[-1])}"
    for i in reversed(range(len(net))):
        a, delta = np.asarray(trace[i])[0], np.asarray(entering[i])[0]
        written = form(net[i], params[i])
        yield f"\n  layer {i + 1}, {_title(net[i], a, np.asarray(trace[i + 1])[0])}: delta = {vector(entering[i])}"
        yield from written.nabla(nablas[i], a, delta)
        if i:
            yield f"    {written.passed}"
            passed = zip(written.deltas(a, delta), np.asarray(entering[i - 1])[0].flat, strict=True)
            yield from (f"      delta{k} = {worked}{six(value)}" for k, (worked, value) in enumerate(passed, 1))


def _update(net: Net, optimizer: Optimizer, params: Params, nablas: Params, new: Params) -> Iterator[str]:
    by_rule = isinstance(optimizer, SGD)
    rule = "W - eta (dC/dW + lmbda W), b - eta dC/db" if by_rule else type(optimizer).__name__
    numbers = f"   eta = {float(optimizer.eta):g}, lmbda = {float(optimizer.lmbda):g}" if by_rule else ""
    yield f"\nSTEP   new parameters = {rule}{numbers}"
    if by_rule and float(optimizer.mu):
        yield f"  (mu = {float(optimizer.mu):g} plays no part yet: before the first step there is no velocity)"
    for i in range(len(net)):
        rows = zip(named_numbers(params[i]), named_numbers(nablas[i]), named_numbers(new[i]), strict=True)
        for k, ((name, p), (_, g), (_, after)) in enumerate(rows):
            if not k:
                yield f"\n  layer {i + 1}, {type(net[i]).__name__}"
            yield f"    {name} = {_rule(optimizer, name, p, g)}{six(after)}"


def _rule(optimizer: Optimizer, name: str, p: float, g: float) -> str:
    if not isinstance(optimizer, SGD):
        return ""
    decayed = name.startswith("W[") and float(optimizer.lmbda) != 0
    slope = f"({six(g)} + {product(float(optimizer.lmbda), p)})" if decayed else bracketed(g)
    return f"{six(p)} - {float(optimizer.eta):g}*{slope} = "


def _effect(params: Params, nablas: Params, new: Params, before: float, after: float) -> Iterator[str]:
    leaves = zip(*(map(np.asarray, jax.tree.leaves(tree)) for tree in (params, nablas, new)), strict=True)
    promised = before + sum(((n - p) * g).sum() for p, g, n in leaves)
    yield f"\nThe cost of this example: {six(before)} before, {six(after)} after the step;"
    yield f"the gradient alone promised {six(promised)} (first order: C + dC/dp times the change of p)."
