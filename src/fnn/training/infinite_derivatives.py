"""Which derivative is not finite, where a gradient is not, and what may help.

The search uses the way of the training. In a training by `autodiff` all deltas and derivatives are those of JAX, in one
by `backprop` the handwritten ones. Only then is the other way asked. If that is finite where the training's own is not,
the step was not too long: the derivative itself is wrong there, and a smaller eta is no remedy.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from fnn.network import activations
from fnn.training.ways import BY_AUTODIFF, BY_HAND, Way, way_of
from fnn.types import Array, Cost, Gradient, Net, Params

REMEDY = "a smaller eta is the usual remedy, say a tenth; then a smaller mu, lmbda or initial W"
NEAR_OVERFLOW = 1e-6  # of the largest number: what is beyond will overflow too, and shows no wrong derivative


class Culprit(NamedTuple):
    """What is wrong in a step, and what may help."""

    layer: int  # from 0, in which the first number that is not finite appears; the last one for the cost, -1 for data
    what: str
    remedy: str = REMEDY


class Batch(NamedTuple):
    """A mini-batch and the net that is trained on it: what a gradient is given."""

    net: Net
    cost: Cost
    params: Params
    x: Array
    y: Array


class Place(NamedTuple):
    """Where a derivative stands: whose it is, and by what."""

    layer: int  # `len(net)` for the cost
    by: str  # "input" or "params"


def in_gradient(gradient: Gradient, batch: Batch, nabla: Params) -> Culprit | None:
    """The culprit of `nabla`, which this function gives for the batch; None if all of it is finite.

    The batch, its activations and its cost are finite.
    """
    if not wrong_number(nabla):
        return None
    way, layer = way_of(gradient), next(k for k in reversed(range(len(nabla))) if wrong_number(nabla[k]))
    what = f"the gradient of {named(batch.net, layer)} holds {wrong_number(nabla[layer])}"
    try:
        known = _in_own(gradient, batch, layer, what) if way is None else _in_way(way, batch)
    except Exception:  # a layer that has no derivative by itself, such as one whose outputs are whole numbers
        known = None
    return known or Culprit(layer, what)


def _in_own(gradient: Gradient, batch: Batch, layer: int, what: str) -> Culprit | None:
    """The culprit of a gradient by a function of the user's own, of which only the result is known."""
    name = getattr(gradient, "__name__", type(gradient).__name__)
    failing = [way for way in (BY_HAND, BY_AUTODIFF) if not _is_sound(way, batch)]
    if not failing:
        return Culprit(layer, f"{what} by {name}, where backprop and autodiff are finite", f"look at {name}")
    inner = None if len(failing) == 2 else _in_way(failing[0], batch)
    return inner and inner._replace(what=f"{what} by {name}, as by {failing[0].gradient.__name__}: {inner.what}")


def _in_way(way: Way, batch: Batch) -> Culprit | None:
    """The culprit for the first derivative that is not finite: its rule is wrong if the other way is finite there."""
    first = _first(way, batch)
    if first is None:
        return None
    (place, wrong), other = first, BY_HAND if way is BY_AUTODIFF else BY_AUTODIFF
    name, sound, here = other.gradient.__name__, _is_sound(other, batch), _is_sound_at(place, other, way, batch)
    if here:
        found, more = _in_one(way, batch, place, wrong), _more(place, way, other, batch) if sound else ""
    else:
        found, more = _in_both(batch.net, place, wrong), f"; the gradient by {name} is finite" if sound else ""
    remedy = f"{_mended(way, batch, place)}, or {REMEDY}" if here is None else found.remedy
    return Culprit(found.layer, found.what + more, remedy + (f', or train with gradient = "{name}"' if sound else ""))


def _in_one(way: Way, batch: Batch, place: Place, wrong: str) -> Culprit:
    """The culprit where the other way is finite, which no smaller eta helps."""
    net, (said, instead) = batch.net, ("jax.grad", "hand") if way is BY_AUTODIFF else ("hand", "jax.grad")
    owner = f"the cost ({type(batch.cost).__name__})" if place.layer == len(net) else named(net, place.layer)
    where = f"where the one by {instead} is finite"
    what = f"the derivative by {said} of {owner} with respect to its {place.by} is {wrong} {where}"
    return Culprit(min(place.layer, len(net) - 1), what, _mended(way, batch, place))


