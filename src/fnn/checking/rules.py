"""A derivative rule of anybody's: its value, its backward, and the same value as JAX can differentiate it.

Between here and the check, the numbers that a function is given are a list of float64 arrays, its *leaves*, in the
order of `jax.tree.leaves`. So are those that it returns.
"""

from __future__ import annotations

import dataclasses
import functools
import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from fnn.checking import inputs
from fnn.errors import InputError

Leaves = list[Any]
CUSTOM = (jax.custom_vjp, jax.custom_jvp)
JITTED = type(jax.jit(len))
POSITIONAL = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


@dataclass(frozen=True)
class Arguments:
    """What a function is given. Its numbers of floating point are the coordinates; everything else is constant."""

    leaves: Leaves  # the coordinates
    names: tuple[str, ...]  # of the leaves, as in Python: `params['W']`
    given: tuple  # all leaves of the trees, those of floating point as they were given
    places: tuple[int, ...]  # of `leaves` in `given`
    structure: Any  # of the trees
    narrowed: bool = False  # whether the function gets the types that were given, in place of float64

    def trees(self, leaves: Sequence[Any]) -> tuple:
        """The arguments with other coordinates."""
        everything = list(self.given)
        for place, leaf in zip(self.places, leaves, strict=True):
            everything[place] = leaf.astype(jnp.result_type(everything[place])) if self.narrowed else leaf
        return jax.tree.unflatten(self.structure, everything)

    def derivatives(self, who: str, found: Any) -> Leaves:
        """The leaves of what a backward returns: a tuple with a tree for each argument; None stands for zeros.

        Raises:
            InputError: it has another structure, or a leaf another shape.
        """
        trees = self.structure.unflatten(range(len(self.given)))
        found = (found,) if len(trees) == 1 and not (isinstance(found, tuple) and len(found) == 1) else found
        if not isinstance(found, tuple | list) or len(found) != len(trees):
            got = f"{len(found)} derivatives" if isinstance(found, tuple | list) else f"a {type(found).__name__}"
            raise InputError(f"{who} returned {got}; expected a tuple of {len(trees)}, one for each argument.")
        by_place: dict[int, Any] = {}
        for numbers, tree in zip(trees, found, strict=True):
            places, structure = jax.tree.flatten(numbers)
            try:
                values = [None] * len(places) if tree is None else structure.flatten_up_to(tree)
            except (ValueError, TypeError):
                raise InputError(
                    f"{who} returned a tree {jax.tree.structure(tree)}; expected one like its argument, {structure}."
                ) from None
            by_place |= dict(zip(places, values, strict=True))
        named = zip(self.names, self.places, self.leaves, strict=True)
        return [_derivative(f"{who}: the derivative by {name}", by_place[place], leaf) for name, place, leaf in named]


def _derivative(what: str, found: Any, leaf: Any) -> np.ndarray:
    if found is None:
        return np.zeros(leaf.shape)
    values = np.array(inputs.as_numbers(what, found), np.float64)
    if values.shape != leaf.shape:
        raise InputError(f"{what} has shape {values.shape}; expected {leaf.shape}, as the argument.")
    return values


def arguments(f: Callable, args: tuple) -> Arguments:
    """The arguments of `f`, with coordinates in float64; to be called under `jax.enable_x64`.

    Raises:
        InputError: nothing of floating point, a complex leaf, nan or infinity.
    """
    fixed, of, within = _fixed(f), _names(f, len(args)), _within_objects(args)
    found, structure = jax.tree.flatten_with_path(args)
    chosen = [
        (k, of[path[0].idx] + jax.tree_util.keystr(path[1:]), leaf)
        for k, (path, leaf) in enumerate(found)
        if path[0].idx not in fixed and path not in within and _is_floating(leaf) and np.size(leaf)
    ]
    if not chosen:
        raise InputError(f"{name_of(f)} is given no floating point: there is nothing to differentiate; give it arrays.")
    leaves = [inputs.as_array(name, leaf) for _, name, leaf in chosen]
    places, names = tuple(k for k, *_ in chosen), tuple(name for _, name, _ in chosen)
    return Arguments(leaves, names, tuple(leaf for _, leaf in found), places, structure)


