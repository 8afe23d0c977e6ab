"""A model is asked about inputs in their own units, and names the classes of what it says."""

from collections import UserList
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import fnn
from fnn.errors import InputError
from fnn.runs import prediction

NET = (fnn.Dense(3),)


def model(shape=(4,), n_out=3, **fields):
    net = (fnn.Flatten(), fnn.Dense(n_out)) if len(shape) > 1 else (fnn.Dense(n_out),)
    params = fnn.init(net, jax.random.key(0), shape)
    return fnn.Model(net, fnn.CrossEntropy(), params, shape, **fields)


def drawn(n, *shape):
    return np.random.default_rng(n).random((n, *shape), np.float32)


@pytest.mark.parametrize(
    ("targets", "rows", "said"),
    [
        ("binary", [[0.1, 0.2], [0.1, 0.9], [0.8, 0.2], [0.8, 0.9]], ["a", "b", "c", "?"]),
        ("one-hot", [[0.1, 0.2, 0.1], [0.1, 0.2, 0.3]], ["b", "c"]),
        ("one-hot", [[0.1, np.nan, 0.1], [0.1, 0.2, 0.3]], ["?", "c"]),
        ("binary", [[0.9, np.nan], [0.1, 0.9]], ["?", "b"]),
    ],
)
def test_a_code_is_read_highest_bit_first_and_may_be_of_no_class(targets, rows, said):
    asked = model(n_out=len(rows[0]), classes=("a", "b", "c"), targets=targets)
    assert asked.classes_of(np.array(rows)) == said


def test_quantities_have_no_classes():
    assert model().classes_of(np.zeros((2, 3))) == []


def test_classes_are_those_of_outputs():
    with pytest.raises(ValueError, match=r"outputs have shape \(2, 4\); expected \(n, 3\), as predict returns them"):
        model(classes=("a", "b", "c")).classes_of(np.zeros((2, 4)))


@pytest.mark.parametrize("shape", [(4,), (1, 2, 3)])
def test_inputs_are_scaled_as_for_the_training(shape):
    rng = np.random.default_rng(0)
    mean, sd = 1e9 + rng.random(shape), 1 + rng.random(shape)
    raw = mean + sd * rng.standard_normal((7, *shape))
    asked = model(shape, mean=mean, sd=sd, scale=0.5)
    x = ((raw - mean) / sd).astype(np.float32) * np.float32(0.5)  # in float32 the raw inputs would all be one
    expected = jax.jit(fnn.predict)(asked.net, asked.cost, asked.params, x)
    np.testing.assert_array_equal(asked.predict(raw), expected)


@pytest.mark.parametrize(
    "as_given",
    [
        lambda x: x,
        lambda x: x.tolist(),
        lambda x: x.astype(np.int64),
        lambda x: x.astype(np.float16),
        lambda x: x.astype(float),
        lambda x: x.astype(">f8"),
        jnp.asarray,
        lambda x: jnp.asarray(x, jnp.bfloat16),
        lambda x: x.reshape(5, 1, 4),
        lambda x: np.asfortranarray(x),
        lambda x: np.ma.masked_array(x, np.zeros(x.shape, bool)),
        lambda x: [tuple(row) for row in x],
    ],
)
def test_bytes_are_taken_in_every_form(as_given):
    asked, x = model(scale=1 / 255), np.random.default_rng(0).integers(0, 200, (5, 4)).astype(np.uint8)
    expected = jax.jit(fnn.predict)(asked.net, asked.cost, asked.params, x.astype(np.float32) * np.float32(1 / 255))
    np.testing.assert_array_equal(asked.predict(as_given(x)), expected)


def test_truth_values_are_zeros_and_ones():
    bits = np.array([[True, False, True, True]])
    np.testing.assert_array_equal(model().predict(bits), model().predict(bits.astype(float)))


@pytest.mark.parametrize(
    ("shape", "given"), [((1,), (5,)), ((784,), (2, 28, 28)), ((1, 28, 28), (2, 28, 28)), ((1, 28, 28), (2, 784))]
)
def test_flat_rows_and_images_are_the_same_numbers(shape, given):
    asked, x = model(shape), drawn(2, 5)[0] if given == (5,) else drawn(*given)
    np.testing.assert_array_equal(asked.predict(x), asked.predict(x.reshape(-1, *shape)))


@pytest.mark.parametrize(
    ("shape", "given", "message"),
    [
        ((4,), (4,), r"have shape \(4,\); expected \(n, 4\), one row for each. One input alone .* predict\(\[x\]\)"),
        ((4,), (2, 5), r"have shape \(2, 5\); expected \(n, 4\), one row for each\.$"),
        ((4,), (4, 2), r"have shape \(4, 2\)"),
        ((4,), (), r"have shape \(\); expected \(n, 4\)"),
        ((4,), (0,), r"have shape \(0,\)"),
        ((1,), (2, 2), r"expected \(n, 1\)"),
        ((3, 8, 8), (2, 8, 8, 3), r"have shape \(2, 8, 8, 3\); expected \(n, 3, 8, 8\)"),  # channels last
        ((1, 28, 28), (28, 28), r"have shape \(28, 28\)"),
        ((1, 28, 28), (1, 28, 28), r""),
    ],
)
def test_inputs_of_another_shape_are_refused(shape, given, message):
    if not message:
        assert model(shape).predict(np.zeros(given)).shape == (1, 3)
        return
    with pytest.raises(ValueError, match=message):
        model(shape).predict(np.zeros(given))


