"""Backprop and autodiff side by side over a whole training: how far apart they are, and which is nearer to float64."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import jax
import numpy as np

from fnn.errors import DivergedError
from fnn.examples import Examples
from fnn.network import autodiff, backprop
from fnn.training.infinite_derivatives import Batch, in_gradient
from fnn.training.tasks import Result
from fnn.types import Cost, Net, Params

COMPARED = 1000  # the gradients are compared on at most this many examples, the first ones of the training set


class Difference(NamedTuple):
    """How far the two are apart in one layer; every number is the largest over the layer's leaves.

    A relative difference is divided by the largest entry of its leaf, because a sum of rounded terms has an error of
    that scale in every entry.
    """

    layer: int  # its place in the net, from 0
    gradient: float  # relative difference between the two gradients at one point
    ulps: float  # the same difference, in units in the last place of the leaf's largest entry
    backprop_error: float  # relative difference of the gradient by hand to the gradient in float64
    autodiff_error: float  # the same for the automatic gradient
    params: float  # relative difference between the parameters that the two trainings have reached

    @property
    def nearer(self) -> str:
        """The gradient that is nearer to the one in float64; "neither" if that is nan, or both are."""
        by_hand, by_autodiff = (math.inf if math.isnan(e) else e for e in (self.backprop_error, self.autodiff_error))
        if math.isinf(by_hand) and math.isinf(by_autodiff):
            return "neither"
        if by_hand == by_autodiff:
            return "equal"
        return "backprop" if by_hand < by_autodiff else "autodiff"


class Comparison(NamedTuple):
    """One epoch of two trainings from the same start."""

    backprop: Result
    autodiff: Result
    differences: tuple[Difference, ...]  # of the layers that have parameters
    fault: str = ""  # why one of the two gradients is not finite, in words


class Training:
    """One of the two trainings, and how it stands."""

    def __init__(self, results: Iterator[Result]) -> None:
        """A training that has not begun."""
        self.results = results
        self.last: Result | None = None  # of the last epoch that has ended
        self.diverged: DivergedError | None = None

    def next(self) -> Result | None:
        """Train one more epoch; None if the training has stopped, or diverges."""
        try:
            result = next(self.results, None)
        except DivergedError as error:
            self.diverged = error
            return None
        self.last = result or self.last
        return result


def compare(net: Net, cost: Cost, train: Examples, by_hand: Training, by_autodiff: Training) -> Iterator[Comparison]:
    """Two trainings, epoch by epoch, until one stops or diverges: `by_hand` with `backprop`, the other with `autodiff`.

    The gradients are taken at the parameters that `by_hand` has reached, over the first 1,000 examples of `train` at
    most. The trainings alternate in who goes first, because the first one after a comparison finds cold caches. Where
    one stops or diverges, the other has tried that epoch too.
    """
    few = train.take(slice(COMPARED))
    for by_hand_first in itertools.cycle((True, False)):
        if by_hand_first:
            hand, auto = by_hand.next(), by_autodiff.next()
        else:
            auto, hand = by_autodiff.next(), by_hand.next()
        if hand is None or auto is None:
            return
        rows = differences(net, cost, hand.params, auto.params, few)
        finite = all(math.isfinite(row.gradient) for row in rows)
        yield Comparison(hand, auto, rows, "" if finite else fault(net, cost, hand.params, few))


def fault(net: Net, cost: Cost, params: Params, examples: Examples) -> str:
    """Why one of the two gradients at `params` is not finite, in words; "" if both are finite."""
    batch = Batch(net, cost, params, *examples.rows(slice(None)))
    found = (in_gradient(gradient, batch, jax.jit(gradient)(*batch)[1]) for gradient in (backprop, autodiff))
    return next((culprit.what for culprit in found if culprit), "")


def differences(
    net: Net, cost: Cost, params: Params, other_params: Params, examples: Examples
) -> tuple[Difference, ...]:
    """The comparison at `params`, layer by layer; `other_params` are those of the other training."""
    x, y = examples.rows(slice(None))
    # compiled apart: in one program XLA could compute both by the same code, and their equality would prove nothing
    by_hand, by_autodiff = (_leaves(jax.jit(g)(net, cost, params, x, y)[1]) for g in (backprop, autodiff))
    exact = _leaves(_in_float64(net, cost, params, x, y))
    here, there = _leaves(params), _leaves(other_params)
    return tuple(
        Difference(
            layer,
            relative(by_hand[layer], by_autodiff[layer]),
            ulps(by_hand[layer], by_autodiff[layer]),
            relative(by_hand[layer], exact[layer]),
            relative(by_autodiff[layer], exact[layer]),
            relative(here[layer], there[layer]),
        )
        for layer in range(len(net))
        if here[layer]
    )


def _leaves(tree: Params) -> list[list[np.ndarray]]:
    """The leaves of each layer."""
    return [[np.asarray(leaf) for leaf in jax.tree.leaves(layer)] for layer in tree]


def _in_float64(net: Net, cost: Cost, params: Params, x: jax.Array, y: jax.Array) -> Params:
    params, x, y = jax.tree.map(lambda a: np.asarray(a, np.float64), (params, x, y))
    with jax.enable_x64(True), jax.default_matmul_precision("highest"):
        _, gradient = jax.jit(autodiff)(net, cost, params, x, y)
        return jax.tree.map(np.asarray, gradient)  # before the block ends: after it, JAX would make float32 of it


def relative(got: list[np.ndarray], expected: list[np.ndarray]) -> float:
    """The largest over the leaves of `max |got − expected| / max |expected|`; 0 where both are 0, nan if any is."""
    return _largest(_gap(g, e, np.abs(e).max(initial=0)) for g, e in zip(got, expected, strict=True))


def ulps(got: list[np.ndarray], expected: list[np.ndarray]) -> float:
    """The same difference in units in the last place of the largest entry."""
    return _largest(_gap(g, e, np.spacing(np.abs(e).max(initial=0))) for g, e in zip(got, expected, strict=True))


def _largest(values: Iterable[float]) -> float:
    return float(np.max(list(values)))  # nan if any is; Python's max would lose it


def _gap(got: np.ndarray, expected: np.ndarray, unit: float) -> float:
    """`max |got − expected|` in this unit; 0 where both are equal, whatever the unit."""
    apart = np.abs(got.astype(np.float64) - expected.astype(np.float64)).max(initial=0)
    return 0.0 if apart == 0 else float(apart / unit) if unit else float("inf")
