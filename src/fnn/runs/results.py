"""What came out of a training: why it stopped, which epoch is kept, and how its net does on each part of the data.

`of` gives the table "results" of a run's `result.json`:

    stopped        why no epoch follows, in words
    epochs         their number
    best_epoch     by validation; left out without validation data
    kept_epoch     the one whose params `params.npz` holds
    task           "classes", "bits", "quantities" or "truth table"
    parts          by name, train, validation and test: what the kept params do there
    mistakes       the test rows, or where there are none the training rows, that are decided wrongly: the surest first

A part has `n`, `cost`, and of classes or bits `accuracy` and what `judging.counts` gives; of quantities `outputs`, see
`judging.errors`; of a truth table its `rows` too. Nothing in it changes when the training is repeated.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from fnn.config.sections import Config
from fnn.data import Dataset
from fnn.examples import Examples
from fnn.network import activations, predict
from fnn.runs import judging, metrics, preparing
from fnn.runs.extending import memory
from fnn.runs.preparing import Prepared
from fnn.schedules import EarlyStopping, HalveOnPlateau
from fnn.training.evaluation import Measure
from fnn.training.totals import rows_at_once
from fnn.types import Params

PARTS = ("train", "validation", "test")
MOST_MISTAKES = 40
MOST_ROWS = 64  # of a truth table


def of(prepared: Prepared, rows: Sequence[Mapping[str, Any]], params: Params) -> dict[str, Any]:
    """The results of a finished training.

    Args:
        prepared: The config, with its data.
        rows: The lines of `metrics.jsonl`.
        params: Those that are kept.
    """
    config, data = prepared.config, prepared.data
    best = metrics.best_epoch(rows)
    kept = best if best and config.training.keep == "best" else len(rows)
    measure = preparing.measure(config, data)
    given = dict(zip(PARTS, data[:3], strict=True))
    judged = {name: _of_part(prepared, params, name, part, rows[kept - 1]) for name, part in given.items() if part.n}
    kind = "quantities" if measure == "none" else "truth table" if is_truth_table(data, measure) else measure
    return {
        "stopped": stopped(config, data, rows),
        "epochs": len(rows),
        **({"best_epoch": best} if best else {}),
        "kept_epoch": kept,
        "task": kind,
        "parts": {name: table for name, (table, _) in judged.items()},
        "mistakes": judged["test" if data.test.n else "train"][1],
    }


def _of_part(
    prepared: Prepared, params: Params, name: str, part: Examples, line: Mapping[str, Any]
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """What is measured on a part of the data, and its mistakes; `line` is that of the kept epoch in `metrics.jsonl`."""
    data, measure = prepared.data, preparing.measure(prepared.config, prepared.data)
    a, y = np.concatenate(list(outputs(prepared, params, part))), np.asarray(part.y)
    table: dict[str, Any] = {"n": part.n, "cost": line.get(f"{name}_cost")}
    if measure == "none":
        return table | {"outputs": judging.errors(output_names(data), in_units(data, a), in_units(data, y))}, []
    decided = judging.decisions(data, measure, a, y)
    table |= {"accuracy": line.get(f"{name}_accuracy")} | judging.counts(decided)
    if is_truth_table(data, measure):
        table["rows"] = _table_rows(data, a, decided)
    return table, judging.mistakes(decided, name, MOST_MISTAKES)


def outputs(prepared: Prepared, params: Params, part: Examples) -> Iterator[np.ndarray]:
    """The outputs `(n, n_out)` for a part of the data, piece by piece; one compiled program takes all pieces."""
    net, cost, data = prepared.config.network.layers, prepared.config.network.cost, prepared.data
    one = jax.eval_shape(activations, net, params, jax.ShapeDtypeStruct((1, *data.shape), jnp.float32))
    size = min(rows_at_once(one), max(other.n for other in data[:3]))
    for first in range(0, part.n, size):
        x = np.asarray(part.rows(slice(first, first + size))[0])
        whole = np.concatenate([x, np.repeat(x[-1:], size - len(x), axis=0)])
        yield np.asarray(jax.jit(predict)(net, cost, params, whole))[: len(x)]


def in_units(data: Dataset, y: np.ndarray) -> np.ndarray:
    """Outputs or desired outputs in the user's units."""
    return y.astype(np.float64) * data.y_sd + data.y_mean


def inputs_in_units(data: Dataset, x: np.ndarray) -> np.ndarray:
    """Inputs as they are stored, `(n, *shape)`, in the user's units."""
    return x.astype(np.float64) * data.sd + data.mean


def input_names(data: Dataset) -> tuple[str, ...]:
    """The names of the inputs, in order; () where they have none. A text of a column may be an input of its own."""
    return data.encoding.inputs if data.encoding else data.columns


def output_names(data: Dataset) -> tuple[str, ...]:
    """The names of the quantities: the label's column, else y, and y[0], y[1], ... where there are several."""
    n_out = data.train.y.shape[1]
    return (data.label or "y",) if n_out == 1 else tuple(f"y[{k}]" for k in range(n_out))


def is_truth_table(data: Dataset, measure: Measure) -> bool:
    """Whether the data are a few training rows alone, with inputs of 0 and 1, in which no row is there twice."""
    rows = data.train.n
    if measure == "none" or rows > MOST_ROWS or data.validation.n or data.test.n or len(data.shape) != 1:
        return False
    x = _bits(data)
    return bool(np.isin(x, (0, 1)).all()) and len(np.unique(x, axis=0)) == rows


def _bits(data: Dataset) -> np.ndarray:
    """The inputs of a truth table in the user's units, without the rounding of what was standardised."""
    return np.round(inputs_in_units(data, np.asarray(data.train.x)), 5)


def _table_rows(data: Dataset, a: np.ndarray, decided: judging.Decisions) -> list[dict[str, Any]]:
    """Every row of a truth table: its inputs, its desired outputs and the net's, and in words what they stand for."""
    columns = zip(_bits(data), np.asarray(data.train.y), a, decided.desired, decided.decided, strict=True)
    return [
        {
            "x": x.astype(int).tolist(),
            "y": y.astype(int).tolist(),
            "a": [metrics.shortest(v) for v in outputs],
            "desired": decided.text(wanted),
            "decided": decided.text(said),
        }
        for x, y, outputs, wanted, said in columns
    ]


def stopped(config: Config, data: Dataset, rows: Sequence[Mapping[str, Any]]) -> str:
    """Why no epoch follows."""
    training, epochs = config.training, len(rows)
    part = "validation" if data.validation.n else "train"
    progress = memory(training.schedule, rows, part)
    if np.float32(rows[-1]["train_cost"]) <= training.target_cost:
        return f"the training cost reached target_cost = {training.target_cost:g} in epoch {epochs}"
    if progress.factor:
        return f"all {epochs:,} epochs are trained" if epochs > 1 else "its one epoch is trained"
    match training.schedule:
        case EarlyStopping():
            score = "accuracy above" if f"{part}_accuracy" in rows[-1] else "cost below"
            name, stale = part.replace("train", "training"), progress.stale
            after = "epoch" if stale == 1 else f"{stale} epochs"
            return f"early stopping: no {name} {score} that of epoch {epochs - stale} in the {after} after it"
        case HalveOnPlateau():
            return f"HalveOnPlateau: after epoch {epochs} eta would be halved to eta/{training.schedule.until}"
    return f"{type(training.schedule).__name__} ended the training after epoch {epochs}"
