"""The diagnosis of a wrong gradient: which known mistake would give it, or else where it goes wrong.

Each known mistake is made on purpose, and the gradient that it gives is compared with the one under test.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np

from fnn.checking.evidence import DIFFERENCE, Evidence, relative_to
from fnn.checking.point import Point, flat_leaves
from fnn.checking.wrong_factors import fits, mistakes_in_leaf
from fnn.checking.wrong_rules import wrong_gradients
from fnn.types import leaf_name


def diagnose(point: Point, evidence: Evidence) -> tuple[str, ...]:
    """Sentences: the known mistakes that give a wrong gradient, or else where it goes wrong; () for a right one."""
    wrong = evidence.wrong()
    if not any(wrong[part].any() for _, _, part in _params(point)):
        return ()
    found = [*_in_leaves(point, evidence, wrong), *_in_the_rule(point, evidence)]
    return (*_of_autodiff(evidence), *(dict.fromkeys(found) or [_where(point, wrong)]))


def _params(point: Point) -> list[Any]:
    """The leaves of the params alone."""
    return [leaf for leaf in flat_leaves(point) if leaf[0][0].idx < len(point.net)]


def _in_leaves(point: Point, evidence: Evidence, wrong: np.ndarray) -> Iterator[str]:
    """Mistakes within one leaf; a mistake that all wrong leaves share is reported once."""
    leaves = [leaf for leaf in _params(point) if wrong[leaf[2]].any()]
    texts = [mistakes_in_leaf(point, path, leaf, evidence, part) for path, leaf, part in leaves]
    shared = [text for text in texts[0] if all(text in others for others in texts)]
    names = [leaf_name(path) for path, _, _ in leaves]
    who = "everywhere" if len(leaves) == len(_params(point)) else ", ".join(names)
    yield from (f"{who}: {text}" for text in shared)
    if not shared:
        yield from (f"{leaf}: {text}" for leaf, fitting in zip(names, texts, strict=True) for text in fitting)


def _in_the_rule(point: Point, evidence: Evidence) -> Iterator[str]:
    """Mistakes in one step of the delta rule; each must explain all leaves at once."""
    parts = [part for _, _, part in _params(point)]
    by_hand, right = evidence.coordinates.by_hand, evidence.coordinates.autodiff
    for text, candidate in wrong_gradients(point):
        fitting = all(fits(by_hand[part], candidate[part]) for part in parts)
        if fitting and not all(fits(right[part], candidate[part]) for part in parts):
            yield text


def _where(point: Point, wrong: np.ndarray) -> str:
    """Where the error is: one coordinate, one row, one leaf, or all layers from one on down."""
    bad = [(path, leaf, wrong[part].reshape(leaf.shape)) for path, leaf, part in _params(point) if wrong[part].any()]
    path, leaf, mask = bad[-1]
    rows = np.unique(np.argwhere(mask)[:, 0]) if leaf.ndim else []
    if wrong.sum() == 1:
        return f"only one coordinate is wrong, in {leaf_name(path)}"
    if len(bad) == 1 and len(rows) == 1 and leaf.ndim > 1:
        return f"only row {rows[0]} of {leaf_name(path)} is wrong"
    same_layer = [(p, part) for p, _, part in _params(point) if p[0] == path[0]]
    right = [leaf_name(p) for p, part in same_layer if not wrong[part].any()]
    if right:
        return f"{', '.join(right)} is right, so the delta is: the rule for {leaf_name(path)} itself is wrong"
    return _suspects(point, path[0].idx)


def _suspects(point: Point, last: int) -> str:
    """The layers whose `backward` can have spoiled layer `last`, when all layers after it are right."""
    after = [path[0].idx for path, _, _ in _params(point) if path[0].idx > last]
    end, too = (after[0], "") if after else (len(point.net) - 1, ", or the delta of the cost")
    layers = ", ".join(f"{k} {type(point.net[k]).__name__}" for k in range(last, end + 1))
    return f"wrong from layer {last} down: look at the backward of {layers}{too}"


def _of_autodiff(evidence: Evidence) -> Iterator[str]:
    """A sentence about autodiff where it contradicts the finite differences."""
    slopes = evidence.coordinate_slopes
    gaps = relative_to(slopes, evidence.coordinates.autodiff[evidence.sampled])[slopes.settled]
    if (gaps > DIFFERENCE).any():
        yield (
            f"autodiff itself contradicts {(gaps > DIFFERENCE).sum():,} finite differences: is there a custom "
            "derivative, or a stop_gradient, in a forward or in the cost's value?"
        )
