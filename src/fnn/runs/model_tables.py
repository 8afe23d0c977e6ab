"""What a `config.json` says about a trained network, written and read: the net, its inputs and its outputs."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np

from fnn.config.reading import build_cost, build_net
from fnn.config.schema import Types, describe
from fnn.config.sections import TYPES
from fnn.data import Dataset
from fnn.data.arguments import TARGETS
from fnn.data.encoding import Coded, Encoding
from fnn.errors import CorruptFileError, InputError
from fnn.network import shape_out
from fnn.runs.prediction import Model
from fnn.types import Cost, Net, Params, Shape

OWN_TYPES = "types"  # the entry of `config.json` that remembers what `--type` named
LARGEST_AXIS = 2**24  # numbers along an axis of one input; a damaged file may say more
LARGEST_SIZE = 1e300  # of a mean, a deviation or a scale


def network_table(net: Net, cost: Cost) -> dict[str, Any]:
    """The table `network` of a `config.json`."""
    return {"layers": describe(net), "cost": describe(cost)}


def data_table(data: Dataset) -> dict[str, Any]:
    """What a `config.json` says about the data: what the inputs and the outputs are, and how they are scaled."""
    inputs: dict[str, Any] = {
        "scale": float(data.train.scale),
        "mean": np.ravel(data.mean).tolist(),
        "sd": np.ravel(data.sd).tolist(),
        "columns": list(data.columns),
    }
    if data.encoding:
        columns = [{"name": c.name, "texts": list(c.texts), "fill": list(c.fill)} for c in data.encoding.columns]
        inputs["encoding"] = {"columns": columns, "dropped": list(data.encoding.dropped)}
    table: dict[str, Any] = {
        "shape": list(data.shape),
        "classes": list(data.classes),
        "label": data.label,
        "read_as": data.read_as,
        "inputs": inputs,
    }
    if np.ndim(data.y_sd):
        table["outputs"] = {"mean": np.ravel(data.y_mean).tolist(), "sd": np.ravel(data.y_sd).tolist()}
    return table


def read_network(path: Path, table: Any, types: Types) -> tuple[Net, Cost, Shape]:
    """The net, the cost and the shape of one input that a `config.json` says; `path` is for messages.

    Raises:
        CorruptFileError: the table does not say them.
        InputError: the net has a class that is not in `types`.
    """
    if not isinstance(table, dict) or not isinstance(table.get("network"), dict):
        raise CorruptFileError(path, "has no table 'network'")
    _check_own(path, table.get(OWN_TYPES), types)
    try:
        net = build_net(table["network"].get("layers", []), types)
        cost = build_cost(table["network"].get("cost", {}), types)
    except InputError as error:
        raise InputError(f"{path}: {error}") from None
    shape = table.get("shape")
    if not isinstance(shape, list) or not all(type(k) is int and 0 < k <= LARGEST_AXIS for k in shape):
        raise CorruptFileError(path, f"shape is {ascii(shape)[:80]}; expected a list of whole numbers")
    return net, cost, tuple(shape)


def _check_own(path: Path, names: Any, types: Types) -> None:
    """Refuse our class in the place of one of the user's that was trained, has its name, and is one of `names`."""
    for name in names if isinstance(names, list) else ():
        cls = str(name).rpartition(":")[2]
        if cls in TYPES and types.get(cls) is TYPES[cls]:
            raise InputError(
                f"{path}: its {cls!r} is a class of your own, {name}, and not that of fnn; pass "
                f"types=TYPES | {{{cls!r}: ...}}, or --type {name} on the command line."
            )


def model_of(table: dict[str, Any], net: Net, cost: Cost, params: Params, shape: Shape) -> Model:
    """The model that the table in a `config.json` describes.

    A run's table has all entries but `label` and `inputs.columns`, which are newer than the first runs; inputs without
    names go by their position. `inputs.encoding` and `outputs` are there if something is one-hot, filled or left out,
    and if the outputs are standardised. A table that `fnn.save` wrote without a data set has none of them.

    Raises:
        AttributeError, KeyError, TypeError, ValueError: an entry is missing or does not fit the others.
    """
    if "data" not in table and "inputs" not in table:
        return Model(net, cost, params, shape)
    said = table.get("data", table)  # a run's config has the targets and the label among the data's entries
    (label,) = _texts("label", [table.get("label", said.get("label", ""))])
    classes = _texts("classes", table["classes"])
    targets = _targets(said["targets"], len(classes), shape_out(net, shape))
    mean, sd, scale = _units(table["inputs"], shape)
    columns = _texts("inputs.columns", table["inputs"].get("columns", []))
    encoding = _encoding(table["inputs"].get("encoding"), columns, shape)
    if encoding is None and columns and len(columns) != math.prod(shape):
        raise ValueError(f"inputs.columns are {len(columns)} names for {math.prod(shape)} inputs")
    y_mean, y_sd = _output_units(table.get("outputs"), shape_out(net, shape))
    return Model(net, cost, params, shape, classes, columns, label, targets, scale, mean, sd, encoding, y_mean, y_sd)


