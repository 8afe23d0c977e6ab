"""Each layer as nodes of ONNX, in one place; `NODES` lists them.

A layer of the user's own has no nodes, and none are guessed, not even for a subclass of a layer of fnn.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any

import numpy as np

from fnn.activation_functions import Identity, LeakyReLU, ReLU, Sigmoid, Softmax, Step, Tanh
from fnn.convolution import Conv, ConvPool, Flatten, MaxPool
from fnn.costs import CrossEntropy, LogLikelihood, Quadratic
from fnn.errors import InputError
from fnn.interop.onnx_graph import Graph
from fnn.layers import Dense, Maxout
from fnn.types import Cost, Layer, Params

LONG, NARROW, PARTS = 48, 32, 4  # a sum of so many products or more is made in parts, if there are few of them


def nodes(graph: Graph, where: str, layer: Layer, params: Params, a: str) -> str:
    """The output of a layer for its input `a`; `where` is for the message.

    Raises:
        InputError: the layer is not of fnn.
    """
    if type(layer) not in NODES:
        raise _not_ours(where, layer, NODES)
    return NODES[type(layer)](graph, layer, params, a)


def activation(cost: Cost) -> Layer:
    """The output activation of a cost, as a layer.

    Raises:
        InputError: the cost is not of fnn.
    """
    if type(cost) is Quadratic:
        return cost.activation
    if type(cost) not in OUTPUTS:
        raise _not_ours("the cost", cost, (Quadratic, *OUTPUTS))
    return OUTPUTS[type(cost)]


def _not_ours(where: str, value: object, known: Iterable[type]) -> InputError:
    listed = ", ".join(cls.__name__ for cls in known)
    return InputError(
        f"{where} is {type(value).__name__}, a class of your own, which has no nodes of ONNX here; expected one of "
        f"{listed}. jax.export writes this network: see docs/models_leave.md."
    )


def _dense(graph: Graph, layer: Dense, params: Any, a: str) -> str:
    return _affine(graph, params.W, params.b, a)


def _affine(graph: Graph, W: Any, b: Any, a: str) -> str:
    """`a Wᵀ + b`; a long sum is the sum of `PARTS` shorter ones.

    onnxruntime adds the products one after another. In one part the outputs of trained digits and MNIST are up to
    1.3e-6 from those of fnn, in four parts 7e-7. It is the last layer, which is narrow, that decides; a wide one would
    take twice as long.
    """
    W, b = _floats(graph, "W", W), _floats(graph, "b", b)
    n_out, n_in = graph.constants[W].shape
    if n_in < LONG or n_out > NARROW:
        return graph.node("Gemm", a, W, b, transB=1)
    parts = zip(graph.split(a, PARTS), graph.split(W, PARTS), (b, *[""] * (PARTS - 1)), strict=True)
    return graph.node("Sum", *[graph.node("Gemm", *filter(None, part), transB=1) for part in parts])


def _maxout(graph: Graph, layer: Maxout, params: Any, a: str) -> str:
    """The pieces as one product, and the largest of them; `Max` keeps nan, unlike `ReduceMax` of onnxruntime."""
    W, b = params.W, params.b
    z = _affine(graph, W.reshape(-1, W.shape[-1]), b.reshape(-1), a)
    return graph.node("Max", *graph.split(z, layer.pieces))


def _conv(graph: Graph, layer: Conv | ConvPool, params: Any, a: str) -> str:
    """Neither fnn nor ONNX flips the filter; no padding, a stride of 1."""
    W, b = _floats(graph, "W", params.W), _floats(graph, "b", params.b)
    return graph.node("Conv", a, W, b, kernel_shape=[layer.size, layer.size], strides=[1, 1], pads=[0, 0, 0, 0])


def _max_pool(graph: Graph, size: int, a: str) -> str:
    return graph.node("MaxPool", a, kernel_shape=[size, size], strides=[size, size], pads=[0, 0, 0, 0])


def _step(graph: Graph, layer: Step, params: Any, a: str) -> str:
    """1 where the input is above 0, else 0; nan stays nan."""
    above = graph.cast(graph.node("Greater", a, graph.constant("zero", np.float32(0))), "float32")
    return graph.node("Where", graph.node("IsNaN", a), a, above)


def _floats(graph: Graph, name: str, array: Any) -> str:
    return graph.constant(name, np.asarray(array, np.float32))


def _named(op: str, **attributes: Any) -> Callable[[Graph, Any, Any, str], str]:
    """A layer that ONNX has under this name."""
    return lambda graph, layer, params, a: graph.node(op, a, **attributes)


NODES: Mapping[type, Callable[[Graph, Any, Any, str], str]] = MappingProxyType(
    {
        Dense: _dense,
        Maxout: _maxout,
        Conv: _conv,
        MaxPool: lambda graph, layer, params, a: _max_pool(graph, layer.size, a),
        ConvPool: lambda graph, layer, params, a: _max_pool(graph, layer.pool, _conv(graph, layer, params, a)),
        Flatten: _named("Flatten", axis=1),
        Sigmoid: _named("Sigmoid"),
        Tanh: _named("Tanh"),
        ReLU: _named("Relu"),
        LeakyReLU: lambda graph, layer, params, a: graph.node("LeakyRelu", a, alpha=layer.slope),
        Identity: lambda graph, layer, params, a: a,
        Step: _step,
        Softmax: _named("Softmax", axis=-1),
    }
)
OUTPUTS: Mapping[type, Layer] = MappingProxyType({CrossEntropy: Sigmoid(), LogLikelihood: Softmax()})
