"""What is known of the numbers in an array before they are computed: size, grid, and degree.

Floating point with a mantissa of p bits (float64: p = 53) holds every multiple of 2^g that is at most 2^(p + g) in
size, within its range. Sums and products of such numbers are multiples of a known power of two again, of a known
largest size. If that size fits, nothing is rounded, in whatever order they are added.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np


class Rounds(ValueError):
    """A program has an operation that may round."""


class TooLarge(Rounds):
    """A number needs more bits than its type has: smaller inputs may need fewer."""


class Numbers(NamedTuple):
    """What is known of all entries of an array: each is k · 2^grid, with a whole number k of size at most `units`."""

    units: int
    grid: int
    degree: int = 0  # at most; as a polynomial in the numbers that were drawn
    value: float | None = None  # of a constant, one number in all entries
    powers: tuple[int, int] | None = None  # if all entries are ± powers of two: the least and the largest exponent
    ties: bool = False  # whether an entry says that two numbers are equal


ZERO = Numbers(0, 0, 0, 0.0)
TRUTH = Numbers(1, 0)
NOT_FINITE = Numbers(2**5000, 0)  # any arithmetic with it is refused


def drawn(units: int, grid: int = 0) -> Numbers:
    """Numbers drawn from `-units` to `units` times 2^grid: polynomials of degree 1."""
    return Numbers(units, grid, 1)


def constant(value: Any) -> Numbers:
    """What is known of an array, or of a number, that is no variable."""
    dtype = getattr(value, "dtype", np.dtype(type(value)))
    if not is_number(dtype) or not np.size(value):
        return ZERO
    values = np.unique(np.asarray(value).astype(np.float64))
    if not np.isfinite(values).all():
        return NOT_FINITE
    exact = [Fraction(float(v)) for v in values]
    whole = max(f.denominator for f in exact)  # a power of two, as in all floating point
    counts = [abs(int(f * whole)) for f in exact]
    shift = log2(math.gcd(*counts) & -math.gcd(*counts)) if any(counts) else 0
    grid = shift - log2(whole)
    exponents = sorted(log2(k) - log2(whole) for k in counts if k & (k - 1) == 0 < k)
    powers = (exponents[0], exponents[-1]) if len(exponents) == len(counts) else None
    return Numbers(max(counts) >> shift, grid, 0, float(values[0]) if len(values) == 1 else None, powers)


def is_number(dtype: Any) -> bool:
    """Not a key, and not JAX's derivative by whole numbers."""
    return jnp.issubdtype(dtype, jnp.number) or jnp.issubdtype(dtype, jnp.bool_)


def check(operation: str, numbers: Numbers, dtype: Any) -> None:
    """Refuse what does not fit into a type.

    Raises:
        TooLarge: the operation, and how many bits it needs.
        Rounds: nan or infinity.
    """
    if numbers.units >= NOT_FINITE.units:
        raise Rounds(f"{operation} of nan or infinity")
    if jnp.issubdtype(dtype, jnp.complexfloating):
        raise Rounds(f"{operation} of complex numbers")
    size = Fraction(2) ** numbers.grid * numbers.units
    if jnp.issubdtype(dtype, jnp.floating):
        info = jnp.finfo(dtype)
        bits, least, most = info.nmant + 1, Fraction(2) ** info.minexp, Fraction(float(info.max))
        fits = not numbers.units or (Fraction(2) ** numbers.grid >= least and size <= most)
    else:
        bits, fits = 1 if jnp.issubdtype(dtype, jnp.bool_) else jnp.iinfo(dtype).max.bit_length(), True
        numbers = numbers._replace(units=int(size))
    if not fits or numbers.units > 2**bits:
        raise TooLarge(f"{operation} of up to {numbers.units.bit_length()} bits, where {np.dtype(dtype)} has {bits}")


def log2(power: int) -> int:
    """The exponent of a power of two; of other numbers, of the next smaller one."""
    return power.bit_length() - 1


def join(several: Sequence[Numbers]) -> Numbers:
    """An array with entries of each of these."""
    grid, units = _aligned(several)
    same = {n.value for n in several}
    ranges = [n.powers for n in several if n.powers]
    powers = (min(r[0] for r in ranges), max(r[1] for r in ranges)) if len(ranges) == len(several) else None
    return Numbers(max(units), grid, _degree(several), same.pop() if len(same) == 1 else None, powers)


def added(several: Sequence[Numbers]) -> Numbers:
    """The sum of one of each of these."""
    grid, units = _aligned(several)
    return Numbers(sum(units), grid, _degree(several))


def _aligned(several: Sequence[Numbers]) -> tuple[int, list[int]]:
    """A grid for all, and the sizes in it. 0 is a multiple of everything."""
    grid = min((n.grid for n in several if n.units), default=0)
    return grid, [n.units << (n.grid - grid) if n.units else 0 for n in several]


def _degree(several: Sequence[Numbers]) -> int:
    return max(n.degree for n in several)


def product(a: Numbers, b: Numbers, terms: int = 1) -> Numbers:
    """The sum of `terms` products."""
    if max(a.units, b.units) >= NOT_FINITE.units:  # times 0 it is nan
        return NOT_FINITE
    units = terms * a.units * b.units
    return Numbers(units, a.grid + b.grid, a.degree + b.degree) if units else ZERO


def up_to(terms: int, a: Numbers) -> Numbers:
    """The sum of at most so many such numbers."""
    return Numbers(a.units * terms, a.grid, a.degree)
