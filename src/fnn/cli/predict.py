"""`fnn predict RUN [FILE]`: the outputs of a trained run for new inputs, as a csv."""

from __future__ import annotations

import argparse
import csv
import sys
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from fnn.cli.common import all_types
from fnn.config.reading import rebuilt
from fnn.config.schema import describe
from fnn.data import load_data, load_inputs
from fnn.errors import CorruptFileError, InputError
from fnn.runs import directory
from fnn.runs.models import load
from fnn.runs.prediction import INPUTS_AT_ONCE, Model, outputs, scaled_outputs
from fnn.storage.json_files import read_json


def command(options: argparse.Namespace) -> int:
    """Print a row per input: its outputs, and its class where the run has classes; status 0."""
    run, types = Path(options.run), all_types(options.type)
    directory.check_no_sweep(run)
    model = load(run, types)
    a = of_own_data(model, run, types) if options.file is None else of_file(model, options.file)
    classes = model.classes_of(a)
    rows = csv.writer(sys.stdout, lineterminator="\n")
    rows.writerow(["row", *(["class"] if classes else []), *(f"output_{k}" for k in range(a.shape[1]))])
    rows.writerows([i, *classes[i : i + 1], *(f"{v:.6g}" for v in row)] for i, row in enumerate(a))
    return 0


def of_file(model: Model, file: str) -> np.ndarray:
    """The outputs for the inputs in a file, in their own units; those of a table are matched by name.

    Raises:
        InputError: the file does not hold inputs that the network takes.
        CorruptFileError: the file is damaged.
    """
    x = load_inputs(file, model.shape, label=model.label, columns=model.columns)
    try:
        return outputs(model, x)
    except (InputError, CorruptFileError):
        raise
    except (TypeError, ValueError) as error:
        raise InputError(f"{file}: {error}") from None


def of_own_data(model: Model, run: Path, types: Mapping[str, type]) -> np.ndarray:
    """The outputs for the run's own test data, or for its training data where it has no test data.

    Raises:
        InputError: the folder has no data of its own, or they are not where they were.
        CorruptFileError: a file is damaged.
    """
    path = run / "config.json"
    table = read_json(path)
    if "data" not in table:
        raise InputError(f"{run}: fnn.save wrote this network, which has no data of its own; name a FILE of inputs.")
    try:
        config = rebuilt(table, types).data
    except InputError as error:
        raise InputError(f"{path}: {error}") from None
    directory.check_data(run, config)
    data = load_data(**describe(config))
    examples = data.test if data.test.n else data.train
    starts = range(0, examples.n, INPUTS_AT_ONCE)
    return scaled_outputs(model, (examples.rows(slice(i, i + INPUTS_AT_ONCE))[0] for i in starts))
