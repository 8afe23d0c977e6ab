"""The evidence about a rule of anybody's: what its function is, how precise, and its derivatives in three ways."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import numpy as np
from jax.flatten_util import ravel_pytree

from fnn.checking.evidence import AUTODIFF, ROUNDINGS, Derivatives, Evidence
from fnn.checking.finite_differences import (
    EPS,
    NOISY,
    TIE,
    Slopes,
    coordinate_slopes,
    direction_slopes,
    random_directions,
    value_noise,
    widths,
)
from fnn.checking.probes import Function, laid_flat
from fnn.checking.resolution import resolution
from fnn.checking.rules import Leaves, Rule, failed, said
from fnn.checking.sampling import sample
from fnn.errors import InputError

DRAWS = 4  # of random last bits of the coordinates
HINT = "forward = the same value in plain jax.numpy would be a third opinion"
CLOSE_BY = 2.0**-10  # of the width of a finite difference: where the automatic derivatives beside a tie are taken


class Subject(NamedTuple):
    """The rule under test, and what is known of its function."""

    rule: Rule
    cotangents: Leaves
    function: Function  # the weighted sum of the values, of the leaves of the arguments
    value: float  # of the function
    expected: float  # of `forward`
    automatic: Callable[[Leaves], np.ndarray] | None  # the automatic derivatives, `(P,)`; None: JAX has none
    missing: str  # why there are none
    resolution: np.ndarray  # of every coordinate, `(P,)`
    noise: float  # of the value


def subject_of(rule: Rule, cotangents: Leaves) -> Subject:
    """What is known of the function of a rule.

    Raises:
        InputError: `forward` fails, or the value is another one each time.
    """

    def weighted(leaves: Leaves, cotangents: Leaves) -> Any:
        return _sum(rule.values(leaves), cotangents)

    leaves = rule.arguments.leaves
    function = Function(weighted, leaves, cotangents, _compiles(weighted, leaves, cotangents))
    here, again = (weighted_sum(rule.values(leaves), cotangents) for _ in range(2))
    if here != again:
        raise InputError(f"{rule.name} gives another value each time: {here} and {again}; fix its random key.")
    try:
        expected = weighted_sum(rule.forward_values(leaves), cotangents)
    except Exception as error:
        raise failed(f"forward of {rule.name}", error) from error
    fine = resolution(function)
    return Subject(
        rule, cotangents, function, here, expected, *_automatic(rule, cotangents), fine, value_noise(function, fine)
    )


def _compiles(function: Callable, *leaves: Leaves) -> bool:
    try:
        jax.eval_shape(function, *leaves)
    except Exception:  # a user's function raises anything; it is then called with numbers
        return False
    return True


def _automatic(rule: Rule, cotangents: Leaves) -> tuple[Callable[[Leaves], np.ndarray] | None, str]:
    """The automatic derivatives as a function of the leaves; None, and why, where JAX has none."""
    if rule.forward is None:
        why = f"JAX cannot follow {rule.name}" if rule.with_numpy else f"jax.vjp of {rule.name} is what is tested"
        return None, f"{why}; {HINT}"

    def weighted(leaves: Leaves) -> Any:
        return _sum(rule.forward_values(leaves), cotangents)

    leaves = rule.arguments.leaves
    gradient = jax.jit(jax.grad(weighted)) if _compiles(weighted, leaves) else jax.grad(weighted)
    try:
        laid_flat(gradient(leaves))
    except Exception as error:  # of JAX, or of the user's function
        return None, f"JAX cannot differentiate forward of {rule.name} ({said(error)}); {HINT}"
    return lambda leaves: laid_flat(gradient(leaves)), ""


def cotangents_of(out: Leaves) -> Leaves:
    """1 for a value of one number; else numbers of a normal distribution, always the same."""
    if len(out) == 1 and np.size(out[0]) == 1:
        return [np.ones(np.shape(out[0]))]
    rng = np.random.default_rng(0)
    return [rng.standard_normal(np.shape(leaf)) for leaf in out]


def _sum(values: Leaves, cotangents: Leaves) -> Any:
    """`Σ c v`, `()`.

    Raises:
        InputError: `forward` returns other shapes than the function under test.
    """
    shapes, expected = ([np.shape(leaf) for leaf in leaves] for leaves in (values, cotangents))
    if shapes != expected:
        raise InputError(f"forward returns the shapes {shapes}; expected {expected}, as the function under test.")
    return sum((c * v.astype(np.float64)).sum() for c, v in zip(cotangents, values, strict=True))


def weighted_sum(values: Leaves, cotangents: Leaves) -> float:
    """`Σ c v` in float64."""
    return float(_sum([np.asarray(leaf, np.float64) for leaf in values], cotangents))


def evidence_of(subject: Subject, hand: np.ndarray, budget: int) -> Evidence:
    """The opinions on the derivatives `hand`, `(P,)`, of the rule."""
    function, fine = subject.function, subject.resolution
    auto = np.full(hand.shape, np.nan) if subject.automatic is None else subject.automatic(function.tree)
    coordinates = Derivatives(hand, auto, _rounding(subject, hand, auto))
    sampled = _sampled(coordinates, [leaf.shape for leaf in function.tree], budget)
    h = widths([[leaf] for leaf in function.tree], fine)
    slopes = coordinate_slopes(function, h, sampled, subject.noise, coordinates.rounding[sampled])
    still = sampled[slopes.settled & (slopes.slope == 0)]  # no value moves: the rule may be left with rounded terms
    coordinates.rounding[still] += EPS * max(np.abs(c).max() for c in subject.cotangents)
    moves = random_directions(h)
    rounding = np.abs(moves) @ coordinates.rounding
    return Evidence(
        function.flat,
        coordinates,
        sampled,
        slopes,
        Derivatives(moves @ hand, moves @ auto, rounding),
        direction_slopes(function, moves, subject.noise, rounding),
        subject.expected,
        subject.expected,
        _at_ties(subject, coordinates, sampled, slopes, h),
    )


def _rounding(subject: Subject, hand: np.ndarray, auto: np.ndarray) -> np.ndarray:
    """The expected rounding error of every derivative, `(P,)`: how much the last bits of the coordinates move it.

    At a tie the derivative jumps; that passes for rounding only as far as a part of the leaf's largest derivative. No
    error is taken for smaller than that of its neighbours, or than the last bit of the value.
    """
    function, fine = subject.function, subject.resolution
    size = np.abs(np.where(np.isfinite(auto), auto, np.nan_to_num(hand)))
    last_bits = random_directions(function.flat)[:DRAWS] * fine
    ways = [(lambda leaves: laid_flat(subject.rule.run(leaves, subject.cotangents)[1]), hand)]
    ways += [(subject.automatic, auto)] if subject.automatic else []
    spread = np.zeros_like(hand)
    for derivatives, here in ways:
        moved = np.array([derivatives(_moved(function, move)) - here for move in last_bits])
        spread = np.fmax(spread, np.sqrt(np.square(moved).mean(axis=0)))
    values = subject.rule.values(function.tree)
    scale = sum(np.abs(np.asarray(c) * np.asarray(v)).sum() for c, v in zip(subject.cotangents, values, strict=True))
    floor = fine * np.maximum(size, float(scale) / ROUNDINGS / np.maximum(1, np.abs(function.flat)))
    start = 0
    for leaf in function.tree:
        part = slice(start, start := start + leaf.size)
        spread[part] = np.minimum(spread[part], max(1e4 * EPS, 64 * fine[part].max()) * size[part].max())
        spread[part] = np.maximum(spread[part], np.sqrt(np.square(spread[part]).mean()) / 4)
    return np.maximum(np.nan_to_num(spread), floor)


def _moved(function: Function, move: np.ndarray) -> Leaves:
    flat, leaves = ravel_pytree(function.tree)
    return leaves(flat + move)


def _sampled(coordinates: Derivatives, shapes: list, budget: int) -> np.ndarray:
    """The coordinates that get a finite difference: a sample, and those in which autodiff disagrees."""
    (doubtful,) = np.nonzero(coordinates.relative() > AUTODIFF)
    return np.union1d(sample(shapes, budget), doubtful[:budget]).astype(int)


def _at_ties(
    subject: Subject, coordinates: Derivatives, sampled: np.ndarray, slopes: Slopes, h: np.ndarray
) -> np.ndarray:
    """The verdict where the function has a tie, `(P,)`: 0 right, infinite wrong; nan elsewhere.

    A rule is right there if it lies between the one-sided slopes, or between automatic derivatives close by.
    """
    verdict = np.full(h.shape, np.nan)
    relative = coordinates.relative()[sampled]
    (k,) = np.nonzero(~np.isnan(slopes.left) & ~(relative <= AUTODIFF))
    if not len(k):
        return verdict
    i, seen = sampled[k], [slopes.left[k], slopes.right[k]]
    if subject.automatic:
        close_by = random_directions(h) * CLOSE_BY
        seen += [subject.automatic(_moved(subject.function, move))[i] for move in close_by]
    slack = TIE * np.abs(seen[:2]).max(axis=0) + NOISY * slopes.noise[k]
    low, high = np.nanmin(seen, axis=0) - slack, np.nanmax(seen, axis=0) + slack
    verdict[i] = np.where((low <= coordinates.by_hand[i]) & (coordinates.by_hand[i] <= high), 0, np.inf)
    return verdict
