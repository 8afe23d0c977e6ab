"""From inputs in their own units to what the network sees, in an ONNX graph; it computes as `Model.predict` does.

Shape letters: `k` columns of a table, `n_in` inputs of the network.
"""

from __future__ import annotations

import math
from itertools import chain
from typing import NamedTuple

import numpy as np

from fnn.data.cells import WHOLE
from fnn.data.encoding import Coded, Encoding
from fnn.interop.onnx_graph import Graph
from fnn.runs.prediction import Model

LARGEST_WHOLE = 2**53  # up to here float64 has every whole number


class Inputs(NamedTuple):
    """What the graph takes."""

    dtype: str  # float64 where numbers that are close to each other have to stay apart, else float32
    shape: tuple[int, ...]  # of one input
    names: tuple[str, ...]  # of the columns; () where they have none
    codes: bool  # whether the graph makes one-hot inputs of numbers
    told: tuple[str, ...]  # what the graph does with them, and what it leaves to its user, a sentence each


def inputs_of(model: Model) -> Inputs:
    """What the graph of a model takes.

    Of a table these are its columns, or, where a one-hot column has texts that are no whole numbers, the inputs of the
    network with their zeros and ones.
    """
    encoding, standardises = model.encoding, _standardises(model)
    codes = encoding is not None and bool(encoding.onehot) and all(map(_is_number, encoding.columns))
    dtype = "float64" if standardises or codes else "float32"
    if encoding is None:
        return Inputs(dtype, model.shape, model.columns, False, (_units(model),))
    names = encoding.inputs if encoding.onehot and not codes else model.columns
    return Inputs(dtype, (len(names),), names, codes, (*_coding(encoding, codes), _units(model)))


def _is_number(column: Coded) -> bool:
    """Whether a column has numbers alone; those of a one-hot column have to be whole, and different."""
    if not column.texts:
        return True
    if not all(map(WHOLE.fullmatch, column.texts)):
        return False
    numbers = [int(text) for text in column.texts]
    return len(set(numbers)) == len(numbers) and max(map(abs, numbers)) <= LARGEST_WHOLE


def _standardises(model: Model) -> bool:
    return bool(np.any(model.mean)) or not np.all(np.equal(model.sd, 1))


def _coding(encoding: Encoding, codes: bool) -> list[str]:
    """What becomes of texts and of missing values."""
    told, columns = [], ", ".join(encoding.onehot)
    if codes:
        told.append(
            f"The graph makes one-hot inputs of {columns}; for a number that is in no training row it gives nan."
        )
    elif columns:
        told.append(f"Not in the graph: texts. Give {columns} as one-hot inputs, 1 for the text of the row, else 0.")
    if any(column.fill for column in encoding.columns):
        told.append("Nan is a missing value; the graph fills it as in the training.")
    return told


def _units(model: Model) -> str:
    if _standardises(model):
        return "Inputs are in their own units: the graph standardises them by the means and deviations of the training."
    if model.scale != 1:
        return f"Inputs are in their own units: the graph multiplies them by {model.scale:.6g}."
    return "Inputs are taken as they are, as in the training."


def scaled(graph: Graph, model: Model, inputs: Inputs) -> str:
    """The nodes that make of `x` what the network sees, in float32."""
    graph.part, x = "inputs", "x"
    if model.encoding is not None:
        x = _encoded(graph, model.encoding, inputs)
    if inputs.codes or inputs.shape != model.shape:
        x = graph.node("Reshape", x, graph.constant("shape", np.array([0, *model.shape])))
    if _standardises(model):
        for op, name, units in (("Sub", "mean", model.mean), ("Div", "sd", model.sd), ("Mul", "scale", model.scale)):
            x = graph.node(op, x, graph.constant(name, np.asarray(units, np.float64)))
        return graph.cast(x, "float32")
    x = graph.cast(x, "float32") if inputs.dtype != "float32" else x
    return x if model.scale == 1 else graph.node("Mul", x, graph.constant("scale", np.float32(model.scale)))


def _encoded(graph: Graph, encoding: Encoding, inputs: Inputs) -> str:
    """The inputs `(batch, n_in)` for `x`, with what is missing filled."""
    column = np.repeat(np.arange(len(encoding.columns)), [c.width for c in encoding.columns])
    cell = graph.node("Gather", "x", graph.constant("column", column), axis=1) if inputs.codes else "x"
    value = _one_hot(graph, encoding, column, cell) if inputs.codes else cell
    fill = [*chain.from_iterable(c.fill or (math.nan,) * c.width for c in encoding.columns)]
    if np.isnan(fill).all():
        return value
    filling = graph.constant("fill", np.array(fill, inputs.dtype))
    return graph.node("Where", graph.node("IsNaN", cell), filling, value)


def _one_hot(graph: Graph, encoding: Encoding, column: np.ndarray, cell: str) -> str:
    """`cell` `(batch, n_in)`, the value of the column of each input, with that of a one-hot input as 0 or 1.

    An unknown number makes nan of all inputs of its column.
    """
    number = [*chain.from_iterable(map(float, c.texts) if c.texts else (math.nan,) for c in encoding.columns)]
    hot = graph.cast(graph.node("Equal", cell, graph.constant("number", np.array(number))), "float64")
    of = np.equal.outer(column, np.arange(len(encoding.columns))).astype(np.float64)  # (n_in, k)
    found = graph.node("MatMul", hot, graph.constant("of", of))
    found = graph.node("Gather", found, graph.constant("columns", column), axis=1)  # (batch, n_in)
    known = graph.node("Greater", found, graph.constant("zero", np.float64(0)))
    hot = graph.node("Where", known, hot, graph.constant("nan", np.float64(math.nan)))
    return graph.node("Where", graph.constant("is_number", encoding.is_number), cell, hot)
