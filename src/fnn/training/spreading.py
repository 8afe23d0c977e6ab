"""Examples spread over several devices, of one process or of many: each device takes its part of every mini-batch.

`spread` makes a kind of examples, beside `Shifted` and `streaming.Window`. All that it says is where the rows of a
mini-batch are; XLA then splits the work and adds what joins it. The cost, the gradient and the tallies of a mini-batch
are those of all its rows: the means and sums over them become one exchange between the devices. So a gradient of the
user's own is right too, one that is clipped by its norm for example. Params are the same on all devices. The result is
that of one device up to rounding, because the sums over the rows are added in another order.

Shape letters: `n` examples, `B` the mini-batch size, `d` devices.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, partial
from typing import Any, TypeVar

import jax
import jax.numpy as jnp
import numpy as np

from fnn.examples import Examples
from fnn.training.augmentation import Shifted
from fnn.types import Array

AXIS = "devices"  # of the mesh, along which the rows of a mini-batch are split

T = TypeVar("T")


@partial(jax.tree_util.register_dataclass, data_fields=["examples"], meta_fields=["mesh"])
@dataclass(frozen=True)
class Spread:
    """Examples of which every mini-batch is split over the devices of a mesh; `spread` makes them.

    They are taken wherever examples are. Any number of rows can be split, also one that d does not divide.
    """

    examples: Examples | Shifted  # a copy on each device, or in their file
    mesh: jax.sharding.Mesh  # of one axis

    @property
    def n(self) -> int:
        """The number of examples."""
        return self.examples.n

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of one `x`, without the axis of the examples."""
        return self.examples.shape

    @property
    def dtype(self) -> Any:
        """Of `x` and `y` in the units of training."""
        return self.examples.dtype

    @property
    def y(self) -> Any:
        """The desired outputs `(n, n_out)`; of shifted images one row per image."""
        return self.examples.y

    def take(self, i: Any) -> Examples:
        """Rows `i` as they are stored, inside a compiled program each on the device that computes with it."""
        rows: Any = jnp.arange(*i.indices(self.n)) if isinstance(i, slice) else i
        return self.examples.take(self._split(rows) if isinstance(rows, jax.core.Tracer) else rows)

    def rows(self, i: Any) -> tuple[Array, Array]:
        """Rows `i` in the units of training, as `Examples.rows`."""
        return self.take(i).rows(slice(None))

    def _split(self, i: Array) -> Array:
        """The row numbers with their last axis split over the devices.

        At first all devices have all of them. XLA would otherwise compute the order of an epoch as its rows are split,
        and the devices would exchange their parts.
        """
        if not i.ndim:
            return i
        whole, parts = jax.P(), jax.P(*[None] * (i.ndim - 1), AXIS)
        i = jax.lax.with_sharding_constraint(i, jax.NamedSharding(self.mesh, whole))
        return jax.lax.with_sharding_constraint(i, jax.NamedSharding(self.mesh, parts))


@partial(jax.tree_util.register_dataclass, data_fields=["examples", "first"], meta_fields=["batch_size", "mesh"])
@dataclass(frozen=True)
class SpreadWindow:
    """As `streaming.Window`, for several devices: of every mini-batch a device holds the rows that it computes with.

    `take` is given the positions of one mini-batch, or of its first rows. It looks only at where they begin, so no row
    goes from one device to another.
    """

    examples: Examples  # x (mini-batches, rows of one, *shape); their number of rows is a multiple of d, some are 0
    first: Any  # (), the position of the first row
    batch_size: int  # B, the rows of a mini-batch that are used
    mesh: jax.sharding.Mesh

    def take(self, i: Array) -> Examples:
        """The examples at the consecutive positions `i`, at most B of them, as they are stored."""
        k = (i[0] - self.first) // self.batch_size
        x, y = (jax.lax.dynamic_index_in_dim(a, k, keepdims=False)[: len(i)] for a in self.examples[:2])
        return Examples(x, y, self.examples.scale)

    def rows(self, i: Array) -> tuple[Array, Array]:
        """The examples at positions `i` in the units of training, as `Examples.rows`."""
        return self.take(i).rows(slice(None))


