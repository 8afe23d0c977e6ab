"""Foolish and hostile data, counted by kind: every one is refused in one line, none is accepted, none is a traceback.

| kind | tried |
|---|---|
| a name in the header that is a number, blank or a mark, in each place, plain, quoted and spaced | 126 |
| a missing value, in each column, among text, whole numbers, fractions and whole floats | 528 |
| text among numbers, in each of four rows, among fractions and whole numbers | 112 |
| a number in two spellings, in three orders | 18 |
| inputs that float32 cannot tell apart, in three kinds of files | 24 |
| arrays of other kinds, as x and as y, in two kinds of files | 44 |
| files with other names for their arrays | 8 |
| new inputs with other columns than those of the training | 68 |
"""

import itertools

import numpy as np
import pytest

from fnn.data import load_data, load_inputs
from fnn.errors import InputError
from tests.helpers.data_files import written

MARKS = ("", "?", "NA", "N/A", "nan", "NaN", "null", "None", "-", ".", "n/a", "NULL", "#N/A", "<NA>", "--", " ")
SLIPS = (
    "abc",
    "3,5",
    "1 000",
    "5%",
    "1_0",
    "O.5",
    "1e",
    "12 kg",
    "$5",
    "--1",
    "0x10",
    "1/2",
    "1;2",
    "\N{VULGAR FRACTION ONE HALF}",
)
OTHER_ARRAYS = (
    *(
        np.array([None, 1]),
        np.array(["a", "b"]),
        np.array([b"a", b"b"]),
        np.array([1j, 2]),
        np.array(["2020"], "M8[Y]"),
    ),
    *(np.zeros(2, "f8,i4"), np.zeros(2, "V3"), np.array([np.nan, 1]), np.array([np.inf, 1]), np.array([1e300, 1])),
    *(np.zeros(0), np.float64(3)),
)


def table(*rows):
    return "".join(",".join(row) + "\n" for row in rows)


def headers():
    names = ("1", "-2", "5.1", "nan", "+3e4", "inf", "0", " ", "", "1e-3", ".5", "Unnamed: 0", "?", "-")
    for name, place, form in itertools.product(names, range(3), ("{}", '"{}"', " {} ")):
        header = [form.format(name if k == place else "aby"[k]) for k in range(3)]
        yield {"text": table(header, "12u", "34v")}


def missing():
    columns = {"uvw": ("", "one-hot"), "012": ("", "one-hot", "quantity")}
    fractions = {("0.5", "1.25", "2.75"): columns["012"], ("1.0", "2.0", "3.0"): columns["012"]}
    for labels, every in (columns | fractions).items():
        for targets, mark, place in itertools.product(every, MARKS, range(3)):
            rows = [["1", "2", labels[0]], ["3", "4.5", labels[1]], ["5", "6", labels[2]], ["7", "8", labels[1]]]
            rows[2][place] = mark
            yield {"text": table("aby", *rows), "targets": targets}


def slips():
    for slip, place, fractions in itertools.product(SLIPS, range(4), (True, False)):
        labels = [f"{0.37 * k + 0.11:.2f}" if fractions else str(k % 3) for k in range(7)]
        labels[place] = f'"{slip}"'
        yield {"text": table("ay", *(("1", label) for label in labels))}


def spellings():
    pairs = (("1", "01"), ("1", "+1"), ("0", "-0"), ("7", "007"), ("-1", "-01"), (f"{10**19}", f"0{10**19}"))
    for one, other in pairs:
        for labels in ((one, other, "2"), ("2", other, one), (one, "2", "2", other)):
            yield {"text": table("ay", *(("1", label) for label in labels))}


def too_close():
    for value, step in itertools.product((1.7e9, 1e12, -4e10, 2.0**40), (1e-14, 1e-12)):
        x = np.column_stack([np.arange(50.0), value + abs(value) * step * np.arange(50)])
        yield {"arrays": {"x": x, "y": np.arange(50) % 2}}
        yield {"files": {"x": x, "y": np.arange(50) % 2}}
        yield {"text": table("aby", *((*map(repr, row), "uv"[k % 2]) for k, row in enumerate(x.tolist())))}


def other_arrays():
    for array, name in itertools.product(OTHER_ARRAYS, "xy"):
        if name == "x" or array.dtype.kind not in "US":  # text in y is classes
            arrays = {"x": np.zeros((2, 1)), "y": np.array([0, 1])} | {name: array}
            yield {"arrays": arrays}
            yield {"files": arrays}


def other_names():
    pairs = (("X", "y"), ("x", "Y"), ("arr_0", "arr_1"), ("x_train", "y_train"), ("images", "labels"))
    for names in (*pairs, ("x", "y", "z"), ("x",), ()):
        yield {"arrays": {name: np.zeros(2) for name in names}}


def other_columns():
    few = itertools.permutations(("h", "w"))
    more = itertools.chain(itertools.permutations(("h", "w", "d", "id")), itertools.permutations(("h", "w", "x")))
    for header, label in itertools.product((*few, *more, ("H", "W", "D"), ("h", "w", "d", "d")), ("", "kind")):
        yield {"text": table(header, "1" * len(header)), "label": label}


def taken(tmp_path, *, text="", arrays=None, files=None, **options):
    """What the library makes of it."""
    if "label" in options:
        return load_inputs(written(tmp_path, text), (3,), columns=("h", "w", "d"), **options)
    if text:
        return load_data(written(tmp_path, text), **options)
    if arrays is not None:
        np.savez(tmp_path / "a.npz", **arrays)
        return load_data(str(tmp_path / "a.npz"))
    for name, array in files.items():
        np.save(tmp_path / f"{name}.npy", array)
    return np.asarray(load_data(str(tmp_path / "x.npy"), y=str(tmp_path / "y.npy")).train.x)


@pytest.mark.parametrize(
    ("kind", "number"),
    [
        *((headers, 126), (missing, 528), (slips, 112), (spellings, 18), (too_close, 24), (other_arrays, 44)),
        *((other_names, 8), (other_columns, 68)),
    ],
)
def test_foolish_data_are_refused_in_one_line(tmp_path, kind, number):
    tried = list(kind())
    for foolish in tried:
        with pytest.raises(InputError) as caught:
            taken(tmp_path, **foolish)
        assert "\n" not in str(caught.value)
        assert len(str(caught.value)) < 600
    assert len(tried) == number
