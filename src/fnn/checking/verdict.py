"""The verdict on a gradient: from the evidence to a report, leaf by leaf."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np

from fnn.checking.evidence import AUTODIFF, DIFFERENCE, Evidence, relative_to
from fnn.checking.report import Gap, LeafReport, Worst
from fnn.types import Shape


class Leaf(NamedTuple):
    """One leaf of the coordinates."""

    name: str
    owner: str  # the layer that it belongs to; "" where there are no layers
    shape: Shape
    part: slice  # of the flat coordinates


def leaf_reports(leaves: Iterable[Leaf], evidence: Evidence) -> tuple[LeafReport, ...]:
    """The report on every leaf."""
    return tuple(_leaf_report(leaf, evidence) for leaf in leaves)


def directions(evidence: Evidence) -> dict[str, Any]:
    """What the random directions say: the fields of a report by their names."""
    slopes = evidence.direction_slopes
    relative = relative_to(slopes, evidence.directions.by_hand)
    absolute = np.abs(evidence.directions.by_hand - slopes.slope)[slopes.settled]
    return {
        "directions": Gap(_largest(absolute), _largest(relative)),
        "directions_compared": int(slopes.settled.sum()),
        "directions_wrong": int((relative > DIFFERENCE).sum()),
    }


def same_value(value: float, *rights: float, rounding: float = 0.0) -> bool:
    """Whether the value is one of the right ones, up to `AUTODIFF` of the largest and `rounding`."""
    allowed = AUTODIFF * max(map(abs, rights)) + rounding
    return any(abs(value - right) <= allowed for right in rights)


def _leaf_report(leaf: Leaf, evidence: Evidence) -> LeafReport:
    part = leaf.part
    by_hand, autodiff, _ = (values[part] for values in evidence.coordinates)
    difference, relative = evidence.difference()[part], evidence.coordinates.relative()[part]
    to_difference = evidence.relative_to_difference()[part]
    excess = evidence.excess()[part]
    worst = 0 if np.isnan(excess).all() else int(np.nanargmax(excess))
    with np.errstate(invalid="ignore", over="ignore"):
        gaps = np.abs(by_hand - autodiff), np.abs(by_hand - difference)
    return LeafReport(
        name=leaf.name,
        owner=leaf.owner,
        shape=leaf.shape,
        wrong=int(evidence.wrong()[part].sum()),
        unseen=int(evidence.unseen()[part].sum()),
        without_autodiff=int((~np.isfinite(autodiff)).sum()),
        compared=int(np.isfinite(difference).sum()),
        left_out=int(evidence.left_out()[part].sum()),
        to_autodiff=Gap(_largest(gaps[0]), _largest(relative)),
        to_difference=Gap(_largest(gaps[1]), _largest(to_difference)),
        worst=Worst(
            tuple(int(i) for i in np.unravel_index(worst, leaf.shape)),
            float(by_hand[worst]),
            _or_none(autodiff[worst]),
            _or_none(difference[worst]),
        ),
        relative=np.where(np.isnan(relative), to_difference, relative).reshape(leaf.shape),
    )


def _or_none(number: float) -> float | None:
    return float(number) if np.isfinite(number) else None


def _largest(values: np.ndarray) -> float:
    finite = values[np.isfinite(values)]
    return float(finite.max()) if finite.size else float("nan")
