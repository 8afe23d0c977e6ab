"""A trained network on disk: `config.json` describes it, and `params.npz` holds its arrays, bit for bit."""

from __future__ import annotations

import operator
import os
from pathlib import Path
from typing import Any

import jax
import numpy as np

from fnn.config.schema import Types
from fnn.config.sections import TYPES
from fnn.data import Dataset
from fnn.errors import CorruptFileError, InputError
from fnn.network import init, shape_out
from fnn.runs.model_tables import data_table, model_of, network_table, read_network
from fnn.runs.prediction import Model
from fnn.storage.arrays import read_npz, write_npz
from fnn.storage.json_files import read_json, write_json
from fnn.storage.paths import user_path
from fnn.types import Cost, Net, Params, Shape, leaf_name

OTHER_KINDS = "biucOSUMm"  # of arrays: all but floats, also those that NumPy does not know


def save(
    path: str | os.PathLike[str], net: Net, cost: Cost, params: Params, shape: Shape, *, data: Dataset | None = None
) -> None:
    """Write a network into the folder `path`, for `load`.

    Args:
        path: A folder, made if it is missing. A network that is already in it is replaced.
        net: The layers.
        cost: The cost, which has the output activation.
        params: The params of `net`.
        shape: The shape of one input, as for `init`.
        data: The data set of the training. Its scaling, its columns and its classes are kept; the `predict` of the
            loaded model then takes inputs in the units of its source. Without it, inputs are taken as they are.

    Raises:
        InputError: `path` is empty, or begins with ~ and a user that does not exist.
        TypeError: the cost, the params or the data are of another kind.
        ValueError: `params` are not those of `net` for inputs of `shape`, or not finite; or `data` is not for `net`, or
            has units or names that cannot be kept.
        OSError: a file cannot be written, for example because the disk is full.
    """
    shape = tuple(operator.index(k) for k in shape)
    if _shapes(params) != _shapes(_template(net, shape)):
        raise ValueError(f"params do not fit: expected those of init(net, key, {shape}) for this net.")
    if not isinstance(cost, Cost) or isinstance(cost, type):
        raise TypeError(f"cost is {cost!r}; expected a cost, such as LogLikelihood().")
    if not isinstance(data, Dataset | None):
        raise TypeError(f"data is a {type(data).__name__}; expected the Dataset that load_data gives.")
    _check_params(params, net, shape)
    table: dict[str, Any] = {"network": network_table(net, cost), "shape": list(shape)}
    if data is not None:
        table |= data_table(data) | {"targets": _targets(data, net, shape)}
        model_of(table, net, cost, params, shape)  # what cannot be loaded is not saved either
    folder = Path(user_path(os.fsdecode(path), "the folder"))
    folder.mkdir(parents=True, exist_ok=True)
    write_json(folder / "config.json", table)
    save_params(folder, params)


def _check_params(params: Params, net: Net, shape: Shape) -> None:
    """Refuse params that `load` would refuse: those that are no floats, or not finite as the net has them."""
    dtypes = {leaf_name(path): leaf.dtype for path, leaf in jax.tree.leaves_with_path(_template(net, shape))}
    for name, array in named(params).items():
        if array.dtype.kind in OTHER_KINDS:
            raise TypeError(f"params: {name} is an array of {array.dtype}; expected floats.")
        _check_finite(f"params: {name}", array)
        _fitted(f"params: {name}", array, dtypes[name])


def _targets(data: Dataset, net: Net, shape: Shape) -> str:
    """Whether the outputs are one for each class, the bits of its number, or quantities."""
    outputs, n_out = data.train.y.shape[1:], shape_out(net, shape)
    if (tuple(data.shape), outputs) != (shape, n_out):
        raise ValueError(
            f"data have inputs of shape {data.shape} and outputs of shape {outputs}; the net takes {shape} and gives "
            f"{n_out}. Pass the data set of its training."
        )
    if not data.classes:
        return "quantity"
    return "one-hot" if n_out == (len(data.classes),) else "binary"


def save_params(path: str | os.PathLike[str], params: Params) -> None:
    """Write `params.npz` into the folder `path`, an array per leaf; the same params give the same bytes."""
    write_npz(Path(path, "params.npz"), named(params))


