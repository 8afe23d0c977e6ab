"""`fnn gradcheck CONFIG`: is the gradient right where training starts, and does training take the right steps?

By default the gradient is checked on as many examples as a mini-batch has, so that the code that is checked is the code
that trains. Then some segments of the training program are compared with plain steps.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import jax

from fnn.checking import Report, gradcheck
from fnn.checking.training_loop import LoopReport
from fnn.cli.common import all_types, drawn, prepared_for, training_loop, written
from fnn.config.reading import load_config
from fnn.config.sections import GRADIENTS
from fnn.errors import InputError
from fnn.optimizers import SGD
from fnn.plots import curves
from fnn.storage.json_files import write_json


def command(options: argparse.Namespace) -> int:
    """Print both reports; status 0 if the gradient and the training loop are right, else 1."""
    config = load_config(options.config, options.overrides, all_types(options.type))
    examples = config.training.batch_size if options.examples is None else options.examples
    if examples < 1:
        raise InputError(f"--examples {examples}: expected at least 1.")
    prepared = prepared_for(options.config, config)
    x, y = prepared.data.train.rows(slice(examples))
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
    loop = training_loop(prepared, config.training.gradient)
    print(loop)
    if options.out is not None:
        _write(Path(options.out), report, loop, config.name)
    return 0 if report.ok and loop.ok else 1


def _write(folder: Path, report: Report, loop: LoopReport, name: str) -> None:
    """Write the reports as JSON and, if matplotlib is installed, as a picture; print where they are."""
    with written(folder, "make room or name another by --out"):
        folder.mkdir(parents=True, exist_ok=True)
        write_json(folder / "gradcheck.json", report.to_dict() | {"training_loop": loop.to_dict()})
    made = drawn(lambda: _draw(folder, report), "gradcheck.json has the numbers")
    missing = "" if curves.available() else f"; {curves.MISSING}"
    print(f"{name}: {folder}: {', '.join(['gradcheck.json', *made])}{missing}")


def _draw(folder: Path, report: Report) -> list[str]:
    from fnn.plots.gradcheck import heat_map  # importing matplotlib takes as long as importing JAX

    heat_map(report, folder / "gradcheck.png")
    return ["gradcheck.png"]
