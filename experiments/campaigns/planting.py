"""Planting a bug into the library, and taking it away again.

A bug is planted into the function itself: its code is exchanged. So everybody who has the function has the bug,
under whatever name it was imported, as a default argument too, and within a program that JAX compiles. What was
compiled or remembered before must be forgotten: `fresh` does that.
"""

import contextlib
import inspect
import sys
import types
from collections.abc import Callable, Generator
from importlib import import_module
from typing import Any, NamedTuple

import jax

PLACES = ("fnn", "experiments")  # the packages in which bugs are planted and values are remembered
Patch = Callable[[Any], Any]


class Bug(NamedTuple):
    """A wrong line, as data."""

    where: str  # "fnn.layers:Dense.backward": the module and, in it, a function, a method or a constant
    patch: Patch  # from the right function, or constant, to the wrong one
    what: str  # the mistake in words


def scaled(factor: float) -> Patch:
    """A function whose numbers are all multiplied by `factor`."""
    return lambda right: lambda *args: jax.tree.map(lambda leaf: factor * leaf, right(*args))


def modules() -> list[types.ModuleType]:
    """All modules of the places that are loaded."""
    return [module for name, module in list(sys.modules.items()) if name.split(".")[0] in PLACES]


def fresh() -> None:
    """Forget every compiled program and every value that a function of ours remembers, except an open file of `cli`."""
    for module in modules():
        if module.__name__.startswith("fnn.cli"):
            continue
        for value in list(vars(module).values()):
            if hasattr(value, "cache_clear") and not isinstance(value, type):
                value.cache_clear()
    jax.clear_caches()


@contextlib.contextmanager
def planted(bug: Bug) -> Generator[None]:
    """A block in which the bug is in the code; compiled programs are fresh at its start and after its end."""
    module, _, path = bug.where.partition(":")
    *owners, name = path.split(".")
    owner = import_module(module)
    for part in owners:
        owner = getattr(owner, part)
    right = inspect.unwrap(getattr(owner, name))
    exchange = _in_its_code if isinstance(right, types.FunctionType) and not right.__closure__ else _by_name
    with exchange(owner, name, right, bug.patch):
        fresh()
        yield
    fresh()


def _wrong(*args, **named):
    """Stands in `_calls` for the wrong function."""


def _calls(*args, **named):
    """Its code becomes that of a function with a bug, with the name of the wrong function in place of `_wrong`."""
    return _wrong(*args, **named)


@contextlib.contextmanager
def _in_its_code(owner: Any, name: str, right: Any, patch: Patch) -> Generator[None]:
    """The function calls the wrong one, which may call a copy of the right one."""
    kept = {part: getattr(right, part) for part in ("__code__", "__defaults__", "__kwdefaults__")}
    copy = types.FunctionType(kept["__code__"], right.__globals__, name, kept["__defaults__"])
    copy.__kwdefaults__ = kept["__kwdefaults__"]
    hidden = f"_planted_{name}"
    right.__globals__[hidden] = patch(copy)
    right.__code__ = _calls.__code__.replace(co_names=(hidden,))
    right.__defaults__ = right.__kwdefaults__ = None
    try:
        yield
    finally:
        for part, value in kept.items():
            setattr(right, part, value)
        del right.__globals__[hidden]


@contextlib.contextmanager
def _by_name(owner: Any, name: str, right: Any, patch: Patch) -> Generator[None]:
    """A constant, or a function that has no code of its own: every module has the wrong one under this name."""
    holders = [owner, *(m for m in modules() if m is not owner and vars(m).get(name) is right)]
    wrong = patch(right)
    for holder in holders:
        setattr(holder, name, wrong)
    try:
        yield
    finally:
        for holder in holders:
            setattr(holder, name, right)
