"""What a layer, a cost and an optimiser are: the contracts everything else is written against.

Shape letters: `n` examples in a batch, `shape` one example without the batch axis, `n_in` and `n_out` the
width of a layer's input and output.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any, Protocol, TypeGuard, TypeVar, dataclass_transform, runtime_checkable

import jax
import jax.numpy as jnp
import numpy as np
from jax import export

Array = jax.Array  # of numbers
Key = jax.Array  # a typed key, `jax.random.key(seed)`
Shape = tuple[int, ...]  # of one example, without the batch axis: `(784,)`
Params = Any  # a pytree; of a net: a tuple with one NamedTuple per layer, `()` for a layer without parameters

T = TypeVar("T")


@dataclass_transform(frozen_default=True)
def static(cls: type[T]) -> type[T]:
    """The class as a frozen dataclass that JAX treats as a constant.

    Its instances compare and hash by value, so equal nets share one compilation, and pass through `jit`,
    `vmap` and `scan` without `static_argnums`. A layer or a cost is `static`; arrays belong in its params.

    Raises:
        TypeError: when an instance is built with a field that cannot be hashed (an array, a list).

    Examples:
        >>> @static
        ... class Scale:
        ...     factor: float
        >>> Scale(2.0) == Scale(2.0), jax.tree.leaves(Scale(2.0))
        (True, [])
    """
    check = getattr(cls, "__post_init__", lambda self: None)  # the class's own, or an inherited one

    def __post_init__(self: Any) -> None:
        for field in dataclasses.fields(self):  # a NumPy number becomes Python's, which JSON and hashes know
            value = getattr(self, field.name)
            if isinstance(value, np.generic):
                object.__setattr__(self, field.name, value.item())
        check(self)
        # hash now: an array in a field would otherwise fail only in a later call of jit
        for field in dataclasses.fields(self):
            _hashable(cls.__name__, field.name, getattr(self, field.name))

    cls.__post_init__ = __post_init__  # type: ignore[attr-defined] (a class of any kind)
    return jax.tree_util.register_static(dataclasses.dataclass(frozen=True)(cls))


def stored_as(name: str) -> Callable[[type[T]], type[T]]:
    """A decorator of a NamedTuple of params, which `jax.export` then writes into a file under this name."""

    def registered(cls: type[T]) -> type[T]:
        return export.register_namedtuple_serialization(cls, serialized_name=name)

    return registered


def brief(value: Any) -> str:
    """An array as its dtype and shape, a number as a number, anything else as its `repr`: for short reprs."""
    shape, dtype = getattr(value, "shape", None), getattr(value, "dtype", None)
    if isinstance(value, float):
        return f"{value:.6g}"
    if not isinstance(shape, tuple) or dtype is None:
        return repr(value)
    if shape == ():
        try:
            return f"{float(value):.6g}"
        except (TypeError, ValueError, RuntimeError):  # it is traced, is a key, or is in no memory of this process
            pass
    return f"{dtype}{shape}"


def short_repr(self: Any) -> str:
    """A `__repr__` for a NamedTuple of arrays: `DenseParams(W=float32(30, 784), b=float32(30,))`."""
    fields = (f"{name}={brief(value)}" for name, value in zip(self._fields, self, strict=True))
    return f"{type(self).__name__}({', '.join(fields)})"


def numbers_in(tree: Any) -> str:
    """How many numbers the arrays of a tree have, in words."""
    return f"{sum(np.size(leaf) for leaf in jax.tree.leaves(tree)):,} numbers"


def _hashable(owner: str, name: str, value: object) -> None:
    try:
        hash(value)
    except TypeError:
        raise TypeError(
            f"{owner}.{name} is a {type(value).__name__}, which cannot be hashed: a layer's fields are constants "
            "(numbers, strings, tuples, other static values); arrays belong in its params."
        ) from None


@runtime_checkable
class Layer(Protocol):
    """A function of params and a batch, with its derivative written by hand under it."""

    def init(self, key: Key, shape: Shape) -> tuple[Params, Shape]:
        """New parameters for inputs of `shape` (one example), and the shape of one output.

        Raises:
            ValueError: the layer cannot take inputs of this shape.
        """
        ...

    def forward(self, params: Params, a: Array) -> Array:
        """The outputs `(n, *shape_out)` for a batch of inputs `a`, `(n, *shape)`; pure, rows independent."""
        ...

    def backward(self, params: Params, a: Array, delta: Array) -> tuple[Params, Array]:
        """The derivatives of the batch's cost by the params and by the input.

        Args:
            params: As for `forward`.
            a: The layer's *input*, the only thing that the forward pass keeps.
            delta: ∂C/∂(output of this layer), `(n, *shape_out)`, the 1/n of the mean included.

        Returns:
            `(nabla, delta_prev)` with exactly the structure of `(params, a)`: the signature of a
            vector-Jacobian product. `nabla` is the sum over the rows.
        """
        ...


@runtime_checkable
class Cost(Protocol):
    """A cost owns the output activation: it takes the network's raw output `z`, `(n, n_out)`.

    A cost that does not take every desired output may say so: see `Selective`.
    """

    def output(self, z: Array) -> Array:
        """What the network says, `(n, n_out)`."""
        ...

    def value(self, z: Array, y: Array) -> Array:
        """The scalar cost: summed over outputs, mean over the `n` rows."""
        ...

    def delta(self, z: Array, y: Array) -> Array:
        """∂value/∂z, `(n, n_out)`, the 1/n included (BP1 of Nielsen, ch. 2, divided by n)."""
        ...


@runtime_checkable
class Selective(Protocol):
    """What a cost has beside `Cost` if it does not take every desired output; a cost without it takes all."""

    def targets(self, y: np.ndarray) -> str:
        """What is wrong with the desired outputs `y`, `(n, n_out)`, n > 0, and which cost takes them; "" if nothing.

        Training and evaluation ask for each part of the data before anything is compiled. nan is no reason to refuse:
        training names the mini-batch that has it.
        """
        ...


@runtime_checkable
class Optimizer(Protocol):
    """A rule that turns a gradient into new parameters; its numbers are traced leaves of a pytree."""

    def scaled(self, factor: float) -> Optimizer:
        """The same rule with `factor` times the learning rate; a schedule asks for it."""
        ...

    def init(self, params: Params) -> Params:
        """The optimiser's state before the first step."""
        ...

    def update(self, params: Params, v: Params, gradient: Params) -> tuple[Params, Params]:
        """The parameters and the state after one step along `gradient`, the mean over the batch."""
        ...


