"""Whether a program rounds: how large its numbers can be, and of which power of two they are whole multiples.

Floating point with a mantissa of p bits (float64: p = 53) holds every multiple of 2^g that is at most 2^(p + g) in
size, within its range. Sums, products and comparisons of such numbers are multiples of a known power of two again, of a
known largest size. If that size fits at every operation, nothing is rounded, in whatever order XLA adds. A program is a
jaxpr; each operation has a rule below. An operation without a rule is refused: no exponential, root or table is exact.

The rules also find the degree of each number as a polynomial in the numbers that were drawn. A program that compares
(`max`, `where`) is one polynomial for every outcome of its comparisons.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, Any, NamedTuple

import jax.numpy as jnp
import numpy as np

if TYPE_CHECKING:  # importing it defines a setting of JAX
    from jax.extend.core import ClosedJaxpr, Jaxpr


class Rounds(ValueError):
    """A program has an operation that may round."""


class TooLarge(Rounds):
    """A number needs more bits than its type has: smaller inputs may need fewer."""


class Numbers(NamedTuple):
    """What is known of all entries of an array: each is k · 2^grid, with a whole number k of size at most `units`."""

    units: int
    grid: int
    degree: int = 0  # at most; in the numbers that were drawn
    value: float | None = None  # of a constant, one number in all entries
    powers: tuple[int, int] | None = (
        None  # the least and the largest exponent, if all are powers of two or their negatives
    )
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
    if not _is_number(dtype) or not np.size(value):
        return ZERO
    values = np.unique(np.asarray(value).astype(np.float64))
    if not np.isfinite(values).all():
        return NOT_FINITE
    exact = [Fraction(float(v)) for v in values]
    whole = max(f.denominator for f in exact)  # a power of two, as in all floating point
    counts = [abs(int(f * whole)) for f in exact]
    shift = _log2(math.gcd(*counts) & -math.gcd(*counts)) if any(counts) else 0
    grid = shift - _log2(whole)
    exponents = sorted(_log2(k) - _log2(whole) for k in counts if k & (k - 1) == 0 < k)
    powers = (exponents[0], exponents[-1]) if len(exponents) == len(counts) else None
    return Numbers(max(counts) >> shift, grid, 0, float(values[0]) if len(values) == 1 else None, powers)


def _is_number(dtype: Any) -> bool:
    """Not a key, and not JAX's derivative by whole numbers."""
    return jnp.issubdtype(dtype, jnp.number) or jnp.issubdtype(dtype, jnp.bool_)


def results(program: ClosedJaxpr, inputs: Sequence[Numbers]) -> list[Numbers]:
    """The outputs of a program for inputs of which this is known.

    Raises:
        TooLarge: a number may need more bits than its type has.
        Rounds: an operation is no sum, product or comparison.
    """
    outputs = _walk(program.jaxpr, [constant(c) for c in program.consts], inputs)
    for variable, numbers in zip(program.jaxpr.outvars, outputs, strict=True):
        if _is_number(variable.aval.dtype):
            _check("a result", numbers, variable.aval.dtype)
    return outputs


def compares(jaxpr: Jaxpr) -> bool:
    """Whether a program chooses by comparisons, so that it is several polynomials side by side."""
    return any(eqn.primitive.name in _CHOOSING or any(map(compares, _inner(eqn.params))) for eqn in jaxpr.eqns)


def own_rules(jaxpr: Jaxpr) -> Iterator[str]:
    """Where the derivative rules were written that a program brings along and that are not JAX's own."""
    for eqn in jaxpr.eqns:
        for inner in _inner(eqn.params):
            if eqn.primitive.name.startswith("custom_"):
                where = inner.debug_info.func_src_info or "of unknown origin"
                yield from [] if "/jax/_src/" in where.replace("\\", "/") else [where]
            yield from own_rules(inner)


def _inner(params: dict[str, Any]) -> Iterator[Jaxpr]:
    for given in params.values():
        for value in given if isinstance(given, tuple | list) else [given]:
            if hasattr(value, "eqns"):
                yield getattr(value, "jaxpr", value)


def _walk(jaxpr: Jaxpr, consts: Sequence[Numbers], inputs: Sequence[Numbers]) -> list[Numbers]:
    known = dict(zip([*jaxpr.constvars, *jaxpr.invars], [*consts, *inputs], strict=True))

    def read(variable: Any) -> Numbers:
        return constant(variable.val) if hasattr(variable, "val") else known[variable]

    for eqn in _needed(jaxpr):
        if eqn.primitive.name in ("sub", "neg") and jnp.issubdtype(eqn.outvars[0].aval.dtype, jnp.unsignedinteger):
            raise Rounds(f"`{eqn.primitive.name}` of numbers without a sign, which may wrap around")
        rule = _RULES.get(eqn.primitive.name)
        if rule is None:
            raise Rounds(
                f"`{eqn.primitive.name}`, which is not known to be exact as sums, products and comparisons are"
            )
        known.update(zip(eqn.outvars, rule(eqn, [read(v) for v in eqn.invars]), strict=True))
    return [read(v) for v in jaxpr.outvars]


