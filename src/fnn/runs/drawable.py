"""A trained network for a page on which a person draws: its layers and params as texts, and what cannot be drawn."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Any

import numpy as np

from fnn.activation_functions import Identity, LeakyReLU, ReLU, Sigmoid, Softmax, Step, Tanh
from fnn.convolution import Conv, ConvPool, Flatten, MaxPool
from fnn.costs import CrossEntropy, LogLikelihood, Quadratic
from fnn.errors import InputError
from fnn.layers import Dense, Maxout
from fnn.network import shape_out
from fnn.runs.prediction import Model
from fnn.types import Cost, Layer, Params

LAYERS = (  # that network.js knows
    *(Dense, Maxout, Conv, MaxPool, ConvPool, Flatten),
    *(Sigmoid, Tanh, ReLU, LeakyReLU, Identity, Step, Softmax),
)
COSTS = (Quadratic, CrossEntropy, LogLikelihood)
MOST_OUTPUTS = 100


def told(model: Model) -> dict[str, Any]:
    """What a page is told about a network: the layers, the last of which is the output of the cost, and the scaling.

    Raises:
        InputError: a layer or the cost is not of fnn, or the outputs are not classes.
    """
    _check_outputs(model)
    layers = [_layer(f"layer {k}", layer, p) for k, (layer, p) in enumerate(zip(model.net, model.params, strict=True))]
    return {
        "layers": [*layers, output(model.cost)],
        "shape": list(model.shape),
        "inputs": _scaling(model),
        "classes": list(model.classes) or [str(k) for k in range(_width(model))],
        "bits": model.targets == "binary",
    }


def names(model: Model) -> list[str]:
    """What the outputs are called: classes, or bits of their numbers."""
    width = _width(model)
    if model.targets != "binary":
        return list(model.classes) or [str(k) for k in range(width)]
    return [model.classes[1]] if width == 1 else [f"bit {2 ** (width - 1 - k)}" for k in range(width)]


def packed(array: np.ndarray) -> dict[str, str]:
    """The numbers of an array as a text: bytes, float64, or else float32; the shape is not in it."""
    kind, dtype = {"uint8": ("u8", "u1"), "float64": ("f64", "<f8")}.get(str(array.dtype), ("f32", "<f4"))
    return {kind: base64.b64encode(np.ascontiguousarray(array, dtype).tobytes()).decode()}


def _width(model: Model) -> int:
    (width,) = shape_out(model.net, model.shape)
    return width


def _check_outputs(model: Model) -> None:
    if model.targets == "quantity":
        raise InputError("its outputs are quantities; expected classes, such as the ten digits.")
    if _width(model) > MOST_OUTPUTS:
        raise InputError(f"it has {_width(model):,} outputs; a page shows at most {MOST_OUTPUTS} bars.")


def _layer(where: str, layer: Layer, params: Params) -> dict[str, Any]:
    if type(layer) not in LAYERS:
        raise InputError(_unknown(where, layer, LAYERS))
    fields = {name: value for name, value in vars(layer).items() if "initializer" not in name}
    arrays = {
        name: packed(np.asarray(value, np.float32)) for name, value in (params._asdict() if params else {}).items()
    }
    return {"type": type(layer).__name__} | fields | arrays


def output(cost: Cost) -> dict[str, Any]:
    """The output activation of a cost, as a layer."""
    if type(cost) not in COSTS:
        raise InputError(_unknown("the cost", cost, COSTS))
    if isinstance(cost, Quadratic):
        return _layer("the cost's activation", cost.activation, ())
    return {"type": "Sigmoid" if isinstance(cost, CrossEntropy) else "Softmax"}


def _unknown(where: str, value: object, known: Sequence[type]) -> str:
    listed = ", ".join(cls.__name__ for cls in known)
    return (
        f"{where} is {type(value).__name__}, a class of your own, and the page has no JavaScript for it; expected one "
        f"of {listed}. fnn predict computes this run."
    )


def _scaling(model: Model) -> dict[str, Any]:
    """The scaling of the inputs; without a mean where nothing is subtracted or divided."""
    if not np.any(model.mean) and np.all(np.equal(model.sd, 1)):
        return {"scale": model.scale, "mean": None, "sd": None}
    mean, sd = (packed(np.ravel(np.asarray(units, np.float64))) for units in (model.mean, model.sd))
    return {"scale": model.scale, "mean": mean, "sd": sd}