def spread(examples: Examples | Shifted, devices: Sequence[jax.Device] | None = None) -> Spread:
    """The examples for training and evaluation on several devices, each with its part of every mini-batch.

    Give them to `fit`, `epoch`, `evaluate` or `sweep` in place of the examples themselves; no other argument changes.
    `fit` puts its validation and test examples on the same devices. B is that of all devices together, and any B
    works. The results are those of one device up to rounding: 1e-6 or less in the params after an epoch.

    Each device keeps a copy of all examples, and takes its rows from it. Examples that `load_data` has left in their
    file stay there; every process then reads only the rows of its own devices.

    With several processes (`jax.distributed.initialize`), each of them calls this with the same examples, and then the
    same functions in the same order with equal arguments. What depends on a clock is agreed between them. Every result
    can be read on every process by `numpy.asarray`.

    Args:
        examples: `x` `(n, *shape)`, `y` `(n, n_out)`, as they are or `Shifted`, in memory or left in their file.
        devices: Some of `jax.devices()`, the same on every process; None: all devices of all processes.

    Raises:
        TypeError: `examples` are of another kind, or `devices` is no list of devices.
        ValueError: there are no devices, one is named twice, or none of them belongs to this process.

    Examples:
        >>> import jax, jax.numpy as jnp
        >>> from fnn import SGD, CrossEntropy, Dense, Examples, fit, init, spread
        >>> net, xor = (Dense(1),), Examples(jnp.array([[0.0, 0], [0, 1]]), jnp.array([[0], [1]]))
        >>> start, train = init(net, jax.random.key(0), (2,)), spread(xor, jax.devices()[:1])
        >>> *_, last = fit(net, CrossEntropy(), SGD(1.0), start, train, jax.random.key(1), batch_size=1, epochs=50)
        >>> float(last.train.accuracy)
        1.0
    """
    if not isinstance(examples, Examples | Shifted):
        hint = " Of a Dataset these are data.train, data.validation, data.test." if hasattr(examples, "train") else ""
        raise TypeError(f"spread got a {type(examples).__name__}; expected Examples(x, y) or Shifted(examples).{hint}")
    mesh = mesh_of(jax.devices() if devices is None else devices)
    return _spread_over(mesh, examples)


def _spread_over(mesh: jax.sharding.Mesh, examples: Examples | Shifted) -> Spread:
    in_memory = not isinstance(examples, Examples) or isinstance(examples.x, jax.Array | np.ndarray)
    return Spread(everywhere(examples, mesh) if in_memory else examples, mesh)


def mesh_of(devices: Sequence[jax.Device], axis: str = AXIS) -> jax.sharding.Mesh:
    """The devices along one axis, in their order.

    Raises:
        TypeError: they are no list of devices.
        ValueError: there are none, one is there twice, or none of them belongs to this process.
    """
    if not isinstance(devices, Sequence) or not all(isinstance(device, jax.Device) for device in devices):
        raise TypeError(f"devices={devices!r:.80}: expected a list of devices, such as jax.devices()[:2].")
    if not devices or len(set(devices)) < len(devices):
        raise ValueError(f"devices={list(devices)!r:.80}: expected at least one device, and each of them once.")
    if not any(device.process_index == jax.process_index() for device in devices):
        raise ValueError(f"devices={list(devices)!r:.80}: none belongs to this process, number {jax.process_index()}.")
    return jax.make_mesh((len(devices),), (axis,), axis_types=(jax.sharding.AxisType.Auto,), devices=tuple(devices))


def everywhere(tree: T, mesh: jax.sharding.Mesh) -> T:
    """The tree with a copy of each of its arrays on every device of a mesh.

    Every process gives equal arrays, of which nothing is compared. Numbers of Python and traced arrays stay as they
    are.
    """
    return jax.tree.map(partial(_placed, on=jax.NamedSharding(mesh, jax.P())), tree)


def split(tree: T, mesh: jax.sharding.Mesh) -> T:
    """The tree with the first axis of each of its arrays split over the devices, of which its length is a multiple.

    Every process gives the whole arrays, and puts on its own devices what belongs there.
    """
    return jax.tree.map(partial(_placed, on=jax.NamedSharding(mesh, jax.P(mesh.axis_names[0]))), tree)


