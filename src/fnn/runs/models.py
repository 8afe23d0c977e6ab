"""A trained network on disk: `config.json` describes it, and `params.npz` holds its arrays, bit for bit."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import jax
import numpy as np

from fnn.config.reading import build_cost, build_net
from fnn.config.schema import Types, describe
from fnn.config.sections import TYPES
from fnn.errors import CorruptFileError, InputError
from fnn.network import init
from fnn.storage.arrays import read_npz, write_npz
from fnn.storage.json_files import read_json, write_json
from fnn.types import Cost, Net, Params, Shape, leaf_name

LARGEST_AXIS = 2**24  # numbers along an axis of one input; a damaged file may say more


def save(path: str | os.PathLike[str], net: Net, cost: Cost, params: Params, shape: Shape) -> None:
    """Write a network into the folder `path`, for `load`.

    Args:
        path: A folder, made if it is missing. A network that is already in it is replaced.
        net: The layers.
        cost: The cost, which has the output activation.
        params: The params of `net`.
        shape: The shape of one input, as for `init`.

    Raises:
        ValueError: `params` are not those of `net` for inputs of `shape`.
        OSError: a file cannot be written, for example because the disk is full.
    """
    if _shapes(params) != _shapes(_template(net, shape)):
        raise ValueError(f"params do not fit: expected those of init(net, key, {shape}) for this net.")
    Path(path).mkdir(parents=True, exist_ok=True)
    write_json(Path(path, "config.json"), {"network": network_table(net, cost), "shape": list(shape)})
    save_params(path, params)


def network_table(net: Net, cost: Cost) -> dict[str, Any]:
    """The table `network` of a `config.json`."""
    return {"layers": describe(net), "cost": describe(cost)}


def save_params(path: str | os.PathLike[str], params: Params) -> None:
    """Write `params.npz` into the folder `path`, an array per leaf; the same params give the same bytes."""
    write_npz(Path(path, "params.npz"), named(params))


def named(params: Params) -> dict[str, np.ndarray]:
    """The leaves of a tree as NumPy arrays by name: the number of the layer and the field, `0.W`."""
    return {leaf_name(path): np.asarray(leaf) for path, leaf in jax.tree.leaves_with_path(params)}


def load(run: str | os.PathLike[str], types: Types = TYPES) -> tuple[Net, Cost, Params]:
    """The net, the cost and the params of a run directory, or of a folder that `save` wrote.

    Args:
        run: The folder.
        types: The classes that the file may name; `TYPES | {"Swish": Swish}` adds one of your own.

    Raises:
        CorruptFileError: a file is missing or damaged, or the arrays are not those of the net.
        InputError: there is no such folder, or the net has a class that is not in `types`.
    """
    net, cost, shape = _description(run, types)
    path = Path(run, "params.npz")
    try:
        template = _template(net, shape)
    except (TypeError, ValueError, ArithmeticError) as error:
        raise CorruptFileError(Path(run, "config.json"), f"has a net that cannot be: {error}") from None
    expected = _shapes(template)
    arrays = read_npz(path, tuple(expected))
    for key, array in arrays.items():
        if array.shape != expected[key] or array.dtype.kind != "f":
            raise CorruptFileError(path, f"{key} is {array.dtype}{array.shape}, the net needs floats {expected[key]}")
    return net, cost, jax.tree.unflatten(jax.tree.structure(template), jax.device_put(list(arrays.values())))


def _description(run: str | os.PathLike[str], types: Types) -> tuple[Net, Cost, Shape]:
    path = Path(run, "config.json")
    if not Path(run).is_dir():
        raise InputError(f"{run}: there is no such folder; expected a run directory.")
    table = read_json(path)
    if not isinstance(table, dict) or not isinstance(table.get("network"), dict):
        raise CorruptFileError(path, "has no table 'network'")
    try:
        net = build_net(table["network"].get("layers", []), types)
        cost = build_cost(table["network"].get("cost", {}), types)
    except InputError as error:
        raise InputError(f"{path}: {error}") from None
    shape = table.get("shape")
    if not isinstance(shape, list) or not all(type(k) is int and 0 < k <= LARGEST_AXIS for k in shape):
        raise CorruptFileError(path, f"shape is {shape!r}; expected a list of whole numbers")
    return net, cost, tuple(shape)


def _template(net: Net, shape: Shape) -> Params:
    """The shapes and dtypes of a net's params. Nothing is allocated, however large the net is."""
    return jax.eval_shape(lambda key: init(net, key, shape), jax.random.key(0))


def _shapes(params: Params) -> dict[str, Shape]:
    return {leaf_name(path): tuple(leaf.shape) for path, leaf in jax.tree.leaves_with_path(params)}
