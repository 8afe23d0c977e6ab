"""Optax (extra `optax`): its rules as optimisers of fnn, and an optimiser of fnn as a transformation of optax.

`Optax(optax.adamw, learning_rate=1e-3)` is used like `SGD`. `config_class` makes a class of a rule, which a config can
name. `transformation(SGD(0.1))` goes into an optax loop. `docs/optax.md` shows all three.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import field, fields, make_dataclass, replace
from typing import Any

import jax
import jax.numpy as jnp

from fnn.errors import InputError
from fnn.interop.optax_checks import (
    RATE,
    WRAP,
    check_constants,
    check_rule,
    check_steps,
    checked_rate,
    is_traced,
    named,
)
from fnn.optimizers import is_weight
from fnn.types import Optimizer, Params

MISSING = "optax is not installed; get it with  pip install 'fnn[optax]'"


@jax.tree_util.register_pytree_with_keys_class
class Optax:
    """A rule of optax, or a function of your own that returns one, as an optimiser of fnn.

    The floats and arrays among the arguments are traced leaves, as the numbers of `SGD` are: another value does not
    recompile, and `fnn.sweep` takes an array of them, one per network. All others (whole numbers, True, texts,
    functions) are constants. The schedules of fnn scale `learning_rate`. A rate that changes with each step, clipping,
    or several rules in a chain go into a function of your own, which is given here in place of the rule.

    The `weight_decay` of optax decays every parameter; with `mask=weights` it decays the fields `W` alone, as the
    `lmbda` of `SGD` does. It is then multiplied by the learning rate, but does not pass through the moments of Adam.

    Args:
        rule: A function such as `optax.adamw`, not what it returns.
        arguments: Of the rule, by name; `learning_rate` is one of them.

    Raises:
        TypeError: `rule` is no function, `learning_rate` is no number, or a constant cannot be hashed.
        ValueError: `learning_rate` is below 0 or nan, or the rule needs more than the gradient, see `init`.
    """

    def __init__(self, rule: Callable[..., Any], **arguments: Any) -> None:
        """Keeps the rule and its arguments, which are checked."""
        check_rule(rule)
        if RATE in arguments:
            arguments[RATE] = checked_rate(named(rule), arguments[RATE])
        self.rule = rule
        self.numbers: Mapping[str, Any] = {name: v for name, v in arguments.items() if is_traced(v)}
        self.constants: Mapping[str, Any] = {name: v for name, v in arguments.items() if name not in self.numbers}
        check_constants(rule, self.constants)
        if RATE not in arguments:
            self.init((jnp.zeros(1),))  # for `optax.polyak_sgd` the better reason is that it needs a value
            raise TypeError(f"Optax({named(rule)}): has no learning_rate, which a schedule would scale; {WRAP}.")

    def scaled(self, factor: float) -> Optax:
        """The same rule with `factor` times the learning rate."""
        rate = {RATE: self.numbers[RATE] * factor}
        return Optax.tree_unflatten(self.tree_flatten_with_keys()[1], {**self.numbers, **rate}.values())

    def init(self, params: Params) -> Params:
        """The rule's state before the first step.

        Raises:
            TypeError: the rule does not take these arguments.
            ValueError: a step of it needs more than the gradient, such as the value of the cost.
        """
        with jax.numpy_dtype_promotion("standard"):
            rule = self._made()
            state = rule.init(params)
            check_steps(self.rule, rule, params, state)
        return jax.tree.map(lambda leaf: jnp.asarray(leaf, jnp.asarray(leaf).dtype), state)  # no weak type

    def update(self, params: Params, v: Params, gradient: Params) -> tuple[Params, Params]:
        """The parameters and the rule's state after one step, in the dtypes that they had."""
        with jax.numpy_dtype_promotion("standard"):  # optax multiplies whole numbers by floats
            changes, state = self._made().update(gradient, v, params)
            params = jax.tree.map(lambda p, change: (p + change).astype(p.dtype), params, changes)
            return params, jax.tree.map(lambda new, old: new.astype(old.dtype), state, v)

    def _made(self) -> Any:
        try:
            made = self.rule(**self.numbers, **self.constants)
        except TypeError as error:
            raise TypeError(f"{self}: {error}.") from None
        if not (hasattr(made, "init") and hasattr(made, "update")):
            raise TypeError(f"{self}: the function gave {made!r:.80}; expected a rule, such as optax.adam(0.1) is.")
        return made

    def __repr__(self) -> str:
        arguments = [f"{name}={named(value)}" for name, value in {**self.numbers, **self.constants}.items()]
        return f"Optax({', '.join([named(self.rule), *arguments])})"

    def tree_flatten_with_keys(self) -> tuple[Any, Any]:
        """The traced numbers with their names, and what is constant."""
        leaves = tuple((jax.tree_util.GetAttrKey(name), number) for name, number in self.numbers.items())
        return leaves, (self.rule, tuple(self.numbers), tuple(self.constants.items()))

    @classmethod
    def tree_unflatten(cls, constant: Any, leaves: Any) -> Optax:
        """The rule with these numbers; JAX puts other things in their place, so they are not checked."""
        new = object.__new__(cls)
        new.rule, names, constants = constant
        new.numbers, new.constants = dict(zip(names, leaves, strict=True)), dict(constants)
        return new


