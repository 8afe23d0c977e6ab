"""The report of an exact check: what was compared, the first entry that differs, and what a pass is worth."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Difference:
    """The first entry that differs."""

    leaf: str  # "nabla.W" or "delta_prev" of a layer, "delta" of a cost, "gradient.0.W" of a net
    index: tuple[int, ...]
    by_hand: float
    automatic: float
    others: int  # the number of other entries that differ for the same inputs
    tie: bool  # whether the two agree at points nearby, so that they take different sides of a tie

    def __str__(self) -> str:
        """The entry and both numbers."""
        place = "[" + ", ".join(map(str, self.index)) + "]" if self.index else ""
        more = f"; {self.others:,} more differ" if self.others else ""
        side = "; at a tie it takes another side than autodiff" if self.tie else ""
        return f"{self.leaf}{place}: by hand {self.by_hand!r}, autodiff {self.automatic!r}{more}{side}"


@dataclass(frozen=True)
class Part:
    """One rule: a layer's, the cost's, or the whole gradient."""

    name: str
    entries: int  # of the derivatives, in each draw
    draws: int
    values: int  # m: every other draw is from so many, the rest from at most five
    degree: int  # d: of both rules as polynomials, at most
    pieces: bool  # whether a rule compares, and is a polynomial for each outcome of its comparisons by itself
    chance: float  # that a wrong rule of this degree passes all draws, at most; 1 where nothing is known
    rounded: str  # which operation of the rule by hand may round; "" if none
    difference: Difference | None

    @property
    def ok(self) -> bool:
        """Whether every entry was equal in every draw."""
        return self.difference is None

    def __str__(self) -> str:
        """A row of the table, and under it what is wrong."""
        degree = f"{self.degree}{'*' if self.pieces else ' '}"
        verdict = f"{self.chance:.2g}" if self.ok else "WRONG"
        row = f"{self.name[:28]:28} {self.entries:10,} {self.values:7,} {degree:>7} {verdict:>9}"
        note = f"  the rule by hand has {self.rounded}" if self.rounded else ""
        return "\n".join(line for line in (row, f"  {self.difference}" * (not self.ok), note) if line)


_HEAD = f"{'rule':28} {'entries':>10} {'values':>7} {'degree ':>7} {'bound':>9}"
_LEGEND = "bound: the probability that a wrong rule of this degree passes is at most this"
_PIECES = "*: a polynomial for each outcome of its comparisons, to which the bound applies"


@dataclass(frozen=True)
class ExactReport:
    """Whether the derivatives by hand are the automatic ones, bit by bit."""

    parts: tuple[Part, ...]

    def __repr__(self) -> str:
        """The verdict in one line; `str` has the table."""
        return f"ExactReport(ok={self.ok}, parts={len(self.parts)}, chance={self.chance:.2g})"

    @property
    def ok(self) -> bool:
        """Whether all entries of all parts were equal."""
        return all(part.ok for part in self.parts)

    @property
    def difference(self) -> Difference | None:
        """The first entry that differs, None if there is none."""
        return next((part.difference for part in self.parts if part.difference), None)

    @property
    def chance(self) -> float:
        """The largest of the bounds."""
        return max(part.chance for part in self.parts)

    def __str__(self) -> str:
        """A table with a row for each part, its legend, and the verdict."""
        legend = [_LEGEND, *[_PIECES for _ in range(any(part.pieces for part in self.parts))]]
        wrong = [part.name for part in self.parts if not part.ok]
        verdict = f"WRONG: {'; '.join(wrong)}" if wrong else f"every entry is equal in {self.parts[0].draws} draws"
        return "\n".join([_HEAD, *map(str, self.parts), *legend, verdict])
