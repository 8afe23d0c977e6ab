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
from fnn.data import load_inputs

PAGE = pathlib.Path(__file__).with_name("FOOLISH_INPUTS.md")
MARKS = ("", " ", "?", "NA", "N/A", "nan", "NaN", "null", "None", "-", ".")
MARKS += ("#N/A", "<NA>", "NULL", "missing", "--", "---", "...", "-nan", "1.#IND", "\\N", "n.d.", "undefined")
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


def notations() -> Iterator[Case]:
    """Numbers as other people and machines write them, in a column of inputs and as labels."""
    cells = (
        "1_000",
        "1,000",
        "0,5",
        "1.000,5",
        "1 000",
        "1'000",
        "5%",
        "$5",
        "5 kg",
        "0x1F",
        "0b1",
        "1/2",
        "3j",
        "1d5",
    )
    cells += (
        "\uff11\uff12",
        "\u0663",
        "\u0969",
        "1e\uff15",
        "\u22123",
        "\u221e",
        "(3)",
        "3-",
        "+-3",
        "1.2.3",
        "1e",
        "=1+1",
    )
    cells += (
        "inf",
        "-inf",
        "Infinity",
        "1e400",
        "-1e400",
        "1e39",
        "2020-01-01",
        "12:30",
        "true",
        "FALSE",
        "yes",
        "'3'",
        "[3]",
    )
    for cell in cells:
        quoted = f'"{cell}"'
        text = "u,v,y\n" + "".join(f"{quoted if k == 4 else k},{k % 3},{'ab'[k % 2]}\n" for k in range(9))
        yield Case("notations", f"{cell!r} among inputs", table(text))
        labels = [quoted if k == 4 else f"{k}.5" for k in range(9)]
        yield Case("notations", f"{cell!r} among quantities", table(lines("u,y", labels)))
    for all_of in (
        ["5%", "6%"],
        ["0x1", "0x2"],
        ["1_0", "2_0"],
        ["$5", "$6"],
        ['"0,5"', '"1,5"'],
        ["\uff11", "\uff12"],
    ):
        yield Case("notations", f"all labels like {all_of[0]!r}", table(lines("u,y", all_of * 4)))
    for cell, value in {"3 ": 3, " 3": 3, ".5": 0.5, "5.": 5, "+.5": 0.5, "1E2": 100, "-0.0": 0, "\u00a03": 3}.items():
        yield Case(
            "notations",
            f"harmless: {cell!r}",
            table(f"u,y\n1,a\n{cell},b\n2,a\n"),
            lambda d, value=value: d.train.x.ravel().tolist() == [1, value, 2],
        )


def lines(header: str, labels: list[str]) -> str:
    """A table with a column that counts, and a column of labels."""
    return f"{header}\n" + "".join(f"{k},{label}\n" for k, label in enumerate(labels))


def spellings() -> Iterator[Case]:
    """One label in two spellings, and labels and names with characters that cannot be seen."""
    twice = [("setosa", "Setosa"), ("SETOSA", "setosa"), ("new york", "new  york"), ("new york", "new\u00a0york")]
    twice += [
        ("setosa", "seto\u200bsa"),
        ("fi", "\ufb01"),
        ("a", "\uff41"),
        ("a", "'a'"),
        ("true", "True"),
        ("true", "1"),
    ]
    twice += [("1", "01"), ("+1", "1"), ("0", "-0"), ("1", "001")]
    for first, second in twice:
        labels = [first, "other", second, "another"] if not first[-1].isdigit() else [first, "7", second, "8"]
        yield Case("spellings", f"{first!r} and {second!r}", table(lines("u,y", labels)))
        x = np.arange(len(labels))[:, None]
        yield Case("spellings", f"{first!r} and {second!r} in an array", arrays(x, np.array(labels)))
    for c in ("\n", "\r", "\t", "\0", "\x07", "\ufeff"):
        yield Case("spellings", f"{c!r} in a label", table(lines("u,y", [f'"a{c}b"', "c"])))
        yield Case("spellings", f"{c!r} in a name", table(f'u,"a{c}b",y\n1,2,a\n3,4,b\n'))
    for first, second in (
        ("u", "u\u200b"),
        ("a b", "a  b"),
        ("a", "\uff41"),
        ("caf\u00e9", "cafe\u0301"),
        ("u", " u "),
    ):
        yield Case("spellings", f"columns {first!r} and {second!r}", table(f"{first},{second},y\n1,2,a\n3,4,b\n"))
    for first, second in (("setosa", "setosa "), (" setosa", "setosa"), ("caf\u00e9", "cafe\u0301"), ("a", '"a"')):
        yield Case(
            "spellings",
            f"harmless: {first!r} and {second!r} are one",
            table(lines("u,y", [first, second, "zzz"])),
            lambda d: d.train.y.argmax(axis=1).tolist() == [0, 0, 1],
        )


