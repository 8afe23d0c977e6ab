"""Foolish arrays, numbers that no type of the computation holds, shapes and params."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np

import fnn
from experiments.campaigns.foolish_files import KEY, Case, arrays, table
from fnn import Dense, LogLikelihood
from fnn.data import load_inputs


def array_files() -> Iterator[Case]:
    """Arrays that are no examples."""
    x, y = np.arange(12, dtype=np.float32).reshape(6, 2), np.arange(6) % 2
    bad_x = {
        "text": np.array([["a", "b"]] * 6),
        "complex": x * 1j,
        "objects": np.array([[None, 1]] * 6),
        "dates": x.astype("M8[s]"),
        "no axis": np.float32(3),
        "no rows": x[:0],
        "a nan": np.where(x == 3, np.nan, x),
        "inf": np.where(x == 3, np.inf, x),
        "beyond float32": x.astype(float) * 1e300,
        "other length": x[:4],
        "no columns": x[:, :0],
        "bytes as text": x.astype("S8"),
    }
    for name, wrong in bad_x.items():
        yield Case("arrays", f"x: {name}", arrays(wrong, y))
    bad_y = {
        "a nan": np.where(y, np.nan, 0.5),
        "other length": y[:4],
        "three axes": np.zeros((6, 1, 1)),
        "no axis": np.int64(1),
        "complex": y * 1j,
        "objects": np.array([None, 1, 2, 3, 4, 5]),
        "inf": y + np.inf,
        "empty": np.zeros((6, 0)),
    }
    for name, wrong in bad_y.items():
        yield Case("arrays", f"y: {name}", arrays(x, wrong))
    for order in (">f4", ">f8", "<f8", ">i2", ">i8", "f2"):
        yield Case(
            "arrays", f"harmless: x in {order}", arrays(x.astype(order), y), lambda d: d.train.x.tolist() == x.tolist()
        )
    for order in (">i4", ">u2", "u1", "?"):
        yield Case("arrays", f"harmless: y in {order}", arrays(x, y.astype(order)), lambda d: len(d.classes) == 2)


def lost_digits() -> Iterator[Case]:
    """Numbers that float64, float32 or a scale cannot tell apart."""
    columns = {
        "long numbers": [10**17 + k for k in range(40)],
        "beyond 2**53": [2**53 + k for k in range(40)],
        "two long numbers": [9007199254740993, 9007199254740992] * 3,
        "twenty digits": [-12345678901234567890 - k for k in range(40)],
        "after the sixteenth digit": ["1.0000000000000000001", "1.0000000000000000002"] * 3,
        "below float64": [f"{k}e-400" for k in range(40)],
        "far below float64": ["0", "1e-99999999999"] * 3,
    }
    for (name, cells), standardise in itertools.product(columns.items(), (False, True)):
        text = "u,v,y\n" + "".join(f"{k},{cell},{'ab'[k % 2]}\n" for k, cell in enumerate(cells))
        yield Case("lost digits", f"{name}, standardise = {standardise}", table(text, standardise=standardise))
    k = np.arange(40)[:, None]
    for name, x in {"10**17": 10**17 + k, "2**53": 2**53 + k, "2**63": np.uint64(2**63) + k.astype("u8")}.items():
        for standardise in (False, True):
            attempt = arrays(x, k.ravel() % 2, standardise=standardise)
            yield Case("lost digits", f"{name} + k in an array, standardise = {standardise}", attempt)
    for dtype in ("f4", "f8"):
        yield Case("lost digits", f"below float32, {dtype}", arrays((1e-42 * k).astype(dtype), k.ravel() % 2))
    for scale in (1e-300, 1e-46, 1e39, 1e300):
        yield Case("lost digits", f"scale = {scale:g}", arrays(k / 7, k.ravel() % 2, scale=scale))
    nanoseconds = 1_700_000_000_000_000_000 + 10**9 * k
    yield Case(
        "lost digits",
        "harmless: nanoseconds, standardised",
        arrays(nanoseconds, k.ravel() % 2, standardise=True),
        lambda d: len(np.unique(d.train.x)) == 40,
    )


def shapes() -> Iterator[Case]:
    """Shapes that would put the numbers of an example in other places."""
    pairs = [
        ((32, 32, 3), (3, 32, 32)),
        ((3, 8, 8), (8, 8, 3)),
        ((4, 6), (6, 4)),
        ((28, 28), (14, 56)),
        ((4, 6), (24, 2)),
    ]
    for stored, shape in pairs:
        x, y = np.arange(4 * np.prod(stored), dtype="f4").reshape(4, *stored), np.arange(4) % 2
        yield Case("shapes", f"{stored} as {shape}", arrays(x, y, shape=shape))
        yield Case("shapes", f"inputs {stored} as {shape}", lambda shape=shape: load_inputs("t.npz", shape))
    for stored, shape in (((28, 28), (1, 28, 28)), ((784,), (1, 28, 28)), ((3, 64), (3, 8, 8)), ((8, 8, 1), (1, 8, 8))):
        x, y = np.arange(4 * np.prod(stored), dtype="f4").reshape(4, *stored), np.arange(4) % 2
        yield Case(
            "shapes",
            f"harmless: {stored} as {shape}",
            arrays(x, y, shape=shape),
            lambda d, x=x: d.train.x.ravel().tolist() == x.ravel().tolist(),
        )


def params_files() -> Iterator[Case]:
    """Params that are none, in the file of a network."""
    net = (Dense(2),)
    params = {"0.W": np.ones((2, 3), np.float32), "0.b": np.ones(2, np.float32)}
    for name, wrong in {
        "nan": {"0.W": np.full((2, 3), np.nan, np.float32)},
        "inf": {"0.b": np.full(2, np.inf, np.float32)},
        "whole": {"0.b": np.ones(2, int)},
        "beyond float32": {"0.W": np.full((2, 3), 1e300)},
        "another shape": {"0.W": np.ones((3, 2), np.float32)},
        "text": {"0.b": np.array(["a", "b"])},
        "objects": {"0.b": np.array([None, 1])},
        "complex": {"0.b": np.ones(2) * 1j},
        "one more": {"1.W": np.ones(1, np.float32)},
    }.items():

        def attempt(wrong: dict[str, Any] = wrong) -> Any:
            fnn.save("net", net, LogLikelihood(), fnn.init(net, KEY, (3,)), (3,))
            np.savez("net/params.npz", **(params | wrong))
            return fnn.load("net")

        yield Case("params files", name, attempt)
