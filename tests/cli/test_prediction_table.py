"""The table of `fnn predict`: no two columns have one name, and what is said about the rows is true."""

import csv

import jax
import numpy as np
import pytest

import fnn
from fnn import Dense, LogLikelihood, Model
from fnn.cli import prediction_table
from fnn.cli.prediction_table import of_classes, of_numbers, score, text


def model(n_out, **about):
    net = (Dense(n_out),)
    return Model(net, LogLikelihood(), fnn.init(net, jax.random.key(0), (2,)), (2,), **about)


ODD = ("row", "class", "desired_class", "output_row", 'a "b", c', "")


@pytest.mark.parametrize(
    ("about", "n_out", "expected"),
    [
        ({"classes": ODD}, 6, [f"output_{name}" for name in ODD]),
        ({"classes": ("no", "yes"), "targets": "binary"}, 1, ["output_yes"]),
        ({"classes": ("a", "b", "c"), "targets": "binary"}, 2, ["output_bit_1", "output_bit_0"]),
        ({"label": "price"}, 1, ["output_price"]),
        ({"label": "row"}, 1, ["output_row"]),
        ({}, 3, ["output_0", "output_1", "output_2"]),
    ],
)
def test_an_output_is_named_by_its_class_or_label_and_no_name_is_there_twice(about, n_out, expected):
    one, a = model(n_out, **about), np.zeros((1, n_out))
    known = of_classes(one, a, ["yes"]) if one.classes else of_numbers(a, np.ones((1, n_out)), "none")
    header, row = csv.reader(text(one, a, known).splitlines())
    assert [name for name in header if name.startswith("output_")] == expected
    assert len(set(header)) == len(header) == len(row)
    beside = ["class", "desired_class"] if one.classes else [f"desired_{name[7:]}" for name in expected]
    assert sorted(header) == sorted(["row", *beside, *expected])
    without, _ = csv.reader(text(one, a, None).splitlines())
    assert without == [name for name in header if not name.startswith("desired_")]


def test_an_accuracy_is_over_the_rows_that_say_what_is_desired():
    one, a = model(2, classes=("cat", "dog")), np.array([[1.0, 0], [0, 1], [1, 0], [1, 0]])
    assert (
        score(one, of_classes(one, a, ["cat", "dog", "dog", "cat"]), "x.csv") == "accuracy 75.00%: 3 of 4 rows of x.csv"
    )
    said = score(one, of_classes(one, a, ["cat", "", "dog", "cow"]), "x.csv")
    assert said.startswith("accuracy 33.33%: 1 of 3 rows of x.csv; ")
    assert "does not know the class 'cow', which counts as a mistake; 1 row does not say what is desired" in said


def test_quantities_have_an_error_in_their_own_units():
    one, a = model(1, label="price"), np.array([[1234567.0], [3.0], [9.0]])
    desired = of_numbers(a, np.array([[1234563.0], [6.0], [np.nan]]), "none")
    assert score(one, desired, "x.csv") == (
        "RMSE in the units of the data: price 3.536, over 2 rows of x.csv; 1 row does not say what is desired"
    )
    assert text(one, a, desired) == "row,output_price,desired_price\n0,1234567,1234563\n1,3,6\n2,9,\n"


@pytest.mark.parametrize(("measure", "share"), [("bits", "50.00%: 1 of 2"), ("classes", "100.00%: 2 of 2")])
def test_outputs_without_names_are_decided_as_in_the_training(measure, share):
    a, y = np.array([[0.9, 0.1], [0.9, 0.8]]), np.array([[1.0, 0.0], [1.0, 0.0]])
    assert score(model(2), of_numbers(a, y, measure), "x.npz") == f"accuracy {share} rows of x.npz"


def test_a_row_that_does_not_say_it_is_not_right_by_bits():
    desired = of_numbers(np.array([[0.1], [0.1], [0.9]]), np.array([[np.nan], [0.0], [0.0]]), "bits")
    assert score(model(1), desired, "x") == "accuracy 50.00%: 1 of 2 rows of x; 1 row does not say what is desired"


def test_many_outputs_are_not_all_told():
    said = score(model(9), of_numbers(np.zeros((2, 9)), np.ones((2, 9)), "none"), "x")
    assert said == "RMSE in the units of the data: y[0] 1, y[1] 1, y[2] 1, y[3] 1, y[4] 1, ..., over 2 rows of x"
    assert prediction_table.MOST_NAMED == 5
