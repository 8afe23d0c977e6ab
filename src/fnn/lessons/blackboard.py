"""One training step as a teacher writes it on a blackboard: every number, with the name of its equation.

BP1 to BP4 are the four equations of Nielsen's ch. 2. The functions that train compute the numbers; here they are only
written down, with the sums from which they come. Layers, rows, units and inputs are counted from 0. Shape letters: `n`
rows of the mini-batch, `n_out` outputs.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from fnn.activation_functions import Elementwise, Softmax
from fnn.errors import InputError
from fnn.lessons.equations import WIDTH, indented, lines, listed, six, summed, wrapped
from fnn.lessons.written import form
from fnn.lessons.written_costs import CostForm, cost_form, over
from fnn.lessons.written_steps import Step, written_step
from fnn.network import activations, backprop, count_params, deltas, forward
from fnn.training.epochs import step
from fnn.types import Array, Cost, Gradient, Layer, Net, Optimizer, Params

MAX_PARAMS = 120  # a larger net does not fit on a blackboard
MAX_ROWS = 10  # and no larger mini-batch; every sum over its rows is written in full
COUNTED = (
    "Layers, rows, units and inputs are counted from 0, as in Python: W[2,1] of",
    "layer 0 is params[0].W[2, 1]. Numbers have six digits.",
)


class Numbers(NamedTuple):
    """What happens in a step, computed by the functions that train, in one program."""

    trace: Any  # the input of every layer, and then the raw output z: (n, *shape) each
    a: Any  # (n, n_out), what the network says
    costs: Any  # n numbers: the cost of each row
    entering: Any  # for every layer delta, (n, *shape of its output)
    before: Any  # the cost of the mini-batch, and its gradient
    nablas: Any
    new: Any  # the parameters and the optimiser's state after the step
    v: Any
    after: Any  # the cost of the mini-batch after the step


def explained(
    net: Net, cost: Cost, optimizer: Optimizer, params: Params, x: Array, y: Array, gradient: Gradient = backprop
) -> str:
    """The first step from `params` on one mini-batch: forward, backward and new parameters, in lines of text.

    Args:
        net: The layers.
        cost: The cost.
        optimizer: The rule of the update; its state is that before the first step.
        params: Of `net`, at most `MAX_PARAMS` numbers.
        x: The mini-batch, `(n, *shape)`, at most `MAX_ROWS` rows.
        y: Its desired outputs, `(n, n_out)`.
        gradient: The rule that gives the nablas: `backprop` or `autodiff`.

    Returns:
        The board. Every delta has the 1/n of the mean cost, every nabla is the sum over the rows.

    Raises:
        InputError: a net or a mini-batch too large for a blackboard, or no rows.
        ValueError: `y` does not fit the output.
    """
    found = numbers(net, cost, optimizer, params, x, y, gradient)
    return board(net, cost, optimizer, params, y, found, gradient)


def numbers(
    net: Net, cost: Cost, optimizer: Optimizer, params: Params, x: Array, y: Array, gradient: Gradient = backprop
) -> Numbers:
    """The numbers of that step; arguments and errors are those of `explained`."""
    if not 1 <= len(x) <= MAX_ROWS or len(x) != len(y):
        raise InputError(
            f"a blackboard shows 1 to {MAX_ROWS} examples, each with its y, got {len(x)} rows of x and {len(y)} of y; "
            "give it x[:1], y[:1]."
        )
    if count_params(params) > MAX_PARAMS:
        raise InputError(
            f"the net has {count_params(params):,} parameters: a blackboard takes at most {MAX_PARAMS}; "
            "make it smaller, such as by --set network.layers.0.units=1, or explain configs/xor.toml."
        )
    x, y, state = jnp.asarray(x), jnp.asarray(y), optimizer.init(params)

    @jax.jit
    def found(params: Params, state: Params, x: Array, y: Array) -> Numbers:
        trace, (before, nablas) = activations(net, params, x), gradient(net, cost, params, x, y)
        new, v = step(net, cost, optimizer, params, state, x, y, gradient)
        costs = [cost.value(trace[-1][r : r + 1], y[r : r + 1]) for r in range(len(x))]
        entering, after = deltas(net, cost, params, x, y), cost.value(forward(net, new, x), y)
        return Numbers(trace, cost.output(trace[-1]), costs, entering, before, nablas, new, v, after)

    return jax.tree.map(np.asarray, found(params, state, x, y))


def board(
    net: Net, cost: Cost, optimizer: Optimizer, params: Params, y: Array, found: Numbers, gradient: Gradient = backprop
) -> str:
    """The numbers of a step, written down; `gradient` is the rule that gave the nablas."""
    name, state = getattr(gradient, "__name__", type(gradient).__name__), optimizer.init(params)
    with np.errstate(all="ignore"):  # a board shows infinity and nan too
        return "\n".join(
            [
                *COUNTED,
                *_forward(net, params, found),
                *_cost(cost, found, np.asarray(y)),
                *_backward(net, cost, params, found, np.asarray(y), name),
                "\nSTEP",
                *written_step(net, optimizer, Step(params, found.nablas, found.new, state, found.v)),
                *_effect(params, found),
            ]
        )


def _forward(net: Net, params: Params, found: Numbers) -> Iterator[str]:
    yield "\nFORWARD"
    yield from indented(2, _listed_rows("x", found.trace[0]))
    for i, (layer, p) in enumerate(zip(net, params, strict=True)):
        a, out, written = *found.trace[i : i + 2], form(layer, p)
        yield from _headed(f"layer {i}, {_title(layer, a[0], out[0])}", written.formula)
        yield from indented(4, _rows(map(written.worked, a, out)))


def _cost(cost: Cost, found: Numbers, y: np.ndarray) -> Iterator[str]:
    written = cost_form(cost)
    yield from _headed(f"cost, {type(cost).__name__}", written.output.formula)
    several = "; C = the sum over j" if written.formula.startswith("C[j]") else ""
    yield f"    {written.formula}{several}" if y.shape[1] > 1 else f"    {written.formula.replace('[j]', '')}"
    yield from indented(4, _rows(map(partial(_cost_of_a_row, written), found.trace[-1], found.a, y, found.costs)))
    if len(y) > 1:
        yield from indented(4, lines("mean C", over(len(y), summed(np.array(found.costs))), found.before))


def _cost_of_a_row(written: CostForm, z: np.ndarray, a: np.ndarray, y: np.ndarray, value: np.ndarray) -> Iterator[str]:
    yield from written.output.worked(z, a)
    yield from listed("y", y)
    parts = list(written.values(z, a, y))
    if len(parts) == 1:
        yield from lines("C", *parts[0])
        return
    for j, part in enumerate(parts):
        yield from lines(f"C[{j}]", *part)
    yield from lines("C", summed(np.array([part for _, part in parts])) if parts else "", value)


def _backward(net: Net, cost: Cost, params: Params, found: Numbers, y: np.ndarray, name: str) -> Iterator[str]:
    yield f"\nBACKWARD: delta = dC/d(the outputs of a layer); dC/dW and dC/db by {name}"
    if len(y) > 1:
        yield f"  C is the mean C of the {len(y)} rows, so every delta has the factor 1/{len(y)}"
    written = cost_form(cost)
    yield from _headed("BP1, delta[j] = dC/dz[j]", written.bp1(len(y)))
    rows = zip(found.trace[-1], found.a, y, found.entering[-1], strict=True)
    yield from indented(4, _rows(written.deltas(*row[:3], len(y), row[3]) for row in rows))
    for i in reversed(range(len(net))):
        a, delta, layer = found.trace[i], found.entering[i], form(net[i], params[i])
        yield f"\n  layer {i}, {_title(net[i], a[0], delta[0])}"
        yield from indented(4, _listed_rows("delta", delta))
        yield from indented(4, layer.nabla(found.nablas[i], a, delta))
        if i:
            yield from indented(4, wrapped("", f"to layer {i - 1}, {layer.equation}: {layer.passed}", "  "))
            yield from indented(6, _rows(map(layer.deltas, a, delta, found.entering[i - 1])))


def _effect(params: Params, found: Numbers) -> Iterator[str]:
    leaves = zip(*map(jax.tree.leaves, (params, found.nablas, found.new)), strict=True)
    promised = found.before + sum(((np.asarray(n) - np.asarray(p)) * g).sum() for p, g, n in leaves)
    name = "C" if len(found.costs) == 1 else "mean C"
    yield f"\n{name} is {six(found.before)} before the step and {six(found.after)} after it."
    yield f"The gradient promised {six(promised)}: C + the sum of dC/dp times the change of p."


def _rows(texts: Iterable[Iterable[str]]) -> Iterator[str]:
    """The lines of each row under its number; of a single row only the lines."""
    rows = list(texts)
    if len(rows) == 1:
        yield from rows[0]
        return
    for r, text in enumerate(rows):
        yield f"row {r}"
        yield from indented(2, text)


def _listed_rows(name: str, rows: np.ndarray) -> Iterator[str]:
    """All numbers of each row; its number only where there are several."""
    for r, row in enumerate(rows):
        yield from listed(f"row {r}: {name}" if len(rows) > 1 else name, row)


def _headed(head: str, formula: str) -> Iterator[str]:
    """An empty line, and a heading with a formula, which stands on lines of its own where one line is too short."""
    yield ""
    if len(head) + len(formula) + 2 <= WIDTH:
        yield from indented(2, wrapped(f"{head}: ", formula))
    else:
        yield f"  {head}"
        yield from indented(4, wrapped("", formula, "  "))


def _title(layer: Layer, a: np.ndarray, out: np.ndarray) -> str:
    """`Dense 2 -> 3`, or `Sigmoid 3`."""
    shapes = [str(v.size) if v.ndim == 1 else str(v.shape) for v in (a, out)]
    same = isinstance(layer, Elementwise | Softmax) and shapes[0] == shapes[1]
    return f"{type(layer).__name__} {shapes[0] if same else ' -> '.join(shapes)}"
