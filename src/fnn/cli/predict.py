"""`fnn predict RUN [FILE]`: the outputs of a trained run for new inputs, as a csv."""

from __future__ import annotations

import csv
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from fnn.cli.common import types
from fnn.runs import directory, prediction


def predict(run: str, file: str | None, own: Sequence[str]) -> int:
    """`fnn predict`: a csv of the outputs, and of the class where there are classes."""
    known = types(own)
    directory.check_no_sweep(Path(run))
    trained = prediction.open_run(run, known)
    if file is None:
        directory.check_data(Path(run), trained.data)
    a = np.concatenate([prediction.outputs(trained, x) for x in prediction.inputs(trained, file)])
    said = prediction.classes(trained, a)
    rows = csv.writer(sys.stdout, lineterminator="\n")
    rows.writerow(["row", *(["class"] if said else []), *(f"output_{k}" for k in range(a.shape[1]))])
    rows.writerows([i, *([said[i]] if said else []), *(f"{v:.6g}" for v in row)] for i, row in enumerate(a))
    return 0
