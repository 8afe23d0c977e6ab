"""What `load_data` gives, and what it says about a wrong option."""

import hashlib
from importlib.resources import files

import numpy as np
import pytest

from fnn.data import digits, load_data, sources
from fnn.data.arguments import NAMES
from fnn.errors import InputError

OFFLINE = [name for name in NAMES if name != "mnist"]


def test_digits_are_the_ones_that_were_shipped():
    resource = files("fnn.data") / "resources" / "digits.npz"
    data = load_data("digits")
    assert hashlib.sha256(resource.read_bytes()).hexdigest() == digits.SHA256
    assert len(resource.read_bytes()) <= 80_000
    assert (data.train.x.shape, data.train.x.dtype, data.train.x.max(), data.train.scale) == (
        (1797, 64),
        "uint8",
        16,
        1 / 16,
    )
    assert data.train.y.sum(axis=0).tolist() == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]
    assert data.train.y.argmax(axis=1)[:10].tolist() == list(range(10))
    assert data.train.x[0, :8].tolist() == [0, 0, 5, 13, 9, 1, 0, 0]
    assert "CC BY 4.0" in (files("fnn.data") / "resources" / "digits.txt").read_text()


def test_classes_are_kept_and_numbered_in_the_order_asked_for():
    data = load_data("digits", classes=("7", "1"), test=10)
    assert (data.classes, data.train.n + data.test.n) == (("7", "1"), 179 + 182)
    original = load_data("digits").train
    label = {bytes(x): y.argmax() for x, y in zip(original.x, original.y, strict=True)}
    assert all((7, 1)[y.argmax()] == label[bytes(x)] for x, y in zip(data.train.x, data.train.y, strict=True))


def test_binary_targets_are_the_class_number_highest_bit_first():
    data = load_data("digits", targets="binary").train
    assert data.y.shape == (1797, 4)
    assert (data.y @ [8, 4, 2, 1] == load_data("digits").train.y.argmax(axis=1)).all()
    assert load_data("digits", classes=("3", "5"), targets="binary").train.y.shape == (365, 1)


def test_shape_and_scale_are_the_ones_asked_for():
    data = load_data("digits", shape=(1, 8, 8), scale=1 / 256, validation=7)
    assert (data.shape, data.train.x.shape, data.validation.x.shape) == ((1, 8, 8), (1790, 1, 8, 8), (7, 1, 8, 8))
    assert data.test.x.shape == (0, 1, 8, 8)
    assert data.test.scale == 1 / 256


def test_standardised_inputs_have_mean_0_and_deviation_1_over_the_training_examples():
    plain, data = (load_data("digits", test=400, standardise=flag) for flag in (False, True))
    assert data.train.x.dtype == np.float32
    np.testing.assert_allclose(data.train.x.mean(axis=0), 0, atol=1e-5)
    assert set(np.round(data.train.x.std(axis=0), 4)) == {0, 1}  # 0: a corner that is never inked
    assert set(data.sd[plain.train.x.std(axis=0) == 0]) == {1}
    np.testing.assert_allclose((plain.test.x - data.mean) / data.sd, data.test.x, rtol=1e-6)


@pytest.mark.parametrize(
    ("source", "options", "message"),
    [
        ("digitz", {}, r"source = 'digitz': .*did you mean 'digits'\?"),
        ("what", {}, r"expected a path to an .npz, .npy, .csv or .parquet file, or digits, mnist"),
        ("x.npy", {}, r"y = '': 'x.npy' holds the inputs alone; name the .npy file of the desired outputs"),
        ("x.npy", {"y": "y.npy"}, r"x.npy: there is no such file; expected a path to an .npz, .npy, .csv or"),
        ("x.npy", {"y": "y.npy", "memory": 0.0}, r"memory = 0.0: expected a number of GiB above 0"),
        ("digits", {"y": "y.npy"}, r"y, memory: they are for inputs in an .npy file, not for 'digits'; drop them"),
        ("a.npz", {"memory": 1.0}, r"y, memory: they are for inputs in an .npy file, not for 'a.npz'; drop them"),
        ("none.csv", {}, r"none.csv: there is no such file"),
        ("digits", {"validation": 2000}, r"validation = 2000 and test = 0: the source has 1,797 rows; hold out fewer"),
        ("digits", {"validation": 900, "test": 897}, r"the source has 1,797 rows"),
        ("digits", {"train": 1700, "test": 100}, r"train = 1700: 1,697 rows are left of 1,797"),
        ("digits", {"validation": -1}, r"validation = -1: expected a whole number, 0 or more"),
        ("digits", {"test": True}, r"test = True: expected a whole number"),
        ("digits", {"test": 1.5}, r"test = 1.5: expected a whole number"),
        ("moons", {"seed": 2**64}, r"seed = \d+: expected a whole number"),
        (
            "digits",
            {"classes": ("0", "10")},
            r"classes = \['0', '10'\]: expected two or more .* of these: '0', '1', '2'",
        ),
        ("digits", {"classes": ("0",)}, r"two or more"),
        ("digits", {"classes": ("0", "0")}, r"two or more different"),
        ("sine", {"classes": ("0", "1")}, r"none, its outputs are quantities"),
        ("sine", {"targets": "binary"}, r"targets = 'binary': the outputs are quantities"),
        ("xor", {"targets": "bits"}, r"targets = 'bits': expected 'one-hot', 'binary', 'quantity', or '' for what"),
        ("digits", {"shape": (8, 9)}, r"shape = \[8, 9\]: 72 numbers, an example has 64, \[64\]"),
        ("digits", {"shape": (-8, -8)}, r"an example has 64"),
        ("digits", {"scale": -1.0}, r"scale = -1.0: expected a number above 0"),
        ("digits", {"scale": float("nan")}, r"scale = nan: expected a number above 0"),
        ("digits", {"scale": 0.5, "standardise": True}, r"standardise = true already decides"),
        ("digits", {"label": "kind"}, r"label = 'kind': only a .csv or .parquet file or a data frame has named"),
        ("digits", {"size": 5}, r"size, noise, seed: they describe moons, spirals, sine, not 'digits'"),
        ("mnist", {"split_seed": 5}, r"split_seed = 5: 'mnist' is split in its own order"),
        ("moons", {"size": 1}, r"size = 1: expected from 2 to 10,000,000"),
        ("moons", {"noise": -0.1}, r"noise = -0.1: expected a standard deviation, 0 or more"),
    ],
)
def test_a_wrong_option_is_named_with_what_is_expected(source, options, message):
    with pytest.raises(InputError, match=message) as caught:
        load_data(source, **options)
    assert "\n" not in str(caught.value)


def test_the_inventory_lists_every_source():
    listed = {source.name: source for source in sources()}
    assert tuple(listed) == NAMES
    for name in OFFLINE:
        data = load_data(name)
        assert (listed[name].rows, listed[name].shape, listed[name].present) == (data.train.n, data.shape, True)
        assert listed[name].outputs == (f"{len(data.classes)} classes" if data.classes else "1 quantity")
