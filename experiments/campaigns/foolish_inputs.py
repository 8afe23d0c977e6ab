"""Foolish and hostile inputs, counted by kind: none may be accepted in silence, none may end in a traceback.

    python -m experiments.campaigns.foolish_inputs [--messages]       (writes FOOLISH_INPUTS.md beside this file)

With `--messages` every input is printed with what was said of it.

Every input is a slip that people make: a table without a header, a missing mark among labels, arrays of different
lengths, a cost for other targets, a number that is none, a text with a carriage return. Each must be refused in one
line, by an error of `fnn` or by a TypeError or ValueError of the Python API. Some harmless ones stand among them, which
must be read right. All are tried in this process, in a folder of their own.
"""

from __future__ import annotations

import contextlib
import io
import itertools
import os
import pathlib
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

import fnn
from fnn import SGD, CrossEntropy, Dense, Examples, InputError, LogLikelihood, Shifted, cli

PAGE = pathlib.Path(__file__).with_name("FOOLISH_INPUTS.md")
MARKS = ("", " ", "?", "NA", "N/A", "nan", "NaN", "null", "None", "-", ".")
KEY = jax.random.key(0)
LONGEST_MESSAGE = 600  # characters; what is longer was not written for the user


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


def headers() -> Iterator[Case]:
    """Tables whose first line has no names, or no names for some columns."""
    body = "\n1,2,a\n3,4,b\n5,6,a\n"
    lines = [
        "1,2,a",
        "5.1,3.5,setosa",
        "a,2,c",
        "a,,c",
        ",b,c",
        "a,b,",
        "a, ,c",
        "nan,b,c",
        "inf,b,c",
        "a,1e5,c",
        "+1,b,c",
    ]
    lines += [
        "a,-.5,c",
        '"1",b,c',
        "a,a,c",
        "a,b,b",
        "0,1,2",
        "\ufeff1,2,c",
        "a,1.,c",
        "a,b,7",
        "a,NaN,c",
        "1 ,b,c",
        ",,",
    ]
    for line in lines:
        yield Case("header lines", repr(line), table(line + body))
    for good in ("a,b,c", "\ufeffa,b,c", '"a",b,"c"', " a , b , c ", "x1,x2,y", "a b,c d,e f"):
        yield Case(
            "header lines", f"harmless: {good!r}", table(good + body), lambda d: d.train.n == 3 and d.shape == (2,)
        )


def missing_marks() -> Iterator[Case]:
    """Marks for a missing value among inputs, quantities and classes."""
    for mark, place in itertools.product(MARKS, (0, 7, 14)):
        for what, labels in (("quantities", [f"{k}.5" for k in range(15)]), ("classes", list("abcabcabcabcabc"))):
            broken = [mark if k == place else label for k, label in enumerate(labels)]
            text = "u,v,y\n" + "".join(f"{k},{k * k},{label}\n" for k, label in enumerate(broken))
            yield Case("missing marks", f"{mark!r} among {what}, row {place}", table(text))
        cells = [mark if k == place else str(k) for k in range(15)]
        text = "u,v,y\n" + "".join(f"{cell},1,{'ab'[k % 2]}\n" for k, cell in enumerate(cells))
        yield Case("missing marks", f"{mark!r} among inputs, row {place}", table(text))


def odd_labels() -> Iterator[Case]:
    """A cell that is no number in a column of numbers."""
    for odd, place in itertools.product(
        ("12a", "x", "1,5", "1 5", "twelve", "$4", "5%", "0x10", "1_0", "1e999"), (0, 30)
    ):
        values = [f'"{odd}"' if k == place else f"{k}.25" for k in range(60)]
        yield Case(
            "odd labels",
            f"{odd!r} in row {place}",
            table("u,y\n" + "".join(f"{k},{v}\n" for k, v in enumerate(values))),
        )


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


