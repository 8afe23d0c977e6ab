"""The arguments of `load_data` that are chosen for a file: each is told with its reason, and `load_data` takes them."""

import re

import numpy as np
import pytest

from fnn.errors import InputError
from fnn.looking.files import looked_at
from tests.helpers.data_files import saved, written


def found(tmp_path, header, rows, label=""):
    """A table that was looked at; `load_data` took what was chosen for it."""
    got = looked_at(written(tmp_path, "\n".join([header, *(",".join(map(str, row)) for row in rows)]) + "\n"), label)
    assert got.data is not None, got.faults
    return got


def left_out(got):
    return {name: role.why for name, role in got.plan.roles.items() if role.use == "drop"}


def value(got, name):
    return got.plan.entries[name].value if name in got.plan.entries else None


NOISE = np.random.default_rng(0).normal(size=400).round(3).tolist()


@pytest.mark.parametrize(
    ("name", "cell", "why"),
    [
        ("customer", lambda k: f"C{k * 7}", "an id: a different text in each of the 60 rows"),
        ("customer_id", lambda k: 1000 + k * k, "an id: a different whole number in each of the 60 rows"),
        ("PassengerId", lambda k: 100 - k, "an id: a different whole number in each of the 60 rows"),
        ("commit", lambda k: "39e20335" if k == 3 else f"a{k}", "an id: a different text in each of the 60 rows"),
        ("n", lambda k: k + 1, "an index: it rises by 1 from row to row, from 1"),
        ("", lambda k: k, "it has no name; it seems to be an index"),
        ("Unnamed: 0", lambda k: k, "it has no name; it seems to be an index"),
        ("c", lambda k: 5, "a constant: 5 in every row"),
        ("c", lambda k: "NA", "all of it is blank"),
        ("c", lambda k: 3.5 + k if k % 3 == 0 else "", "67% of it is blank"),
        ("day", lambda k: f"2024-{1 + k % 12:02d}-{1 + k % 28:02d}", "dates, which a net cannot read"),
        ("name", lambda k: f"n{k // 2}", "30 different texts in 60 rows, too many to learn from"),
        ("code", lambda k: (k % 3) * 10, "it says the same as 'y' in every row"),
        ("code", lambda k: "pqr"[k % 3], "it says the same as 'y' in every row"),
        ("price", lambda k: f"{k}%", "cannot be read as it is"),
        ("m", lambda k: "x" if k == 7 else k / 2, "column 'm', line 9: 'x'"),
    ],
)
def test_a_column_that_is_no_input_is_left_out_with_the_reason(tmp_path, name, cell, why):
    got = found(tmp_path, f"{name},x,y", [(cell(k), NOISE[k], ["ant", "bee", "cat"][k % 3]) for k in range(60)])
    assert list(left_out(got)) == [name]
    assert why in left_out(got)[name]
    assert got.plan.shape == got.data.shape == (1,)


@pytest.mark.parametrize(
    ("labels", "targets", "outputs"),
    [
        (lambda k: "ab"[k % 2], "binary", 1),
        (lambda k: k % 2, "binary", 1),
        (lambda k: float(k % 2), "binary", 1),
        (lambda k: k % 2 == 0, "binary", 1),
        (lambda k: "abc"[k % 3], "one-hot", 3),
        (lambda k: 3 + k % 6, "one-hot", 6),
        (lambda k: float(k % 4), "one-hot", 4),
        (lambda k: 20_000 + 100 * k, "quantity", 1),
        (lambda k: k % 30, "quantity", 1),
        (lambda k: k % 19, "quantity", 1),
        (lambda k: 0.5 * (k % 4), "quantity", 1),
    ],
)
def test_what_is_predicted_is_decided_by_the_cells(tmp_path, labels, targets, outputs):
    got = found(tmp_path, "x,y", [(NOISE[k], labels(k)) for k in range(90)])
    assert value(got, "targets") == targets
    assert got.plan.n_out == got.data.train.y.shape[1] == outputs
    assert value(got, "standardise_y") == (True if targets == "quantity" else None)


def test_a_column_that_cannot_be_computed_with_is_left_out(tmp_path):
    got = found(tmp_path, "big,x,y", [(10**18 + k * k, NOISE[k], "ab"[k % 2]) for k in range(60)])
    assert left_out(got) == {"big": "it cannot be computed with as it is"}
    assert "'big': its numbers differ, and are one number or nearly so" in got.faults[0]


