"""What is wrong, in sentences: which layers, which known mistakes give their numbers, or else where it goes wrong.

Each known mistake is made on purpose, and the derivatives that it gives are compared with those under test.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

import jax
import numpy as np

from fnn.checking.backward_pass import backward_pass, parts
from fnn.checking.evidence import AUTODIFF, DIFFERENCE, Derivatives, Evidence, relative_to
from fnn.checking.layers import LayerVerdict
from fnn.checking.own_rules import slope_gaps
from fnn.checking.point import Point, flat_leaves, is_W
from fnn.checking.probes import laid_flat
from fnn.checking.wrong_arrays import explains
from fnn.checking.wrong_factors import mistakes_in_leaf, wrong_penalty
from fnn.checking.wrong_rules import wrong_gradients
from fnn.network import backprop
from fnn.types import leaf_name


def diagnose(
    point: Point, evidence: Evidence, verdicts: tuple[LayerVerdict, ...], rule: str, penalty: str
) -> tuple[str, ...]:
    """Sentences about a wrong gradient, or a wrong layer; () where all is right.

    Args:
        point: Where.
        evidence: On the gradient under test.
        verdicts: On the layers and the cost, by `layer_verdicts`; () if the rule does not use their `backward`.
        rule: The name of the function that gives the gradient.
        penalty: The name of the function that adds the penalty; "" if there is none.
    """
    along = relative_to(evidence.direction_slopes, evidence.directions.by_hand) > DIFFERENCE
    if not evidence.wrong().any() and not along.any() and all(verdict.ok for verdict in verdicts):
        return ()
    own = dict(_of_autodiff(point, evidence))
    wrong = [verdict for verdict in verdicts if not verdict.ok and verdict.name not in own]
    sentences = [*own.values(), *_of_layers(wrong, verdicts), *_of_rule(point, evidence, verdicts, rule, penalty)]
    return tuple(dict.fromkeys(sentences))


def without_autodiff(verdicts: tuple[LayerVerdict, ...]) -> tuple[str, ...]:
    """Sentences about layers whose autodiff gives nan, so that it is no opinion."""
    return tuple(
        f"autodiff of {verdict.name} is nan at {verdict.no_opinion:,} of {verdict.entries:,} entries; by hand it is "
        f"{'not finite either' if any(np.isnan(fault.relative) for fault in verdict.faults) else 'finite'}"
        for verdict in verdicts
        if verdict.no_opinion and not verdict.broken
    )


def _of_layers(wrong: list[LayerVerdict], verdicts: tuple[LayerVerdict, ...]) -> Iterator[str]:
    """The wrong layers, in the last sentence which are right, and then what is known of each wrong one."""
    right = _listed([verdict for verdict in verdicts if verdict.ok])
    for verdict in wrong:
        yield f"{verdict}; {right}" if right and verdict is wrong[-1] else str(verdict)
    yield from (f"{verdict.name}: {slip}" for verdict in wrong for slip in verdict.slips)


def _listed(right: list[LayerVerdict]) -> str:
    """`layers 0 to 2, 4 and 6 and the cost are right`."""
    numbers = [verdict.layer for verdict in right if verdict.layer is not None]
    starts = [k for k in numbers if k - 1 not in numbers]
    ends = [k for k in numbers if k + 1 not in numbers]
    runs = zip(starts, ends, strict=True)
    items = [item for a, b in runs for item in ([f"{a} to {b}"] if b > a + 1 else dict.fromkeys([f"{a}", f"{b}"]))]
    layers = [f"layer{'s' * (len(numbers) > 1)} {_joined(items)}"] if items else []
    who = [*layers, *("the cost" for verdict in right if verdict.layer is None)]
    return f"{' and '.join(who)} {'is' if len(right) == 1 else 'are'} right" if who else ""


def _joined(items: list[str]) -> str:
    return " and ".join([", ".join(items[:-1]), items[-1]] if len(items) > 1 else items)


def _of_autodiff(point: Point, evidence: Evidence) -> Iterator[tuple[str, str]]:
    """Whose autodiff contradicts the finite differences, and a sentence about it."""
    gaps = relative_to(evidence.coordinate_slopes, evidence.coordinates.autodiff[evidence.sampled])
    also = relative_to(evidence.direction_slopes, evidence.directions.autodiff)
    if not (np.concatenate([gaps, also]) > DIFFERENCE).any():
        return
    right = backward_pass(point)
    by_autodiff, by_hand = (slope_gaps(point, right, derivatives) for derivatives in (right.autodiff, right.by_hand))
    found = [k for k, gap in enumerate(by_autodiff) if gap > DIFFERENCE]
    for k in found:
        name, what, hand = parts(point)[k].name, "forward" if k < len(point.net) else "value", ""
        if by_hand[k] <= DIFFERENCE:
            hand = "; its backward agrees with them"
        elif abs(by_hand[k] - by_autodiff[k]) > DIFFERENCE:
            hand = f"; its backward contradicts them too, {by_hand[k]:.2g} of its size"
        own = f"its {what} has a derivative rule of its own (a custom_vjp or stop_gradient)"
        yield name, f"{name}: {own} that contradicts finite differences, {by_autodiff[k]:.2g} of its size{hand}"
    if not found:
        count = f"{(gaps > DIFFERENCE).sum():,} finite differences"
        hint = "is there a custom derivative, or a stop_gradient, in a forward or in the cost's value?"
        yield "", f"autodiff itself contradicts {count}: {hint}"


class _Leaf(NamedTuple):
    """A leaf of the params whose gradient is not that of the layers."""

    path: Any
    leaf: Any
    part: slice
    found: np.ndarray
    right: np.ndarray
    wrong: np.ndarray  # bool


def _of_rule(
    point: Point, evidence: Evidence, verdicts: tuple[LayerVerdict, ...], rule: str, penalty: str
) -> Iterator[str]:
    """What a rule does with the layers' derivatives: where its gradient is not the one that these give together."""
    if not _params(point):
        return
    right_layers = all(verdict.ok for verdict in verdicts)
    right = evidence.coordinates.autodiff if right_layers else _together(point)
    bad = [leaf for leaf in _leaves(point, evidence, right) if leaf.wrong.any()]
    if not bad:
        return
    found = [*_in_leaves(point, bad), *(_in_the_rule(point, evidence) if right_layers else ())]
    if all(any(wrong_penalty(point, leaf.path, leaf.leaf, leaf.found, leaf.right)) for leaf in bad):
        fault = f"the penalty of {penalty or rule}"
    else:
        fault = f"how {rule} puts them together" + f", or the penalty of {penalty}" * bool(penalty)
    if not right_layers:
        yield f"besides, {rule} gives another gradient than the layers' backward give together"
    elif verdicts:
        yield f"every layer's backward and the cost's delta are right: the fault is in {fault}"
    yield from found or [_where(point, bad)]