def _mended(way: Way, batch: Batch, place: Place) -> str:
    """How the user makes a derivative finite."""
    of_cost = place.layer == len(batch.net)
    if way is BY_HAND:
        return f"mend its {'delta' if of_cost else 'backward'}"
    where = f"{'value' if of_cost else 'forward'} so that no infinite derivative is met"
    return f"write its {where} (both branches of jnp.where are differentiated)"


def _in_both(net: Net, place: Place, wrong: str) -> Culprit:
    """The culprit where both ways are not finite, as in a step that is too long."""
    if place.by == "params":
        return Culprit(place.layer, f"the gradient of {named(net, place.layer)} holds {wrong}")
    entered, source = place.layer - 1, "the cost" if place.layer == len(net) else named(net, place.layer)
    return Culprit(entered, f"the delta entering {named(net, entered)} holds {wrong}, from {source}")


def _first(way: Way, batch: Batch) -> tuple[Place, str] | None:
    """The first derivative of this way that is not finite, from the cost to the first layer, and the number."""
    found = ((place, wrong_number(numbers)) for place, numbers in _parts(way, batch, way.deltas(*batch)))
    return next(((place, wrong) for place, wrong in found if wrong), None)


def _more(first: Place, way: Way, other: Way, batch: Batch) -> str:
    """The layers whose derivatives are not finite either, in words.

    Before the first one the deltas of this way are not finite any more, so those of the other way are taken.
    """
    parts = _parts(way, batch, other.deltas(*batch))
    wrong = {place.layer for place, numbers in parts if wrong_number(numbers)} - {first.layer, len(batch.net)}
    return f", and so in {', '.join(named(batch.net, layer) for layer in sorted(wrong))}" if wrong else ""


def _parts(way: Way, batch: Batch, entering: tuple[Array, ...]) -> Iterator[tuple[Place, Any]]:
    """Each derivative of this way by itself, from the cost to the first layer, for the deltas that enter the layers.

    A derivative by the input is left out where no layer before has params: no training needs it.
    """
    net, cost, params, x, y = batch
    *inputs, z = activations(net, params, x)
    yield Place(len(net), "input"), way.of_cost(cost, z, y)
    for layer in reversed(range(len(net))):
        nabla, before = way.of_layer(net[layer], params[layer], inputs[layer], entering[layer])
        yield Place(layer, "params"), nabla
        if jax.tree.leaves(params[:layer]):
            yield Place(layer, "input"), before


def _is_sound(way: Way, batch: Batch) -> bool:
    """Whether this way's gradient is finite, and nowhere near an overflow."""
    try:
        return _far_from_overflow(way.gradient(*batch)[1])
    except Exception:  # a forward that JAX cannot differentiate, or a backward that the user has left out
        return False


def _is_sound_at(place: Place, other: Way, way: Way, batch: Batch) -> bool | None:
    """Whether the other way is finite in this one derivative, for the delta of this way; None if there is no other."""
    try:
        return _far_from_overflow(dict(_parts(other, batch, way.deltas(*batch)))[place])
    except Exception:  # as above
        return None


def _far_from_overflow(tree: Any) -> bool:
    return all((abs(leaf) < NEAR_OVERFLOW * jnp.finfo(leaf.dtype).max).all() for leaf in jax.tree.leaves(tree))


def named(net: Net, layer: int) -> str:
    """How messages call a layer."""
    return f"layer {layer} ({type(net[layer]).__name__})"


def wrong_number(tree: Any) -> str:
    """The first number of a tree that is not finite, in words; "" if all are."""
    for leaf in jax.tree.leaves(tree):
        numbers = np.asarray(leaf, np.float64)
        if not np.isfinite(numbers).all():
            return str(numbers[~np.isfinite(numbers)][0])
    return ""
