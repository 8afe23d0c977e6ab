"""An ONNX graph that grows node by node; the onnx package is an extra and imported at the first graph."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np

from fnn.errors import InputError

OPSET, IR = 21, 10  # of 2024
LARGEST = 2**31 - 2**20  # bytes of params: a file is one message of protobuf, which has less than 2 GiB
BATCH = "batch"  # the name of the free axis


class Value(NamedTuple):
    """What goes into a graph or comes out of it, a row for each example."""

    name: str
    dtype: str
    shape: tuple[int, ...]  # of one example


class Graph:
    """Nodes and constants, named after the part of the network to which they belong."""

    def __init__(self) -> None:
        """An empty graph.

        Raises:
            InputError: onnx is not installed.
        """
        self.helper = onnx("helper")
        self.nodes: list[Any] = []
        self.constants: dict[str, np.ndarray] = {}
        self.part = ""  # what the next names begin with

    def constant(self, name: str, array: Any) -> str:
        """The name in the graph of a constant array."""
        name = f"{self.part}.{name}"
        self.constants[name] = np.asarray(array)
        return name

    def node(self, op: str, *inputs: str, output: str = "", **attributes: Any) -> str:
        """The name of the output of a new node, whose attributes are those of the operator in ONNX."""
        name = f"{self.part}.{op}.{len(self.nodes)}"
        self.nodes.append(self.helper.make_node(op, inputs, [output or name], name=name, **attributes))
        return output or name

    def split(self, value: str, count: int) -> list[str]:
        """The names of `count` equal parts of a value along its second axis."""
        name = f"{self.part}.Split.{len(self.nodes)}"
        parts = [f"{name}.{i}" for i in range(count)]
        self.nodes.append(self.helper.make_node("Split", [value], parts, name=name, axis=1, num_outputs=count))
        return parts

    def cast(self, value: str, dtype: str) -> str:
        """The value as numbers of this dtype."""
        return self.node("Cast", value, to=self._element(dtype))

    def _element(self, dtype: str) -> int:
        return self.helper.np_dtype_to_tensor_dtype(np.dtype(dtype))

    def _info(self, value: Value) -> Any:
        return self.helper.make_tensor_value_info(value.name, self._element(value.dtype), (BATCH, *value.shape))

    def model(self, x: Value, output: Value, told: str, about: dict[str, str]) -> Any:
        """The checked `onnx.ModelProto`.

        Raises:
            InputError: The params are too large for a file of ONNX.
        """
        size = sum(array.nbytes for array in self.constants.values())
        if size > LARGEST:
            raise InputError(f"{size:,} bytes of params; expected at most {LARGEST:,} for ONNX: use --to safetensors.")
        arrays = [onnx("numpy_helper").from_array(array, name) for name, array in self.constants.items()]
        graph = self.helper.make_graph(self.nodes, "fnn", [self._info(x)], [self._info(output)], arrays)
        opsets = [self.helper.make_opsetid("", OPSET)]
        model = self.helper.make_model(graph, opset_imports=opsets, ir_version=IR, producer_name="fnn")
        model.doc_string = told
        self.helper.set_model_props(model, about)
        onnx("checker").check_model(model, full_check=True)
        return model


def onnx(name: str) -> ModuleType:
    """A module of the onnx package.

    Raises:
        InputError: onnx is not installed.
    """
    try:
        return import_module(f"onnx.{name}")
    except ImportError:
        raise InputError(
            "onnx writes .onnx files, and is not installed; get it with  pip install 'fnn[onnx]'"
        ) from None