def _needed(jaxpr: Jaxpr) -> list[Any]:
    """The operations on which an output depends."""
    wanted, needed = {v for v in jaxpr.outvars if not hasattr(v, "val")}, []
    for eqn in reversed(jaxpr.eqns):
        if wanted & set(eqn.outvars):
            wanted |= {v for v in eqn.invars if not hasattr(v, "val")}
            needed.append(eqn)
    return needed[::-1]


def _check(operation: str, numbers: Numbers, dtype: Any) -> None:
    """Refuse what does not fit into a type.

    Raises:
        TooLarge: the operation, and how many bits it needs.
        Rounds: nan or infinity.
    """
    if numbers.units >= NOT_FINITE.units:
        raise Rounds(f"{operation} of nan or infinity")
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


# The rules. Each takes an operation and what is known of its operands, and returns what is known of its results.


def _log2(power: int) -> int:
    return power.bit_length() - 1


def _join(several: Sequence[Numbers]) -> Numbers:
    """An array with entries of each of these."""
    grid, (*units,) = _aligned(several)
    same = {n.value for n in several}
    ranges = [n.powers for n in several if n.powers]
    powers = (min(r[0] for r in ranges), max(r[1] for r in ranges)) if len(ranges) == len(several) else None
    return Numbers(max(units), grid, _degree(several), same.pop() if len(same) == 1 else None, powers)


def _sum(several: Sequence[Numbers]) -> Numbers:
    grid, units = _aligned(several)
    return Numbers(sum(units), grid, _degree(several))


def _aligned(several: Sequence[Numbers]) -> tuple[int, list[int]]:
    """A grid for all, and the sizes in it. 0 is a multiple of everything."""
    grid = min((n.grid for n in several if n.units), default=0)
    return grid, [n.units << (n.grid - grid) if n.units else 0 for n in several]


def _degree(several: Sequence[Numbers]) -> int:
    return max(n.degree for n in several)


def _product(a: Numbers, b: Numbers, terms: int = 1) -> Numbers:
    """The sum of `terms` products."""
    if max(a.units, b.units) >= NOT_FINITE.units:  # times 0 it is nan
        return NOT_FINITE
    units = terms * a.units * b.units
    return Numbers(units, a.grid + b.grid, a.degree + b.degree) if units else ZERO


def _up_to(terms: int, a: Numbers) -> Numbers:
    """The sum of at most so many such numbers."""
    return Numbers(a.units * terms, a.grid, a.degree)


Rule = Callable[[Any, list[Numbers]], list[Numbers]]


def _moved(eqn: Any, operands: list[Numbers]) -> list[Numbers]:
    """Entries of the first operand, elsewhere."""
    return [operands[0]] * len(eqn.outvars)


def _entries(eqn: Any, operands: list[Numbers]) -> list[Numbers]:
    """Some of the entries of the first operand, or their negatives."""
    return [operands[0]._replace(value=None, ties=False)] * len(eqn.outvars)


def _each(eqn: Any, operands: list[Numbers]) -> list[Numbers]:
    """Result i has the entries of operand i."""
    return operands


def _joined(eqn: Any, operands: list[Numbers]) -> list[Numbers]:
    """Entries of all operands of the type of the result; the others say where."""
    (out,) = eqn.outvars
    return [_join([n for n, v in zip(operands, eqn.invars, strict=True) if v.aval.dtype == out.aval.dtype])]


def _select(eqn: Any, operands: list[Numbers]) -> list[Numbers]:
    which, *cases = operands
    return [cases[int(which.value)] if which.value is not None else _join(cases)]


def _truth(eqn: Any, operands: list[Numbers]) -> list[Numbers]:
    return [TRUTH]


def _equal(eqn: Any, operands: list[Numbers]) -> list[Numbers]:
    return [TRUTH._replace(ties=True)]


def _unequal(eqn: Any, operands: list[Numbers]) -> list[Numbers]:
    """How programs ask for nan: x != x. A number that was not rounded is none."""
    a, b = eqn.invars
    return [ZERO if a is b and operands[0].units < NOT_FINITE.units else TRUTH]


def _finite(eqn: Any, operands: list[Numbers]) -> list[Numbers]:
    return [constant(True) if operands[0].units < NOT_FINITE.units else TRUTH]


