"""A trained network, and what it says about inputs in their own units, as they were before any scaling.

Shape letters: `n` inputs of `shape`, `n_out` outputs.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from fnn.data.dataset import few, scaled_inputs
from fnn.data.encoding import Encoding
from fnn.data.frames import is_frame
from fnn.data.on_disk import Stored
from fnn.data.shapes import keeps_order
from fnn.data.table_files import read_inputs
from fnn.errors import InputError
from fnn.network import predict, shape_out
from fnn.types import Cost, Net, Params, Shape, brief, numbers_in

INPUTS_AT_ONCE = 5000  # that one call of the network takes; so many are read from an `.npy` file


@dataclass(frozen=True, eq=False)
class Model:
    """A trained network with the scaling of its inputs and the names of its columns and classes; `fnn.load` reads it.

    `model.predict(raw)` says what `fnn predict` says. `fnn.predict(model.net, model.cost, model.params, x)` is for
    inputs `x` that are scaled already.

    Examples:
        >>> import jax
        >>> from fnn import Dense, LogLikelihood, Model, init
        >>> net = (Dense(2),)
        >>> params = init(net, jax.random.key(0), (3,))
        >>> model = Model(net, LogLikelihood(), params, (3,), classes=("cat", "dog"), scale=1 / 255)
        >>> outputs = model.predict([[0, 128, 255], [255, 0, 7]])
        >>> outputs.shape, len(model.classes_of(outputs))
        ((2, 2), 2)
    """

    net: Net
    cost: Cost
    params: Params = field(repr=False)
    shape: Shape  # of one input
    classes: tuple[str, ...] = ()  # in the order of their numbers; () if the outputs are quantities
    columns: tuple[str, ...] = ()  # the names of the inputs, in order; () where they have none
    label: str = ""  # the column of the desired outputs, which a table of new inputs may have too; "" for none
    targets: str = "one-hot"  # or "binary", the bits of the class number, the highest first; or "quantity"
    scale: float = 1.0  # the network sees ((x − mean)/sd) · scale
    mean: np.ndarray | float = field(default=0.0, repr=False)  # shape
    sd: np.ndarray | float = field(default=1.0, repr=False)  # shape
    encoding: Encoding | None = field(default=None, repr=False)  # of the columns of a table; None: each is one number
    y_mean: np.ndarray | float = field(default=0.0, repr=False)  # (n_out,); the network gives (y − y_mean)/y_sd
    y_sd: np.ndarray | float = field(default=1.0, repr=False)  # (n_out,)

    def __repr__(self) -> str:
        """The network and the names, in one line."""
        names = (f"{name}={few(getattr(self, name))}" for name in ("columns", "classes") if getattr(self, name))
        scale = [f"scale={brief(self.scale)}"] if self.scale != 1 else []
        label = [f"label={self.label!r}"] if self.label else []
        said = [f"net={self.net}", f"cost={self.cost}", f"params={numbers_in(self.params)}", f"shape={self.shape}"]
        return f"Model({', '.join([*said, *scale, *names, *label])})"

    def predict(self, raw: Any) -> np.ndarray:
        """The outputs `(n, n_out)` for `n` inputs in their own units; the same as `fnn predict` for the same rows.

        Quantities are in the units of the source, in float64 if they were standardised for the training.

        Args:
            raw: A dict of columns, or a table of pandas, polars or pyarrow, whose columns are matched by name and
                become inputs as in the training. Or `(n, *shape)` numbers as they are in the file, neither scaled nor
                standardised: bytes or floats, an array of NumPy or JAX, or nested lists. A flat row of as many numbers
                is taken as well. One-hot columns are then zeros and ones, in the order of `encoding.inputs`.

        Raises:
            TypeError: `raw` does not consist of numbers.
            ValueError: it has another shape, its columns are not those of the training, a cell is missing that is not
                filled, a text is that of no training row, or an input is nan, infinite, or too large for float32.
        """
        named = isinstance(raw, Mapping) or (is_frame(raw) and self.columns)
        table = read_inputs(raw, math.prod(self.shape), self.label, self.columns, self.encoding) if named else None
        return outputs(self, _shaped(_numbers(raw if table is None else table), self.shape))

    def classes_of(self, outputs: Any) -> list[str]:
        """The name of the class that each row of `outputs` stands for; [] if the outputs are quantities.

        It is "?" where the bits are the number of no class, and where an output is nan.

        Raises:
            ValueError: `outputs` is not `(n, n_out)`, as `predict` returns it.
        """
        a = np.asarray(outputs)
        (n_out,) = shape_out(self.net, self.shape)
        if a.ndim != 2 or a.shape[1] != n_out:
            raise ValueError(f"outputs have shape {a.shape}; expected (n, {n_out}), as predict returns them.")
        if not self.classes:
            return []
        bits = (a > 0.5) @ (2 ** np.arange(n_out)[::-1])
        numbers = np.where(np.isnan(a).any(axis=1), -1, bits if self.targets == "binary" else a.argmax(axis=1))
        return [self.classes[k] if 0 <= k < len(self.classes) else "?" for k in numbers]


def outputs(model: Model, x: np.ndarray | Stored) -> np.ndarray:
    """The outputs `(n, n_out)` for inputs `(n, *shape)`, both in their own units; the inputs may be in a file.

    Raises:
        ValueError: an input is nan, infinite, or too large for float32.
    """
    return scaled_outputs(model, (scaled(model, np.asarray(x[i : i + INPUTS_AT_ONCE]), i) for i in _starts(len(x))))


def scaled_outputs(model: Model, parts: Iterable[np.ndarray]) -> np.ndarray:
    """The outputs, in their own units, for inputs that are scaled as for the training, part by part.

    Raises:
        InputError: the network does not take inputs of this shape.
    """
    a = np.concatenate([_scaled_outputs(model, x) for x in parts])
    return a * model.y_sd + model.y_mean if np.ndim(model.y_sd) else a


def _scaled_outputs(model: Model, x: np.ndarray) -> np.ndarray:
    try:
        return np.asarray(jax.jit(predict)(model.net, model.cost, model.params, x))
    except (TypeError, ValueError) as error:
        raise InputError(f"inputs of shape {x.shape}: {error}") from None


def _starts(n: int) -> range:
    return range(0, max(n, 1), INPUTS_AT_ONCE)  # no inputs are one empty part


def scaled(model: Model, x: np.ndarray, first: int) -> np.ndarray:
    """Inputs as the network sees them; `first` is the number of the first one, for the message."""
    _check_finite(x, first, "nan or an infinite number")
    try:
        with np.errstate(over="ignore"):  # what is too large becomes inf, and is refused below
            x = scaled_inputs(x, model.mean, model.sd, model.scale)
    except InputError as error:
        raise ValueError(f"inputs from number {first} on: {error}") from None
    _check_finite(x, first, "a number that is too large for float32 once it is scaled")
    return x


def _check_finite(x: np.ndarray, first: int, what: str) -> None:
    finite = np.isfinite(x).all(axis=tuple(range(1, x.ndim)))
    if not finite.all():
        raise ValueError(f"input {first + finite.argmin()} holds {what}; leave it out.")


def _numbers(raw: Any) -> np.ndarray:
    """The array of what a user gives as inputs."""
    if isinstance(raw, str | os.PathLike):
        given = os.fspath(raw)
        raise TypeError(f"the inputs are {given!r}; expected an array or a table; fnn predict RUN FILE reads a file.")
    if isinstance(raw, list) and any(isinstance(row, Mapping) for row in raw):
        raise TypeError("the inputs are a list of dicts; expected one dict of columns, or a data frame of pandas.")
    if np.ma.is_masked(raw):
        raise ValueError("the inputs have masked numbers; the network needs all of them: fill them, or drop the rows.")
    try:
        x = np.asarray(raw)
    except (TypeError, ValueError) as error:  # for example rows of different lengths
        raise TypeError(f"the inputs are no array of numbers, (n, *shape): {error}") from None
    if not any(jnp.issubdtype(x.dtype, kind) for kind in (np.bool_, np.integer, np.floating)):
        if hasattr(raw, "iloc") and not is_frame(raw):
            raise TypeError("the inputs are a part of a data frame; expected a table, as frame.iloc[[0]] gives.")
        raise TypeError(f"the inputs have dtype {x.dtype}; expected whole numbers or floats, as x.astype(float) gives.")
    return x


def _shaped(x: np.ndarray, shape: Shape) -> np.ndarray:
    """The inputs with each in the shape of the network: axes are split or joined, and those of length 1 come and go."""
    if x.ndim == 1 and shape == (1,):
        return x[:, None]
    if x.ndim < 2 or math.prod(x.shape[1:]) != math.prod(shape) or not keeps_order(x.shape[1:], shape):
        alone = " One input alone goes into a list: predict([x])." if x.shape == shape else ""
        raise ValueError(
            f"the inputs have shape {x.shape}; expected (n, {', '.join(map(str, shape))}), one row for each.{alone}"
        )
    return x.reshape(len(x), *shape)
