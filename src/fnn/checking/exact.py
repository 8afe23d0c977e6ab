"""`check_exactly`: gradients of sums, products and comparisons against automatic differentiation, without a tolerance.

On small whole numbers float64 rounds nothing in such a program: `fnn.checking.exact_programs` proves it before
anything is computed. Two programs that are the same function then give the same numbers, in whatever order they add,
and a difference of one unit in the last place is a mistake. Where the right rule and a wrong one are different
polynomials of degree at most d, they are equal at a point drawn from m values with a probability of at most d/m: J. T.
Schwartz, "Fast probabilistic algorithms for verification of polynomial identities", Journal of the ACM 27 (1980),
701-717, and R. Zippel, "Probabilistic algorithms for sparse polynomials", EUROSAM (1979), 216-226.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

import jax
import numpy as np

from fnn.activation_functions import Identity
from fnn.checking.exact_numbers import Numbers, Rounds, TooLarge, constant, drawn
from fnn.checking.exact_programs import compares, own_rules, results
from fnn.checking.exact_report import Difference, ExactReport, Part
from fnn.checking.exact_rules import Rule, is_drawn, of_cost, of_layers, of_net
from fnn.costs import Quadratic
from fnn.errors import InputError
from fnn.network import backprop
from fnn.types import Cost, Gradient, Layer, Net, Shape, leaf_name, positive

if TYPE_CHECKING:  # importing it defines a setting of JAX
    from jax.extend.core import ClosedJaxpr

POLYNOMIAL = Quadratic(Identity())
DRAWS = 32
LARGEST = 1024  # drawn numbers are at most so large
FEW = 2  # in every second draw at most so large: then ties are frequent
NEAR = (22, 16, 10)  # neighbours of a tie are multiples of one of these powers of 1/2 away, the first that is exact
NEIGHBOURS = 4


def check_exactly(
    net: Net | Layer,
    shape: Shape,
    *,
    cost: Cost = POLYNOMIAL,
    gradient: Gradient = backprop,
    lmbda: float = 0.0,
    rows: int = 4,
    draws: int = DRAWS,
    seed: int = 0,
) -> ExactReport:
    """Whether derivatives of sums, products and comparisons are right, entry by entry, with `==`.

    Params, inputs, deltas and desired outputs are drawn as small whole numbers, in float64 at the highest matmul
    precision. What is drawn is so small that no operation of either program rounds; every second draw is from -2 to 2,
    where ties are frequent. Compared are:

    - for each layer, at inputs and a delta of its own: `nabla` and `delta_prev` of `backward` with `jax.vjp` of
      `forward`;
    - for a net besides: `cost.delta` with `jax.grad` of `cost.value`, and `gradient` plus the optimiser's penalty with
      `jax.grad` of the mean cost plus `½ λ Σ W²`.

    A part that is a polynomial of degree d is wrong and passes with a probability of at most d/m for each draw from m
    values (Schwartz 1980, Zippel 1979); the draws are independent. d is read from the programs. A part that compares,
    such as a maximum, is one polynomial for each outcome of its comparisons: the bound holds for the outcomes that were
    drawn, each by itself. nan is equal to nothing.

    `Dense`, `Maxout`, `Conv`, `MaxPool`, `ConvPool`, `Flatten`, `ReLU`, `LeakyReLU` with a slope that is a power of
    two, `Identity`, `Step` and `Quadratic(Identity())` are such rules. Their sums over n rows have no 1/n, but the cost
    has: with a cost, `rows` is a power of two.

    Args:
        net: A net, or one layer. JAX must be able to trace its methods.
        shape: One example without the batch axis.
        cost: Of a net; a layer alone has none.
        gradient: The rule for the whole gradient of a net, with the contract of `backprop`.
        lmbda: The strength of the penalty, a number with few binary digits, such as 0.25.
        rows: The number of examples.
        draws: The number of draws.
        seed: Another one draws other numbers.

    Returns:
        A report: `ok`, `parts`, `difference` (the first entry that differs), `chance`. `print` it.

    Raises:
        InputError: a `forward` or a cost has another operation than sums, products and comparisons, or one that rounds
            (`fnn.gradcheck` takes it), or brings its own derivative rule; the numbers of the net outgrow float64; a
            rule returns another tree or other shapes than its params and inputs have.
        TypeError, ValueError: what is no net and no shape, as `init`; `rows` or `draws` below 1.

    Examples:
        >>> from fnn import Dense, ReLU
        >>> from fnn.checking import check_exactly
        >>> report = check_exactly((Dense(4), ReLU(), Dense(2)), (3,))
        >>> report.ok, report.chance < 1e-6
        (True, True)
    """
    positive("check_exactly", "rows", rows)
    positive("check_exactly", "draws", draws)
    layers = (net,) if isinstance(net, Layer) else net
    with jax.enable_x64(True), jax.default_matmul_precision("highest"):
        rules = [*of_layers(layers, shape, rows)]
        if layers is net:
            rules += [of_cost(cost, rules), of_net(layers, cost, gradient, float(lmbda), rules)]
        rng = np.random.default_rng(seed)
        return ExactReport(tuple(_part(rule, draws, rng) for rule in rules))


class Programs(NamedTuple):
    """Both functions of a rule, read as programs."""

    by_hand: ClosedJaxpr
    automatic: ClosedJaxpr
    largest: int  # with numbers up to this size neither rounds
    rounded: str  # which operation of the one by hand may round even so; "" if none


def _part(rule: Rule, draws: int, rng: np.random.Generator) -> Part:
    """Both functions, at as many points as there are draws or until they differ."""
    programs = _programs(rule)
    both = jax.jit(lambda at: (rule.by_hand(at), rule.automatic(at)))
    sizes = [programs.largest if i % 2 == 0 else min(FEW, programs.largest) for i in range(draws)]
    degree, difference, entries = _degree(rule, programs), None, 0
    for size in sizes:
        at = _draw(rule.at, size, rng)
        unequal = _unequal(*both(at))
        entries = sum(leaf.size for _, leaf, _, _ in unequal)
        if any(leaf.any() for _, leaf, _, _ in unequal):
            difference = _first(unequal, _is_tie(rule, programs, both, at, size, rng))
            break
    return Part(
        rule.name,
        entries,
        draws,
        2 * programs.largest + 1,
        degree,
        any(compares(program.jaxpr) for program in programs[:2]),
        1.0 if programs.rounded else math.prod(min(1.0, degree / (2 * size + 1)) for size in sizes),
        programs.rounded,
        difference,
    )


def _programs(rule: Rule) -> Programs:
    """The programs of a rule, and the size of numbers for which they are exact.

    Raises:
        InputError: what is differentiated is not exact for any, or brings its own derivative; or the two functions
            return other trees or shapes.
    """
    automatic, expected = _traced(rule, rule.automatic, rule.words[1])
    value, _ = _traced(rule, rule.value, rule.words[1])
    for where in own_rules(value.jaxpr):
        raise InputError(
            f"{rule.name}: its {rule.words[1]} brings its own derivative rule, {where}, which autodiff would take; "
            "expected plain operations. fnn.check_vjp checks such a rule."
        )
    try:
        _largest(rule, [automatic])
    except Rounds as error:
        raise InputError(f"{rule.name}: {_refusal(rule, error)}") from None
    by_hand, found = _traced(rule, rule.by_hand, rule.words[0])
    _check_shapes(rule, found, expected)
    try:
        return Programs(by_hand, automatic, _largest(rule, [automatic, by_hand]), "")
    except Rounds as error:
        return Programs(by_hand, automatic, _largest(rule, [automatic]), str(error))


def _refusal(rule: Rule, error: Rounds) -> str:
    if isinstance(error, TooLarge):
        return (
            f"the derivative of its {rule.words[1]} has {error}, even for the numbers -1, 0 and 1; expected constants "
            "that are powers of two, and small layers: check them one by one, or use fnn.gradcheck."
        )
    return f"the derivative of its {rule.words[1]} has {error}; use fnn.gradcheck, which takes any net."


def _traced(rule: Rule, f: Callable[[Any], Any], what: str) -> tuple[ClosedJaxpr, Any]:
    """The program of a function, and the shapes that it returns."""
    try:
        return jax.make_jaxpr(f, return_shape=True)(rule.at)
    except (jax.errors.ConcretizationTypeError, jax.errors.TracerArrayConversionError) as error:
        raise InputError(
            f"{rule.name}: JAX cannot trace its {what} ({type(error).__name__}), and this check reads the program; "
            "use fnn.gradcheck, which takes NumPy."
        ) from None


def _check_shapes(rule: Rule, found: Any, expected: Any) -> None:
    got, wanted = (jax.tree.map(lambda leaf: leaf.shape, tree) for tree in (found, expected))
    if jax.tree.structure(found) != jax.tree.structure(expected) or got != wanted:
        raise InputError(f"{rule.name}: its {rule.words[0]} returns the shapes {got}; expected {wanted}.")


def _inputs(rule: Rule, numbers: Numbers) -> list[Numbers]:
    return [numbers if is_drawn(leaf) else constant(leaf) for leaf in jax.tree.leaves(rule.at)]


def _largest(rule: Rule, programs: list[ClosedJaxpr], largest: int = LARGEST) -> int:
    """The largest size of drawn numbers with which no program rounds.

    Raises:
        Rounds: one rounds with the smallest.
    """
    try:
        for program in programs:
            results(program, _inputs(rule, drawn(largest)))
    except TooLarge:
        if largest == 1:
            raise
        return _largest(rule, programs, largest // 2)
    return largest


def _degree(rule: Rule, programs: Programs) -> int:
    exact = programs[1:2] if programs.rounded else programs[:2]
    found = [results(program, _inputs(rule, drawn(programs.largest))) for program in exact]
    return max((numbers.degree for outputs in found for numbers in outputs), default=0)


def _draw(tree: Any, size: int, rng: np.random.Generator) -> Any:
    """The tree with whole numbers from `-size` to `size` in its floating leaves."""
    return jax.tree.map(
        lambda leaf: rng.integers(-size, size + 1, leaf.shape).astype(float) if is_drawn(leaf) else leaf, tree
    )


Unequal = list[tuple[str, np.ndarray, np.ndarray, np.ndarray]]  # leaf, where it differs, by hand, automatic


def _unequal(by_hand: Any, automatic: Any) -> Unequal:
    """The floating leaves of two trees, and where they differ; nan differs from everything."""
    pairs = zip(jax.tree.leaves_with_path(by_hand), jax.tree.leaves(automatic), strict=True)
    arrays = [(leaf_name(path), np.asarray(h), np.asarray(a)) for (path, h), a in pairs if is_drawn(a)]
    return [(name, h != a, h, a) for name, h, a in arrays]


def _first(unequal: Unequal, tie: bool) -> Difference:
    total = sum(int(where.sum()) for _, where, _, _ in unequal)
    name, where, by_hand, automatic = next(leaf for leaf in unequal if leaf[1].any())
    index = tuple(int(i) for i in np.argwhere(where)[0])
    return Difference(name, index, float(by_hand[index]), float(automatic[index]), total - 1, tie)


def _is_tie(rule: Rule, programs: Programs, both: Callable, at: Any, size: int, rng: np.random.Generator) -> bool:
    """Whether two functions that differ at a point agree close to it, where nothing is equal any more."""
    for power in NEAR:
        near = drawn((size << power) + 2 ** (power - 2), -power)
        try:
            for program in programs[:2]:
                results(program, _inputs(rule, near))
        except Rounds:
            continue
        points = (_near(rule, at, power, rng) for _ in range(NEIGHBOURS))
        return any(not any(where.any() for _, where, _, _ in _unequal(*both(point))) for point in points)
    return False


def _near(rule: Rule, at: Any, power: int, rng: np.random.Generator) -> Any:
    """A point whose floating entries are moved by odd multiples of 2^-power, by less than 1/4."""
    moves = _draw(rule.at, 2 ** (power - 3) - 1, rng)
    return jax.tree.map(lambda p, r: p + (2 * r + 1) * 2.0**-power if is_drawn(p) else p, at, moves)
