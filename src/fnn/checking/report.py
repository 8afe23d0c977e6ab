"""The report of a gradient check: values to read, to print as a table, to write as JSON."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from fnn.checking.layers import LayerVerdict
from fnn.checking.wrong_arrays import place
from fnn.types import Shape

COLUMNS = 80  # of a terminal; the table is not wider
NUMBERS = "  {:>8}  {:>10}  {:>8}  {:>5}  {}"
LEGEND = (
    "autodiff: the largest relative difference to automatic differentiation;",
    "difference: the largest to a finite difference of the value; compared: how many",
    "have one; kinks: how many have none, as the value is not smooth within its reach",
)


@dataclass(frozen=True)
class Worst:
    """The coordinate of a leaf where the derivatives differ most, relative to what is allowed."""

    index: tuple[int, ...]  # within the leaf: row, column, ...
    by_hand: float
    autodiff: float | None  # None: automatic differentiation gives no finite number there
    difference: float | None  # None: no finite difference there

    def __str__(self) -> str:
        """The three numbers."""
        second = "none" if self.autodiff is None else f"{self.autodiff:.15g}"
        third = "none" if self.difference is None else f"{self.difference:.9g}"
        return f"by hand {self.by_hand:.15g}, autodiff {second}, finite difference {third}"


@dataclass(frozen=True)
class Gap:
    """The largest differences of the rule under test to autodiff or to finite differences; nan if there are none."""

    absolute: float
    relative: float  # to the size of the number; to a larger one where that is lost in rounding errors

    def __str__(self) -> str:
        """The relative one, or a dash."""
        return "-" if math.isnan(self.relative) else f"{self.relative:.1e}"


@dataclass(frozen=True)
class LeafReport:
    """One leaf of the gradient."""

    name: str  # `0.W`: the layer's number, from 0, and the field; `x`: the inputs
    owner: str  # the layer as it prints; "" where there are no layers
    shape: Shape
    wrong: int  # coordinates whose derivatives differ by more than is allowed
    unseen: int  # coordinates that could be compared with nothing
    without_autodiff: int  # coordinates without an automatic derivative that is finite
    compared: int  # coordinates with a finite difference
    left_out: int  # coordinates whose finite difference would reach over a kink
    to_autodiff: Gap
    to_difference: Gap
    worst: Worst
    relative: np.ndarray = field(compare=False, repr=False)  # shape; to autodiff, else to differences, else nan

    @property
    def ok(self) -> bool:
        """Whether no coordinate is wrong, and at least one has been compared."""
        return not self.wrong and self.unseen < math.prod(self.shape)

    def heat(self) -> np.ndarray:
        """log10 of `relative` as a matrix; −18 stands for no difference, nan for no opinion.

        A row holds the weights that share one bias: those of a unit, of a filter, or of a unit in a maxout piece; of
        the inputs it is an example.
        """
        own = math.prod(self.shape[-1:] if len(self.shape) == 3 and self.owner else self.shape[1:])
        return np.log10(np.clip(self.relative, 1e-18, 1e18).reshape(-1, own))

    def cells(self) -> tuple[str, str, str]:
        """The first columns of its row in the table."""
        return self.name, self.owner.split("(")[0], "x".join(map(str, self.shape)) or "()"

    def numbers(self) -> str:
        """The other columns."""
        said = f"{self.wrong:,} WRONG" if self.wrong else "ok" if self.ok else "UNSEEN"
        return NUMBERS.format(
            str(self.to_autodiff), str(self.to_difference), f"{self.compared:,}", f"{self.left_out:,}", said
        )


@dataclass(frozen=True)
class Report:
    """Whether a gradient is right, and if not, where it is wrong and which known mistakes explain it."""

    about: dict[str, Any]  # what was checked: a net, its cost, the number of examples, lmbda; or a function
    value: float  # as the rule under test returned it
    value_expected: float  # the mean cost
    value_ok: bool
    leaves: tuple[LeafReport, ...]
    directions: Gap  # of the rule to finite differences, along random directions
    directions_compared: int
    directions_wrong: int
    layers: tuple[LayerVerdict, ...]  # each layer and the cost by themselves; () where there are none
    slips: tuple[str, ...]  # what is wrong, and the known mistakes that give these numbers
    notes: tuple[str, ...]  # what else a reader should know

    def __repr__(self) -> str:
        """The verdict in one line; `str` has the table."""
        counts = f"coordinates={self.coordinates}, compared={self.compared}, left_out={self.left_out}"
        return f"Report(ok={self.ok}, {counts}): {self._verdict()}"

    @property
    def ok(self) -> bool:
        """Whether the value, every coordinate, every direction and every layer are right."""
        parts = (*self.leaves, *self.layers)
        return self.value_ok and not self.directions_wrong and not self.slips and all(part.ok for part in parts)

    @property
    def coordinates(self) -> int:
        """The number of coordinates: parameters and inputs, or all numbers that a function is given."""
        return sum(math.prod(leaf.shape) for leaf in self.leaves)

    @property
    def compared(self) -> int:
        """The number of coordinates compared with a finite difference."""
        return sum(leaf.compared for leaf in self.leaves)

    @property
    def left_out(self) -> int:
        """The number of coordinates whose finite difference reached over a kink."""
        return sum(leaf.left_out for leaf in self.leaves)

    def to_dict(self) -> dict[str, Any]:
        """All but `relative` as dicts, lists, numbers and texts; None stands for nan and infinity."""
        table = _plain(self)
        leaves = [{"ok": leaf.ok, **_plain(leaf)} for leaf in self.leaves]
        layers = [{"ok": layer.ok, **_plain(layer)} for layer in self.layers]
        whole = {"ok": self.ok, "coordinates": self.coordinates, **table.pop("about"), **table}
        return whole | {"leaves": leaves, "layers": layers}

    def __str__(self) -> str:
        """The table, the worst coordinate of every wrong leaf, the mistakes that fit, and what was compared."""
        wrong = [leaf for leaf in self.leaves if leaf.wrong]
        worst = [f"{leaf.name}{place(leaf.worst.index)}: {leaf.worst}" for leaf in wrong]
        value = [f"the value is {self.value:.15g}; expected {self.value_expected:.15g}"] if not self.value_ok else []
        said = [*worst, *value, *self.slips, *self.notes, self._coverage(), self._verdict()]
        return "\n".join([*self._table(), *said])

    def _table(self) -> list[str]:
        rows = [leaf.cells() for leaf in self.leaves]
        head = ("leaf", "layer" if any(owner for _, owner, _ in rows) else "", "shape")
        name, owner, shape = (max(map(len, column)) for column in zip(head, *rows, strict=True))
        spare = COLUMNS - len(NUMBERS.format("", "", "", "", "")) - len("00,000 WRONG") - shape - 2
        owner = min(owner, max(6, spare - name - 2))
        name = min(name, spare - owner - 2 * bool(owner))

        def row(cells: tuple[str, str, str]) -> str:
            middle = f"  {cells[1][:owner]:{owner}}" if owner else ""
            own_line = f"{cells[0]}\n{'':{name}}" if len(cells[0]) > name else f"{cells[0]:{name}}"
            return f"{own_line}{middle}  {cells[2]:>{shape}}"

        lines = [row(cells) + leaf.numbers() for cells, leaf in zip(rows, self.leaves, strict=True)]
        return [row(head) + NUMBERS.format("autodiff", "difference", "compared", "kinks", "verdict"), *lines, *LEGEND]

    def _coverage(self) -> str:
        tried = self.compared + self.left_out
        which = "each" if tried == self.coordinates else f"a sample of {tried:,}"
        missing, unseen = (sum(getattr(leaf, name) for leaf in self.leaves) for name in ("without_autodiff", "unseen"))
        seen = self.coordinates - missing
        share = f"{self.coordinates:,}" if seen in (0, self.coordinates) else f"{seen:,} of {self.coordinates:,}"
        against = f"{share} coordinate{'s' * (self.coordinates > 1)}{' against autodiff' if seen else ''}"
        nothing = f"; {unseen:,} could be compared with nothing" if unseen else ""
        return (
            f"{against}; {which} against a finite difference,\n"
            f"{self.left_out:,} of them left out at a kink{nothing}; {self._directions()}"
        )

    def _directions(self) -> str:
        if not self.directions_compared:
            return "random directions all meet a kink"
        return f"{self.directions_compared} random directions: {self.directions.relative:.1e}"

    def _verdict(self) -> str:
        if self.ok:
            return "the gradient is right"
        wrong, unseen = (sum(getattr(leaf, name) for leaf in self.leaves) for name in ("wrong", "unseen"))
        said = wrong or self.directions_wrong or self.slips or not self.value_ok
        if not said and all(layer.ok for layer in self.layers):
            return f"no verdict: {unseen:,} of {self.coordinates:,} coordinates could be compared with nothing"
        return f"the gradient is WRONG: {wrong:,} of {self.coordinates:,} coordinates"


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: _plain(getattr(value, f.name)) for f in dataclasses.fields(value) if f.compare}
    if isinstance(value, dict):
        return {name: _plain(v) for name, v in value.items()}
    if isinstance(value, tuple):
        return [_plain(v) for v in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
