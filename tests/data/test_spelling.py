"""Labels and names that are one in two spellings, digits of other scripts, marks of a missing value."""

import re

import numpy as np
import pytest

from fnn.data import load_data, load_inputs
from fnn.errors import CorruptFileError, InputError
from tests.helpers.data_files import saved, written

SPELLINGS = {
    "case": ("setosa", "Setosa"),
    "capitals": ("SETOSA", "setosa"),
    "two blanks": ("new york", "new  york"),
    "another blank": ("new york", "new\u00a0york"),
    "a character that cannot be seen": ("setosa", "seto\u200bsa"),
    "a soft hyphen": ("setosa", "seto\u00adsa"),
    "a ligature": ("fi", "\ufb01"),
    "a full-width letter": ("a", "\uff41"),
    "quotes": ("setosa", "'setosa'"),
    "sharp s": ("straße", "STRASSE"),
    "truth values": ("true", "True"),
    "truth values and numbers": ("true", "1"),
}
SAME = {
    "a blank behind": ("setosa", "setosa "),
    "a blank before": (" setosa", "setosa"),
    "a narrow blank behind": ("setosa", "setosa\u00a0"),
    "an accent of its own": ("caf\u00e9", "cafe\u0301"),
    "a syllable in parts": ("\ud55c", "\u1112\u1161\u11ab"),
}
OTHERS = [
    ("a", "b"),
    ("m", "m1"),
    ("New York", "New Jersey"),
    ("naïve", "naive"),
    ("x2", "x3"),
    ("o", "ö"),
    ("l", "1 l"),
]


def read(tmp_path, labels, form="csv", **options):
    if form == "npz":
        return load_data(saved(tmp_path, x=np.arange(len(labels))[:, None], y=np.array(labels)), **options)
    text = "a,y\n" + "".join(f'{k},"{label}"\n' for k, label in enumerate(labels))
    return load_data(written(tmp_path, text), **options)


@pytest.mark.parametrize("form", ["csv", "npz"])
@pytest.mark.parametrize("labels", SPELLINGS.values(), ids=SPELLINGS)
def test_a_label_in_two_spellings_is_refused_and_may_be_meant(labels, form, tmp_path):
    first, second = labels
    places = ("line 2", "line 4") if form == "csv" else ("y[0]", "y[2]")
    said = f": {second!r} is another spelling of {first!r} in {places[0]}; write both alike, or targets = 'one-hot' mak"
    with pytest.raises(InputError, match=f"{re.escape(places[1])}.*{re.escape(said)}"):
        read(tmp_path, [first, "other", second, "other", "more"], form)
    assert read(tmp_path, [first, "other", second, "other"], form, targets="one-hot").classes == tuple(
        sorted({*labels, "other"})
    )


@pytest.mark.parametrize("form", ["csv", "npz"])
@pytest.mark.parametrize("labels", SAME.values(), ids=SAME)
def test_the_same_text_is_one_class(labels, form, tmp_path):
    data = read(tmp_path, [*labels, "zzz"], form)
    assert len(data.classes) == 2
    assert data.train.y.argmax(axis=1).tolist() == [0, 0, 1] or data.classes[1] == "\ud55c"
    chosen = read(tmp_path, [*labels, "zzz"], form, classes=("zzz", labels[1].strip()))
    assert chosen.train.y.argmax(axis=1).tolist() == [1, 1, 0]


@pytest.mark.parametrize("labels", OTHERS, ids=str)
def test_other_labels_stay_two_classes(labels, tmp_path):
    assert len(read(tmp_path, [*labels, *labels]).classes) == 2


@pytest.mark.parametrize("character", ["\n", "\r", "\t", "\0", "\x07", "\x7f", "\x85", "\ufeff"])
def test_characters_that_cannot_be_seen_are_named(character, tmp_path):
    said = r"holds .*, a character that cannot be seen; remove it"
    with pytest.raises(InputError, match=rf"column 'y': .*{said}"):
        read(tmp_path, [f"a{character}b", "c"])
    with pytest.raises(InputError, match=rf"line 1: column 2 is called .*{said}"):
        load_data(written(tmp_path, f'u,"a{character}b",y\n1,2,a\n3,4,b\n'))


@pytest.mark.parametrize("names", [("u", "u\u200b"), ("a b", "a  b"), ("a", "\uff41"), ("caf\u00e9", "cafe\u0301")])
def test_columns_that_look_the_same_are_refused(names, tmp_path):
    with pytest.raises(InputError, match=r"a different name for each column; .* (look the same|is there twice)"):
        load_data(written(tmp_path, f"{','.join(names)},y\n1,2,a\n3,4,b\n"))


