"""`fnn predict RUN [FILE]`: the outputs of a trained run for new inputs, as a csv."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from fnn.cli import prediction_table
from fnn.cli.common import all_types
from fnn.cli.desired_in_file import desired_in
from fnn.cli.prediction_table import Desired
from fnn.cli.writing import written
from fnn.config.reading import rebuilt
from fnn.config.schema import describe
from fnn.data import load_data, load_inputs
from fnn.errors import CorruptFileError, InputError
from fnn.examples import Examples
from fnn.runs import directory, preparing
from fnn.runs.models import load
from fnn.runs.prediction import INPUTS_AT_ONCE, Model, outputs, scaled_outputs
from fnn.storage.files import write_atomically
from fnn.storage.json_files import read_json
from fnn.training.evaluation import Measure


def command(options: argparse.Namespace) -> int:
    """Print a row per input: its outputs, its class where the run has classes, and what is desired; status 0.

    How right the rows are goes to stderr, so that stdout stays a csv, or to stdout if the csv goes to a file.
    """
    run, types = Path(options.run), all_types(options.type, [options.run])
    out = None if options.out is None else _free(options.out, run, options.file)
    directory.check_no_sweep(run)
    directory.check_has_params(run)
    model = load(run, types)
    if options.file is None:
        where, a, desired = with_own_data(model, run, types)
    else:
        where, a = options.file, of_file(model, options.file)
        desired = desired_in(options.file, model, a)
    table = prediction_table.text(model, a, desired)
    if out is None:
        print(table, end="")
    else:
        with written(out.parent, "make room or name another file by --out"):
            write_atomically(out, table.encode())
        print(f"{len(a):,} predictions: {options.out}")
    if desired is not None:
        print(prediction_table.score(model, desired, where), file=sys.stdout if out else sys.stderr, flush=True)
    return 0


def _free(name: str, run: Path, file: str | None) -> Path:
    """The file that `--out` names, which may be there already.

    Raises:
        InputError: it is no file, its folder is missing, or the command reads it.
    """
    out = Path(name).resolve()
    if out.is_dir() or name.endswith(("/", "\\")):
        raise InputError(f"--out {name}: is a folder; expected a file, such as {Path(name, 'predictions.csv')}.")
    if not out.parent.is_dir():
        raise InputError(f"--out {name}: there is no folder {out.parent}; make it, or name another file.")
    if out.exists() and not out.is_file():
        raise InputError(f"--out {name}: is no ordinary file, and would be replaced; write > {name} instead of --out.")
    own = out.parent == run.resolve() and out.exists() and out.suffix != ".csv"
    if own or (file is not None and out == Path(file).resolve()):
        raise InputError(f"--out {name}: this file would be lost, it is read here; expected another name.")
    return out


def of_file(model: Model, file: str) -> np.ndarray:
    """The outputs for the inputs in a file, in their own units; those of a table are matched by name.

    Raises:
        InputError: the file does not hold inputs that the network takes.
        CorruptFileError: the file is damaged.
    """
    x = load_inputs(file, model.shape, label=model.label, columns=model.columns, encoding=model.encoding)
    try:
        return outputs(model, x)
    except (InputError, CorruptFileError):
        raise
    except (TypeError, ValueError) as error:
        raise InputError(f"{file}: {error}") from None


def with_own_data(model: Model, run: Path, types: Mapping[str, type]) -> tuple[str, np.ndarray, Desired]:
    """What the rows are, the outputs, and what is desired, of the run's own test data.

    Of a run without test data they are those of its training data.

    Raises:
        InputError: the folder has no data of its own, or they are not where they were.
        CorruptFileError: a file is damaged.
    """
    path = run / "config.json"
    table = read_json(path)
    if "data" not in table:
        raise InputError(f"{run}: fnn.save wrote this network, which has no data of its own; name a FILE of inputs.")
    try:
        config = rebuilt(table, types)
    except InputError as error:
        raise InputError(f"{path}: {error}") from None
    directory.check_data(run, config.data)
    data = load_data(**describe(config.data))
    where, examples = ("test", data.test) if data.test.n else ("training", data.train)
    a = of_examples(model, examples)
    return f"the run's own {where} data", a, _desired(model, a, examples, preparing.measure(config, data))


def of_examples(model: Model, examples: Examples) -> np.ndarray:
    """The outputs for examples that are scaled already, and may be in a file."""
    starts = range(0, examples.n, INPUTS_AT_ONCE)
    return scaled_outputs(model, (examples.rows(slice(i, i + INPUTS_AT_ONCE))[0] for i in starts))


def _desired(model: Model, a: np.ndarray, examples: Examples, measure: Measure) -> Desired:
    """What the run's own data say about each row."""
    if model.classes:
        return prediction_table.of_classes(model, a, model.classes_of(examples.y))
    y = np.asarray(examples.y, np.float64) * model.y_sd + model.y_mean
    return prediction_table.of_numbers(a, y, measure)
