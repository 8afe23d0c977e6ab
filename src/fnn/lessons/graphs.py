"""Graphs of gates, written as ordinary Python expressions, with pure functions that evaluate and backpropagate them.

A graph is given by its last node. If a node is used more than once, its deltas from all uses add up.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
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
BRANCH, LAST_BRANCH = "├─ ", "└─ "
DEEPEST = 40  # levels of a drawing; every level indents by three characters


@dataclass(frozen=True)
class Variable:
    """A number that is given when the graph is evaluated; it has no inputs."""

    name: str


@dataclass(frozen=True, eq=False)  # nodes compare as objects: equal gates are still two nodes
class Node:
    """A gate and the nodes that are its inputs: an expression."""

    gate: Gate | Variable
    inputs: tuple[Node, ...] = ()

    def __repr__(self) -> str:
        """The gate and the number of its inputs; the whole graph may be deeper than Python recurses."""
        return f"<Node {_name(self)}, {len(self.inputs)} inputs>"

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

    Examples:
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

    Examples:
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
    over all its uses. At `DEEPEST` levels a drawing ends: the node there has a number, and it is drawn further down,
    from the left margin again.

    Examples:
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
    uses = Counter(x for node in order for x in node.inputs)
    rows = _rows(y, [node for node in order if uses[node] > 1])
    width = max(len(text) for text, _ in rows)
    lines = [f"{'gate':{width}}  {'value':>12}  {'delta':>12}"]
    return "\n".join(lines + [f"{text:{width}}  {_six(outputs[node])}  {_six(deltas[node])}" for text, node in rows])


def _rows(y: Node, shared: list[Node]) -> list[tuple[str, Node]]:
    """The lines of the drawing, each with its node; `shared` are the nodes that are used several times."""
    numbers = {node: k for k, node in enumerate(shared, 1)}
    rows, tops, places = [], [y], {}  # the places say where the inputs of a gate are drawn
    for top in tops:  # the deep nodes are added to it meanwhile
        stack = [(top, "", "")]
        while stack:
            node, mark, indent = stack.pop()
            place = "" if node is top else places.get(node, "")
            if not place and node.inputs and len(indent) == DEEPEST * len(BRANCH):
                numbers.setdefault(node, len(numbers) + 1)
                tops.append(node)
                place = places[node] = ", as below"
            rows.append((f"{mark}{_name(node)}{f' #{numbers[node]}' if node in numbers else ''}{place}", node))
            if not place and node.inputs:
                places[node] = ", as above"
                stack += _branches(node.inputs, indent)
    return rows


def _branches(inputs: tuple[Node, ...], indent: str) -> Iterator[tuple[Node, str, str]]:
    """The inputs of a gate, last to first, each with what stands before its name and before the names under it."""
    for i, x in reversed(list(enumerate(inputs, 1))):
        last = i == len(inputs)
        yield x, indent + (LAST_BRANCH if last else BRANCH), indent + ("   " if last else "│  ")


def _name(node: Node) -> str:
    if isinstance(node.gate, Variable):
        return node.gate.name
    return f"{node.gate.value:g}" if isinstance(node.gate, Constant) else type(node.gate).__name__.lower()


def _six(x: Array) -> str:
    return f"{float(x):12.6g}"