def _encoding(said: Any, columns: tuple[str, ...], shape: Shape) -> Encoding | None:
    """How the columns of a table become inputs of `shape`; None where the table does not say it."""
    if said is None:
        return None
    encoding = Encoding(tuple(map(_coded, said["columns"])), _texts("inputs.encoding.dropped", said["dropped"]))
    if tuple(column.name for column in encoding.columns) != columns or encoding.n_in != math.prod(shape):
        raise ValueError("inputs.encoding does not have the columns, or is not for these inputs")
    return encoding


def _coded(said: Any) -> Coded:
    (name,) = _texts("inputs.encoding.name", [said["name"]])
    column = Coded(name, _texts(f"the texts of {name!r}", said["texts"]))
    fill = _numbers(f"the fill of {name!r}", said["fill"])
    if len(fill) not in (0, column.width):
        raise ValueError(f"the fill of {name!r} are {len(fill)} numbers for {column.width} inputs")
    return column._replace(fill=tuple(fill.tolist()))


def _output_units(said: Any, out: Shape) -> tuple[np.ndarray | float, np.ndarray | float]:
    """The mean and the deviation of outputs that are standardised; 0 and 1 where the table has none."""
    if said is None:
        return 0.0, 1.0
    mean, sd = (_numbers(f"outputs.{name}", said[name]) for name in ("mean", "sd"))
    if not (mean.shape == sd.shape == out and (sd > 0).all()):
        raise ValueError(f"outputs.mean and outputs.sd are not for {math.prod(out)} outputs, or a deviation is 0")
    return mean, sd


def _targets(said: Any, k: int, out: Shape) -> str:
    """What the outputs are: those of `k` classes or their bits, or quantities; `said` is the entry of the data."""
    if said not in TARGETS:
        raise ValueError(f"targets is {ascii(said)[:80]}")
    targets = "quantity" if not k else "binary" if said == "binary" else "one-hot"
    width = {"one-hot": k, "binary": max(1, (k - 1).bit_length())}.get(targets, math.prod(out))
    if out != (width,):
        raise ValueError(f"{k} classes for {math.prod(out)} outputs")
    return targets


def _units(inputs: Any, shape: Shape) -> tuple[np.ndarray | float, np.ndarray | float, float]:
    """The mean and the deviation that inputs of `shape` are standardised by, and their scale."""
    mean, sd = (_numbers(f"inputs.{name}", inputs[name]) for name in ("mean", "sd"))
    if any(numbers.shape not in ((1,), (math.prod(shape),)) for numbers in (mean, sd)):
        raise ValueError(f"inputs.mean and inputs.sd have shapes {mean.shape} and {sd.shape}")
    (scale,) = _numbers("inputs.scale", [inputs["scale"]])
    if not (scale > 0 and (sd > 0).all()):
        raise ValueError("inputs.scale or inputs.sd is not above 0")
    return _shaped(mean, shape), _shaped(sd, shape), float(scale)


def _numbers(name: str, values: Any) -> np.ndarray:
    if not isinstance(values, list) or not all(type(v) in (int, float) and abs(v) < LARGEST_SIZE for v in values):
        raise ValueError(f"{name} is not a list of finite numbers")
    return np.array(values, np.float64)


def _texts(name: str, values: Any) -> tuple[str, ...]:
    if not isinstance(values, list) or not all(isinstance(v, str) for v in values):
        raise ValueError(f"{name} is not a list of texts")
    if len(set(values)) < len(values):
        raise ValueError(f"{name} has a name twice")
    return tuple(values)


def _shaped(numbers: np.ndarray, shape: Shape) -> np.ndarray | float:
    """One number for each input in their shape, or one number for all."""
    return numbers.reshape(shape) if numbers.size == math.prod(shape) else float(numbers[0])
