"""The network of `fnn explain`, drawn with the numbers of the step."""

from __future__ import annotations

from pathlib import Path

import jax
import numpy as np

from fnn.activation_functions import Elementwise
from fnn.layers import DenseParams
from fnn.lessons.blackboard import Numbers
from fnn.plots.curves import short
from fnn.plots.network_drawing import Column, draw
from fnn.types import Cost, Layer, Net, Params


def draw_rows(
    folder: Path, name: str, net: Net, cost: Cost, params: Params, y: np.ndarray, found: Numbers
) -> list[str]:
    """Draw the network once for each row of the mini-batch; the names of the pictures."""
    files = ["network.png"] if len(y) == 1 else [f"network-{row}.png" for row in range(len(y))]
    took = f"{found.before:#.3g} to {found.after:#.3g}"
    for row, file in enumerate(files):
        said = f"one step takes the cost from {took}"
        if len(y) > 1:
            said = f"row {row} of {len(y)}; one step takes their mean cost from {took}"
        draw(_columns(net, cost, params, found, row), y[row], folder / file, f"{short(name, 40)}: {said}")
    return files


def _columns(net: Net, cost: Cost, params: Params, found: Numbers, row: int) -> list[Column]:
    """The inputs; then each layer, together with the activation function behind it if there is one."""
    columns = [Column("inputs", found.trace[0][row].ravel())]
    for i, layer in enumerate(net):
        name, a = f"{i} {short(type(layer).__name__, 16)}", found.trace[i + 1][row].ravel()
        if isinstance(layer, Elementwise) and i and not isinstance(net[i - 1], Elementwise):
            columns[-1] = columns[-1]._replace(name=f"{columns[-1].name}\n{name}", a=a)
        else:
            joined, delta = _joined(layer, params[i], found.trace[i][row]), found.entering[i][row].ravel()
            dense = jax.tree.map(np.asarray, params[i]) if isinstance(params[i], DenseParams) else None
            columns.append(Column(name, a, delta, dense and dense.b, joined, dense and dense.W))
    last = columns[-1]._replace(name=f"{columns[-1].name}\n{short(type(cost).__name__, 16)}", a=found.a[row])
    return [*columns[:-1], last]


def _joined(layer: Layer, params: Params, a: np.ndarray) -> np.ndarray:
    """Which outputs of a layer change with which of its inputs: all of a Dense; by the derivative of another layer."""
    if isinstance(params, DenseParams):
        return np.ones(params.W.shape, bool)
    by_input = np.asarray(jax.jit(jax.jacobian(lambda a: layer.forward(params, a[None])[0]))(a))
    return by_input.reshape(-1, a.size) != 0