def _logic(eqn: Any, operands: list[Numbers]) -> list[Numbers]:
    """Logic. On whole numbers it is no comparison."""
    if not jnp.issubdtype(eqn.outvars[0].aval.dtype, jnp.bool_):
        raise Rounds(f"`{eqn.primitive.name}` of whole numbers, which is no sum, product or comparison")
    values = [n.value for n in operands if n.value is not None]
    if len(values) < len(operands):
        return [TRUTH]
    if eqn.primitive.name == "not":
        return [constant(not values[0])]
    return [constant({"and": all, "or": any, "xor": lambda pair: pair[0] != pair[1]}[eqn.primitive.name](values))]


def _index(eqn: Any, operands: list[Numbers]) -> list[Numbers]:
    """A place in an array."""
    shapes = [v.aval.shape for v in (*eqn.invars, *eqn.outvars)]
    return [Numbers(max([1, *(side for shape in shapes for side in shape)]), 0)]


def _converted(eqn: Any, operands: list[Numbers]) -> list[Numbers]:
    (a,), dtype = operands, eqn.outvars[0].aval.dtype
    if a == NOT_FINITE:
        return [a]
    if jnp.issubdtype(dtype, jnp.bool_):
        return [TRUTH]
    if not jnp.issubdtype(dtype, jnp.floating) and a.grid < 0:
        raise Rounds(f"a conversion to {dtype}, which cuts off fractions")
    _check(f"a conversion to {dtype}", a, dtype)
    return [a]


def _quotient(eqn: Any, operands: list[Numbers]) -> list[Numbers]:
    """Division by powers of two, and by how many are tied, as JAX does for a maximum: without a tie that is 1.

    A third of a delta is rounded, but a rule that gives the whole delta to one of three is different there anyway.
    """
    a, b = operands
    if not jnp.issubdtype(eqn.outvars[0].aval.dtype, jnp.floating):
        return _remainder(eqn, operands)
    if b.powers is None:
        by = "numbers that vary" if b.value is None else f"{b.value:g}"
        raise Rounds(f"`div` by {by}: only the division by a power of two is exact")
    low, high = b.powers
    return [Numbers(a.units << (high - low), a.grid - high, a.degree)] if a.units else [ZERO]


def _remainder(eqn: Any, operands: list[Numbers]) -> list[Numbers]:
    """Division and remainder of places in an array."""
    if operands[0].degree or jnp.issubdtype(eqn.outvars[0].aval.dtype, jnp.floating):
        raise Rounds(f"`{eqn.primitive.name}` of drawn numbers, which is no sum, product or comparison")
    return _entries(eqn, operands)


def _power(eqn: Any, operands: list[Numbers]) -> list[Numbers]:
    (a,), y = operands, eqn.params.get("y", 2)
    if y < 0:
        raise Rounds(f"`integer_pow` with exponent {y}: only powers of at least 0 are exact")
    return [Numbers(a.units**y, a.grid * y, a.degree * y) if y else constant(1)]


def _multiplied(terms: Callable[[Any], int]) -> Rule:
    def rule(eqn: Any, operands: list[Numbers]) -> list[Numbers]:
        (a,), count = operands, terms(eqn)
        return [Numbers(max(1, a.units) ** count, min(0, a.grid) * count, a.degree * count)]

    return rule


def _summed(terms: Callable[[Any], int]) -> Rule:
    return lambda eqn, operands: [_up_to(terms(eqn), operands[0])]


def _total(eqn: Any, operands: list[Numbers]) -> list[Numbers]:
    """A sum whose terms are counted. How many entries are tied is a number of at least 1."""
    (a,), terms = operands, eqn.invars[0].aval.size // max(1, eqn.outvars[0].aval.size)
    if a.value is not None:
        return [constant(a.value * terms)]
    return [_up_to(terms, a)._replace(powers=(0, _log2(terms)) if a.ties and terms else None)]


def _reduced(eqn: Any) -> int:
    return eqn.invars[0].aval.size // max(1, eqn.outvars[0].aval.size)


def _along(eqn: Any) -> int:
    return eqn.invars[0].aval.shape[eqn.params["axis"]]


def _window(eqn: Any) -> int:
    return math.prod(eqn.params["window_dimensions"])


def _dot_terms(eqn: Any) -> int:
    (contracted, _), _ = eqn.params["dimension_numbers"]
    return math.prod(eqn.invars[0].aval.shape[axis] for axis in contracted)


def _conv_terms(eqn: Any) -> int:
    kernel = eqn.invars[1].aval
    return kernel.size // kernel.shape[eqn.params["dimension_numbers"].rhs_spec[0]]


