"""Known mistakes within one leaf: a wrong factor of the cost's part or of the penalty, or a transpose."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from fnn.checking.evidence import Evidence
from fnn.checking.point import Point, is_W

CLOSE = 1e-6  # a mistake fits a leaf if no entry differs by more than this part of the largest entry


def mistakes_in_leaf(point: Point, path: Any, leaf: Any, evidence: Evidence, part: slice) -> list[str]:
    """One sentence per mistake that fits a wrong leaf."""
    found, right = evidence.coordinates.by_hand[part], evidence.coordinates.autodiff[part]
    decay = float(point.lmbda) * evidence.flat[part]  # what the penalty adds to a weight
    own = right - decay if is_W(path) else right  # the cost's own part
    return [
        *_wrong_penalty(point, found, own, decay, float(is_W(path))),
        *_wrong_factor(point, found, own, right - own),
        *_transposed(leaf.shape, found, own, right - own),
    ]


def _wrong_factor(point: Point, found: np.ndarray, own: np.ndarray, decay: np.ndarray) -> Iterator[str]:
    """A constant factor of the cost's own part; the penalty has factor 1 or the same factor."""
    for rest in (decay, 0 * decay) if decay.any() else (decay,):
        base = own + decay - rest
        factor = _multiple(found - rest, base)
        known = _meaning(factor, point)
        if not _near(factor, 1) and (known or found.size > 1) and fits(found, factor * base + rest):
            yield known or f"{factor:.7g} times the right gradient"


def _wrong_penalty(point: Point, found: np.ndarray, own: np.ndarray, decay: np.ndarray, right: float) -> Iterator[str]:
    """`found = own + factor λ p`, where the factor should be `right`."""
    factor = _multiple(found - own, decay)
    if not decay.any() or _near(factor, right) or not fits(found, own + factor * decay):
        return
    n = len(point.x)
    names = {0.0: "omitted", -1.0: "of the wrong sign", 2.0: "λ ΣW², without the 1/2", 1 / n: f"λ/{n}, not λ"}
    said = [text for value, text in names.items() if _near(factor, value)]
    if not right:
        yield f"the bias is penalised, by {factor:.6g} times what a weight is"
    elif said or found.size > 1:
        yield f"the L2 penalty is {' or '.join(said) or f'{factor:.6g} times what it should be'}"


def _transposed(shape: tuple[int, ...], found: np.ndarray, own: np.ndarray, decay: np.ndarray) -> Iterator[str]:
    if len(shape) == 2 and shape[0] == shape[1] > 1 and fits(found, own.reshape(shape).T.ravel() + decay):
        yield "the transpose of the right gradient"


def _meaning(factor: float, point: Point) -> str:
    """The mistake that gives this factor; empty if none is known."""
    n, n_out = len(point.x), point.y.shape[-1]
    names = [
        (-1, "the opposite sign"),
        (0, "zeros: no gradient arrives"),
        (2, "twice the right gradient (a factor 1/2 of the cost is missing)"),
        (1 / 2, "half the right gradient"),
        (n, f"{n} times the right gradient (the 1/n of the mean over {n} examples is missing)"),
        (1 / n, f"1/{n} of the right gradient (the 1/n of the mean over {n} examples is there twice)"),
        (n_out, f"{n_out} times the right gradient (the {n_out} outputs are summed twice)"),
        (1 / n_out, f"1/{n_out} of the right gradient (a mean over the {n_out} outputs in place of their sum)"),
    ]
    return ", or ".join(text for value, text in names if value != 1 and _near(factor, value))


def _multiple(found: np.ndarray, base: np.ndarray) -> float:
    """The factor that brings `base` nearest to `found`."""
    return float(found @ base / (base @ base)) if base.any() else 1.0


def _near(a: float, b: float) -> bool:
    return abs(a - b) <= CLOSE * max(1, abs(b))


def fits(found: np.ndarray, candidate: np.ndarray) -> bool:
    """Whether a leaf's gradient is the one that a mistake would give, within `CLOSE`."""
    return bool(np.abs(found - candidate).max() <= CLOSE * np.abs(found).max())
