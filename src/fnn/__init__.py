"""Feedforward neural networks as pure JAX functions, every gradient written by hand and proved."""

import importlib
from pathlib import Path

__version__ = "0.1.0"


def _homes() -> dict[str, str]:
    """The module of every public name; the stub beside this file lists them, `from .layers import Dense as Dense`."""
    lines = Path(__file__).with_suffix(".pyi").read_text(encoding="utf-8").splitlines()
    words = [line.split() for line in lines if line.startswith("from .")]
    return {name: module for _, module, _, name, _, _ in words}


_HOMES = _homes()
__all__ = sorted(_HOMES)


def __getattr__(name: str) -> object:
    """A public name is imported at first use, so that the command line answers before JAX is loaded."""
    if name == "plots":  # a folder, so that `fnn.plots.learning` needs no import of its own
        return importlib.import_module(".plots", __name__)
    if name not in _HOMES:
        raise AttributeError(f"module 'fnn' has no attribute {name!r}")
    home = importlib.import_module(_HOMES[name], __name__)
    if not hasattr(home, name):  # a lesson is a module of its folder
        importlib.import_module(f"{_HOMES[name]}.{name}", __name__)
    globals()[name] = getattr(home, name)
    return globals()[name]


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
