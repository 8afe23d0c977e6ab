"""The pictures of a finished run: the learning curves, the monitor, what it decides or predicts, and of images more."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from fnn.cli import run_summary
from fnn.cli.run_summary import SAID
from fnn.data.shapes import image_size
from fnn.examples import Examples
from fnn.plots import confusion, curves, fits, images, monitors
from fnn.runs import results
from fnn.runs.preparing import Prepared
from fnn.types import Cost, Params

MOST_POINTS = 2000  # of a part; more hide each other
CURVE_POINTS = 400


class Run(NamedTuple):
    """A finished run, of which pictures are drawn."""

    folder: Path
    prepared: Prepared
    params: Params  # those that are kept
    history: Sequence[dict[str, Any]]  # the lines of the metrics
    results: Mapping[str, Any]  # see `fnn.runs.results`

    @property
    def name(self) -> str:
        """Of the config."""
        return self.prepared.config.name


def draw(run: Run) -> list[str]:
    """Write the pictures that apply, and return their names.

    Raises:
        ImportError: matplotlib is not installed.
    """
    drawn = {
        "learning.png": _learning(run),
        "monitor.png": _monitor(run),
        "confusion.png": _confusion(run),
        "fit.png": _fit(run),
        "weights.png": _weights(run),
        "mistakes.png": _mistakes(run),
    }
    return [name for name, is_there in drawn.items() if is_there]


def _learning(run: Run) -> bool:
    cost, best = cost_name(run.prepared.config.network.cost), run.results.get("best_epoch", 0)
    curves.learning(run.history, run.folder / "learning.png", run.name, cost, best)
    return True


def cost_name(cost: Cost) -> str:
    """The name of a cost in words: cross-entropy cost."""
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", "-", type(cost).__name__).lower()
    return words if words.endswith(("cost", "loss")) else f"{words} cost"


def _monitor(run: Run) -> bool:
    config = run.prepared.config
    if config.monitor.on:
        names = [f"{i} {type(layer).__name__}" for i, layer in enumerate(config.network.layers)]
        monitors.monitor(run.history, names, run.folder / "monitor.png", run.name)
    return config.monitor.on


def _confusion(run: Run) -> bool:
    """Who is taken for whom, on the part that says most; a truth table is told row by row instead."""
    name = run_summary.judged(run.results)
    part = run.results["parts"][name]
    if "confusion" not in part or run.results["task"] == "truth table":
        return False
    right = run_summary.percent(part["accuracy"], run_summary.NOT_FINITE)
    title = f"{run.name}: {part['n']:,} {SAID[name]} rows, accuracy {right}"
    classes = [row["class"] for row in part["classes"]]
    confusion.confusion(part["confusion"], classes, run.folder / "confusion.png", title)
    return True


def _fit(run: Run) -> bool:
    """The curve of a net with one input over the points, else what is predicted against what is desired."""
    if run.results["task"] != "quantities":
        return False
    data, last = run.prepared.data, run_summary.judged(run.results)
    names, path = results.output_names(data), run.folder / "fit.png"
    parts = [_points(run, name, getattr(data, name)) for name in dict.fromkeys(("train", last))]
    error = run.results["parts"][last]["outputs"]
    title = f"{run.name}: the fit of {len(error)} quantities"
    if len(error) == 1:
        r2 = "" if error[0]["r2"] is None else f", R² {error[0]['r2']:.4f}"
        title = f"{run.name}: {SAID[last]} RMSE {run_summary.number(error[0]['rmse'])}{r2}"
    if math.prod(data.shape) > 1:
        fits.predictions(parts, names, path, title)
    else:
        x = np.concatenate([np.asarray(getattr(data, part.name).x) for part in parts])
        grid = np.linspace(x.min(), x.max(), CURVE_POINTS).astype(data.train.dtype).reshape(-1, *data.shape)
        net = _points(run, "net", Examples(grid, np.zeros((len(grid), len(names)), np.float32), data.train.scale))
        fits.curve(parts, net, (results.input_names(data) or ("x",))[0], names, path, title)
    return True


def _points(run: Run, name: str, part: Examples) -> fits.Part:
    """Examples in the user's units with what is predicted for them; of very many some, evenly spread."""
    data, at = run.prepared.data, np.linspace(0, part.n - 1, min(part.n, MOST_POINTS)).astype(int)
    shown = part.take(at)
    a = np.concatenate(list(results.outputs(run.prepared, run.params, shown)))
    said = SAID.get(name, "the net") + (f", {len(at):,} of {part.n:,}" if len(at) < part.n else "")
    x = results.inputs_in_units(data, np.asarray(shown.x))
    return fits.Part(name, said, x, results.in_units(data, np.asarray(shown.y)), results.in_units(data, a))


def _image_size(run: Run) -> tuple[int, int]:
    """Height and width of the examples; `(0, 0)` if they are no images."""
    return image_size(run.prepared.config.data.source, run.prepared.data.shape)


def _weights(run: Run) -> bool:
    size = _image_size(run)
    if not min(size):
        return False
    weights = images.first_weights(run.params, size)
    if len(weights):
        images.weights(weights, run.folder / "weights.png", run.name)
    return len(weights) > 0


def _mistakes(run: Run) -> bool:
    """The images that the net decides wrongly, the surest first."""
    rows, data, size = run.results["mistakes"], run.prepared.data, _image_size(run)
    if not (rows and min(size)):
        return False
    name = rows[0]["part"]
    table = run.results["parts"][name]
    wrong = len(rows) if table["accuracy"] is None else table["n"] - round(table["accuracy"] * table["n"])
    shown = np.asarray(getattr(data, name).x[np.array([row["row"] for row in rows])])
    pictures = shown.reshape(len(rows), -1, *size)[:, 0]
    images.mistakes(pictures, rows, wrong, table["n"], run.folder / "mistakes.png", f"{run.name}: {SAID[name]} images")
    return True
