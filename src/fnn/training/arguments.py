"""The kinds of the arguments of `fit` and `sweep`, checked before anything is compiled.

Each message says what was given and what is expected. Examples and the cost are checked in `fnn.training.evaluation`.
"""

from __future__ import annotations

import math
from typing import Any

import jax
import numpy as np

from fnn.network import check_layers
from fnn.optimizers import SGD
from fnn.schedules import Constant, Schedule
from fnn.types import Optimizer


def check_kinds(
    net: Any,
    optimizer: Any,
    params: Any,
    key: Any,
    gradient: Any,
    schedule: Any = Constant(),
    target_cost: Any = -math.inf,
    monitor: Any = False,
) -> None:
    """Refuse arguments of another kind; `fit` documents them.

    Raises:
        TypeError: one is of another kind.
        ValueError: a number of an `SGD` is out of its range, or `target_cost` is nan.
    """
    check_layers(net)
    check_optimizer(optimizer)
    _check_numbers(optimizer)
    if hasattr(params, "params"):
        name = type(params).__name__
        raise TypeError(f"params is a {name}; expected its params, last.params (fit goes on with start=last.start).")
    if not isinstance(params, tuple | list):
        raise TypeError(f"params is {params!r:.80}; expected what init(net, key, shape) gives.")
    if not hasattr(key, "dtype"):
        raise TypeError(f"key is {key!r:.80}; expected a key, such as jax.random.key(0).")
    check_gradient(gradient)
    if isinstance(schedule, type) or not isinstance(schedule, Schedule):
        raise TypeError(
            f"schedule is {schedule!r:.80}; expected a schedule, such as EarlyStopping(10). One of your own has the "
            "methods init and after."
        )
    if not _is_number(target_cost) or np.ndim(target_cost):
        raise TypeError(f"target_cost is {target_cost!r:.80}; expected a number.")
    if math.isnan(target_cost):
        raise ValueError("target_cost is nan; expected a number.")
    if not isinstance(monitor, bool | np.bool_):
        raise TypeError(f"monitor is {monitor!r:.80}; expected True or False.")


def check_gradient(gradient: Any) -> None:
    """Refuse what is no function, such as its name.

    Raises:
        TypeError: it is none.
    """
    if isinstance(gradient, type) or not callable(gradient):
        raise TypeError(f"gradient is {gradient!r:.80}; expected a function, fnn.backprop or fnn.autodiff.")


def check_optimizer(optimizer: Any) -> None:
    """Refuse what is no optimiser, such as one of optax: the arguments of its `update` are in another order.

    Raises:
        TypeError: it is none.
    """
    if getattr(type(optimizer), "_fields", ()) == ("init", "update"):
        raise TypeError(
            f"optimizer is the {type(optimizer).__name__} of optax, whose numbers are hidden in it; expected such as "
            "fnn.interop.optax.Optax(optax.adam, learning_rate=1e-3)."
        )
    if isinstance(optimizer, type) or not isinstance(optimizer, Optimizer):
        example = f"SGD({optimizer!r})" if isinstance(optimizer, int | float) else "SGD(0.1)"
        own = " One of your own has the methods init, update and scaled." if hasattr(optimizer, "update") else ""
        raise TypeError(f"optimizer is {optimizer!r:.80}; expected an optimiser, such as {example}.{own}")


def _check_numbers(optimizer: Optimizer) -> None:
    """Refuse numbers of an `SGD` that are none or out of their range; a step of one's own may have any."""
    for name in ("eta", "mu", "lmbda") if isinstance(optimizer, SGD) else ():
        number = getattr(optimizer, name)
        if isinstance(number, jax.core.Tracer):
            continue
        if not _is_number(number):
            raise TypeError(f"optimizer: SGD({name}={number!r:.80}): expected a number.")
        values = np.asarray(number, np.float64)
        if not (values >= 0).all() or (name == "mu" and (values >= 1).any()):
            below = " and below 1" if name == "mu" else ""
            raise ValueError(f"optimizer: SGD({name}={number!r:.80}): expected at least 0{below}.")


def _is_number(value: Any) -> bool:
    """Whether a value is a number or an array of numbers."""
    return not isinstance(value, bool) and np.asarray(value).dtype.kind in "iufV"  # V is bfloat16
