"""From the constructor's plain values of an estimator to a net and an optimiser; what contradicts is refused.

`owner` is the estimator's name, for the messages. No scikit-learn in here.
"""

from __future__ import annotations

import math
from typing import Any

from fnn import activation_functions
from fnn.initializers import Glorot, Zeros
from fnn.layers import Dense
from fnn.network import shape_out
from fnn.optimizers import SGD
from fnn.types import Layer, Net, Optimizer, Shape, is_whole

HIDDEN, ACTIVATION = (100,), "ReLU"  # unless the user says otherwise
ETA, MU, LMBDA = 0.01, 0.9, 0.0
ACTIVATIONS = ("ReLU", "LeakyReLU", "Sigmoid", "Tanh", "Identity")
DTYPES = ("float32", "float64")


def layers(owner: str, net: Net | None, hidden: Any, activation: str | Layer | None, n_out: int) -> Net:
    """The user's net, or dense layers of these widths, each with an activation, and an affine one for the outputs.

    Raises:
        TypeError: `hidden` is no tuple of whole numbers.
        ValueError: there is a net and one of the others too, a width is below 1, or no activation has this name.
    """
    if net is not None:
        _alone(owner, "net", hidden=hidden, activation=activation)
        return net
    hidden = HIDDEN if hidden is None else hidden
    if not isinstance(hidden, tuple | list) or not all(is_whole(units) for units in hidden):
        raise TypeError(f"{owner}(hidden={hidden!r}): expected a tuple of widths, such as (100,) or (60, 30).")
    between = _activation(owner, ACTIVATION if activation is None else activation)
    body = [layer for units in hidden for layer in (_dense(units), between)]
    return *body, _dense(n_out)


def _dense(units: int) -> Dense:
    return Dense(units, Glorot(), Zeros())  # inputs are standardised, and biases of 0 serve every activation


def _activation(owner: str, activation: str | Layer) -> Layer:
    if not isinstance(activation, str):
        return activation
    if activation not in ACTIVATIONS:
        named = ", ".join(map(repr, ACTIVATIONS))
        raise ValueError(f"{owner}(activation={activation!r}): expected {named}, or a layer such as LeakyReLU(0.1).")
    return getattr(activation_functions, activation)()


def check_outputs(owner: str, net: Net, shape: Shape, n_out: int, what: str) -> None:
    """Refuse a net whose outputs are not one for each of `what`, such as "classes".

    Raises:
        TypeError, ValueError: it is no net, it does not take such examples, or it has another number of outputs.
    """
    got = shape_out(net, shape)
    if got != (n_out,):
        raise ValueError(
            f"{owner}: the net has outputs of shape {got}, y has {n_out} {what}; its last layer needs "
            f"{n_out} units, as Dense({n_out}) has."
        )


def example_shape(owner: str, shape: Shape | None, d: int) -> Shape:
    """The shape of one example of `d` features.

    Raises:
        ValueError: it has another number of entries.
    """
    if shape is None:
        return (d,)
    if math.prod(shape) != d:
        raise ValueError(f"{owner}(shape={shape!r}): an example has {math.prod(shape)} numbers, X has {d} features.")
    return tuple(shape)


def rule(owner: str, optimizer: Optimizer | None, eta: Any, mu: Any, lmbda: Any) -> Optimizer:
    """The user's optimiser, or `SGD`.

    Raises:
        ValueError: there is an optimiser and one of the numbers too.
    """
    if optimizer is not None:
        _alone(owner, "optimizer", eta=eta, mu=mu, lmbda=lmbda)
        return optimizer
    numbers = zip((eta, mu, lmbda), (ETA, MU, LMBDA), strict=True)
    return SGD(*(default if given is None else given for given, default in numbers))


def checked_dtype(owner: str, dtype: str) -> str:
    """The name of a float type.

    Raises:
        ValueError: it is another.
    """
    if dtype not in DTYPES:
        raise ValueError(f"{owner}(dtype={dtype!r}): expected 'float32' or 'float64'.")
    return dtype


def fraction(owner: str, part: Any) -> float:
    """The part of the rows that is for validation.

    Raises:
        ValueError: it is not between 0 and 1.
    """
    if not (isinstance(part, float) and 0 < part < 1):
        raise ValueError(f"{owner}(validation_fraction={part!r}): expected a part of the rows, such as 0.1.")
    return part


def _alone(owner: str, name: str, **others: Any) -> None:
    given = [other for other, value in others.items() if value is not None]
    if given:
        raise ValueError(f"{owner}: {name} and {given[0]} are both given, and {name} says it all; drop one of the two.")
