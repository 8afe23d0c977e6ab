"""`fnn gradcheck CONFIG`: three opinions about the gradient of a config's net at its starting point."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import jax

from fnn.checking import gradcheck
from fnn.cli.common import prepared_for, types, written
from fnn.config.reading import GRADIENTS, load_config
from fnn.errors import InputError
from fnn.optimizers import SGD
from fnn.plots import curves
from fnn.storage.json_files import write_json


def check(path: str, overrides: Sequence[str], examples: int, out: str | None, own: Sequence[str]) -> int:
    """`fnn gradcheck`: status 0 if all opinions agree, else 1."""
    config = load_config(path, overrides, types(own))
    if examples < 1:
        raise InputError(f"--examples {examples}: expected at least 1.")
    prepared = prepared_for(path, config)
    x, y = prepared.data.train.rows(slice(examples))
    optimizer = config.training.optimizer
    report = gradcheck(
        config.network.layers,
        config.network.cost,
        prepared.params,
        x,
        y,
        gradient=jax.jit(GRADIENTS[config.training.gradient]),  # compiled, as training runs it
        lmbda=float(optimizer.lmbda) if isinstance(optimizer, SGD) else 0.0,
    )
    print(report)
    if out is not None:
        _write(Path(out), report, config.name)
    return 0 if report.ok else 1


def _write(folder: Path, report, name: str) -> None:
    with written(folder, "make room or name another by --out"):
        folder.mkdir(parents=True, exist_ok=True)
        write_json(folder / "gradcheck.json", report.to_dict())
        if curves.available():
            from fnn.plots.gradcheck import heat_map  # matplotlib takes as long to import as JAX

            heat_map(report, folder / "gradcheck.png")
    made = "gradcheck.json, gradcheck.png" if curves.available() else f"gradcheck.json; {curves.MISSING}"
    print(f"{name}: {folder}: {made}")
