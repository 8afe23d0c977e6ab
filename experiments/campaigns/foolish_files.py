"""What an attempt of `foolish_inputs` is, and the files that many of them read."""

from __future__ import annotations

import pathlib
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import numpy as np

import fnn

KEY = jax.random.key(0)


FLOWERS = "u,v,y\n" + "".join(f"{k},{k % 3},{'ab'[k % 2]}\n" for k in range(12))


class Case(NamedTuple):
    """One input."""

    kind: str
    name: str
    attempt: Callable[[], Any]
    right: Callable[[Any], bool] | None = None  # of what a harmless input gives; None: it is to be refused


def table(text: str, **options: Any) -> Callable[[], Any]:
    """Reading a csv file with this text."""

    def attempt() -> Any:
        pathlib.Path("t.csv").write_text(text, encoding="utf-8", newline="")
        return fnn.load_data("t.csv", **options)

    return attempt


def arrays(x: Any, y: Any, **options: Any) -> Callable[[], Any]:
    """Reading an npz file with these arrays."""

    def attempt() -> Any:
        np.savez("t.npz", x=x, y=y)
        return fnn.load_data("t.npz", **options)

    return attempt


def lines(header: str, labels: list[str]) -> str:
    """A table with a column that counts, and a column of labels."""
    return f"{header}\n" + "".join(f"{k},{label}\n" for k, label in enumerate(labels))