def config_class(name: str, rule: Callable[..., Any], **arguments: Any) -> type[Optimizer]:
    """A class of optimisers that a config can name, with the numbers and texts among the arguments as its fields.

    Three lines of a file `own.py` are enough for `fnn run CONFIG --type own.py:AdamW`:

        import optax
        from fnn.interop.optax import config_class
        AdamW = config_class("AdamW", optax.adamw, learning_rate=1e-3, weight_decay=1e-4)

    The config then says `optimizer = { type = "AdamW", learning_rate = 0.002 }`; what it does not say is as given here.
    Floats are traced, as in `Optax`. Arguments of other kinds, such as a `mask`, are the same for all of the class.

    Args:
        name: Of the class; the name that it is given to in the file.
        rule: As for `Optax`.
        arguments: As for `Optax`.

    Raises:
        TypeError: as `Optax`.
        ValueError: as `Optax`.
    """
    Optax(rule, **arguments)  # is checked here, where it is written
    arguments[RATE] = float(arguments[RATE])
    said = {key: value for key, value in arguments.items() if isinstance(value, int | float | str)}
    others = {key: value for key, value in arguments.items() if key not in said}

    def as_optax(self: Any) -> Optax:
        return Optax(rule, **{each.name: getattr(self, each.name) for each in fields(self)}, **others)

    methods = {
        "__doc__": f"`{named(rule)}` of optax, with the arguments that a config can say.",
        "__post_init__": lambda self: _check_number(name, self.learning_rate),
        "init": lambda self, params: as_optax(self).init(params),
        "update": lambda self, params, v, gradient: as_optax(self).update(params, v, gradient),
        "scaled": lambda self, factor: replace(self, learning_rate=self.learning_rate * factor),
    }
    columns = [(key, type(value), field(default=value)) for key, value in said.items()]  # as a config says them
    cls = make_dataclass(name, columns, frozen=True, namespace=methods)
    data = [key for key, value in said.items() if isinstance(value, float)]
    return jax.tree_util.register_dataclass(cls, data, [key for key in said if key not in data])


def _check_number(owner: str, rate: Any) -> None:
    """Refuse a learning rate that a config says; JAX builds the class with other things in its place."""
    if isinstance(rate, int | float | str):
        checked_rate(owner, rate)


def transformation(optimizer: Optimizer) -> Any:
    """An `optax.GradientTransformation` that does what an optimiser of fnn does, for loops and chains of optax.

    Its state is the optimiser's v. Its update is the difference of the params after and before a step, so params that
    optax adds it to are those of `fit` up to one rounding per step.

    Raises:
        InputError: optax is not installed.
        TypeError: `optimizer` is no optimiser of fnn.

    In the `update` of the transformation:
        ValueError: it was called without the params.
    """
    try:
        optax = importlib.import_module("optax")
    except ImportError:
        raise InputError(f"transformation: {MISSING}") from None
    if isinstance(optimizer, type) or not isinstance(optimizer, Optimizer):
        raise TypeError(f"transformation({optimizer!r:.80}): expected an optimiser of fnn, such as SGD(0.1).")

    def update(gradient: Params, v: Params, params: Params | None = None) -> tuple[Params, Params]:
        if params is None:
            raise ValueError(f"transformation({optimizer}): update needs the params; call update(gradient, v, params).")
        after, v = optimizer.update(params, v, gradient)
        return jax.tree.map(jnp.subtract, after, params), v

    return optax.GradientTransformation(optimizer.init, update)


def weights(params: Params) -> Params:
    """True at every leaf named `W` and False at all others: the `mask` for a decay that leaves the biases alone."""
    return jax.tree.map_with_path(lambda path, _: is_weight(path), params)