def _products(terms: Callable[[Any], int]) -> Rule:
    return lambda eqn, operands: [_product(operands[0], operands[1], terms(eqn))]


def _scattered(eqn: Any, operands: list[Numbers]) -> list[Numbers]:
    """All updates may fall on one place; each has a row of indices."""
    target, places, updates = operands
    return [_sum([target, _up_to(eqn.invars[1].aval.size // max(1, eqn.invars[1].aval.shape[-1]), updates)])]


def _called(eqn: Any, operands: list[Numbers]) -> list[Numbers]:
    (inner, *_) = [given for given in eqn.params.values() if hasattr(given, "eqns")]
    return _walk(getattr(inner, "jaxpr", inner), [constant(c) for c in getattr(inner, "consts", ())], operands)


def _branches(eqn: Any, operands: list[Numbers]) -> list[Numbers]:
    ends = [_walk(b.jaxpr, [constant(c) for c in b.consts], operands[1:]) for b in eqn.params["branches"]]
    return [_join(several) for several in zip(*ends, strict=True)]


def _scanned(eqn: Any, operands: list[Numbers]) -> list[Numbers]:
    """The body as often as it runs, or until it changes nothing."""
    body, consts, carried = eqn.params["jaxpr"], eqn.params["num_consts"], eqn.params["num_carry"]
    carry, rows = operands[consts : consts + carried], operands[consts + carried :]
    constants, stacked = [constant(c) for c in body.consts], []
    for _ in range(eqn.params["length"]):
        after = _walk(body.jaxpr, constants, [*operands[:consts], *carry, *rows])
        stacked = [_join(pair) for pair in zip(stacked or after[carried:], after[carried:], strict=True)]
        if after[:carried] == carry:
            break
        carry = after[:carried]
    return [*carry, *(n._replace(value=None) for n in stacked)]


def _arithmetic(rule: Rule) -> Rule:
    """The rule, with its results held against the bits of their type."""

    def checked(eqn: Any, operands: list[Numbers]) -> list[Numbers]:
        found = rule(eqn, operands)
        for numbers, variable in zip(found, eqn.outvars, strict=True):
            _check(f"`{eqn.primitive.name}`", numbers, variable.aval.dtype)
        return found

    return checked


def _named(names: str, rule: Rule) -> dict[str, Rule]:
    return dict.fromkeys(names.split(), rule)


_ARITHMETIC: dict[str, Rule] = {
    **_named("add sub add_any", lambda eqn, operands: [_sum(operands)]),
    **_named("mul", _products(lambda eqn: 1)),
    **_named("dot_general", _products(_dot_terms)),
    **_named("conv_general_dilated", _products(_conv_terms)),
    **_named("integer_pow square", _power),
    **_named("div", _quotient),
    **_named("reduce_sum", _total),
    **_named("cumsum", _summed(_along)),
    **_named("reduce_window_sum select_and_scatter_add", _summed(_window)),
    **_named("reduce_prod", _multiplied(_reduced)),
    **_named("cumprod", _multiplied(_along)),
    **_named("scatter-add scatter_add", _scattered),
}
_COMPARISONS: dict[str, Rule] = {
    **_named("lt le gt ge reduce_and reduce_or sign", _truth),
    **_named("eq", _equal),
    **_named("ne", _unequal),
    **_named("and or xor not", _logic),
    **_named("argmax argmin", _index),
    **_named("is_finite", _finite),
    **_named("max min clamp scatter-max scatter-min scatter_max scatter_min", _joined),
    **_named("abs reduce_max reduce_min cummax cummin reduce_window_max reduce_window_min", _entries),
    **_named("sort", _each),
    **_named("cond", _branches),
}
_MOVES: dict[str, Rule] = {
    **_named("reshape transpose broadcast_in_dim squeeze expand_dims slice rev copy copy_p split unstack", _moved),
    **_named("dynamic_slice gather", _moved),
    **_named("optimization_barrier", _each),
    **_named("neg", _entries),
    **_named("select_n", _select),
    **_named("concatenate stack pad dynamic_update_slice scatter", _joined),
    **_named("iota", _index),
    **_named("rem", _remainder),
    **_named("convert_element_type", _converted),
    **_named("jit pjit closed_call core_call remat remat2 checkpoint custom_jvp_call custom_vjp_call", _called),
    **_named("custom_vjp_call_jaxpr", _called),
    **_named("scan", _scanned),
}
_CHOOSING = frozenset([*_COMPARISONS, "select_and_scatter_add"])
_RULES = {**{name: _arithmetic(rule) for name, rule in _ARITHMETIC.items()}, **_COMPARISONS, **_MOVES}