def _within_objects(args: tuple) -> set[tuple]:
    """The paths of Python's numbers that are fields of objects: settings, such as the rate of a dropout, no arrays."""
    found, _ = jax.tree.flatten_with_path(args, is_leaf=lambda tree: not isinstance(tree, tuple | list | dict))
    plain = {path for path, _ in found}
    return {path for path, leaf in jax.tree.leaves_with_path(args) if path not in plain and not hasattr(leaf, "dtype")}


def _is_floating(leaf: Any) -> bool:
    kind = getattr(leaf, "dtype", None)
    return isinstance(leaf, float | complex) if kind is None else jnp.issubdtype(kind, jnp.inexact)


def _fixed(f: Callable) -> set[int]:
    """The arguments that `f` declares not to be differentiable."""
    while isinstance(f, JITTED):
        f = _within(f)
    return set(getattr(f, "nondiff_argnums", ())) if isinstance(f, CUSTOM) else set()


def _names(f: Callable, count: int) -> list[str]:
    """The names of the positional arguments; `args[0]` where there is none."""
    try:
        parameters = list(inspect.signature(f).parameters.values())
    except (TypeError, ValueError):
        parameters = []
    names = [p.name for p in parameters if p.kind in POSITIONAL][:count]
    rest = next((p.name for p in parameters if p.kind is inspect.Parameter.VAR_POSITIONAL), "args")
    return names + [f"{rest}[{k}]" for k in range(count - len(names))]


@dataclass(frozen=True)
class Rule:
    """The rule under test."""

    name: str
    value: Callable  # of the arguments
    backward: Callable | None  # `backward(*args, cotangent)`; None: what `jax.vjp` makes of `value`
    forward: Callable | None  # the same value without the rule under test; None: there is no other
    arguments: Arguments
    with_numpy: bool = False  # whether value and backward take NumPy's arrays
    compiles: bool = False  # whether JAX can compile what it makes of `value`

    def run(self, leaves: Sequence[Any], cotangents: Leaves) -> tuple[Leaves, Leaves]:
        """The leaves of the value, and the derivatives by `leaves` for the `cotangents` of these."""
        if self.backward is None:
            out, found = self._program(list(leaves), list(cotangents))
            return out, [np.asarray(leaf, np.float64) for leaf in found]
        result = self.value(*self._copies(leaves))
        out, structure = jax.tree.flatten(result)
        rest = iter(cotangents)
        whole = [next(rest) if _is_floating(leaf) else np.zeros(np.shape(leaf)) for leaf in out]
        whole = [np.array(leaf) if self.with_numpy else jnp.asarray(leaf) for leaf in whole]
        try:
            found = self.backward(*self._copies(leaves), structure.unflatten(whole))
        except Exception as error:
            raise failed(self.name, error) from error
        return _floating(self.name, result), self.arguments.derivatives(self.name, found)

    @functools.cached_property
    def _program(self) -> Callable[[Leaves, Leaves], tuple[Leaves, Leaves]]:
        """What `jax.vjp` makes of `value`, in one program where JAX can compile it."""
        return jax.jit(self._vjp) if self.compiles else self._vjp

    def _vjp(self, leaves: Leaves, cotangents: Leaves) -> tuple[Leaves, Leaves]:
        out, pull = jax.vjp(self.values, leaves)
        try:
            (found,) = pull([jnp.asarray(c, leaf.dtype) for c, leaf in zip(cotangents, out, strict=True)])
        except Exception as error:
            raise failed(f"the derivative of {self.name}", error) from error
        return out, found

    def _copies(self, leaves: Sequence[Any]) -> tuple:
        """The arguments; a function of NumPy may work in place, so it gets copies."""
        return self.arguments.trees([np.array(leaf) for leaf in leaves] if self.with_numpy else leaves)

    def values(self, leaves: Sequence[Any]) -> Leaves:
        """The leaves of the value, computed as if nobody asked for derivatives."""
        return _floating(self.name, self.value(*self._copies(leaves)))

    def forward_values(self, leaves: Sequence[Any]) -> Leaves:
        """The leaves of the value of `forward`; of `value` where there is no other."""
        if self.forward is None:
            return self.values(leaves)
        return _floating(f"forward of {self.name}", self.forward(*self.arguments.trees(leaves)))


