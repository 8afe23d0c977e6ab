"""What a file of another library says about a trained network beside its arrays, as a table that JSON takes."""

from __future__ import annotations

from typing import Any

import numpy as np

from fnn import __version__
from fnn.config.schema import describe
from fnn.runs.prediction import Model


def metadata(model: Model) -> dict[str, Any]:
    """The network, its inputs and its outputs, in the words of a run's `config.json`.

    Without an encoding the network sees `((x - mean)/sd) * scale`. Where the outputs are standardised quantities, those
    in the units of the source are `y * y_sd + y_mean`.
    """
    table = {
        "fnn_version": __version__,
        "layers": describe(model.net),
        "cost": describe(model.cost),
        "shape": list(model.shape),
        "columns": list(model.columns),
        "classes": list(model.classes),
        "targets": model.targets,
        "label": model.label,
        "scale": model.scale,
        "mean": np.ravel(model.mean).tolist(),
        "sd": np.ravel(model.sd).tolist(),
    }
    if np.ndim(model.y_sd):
        table |= {"y_mean": np.ravel(model.y_mean).tolist(), "y_sd": np.ravel(model.y_sd).tolist()}
    if model.encoding:
        columns = [{"name": c.name, "texts": list(c.texts), "fill": list(c.fill)} for c in model.encoding.columns]
        table["encoding"] = columns
    return table
