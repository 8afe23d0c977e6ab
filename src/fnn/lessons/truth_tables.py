"""Truth tables: any Boolean function as a circuit of NANDs; a few of them as one perceptron.

Shape letters: `n` inputs, `m` outputs; the 2ⁿ rows are in the order 0…00, 0…01, …, 1…11.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from fnn.activation_functions import Step
from fnn.layers import Dense
from fnn.lessons.logic import Circuit, Nand, circuit, from_threshold, inputs
from fnn.types import Net, Params

Signal = int | bool  # a bool is a constant


def truth_table(outputs: Sequence | np.ndarray) -> Circuit:
    """A circuit of NANDs with these outputs, by Shannon's expansion: `f = (x₁ and f(1, …)) or (not x₁ and f(0, …))`.

    Args:
        outputs: Zeros and ones, `(2ⁿ,)` for one output or `(2ⁿ, m)`.

    Raises:
        ValueError: the table has another shape or other entries.

    Examples:
        >>> from fnn import forward, truth_table
        >>> from fnn.lessons.logic import inputs, layered
        >>> net, params = layered(truth_table([0, 1, 1, 0]))
        >>> forward(net, params, inputs(2))[:, 0].tolist()
        [0.0, 1.0, 1.0, 0.0]
    """
    table = _checked(outputs)

    def rule(nand: Nand, *x: int) -> list[int]:
        one = nand(x[0], nand(x[0], x[0]))
        signals = [_expanded(nand, x, tuple(column)) for column in table.T.tolist()]
        return [(one if s else nand(one, one)) if isinstance(s, bool) else s for s in signals]

    return circuit(len(table).bit_length() - 1, rule)


def _checked(outputs: Sequence | np.ndarray) -> np.ndarray:
    """The table as Boolean values, `(2ⁿ, m)`."""
    table = np.asarray(outputs)
    table = table[:, None] if table.ndim == 1 else table
    rows = table.shape[0] if table.ndim == 2 else 0
    if rows < 2 or rows & (rows - 1) or not table.shape[1]:
        raise ValueError(
            f"truth table of shape {np.shape(outputs)}: expected (2^n,) or (2^n, m) for n inputs and m outputs, "
            "such as [0, 1, 1, 0]."
        )
    if not np.isin(table, (0, 1)).all():
        raise ValueError(f"truth table with the entry {table[~np.isin(table, (0, 1))][0]}: expected zeros and ones.")
    return table.astype(bool)


def _expanded(nand: Nand, x: tuple[int, ...], column: tuple[bool, ...]) -> Signal:
    """The signal of the function of `x` whose column of the truth table this is."""
    if len(set(column)) == 1:
        return column[0]
    half = len(column) // 2
    f0, f1 = (_expanded(nand, x[1:], part) for part in (column[:half], column[half:]))
    if type(f0) is type(f1) and f0 == f1:  # the types too, because True == 1, and 1 is a signal
        return f0
    if f0 is False and f1 is True:
        return x[0]
    return _folded(nand, _folded(nand, x[0], f1), _folded(nand, nand(x[0], x[0]), f0))


def _folded(nand: Nand, p: Signal, q: Signal) -> Signal:
    """The NAND of two signals, without a gate where one of them is a constant."""
    if p is False or q is False:
        return True
    if p is True or q is True:
        other = q if p is True else p
        return (not other) if isinstance(other, bool) else nand(other, other)
    return nand(p, q)


def perceptron(outputs: Sequence | np.ndarray) -> tuple[Net, Params]:
    """One perceptron with integer weights that computes this Boolean function; |z| ≥ 1 on every row.

    The weights are found by Rosenblatt's rule: add a row that should fire and does not, subtract a row that should not
    fire and does. If one perceptron can compute the function, the rule ends. If not, the weights stay bounded (the
    cycling theorem) and therefore return to earlier values. The rows that were used in this cycle give the reason: the
    rows that should fire have the same sum as the rows that should not.

    Args:
        outputs: Zeros and ones, `(2ⁿ,)`.

    Raises:
        ValueError: the table has several outputs, or no single perceptron computes it; the message gives the reason.

    Examples:
        >>> from fnn import perceptron
        >>> net, params = perceptron([1, 1, 1, 0])  # NAND
        >>> net
        (Dense(units=1, initializer=ScaledNormal(), bias_initializer=Normal(std=1.0)), Step())
    """
    table = _checked(outputs)
    if table.shape[1] != 1:
        raise ValueError(f"truth table with {table.shape[1]} outputs: a perceptron has one; use truth_table for more.")
    x = inputs(len(table).bit_length() - 1).astype(int)
    w, uses = _rosenblatt(np.column_stack([x, np.ones(len(x), int)]), np.where(table[:, 0], 1, -1))
    if uses.any():
        raise ValueError(_reason(x, table[:, 0], uses))
    return (Dense(1), Step()), (from_threshold(w[None, :-1], -w[-1:]), ())


def _rosenblatt(x: np.ndarray, sign: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Weights, bias last, and how often each row was used in one cycle of the rule: never, if the weights are right."""
    w, uses, seen = np.zeros(x.shape[1], int), np.zeros(len(x), int), {}
    while True:
        if tuple(w) in seen:
            return w, uses - seen[tuple(w)]
        seen[tuple(w)] = uses.copy()
        for i in range(len(x)):
            if sign[i] * (x[i] @ w) <= 0:
                w, uses[i] = w + sign[i] * x[i], uses[i] + 1
        if (sign * (x @ w) > 0).all():
            return w, np.zeros(len(x), int)


def _reason(x: np.ndarray, fires: np.ndarray, uses: np.ndarray) -> str:
    uses = uses // np.gcd.reduce(uses)
    terms = [f"{k if k > 1 else ''}z({''.join(map(str, row))})" for row, k in zip(x, uses, strict=True)]
    ones, zeros = (" + ".join(terms[i] for i in np.flatnonzero(uses * side)) for side in (fires, ~fires))
    table = "".join(map(str, fires.astype(int)))
    return (
        f"no single perceptron computes {table}: whatever its weights, {ones} = {zeros}, of which the left "
        "side should be above 0 and the right side not; use truth_table, which takes layers."
    )
