"""Whether a program rounds: its jaxpr, operation by operation, with what is known of the numbers in it.

Each operation has a rule below. One without a rule is refused: no exponential, root or table is exact. The rules also
find the degree of each number as a polynomial in the numbers that were drawn. A program that compares (`max`, `where`)
is one polynomial for every outcome of its comparisons.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import jax.numpy as jnp

from fnn.checking.exact_numbers import (
    NOT_FINITE,
    TRUTH,
    ZERO,
    Numbers,
    Rounds,
    added,
    check,
    constant,
    is_number,
    join,
    log2,
    product,
    up_to,
)

if TYPE_CHECKING:  # importing it defines a setting of JAX
    from jax.extend.core import ClosedJaxpr, Jaxpr


def results(program: ClosedJaxpr, inputs: Sequence[Numbers]) -> list[Numbers]:
    """The outputs of a program for inputs of which this is known.

    Raises:
        TooLarge: a number may need more bits than its type has.
        Rounds: an operation is no sum, product or comparison.
    """
    outputs = _walk(program.jaxpr, [constant(c) for c in program.consts], inputs)
    for variable, numbers in zip(program.jaxpr.outvars, outputs, strict=True):
        if is_number(variable.aval.dtype):
            check("a result", numbers, variable.aval.dtype)
    return outputs


def compares(jaxpr: Jaxpr) -> bool:
    """Whether a program chooses by comparisons, so that it is several polynomials side by side."""
    return any(eqn.primitive.name in _CHOOSING or any(map(compares, _inner(eqn.params))) for eqn in jaxpr.eqns)


def own_rules(jaxpr: Jaxpr) -> Iterator[str]:
    """Where the derivative rules were written that a program brings along and that are not JAX's own."""
    for eqn in jaxpr.eqns:
        for inner in _inner(eqn.params):
            if eqn.primitive.name.startswith(("custom_jvp", "custom_vjp")):
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


# The rules. Each takes an operation and what is known of its operands, and returns what is known of its results.


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
    return [join([n for n, v in zip(operands, eqn.invars, strict=True) if v.aval.dtype == out.aval.dtype])]


def _select(eqn: Any, operands: list[Numbers]) -> list[Numbers]:
    which, *cases = operands
    return [cases[int(which.value)] if which.value is not None else join(cases)]


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
    if eqn.primitive.name in ("not", "xor"):
        return [constant(sum(map(bool, values), eqn.primitive.name == "not") % 2 == 1)]
    return [constant(all(values) if eqn.primitive.name.endswith("and") else any(values))]


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
    check(f"a conversion to {dtype}", a, dtype)
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
        (a,), count, grid = operands, terms(eqn), min(0, operands[0].grid)
        size = max(a.units << (a.grid - grid), 1 << -grid)  # or 1, if some of the factors are left out
        return [Numbers(size**count, grid * count, a.degree * count)]

    return rule


def _summed(terms: Callable[[Any], int]) -> Rule:
    return lambda eqn, operands: [up_to(terms(eqn), operands[0])]


def _total(eqn: Any, operands: list[Numbers]) -> list[Numbers]:
    """A sum whose terms are counted. How many entries are tied is a number of at least 1."""
    (a,), terms = operands, _reduced(eqn)
    if a.value is not None and Fraction(a.value * terms) == Fraction(a.value) * terms:
        return [constant(a.value * terms)]
    return [up_to(terms, a)._replace(powers=(0, log2(terms)) if a.ties and terms else None)]


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
    return lambda eqn, operands: [product(operands[0], operands[1], terms(eqn))]


def _scattered(eqn: Any, operands: list[Numbers]) -> list[Numbers]:
    """All updates may fall on one place; each has a row of indices."""
    (target, _, updates), places = operands, eqn.invars[1].aval
    return [added([target, up_to(places.size // max(1, places.shape[-1]), updates)])]


def _called(eqn: Any, operands: list[Numbers]) -> list[Numbers]:
    (inner, *_) = [given for given in eqn.params.values() if hasattr(given, "eqns")]
    return _walk(getattr(inner, "jaxpr", inner), [constant(c) for c in getattr(inner, "consts", ())], operands)


def _branches(eqn: Any, operands: list[Numbers]) -> list[Numbers]:
    ends = [_walk(b.jaxpr, [constant(c) for c in b.consts], operands[1:]) for b in eqn.params["branches"]]
    return [join(several) for several in zip(*ends, strict=True)]


def _scanned(eqn: Any, operands: list[Numbers]) -> list[Numbers]:
    """The body as often as it runs, or until it changes nothing."""
    body = eqn.params["jaxpr"]
    # constants, then what is carried, then rows; what the body takes or gives row by row has an axis more outside it
    taken, given = (
        sum(o.aval.ndim != i.aval.ndim for o, i in zip(outer, inner, strict=True))
        for outer, inner in ((eqn.invars, body.jaxpr.invars), (eqn.outvars, body.jaxpr.outvars))
    )
    carried = len(eqn.outvars) - given
    first = len(operands) - taken - carried
    fixed, carry, rows = operands[:first], operands[first : first + carried], operands[first + carried :]
    constants, stacked = [constant(c) for c in body.consts], []
    for _ in range(eqn.params["length"]):
        after = _walk(body.jaxpr, constants, [*fixed, *carry, *rows])
        stacked = [join(pair) for pair in zip(stacked or after[carried:], after[carried:], strict=True)]
        if after[:carried] == carry:
            break
        carry = after[:carried]
    return [*carry, *(n._replace(value=None) for n in stacked)]


def _arithmetic(rule: Rule) -> Rule:
    """The rule, with its results held against the bits of their type."""

    def checked(eqn: Any, operands: list[Numbers]) -> list[Numbers]:
        found = rule(eqn, operands)
        for numbers, variable in zip(found, eqn.outvars, strict=True):
            check(f"`{eqn.primitive.name}`", numbers, variable.aval.dtype)
        return found

    return checked


def _named(names: str, rule: Rule) -> dict[str, Rule]:
    return dict.fromkeys(names.split(), rule)


_ARITHMETIC: dict[str, Rule] = {
    **_named("add sub add_any", lambda eqn, operands: [added(operands)]),
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
    **_named("lt le gt ge sign", _truth),
    **_named("eq", _equal),
    **_named("ne", _unequal),
    **_named("and or xor not reduce_and reduce_or", _logic),
    **_named("argmax argmin", _index),
    **_named("is_finite", _finite),
    **_named("max min clamp scatter-max scatter-min scatter_max scatter_min", _joined),
    **_named("abs reduce_max reduce_min cummax cummin reduce_window_max reduce_window_min", _entries),
    **_named("sort", _each),
    **_named("cond", _branches),
}
_MOVES: dict[str, Rule] = {
    **_named("reshape transpose broadcast_in_dim squeeze expand_dims slice rev copy copy_p split unstack", _moved),
    **_named("dynamic_slice", _moved),
    **_named("optimization_barrier", _each),
    **_named("neg gather", _entries),
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
