"""`fnn page RUN`: one file of HTML in which a person draws a digit, and the trained network answers."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from fnn.cli.common import all_types
from fnn.cli.writing import written
from fnn.config.reading import rebuilt
from fnn.config.schema import describe
from fnn.data import load_data
from fnn.errors import InputError
from fnn.pages.drawing_page import SCRIPTS, STYLES, sections, title
from fnn.pages.markup import page
from fnn.runs import directory, drawable, handwriting
from fnn.runs.models import load
from fnn.runs.prediction import Model
from fnn.storage.files import write_atomically
from fnn.storage.json_files import read_json

NAME = "page.html"
LOOKED_AT = 2000  # examples whose images are measured


def command(options: argparse.Namespace) -> int:
    """Write the page, say where it is, and return status 0."""
    run, types = Path(options.run), all_types(options.type, [options.run])
    out = run / NAME if options.out is None else _file(options.out)
    directory.check_no_sweep(run)
    directory.check_has_params(run)
    model = load(run, types)
    try:
        html = whole(run, model, types)
    except InputError as error:
        raise InputError(f"{run}: {error}" if not str(error).startswith(str(run)) else str(error)) from None
    with written(out.parent, "make room or name another file by --out"):
        write_atomically(out, html)
    print(f"page: {out} ({len(html) / 1e6:.1f} MB); open it in a browser")
    return 0


def _file(name: str) -> Path:
    """The file that `--out` names, which may be there already.

    Raises:
        InputError: it is a folder, or its folder is missing.
    """
    out = Path(name)
    if out.is_dir() or name.endswith(("/", "\\")):
        raise InputError(f"--out {name}: is a folder; expected a file, such as {out / NAME}.")
    if not out.parent.is_dir():
        raise InputError(f"--out {name}: there is no folder {out.parent}; make it, or name another file.")
    return out


def whole(run: Path, model: Model, types: Mapping[str, type]) -> bytes:
    """The page of a run.

    Raises:
        InputError: nothing can be drawn for this network, or the data are not where they were.
    """
    size = handwriting.size(model.shape, model.columns)
    told = drawable.told(model) | _data(run, model, size, types)
    name = run.resolve().name
    return page(title(name, told["classes"]), sections(_about(model), told, drawable.names(model)), STYLES, SCRIPTS)


def _data(run: Path, model: Model, size: tuple[int, int], types: Mapping[str, type]) -> dict[str, Any]:
    """How the images of the run's data were made, and some of them with the outputs that fnn predict gives for them.

    Of a run without test data they are of its training data. A network that fnn.save wrote has none.
    """
    path = run / "config.json"
    table = read_json(path)
    if "data" not in table:
        if np.any(model.mean) or not np.all(np.equal(model.sd, 1)):
            raise InputError("fnn.save wrote this network without its images, by whose units it is; expected a run.")
        return {
            "frame": handwriting.of_scale(*size, model.scale),
            "examples": _examples(model, np.zeros((0, *size)), []),
        }
    try:
        config = rebuilt(table, types)
    except InputError as error:
        raise InputError(f"{path}: {error}") from None
    directory.check_data(run, config.data)
    data = load_data(**describe(config.data) | {"standardise": False})  # the units of the source
    part = data.test if data.test.n else data.train
    rows = handwriting.chosen(model.classes_of(np.asarray(part.y[:LOOKED_AT], np.float32)))
    return {
        "frame": handwriting.frame(np.asarray(data.train.x[:LOOKED_AT]).reshape(-1, *size)),
        "examples": _examples(model, np.asarray(part.x[:LOOKED_AT])[rows], rows)
        | {"y": model.classes_of(np.asarray(part.y[:LOOKED_AT], np.float32)[rows])},
    }


def _examples(model: Model, x: np.ndarray, rows: list[int]) -> dict[str, Any]:
    """Images in the units of their source, with the outputs for them."""
    a = model.predict(x.reshape(-1, *model.shape))
    return {"x": drawable.packed(x), "a": drawable.packed(a), "rows": rows, "y": []}


def _about(model: Model) -> list[str]:
    """What the network is."""
    layers = ", ".join(map(str, model.net))
    return [f"Layers: {layers}.", f"Cost: {model.cost}, which has the output activation."]
