"""The slip that explains a wrong gradient: known ones are committed on purpose, and the outcome compared."""

from collections.abc import Iterator

import numpy as np

from fnn.checking.evidence import DIFFERENCE, Opinions, relative_to
from fnn.checking.finite_differences import Point
from fnn.checking.inputs import name
from fnn.checking.verdict import exceeds, places
from fnn.checking.wrong_factors import fits, leaf_slips
from fnn.checking.wrong_rules import chain_slips


def slips(point: Point, opinions: Opinions) -> tuple[str, ...]:
    """Sentences that fit a wrong gradient; () for a right one. Without a slip that fits: where it goes wrong."""
    wrong = exceeds(opinions)
    if not wrong.any():
        return ()
    found = [*_in_leaves(point, opinions, wrong), *_in_the_rule(point, opinions)]
    return (*_distrust(opinions), *(dict.fromkeys(found) or [_where(point, wrong)]))


def _in_leaves(point: Point, opinions: Opinions, wrong: np.ndarray) -> Iterator[str]:
    """Slips within leaves; said once where all wrong leaves share one."""
    leaves = [place for place in places(point) if wrong[place[2]].any()]
    texts = [leaf_slips(point, path, leaf, opinions, part) for path, leaf, part in leaves]
    shared = [text for text in texts[0] if all(text in others for others in texts)]
    names = [name(path) for path, _, _ in leaves]
    who = "everywhere" if len(leaves) == len([*places(point)]) else ", ".join(names)
    yield from (f"{who}: {text}" for text in shared)
    if not shared:
        yield from (f"{leaf}: {text}" for leaf, fitting in zip(names, texts, strict=True) for text in fitting)


def _in_the_rule(point: Point, opinions: Opinions) -> Iterator[str]:
    """Slips in a step of the delta rule, which must explain all leaves at once."""
    parts = [part for _, _, part in places(point)]
    found, right = opinions.along.by_hand, opinions.along.autodiff
    for text, slip in chain_slips(point):
        fitting = all(fits(found[part], slip[part]) for part in parts)
        if fitting and not all(fits(right[part], slip[part]) for part in parts):
            yield text


def _where(point: Point, wrong: np.ndarray) -> str:
    """How far from the output, and how far spread, the error is."""
    bad = [(path, leaf, wrong[part].reshape(leaf.shape)) for path, leaf, part in places(point) if wrong[part].any()]
    path, leaf, mask = bad[-1]
    rows = np.unique(np.argwhere(mask)[:, 0]) if leaf.ndim else []
    if wrong.sum() == 1:
        return f"only one coordinate is wrong, in {name(path)}"
    if len(bad) == 1 and len(rows) == 1 and leaf.ndim > 1:
        return f"only row {rows[0]} of {name(path)} is wrong"
    last, right = path[0].idx, [name(p) for p, _, part in places(point) if p[0] == path[0] and not wrong[part].any()]
    if right:
        return f"{', '.join(right)} is right, so the delta is: the rule for {name(path)} itself is wrong"
    return _suspects(point, last)


def _suspects(point: Point, last: int) -> str:
    """The layers whose backward can have spoiled layer `last`, when all after it is right."""
    after = [path[0].idx for path, _, _ in places(point) if path[0].idx > last]
    end, too = (after[0], "") if after else (len(point.net) - 1, ", or the delta of the cost")
    layers = ", ".join(f"{k} {type(point.net[k]).__name__}" for k in range(last, end + 1))
    return f"wrong from layer {last} down: look at the backward of {layers}{too}"


def _distrust(opinions: Opinions) -> Iterator[str]:
    """A word about autodiff where it contradicts the finite differences."""
    gaps = relative_to(opinions.slopes, opinions.along.autodiff[opinions.i])[opinions.slopes.settled]
    if (gaps > DIFFERENCE).any():
        yield (
            f"autodiff itself contradicts {(gaps > DIFFERENCE).sum():,} finite differences: is there a custom "
            "derivative, or a stop_gradient, in a forward or in the cost's value?"
        )
