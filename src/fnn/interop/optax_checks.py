"""What `fnn.interop.optax` refuses, in one line each: objects in place of rules, and rules that need a value."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from typing import Any

import jax
import numpy as np

from fnn.types import Params

RATE = "learning_rate"
WRAP = "write a function of learning_rate that returns the rule, and give Optax that function"


def named(value: Any) -> str:
    """A value as a message or a repr says it: a function by its name, an array by its dtype and shape."""
    if isinstance(value, np.ndarray | jax.Array) and np.ndim(value):
        return f"{value.dtype}{list(value.shape)}"
    return str(getattr(value, "__name__", None) or value)


def is_traced(value: Any) -> bool:
    """Whether an argument of a rule is a leaf: a float or an array. Whole numbers often decide what is computed."""
    return isinstance(value, float | np.floating | np.ndarray | jax.Array)


def check_rule(rule: Any) -> None:
    """Refuse what is no function.

    Raises:
        TypeError: it is an object of optax, whose numbers cannot be reached, or of another kind.
    """
    if hasattr(rule, "init") and hasattr(rule, "update"):
        raise TypeError(
            f"Optax: got an object {type(rule).__name__}, whose numbers are hidden in it; expected a function "
            "and its arguments: Optax(optax.adam, learning_rate=1e-3)."
        )
    if not callable(rule):
        raise TypeError(f"Optax: got {rule!r:.80}; expected a function of optax, such as optax.adam.")


def checked_rate(owner: str, rate: Any) -> Any:
    """The learning rate, a whole number as a float.

    Raises:
        TypeError: it is no number, for example a schedule of optax.
        ValueError: it is below 0 or nan.
    """
    if callable(rate):
        raise TypeError(
            f"{owner}: learning_rate is a schedule of optax, which fnn cannot scale; expected a number. Use a schedule "
            f"of fnn, or {WRAP}."
        )
    if isinstance(rate, jax.core.Tracer):
        return rate
    if isinstance(rate, bool | str | None) or np.asarray(rate).dtype.kind not in "iufV":  # V is bfloat16
        raise TypeError(f"{owner}: learning_rate is {rate!r:.80}; expected a number.")
    if not (np.asarray(rate, np.float64) >= 0).all() or (np.ndim(rate) == 0 and math.isinf(rate)):
        raise ValueError(f"{owner}: learning_rate is {rate!r:.80}; expected at least 0.")
    return float(rate) if isinstance(rate, int) else rate


def check_constants(rule: Any, constants: Mapping[str, Any]) -> None:
    """Refuse a constant that a program cannot be compiled for.

    Raises:
        TypeError: it cannot be hashed.
    """
    for name, value in constants.items():
        try:
            hash(value)
        except TypeError:
            raise TypeError(
                f"Optax({named(rule)}): {name} is a {type(value).__name__}, which cannot be hashed; expected a float, "
                "an array, or a constant such as a function or a tuple."
            ) from None


def check_steps(rule: Callable[..., Any], made: Any, params: Params, state: Params) -> None:
    """Refuse a rule whose step takes more than a gradient, the state and the params. Nothing is computed.

    Raises:
        ValueError: it needs the value of the cost, for example.
    """
    try:
        jax.eval_shape(made.update, params, state, params)
    except TypeError as error:
        missing = re.search(r"missing \d+ required keyword-only arguments?: (.*)", str(error))
        if missing is None:
            raise
        raise ValueError(
            f"Optax({named(rule)}): each step needs {missing[1]}, and fnn gives an optimiser the gradient alone; "
            "expected a rule such as optax.adamw. In a loop of optax, fnn.backprop gives the value and the gradient."
        ) from None
