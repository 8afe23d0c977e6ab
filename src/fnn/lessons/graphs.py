"""Graphs of gates, written as ordinary Python expressions, with pure functions that evaluate and backpropagate them.

A graph is given by its last node. If a node is used more than once, its deltas from all uses add up.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import jax.numpy as jnp

from fnn.lessons.gates import (
    Add,
    Array,
    Constant,
    Exp,
    FanOut,
    Gate,
    Log,
    Max,
    Multiply,
    Reciprocal,
    Sigmoid,
    Sin,
    Square,
)

Values = Mapping[str, Array | float]  # of the variables, by name; scalars


@dataclass(frozen=True)
class Variable:
    """A number that is given when the graph is evaluated; it has no inputs."""

    name: str


@dataclass(frozen=True, eq=False)  # nodes compare as objects: equal gates are still two nodes
class Node:
    """A gate and the nodes that are its inputs: an expression."""

    gate: Gate | Variable
    inputs: tuple[Node, ...] = ()

    def __add__(self, other: Node | float) -> Node:
        return apply(Add(), self, other)

    def __radd__(self, other: float) -> Node:
        return apply(Add(), other, self)

    def __neg__(self) -> Node:
        return apply(Multiply(), -1.0, self)

    def __sub__(self, other: Node | float) -> Node:
        return apply(Add(), self, apply(Multiply(), -1.0, other))

    def __rsub__(self, other: float) -> Node:
        return apply(Add(), other, -self)

    def __mul__(self, other: Node | float) -> Node:
        return apply(Multiply(), self, other)

    def __rmul__(self, other: float) -> Node:
        return apply(Multiply(), other, self)

    def __truediv__(self, other: Node | float) -> Node:
        return apply(Multiply(), self, apply(Reciprocal(), other))

    def __rtruediv__(self, other: float) -> Node:
        return apply(Multiply(), other, apply(Reciprocal(), self))


def apply(gate: Gate, *inputs: Node | float) -> Node:
    """A new node: this gate, which may be one of your own, applied to nodes and numbers."""
    return Node(gate, tuple(x if isinstance(x, Node) else Node(Constant(x)) for x in inputs))


def variable(name: str) -> Node:
    """An input of the graph."""
    return Node(Variable(name))


def exp(x: Node | float) -> Node:
    """`eˣ`."""
    return apply(Exp(), x)


def log(x: Node | float) -> Node:
    """`ln x`."""
    return apply(Log(), x)


def sin(x: Node | float) -> Node:
    """`sin x`, x in radians."""
    return apply(Sin(), x)


def square(x: Node | float) -> Node:
    """`x²`."""
    return apply(Square(), x)


def sigmoid(x: Node | float) -> Node:
    """`σ(x)`."""
    return apply(Sigmoid(), x)


def largest(*x: Node | float) -> Node:
    """The largest of `x`; among equals the first one receives the whole delta."""
    return apply(Max(), *x)


def forward(y: Node, values: Values) -> Array:
    """The value of the graph that ends in `y`.

    Args:
        y: Its last node.
        values: A scalar for each variable; use `jax.vmap` for many.

    Raises:
        ValueError: a variable has no value, a value has no variable, or a value is no scalar.

    Example:
        >>> from fnn.lessons import graphs
        >>> x = graphs.variable("x")
        >>> y = graphs.exp(graphs.sin(graphs.square(x)))
        >>> round(float(graphs.forward(y, {"x": 0.7})), 5)
        1.601
    """
    return _outputs(_ordered(y), values)[y]


def backprop(y: Node, values: Values) -> tuple[Array, dict[str, Array]]:
    """The value of the graph and its derivative by every variable, gate by gate from the last to the first.

    Args:
        y: The last node.
        values: A scalar for each variable.

    Raises:
        ValueError: a variable has no value, a value has no variable, or a value is no scalar.

    Example:
        >>> from fnn.lessons import graphs
        >>> t = graphs.variable("t")
        >>> value, by = graphs.backprop(t * t * t + t, {"t": 2.0})
        >>> float(value), float(by["t"])
        (10.0, 13.0)
    """
    order = _ordered(y)
    outputs = _outputs(order, values)
    deltas = _deltas(order, outputs)
    by = {name: jnp.zeros_like(outputs[y]) for name in values}
    for node in order:
        if isinstance(node.gate, Variable):  # two nodes with one name are one variable
            by[node.gate.name] = by[node.gate.name] + deltas[node]
    return outputs[y], by


def _ordered(y: Node) -> list[Node]:
    """Every node of the graph once, each after its inputs."""
    order: dict[Node, None] = {}
    stack = [(y, False)]
    while stack:
        node, ready = stack.pop()
        if ready:
            order.setdefault(node)
        elif node not in order:
            stack.append((node, True))
            stack.extend((x, False) for x in reversed(node.inputs))
    return list(order)


def _outputs(order: list[Node], values: Values) -> dict[Node, Array]:
    _check_names(order, values)
    outputs: dict[Node, Array] = {}
    for node in order:
        if isinstance(node.gate, Variable):
            outputs[node] = jnp.asarray(values[node.gate.name], jnp.result_type(float))
        else:
            outputs[node] = node.gate.forward(tuple(outputs[x] for x in node.inputs))
    return outputs


def _check_names(order: list[Node], values: Values) -> None:
    names = {node.gate.name for node in order if isinstance(node.gate, Variable)}
    if names != set(values):
        raise ValueError(
            f"values for {sorted(values)}, but the variables of the graph are {sorted(names)}; give a number for each."
        )
    for name, value in values.items():
        if jnp.ndim(value):
            raise ValueError(f"{name} has shape {jnp.shape(value)}; expected a scalar: jax.vmap takes many at once.")


def _deltas(order: list[Node], outputs: dict[Node, Array]) -> dict[Node, Array]:
    """The derivative of the last node by the output of each."""
    arriving: dict[Node, list[Array]] = {node: [] for node in order}
    arriving[order[-1]].append(jnp.ones_like(outputs[order[-1]]))
    deltas = {}
    for node in reversed(order):
        uses = arriving[node]
        (deltas[node],) = FanOut(len(uses)).backward((outputs[node],), tuple(uses))
        if not isinstance(node.gate, Variable):
            passed = node.gate.backward(tuple(outputs[x] for x in node.inputs), deltas[node])
            for x, delta in zip(node.inputs, passed, strict=True):
                arriving[x].append(delta)
    return deltas


def drawn(y: Node, values: Values) -> str:
    """The graph as text: under each gate its inputs, with every value and every delta.

    A node that is used several times has a number. Its inputs are drawn at its first place only. Its delta is the sum
    over all its uses.

    Example:
        >>> from fnn.lessons import graphs
        >>> x = graphs.variable("x")
        >>> print(graphs.drawn(graphs.exp(graphs.sin(graphs.square(x))), {"x": 0.7}))
        gate                 value         delta
        exp                  1.601             1
        └─ sin            0.470626         1.601
           └─ square          0.49       1.41261
              └─ x             0.7       1.97766
    """
    order = _ordered(y)
    outputs = _outputs(order, values)
    deltas = _deltas(order, outputs)
    uses = [x for node in order for x in node.inputs]
    shared = [node for node in order if uses.count(node) > 1]
    rows = list(_drawn(y, "", "", {node: f" #{k}" for k, node in enumerate(shared, 1)}, set()))
    width = max(len(text) for text, _ in rows)
    lines = [f"{'gate':{width}}  {'value':>12}  {'delta':>12}"]
    return "\n".join(lines + [f"{text:{width}}  {_six(outputs[node])}  {_six(deltas[node])}" for text, node in rows])


def _drawn(node: Node, mark: str, indent: str, numbers: dict[Node, str], seen: set[Node]):
    """The lines of the drawing, each with its node."""
    again = node in seen and bool(node.inputs)
    yield f"{mark}{_name(node)}{numbers.get(node, '')}{', as above' if again else ''}", node
    seen.add(node)
    for i, x in enumerate(() if again else node.inputs):
        last = i == len(node.inputs) - 1
        yield from _drawn(x, indent + ("└─ " if last else "├─ "), indent + ("   " if last else "│  "), numbers, seen)


def _name(node: Node) -> str:
    if isinstance(node.gate, Variable):
        return node.gate.name
    return f"{node.gate.value:g}" if isinstance(node.gate, Constant) else type(node.gate).__name__.lower()


def _six(x: Array) -> str:
    return f"{float(x):12.6g}"