def test_text_is_one_hot_and_blanks_get_the_mean(tmp_path):
    rows = [(NOISE[k] if k % 9 else "", "rgb"[k % 3] if k % 10 else "?", "ab"[k % 2]) for k in range(60)]
    got = found(tmp_path, "x,colour,y", rows)
    assert (value(got, "onehot"), value(got, "missing")) == (["colour"], "mean")
    assert "'x' 7, the first in line 2" in got.plan.entries["missing"].why
    assert got.plan.shape == got.data.shape == (4,)


def test_rows_without_a_label_are_left_out_unless_they_are_most(tmp_path):
    got = found(tmp_path, "x,y", [(NOISE[k], "" if k % 6 == 0 else "ab"[k % 2]) for k in range(60)])
    assert (value(got, "missing"), got.plan.rows) == ("drop", 50)
    why = "10 rows have no label, which cannot be filled in; no row with a blank is used, 50 of 60 are left"
    assert got.plan.entries["missing"].why == why
    rows = [(NOISE[k] if k % 5 else "", NOISE[k], "ab"[k % 2] if k else "") for k in range(60)]
    why = found(tmp_path, "x,z,y", rows).plan.entries["missing"].why
    assert why.startswith("1 row has no label")
    assert why.endswith('48 of 60 are left; if you remove these rows, missing = "mean" can fill the other blanks')
    with pytest.raises(AssertionError, match="40 of 60 rows have no 'y', the label, the first in line 3"):
        found(tmp_path, "x,y", [(NOISE[k], "ab"[k % 2] if k % 3 == 0 else "") for k in range(60)])


def test_texts_that_are_rare_are_among_the_training_rows(tmp_path):
    rows = [("rare" if k in (3, 50) else "uv"[k % 2], "odd" if k == 77 else "pq"[k % 2], NOISE[k]) for k in range(100)]
    got = found(tmp_path, "a,b,y", rows)
    assert value(got, "split_seed") is None or value(got, "split_seed") > 0
    assert {"rare", "odd"} <= {text for column in got.data.encoding.columns for text in column.texts}


