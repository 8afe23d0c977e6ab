"""`check_vjp`: any derivative rule against automatic differentiation and finite differences."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from fnn.checking.check import BUDGET, digits, in_float64
from fnn.checking.evidence import DIFFERENCE, ROUNDINGS, Evidence, relative_to
from fnn.checking.inputs import check_finite
from fnn.checking.probes import laid_flat
from fnn.checking.report import Report
from fnn.checking.rules import Arguments, as_rule
from fnn.checking.subject import Subject, cotangents_of, evidence_of, subject_of, weighted_sum
from fnn.checking.verdict import Leaf, directions, leaf_reports, same_value
from fnn.checking.wrong_arrays import rounded, where, wrong_factor, wrong_order
from fnn.errors import InputError

FACTORS = [(-1, "the opposite sign"), (0, "zeros: no derivative arrives"), (2, "twice the right derivative")]
LINEAR = 1e-8  # the allowed relative departure of a rule from being linear in the cotangent, in float64


def check_vjp(f: Any, *args: Any, forward: Callable | None = None, budget: int = BUDGET) -> Report:
    """Whether a derivative rule is right, coordinate by coordinate: the rule of any function, whoever wrote it.

    Three opinions are compared: the rule under test, automatic differentiation of `forward`, and central differences of
    `f`. Where JAX cannot differentiate `forward` there are two, and the report says why. Everything is computed in
    float64 at the highest matmul precision, whatever the types of `args` and the user's settings are. How many digits
    the function has is measured: one that computes in float32 inside gets the tolerance of float32.

    At a tie the function has a kink exactly at `args`, and autodiff takes one side or a mean (`jnp.maximum(x, 0)` at 0:
    1/2). There a rule is right if it lies between the one-sided slopes, or between automatic derivatives close by; the
    report counts these coordinates.

    Args:
        f: A function of trees of arrays, whose value is an array or a tree of arrays. Its rule is what `jax.vjp` makes
            of it: a `jax.custom_vjp`, a loss of another library, a Pallas kernel in interpret mode. Or a pair
            `(value, backward)` of functions, which may be of NumPy: `backward(*args, cotangent)` returns a tuple with a
            derivative for each of `args`, None for zeros; for a single one the derivative itself will do.
        *args: Where the rule is checked. Numbers of floating point are the coordinates; everything else is constant.
        forward: The same value as JAX can differentiate it. By default it is the plain function behind a `custom_vjp`
            or `custom_jvp`, and the `value` of a pair.
        budget: The largest number of coordinates with a finite difference; random directions cover all of them.

    Returns:
        A report: `ok`, and an entry for each leaf of `args`, named as in Python: `params['W']`. `print` it. The
        derivatives are those of the value; a value of several numbers is multiplied by a random cotangent and summed.

    Raises:
        InputError: nothing to differentiate, nan or infinity in `args` or the value, a function that fails at `args` or
            gives another value each time, a rule that returns no tree like `args`.
        TypeError: `f` is no function and no pair of functions.

    Examples:
        >>> import jax, jax.numpy as jnp
        >>> from fnn.checking import check_vjp
        >>> @jax.custom_vjp
        ... def softplus(x):
        ...     return jnp.log1p(jnp.exp(x))
        >>> softplus.defvjp(lambda x: (softplus(x), x), lambda x, g: (g * jax.nn.sigmoid(x),))
        >>> check_vjp(softplus, jnp.linspace(-3.0, 3.0, 5)).ok
        True
    """
    if budget < 0:
        raise InputError(f"budget = {budget}: expected a number of finite differences, at least 0.")
    with in_float64():
        rule = as_rule(f, forward, args)
        leaves = rule.arguments.leaves
        cotangents = cotangents_of(rule.values(leaves))
        out, by_rule = rule.run(leaves, cotangents)
        value = weighted_sum(out, cotangents)
        check_finite(f"the value of {rule.name}", np.asarray(value))
        subject = subject_of(rule, cotangents)
        evidence = evidence_of(subject, laid_flat(by_rule), budget)
        allowed = ROUNDINGS * subject.noise
        return Report(
            about={"function": rule.name},
            value=value,
            value_expected=subject.expected,
            value_ok=all(same_value(value, v, rounding=allowed) for v in (subject.value, subject.expected)),
            leaves=leaf_reports(_leaves(rule.arguments), evidence),
            **directions(evidence),
            layers=(),
            slips=(*_mistakes(subject, evidence), *_not_linear(subject, evidence.coordinates.rounding)),
            notes=(*_notes(subject, evidence),),
        )


def _leaves(arguments: Arguments) -> Iterator[Leaf]:
    start = 0
    for name, leaf in zip(arguments.names, arguments.leaves, strict=True):
        yield Leaf(name, "", leaf.shape, slice(start, start := start + leaf.size))


def _mistakes(subject: Subject, evidence: Evidence) -> Iterator[str]:
    """For every wrong leaf the known mistakes that give its numbers, or else where they are wrong."""
    by_hand, auto, _ = evidence.coordinates
    right = np.where(np.isfinite(auto), auto, evidence.difference())
    right = np.where(np.isfinite(right), right, by_hand)  # where nothing is known, nothing is wrong
    for leaf in _leaves(subject.rule.arguments):
        found, expected, wrong = (a[leaf.part].reshape(leaf.shape) for a in (by_hand, right, evidence.wrong()))
        if wrong.any() and np.isfinite(found).all():
            known = [*wrong_factor(found, expected, FACTORS), *wrong_order(leaf.name, found, expected)]
            known = known or [*rounded(found, expected)]
            places = (text for text in where(leaf.name, found, expected, wrong, FACTORS) if text.startswith("only"))
            yield from dict.fromkeys([f"{leaf.name}: {text}" for text in known] or places)
    (slopes, i) = evidence.coordinate_slopes, evidence.sampled
    if (relative_to(slopes, auto[i])[np.isfinite(auto[i])] > DIFFERENCE).any():
        yield "autodiff contradicts finite differences: is there another rule, or a stop_gradient, in forward?"


def _not_linear(subject: Subject, rounding: np.ndarray) -> Iterator[str]:
    """A sentence about a rule that is not linear in the cotangent, as every derivative is."""
    rng, rule, cotangents = np.random.default_rng(1), subject.rule, subject.cotangents
    others = [rng.standard_normal(np.shape(c)) for c in cotangents]
    here, there, both = (
        laid_flat(rule.run(rule.arguments.leaves, c)[1])
        for c in (cotangents, others, [c - 3 * d for c, d in zip(cotangents, others, strict=True)])
    )
    size = np.abs(here).max() + 3 * np.abs(there).max()
    allowed = max(LINEAR, 1e3 * subject.resolution.max()) * size + 4 * ROUNDINGS * rounding
    if (np.abs(both - (here - 3 * there)) > allowed).any():
        ignored, other = "ignores the cotangent: its derivatives are the same for any", "is not linear in the cotangent"
        yield f"{rule.name} {ignored if np.array_equal(here, there) else f'{other}, as every derivative is'}"


def _notes(subject: Subject, evidence: Evidence) -> Iterator[str]:
    """What else a reader of the report should know."""
    if subject.missing:
        yield f"no autodiff: {subject.missing}"
    if subject.rule.arguments.narrowed:
        yield f"{subject.rule.name} does not take float64: it gets the types that were given"
    yield from digits(subject.resolution)
    if accepted := int((evidence.at_ties == 0).sum()):
        yield f"at a tie, where any derivative between those of the two sides is right: {accepted:,} of the coordinates"
