"""Logic: Boolean circuits of NAND gates, and the same circuits as nets of perceptrons (Nielsen, ch. 1).

A perceptron fires (gives 1) if `W·x > threshold`, strictly: a tie gives 0. With the bias `b = −threshold` it is a
`Dense` and a `Step`. A NAND of two signals has the weights −2, −2 and the bias 3, so z is 3, 1, 1 or −1. If both inputs
are one signal, the unit has one weight of −4, and it is NOT.

In the nets here no link skips a layer. Then NAND units alone are not enough. Every path to an output has the same
number of inversions. A net of even depth therefore computes only functions that never fall when an input rises, and a
net of odd depth only functions that never rise. XOR is neither. So a signal that a later layer needs is repeated in
every layer between, by a unit with weight 2 and bias −1 (z = ±1). In a drawing of the circuit that is a long wire.

Shape letters: `n` inputs, `m` outputs; truth tables have their 2ⁿ rows in the order 0…00, 0…01, …, 1…11.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np

from fnn.activation_functions import Sigmoid, Step
from fnn.layers import Dense, DenseParams
from fnn.types import Array, Net, Params, positive

Nand = Callable[[int, int], int]


def inputs(n: int) -> np.ndarray:
    """All rows of 0 and 1, `(2ⁿ, n)` float32, in the order of truth tables."""
    positive("inputs", "n", n)
    return (np.arange(2**n)[:, None] >> np.arange(n)[::-1] & 1).astype(np.float32)


def from_threshold(W: Array | np.ndarray, threshold: Array | np.ndarray) -> DenseParams:
    """The params of perceptrons that fire if `W x > threshold`: the bias is `−threshold` (Nielsen, ch. 1, eq. 2).

    Args:
        W: `(m, n)`, one row of weights per perceptron.
        threshold: `(m,)`.
    """
    return DenseParams(jnp.asarray(W, jnp.result_type(float)), -jnp.asarray(threshold, jnp.result_type(float)))


def threshold(params: DenseParams) -> Array:
    """The thresholds `(m,)` of perceptrons given in the bias form; the weights are the same in both."""
    return -params.b


@dataclass(frozen=True)
class Circuit:
    """NAND gates and their wiring.

    Signals are numbers: the inputs `0 … n − 1`, then gate `k` gives the signal `n + k`.

    Raises:
        TypeError: `n` is not a whole number.
        ValueError: no input, no output, or a signal that is neither an input nor of an earlier gate: no loops.
    """

    n: int  # inputs
    gates: tuple[tuple[int, int], ...]  # the two signals that each gate takes
    outputs: tuple[int, ...]  # signals

    def __post_init__(self) -> None:
        positive("Circuit", "n", self.n)
        if not self.outputs:
            raise ValueError("Circuit has no outputs; it needs at least one signal to give.")
        taken = [(f"gate {k} takes", s, self.n + k) for k, gate in enumerate(self.gates) for s in gate]
        for what, signal, end in taken + [("output", s, self.n + len(self.gates)) for s in self.outputs]:
            if not 0 <= signal < end:
                raise ValueError(
                    f"Circuit: {what} signal {signal}; expected 0 to {end - 1}, an input or an earlier gate: "
                    "there are no loops in a feedforward net."
                )


def circuit(n: int, rule: Callable[..., int | Sequence[int]]) -> Circuit:
    """The circuit that an ordinary function describes.

    Args:
        n: The number of inputs.
        rule: Called as `rule(nand, x_1, …, x_n)`; it returns the outputs, which it builds by calling `nand` on
            signals. Equal gates are built once.

    Raises:
        TypeError, ValueError: as `Circuit`.

    Examples:
        >>> from fnn import circuit
        >>> circuit(2, lambda nand, p, q: nand(nand(p, p), nand(q, q))).gates  # OR
        ((0, 0), (1, 1), (2, 3))
    """
    gates: dict[tuple[int, int], int] = {}
    outputs = rule(lambda p, q: gates.setdefault((p, q), n + len(gates)), *range(n))
    return Circuit(n, tuple(gates), (outputs,) if isinstance(outputs, int) else tuple(outputs))


def layered(circuit: Circuit) -> tuple[Net, Params]:
    """The circuit as a net of `Dense` and `Step` layers and its params; `forward` gives the outputs, 0 or 1.

    A gate stands in the first layer after all of its inputs. Gates that no output needs are left out.

    Examples:
        >>> from fnn import forward
        >>> from fnn.lessons.logic import half_adder, inputs, layered
        >>> forward(*layered(half_adder()), inputs(2)).astype(int).tolist()  # sum and carry
        [[0, 0], [1, 0], [1, 0], [0, 1]]
    """
    depths = _depths(circuit)
    last = max(1, *(depths[s] for s in circuit.outputs))
    until = _until(circuit, depths, last)
    new: dict[int, list[int]] = {}
    for signal, depth in depths.items():
        new.setdefault(depth, []).append(signal)
    before, net, params = list(range(circuit.n)), [], []
    for layer in range(1, last + 1):
        here = sorted(s for s in before + new.get(layer, []) if layer <= until.get(s, 0))
        here = list(circuit.outputs) if layer == last else here
        net += [Dense(len(here)), Step()]
        params += [_units(circuit, depths, layer, before, here), ()]
        before = here
    return tuple(net), tuple(params)


def _depths(circuit: Circuit) -> dict[int, int]:
    """The number of gates on the longest path to each signal."""
    depths = dict.fromkeys(range(circuit.n), 0)
    for k, (p, q) in enumerate(circuit.gates):
        depths[circuit.n + k] = 1 + max(depths[p], depths[q])
    return depths


def _until(circuit: Circuit, depths: dict[int, int], last: int) -> dict[int, int]:
    """The last layer that must give each signal; a signal that no output needs is missing."""
    until = dict.fromkeys(circuit.outputs, last)
    for k in reversed(range(len(circuit.gates))):
        if circuit.n + k in until:
            for s in circuit.gates[k]:
                until[s] = max(until.get(s, 0), depths[circuit.n + k] - 1)
    return until


def _units(circuit: Circuit, depths: dict[int, int], layer: int, before: list[int], here: list[int]) -> DenseParams:
    """The units of a layer: a NAND for each signal that is new in it, a repeating unit for each other signal."""
    W, b = np.zeros((len(here), len(before))), np.empty(len(here))
    places = {signal: column for column, signal in enumerate(before)}
    for row, signal in enumerate(here):
        new = depths[signal] == layer
        b[row] = 3 if new else -1
        for s in circuit.gates[signal - circuit.n] if new else (signal,):
            W[row, places[s]] += -2 if new else 2
    return DenseParams(jnp.asarray(W, jnp.result_type(float)), jnp.asarray(b, jnp.result_type(float)))


def softened(net: Net, params: Params, c: float) -> tuple[Net, Params]:
    """The same net with `σ(c z)` in place of every `Step`; c > 0.

    The weights and biases of the layer before each `Step` are multiplied by c. As c grows, the outputs go to those of
    the perceptrons, wherever no z is 0 (Nielsen, ch. 1).
    """
    factors = [*(c if layer == Step() else 1 for layer in net[1:]), 1]
    scaled = (jax.tree.map(lambda p, k=k: k * p, p) for p, k in zip(params, factors, strict=True))
    return tuple(Sigmoid() if layer == Step() else layer for layer in net), tuple(scaled)


def half_adder() -> Circuit:
    """Sum and carry of two bits, from five NANDs (Nielsen, ch. 1)."""

    def rule(nand: Nand, p: int, q: int) -> tuple[int, int]:
        n = nand(p, q)
        return nand(nand(p, n), nand(q, n)), nand(n, n)

    return circuit(2, rule)


def adder(bits: int) -> Circuit:
    """The sum of two numbers of `bits` bits, in `bits + 1` bits. In all three numbers the highest bit comes first."""

    def rule(nand: Nand, *x: int) -> list[int]:
        sums, carry = [], None
        for p, q in zip(x[bits - 1 :: -1], x[: bits - 1 : -1], strict=True):  # from the lowest bit
            n = nand(p, q)
            total = nand(nand(p, n), nand(q, n))
            if carry is None:
                carry = nand(n, n)
            else:
                both = nand(total, carry)
                total, carry = nand(nand(total, both), nand(carry, both)), nand(n, both)
            sums.append(total)
        return [*([] if carry is None else [carry]), *reversed(sums)]

    positive("adder", "bits", bits)
    return circuit(2 * bits, rule)


def bit_layer(classes: int = 10) -> tuple[Net, Params]:
    """Perceptrons that turn one-hot rows into the bits of the class number, highest first (Nielsen, ch. 1, exercise).

    The weights are the bits of the class number, the biases −1/2. `softened` by c has the weights c·bit, biases −c/2.
    """
    positive("bit_layer", "classes", classes)
    m = max(1, (classes - 1).bit_length())
    params = from_threshold(jnp.asarray(inputs(m)[:classes].T), jnp.full((m,), 0.5))
    return (Dense(m), Step()), (params, ())