def _floating(name: str, result: Any) -> Leaves:
    """The leaves of floating point of a value.

    Raises:
        InputError: there is none, or one of complex numbers.
    """
    leaves = [leaf for leaf in jax.tree.leaves(result) if _is_floating(leaf)]
    if any(jnp.issubdtype(jnp.result_type(leaf), jnp.complexfloating) for leaf in leaves):
        raise InputError(f"{name} returns complex numbers; expected real ones: return the real and the imaginary part.")
    if not leaves:
        kinds = ", ".join(type(leaf).__name__ for leaf in jax.tree.leaves(result)) or "nothing"
        raise InputError(f"{name} returns {kinds}; expected an array of floating point, or a tree of them.")
    return [leaf if hasattr(leaf, "dtype") else np.asarray(leaf) for leaf in leaves]


def name_of(f: Callable) -> str:
    """What a function is called in messages."""
    while isinstance(f, functools.partial):
        f = f.func
    return getattr(f, "__name__", type(f).__name__)


def plain(f: Callable) -> Callable | None:
    """The function behind a custom rule, also under `jit` and `partial`; None if there is no rule around `f`."""
    if isinstance(f, CUSTOM):
        return plain(_within(f)) or _within(f)
    if isinstance(f, JITTED):
        return plain(_within(f))
    if isinstance(f, functools.partial) and (inner := plain(f.func)):
        return functools.partial(inner, *f.args, **f.keywords)
    return None


def _within(f: Any) -> Callable:
    """The function that a decorator of JAX has wrapped."""
    return f.__wrapped__


def as_rule(f: Any, forward: Callable | None, args: tuple) -> Rule:
    """The rule of `f`, which is a function or a pair `(value, backward)`.

    Raises:
        InputError: as `arguments`, or a function that fails at these arguments.
        TypeError: `f` is no function and no pair of functions.
    """
    value, backward = f if isinstance(f, tuple) and len(f) == 2 else (f, None)
    if not callable(value) or not (backward is None or callable(backward)):
        raise TypeError(f"f is {f!r}; expected a function, or a pair of functions (value, backward).")
    given = arguments(value, args)
    rule = Rule(name_of(backward or value), value, backward, forward or plain(value), given)
    if backward:
        rule = dataclasses.replace(rule, with_numpy=not _traces(rule))
        rule = dataclasses.replace(rule, forward=forward or (None if rule.with_numpy else value))
    return _that_runs(rule)


def _traces(rule: Rule) -> bool:
    """Whether the value can be compiled; a function of NumPy cannot."""
    try:
        jax.eval_shape(rule.values, rule.arguments.leaves)
    except Exception:  # a user's function raises anything; without JAX the check goes on
        return False
    return True


def _that_runs(rule: Rule) -> Rule:
    """The rule as it runs: in float64 or else on the types that were given; compiled or on NumPy's arrays if it can be.

    Raises:
        InputError: the value or its derivative fails in all ways.
    """
    narrowed = dataclasses.replace(rule, arguments=dataclasses.replace(rule.arguments, narrowed=True))
    errors = []
    for way in (*_ways(rule), *_ways(narrowed)):
        try:
            leaves = way.arguments.leaves
            way.run(leaves, [np.ones(np.shape(leaf)) for leaf in way.values(leaves)])
        except Exception as error:  # a user's function raises anything
            errors.append(error)
        else:
            return way
    cause = errors[1 if rule.backward is None else 0]  # not that of compiling, which speaks of tracers
    raise failed(rule.name, cause) from cause


def _ways(rule: Rule) -> tuple[Rule, Rule]:
    """The two ways to run a rule, the one to be tried first at first."""
    if rule.backward is None:
        return dataclasses.replace(rule, compiles=True), rule
    return rule, dataclasses.replace(rule, with_numpy=True)


def failed(name: str, error: Exception) -> InputError:
    """The error for a function of the user's that fails at the arguments of the check."""
    if isinstance(error, InputError):
        return error
    return InputError(f"{name} fails at these arguments: {said(error)}")


def said(error: Exception) -> str:
    """An error in one line."""
    lines = [line for line in str(error).splitlines() if line.strip()]
    return f"{type(error).__name__}: {lines[0].strip()}" if lines else type(error).__name__
