"""The two gradients side by side over a whole training: how far apart, which is nearer to the truth, how long."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import jax
import numpy as np

from fnn.examples import Examples
from fnn.network import autodiff, backprop
from fnn.training.fitting import Result
from fnn.types import Cost, Net, Params

ROWS = 1000  # examples on which the gradients are compared: the first ones of the training set, at most


class Difference(NamedTuple):
    """How far the two are apart in one layer; every number is the largest over the layer's leaves.

    Differences are of the largest entry of their leaf, since a sum of rounded terms is right to that scale.
    """

    layer: int  # its place in the net, from 0
    gradient: float  # between the two gradients at one point, relative
    ulps: float  # the same in units in the last place of the leaf's largest entry
    backprop_error: float  # of the handwritten one, relative to the gradient of the same point in float64
    autodiff_error: float  # of the automatic one
    params: float  # between the parameters that the two trainings have reached, relative

    @property
    def nearer(self) -> str:
        """The gradient that is nearer to the one in float64."""
        if self.backprop_error == self.autodiff_error:
            return "equal"
        return "backprop" if self.backprop_error < self.autodiff_error else "autodiff"


class Comparison(NamedTuple):
    """One epoch of two trainings from the same start."""

    backprop: Result
    autodiff: Result
    differences: tuple[Difference, ...]  # of the layers that have parameters


def compare(
    net: Net, cost: Cost, train: Examples, by_hand: Iterator[Result], automatic: Iterator[Result]
) -> Iterator[Comparison]:
    """The epochs of two trainings in step, `by_hand` with `backprop` and `automatic` with `autodiff`.

    The gradients are taken at the parameters that `by_hand` has reached, over the first 1,000 examples of
    `train` at most. The trainings take turns at being first: after a comparison, the first one finds cold caches.
    """
    few = train.take(slice(ROWS))
    for by_hand_first in itertools.cycle((True, False)):
        if by_hand_first:
            hand, auto = next(by_hand, None), next(automatic, None)
        else:
            auto, hand = next(automatic, None), next(by_hand, None)
        if hand is None or auto is None:  # a stopping rule may end one of them earlier
            return
        yield Comparison(hand, auto, differences(net, cost, hand.params, auto.params, few))


def differences(
    net: Net, cost: Cost, params: Params, other_params: Params, examples: Examples
) -> tuple[Difference, ...]:
    """The comparison at `params`, layer by layer; `other_params` is where the other training is."""
    x, y = examples.rows(slice(None))
    # two programs, so that the compiler cannot share work between the two, which would prove nothing
    by_hand, automatic = (_leaves(jax.jit(g)(net, cost, params, x, y)[1]) for g in (backprop, autodiff))
    exact = _leaves(_in_float64(net, cost, params, x, y))
    here, there = _leaves(params), _leaves(other_params)
    return tuple(
        Difference(
            layer,
            relative(by_hand[layer], automatic[layer]),
            ulps(by_hand[layer], automatic[layer]),
            relative(by_hand[layer], exact[layer]),
            relative(automatic[layer], exact[layer]),
            relative(here[layer], there[layer]),
        )
        for layer in range(len(net))
        if here[layer]
    )


def _leaves(tree: Params) -> list[list[np.ndarray]]:
    """Per layer its leaves."""
    return [[np.asarray(leaf) for leaf in jax.tree.leaves(layer)] for layer in tree]


def _in_float64(net: Net, cost: Cost, params: Params, x: jax.Array, y: jax.Array) -> Params:
    params, x, y = jax.tree.map(lambda a: np.asarray(a, np.float64), (params, x, y))
    with jax.enable_x64(True), jax.default_matmul_precision("highest"):
        _, gradient = jax.jit(autodiff)(net, cost, params, x, y)
        return jax.tree.map(np.asarray, gradient)  # inside: outside it would become float32


def relative(got: list[np.ndarray], expected: list[np.ndarray]) -> float:
    """The largest over the leaves of `max |got − expected| / max |expected|`; 0 where both are 0, nan if any is."""
    return _largest(_over(g, e, np.abs(e).max(initial=0)) for g, e in zip(got, expected, strict=True))


def ulps(got: list[np.ndarray], expected: list[np.ndarray]) -> float:
    """The same in units in the last place of the largest entry."""
    return _largest(_over(g, e, np.spacing(np.abs(e).max(initial=0))) for g, e in zip(got, expected, strict=True))


def _largest(values: Iterable[float]) -> float:
    return float(np.max(list(values)))  # unlike Python's max never deaf to nan


def _over(got: np.ndarray, expected: np.ndarray, unit: float) -> float:
    apart = np.abs(got.astype(np.float64) - expected.astype(np.float64)).max(initial=0)
    return 0.0 if apart == 0 else float(apart / unit) if unit else float("inf")
