"""Slips within one leaf: a factor of the cost's part, a factor of the penalty, a transpose."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from fnn.checking.evidence import Opinions
from fnn.checking.finite_differences import Point, is_W

CLOSE = 1e-6  # of the largest entry of a leaf: as near as a gradient must come to a slip for it to fit


def leaf_slips(point: Point, path: Any, leaf: Any, opinions: Opinions, part: slice) -> list[str]:
    """What fits one wrong leaf."""
    found, right = opinions.along.by_hand[part], opinions.along.autodiff[part]
    decay = float(point.lmbda) * opinions.flat[part]  # what the penalty adds to a weight
    own = right - decay if is_W(path) else right
    return [
        *_of_the_penalty(point, found, own, decay, float(is_W(path))),
        *_of_the_cost(point, found, own, right - own),
        *_of_the_shape(leaf.shape, found, own, right - own),
    ]


def _of_the_cost(point: Point, found: np.ndarray, own: np.ndarray, decay: np.ndarray) -> Iterator[str]:
    """A constant factor of the cost's own part, with the penalty right or in the same factor."""
    for rest in (decay, 0 * decay) if decay.any() else (decay,):
        base = own + decay - rest
        factor = _multiple(found - rest, base)
        known = _meaning(factor, point)
        if not _near(factor, 1) and (known or found.size > 1) and fits(found, factor * base + rest):
            yield known or f"{factor:.7g} times the right gradient"


def _of_the_penalty(point: Point, found: np.ndarray, own: np.ndarray, decay: np.ndarray, right: float) -> Iterator[str]:
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


def _of_the_shape(shape: tuple[int, ...], found: np.ndarray, own: np.ndarray, decay: np.ndarray) -> Iterator[str]:
    if len(shape) == 2 and shape[0] == shape[1] > 1 and fits(found, own.reshape(shape).T.ravel() + decay):
        yield "the transpose of the right gradient"


def _meaning(factor: float, point: Point) -> str:
    """What a factor stands for, or nothing."""
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


def fits(found: np.ndarray, slip: np.ndarray) -> bool:
    """Whether a leaf's gradient is as near to a slip as `CLOSE`."""
    return bool(np.abs(found - slip).max() <= CLOSE * np.abs(found).max())
