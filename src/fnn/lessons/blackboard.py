"""One training step as a teacher writes it on a blackboard: every number, with the name of its equation.

BP1 to BP4 are the four equations of Nielsen's ch. 2. Everything is computed by the functions that train; here it is
only written down, in six digits. Units, inputs and layers are counted from 1, `W[2,3]` is the weight of unit 2 for
its input 3.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import jax
import jax.numpy as jnp
import numpy as np

from fnn.activation_functions import Elementwise
from fnn.errors import InputError
from fnn.layers import Dense
from fnn.network import activations, backprop, count_params, deltas, forward
from fnn.optimizers import SGD
from fnn.training.epochs import step
from fnn.types import Array, Cost, Gradient, Layer, Net, Optimizer, Params

LARGEST = 120  # parameters of a net that fits on a blackboard
TERMS = 4  # of a sum that is written out


def explained(
    net: Net, cost: Cost, optimizer: Optimizer, params: Params, x: Array, y: Array, gradient: Gradient = backprop
) -> str:
    """The step from `params` on one example: forward, backward and new parameters.

    Args:
        net: The layers.
        cost: The cost.
        optimizer: The rule of the update; its memory is that of a first step.
        params: Of `net`, at most `LARGEST` numbers.
        x: The example, `(1, *shape)`.
        y: Its desired outputs, `(1, n_out)`.
        gradient: `backprop` or `autodiff`: where the nablas come from.

    Raises:
        InputError: a net too large for a blackboard, or not one example.
    """
    if len(x) != 1 or len(y) != 1:
        raise InputError(
            f"a blackboard shows one example, got {len(x)} rows of x and {len(y)} of y; give it x[:1], y[:1]."
        )
    if count_params(params) > LARGEST:
        raise InputError(
            f"the net has {count_params(params):,} parameters: a blackboard takes at most {LARGEST}; "
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
        *(f"\n  output of {type(cost).__name__}", f"    a = {_vector(a)}   desired y = {_vector(y)}"),
        *(f"    C = {_six(before)}", "\nBACKWARD   delta is dC/d(output of the layer)"),
        *_backward(net, params, trace, nablas, entering),
        *_update(net, optimizer, params, nablas, new),
        *_effect(params, nablas, new, float(before), float(after)),
    ]
    return "\n".join(lines)


def _forward(net: Net, params: Params, trace: Sequence[Array]) -> Iterator[str]:
    yield f"FORWARD   x = {_vector(trace[0])}"
    for i, (layer, p) in enumerate(zip(net, params, strict=True)):
        a, out = np.asarray(trace[i])[0], np.asarray(trace[i + 1])[0]
        name, formula = _form(layer)
        yield f"\n  layer {i + 1}, {_title(layer, a, out)}: {formula}"
        for j, value in enumerate(out.flat):
            yield f"    {name}{j + 1} = {_worked(layer, p, a, j)}{_six(value)}"


def _form(layer: Layer) -> tuple[str, str]:
    if type(layer) is Dense:
        return "z", "z = W a + b"
    return ("a", "a = f(z)") if isinstance(layer, Elementwise) else ("a", "a = forward(...)")


def _title(layer: Layer, a: np.ndarray, out: np.ndarray) -> str:
    shapes = [str(v.size) if v.ndim == 1 else str(v.shape) for v in (a, out)]
    same = isinstance(layer, Elementwise) and shapes[0] == shapes[1]
    return f"{type(layer).__name__} {shapes[0] if same else ' -> '.join(shapes)}"


def _worked(layer: Layer, p: Params, a: np.ndarray, j: int) -> str:
    if type(layer) is Dense:
        return f"{_sum(np.asarray(p.W)[j], a, float(p.b[j]))} = "
    return f"f({_six(a.flat[j])}) = " if isinstance(layer, Elementwise) else ""


def _backward(net: Net, params: Params, trace: Sequence, nablas: Params, entering: Sequence) -> Iterator[str]:
    yield f"\n  BP1, from the cost: delta = dC/dz = {_vector(entering[-1])}"
    for i in reversed(range(len(net))):
        a, delta = np.asarray(trace[i])[0], np.asarray(entering[i])[0]
        yield f"\n  layer {i + 1}, {_title(net[i], a, np.asarray(trace[i + 1])[0])}: delta = {_vector(entering[i])}"
        yield from _nabla(net[i], nablas[i], a, delta)
        if i:
            yield from _passed(net[i], params[i], a, delta, np.asarray(entering[i - 1])[0])


def _nabla(layer: Layer, nabla: Params, a: np.ndarray, delta: np.ndarray) -> Iterator[str]:
    if type(layer) is Dense:
        yield "    BP4: dC/dW[j,k] = delta_j a_k"
        for (j, k), value in np.ndenumerate(np.asarray(nabla.W)):
            yield f"      dC/dW[{j + 1},{k + 1}] = {_product(delta[j], a[k])} = {_six(value)}"
        yield f"    BP3: dC/db = delta = {_vector(nabla.b[None])}"
    else:
        yield from (f"    dC/d{name} = {_six(value)}" for name, value in _numbers(nabla))


def _passed(layer: Layer, p: Params, a: np.ndarray, delta: np.ndarray, prev: np.ndarray) -> Iterator[str]:
    """What the layer hands to the one before it."""
    if type(layer) is Dense:
        yield "    BP2, its left factor: delta_k = sum_j W[j,k] delta_j goes on to the layer before"
        worked = [f"{_sum(column, delta)} = " for column in np.asarray(p.W).T]
    elif isinstance(layer, Elementwise):
        yield "    BP2, its right factor: delta f'(z) goes on to the layer before"
        slopes = np.asarray(layer.df(jnp.asarray(a)))
        worked = [f"{_product(d, slope)} = " for d, slope in zip(delta.flat, slopes.flat, strict=True)]
    else:
        yield "    goes on to the layer before"
        worked = [""] * prev.size
    yield from (f"      delta{k + 1} = {worked[k]}{_six(value)}" for k, value in enumerate(prev.flat))


def _update(net: Net, optimizer: Optimizer, params: Params, nablas: Params, new: Params) -> Iterator[str]:
    by_rule = isinstance(optimizer, SGD)
    rule = "W - eta (dC/dW + lmbda W), b - eta dC/db" if by_rule else type(optimizer).__name__
    numbers = f"   eta = {float(optimizer.eta):g}, lmbda = {float(optimizer.lmbda):g}" if by_rule else ""
    yield f"\nSTEP   new parameters = {rule}{numbers}"
    if by_rule and float(optimizer.mu):
        yield f"  (mu = {float(optimizer.mu):g} plays no part yet: before the first step there is no velocity)"
    for i in range(len(net)):
        rows = zip(_numbers(params[i]), _numbers(nablas[i]), _numbers(new[i]), strict=True)
        for k, ((name, p), (_, g), (_, after)) in enumerate(rows):
            if not k:
                yield f"\n  layer {i + 1}, {type(net[i]).__name__}"
            yield f"    {name} = {_rule(optimizer, name, p, g)}{_six(after)}"


def _rule(optimizer: Optimizer, name: str, p: float, g: float) -> str:
    if not isinstance(optimizer, SGD):
        return ""
    decayed = name.startswith("W[") and float(optimizer.lmbda) != 0
    slope = f"({_six(g)} + {_product(float(optimizer.lmbda), p)})" if decayed else _bracketed(g)
    return f"{_six(p)} - {float(optimizer.eta):g}*{slope} = "


def _effect(params: Params, nablas: Params, new: Params, before: float, after: float) -> Iterator[str]:
    leaves = zip(*(map(np.asarray, jax.tree.leaves(tree)) for tree in (params, nablas, new)), strict=True)
    promised = before + sum(((n - p) * g).sum() for p, g, n in leaves)
    yield f"\nThe cost of this example: {_six(before)} before, {_six(after)} after the step;"
    yield f"the gradient alone promised {_six(promised)} (first order: C + dC/dp times the change of p)."


def _numbers(params: Params) -> Iterator[tuple[str, float]]:
    """Every number with its name, `W[2,3]`."""
    for path, leaf in jax.tree.leaves_with_path(params):
        for index, value in np.ndenumerate(np.asarray(leaf)):
            yield f"{getattr(path[-1], 'name', 'p')}[{','.join(str(k + 1) for k in index)}]", float(value)


def _sum(w: np.ndarray, a: np.ndarray, b: float | None = None) -> str:
    """`w1*a1 + w2*a2 + b`, a long one with its first terms only."""
    shown = len(w) if len(w) <= TERMS else TERMS - 2
    terms = [_product(u, v) for u, v in zip(w[:shown], a[:shown], strict=True)]
    terms += [f"... ({len(w)} terms)"] if shown < len(w) else []
    return " + ".join([*terms, *([] if b is None else [_six(b)])]).replace("+ -", "- ")


def _product(u: float, v: float) -> str:
    return f"{_six(u)}*{_bracketed(v)}"


def _bracketed(v: float) -> str:
    return f"({_six(v)})" if v < 0 else _six(v)


def _vector(rows: Array) -> str:
    return f"({', '.join(_six(v) for v in np.asarray(rows)[0].flat)})"


def _six(v: float | Array | np.ndarray) -> str:
    return f"{float(v):.6g}"