class Row(UserList):
    """A row of a table of pandas, which is no table."""

    iloc = None


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        ([["1", "2", "3", "4"]], "dtype <U1; expected whole numbers or floats"),
        ([[1, 2, 3, None]], "dtype object; expected"),
        ([[1, 2, 3, 4], [1, 2, 3]], "the inputs are no array of numbers"),
        ([[1, 2, 3, 4j]], "dtype complex128; expected"),
        (None, "dtype object; expected"),
        ("new.csv", "the inputs are 'new.csv'; expected an array or a table; fnn predict RUN FILE reads a file"),
        (Path("new.csv"), "the inputs are 'new.csv'; expected an array or a table"),
        ([{"a": 1, "b": 2}], "the inputs are a list of dicts; expected one dict of columns"),
        (Row([1, "cat"]), r"a part of a data frame; expected a table, as frame.iloc\[\[0\]\] gives"),
        (np.zeros((2, 4), "M8[s]"), r"dtype datetime64\[s\]; expected"),
        (np.zeros(2, [("a", float), ("b", float)]), "expected whole numbers or floats"),
    ],
    ids=repr,
)
def test_what_is_no_number_is_refused(raw, message):
    with pytest.raises(TypeError, match=message):
        model().predict(raw)


@pytest.mark.parametrize(
    ("number", "what"),
    [
        (np.nan, "nan or an infinite number; leave it out"),
        (np.inf, "nan or an infinite number; leave it out"),
        (1e39, "a number that is too large for float32 once it is scaled; leave it out"),
        (-3e38, "a number that is too large for float32 once it is scaled; leave it out"),
    ],
)
def test_an_input_that_is_no_number_of_float32_is_refused_by_its_row(number, what):
    x = np.ones((prediction.INPUTS_AT_ONCE + 9, 4))
    x[prediction.INPUTS_AT_ONCE + 3, 2] = number
    with pytest.raises(ValueError, match=f"^input 5003 holds {what}"):
        model(scale=2.0).predict(x)


def test_an_input_far_from_those_of_the_training_is_refused():
    far = [[0.0, 0, 0, 0], [1e30, 0, 0, 0]]
    with pytest.raises(ValueError, match=r"inputs from number 0 on: x\[1\] is too far from the training examples"):
        model(sd=np.full(4, 1e-20)).predict(far)


def test_masked_numbers_are_refused():
    with pytest.raises(ValueError, match="the inputs have masked numbers"):
        model().predict(np.ma.masked_equal(np.arange(8.0).reshape(2, 4), 3.0))


def test_many_inputs_are_predicted_in_parts_and_none_are_none(monkeypatch):
    x = drawn(50, 4)
    whole = model().predict(x)
    monkeypatch.setattr(prediction, "INPUTS_AT_ONCE", 7)
    np.testing.assert_allclose(model().predict(x), whole, rtol=1e-6)
    assert model().predict(np.zeros((0, 4))).shape == (0, 3)


class Table:
    """What pandas and polars have in common, with the columns of a table of pets."""

    def __init__(self, *columns):
        self.columns = list(columns)

    def __getitem__(self, name):
        return {"height": [10.0, 2.0], "weight": [0.5, 0.1], "kind": ["cat", "dog"]}[name]


@pytest.mark.parametrize("order", [("weight", "height"), ("kind", "height", "weight"), ("height", "weight")])
def test_the_columns_of_a_table_in_memory_are_matched_by_name(order):
    asked = model((2,), columns=("height", "weight"), label="kind")
    np.testing.assert_array_equal(asked.predict(Table(*order)), asked.predict([[10.0, 0.5], [2.0, 0.1]]))


@pytest.mark.parametrize(
    ("order", "message"),
    [
        (("price", "weight"), "the table: has no column 'height', which the network was trained on"),
        (("height",), "the table: has no column 'weight', which the network was trained on"),
        (("height", "weight", "id"), "the table: the network was not trained on its column 'id'; remove it"),
        (
            ("height", "weight", "height"),
            "the table: expected a different name for each column; 'height' is there twice",
        ),
    ],
)
def test_a_table_in_memory_with_other_columns_is_refused(order, message):
    with pytest.raises(ValueError, match=message):
        model((2,), columns=("height", "weight"), label="kind").predict(Table(*order))


def test_a_model_prints_without_its_numbers():
    assert repr(model(scale=0.5)).startswith("Model(net=(Dense(units=3, ")
    assert "0.5" in repr(model(scale=0.5))
    assert "Array" not in repr(model())


class Lazy:
    """A lazy table of polars: to ask for its columns costs a warning, and it has no rows."""

    collect_schema = None

    @property
    def columns(self):
        raise AssertionError("nobody asks for them")


def test_a_lazy_table_is_to_be_collected():
    asked = model((2,), columns=("height", "weight"))
    with pytest.raises(InputError, match=r"is a Lazy without rows; expected a data frame, as frame.collect\(\) gives"):
        asked.predict(Lazy())
