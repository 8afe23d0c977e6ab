"""`fnn predict RUN [FILE]`: the outputs of a trained run for new inputs, as a csv."""

from __future__ import annotations

import argparse
import csv
import sys
from pathlib import Path

import numpy as np

from fnn.cli.common import all_types
from fnn.runs import directory, prediction


def command(options: argparse.Namespace) -> int:
    """Print a row per input: its outputs, and its class where the run has classes; status 0."""
    types = all_types(options.type)
    directory.check_no_sweep(Path(options.run))
    trained = prediction.open_run(options.run, types)
    if options.file is None:
        directory.check_data(Path(options.run), trained.data)
    a = np.concatenate([prediction.outputs(trained, x) for x in prediction.inputs(trained, options.file)])
    classes = prediction.classes(trained, a)
    rows = csv.writer(sys.stdout, lineterminator="\n")
    rows.writerow(["row", *(["class"] if classes else []), *(f"output_{k}" for k in range(a.shape[1]))])
    rows.writerows([i, *classes[i : i + 1], *(f"{v:.6g}" for v in row)] for i, row in enumerate(a))
    return 0