def named(params: Params) -> dict[str, np.ndarray]:
    """The leaves of a tree as NumPy arrays by name: the number of the layer and the field, `0.W`."""
    return {leaf_name(path): np.asarray(leaf) for path, leaf in jax.tree.leaves_with_path(params)}


def load(run: str | os.PathLike[str], types: Types = TYPES) -> Model:
    """The model in a run directory, or in a folder that `save` wrote: `load(run).predict(raw)`.

    The params are those in the file, bit for bit. Params in float64 are rounded to the nearest float32, unless JAX
    has float64 switched on.

    Args:
        run: The folder.
        types: The classes that the file may name; `TYPES | {"Swish": Swish}` adds one of your own.

    Raises:
        CorruptFileError: a file is missing or damaged, the arrays are not those of the net, or a number in them is nan,
            infinite, or too large for float32.
        InputError: there is no such folder, there is no network in it, or the net has a class that is not in `types`.
    """
    folder = Path(user_path(os.fsdecode(run), "the folder"))
    path = folder / "config.json"
    if not folder.is_dir():
        raise InputError(f"{run}: there is no such folder; expected a run directory.")
    if not path.exists() and not (folder / "params.npz").exists():
        raise InputError(
            f"{run}: has no config.json and no params.npz; expected a run directory, or what fnn.save wrote."
        )
    table = read_json(path)
    net, cost, shape = read_network(path, table, types)
    try:
        template = _template(net, shape)
    except (TypeError, ValueError, ArithmeticError) as error:
        raise CorruptFileError(path, f"has a net that cannot be: {error}") from None
    params = read_params(folder / "params.npz", template)
    try:
        return model_of(table, net, cost, params, shape)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise CorruptFileError(path, f"is not the config of a run: {error!r}; fnn run writes one") from None


def read_params(path: Path, template: Params) -> Params:
    """The params in a file, which are as many arrays of the same shapes as in the template.

    Raises:
        CorruptFileError: the file is missing or damaged, or holds other arrays.
    """
    leaves = {leaf_name(place): leaf for place, leaf in jax.tree.leaves_with_path(template)}
    arrays = read_npz(path, tuple(leaves))
    for key, array in arrays.items():
        if array.shape != leaves[key].shape or array.dtype.kind != "f":
            expected = tuple(leaves[key].shape)
            raise CorruptFileError(path, f"{key} is {array.dtype}{array.shape}, the net needs floats {expected}")
        try:
            _check_finite(key, array)
            arrays[key] = _fitted(key, array, leaves[key].dtype)
        except ValueError as error:
            raise CorruptFileError(path, f"{error}; the training diverged, or the file is damaged") from None
    return jax.tree.unflatten(jax.tree.structure(template), jax.device_put(list(arrays.values())))


def _check_finite(name: str, array: np.ndarray) -> None:
    finite = np.isfinite(array)
    if not finite.all():
        raise ValueError(f"{_entry(name, array, finite)}; expected finite numbers")


def _fitted(name: str, array: np.ndarray, dtype: np.dtype[Any]) -> np.ndarray:
    """The array as it is, or rounded to the nearest numbers of `dtype` if that has fewer bits."""
    if array.dtype.itemsize <= dtype.itemsize:
        return array
    with np.errstate(over="ignore"):  # what is too large becomes inf, and is refused below
        rounded = array.astype(dtype)
    finite = np.isfinite(rounded)
    if not finite.all():
        raise ValueError(f"{_entry(name, array, finite)}, which is too large for {dtype}")
    return rounded


def _entry(name: str, array: np.ndarray, right: np.ndarray) -> str:
    """The first entry that is not right, in words: `0.W[2, 5] is nan`."""
    place = [int(k) for k in np.unravel_index(right.argmin(), array.shape)]
    return f"{name}{place if place else ''} is {array[tuple(place)]}"


def _template(net: Net, shape: Shape) -> Params:
    """The shapes and dtypes of a net's params. Nothing is allocated, however large the net is."""
    return jax.eval_shape(lambda: init(net, jax.random.key(0), shape))


def _shapes(params: Params) -> dict[str, Shape]:
    return {leaf_name(path): tuple(leaf.shape) for path, leaf in jax.tree.leaves_with_path(params)}