def table_files() -> Iterator[Case]:
    """Tables with other separators, quotes, encodings and line ends, and files that are none."""
    good = "u,v,y\n1,2,a\n3,4,b\n5,6,a\n"
    wrong = {
        "semicolons": good.replace(",", ";"),
        "semicolons and decimal commas": "u;v;y\n1,5;2;a\n3,5;4;b\n",
        "tabs": good.replace(",", "\t"),
        "bars": good.replace(",", "|"),
        "blanks": good.replace(",", " "),
        "sep=": "sep=,\n" + good,
        "commas at the ends": good.replace("\n", ",\n"),
        "commas at the ends of rows": "u,v,y\n1,2,a,\n3,4,b,\n",
        "thousands without quotes": "u,v,y\n1,000,2,a\n3,4,b\n",
        "a comment first": "# made today\n" + good,
        "a comment last": good + "# end\n",
        "a title": "My table,,\n" + good,
        "units in a second line": "u,v,y\n[cm],[kg],-\n1,2,a\n",
        "the header again": good + good,
        "a row of totals": good + "Total,12,\n",
        "an open quote": 'u,v,y\n1,"2,a\n3,4,b\n',
        "a blank behind a quote": 'u,v,y\n1,"2" ,a\n3,4,b\n',
        "single quotes": "'u','v','y'\n'1','2','a'\n",
        "a row too short": "u,v,y\n1,a\n",
        "row names": 'u,v,y\n"1",5,2,a\n"2",5,3,b\n',
        "blank lines of blanks": good.replace("\n", "\n  \n"),
        "nothing": "",
        "a header alone": "u,v,y\n",
        "one row": "u,v,y\n1,2,a\n",
        "one column": "y\na\nb\n",
        "a long name": "x" * 300 + ",y\n1,a\n2,b\n",
        "a long label": f"u,y\n1,{'x' * 300}\n2,b\n",
        "a page of the web": "<html><body>404</body></html>",
        "JSON": '[{"u": 1}]',
        "the same name": "u,u,y\n1,2,a\n3,4,b\n",
    }
    for name, text in wrong.items():
        yield Case("tables", name, table(text))
    for name, data in {
        "Latin-1": "u,v,\u00e9\n1,2,a\n3,4,b\n".encode("latin-1"),
        "UTF-16": good.encode("utf-16"),
        "UTF-16 without a mark": good.encode("utf-16-le"),
        "an archive": b"PK\x03\x04" + bytes(60),
        "compressed": b"\x1f\x8b\x08" + b"x" * 60,
        "two marks of UTF-8": ("\ufeff\ufeff" + good).encode(),
    }.items():
        yield Case("tables", name, written(data))
    for name, text in {
        "CRLF": good.replace("\n", "\r\n"),
        "CR": good.replace("\n", "\r"),
        "mixed line ends": "u,v,y\r\n1,2,a\n3,4,b\r5,6,a\n",
        "no last line end": good.strip(),
        "empty lines": good.replace("\n", "\n\n"),
        "everything in quotes": '"u","v","y"\n"1","2","a"\n"3","4","b"\n"5","6","a"\n',
        "blanks around": " u , v , y \n 1 , 2 , a \n 3 , 4 , b \n 5 , 6 , a \n",
        "a mark of UTF-8": "\ufeff" + good,
    }.items():
        right = [[1, 2], [3, 4], [5, 6]]
        yield Case("tables", f"harmless: {name}", table(text), lambda d, right=right: d.train.x.tolist() == right)


def written(data: bytes) -> Callable[[], Any]:
    """Reading a csv file of these bytes."""

    def attempt() -> Any:
        pathlib.Path("t.csv").write_bytes(data)
        return fnn.load_data("t.csv")

    return attempt


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
        "data.shape=[2,2]",
        "data.scale=1e-300",
        "data.standardise='no'",
        "network.cost={type='Quadratic', activation='Sigmoid', units=2}",
        "network.layers.0.type='De\\nse'",
        '"se\\ned"=1',
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
    for axis in (
        "eta=[nan]",
        "eta=['a']",
        "eta=0.1",
        "eta=[0.1, 0.1]",
        "units=[2.5]",
        "units=[3, 3]",
        "seeds=0",
        "mu=[1]",
    ):
        yield Case("settings", f"sweep: {axis}", command_on(FLOWERS, "sweep", f"sweep.{axis}"))
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
        "1_000": "u,v\n1_000,2\n",
        "digits of another script": "u,v\n\uff11,2\n",
        "a decimal comma": 'u,v\n"0,5",2\n',
        "hexadecimal digits": "u,v\n0x1,2\n",
        "a percentage": "u,v\n5%,2\n",
        "infinite": "u,v\ninf,2\n",
        "beyond float32": "u,v\n1e39,2\n",
        "a mark of a missing value": "u,v\n1.#IND,2\n",
        "semicolons": "u;v\n1;2\n",
        "tabs": "u\tv\n1\t2\n",
        "an index": ",u,v\n0,1,2\n",
        "commas at the ends": "u,v,\n1,2,\n",
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
    notations,
    spellings,
    table_files,
    lost_digits,
    shapes,
    arguments,
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
