"""How a step is written on the blackboard: the penalty, the velocity and the new parameters.

Of a user's optimiser, and of a subclass of `SGD`, only the results are written.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

import jax
import numpy as np

from fnn.lessons.equations import bracketed, indented, lines, product, six, total
from fnn.lessons.written import named_numbers
from fnn.optimizers import SGD, is_weight
from fnn.types import Net, Optimizer, Params


class Step(NamedTuple):
    """A step in five trees like the params."""

    params: Params
    nablas: Params
    new: Params  # the params after the step
    v: Params  # the optimiser's state before the step
    new_v: Params  # and after it


class Entry(NamedTuple):
    """The numbers of one parameter, in the order of `Step`; v means something only where there is a velocity."""

    p: float
    nabla: float
    new: float
    v: float
    new_v: float
    is_weight: float  # 1 where it is penalised, else 0


def written_step(net: Net, optimizer: Optimizer, step: Step) -> Iterator[str]:
    """The rule, and then every new parameter, worked out."""
    known = type(optimizer) is SGD
    worked: Callable[..., Iterator[str]] = _results if not known else _moved if step.v != () else _stepped
    yield from indented(
        2, _rule(optimizer, step.v != ()) if known else [f"new parameters = {type(optimizer).__name__}"]
    )
    weights = jax.tree.map_with_path(lambda path, p: np.full(np.shape(p), is_weight(path)), step.params)
    trees = step if worked is _moved else step._replace(v=weights, new_v=weights)
    for i, layer in enumerate(net):
        rows = list(zip(*(named_numbers(tree[i]) for tree in (*trees, weights)), strict=True))
        if rows:
            yield f"\n  layer {i}, {type(layer).__name__}"
        for row in rows:
            yield from indented(4, worked(optimizer, row[0][0], Entry(*(number for _, number in row))))


def _rule(optimizer: SGD, moving: bool) -> Iterator[str]:
    penalised = float(optimizer.lmbda) != 0
    slope = "(dC/dW + lmbda W)" if penalised else "dC/dW"
    if moving:
        yield f"v' = mu v - eta {slope}, W' = W + v'; at the start v = 0"
        yield f"b in the same way{', without lmbda W' if penalised else ''}"
    else:
        yield f"W' = W - eta {slope}, b' = b - eta dC/db"
    if penalised:
        yield "lmbda W is the derivative of the penalty lmbda/2 sum W^2, which is not in C"
    numbers = {"eta": optimizer.eta, "mu": optimizer.mu, "lmbda": optimizer.lmbda}
    used = {"eta", *(["mu"] if moving else []), *(["lmbda"] if penalised else [])}
    yield ", ".join(f"{name} = {six(number)}" for name, number in numbers.items() if name in used)


def _results(optimizer: Optimizer, name: str, entry: Entry) -> Iterator[str]:
    return lines(name, "", entry.new)


def _stepped(optimizer: SGD, name: str, entry: Entry) -> Iterator[str]:
    return lines(name, f"{six(entry.p)} - {bracketed(optimizer.eta)}*{_slope(optimizer, entry)}", entry.new)


def _moved(optimizer: SGD, name: str, entry: Entry) -> Iterator[str]:
    kept = f"{six(optimizer.mu)}*{bracketed(entry.v)}"
    yield from lines(f"v of {name}", f"{kept} - {bracketed(optimizer.eta)}*{_slope(optimizer, entry)}", entry.new_v)
    yield from lines(name, total([six(entry.p), six(entry.new_v)]), entry.new)


def _slope(optimizer: SGD, entry: Entry) -> str:
    """The derivative of the cost, and of the penalty where there is one."""
    if not entry.is_weight or not float(optimizer.lmbda):
        return bracketed(entry.nabla)
    return f"({total([six(entry.nabla), product(float(optimizer.lmbda), entry.p)])})"