def _together(point: Point) -> np.ndarray:
    """The gradient with the penalty that the layers' own derivatives give, right or wrong, flat."""
    arguments = point.net, point.cost, point.params, point.x, point.y
    try:
        _, gradient = jax.jit(backprop)(*arguments)
    except Exception:  # layers of NumPy
        _, gradient = backprop(*arguments)
    decay = [float(point.lmbda) * is_W(path) * leaf for path, leaf, _ in _params(point)]
    return laid_flat(gradient) + laid_flat(decay)


def _params(point: Point) -> list[Any]:
    """The leaves of the params alone."""
    return [leaf for leaf in flat_leaves(point) if leaf[0][0].idx < len(point.net)]


def _leaves(point: Point, evidence: Evidence, right: np.ndarray) -> Iterator[_Leaf]:
    for path, leaf, part in _params(point):
        found = evidence.coordinates.by_hand[part]
        rounding = evidence.coordinates.rounding[part]
        wrong = (Derivatives(found, right[part], rounding).relative() > AUTODIFF) & np.isfinite(right[part])
        yield _Leaf(path, leaf, part, *(a.reshape(leaf.shape) for a in (found, right[part], wrong)))


def _in_leaves(point: Point, bad: list[_Leaf]) -> Iterator[str]:
    """Mistakes within one leaf; a mistake that all wrong leaves share is reported once."""
    texts = [mistakes_in_leaf(point, *leaf[:2], leaf.found, leaf.right) for leaf in bad]
    shared = [text for text in texts[0] if all(text in others for others in texts)]
    names = [leaf_name(leaf.path) for leaf in bad]
    who = "everywhere" if len(bad) == len(_params(point)) else ", ".join(names)
    yield from (f"{who}: {text}" for text in shared)
    if not shared:
        yield from (f"{leaf}: {text}" for leaf, fitting in zip(names, texts, strict=True) for text in fitting)


def _in_the_rule(point: Point, evidence: Evidence) -> Iterator[str]:
    """Mistakes in one step of the delta rule; each must explain all leaves at once."""
    parts = [part for _, _, part in _params(point)]
    by_hand, right = evidence.coordinates.by_hand, evidence.coordinates.autodiff
    for text, candidate in wrong_gradients(point, backward_pass(point)):
        if all(explains(by_hand[part], right[part], candidate[part]) for part in parts):
            yield text


def _where(point: Point, bad: list[_Leaf]) -> str:
    """Where the error is: one coordinate, one row, one leaf, or all layers from one on down."""
    path, leaf, _, _, _, mask = bad[-1]
    rows = np.unique(np.argwhere(mask)[:, 0]) if leaf.ndim else []
    if sum(int(leaf.wrong.sum()) for leaf in bad) == 1:
        return f"only one coordinate is wrong, in {leaf_name(path)}"
    if len(bad) == 1 and len(rows) == 1 and leaf.ndim > 1:
        return f"only row {rows[0]} of {leaf_name(path)} is wrong"
    wrong = {leaf_name(leaf.path) for leaf in bad}
    right = [leaf_name(p) for p, _, _ in _params(point) if p[0] == path[0] and leaf_name(p) not in wrong]
    if right:
        return f"{', '.join(right)} is right, so the delta is: the rule for {leaf_name(path)} itself is wrong"
    after = [p[0].idx for p, _, _ in _params(point) if p[0].idx > path[0].idx]
    start = f"layer {after[0]}" if after else "the cost"
    return f"wrong from layer {path[0].idx} down: look at how delta goes from {start} to layer {path[0].idx}"
