"""Foolish tables: their headers, cells, labels and whole files."""

from __future__ import annotations

import itertools
import pathlib
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

import fnn
from experiments.campaigns.foolish_files import Case, arrays, lines, table

MARKS = ("", " ", "?", "NA", "N/A", "nan", "NaN", "null", "None", "-", ".")
MARKS += ("#N/A", "<NA>", "NULL", "missing", "--", "---", "...", "-nan", "1.#IND", "\\N", "n.d.", "undefined")


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
