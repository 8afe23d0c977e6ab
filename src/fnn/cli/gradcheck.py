"""`fnn gradcheck CONFIG`: three opinions about the gradient of a config's net at its starting point."""

from __future__ import annotations

import argparse
from pathlib import Path

import jax

from fnn.checking import Report, gradcheck
from fnn.cli.common import all_types, prepared_for, written
from fnn.config.reading import load_config
from fnn.config.sections import GRADIENTS
from fnn.errors import InputError
from fnn.optimizers import SGD
from fnn.plots import curves
from fnn.storage.json_files import write_json


def command(options: argparse.Namespace) -> int:
    """Print the report; status 0 if all opinions agree, else 1."""
    config = load_config(options.config, options.overrides, all_types(options.type))
    if options.examples < 1:
        raise InputError(f"--examples {options.examples}: expected at least 1.")
    prepared = prepared_for(options.config, config)
    x, y = prepared.data.train.rows(slice(options.examples))
    optimizer = config.training.optimizer
    report = gradcheck(
        config.network.layers,
        config.network.cost,
        prepared.params,
        x,
        y,
        gradient=jax.jit(GRADIENTS[config.training.gradient]),  # compiled, as in training
        lmbda=float(optimizer.lmbda) if isinstance(optimizer, SGD) else 0.0,
    )
    print(report)
    if options.out is not None:
        _write(Path(options.out), report, config.name)
    return 0 if report.ok else 1


def _write(folder: Path, report: Report, name: str) -> None:
    """Write the report as JSON and, if matplotlib is installed, as a picture; print where they are."""
    made = f"gradcheck.json; {curves.MISSING}"
    with written(folder, "make room or name another by --out"):
        folder.mkdir(parents=True, exist_ok=True)
        write_json(folder / "gradcheck.json", report.to_dict())
        if curves.available():
            from fnn.plots.gradcheck import heat_map  # importing matplotlib takes as long as importing JAX

            heat_map(report, folder / "gradcheck.png")
            made = "gradcheck.json, gradcheck.png"
    print(f"{name}: {folder}: {made}")
