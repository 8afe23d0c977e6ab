"""Known mistakes within one leaf of a gradient: a factor of the cost's part or of the penalty, a wrong order."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from fnn.checking.point import Point, is_W
from fnn.checking.wrong_arrays import common_factors, explains, multiple, near, wrong_factor, wrong_order


def mistakes_in_leaf(point: Point, path: Any, leaf: Any, found: np.ndarray, right: np.ndarray) -> list[str]:
    """One sentence per mistake that gives `found` in place of `right`, arrays like the leaf, with the penalty."""
    decay = float(is_W(path)) * float(point.lmbda) * np.asarray(leaf)
    own = right - decay  # the cost's own part
    names = common_factors(len(point.x), point.y.shape[-1])
    return [
        *wrong_penalty(point, path, leaf, found, right),
        *wrong_factor(found - decay, own, names),
        *(wrong_factor(found, right, names) if decay.any() else ()),  # of the penalty too
        *wrong_order(f"nabla {path[-1]}".replace(".", ""), found - decay, own),
    ]


def wrong_penalty(point: Point, path: Any, leaf: Any, found: np.ndarray, right: np.ndarray) -> Iterator[str]:
    """A wrong factor of `λ p`."""
    decay, share = float(point.lmbda) * np.asarray(leaf), float(is_W(path))
    own = right - share * decay
    factor = multiple((found - own).ravel(), decay.ravel())
    if not decay.any() or not explains(found, right, own + factor * decay):
        return
    n = len(point.x)
    names = {0.0: "omitted", -1.0: "of the wrong sign", 2.0: "λ ΣW², without the 1/2", 1 / n: f"λ/{n}, not λ"}
    said = [text for value, text in names.items() if near(factor, value)]
    if not share:
        yield f"the bias is penalised, by {factor:.6g} times what a weight is"
    elif said or found.size > 1:
        yield f"the L2 penalty is {' or '.join(said) or f'{factor:.6g} times what it should be'}"
