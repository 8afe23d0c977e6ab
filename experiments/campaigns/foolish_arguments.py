"""Foolish arguments of the Python API: of other kinds, of other lengths, beyond what a cost reaches."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

import fnn
from experiments.campaigns.foolish_commands import command_on
from experiments.campaigns.foolish_files import FLOWERS, KEY, Case, table
from fnn import SGD, CrossEntropy, Dense, Examples, LogLikelihood, Shifted


def arguments() -> Iterator[Case]:
    """Arguments of another kind: of load_data, save, load, evaluate and fit."""
    wrong: dict[str, tuple[Any, ...]] = {
        "shape": (2, "2", None, (2.0,), (True, 2)),
        "classes": ("ab", None, 2, ("a",), ("a", "a"), ("a", "z")),
        "label": (None, 2, ["y"], "w"),
        "y": (None, 3, "y.npy"),
        "targets": (None, True, "onehot"),
        "scale": ("1", None, True, 1j, -1.0, float("nan"), 10**400),
        "standardise": ("no", "false", None, 1),
        "memory": ("4", None, True, 0.0),
        "noise": ("x", None, 0.5),
    }
    for name, values in wrong.items():
        for value in values:
            yield Case("arguments", f"load_data({name}={str(value)[:20]!r})", table(FLOWERS, **{name: value}))
    for source in (None, 3, b"t.csv", "", "t.tsv", "~nobody-here/t.csv", "t\n.csv", "t\0.csv", "missing.npz", "."):
        yield Case("arguments", f"load_data({source!r})", lambda source=source: fnn.load_data(source))
    for noise in (-1.0, float("nan"), float("inf"), 1e38):
        yield Case("arguments", f"moons, noise={noise}", lambda noise=noise: fnn.load_data("moons", noise=noise))
    yield from _saved()
    yield from _examples()


def _saved() -> Iterator[Case]:
    net, params = (Dense(2),), fnn.init((Dense(2),), KEY, (3,))
    right = {"path": "saved", "net": net, "cost": LogLikelihood(), "params": params, "shape": (3,)}
    wrong = {
        "path": ("", 3, None, "~nobody-here/net", "a\0b"),
        "net": (Dense(2), [Dense(2)], (), (Dense,)),
        "cost": ("LogLikelihood", LogLikelihood, None),
        "params": (
            None,
            (),
            jax.tree.map(lambda p: p * jnp.nan, params),
            jax.tree.map(lambda p: p.astype(int), params),
        ),
        "shape": (3, "3", None, (3.0,), (4,), (0,)),
        "data": ((1, 2), fnn.load_data("moons")),
    }
    for name, values in wrong.items():
        for value in values:
            settings = right | {name: value}
            yield Case("arguments", f"save({name}={str(value)[:30]!r})", lambda s=settings: fnn.save(**s))
    for path in ("", 3, None, "~nobody-here/net", "t.csv", "nowhere"):
        yield Case("arguments", f"load({path!r})", lambda path=path: fnn.load(path))


def _examples() -> Iterator[Case]:
    net, params = (Dense(2),), fnn.init((Dense(2),), KEY, (3,))
    x, y = np.ones((6, 3), np.float32), np.eye(2, dtype=np.float32)[np.arange(6) % 2]
    wrong = {
        "a tuple": (x, y),
        "a data set": fnn.load_data("moons"),
        "objects": Examples(x.astype(object), y),
        "text": Examples(x, y.astype(str)),
        "complex numbers": Examples(x * 1j, y),
        "a list": Examples(x.tolist(), y),
        "labels": Examples(x, np.arange(6) % 2),
        "no rows": Examples(x[:0], y[:0]),
    }
    for name, examples in wrong.items():
        yield Case("arguments", f"evaluate: {name}", lambda e=examples: fnn.evaluate(net, LogLikelihood(), params, e))
        yield Case(
            "arguments",
            f"fit: {name}",
            lambda e=examples: list(fnn.fit(net, LogLikelihood(), SGD(0.1), params, e, KEY, batch_size=2, epochs=1)),
        )


def lengths() -> Iterator[Case]:
    """Inputs and desired outputs of different lengths, everywhere they enter."""
    net, cost, sgd = (Dense(3),), LogLikelihood(), SGD(0.1)
    params = fnn.init(net, KEY, (4,))
    good = Examples(np.ones((12, 4), np.float32), np.eye(3, dtype=np.float32)[np.arange(12) % 3])

    def examples(n: int, m: int) -> Examples:
        return good._replace(x=np.ones((n, 4), np.float32), y=np.eye(3, dtype=np.float32)[np.arange(m) % 3])

    uses = {
        "fit": lambda e: list(fnn.fit(net, cost, sgd, params, e, KEY, batch_size=3, epochs=1)),
        "fit, validation": lambda e: list(
            fnn.fit(net, cost, sgd, params, good, KEY, batch_size=3, epochs=1, validation=e)
        ),
        "fit, test": lambda e: list(fnn.fit(net, cost, sgd, params, good, KEY, batch_size=3, epochs=1, test=e)),
        "epoch": lambda e: fnn.epoch(net, cost, sgd, params, (), e, KEY, batch_size=3),
        "evaluate": lambda e: fnn.evaluate(net, cost, params, e),
        "sweep": lambda e: list(
            fnn.sweep(net, cost, sgd, jax.tree.map(lambda p: p[None], params), e, KEY, batch_size=3, epochs=1)
        ),
        "backprop": lambda e: fnn.backprop(net, cost, params, jnp.asarray(e.x), jnp.asarray(e.y)),
        "autodiff": lambda e: fnn.autodiff(net, cost, params, jnp.asarray(e.x), jnp.asarray(e.y)),
        "gradcheck": lambda e: fnn.gradcheck(net, cost, params, e.x, e.y),
        "Shifted": lambda e: Shifted(Examples(np.ones((len(e.x), 1, 4, 4), np.uint8), e.y)),
    }
    for (name, use), (n, m) in itertools.product(uses.items(), ((12, 9), (9, 12), (12, 1), (1, 12))):
        yield Case("lengths", f"{name}: {n} rows of x, {m} of y", lambda use=use, n=n, m=m: use(examples(n, m)))


def targets() -> Iterator[Case]:
    """Desired outputs that a cost cannot reach, or that have nothing to learn."""
    rows = {
        "negative": [[-0.5, 1.5], [1, 0]],
        "rows that sum to 2": [[1, 1], [1, 0]],
        "large": [[3.0, 0], [0, 1]],
        "rows that sum to 0": [[0, 0], [1, 0]],
        "quantities": [[0.3, 1.9], [2.2, 0.1]],
    }
    for (name, y), part in itertools.product(rows.items(), ("train", "validation", "test")):
        yield Case("targets", f"LogLikelihood, {part}: {name}", lambda y=y, part=part: fitted(LogLikelihood(), y, part))
    for (name, y), part in itertools.product({"negative": [[-1.0, 1]], "large": [[2.0, 0]]}.items(), ("train", "test")):
        yield Case(
            "targets", f"CrossEntropy, {part}: {name}", lambda y=y, part=part: fitted(CrossEntropy(), y * 2, part)
        )
    unreached = {
        fnn.Quadratic(): ([[-1.0, 1]], [[0.5, 1.01]]),
        fnn.Quadratic(fnn.Tanh()): ([[-1.5, 0]], [[0, 3.0]]),
        fnn.Quadratic(fnn.ReLU()): ([[-1.0, 1]],),
        fnn.Quadratic(fnn.Softmax()): ([[1.0, 1]], [[-0.5, 1.5]]),
        fnn.Quadratic(fnn.Step()): ([[0, 2.0]],),
    }
    for (cost, rows_of), part in itertools.product(unreached.items(), ("train", "validation", "test")):
        for y in rows_of:
            yield Case("targets", f"{cost}, {part}: {y}", lambda c=cost, y=y, part=part: fitted(c, y * 2, part))
    for cost, y in {fnn.Quadratic(): [[0, 1.0]], fnn.Quadratic(fnn.Tanh()): [[-1.0, 1]]}.items():
        yield Case("targets", f"harmless: {cost}, {y}", lambda c=cost, y=y: fitted(c, y * 2, "train"), bool)
    one_class = "u,v,y\n" + "".join(f"{k},{k},a\n" for k in range(9))
    for cost in ("CrossEntropy", "LogLikelihood"):
        yield Case("targets", f"one class, {cost}", command_on(one_class, "run", f"network.cost={cost}", units=1))


def fitted(cost: Any, y: Any, part: str) -> Any:
    """A training in which one part has these desired outputs."""
    good = Examples(np.ones((2, 3), np.float32), np.eye(2, dtype=np.float32))
    parts = {"train": good, "validation": good, "test": good} | {part: good._replace(y=np.array(y, np.float32))}
    params = fnn.init((Dense(2),), KEY, (3,))
    train = parts.pop("train")
    return list(fnn.fit((Dense(2),), cost, SGD(0.1), params, train, KEY, batch_size=2, epochs=1, **parts))


def numbers() -> Iterator[Case]:
    """What is no whole number where one is wanted."""
    data = Examples(np.ones((6, 3), np.float32), np.eye(2, dtype=np.float32)[np.arange(6) % 2])
    net, params = (Dense(2),), fnn.init((Dense(2),), KEY, (3,))
    for wrong, name in itertools.product(
        (1.5, True, 2.0, "2", None, -1, 0, np.float32(2), [2]), ("batch_size", "epochs")
    ):
        if name == "epochs" and wrong in (0, False) and not isinstance(wrong, bool):
            continue  # no epochs are none
        settings = {"batch_size": 2, "epochs": 1} | {name: wrong}
        yield Case(
            "numbers",
            f"fit({name}={wrong!r})",
            lambda s=settings: list(fnn.fit(net, LogLikelihood(), SGD(0.1), params, data, KEY, **s)),
        )
    for wrong, build in itertools.product((1.5, True, "2", None, 0, -3), (Dense, fnn.MaxPool, fnn.EarlyStopping)):
        yield Case("numbers", f"{build.__name__}({wrong!r})", lambda build=build, wrong=wrong: build(wrong))
    for wrong in ("train", "test", "validation", "split_seed", "size"):
        for value in (-1, 1.5, True, "3", None):
            yield Case(
                "numbers", f"load_data({wrong}={value!r})", lambda w=wrong, v=value: fnn.load_data("moons", **{w: v})
            )