def _placed(leaf: Any, on: jax.NamedSharding) -> Any:
    """An array placed; `device_put` across processes would send all of it, to compare it, and refuses keys."""
    if isinstance(leaf, jax.core.Tracer) or not isinstance(leaf, jax.Array | np.ndarray | np.generic):
        return leaf
    if isinstance(leaf, jax.Array):
        if leaf.sharding == on:
            return leaf
        if jax.dtypes.issubdtype(leaf.dtype, jax.dtypes.prng_key):
            return jax.random.wrap_key_data(_placed(jax.random.key_data(leaf), on), impl=jax.random.key_impl(leaf))
    numbers = np.asarray(leaf)
    numbers = numbers.astype(jax.dtypes.canonicalize_dtype(numbers.dtype), copy=False)
    return jax.make_array_from_callback(numbers.shape, on, lambda index: numbers[index])


def gathered(tree: T) -> T:
    """The tree with each array that is split between processes on all their devices, where `numpy.asarray` reads it.

    Where there is such an array, every process has to call this.
    """
    return jax.tree.map(lambda leaf: _whole(leaf) if isinstance(leaf, jax.Array) else leaf, tree)


def _whole(leaf: Array) -> Array:
    if leaf.is_fully_addressable or leaf.is_fully_replicated or not isinstance(leaf.sharding, jax.NamedSharding):
        return leaf
    return _gathering(leaf.sharding.mesh)(leaf)


@cache
def _gathering(mesh: jax.sharding.Mesh) -> Callable[[Array], Array]:
    return jax.jit(lambda leaf: leaf, out_shardings=jax.NamedSharding(mesh, jax.P()))


def local(tree: T) -> T:
    """The tree with this process's own copy of each array, which is the same on all devices."""
    return jax.tree.map(_own, tree)


def unspread(examples: Any) -> Any:
    """The examples themselves, of those that are spread; their arrays stay where they are."""
    return examples.examples if isinstance(examples, Spread) else examples


def _own(leaf: Any) -> Any:
    if not isinstance(leaf, jax.Array):
        return leaf
    if jax.dtypes.issubdtype(leaf.dtype, jax.dtypes.prng_key):
        return jax.random.wrap_key_data(_own(jax.random.key_data(leaf)), impl=jax.random.key_impl(leaf))
    return leaf.addressable_data(0)


def beside(examples: Any, tree: T) -> T:
    """The tree with its arrays on the devices that the examples are spread over; for other examples as it is."""
    return everywhere(tree, examples.mesh) if isinstance(examples, Spread) else tree


def spread_like(train: Any, name: str, part: Any) -> Any:
    """Examples of the name `name`, spread as those to train on are.

    Raises:
        ValueError: they are spread already, over other devices.
    """
    if isinstance(part, Spread) and (not isinstance(train, Spread) or part.mesh != train.mesh):
        raise ValueError(f"{name} is spread over other devices than train; spread train alone, or all over the same.")
    if part is None or isinstance(part, Spread) or not isinstance(train, Spread):
        return part
    return _spread_over(train.mesh, part)


def number_of_devices(examples: Any) -> int:
    """The devices that share each mini-batch of the examples; 1 for examples that are not spread."""
    return examples.mesh.size if isinstance(examples, Spread | SpreadWindow) else 1


def agreement(examples: Any) -> Callable[..., tuple[float, ...]]:
    """The function `agreed` of the processes that share the examples; the identity if one has them for itself."""
    return partial(agreed, examples.mesh) if isinstance(examples, Spread) else lambda *numbers: numbers


def agreed(mesh: jax.sharding.Mesh, *numbers: float) -> tuple[float, ...]:
    """The largest of each number over all processes that have devices of the mesh.

    Each of them has to call this. It is one exchange of a few numbers, in float32. What a clock or a signal decides is
    decided by it, because processes that run different programs wait for each other for ever. If one process has all
    devices, the numbers are returned as they are, and nothing is computed.
    """
    if not mesh.is_multi_process:
        return numbers
    rows = split(np.tile(np.asarray(numbers, np.float32), (mesh.size, 1)), mesh)  # one row for each device
    return tuple(np.asarray(gathered(rows)).max(axis=0).tolist())
