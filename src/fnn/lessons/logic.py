"""Logic: Boolean functions as nets of perceptrons, wired from NAND units alone (Nielsen, ch. 1).

A perceptron fires, 1, if `W·x > threshold`, strictly: a tie gives 0. With the bias `b = −threshold` that is a `Dense`
and a `Step`. A NAND of two signals has the weights −2, −2 and the bias 3, so z is 3, 1, 1 or −1; both inputs from
one signal are one weight of −4, and the unit is NOT.

The nets here have no links that skip a layer, and then NAND alone is not enough: every path to an output passes the
same number of inversions, so such a net of even depth computes only functions that never fall when an input rises, of
odd depth only functions that never rise. XOR is neither. A signal that is wanted further on is therefore handed from
layer to layer by a unit that repeats it (weight 2, bias −1, z = ±1), in the place of the long wire of a drawing.

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
        ValueError: no input or output, or a signal that is not there (yet): a circuit has no loops.
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
        rule: Called as `rule(nand, x_1, …, x_n)`, it builds the outputs by calling `nand` on signals. Equal gates
            are built once.

    Raises:
        TypeError, ValueError: as `Circuit`.

    Example:
        >>> from fnn import circuit
        >>> circuit(2, lambda nand, p, q: nand(nand(p, p), nand(q, q))).gates  # OR
        ((0, 0), (1, 1), (2, 3))
    """
    gates: dict[tuple[int, int], int] = {}
    outputs = rule(lambda p, q: gates.setdefault((p, q), n + len(gates)), *range(n))
    return Circuit(n, tuple(gates), (outputs,) if isinstance(outputs, int) else tuple(outputs))


def layered(circuit: Circuit) -> tuple[Net, Params]:
    """The circuit as a net of `Dense` and `Step` layers and its params; `forward` gives the outputs, 0 or 1.

    A gate stands in the first layer that has all it needs before it; gates that no output needs are left out.

    Example:
        >>> from fnn import forward
        >>> from fnn.logic import half_adder, inputs, layered
        >>> forward(*layered(half_adder()), inputs(2)).astype(int).tolist()  # sum and carry
        [[0, 0], [1, 0], [1, 0], [0, 1]]
    """
    depths = _depths(circuit)
    last = max(1, *(depths[s] for s in circuit.outputs))
    until = _until(circuit, depths, last)
    before, net, params = list(range(circuit.n)), [], []
    for layer in range(1, last + 1):
        here = [s for s, depth in depths.items() if depth <= layer <= until.get(s, 0)]
        here = list(circuit.outputs) if layer == last else here
        net += [Dense(len(here)), Step()]
        params += [_units(circuit, depths, layer, before, here), ()]
        before = here
    return tuple(net), tuple(params)


def _depths(circuit: Circuit) -> dict[int, int]:
    """The number of gates on the longest way to each signal."""
    depths = dict.fromkeys(range(circuit.n), 0)
    for k, (p, q) in enumerate(circuit.gates):
        depths[circuit.n + k] = 1 + max(depths[p], depths[q])
    return depths


def _until(circuit: Circuit, depths: dict[int, int], last: int) -> dict[int, int]:
    """The last layer that must hold each signal that is needed at all."""
    until = dict.fromkeys(circuit.outputs, last)
    for k in reversed(range(len(circuit.gates))):
        if circuit.n + k in until:
            for s in circuit.gates[k]:
                until[s] = max(until.get(s, 0), depths[circuit.n + k] - 1)
    return until


def _units(circuit: Circuit, depths: dict[int, int], layer: int, before: list[int], here: list[int]) -> DenseParams:
    """A NAND for each signal that is made in this layer, and a repeating unit for each that is handed on."""
    W, b = np.zeros((len(here), len(before))), np.empty(len(here))
    for row, signal in enumerate(here):
        made = depths[signal] == layer
        b[row] = 3 if made else -1
        for s in circuit.gates[signal - circuit.n] if made else (signal,):
            W[row, before.index(s)] += -2 if made else 2
    return DenseParams(jnp.asarray(W, jnp.result_type(float)), jnp.asarray(b, jnp.result_type(float)))


def softened(net: Net, params: Params, c: float) -> tuple[Net, Params]:
    """The same net with `σ(c z)` for every step: sigmoid units whose weights and biases are `c` > 0 times as large.

    The layer before a step has them. As c grows the outputs go to those of the perceptrons wherever no z is 0
    (Nielsen, ch. 1).
    """
    steps = [layer == Step() for layer in net]
    scaled = (jax.tree.map(lambda p, c=c if step else 1: c * p, p)
              for p, step in zip(params, [*steps[1:], False], strict=True))  # fmt: skip
    return tuple(Sigmoid() if step else layer for layer, step in zip(net, steps, strict=True)), tuple(scaled)


def half_adder() -> Circuit:
    """Sum and carry of two bits, from five NANDs (Nielsen, ch. 1)."""

    def rule(nand: Nand, p: int, q: int) -> tuple[int, int]:
        n = nand(p, q)
        return nand(nand(p, n), nand(q, n)), nand(n, n)

    return circuit(2, rule)


def adder(bits: int) -> Circuit:
    """The sum, `bits + 1` bits, of two numbers of `bits` bits; in all three the highest bit comes first."""

    def rule(nand: Nand, *x: int) -> list[int]:
        said, carry = [], None
        for p, q in zip(x[bits - 1 :: -1], x[: bits - 1 : -1], strict=True):  # from the lowest bit
            n = nand(p, q)
            total = nand(nand(p, n), nand(q, n))
            if carry is None:
                carry = nand(n, n)
            else:
                both = nand(total, carry)
                total, carry = nand(nand(total, both), nand(carry, both)), nand(n, both)
            said.append(total)
        return [*([] if carry is None else [carry]), *reversed(said)]

    positive("adder", "bits", bits)
    return circuit(2 * bits, rule)


def bit_layer(classes: int = 10) -> tuple[Net, Params]:
    """Perceptrons that turn one-hot rows into the bits of the class number, highest first (Nielsen, ch. 1, exercise).

    The weights are the bits of the class, the biases −1/2. `softened` by s has weights s·bit and biases −s/2.
    """
    positive("bit_layer", "classes", classes)
    m = max(1, (classes - 1).bit_length())
    params = from_threshold(jnp.asarray(inputs(m)[:classes].T), jnp.full((m,), 0.5))
    return (Dense(m), Step()), (params, ())
