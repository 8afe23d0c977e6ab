"""The verdict on a gradient: from the evidence to a report, leaf by leaf."""

from collections.abc import Iterator
from typing import Any

import jax
import numpy as np

from fnn.checking.evidence import AUTODIFF, DIFFERENCE, Evidence, relative_to
from fnn.checking.finite_differences import Point
from fnn.checking.report import Gap, LeafReport, Report, Worst
from fnn.types import leaf_name


def as_report(point: Point, value: float, evidence: Evidence, slips: tuple[str, ...]) -> Report:
    """The report on a rule that returned `value` for the cost, and the gradient in the evidence."""
    slopes = evidence.direction_slopes
    relative = np.where(slopes.settled, relative_to(slopes, evidence.directions.by_hand), np.nan)
    absolute = np.abs(evidence.directions.by_hand - slopes.slope)[slopes.settled]
    return Report(
        net=repr(point.net),
        cost=repr(point.cost),
        examples=len(point.x),
        lmbda=float(point.lmbda),
        value=value,
        value_expected=evidence.value,
        value_ok=_same_value(value, evidence.value, evidence.penalised),
        leaves=tuple(_leaf_report(point, *leaf, evidence) for leaf in flat_leaves(point)),
        directions=Gap(_largest(absolute), _largest(relative)),
        directions_compared=int(slopes.settled.sum()),
        directions_wrong=int((relative > DIFFERENCE).sum()),
        slips=slips,
    )


def _same_value(value: float, mean: float, penalised: float) -> bool:
    """Whether the value is right; a rule that adds its own penalty may return it with the penalty or without."""
    return any(abs(value - right) <= AUTODIFF * max(abs(right), abs(mean)) for right in (mean, penalised))


def flat_leaves(point: Point) -> Iterator[tuple[Any, Any, slice]]:
    """Every leaf of the params: its path, the leaf, and its part of the flat coordinates."""
    start = 0
    for path, leaf in jax.tree.leaves_with_path(point.params):
        yield path, leaf, slice(start, start + leaf.size)
        start += leaf.size


def _excess(evidence: Evidence) -> np.ndarray:
    """The larger of the two relative differences of each coordinate, as a multiple of what is allowed, `(P,)`."""
    return np.fmax(evidence.coordinates.relative() / AUTODIFF, evidence.relative_to_difference() / DIFFERENCE)


def wrong_coordinates(evidence: Evidence) -> np.ndarray:
    """Where the gradient by hand differs from the others by more than is allowed, bool `(P,)`."""
    return ~(_excess(evidence) <= 1)  # not `> 1`: nan, from an overflow in the comparison, is wrong


def _leaf_report(point: Point, path: Any, leaf: Any, part: slice, evidence: Evidence) -> LeafReport:
    by_hand, autodiff, _ = (values[part] for values in evidence.coordinates)
    difference, relative = evidence.difference()[part], evidence.coordinates.relative()[part]
    worst = int(_excess(evidence)[part].argmax())
    return LeafReport(
        layer=path[0].idx,
        layer_name=repr(point.net[path[0].idx]),
        leaf=leaf_name(path[1:]),
        shape=leaf.shape,
        wrong=int(wrong_coordinates(evidence)[part].sum()),
        compared=int(np.isfinite(difference).sum()),
        left_out=int(evidence.left_out()[part].sum()),
        to_autodiff=Gap(_largest(np.abs(by_hand - autodiff)), _largest(relative)),
        to_difference=Gap(_largest(np.abs(by_hand - difference)), _largest(evidence.relative_to_difference()[part])),
        worst=Worst(
            tuple(int(i) for i in np.unravel_index(worst, leaf.shape)),
            float(by_hand[worst]),
            float(autodiff[worst]),
            float(difference[worst]) if np.isfinite(difference[worst]) else None,
        ),
        relative=relative.reshape(leaf.shape),
    )


def _largest(values: np.ndarray) -> float:
    finite = values[np.isfinite(values)]
    return float(finite.max()) if finite.size else float("nan")
