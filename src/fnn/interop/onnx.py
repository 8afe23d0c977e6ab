"""A trained network as an ONNX model, which takes inputs in their own units, as `fnn predict` does.

The graph has the scaling of the run in front, then the layers, the output activation of the cost, and the units of
quantities. The batch axis is free. `fnn.interop.onnx_layers` has the nodes of each layer.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np

from fnn.interop.metadata import metadata
from fnn.interop.onnx_graph import BATCH, Graph, Value
from fnn.interop.onnx_inputs import inputs_of, scaled
from fnn.interop.onnx_layers import activation, nodes
from fnn.network import shape_out
from fnn.runs.prediction import Model

LISTED = 12  # columns or classes in a line


def to_onnx(model: Model) -> Any:
    """A checked `onnx.ModelProto` with the input `x` `(batch, *shape)` and the output `outputs` `(batch, n_out)`.

    A row with a number that `model.predict` refuses (nan, infinite, or too large for float32) gives nan. Outputs that
    were standardised for the training are in the units of the source, in float64, as those of `model.predict`. The
    `doc_string` says what the graph takes and gives; `metadata_props` have the columns, the classes and the rest.

    Raises:
        InputError: onnx is not installed, a layer or the cost is not of fnn, or the params are too large for a file of
            ONNX.
    """
    graph, inputs = Graph(), inputs_of(model)
    a = x = scaled(graph, model, inputs)
    for k, (layer, params) in enumerate(zip(model.net, model.params, strict=True)):
        graph.part = str(k)
        a = nodes(graph, f"layer {k}", layer, params, a)
    graph.part = "outputs"
    a = nodes(graph, "the cost's activation", activation(model.cost), (), a)
    a = _in_their_units(graph, model, graph.node("Add", a, _nan_if_refused(graph, x)))
    x_in = Value("x", inputs.dtype, inputs.shape)
    out = Value(a, "float64" if np.ndim(model.y_sd) else "float32", shape_out(model.net, model.shape))
    about = {name: value if isinstance(value, str) else json.dumps(value) for name, value in metadata(model).items()}
    return graph.model(
        x_in,
        out,
        "\n".join((_takes(x_in, inputs.names), *inputs.told, f"{_said(out)}: {_outputs(model)}")),
        {"inputs": json.dumps(inputs.names)} | about,
    )


def _nan_if_refused(graph: Graph, x: str) -> str:
    """0 for each row, `(batch, 1)`; nan where an input is nan or infinite, which MaxPool of onnxruntime passes over."""
    nothing = graph.node("Mul", graph.node("Flatten", x, axis=1), graph.constant("nothing", np.float32(0)))
    return graph.node("ReduceSum", nothing, graph.constant("axis", np.array([1])), keepdims=1)


def _in_their_units(graph: Graph, model: Model, a: str) -> str:
    """The outputs in the units of the source."""
    if np.ndim(model.y_sd):
        a = graph.node("Mul", graph.cast(a, "float64"), graph.constant("sd", np.asarray(model.y_sd, np.float64)))
        a = graph.node("Add", a, graph.constant("mean", np.asarray(model.y_mean, np.float64)))
    return graph.node("Identity", a, output="outputs")


def _said(value: Value) -> str:
    return f"{value.name}: {value.dtype} ({', '.join(map(str, (BATCH, *value.shape)))})"


def _takes(x: Value, names: Sequence[str]) -> str:
    """The input, and the names of its columns where they have some."""
    return f"{_said(x)}" + (f": {_listed(names)}" if names else "") + "."


def _outputs(model: Model) -> str:
    """What the outputs are, in a sentence."""
    if model.targets == "quantity":
        return "quantities in the units of the source."
    if not model.classes:
        return "they have no names."
    if model.targets == "binary":
        return f"the bits of the number of the class, the highest first; the classes are {_listed(model.classes)}."
    return f"one for each class, {_listed(model.classes)}."


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:LISTED]) + (f", ... ({len(names)})" if len(names) > LISTED else "")