@pytest.mark.parametrize("few", [6, 12])
def test_a_class_of_few_rows_is_in_every_part(tmp_path, few):
    got = found(tmp_path, "x,y", [(NOISE[k], "yes" if k % (60 // few) == 0 else "no") for k in range(60)])
    assert all(0 < part.y.sum() < part.n for part in got.data[:3])


def test_a_column_whose_texts_cannot_all_be_learnt_is_left_out(tmp_path):
    rows = [(f"2024-01-{1 + k // 4:02d}", "new" if k > 90 else "old", NOISE[k], NOISE[k + 100]) for k in range(100)]
    got = found(tmp_path, "day,state,x,y", rows)
    assert value(got, "order") == "as stored"
    assert list(left_out(got)) == ["day", "state"]


@pytest.mark.parametrize(
    ("day", "order", "note"),
    [
        (lambda k: f"2024-01-01 {k // 60:02d}:{k % 60:02d}", "as stored", ""),
        (lambda k: f"{1 + k // 4:02d}.02.2024", "as stored", ""),
        (lambda k: f"02/{1 + k // 4:02d}/2024", "as stored", ""),
        (lambda k: f"2024-03-{31 - k // 4:02d}", None, "the dates in 'day' fall"),
        (lambda k: f"2024-03-{1 + k % 31:02d}", None, ""),
        (lambda k: 2.5 * k, "as stored", ""),
        (lambda k: k, "as stored", ""),
        (lambda k: 50 - k, None, ""),
    ],
)
def test_a_series_is_known_by_its_dates(tmp_path, day, order, note):
    got = found(tmp_path, "day,x,y", [(day(k), NOISE[k], NOISE[k + 100]) for k in range(100)])
    assert value(got, "order") == order
    assert note in " ".join(got.plan.notes)


def test_a_number_that_rises_and_is_not_called_a_time_is_asked_for(tmp_path):
    got = found(tmp_path, "depth,x,y", [(2.5 * k, NOISE[k], NOISE[k + 100]) for k in range(100)])
    assert value(got, "order") is None
    assert got.plan.notes == ("'depth' rises from row to row: if it is a time, say order = \"as stored\"",)


def test_what_only_the_user_knows_is_asked(tmp_path):
    rows = [
        ("ab"[k % 2], k % 4, "uvwxyz"[k % 6], NOISE[k], ["no", "no", "no", "no", "no", "yes"][k % 6]) for k in range(90)
    ]
    notes = found(tmp_path, "target,code,town,x,churn", rows).plan.notes
    assert [note.split(":")[0] for note in notes] == [
        "'target' may be the label; --label target predicts it",
        "83.3% of the rows are 'no'",
        "few whole numbers, in 'code' (4 different)",
        "each text of 'town' goes with one 'churn' alone",
    ]


@pytest.mark.parametrize(
    ("cell", "note"),
    [
        (
            lambda k: 1e20 if k == 5 else NOISE[k],
            r"'income', line 7: 1e\+20, far from the others, half of which are -0",
        ),
        (lambda k: -1e6 if k in (5, 8) else 0, ""),
        (lambda k: -999 if k % 9 == 0 else 2000 + k, "'income' is -999 in 12 rows, and else never negative: if that"),
        (lambda k: -999 if k == 9 else 2000 + k, ""),
        (lambda k: (-999, -5, 3000)[k % 3] + k // 3 * (k % 3), ""),
        (lambda k: 10 ** (NOISE[k]), ""),
    ],
)
def test_numbers_that_are_strange_are_asked_for(tmp_path, cell, note):
    rows = [(cell(k), NOISE[k + 100], "ab"[k % 2]) for k in range(100)]
    notes = [each for each in found(tmp_path, "income,x,y", rows).plan.notes if "codes" not in each]
    assert len(notes) == bool(note)
    assert all(re.match(note, each) for each in notes)


def test_more_inputs_than_rows_are_told(tmp_path):
    names, rows = [f"c{j}" for j in range(40)], [[*NOISE[k : k + 40], "ab"[k % 2]] for k in range(40)]
    notes = found(tmp_path, ",".join([*names, "y"]), rows).plan.notes
    assert "40 inputs are more than the 24 training rows: columns left out may help" in notes


@pytest.mark.parametrize(("rows", "said"), [(19, 0), (25, 1), (70, 1), (75, 0)])
def test_few_rows_that_are_held_out_are_told(tmp_path, rows, said):
    notes = found(tmp_path, "x,y", [(NOISE[k], "ab"[k % 2]) for k in range(rows)]).plan.notes
    few = f"{rows // 5} validation and {rows // 5} test rows are few: which epoch is best, and the result, change much"
    assert [note.startswith(few) for note in notes] == [True] * said


def test_a_small_table_is_not_split(tmp_path):
    got = found(tmp_path, "a,b,y", [(0, 0, 0), (0, 1, 1), (1, 0, 1), (1, 1, 0)])
    assert (value(got, "validation"), got.data.train.n, left_out(got)) == (None, 4, {})


def test_the_last_column_that_is_left_is_used_and_told(tmp_path):
    got = found(tmp_path, "x,y", [(k, 2 * k + 1) for k in range(40)])
    assert "no column is left but 'x' (an index: it rises by 1" in got.plan.notes[0]


@pytest.mark.parametrize(
    ("label", "message"),
    [("x", "'x' has 7 in every row"), ("name", "60 different texts in 60 rows"), ("q", "none of its columns")],
)
def test_what_cannot_be_predicted_is_told(tmp_path, label, message):
    with pytest.raises((AssertionError, InputError), match=message):
        found(tmp_path, "x,name,y", [(7, f"n{k}", NOISE[k]) for k in range(60)], label)


@pytest.mark.parametrize(
    ("x", "entries", "shape"),
    [
        (np.full((40, 9, 8), 200, np.uint8), {"shape": [1, 9, 8], "scale": 1 / 255}, (1, 9, 8)),
        (np.full((40, 3, 8, 8), 16, np.uint8), {"scale": 1 / 16}, (3, 8, 8)),
        (np.full((40, 8, 8, 3), 0.5), {}, (8, 8, 3)),
        (np.full((40, 12), 1, np.uint8), {}, (12,)),
        (np.linspace(0, 5, 40 * 3).reshape(40, 3), {"standardise": True}, (3,)),
    ],
)
def test_arrays_get_a_shape_and_units(tmp_path, x, entries, shape):
    got = looked_at(saved(tmp_path, x=x, y=np.arange(40) % 2))
    chosen = {name: value(got, name) for name in ("shape", "scale", "standardise") if value(got, name)}
    assert (chosen, got.plan.shape) == (entries, shape)
    assert got.data.shape == shape


@pytest.mark.parametrize(
    ("y", "task", "outputs"),
    [
        (np.arange(40) % 4, "classes", 4),
        (np.arange(40) * 1.5, "quantity", 1),
        (np.eye(4, dtype=np.uint8)[np.arange(40) % 4], "classes", 4),
        (np.linspace(0, 1, 120).reshape(40, 3), "quantity", 3),
        (np.array(["a", "b"] * 20), "binary", 1),
        (1000 + np.arange(40), "quantity", 1),
    ],
)
def test_the_outputs_of_arrays(tmp_path, y, task, outputs):
    got = looked_at(saved(tmp_path, x=np.arange(80.0).reshape(40, 2), y=y))
    assert (got.plan.task, got.plan.n_out, got.data.train.y.shape[1]) == (task, outputs, outputs)
