"""`fnn gradcheck CONFIG`: is the gradient right where training starts, and does training take the right steps?

By default the gradient is checked on as many examples as a mini-batch has, so that the code that is checked is the code
that trains. Then some segments of the training program are compared with plain steps.

`fnn gradcheck MODULE:FUNCTION` checks any derivative. The function takes no arguments and returns what `fnn.check_vjp`
takes, `(f, *args)`, or the report of a check that it has made itself.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import jax

from fnn.checking import Report, check_vjp, gradcheck
from fnn.cli.common import all_types, drawn, prepared_for
from fnn.cli.loop_check import training_loop
from fnn.cli.user_function import called, is_function
from fnn.cli.writing import written
from fnn.config.reading import load_config
from fnn.config.sections import GRADIENTS
from fnn.errors import InputError
from fnn.optimizers import SGD
from fnn.pages import gradcheck_page
from fnn.pages.markup import PAGE, page
from fnn.plots import curves
from fnn.storage.files import write_atomically
from fnn.storage.json_files import write_json


def command(options: argparse.Namespace) -> int:
    """Print the reports; status 0 if the gradient and the training loop are right, else 1."""
    return _check_function(options) if is_function(options.config) else _check_config(options)


def _check_function(options: argparse.Namespace) -> int:
    """The check of a derivative of the user's own, `MODULE:FUNCTION`."""
    given = {"--set": options.overrides, "--type": options.type, "--examples": options.examples}
    if senseless := [name for name, value in given.items() if value not in (None, [])]:
        raise InputError(f"{options.config}: {' and '.join(senseless)} change a config; leave them out for a function.")
    report = called(options.config, _function_report)
    print(report)
    if options.out is not None:
        _write(Path(options.out), report, {}, options.config, str(report))
    return 0 if report.ok else 1


def _function_report(returned: Any) -> Report:
    """The report that a function of the user has returned, or that of the check that it asks for."""
    if isinstance(returned, Report):
        return returned
    if isinstance(returned, tuple) and returned and (callable(returned[0]) or isinstance(returned[0], tuple)):
        return check_vjp(*returned)
    raise InputError(f"returned a {type(returned).__name__}; expected (f, *args) for fnn.check_vjp, or its Report.")


def _check_config(options: argparse.Namespace) -> int:
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
        _write(Path(options.out), report, {"training_loop": loop.to_dict()}, config.name, f"{report}\n{loop}")
    return 0 if report.ok and loop.ok else 1


def _write(folder: Path, report: Report, more: dict[str, Any], name: str, printed: str) -> None:
    """Write the report, with `more`, as JSON, as a page and, if matplotlib is installed, as a picture; say where."""
    table, heats = report.to_dict() | more, {leaf.name: leaf.heat().tolist() for leaf in report.leaves}
    with written(folder, "make room or name another by --out"):
        folder.mkdir(parents=True, exist_ok=True)
        write_json(folder / "gradcheck.json", table)
        sections = gradcheck_page.sections(table, printed, heats)
        write_atomically(folder / PAGE, page(f"{name}: gradient check", sections))
    made = drawn(lambda: _draw(folder, report), "gradcheck.json has the numbers")
    missing = "" if curves.available() else f"; {curves.MISSING}"
    print(f"{name}: {folder}: {', '.join(['gradcheck.json', PAGE, *made])}{missing}")


def _draw(folder: Path, report: Report) -> list[str]:
    from fnn.plots.gradcheck import heat_map  # importing matplotlib takes as long as importing JAX

    heat_map(report, folder / "gradcheck.png")
    return ["gradcheck.png"]