def test_large_and_small_letters_are_two_columns(tmp_path):
    assert load_data(written(tmp_path, "t,T,y\n1,2,a\n3,4,b\n")).columns == ("t", "T")


def test_columns_are_matched_whatever_system_wrote_the_accents(tmp_path):
    one, two = "caf\u00e9", "cafe\u0301"
    data = load_data(written(tmp_path, f"{two},u,y\n1,2,a\n3,4,b\n"), label="y")
    assert data.columns == (one, "u")
    for columns in ((one, "u"), (two, "u")):  # runs of before have them as they were in the file
        for name in (one, two):
            x = load_inputs(written(tmp_path, f"u,{name}\n2,1\n"), (2,), columns=columns)
            assert np.asarray(x).tolist() == [[1, 2]]
    assert load_data(written(tmp_path, f"u,{one}\n1,a\n2,b\n"), label=two).label == one


@pytest.mark.parametrize(
    "cell", ["\uff11\uff12", "\u0663", "\u0969", "\U0001d7d1", "1\u0660", "\uff11e\uff15", "1_000"]
)
def test_digits_of_other_scripts_are_no_numbers_here(cell, tmp_path):
    with pytest.raises(InputError, match=r"line 3, column 'u': .*; expected a number"):
        load_data(written(tmp_path, f"u,y\n1,a\n{cell},b\n3,a\n"))
    with pytest.raises(InputError, match=r"line 4, column 'y': .*; expected a number"):
        read(tmp_path, ["1.5", "2.5", cell, "3.5"])
    with pytest.raises(InputError, match=r"line 2, column 'y': .*; expected a number such as 3.5: correct it, or targ"):
        read(tmp_path, [cell, f"{cell}{cell[-1]}"])
    with pytest.raises(InputError, match=r"expected a number"):
        load_inputs(written(tmp_path, f"u\n1\n{cell}\n"), (1,))


@pytest.mark.parametrize("name", ["\uff11", "\u0663", "\u0969.5"])
def test_a_number_of_another_script_is_no_name(name, tmp_path):
    with pytest.raises(InputError, match=r"column 1 is called .*, a number; expected a header line"):
        load_data(written(tmp_path, f"{name},v,y\n1,2,a\n3,4,b\n"))


@pytest.mark.parametrize("labels", [("0x1", "0x2"), ("0xFF", "0x10", "0xA"), ("5%", "6%"), ("1,5", "2,5")], ids=str)
def test_numbers_in_another_notation_are_not_silently_classes(labels, tmp_path):
    with pytest.raises(InputError, match=r"line 2, column 'y': .*; expected a number such as 3.5: correct it, or targ"):
        read(tmp_path, [*labels, *labels])
    assert len(read(tmp_path, [*labels, *labels], targets="one-hot").classes) == len(labels)


MARKS = [
    "missing",
    "Missing",
    "MISSING",
    "(null)",
    "pd.NA",
    "undefined",
    "n.d.",
    "\\N",
    "---",
    "—",
    "..",
    "...",
    "-NaN",
]
MARKS += ["+nan", "1.#IND", "-1.#IND", "1.#QNAN", "-1.#QNAN", "1.#INF", "#NV", "#WERT!"]


@pytest.mark.parametrize("mark", MARKS)
def test_marks_of_a_missing_value_are_no_class_and_no_number(mark, tmp_path):
    for labels in (["a", "b", mark, "a"], ["1", "2", mark, "1"], ["1.5", "2.5", mark, "3.5"]):
        with pytest.raises(InputError, match=r"line 4, column 'y': .*(marks a missing value|expected a finite number)"):
            read(tmp_path, labels)
    with pytest.raises(InputError, match=r"line 3, column 'a': .*(marks a missing value|expected a finite number)"):
        load_data(written(tmp_path, f"a,y\n1,u\n{mark},v\n"))


def test_quantities_below_float64_are_refused(tmp_path):
    with pytest.raises(InputError, match="column 'y': its numbers differ .* and are one as quantities"):
        read(tmp_path, [f"{k}e-400" for k in range(1, 9)])


def test_a_table_that_is_none_is_refused_with_its_line(tmp_path):
    with pytest.raises(CorruptFileError, match="line 3: ',' expected after '\"'"):
        load_data(written(tmp_path, 'u,v,y\n1,2,a\n1,"2" ,a\n'))