@runtime_checkable
class Initializer(Protocol):
    """A distribution from which one array of parameters is drawn."""

    def draw(self, key: Key, shape: Shape, n_in: int, n_out: int) -> Array:
        """A float array of `shape` for a layer whose units have `n_in` inputs, and whose inputs feed `n_out` units."""
        ...


Net = tuple[Layer, ...]  # the layers, first to last
Gradient = Callable[[Net, Cost, Params, Array, Array], tuple[Array, Params]]  # `backprop`, `autodiff`, or a user's


def zeros_like(array: Any) -> Array:
    """Zeros of the shape and type of an array; outside of a program nothing is compiled for them."""
    if isinstance(array, jax.core.Tracer):
        return jnp.zeros(array.shape, array.dtype)
    return jax.device_put(np.zeros(array.shape, array.dtype))


def leaf_name(path: Any) -> str:
    """The name of a leaf of params, layer number and field: `2.W`."""
    return jax.tree_util.keystr(path, simple=True, separator=".")


def is_whole(value: object) -> TypeGuard[int]:
    """Whether a value is a whole number of Python or NumPy; True and False are none."""
    return isinstance(value, int | np.integer) and not isinstance(value, bool)


def positive(owner: str, name: str, value: object) -> None:
    """Refuse anything but a whole number of at least 1.

    Raises:
        TypeError: not an integer.
        ValueError: below 1.
    """
    if not is_whole(value):
        raise TypeError(f"{owner}({name}={value!r}): expected a whole number, got a {type(value).__name__}.")
    if value < 1:
        raise ValueError(f"{owner}({name}={value}): expected at least 1.")


def width(layer: object, shape: Shape) -> int:
    """The width n_in of the rows that a layer is given, whose `shape` must have one axis.

    Raises:
        ValueError: rows with no axis, several, or an empty one.
    """
    if len(shape) != 1:
        raise ValueError(f"{layer} got rows of shape {shape}; it needs one axis, (n_in,). Put Flatten() before it.")
    if shape[0] < 1:
        raise ValueError(f"{layer} got rows of shape {shape}; it needs at least one input.")
    return shape[0]