CONFIG = """seed = 0
[data]
source = "t.csv"
[network]
layers = [{ type = "Dense", units = UNITS }]
cost = "LogLikelihood"
[training]
batch_size = 2
epochs = 1
optimizer = { type = "SGD", eta = 0.1 }
"""
FLOWERS = "u,v,y\n" + "".join(f"{k},{k % 3},{'ab'[k % 2]}\n" for k in range(12))


def command_on(
    text: str, command: str, *overrides: str, units: int = 2, config: bytes | None = None
) -> Callable[[], Any]:
    """`fnn COMMAND` of a small config, on a table with this text."""

    def attempt() -> Any:
        pathlib.Path("t.csv").write_text(text, encoding="utf-8", newline="")
        pathlib.Path("c.toml").write_bytes(config or CONFIG.replace("UNITS", str(units)).encode())
        sets = [word for override in overrides for word in ("--set", override)]
        return said(
            "run" if command == "run" else command, "c.toml", *sets, *(["--out", "runs"] if command == "run" else [])
        )

    return attempt


def said(*words: str) -> int:
    """The exit status of a command; a status of 1 or 2 becomes the error that was said, which must be one line."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            status = cli.main(list(words))
        except SystemExit as error:
            status = int(error.code or 0)
    lines = err.getvalue().strip().splitlines()
    if status in (2, 3) and (len(lines) == 1 or (lines and lines[0].startswith("usage"))):
        raise InputError(lines[-1])
    if status:
        raise RuntimeError(f"status {status}, {len(lines)} lines: {lines[:2]}")
    return status


def settings() -> Iterator[Case]:
    """Overrides that say nothing, or something else than they seem to."""
    wrong = [
        "epochs=3",
        "training.epoch=3",
        "training.epochs",
        "=3",
        "training.epochs=",
        "training.epochs=1.5",
        "training.epochs=-1",
    ]
    wrong += [
        "training.epochs=3\r",
        "training.epochs\r=3",
        "data.source=t.csv\r",
        "training.batch_size=0",
    ]
    wrong += [
        "training.batch_size=true",
        "training.optimizer.eta=nan",
        "training.optimizer.eta=-1",
        "training.optimizer.eta=inf",
    ]
    wrong += [
        "training.optimizer.eta='x'",
        "network.cost=Crossentropy",
        "network.layers=[]",
        "network.layers.0.units=0",
        "seed=-1",
    ]
    wrong += [
        "network.layers.7.units=3",
        "data.train=1e3",
        "data.test=12",
        "data.scale=nan",
        "data.shape=[3]",
        "data.label=w",
        "seed=1.5",
    ]
    wrong += [
        "data.classes=['a']",
        "data.classes=['a','z']",
        "data.targets=onehot",
        "training.schedule=Stop",
        "training.lr=0.1",
        "x.y.z=1",
    ]
    for override in wrong:
        yield Case("settings", f"--set {override!r}", command_on(FLOWERS, "run", override))
    for override in ("training.epochs=3\n", " training.epochs = 3 ", "training.optimizer.eta=1e-1", "data.label=y"):
        attempt = command_on(FLOWERS, "gradcheck", override)
        yield Case("settings", f"harmless: {override!r}", attempt, lambda status: status == 0)


def config_texts() -> Iterator[Case]:
    """Configs in other encodings, and texts that are no config."""
    good = CONFIG.replace("UNITS", "2")
    for name, text in {
        "UTF-16": good.encode("utf-16"),
        "UTF-16, big-endian": good.encode("utf-16-be"),
        "Latin-1": (good + "# é\n").encode("latin-1"),
        "a zero byte": good.replace("seed", "\0seed").encode(),
        "empty": b"\n",
        "JSON": b'{"seed": 0}',
        "half": good.encode()[:90],
        "twice": (good + good).encode(),
        "tab in a key": good.replace("seed", "se\ted").encode(),
        "a lone \\r": good.replace("\n", "\r").encode(),
    }.items():
        yield Case("config texts", name, command_on(FLOWERS, "run", config=text))
    for name, text in {
        "BOM": good.encode("utf-8-sig"),
        "CRLF": good.replace("\n", "\r\n").encode(),
        "plain": good.encode(),
    }.items():
        yield Case(
            "config texts",
            f"harmless: {name}",
            command_on(FLOWERS, "gradcheck", config=text),
            lambda status: status == 0,
        )


def predictions() -> Iterator[Case]:
    """Tables whose columns are not those of the training."""

    def attempt(text: str) -> Callable[[], Any]:
        def predicted() -> Any:
            if not pathlib.Path("trained").is_dir():
                command_on(FLOWERS, "gradcheck")()
                said("run", "c.toml", "--out", "trained")
            (run,) = (path for path in pathlib.Path("trained").iterdir() if path.is_dir())
            pathlib.Path("new.csv").write_text(text, encoding="utf-8", newline="")
            return said("predict", str(run), "new.csv")

        return predicted

    for name, text in {
        "other names": "p,q\n1,2\n",
        "one missing": "u\n1\n",
        "one unknown": "u,v,w\n1,2,3\n",
        "unknown and label": "u,v,w,y\n1,2,3,a\n",
        "renamed": "u,V\n1,2\n",
        "no header": "1,2\n3,4\n",
        "twice": "u,u\n1,2\n",
        "text": "u,v\n1,x\n",
        "missing value": "u,v\n1,\n",
        "nan": "u,v\nnan,2\n",
        "no rows": "u,v\n",
        "empty": "",
        "blank name": "u,v,\n1,2,3\n",
        "only the label": "y\na\n",
    }.items():
        yield Case("predictions", name, attempt(text))
    for name, text in {
        "as trained": "u,v\n1,2\n",
        "other order": "v,u\n2,1\n",
        "with the label": "u,v,y\n1,2,a\n",
    }.items():
        yield Case("predictions", f"harmless: {name}", attempt(text), lambda status: status == 0)


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


KINDS = (
    headers,
    missing_marks,
    odd_labels,
    array_files,
    lengths,
    targets,
    numbers,
    settings,
    config_texts,
    predictions,
    params_files,
)


def outcome(case: Case) -> tuple[str, str]:
    """What became of an input (refused, right, accepted, wrong, wrongly refused, traceback), and what was said."""
    try:
        value = case.attempt()
    except (InputError, fnn.CorruptFileError, TypeError, ValueError) as error:
        if "\n" in str(error) or len(str(error)) > LONGEST_MESSAGE:
            return "traceback", repr(error)
        return "refused" if case.right is None else "wrongly refused", str(error)
    except Exception as error:
        return "traceback", repr(error)
    return "accepted" if case.right is None else "right" if case.right(value) else "wrong", repr(value)[:200]


def main() -> None:
    """Try all inputs and write the table."""
    counts: dict[str, Counter[str]] = {}
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        for kind in KINDS:
            for case in kind():
                found, said = outcome(case)
                counts.setdefault(case.kind, Counter())[found] += 1
                if "--messages" in sys.argv or found not in ("refused", "right"):
                    print(f"{found}: {case.kind}: {case.name}: {said}")
    columns = ("refused", "right", "accepted", "wrong", "wrongly refused", "traceback")
    rows = [[kind, sum(found.values()), *(found[column] for column in columns)] for kind, found in counts.items()]
    rows.append(["all", *(sum(row[k] for row in rows) for k in range(1, len(columns) + 2))])
    lines = ["| kind | tried | " + " | ".join(columns) + " |", "|---" * (len(columns) + 2) + "|"]
    lines += ["| " + " | ".join(map(str, row)) + " |" for row in rows]
    what = str(__doc__).split("\n\n")[3].strip()
    how = f"`python -m experiments.campaigns.foolish_inputs`, JAX {jax.__version__}:"
    head = f"# Foolish and hostile inputs\n\n{what}\n\n{how}\n\n"
    PAGE.write_text(head + "\n".join(lines) + "\n", encoding="utf-8")
    print("\n".join(lines))


if __name__ == "__main__":
    os.environ.setdefault("MPLBACKEND", "agg")
    main()
