"""The report of a gradient check: values to read, to print as a table, to write as JSON."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from fnn.types import Shape


@dataclass(frozen=True)
class Worst:
    """The coordinate of a leaf where the derivatives differ most, relative to what is allowed."""

    index: tuple[int, ...]  # within the leaf: row, column, ...
    by_hand: float
    autodiff: float
    difference: float | None  # None: no finite difference there

    def __str__(self) -> str:
        """The three numbers."""
        third = "none" if self.difference is None else f"{self.difference:.9g}"
        return f"by hand {self.by_hand:.15g}, autodiff {self.autodiff:.15g}, finite difference {third}"


@dataclass(frozen=True)
class Gap:
    """The largest differences of the rule under test to autodiff or to finite differences; nan if there are none."""

    absolute: float
    relative: float  # to the size of the number; to a larger one where that is lost in rounding errors

    def __str__(self) -> str:
        """Both numbers, or two dashes."""
        return "      -       -" if math.isnan(self.absolute) else f"{self.absolute:7.1e} {self.relative:7.1e}"


@dataclass(frozen=True)
class LeafReport:
    """One leaf of the gradient."""

    layer: int  # its place in the net, from 0
    layer_name: str  # the layer as it prints
    leaf: str  # "W", "b"
    shape: Shape
    wrong: int  # coordinates whose derivatives differ by more than is allowed
    compared: int  # coordinates with a finite difference
    left_out: int  # coordinates whose finite difference would reach over a kink
    to_autodiff: Gap
    to_difference: Gap
    worst: Worst
    relative: np.ndarray = field(compare=False, repr=False)  # shape; difference to autodiff, every coordinate

    @property
    def ok(self) -> bool:
        """Whether every coordinate is right."""
        return not self.wrong

    @property
    def name(self) -> str:
        """Layer number and field, as in files: `0.W`."""
        return f"{self.layer}.{self.leaf}"

    def heat(self) -> np.ndarray:
        """log10 of the relative difference to autodiff as a matrix; −18 stands for none.

        A row holds the weights that share one bias: those of a unit, of a filter, or of a unit in a maxout piece.
        """
        own = math.prod(self.shape[-1:] if len(self.shape) == 3 else self.shape[1:])
        return np.log10(np.maximum(self.relative.reshape(-1, own), 1e-18))

    def __str__(self) -> str:
        """A row of the table."""
        verdict = "ok" if self.ok else f"{self.wrong:,} WRONG"
        at = "[" + ", ".join(map(str, self.worst.index)) + "]"
        size = "x".join(map(str, self.shape)) or "()"
        return (
            f"{self.name:8} {self.layer_name.split('(')[0][:12]:12} {size:>14} {self.to_autodiff}  "
            f"{self.to_difference} {self.compared:8,} {self.left_out:5,}  {at:14} {verdict}"
        )


_HEAD = (
    f"{'leaf':8} {'layer':12} {'shape':>14} {'to autodiff':^15}  {'to difference':^15} {'compared':>8} {'kinks':>5}  "
    f"{'worst at':14} verdict\n{'':36} {'abs':>7} {'rel':>7}  {'abs':>7} {'rel':>7}"
)


@dataclass(frozen=True)
class Report:
    """Whether a gradient is right, and if not, where it is wrong and which known mistakes explain it."""

    net: str
    cost: str
    examples: int
    lmbda: float
    value: float  # as the rule under test returned it
    value_expected: float  # the mean cost
    value_ok: bool
    leaves: tuple[LeafReport, ...]
    directions: Gap  # of the rule to finite differences, along random directions
    directions_compared: int
    directions_wrong: int
    slips: tuple[str, ...]  # the known mistakes that give these numbers

    @property
    def ok(self) -> bool:
        """Whether the value, every coordinate and every direction are right."""
        return self.value_ok and not self.directions_wrong and all(leaf.ok for leaf in self.leaves)

    @property
    def coordinates(self) -> int:
        """The number of parameters; each is compared with autodiff."""
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
        leaves = [{"ok": leaf.ok, **_plain(leaf)} for leaf in self.leaves]
        return {"ok": self.ok, "coordinates": self.coordinates, **_plain(self), "leaves": leaves}

    def __str__(self) -> str:
        """The table, the worst coordinate of every wrong leaf, the mistakes that fit, and what was compared."""
        wrong = [leaf for leaf in self.leaves if not leaf.ok]
        worst = [f"{leaf.name}[{', '.join(map(str, leaf.worst.index))}]: {leaf.worst}" for leaf in wrong]
        value = [f"the value is {self.value:.15g}; expected {self.value_expected:.15g}"] if not self.value_ok else []
        fits = [f"fits: {slip}" for slip in self.slips]
        return "\n".join([_HEAD, *map(str, self.leaves), *worst, *value, *fits, self._coverage(), self._verdict()])

    def _coverage(self) -> str:
        tried = self.compared + self.left_out
        which = "each" if tried == self.coordinates else f"a sample of {tried:,}"
        return (
            f"{self.coordinates:,} coordinates against autodiff; {which} against a finite difference, "
            f"{self.left_out:,} of them left out at a kink; {self._directions()}"
        )

    def _directions(self) -> str:
        if not self.directions_compared:
            return "random directions all meet a kink"
        return f"{self.directions_compared} random directions: {self.directions.relative:.1e}"

    def _verdict(self) -> str:
        wrong = sum(leaf.wrong for leaf in self.leaves)
        if self.ok:
            return "the gradient is right"
        return f"the gradient is WRONG: {wrong:,} of {self.coordinates:,} coordinates"


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: _plain(getattr(value, f.name)) for f in dataclasses.fields(value) if f.compare}
    if isinstance(value, tuple):
        return [_plain(v) for v in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
