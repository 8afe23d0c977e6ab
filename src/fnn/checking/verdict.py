"""From the opinions about a gradient to its report."""

from collections.abc import Iterator
from typing import Any

import jax
import numpy as np

from fnn.checking.evidence import AUTODIFF, DIFFERENCE, Opinions, relative_to
from fnn.checking.finite_differences import Point
from fnn.checking.report import Gap, LeafReport, Report, Worst


def report(point: Point, value: float, opinions: Opinions, slips: tuple[str, ...]) -> Report:
    """The report on a rule that gave `value` for the cost, and a gradient."""
    slopes = opinions.direction_slopes
    across = np.where(slopes.settled, relative_to(slopes, opinions.directions.by_hand), np.nan)
    return Report(
        net=repr(point.net),
        cost=repr(point.cost),
        examples=len(point.x),
        lmbda=float(point.lmbda),
        value=value,
        value_expected=opinions.value,
        value_ok=_same_value(value, opinions.value, opinions.penalised),
        leaves=tuple(_leaf(point, *place, opinions) for place in places(point)),
        directions=Gap(_largest(np.abs(opinions.directions.by_hand - slopes.slope)[slopes.settled]), _largest(across)),
        directions_compared=int(slopes.settled.sum()),
        directions_wrong=int((across > DIFFERENCE).sum()),
        slips=slips,
    )


def _same_value(value: float, mean: float, penalised: float) -> bool:
    """A rule that adds its own penalty may return either."""
    return any(abs(value - right) <= AUTODIFF * max(abs(right), abs(mean)) for right in (mean, penalised))


def places(point: Point) -> Iterator[tuple[Any, Any, slice]]:
    """Every leaf of the params: its path, itself, and where it stands among the flat coordinates."""
    start = 0
    for path, leaf in jax.tree.leaves_with_path(point.params):
        yield path, leaf, slice(start, start + leaf.size)
        start += leaf.size


def excess(opinions: Opinions) -> np.ndarray:
    """The differences as multiples of what is allowed, `(P,)`."""
    return np.fmax(opinions.along.relative() / AUTODIFF, opinions.relative_to_difference() / DIFFERENCE)


def exceeds(opinions: Opinions) -> np.ndarray:
    """Where the opinions differ by more than is allowed, bool `(P,)`."""
    return ~(excess(opinions) <= 1)  # what overflows in the comparison is not within it


def _leaf(point: Point, path: Any, leaf: Any, part: slice, opinions: Opinions) -> LeafReport:
    by_hand, autodiff, _ = (values[part] for values in opinions.along)
    difference, relative = opinions.difference()[part], opinions.along.relative()[part]
    beyond = excess(opinions)[part]
    at = int(beyond.argmax())
    return LeafReport(
        layer=path[0].idx,
        layer_name=repr(point.net[path[0].idx]),
        leaf=jax.tree_util.keystr(path[1:], simple=True, separator="."),
        shape=leaf.shape,
        wrong=int(exceeds(opinions)[part].sum()),
        compared=int(np.isfinite(difference).sum()),
        left_out=int(opinions.left_out()[part].sum()),
        to_autodiff=Gap(_largest(np.abs(by_hand - autodiff)), _largest(relative)),
        to_difference=Gap(_largest(np.abs(by_hand - difference)), _largest(opinions.relative_to_difference()[part])),
        worst=Worst(
            tuple(int(i) for i in np.unravel_index(at, leaf.shape)),
            float(by_hand[at]),
            float(autodiff[at]),
            float(difference[at]) if np.isfinite(difference[at]) else None,
        ),
        relative=relative.reshape(leaf.shape),
    )


def _largest(values: np.ndarray) -> float:
    finite = values[np.isfinite(values)]
    return float(finite.max()) if finite.size else float("nan")
