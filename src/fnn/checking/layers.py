"""Which layer is wrong: the `backward` of each layer, and the `delta` of the cost, against autodiff of its own forward.

Each is given its right input and its right delta, so an error stays in the layer that makes it. `|by hand − autodiff|`
may be `AUTODIFF` of the number plus `ROUNDINGS` times the rounding error to expect, which is measured where needed.
"""

from dataclasses import dataclass
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from fnn.checking.backward_pass import BackwardPass, Leaves, arrays, backward_pass, parts, vjp
from fnn.checking.evidence import AUTODIFF, ROUNDINGS, TINY
from fnn.checking.point import Point
from fnn.checking.programs import QUICKLY
from fnn.checking.rounding_errors import rounding_errors
from fnn.checking.slips import Wrong, slips
from fnn.types import Array


@dataclass(frozen=True)
class Fault:
    """One array that a layer gets wrong."""

    what: str  # "nabla W", "nabla b", "delta"
    wrong: int  # entries
    entries: int
    relative: float  # ‖by hand − autodiff‖ / ‖autodiff‖; infinite where 0 is right, nan where by hand is not finite

    def __str__(self) -> str:
        """A part of a sentence: `nabla W is wrong, 0.96 of its size`."""
        what = "what it hands back (delta)" if self.what == "delta" else self.what
        if np.isnan(self.relative):
            return f"{what} is not finite at {self.wrong:,} of {self.entries:,} entries"
        if np.isinf(self.relative):
            return f"{what} is wrong where 0 is right"
        of = "of" if self.relative < 0.995 else "times"
        return f"{what} is wrong, {self.relative:.2g} {of} its size"


@dataclass(frozen=True)
class LayerVerdict:
    """Whether the derivatives of one layer, or of the cost, are those of its own forward."""

    layer: int | None  # its place in the net, from 0; None: the cost
    name: str  # "layer 1, Swish"
    broken: str  # why there is nothing to compare: it raises, or returns other shapes; "" if there is
    faults: tuple[Fault, ...]
    no_opinion: int  # entries where autodiff is not finite; there is nothing to compare with
    entries: int
    slips: tuple[str, ...]  # the known mistakes that give these numbers

    @property
    def ok(self) -> bool:
        """Whether every entry that can be compared is right."""
        return not self.broken and not self.faults

    def __str__(self) -> str:
        """What is wrong, as a sentence without its end."""
        return f"{self.name}: {self.broken or ', '.join(map(str, self.faults)) or 'right'}"


def layer_verdicts(point: Point, right: BackwardPass) -> tuple[LayerVerdict, ...]:
    """One verdict for each layer, first to last, and one for the cost; to be called under `jax.enable_x64`.

    `right` is the pass at this point. A `backward` that raises, or returns another tree, other shapes, nan or infinity,
    is a wrong layer like others.
    """
    auto = [arrays(derivatives) for derivatives in right.autodiff]
    hand = [{} if isinstance(found, str) else arrays(found) for found in right.by_hand]
    exact = [dict.fromkeys(leaves, np.zeros(())) for leaves in auto]
    doubtful = [k for k, leaves in enumerate(hand) if _wrong(leaves, auto[k], exact[k])]
    rounded = _roundings(point, right, doubtful)
    return tuple(
        _verdict(point, right, k, hand[k], auto[k], _wrong(hand[k], auto[k], rounded.get(k, exact[k])))
        for k in range(len(auto))
    )


def broken_layer(point: Point) -> str:
    """The sentence about the first layer whose `backward` raises, or returns no derivatives; "" if there is none."""
    try:
        return next((str(verdict) for verdict in layer_verdicts(point, backward_pass(point)) if verdict.broken), "")
    except Exception:  # a forward, or the data, is at fault
        return ""


def _wrong(hand: Leaves, auto: Leaves, rounded: Leaves) -> Leaves:
    """The arrays with wrong entries, and where these are, bool like the arrays."""
    wrong = {what: _apart(found, auto[what], rounded[what]) for what, found in hand.items()}
    return {what: where for what, where in wrong.items() if where.any()}


def _apart(hand: np.ndarray, auto: np.ndarray, rounded: np.ndarray) -> np.ndarray:
    with np.errstate(invalid="ignore", over="ignore"):
        near = np.abs(hand - auto) <= AUTODIFF * (np.abs(auto) + TINY) + ROUNDINGS * rounded
    return ~np.isfinite(hand) | (np.isfinite(auto) & ~near)


def _roundings(point: Point, right: BackwardPass, doubtful: list[int]) -> dict[int, Leaves]:
    """The rounding errors to expect in the derivatives of some parts: the larger of those of autodiff and by hand."""
    if not doubtful:
        return {}
    which = tuple((k, right.compiles[k]) for k in doubtful)
    sizes = _rounded(point, which, [(right.inputs[k], right.entering[k]) for k in doubtful])
    return {
        k: {what: np.max([leaves[what] for leaves in map(arrays, each)], axis=0) for what in arrays(each[0])}
        for k, each in zip(doubtful, sizes, strict=True)
    }


@partial(jax.jit, static_argnums=1, compiler_options=QUICKLY)
def _rounded(point: Point, which: tuple[tuple[int, bool], ...], given: list[tuple[Array, Array]]) -> list[list[Any]]:
    """Of each part, of autodiff; and of its `backward`, if it compiles."""
    sizes = []
    for (k, compiles), (a, delta) in zip(which, given, strict=True):
        part = parts(point)[k]
        sizes.append([rounding_errors(partial(vjp, part.forward), part.params, a, delta)])
        if compiles:  # a `backward` that rounds more than its forward does, to float32, is wrong
            sizes[-1].append(rounding_errors(part.backward, part.params, a, delta, kinds=(jnp.float64,)))
    return sizes


def _verdict(point: Point, right: BackwardPass, k: int, hand: Leaves, auto: Leaves, wrong: Leaves) -> LayerVerdict:
    found = right.by_hand[k]
    return LayerVerdict(
        layer=k if k < len(point.net) else None,
        name=parts(point)[k].name,
        broken=found if isinstance(found, str) else "",
        faults=tuple(_fault(what, where, hand[what], auto[what]) for what, where in wrong.items()),
        no_opinion=sum(int((~np.isfinite(leaf)).sum()) for leaf in auto.values()),
        entries=sum(leaf.size for leaf in auto.values()),
        slips=slips(point, right, k, {what: Wrong(hand[what], auto[what], where) for what, where in wrong.items()}),
    )


def _fault(what: str, wrong: np.ndarray, hand: np.ndarray, auto: np.ndarray) -> Fault:
    known = np.isfinite(auto)
    scale = np.abs(auto[known]).max(initial=0)
    with np.errstate(over="ignore"):
        error = np.linalg.norm((hand[known] - auto[known]) / scale) if scale else np.inf
    relative = error / np.linalg.norm(auto[known] / scale) if scale else error
    return Fault(what, int(wrong.sum()), wrong.size, float(relative if np.isfinite(hand).all() else np.nan))
