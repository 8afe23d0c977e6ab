"""Data sets: what is in them, how they are split, and what is said about a wrong option or file."""

import ast
import contextlib
import hashlib
import math
from importlib.resources import files
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fnn.data import digits, load_data, load_inputs, sources
from fnn.data.loading import NAMES
from fnn.errors import CorruptFileError, InputError
from fnn.examples import Examples
from tests.helpers.hostile import MIB, memory_below, mutations

OFFLINE = [name for name in NAMES if name != "mnist"]
PARTS = ("train", "validation", "test")
CSV = "width,height,kind\n1,2,cat\n3,4.5,dog\n-5e-1,0,cat\n"


def written(tmp_path, text, name="a.csv"):
    (tmp_path / name).write_bytes(text.encode() if isinstance(text, str) else text)
    return str(tmp_path / name)


def saved(tmp_path, **arrays):
    np.savez(tmp_path / "a.npz", **arrays)
    return str(tmp_path / "a.npz")


def rows_of(examples):
    return {bytes(x) + bytes(y) for x, y in zip(examples.x, examples.y, strict=True)}


def digest(dataset):
    return hashlib.sha256(b"".join(a.tobytes() for part in dataset[:3] for a in part[:2])).hexdigest()


@pytest.mark.parametrize("i", [slice(1, 3), np.array([2, 0])], ids=["slice", "numbers"])
@pytest.mark.parametrize("dtype", [np.uint8, np.float32], ids=["uint8", "float32"])
def test_rows_are_scaled_and_float32_in_numpy_and_traced(i, dtype):
    examples = Examples(np.arange(6, dtype=dtype).reshape(3, 2), np.eye(3, dtype=np.uint8), 0.5)
    x, y = examples.rows(i)
    assert (x.dtype, y.dtype) == (np.float32, np.float32)
    assert np.array_equal(x, np.arange(6).reshape(3, 2)[i] / 2)
    assert np.array_equal(y, np.eye(3)[i])
    traced = jax.jit(lambda examples: examples.rows(i))(jax.device_put(examples))
    assert all(np.array_equal(a, b) and a.dtype == b.dtype for a, b in zip(traced, (x, y), strict=True))
    assert (examples.n, examples.shape) == (3, (2,))


@pytest.mark.parametrize("dtype", [jnp.bfloat16, np.float16, np.float64], ids=["bfloat16", "float16", "float64"])
def test_floating_rows_keep_their_dtype(dtype):
    with jax.enable_x64(True):
        x, y = Examples(jnp.ones((3, 2), dtype), jnp.ones((3, 1), jnp.uint8)).rows(slice(2))
    assert x.dtype == y.dtype == dtype


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


@pytest.mark.parametrize(("name", "column"), [("and", "0001"), ("or", "0111"), ("nand", "1110"), ("xor", "0110")])
def test_truth_tables(name, column):
    data = load_data(name, targets="binary")
    assert data.train.x.tolist() == [[0, 0], [0, 1], [1, 0], [1, 1]]
    assert data.train.y.tolist() == [[int(bit)] for bit in column]
    assert (data.validation.n, data.test.n, data.classes, data.shape) == (0, 0, ("0", "1"), (2,))
    assert load_data(name).train.y.tolist() == [[1 - int(bit), int(bit)] for bit in column]


GENERATED = {  # as first made: a change of NumPy, or of ours, would show
    "moons": "f4988c914ee51f8a",
    "spirals": "5fe0251a253c09de",
    "sine": "6c077190eb36e37f",
}


@pytest.mark.parametrize("name", GENERATED)
def test_generated_sets_stay_the_same_and_follow_their_seed(name):
    data = load_data(name, size=100, noise=0.25)
    rounded = b"".join(np.round(a.astype(float) * 1000).astype("<i4").tobytes() for a in data.train[:2])
    assert hashlib.sha256(rounded).hexdigest()[:16] == GENERATED[name]
    assert digest(data) != digest(load_data(name, size=100, noise=0.25, seed=1))
    assert load_data(name).train.n == 1000


def test_generated_sets_lie_on_their_curves():
    sine = load_data("sine", noise=0.0).train
    np.testing.assert_allclose(sine.y, np.sin(sine.x), atol=1e-6)
    assert np.abs(sine.x).max() <= np.pi
    moons = load_data("moons", noise=0.0).train
    centre = np.where(moons.y[:, :1] == 1, [[0, 0]], [[1, 0.5]])
    np.testing.assert_allclose(np.linalg.norm(moons.x - centre, axis=1), 1, atol=1e-6)
    spirals = load_data("spirals", noise=0.0).train
    r = np.linalg.norm(spirals.x, axis=1)
    turn = np.arctan2(spirals.x[:, 1], spirals.x[:, 0]) - np.pi * (r + spirals.y[:, 1])
    np.testing.assert_allclose(np.cos(turn), 1, atol=1e-5)


def test_noise_has_the_deviation_asked_for():
    sine = load_data("sine", size=20_000, noise=0.5).train
    assert np.std(sine.y - np.sin(sine.x)) == pytest.approx(0.5, rel=0.02)
    assert np.mean(sine.y - np.sin(sine.x)) == pytest.approx(0, abs=0.02)


@settings(deadline=None, derandomize=True, max_examples=50)
@given(counts=st.tuples(*[st.integers(0, 30)] * 3), seed=st.integers(0, 2**63 - 1))
def test_every_row_is_in_one_part_in_the_order_of_the_source(counts, seed):
    train, validation, test = counts
    source = load_data("moons", size=90).train
    data = load_data("moons", size=90, train=train, validation=validation, test=test, split_seed=seed)
    assert [part.n for part in data[:3]] == [train or 90 - validation - test, validation, test]
    index = {bytes(x): i for i, x in enumerate(source.x)}
    rows = [[index[bytes(x)] for x in part.x] for part in data[:3]]
    assert all(part == sorted(part) for part in rows)
    assert len(set(sum(rows, []))) == sum(map(len, rows))


def test_the_split_follows_its_seed_and_nothing_else():
    first = load_data("digits", validation=200, test=300)
    assert digest(first) == "29f3566cc6ac7b94ffa611902af60f1583771273b60ad100feeb53e73b000abf"
    assert digest(first) == digest(load_data("digits", validation=200, test=300))
    assert digest(first) != digest(load_data("digits", validation=200, test=300, split_seed=1))
    kept = load_data("digits", validation=200, test=300, train=50)
    assert rows_of(kept.train) <= rows_of(first.train)
    assert digest(kept._replace(train=first.train)) == digest(first)
    assert len(set(kept.train.y.argmax(axis=1))) == 10  # drawn, not the first rows of a sorted file


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
        ("what", {}, r"expected a path to an .npz, .npy or .csv file, or digits, mnist"),
        ("x.npy", {}, r"y = '': 'x.npy' holds the inputs alone; name the .npy file of the desired outputs"),
        ("x.npy", {"y": "y.npy"}, r"x.npy: there is no such file; expected a path to an .npz, .npy or .csv file"),
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
        ("xor", {"targets": "bits"}, r"targets = 'bits': expected 'one-hot' or 'binary'"),
        ("digits", {"shape": (8, 9)}, r"shape = \[8, 9\]: 72 numbers, an example has 64, \[64\]"),
        ("digits", {"shape": (-8, -8)}, r"an example has 64"),
        ("digits", {"scale": -1.0}, r"scale = -1.0: expected a number above 0"),
        ("digits", {"scale": float("nan")}, r"scale = nan: expected a number above 0"),
        ("digits", {"scale": 0.5, "standardise": True}, r"standardise = true already decides"),
        ("digits", {"label": "kind"}, r"label = 'kind': only a .csv file has named columns"),
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


def test_a_csv_with_text_labels(tmp_path):
    data = load_data(written(tmp_path, CSV))
    assert (data.classes, data.train.x.dtype, data.train.scale) == (("cat", "dog"), np.float32, 1.0)
    assert data.train.x.tolist() == [[1, 2], [3, 4.5], [-0.5, 0]]
    assert data.train.y.tolist() == [[1, 0], [0, 1], [1, 0]]


def test_a_csv_with_a_named_label_column_quotes_and_blank_lines(tmp_path):
    path = written(tmp_path, '\ufeff"kind", "a ""b"""\r\n"x, y", 1\r\n\r\n z ,2\r\n')
    data = load_data(path, label="kind")
    assert (data.classes, data.train.x.tolist()) == (("x, y", "z"), [[1], [2]])


@pytest.mark.parametrize(
    ("labels", "classes"),
    [(("10", "9", "9"), ("9", "10")), (("-1", "1"), ("-1", "1")), (("1", "2.5"), ()), (("1", "two"), ("1", "two"))],
    ids=str,
)
def test_whole_numbers_and_text_are_classes_other_numbers_are_quantities(tmp_path, labels, classes):
    data = load_data(written(tmp_path, "a,b\n" + "".join(f"0,{label}\n" for label in labels)))
    assert data.classes == classes
    assert data.train.y.shape == (len(labels), len(classes) or 1)
    if not classes:
        assert data.train.y.tolist() == [[1], [2.5]]


def test_quantities_may_start_with_many_whole_numbers(tmp_path):
    data = load_data(written(tmp_path, "a,b\n" + "".join(f"0,{i}\n" for i in range(1500)) + "0,0.5\n"))
    assert (data.classes, data.train.y.shape, data.train.y[-2:].tolist()) == ((), (1501, 1), [[1499], [0.5]])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", r"line 1: expected a header line"),
        ("a,b\n", r"no rows"),
        ("a,a\n1,2\n", r"line 1: expected a header line, a different name for each"),
        ("a" * 300 + ",b\n3,4\n", r"line 1: a name of 300 characters"),
        ("1,2\n3,4\n", r"line 1: all numbers; expected a header"),
        ("a;b\n1;2\n", r"one column, 'a;b'; expected inputs and a label, separated by commas"),
        ("a,b\n1,x\n2\n", r"line 3: 1 cells; expected 2"),
        ("a,b\n1,x\n\n,y\n", r"line 4, column 'a': nothing; expected a number"),
        ("a,b\n1,x\nred,y\n", r"line 3, column 'a': 'red'; expected a number"),
        ("a,b\n1_0,y\n", r"line 2, column 'a': '1_0'; expected a number"),
        ("a,c,b\n1,2,x\n3,nan,y\n", r"line 3, column 'c': nan; expected a finite number"),
        ("a,b\n-inf,y\n", r"line 2, column 'a': -inf; expected a finite"),
        ("a,b\n1e39,y\n", r"line 2, column 'a': 1e39; expected a finite number that fits float32"),
        ("a,b\n1,\n", r"line 2, column 'b': nothing; expected a label"),
        ("a,b\n1,0.5\n1,nan\n", r"line 3, column 'b': nan"),
        ("a,b\n" + "".join(f"0,{i}\n" for i in range(1001)), r"column 'b': more than 1,000 different labels"),
        ("a,b\n" + "".join(f"0,x{i}\n" for i in range(2000)), r"line 1003, column 'b': more than 1,000 different"),
        ("a,b\n1," + "x" * 300, r"line 2, column 'b': a label of 300 characters"),
    ],
    ids=range(18),
)
def test_a_wrong_csv_is_an_input_error_with_line_and_column(tmp_path, text, message):
    with pytest.raises(InputError, match=r"a\.csv.*" + message):
        load_data(written(tmp_path, text))


def test_a_label_that_is_no_column_is_named(tmp_path):
    with pytest.raises(InputError, match=r"label = 'sort' is none of its columns: \['width', 'height', 'kind'\]"):
        load_data(written(tmp_path, CSV), label="sort")


@pytest.mark.parametrize(
    "data",
    [b"a,b\n1,\xff\n", b'a,b\n"1,2\n', b"a,b\n1," + b"x" * 2**18, b"a,b\n" + b"1," * 2**20],
    ids=["not UTF-8", "an open quote", "a huge cell", "a huge line"],
)
def test_a_file_that_is_no_table_is_corrupt(tmp_path, data):
    with pytest.raises(CorruptFileError, match="cannot be read as a table of UTF-8 text"):
        load_data(written(tmp_path, data))


def test_a_small_csv_cannot_ask_for_much_memory(tmp_path):
    path = written(tmp_path, "a,b\n" + "".join(f"0,{i % 1000}\n" for i in range(200_000)))
    with (
        memory_below(65 * MIB),
        pytest.raises(InputError, match="200,000 one-hot rows of 1,000 classes take 200,000,000"),
    ):
        load_data(path)


@pytest.mark.parametrize(
    ("y", "classes", "wanted"),
    [
        (np.array([7, 5, 7]), ("5", "7"), [[0, 1], [1, 0], [0, 1]]),
        (np.array([True, False, True]), ("0", "1"), [[0, 1], [1, 0], [0, 1]]),
        (np.array([0.5, 2.0, 1.0]), (), [[0.5], [2], [1]]),
        (np.eye(3)[[0, 2, 1]], ("0", "1", "2"), [[1, 0, 0], [0, 0, 1], [0, 1, 0]]),
        (np.array([[1, 1], [0, 1], [0, 0]]), (), [[1, 1], [0, 1], [0, 0]]),
        (np.array([[2, 0], [0, 1], [0, 1]]), (), [[2, 0], [0, 1], [0, 1]]),
        (np.array([[1], [1], [0]]), (), [[1], [1], [0]]),
    ],
    ids=["labels", "truth", "quantity", "one-hot", "several at once", "a two", "one column"],
)
def test_an_npz_says_by_its_y_what_it_is(tmp_path, y, classes, wanted):
    data = load_data(saved(tmp_path, x=np.arange(12.0).reshape(3, 2, 2), y=y))
    assert (data.classes, data.train.y.tolist(), data.shape) == (classes, wanted, (2, 2))
    assert (data.train.x.dtype, data.train.y.dtype) == (np.float32, np.uint8 if classes else np.float32)


def test_bytes_in_an_npz_stay_bytes_and_one_axis_is_one_input(tmp_path):
    assert load_data(saved(tmp_path, x=np.zeros((3, 4), np.uint8), y=np.arange(3))).train.x.dtype == np.uint8
    assert load_data(saved(tmp_path, x=np.array([1, 2, 3]), y=np.arange(3))).train.x.tolist() == [[1], [2], [3]]


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"x": np.zeros((3, 2)), "y": np.zeros(2)}, r"y has shape \(2,\); expected \(3,\) or \(3, k\)"),
        ({"x": np.zeros((3, 2)), "y": np.zeros((3, 2, 2))}, r"y has shape \(3, 2, 2\)"),
        ({"x": np.zeros((0, 2)), "y": np.zeros(0)}, r"x has shape \(0, 2\)"),
        ({"x": np.float64(1), "y": np.zeros(1)}, r"x has shape \(\)"),
        ({"x": np.array([[0], [np.nan]]), "y": np.zeros(2)}, r"x\[1\] holds nan"),
        ({"x": np.zeros((2, 1)), "y": np.array([0, 1e300])}, r"y\[1\] holds nan, or a number beyond float32"),
        ({"x": np.zeros((2000, 1)), "y": np.arange(2000)}, r"y holds 2,000 different whole numbers; .* as float32"),
    ],
    ids=range(7),
)
def test_a_wrong_npz_is_an_input_error(tmp_path, arrays, message):
    with pytest.raises(InputError, match=r"a\.npz: " + message):
        load_data(saved(tmp_path, **arrays))


def test_text_or_objects_in_an_npz_are_refused_unread(tmp_path):
    for y in (np.array(["a", "b"]), np.array([None, {}])):
        with pytest.raises(CorruptFileError, match="array 'y': its dtype is"):
            load_data(saved(tmp_path, x=np.zeros((2, 1)), y=y))


@pytest.mark.parametrize("name", ["a.csv", "a.npz"])
def test_mutated_files_give_data_or_a_documented_error(tmp_path, name):
    path = written(tmp_path, CSV + CSV.split("\n", 1)[1] * 3)
    saved(tmp_path, x=np.arange(24.0).reshape(8, 3), y=np.arange(8) % 3)
    path = tmp_path / name
    with memory_below(66 * MIB):
        for data in mutations(path.read_bytes(), 300):
            path.write_bytes(data)
            with contextlib.suppress(InputError, CorruptFileError):
                assert np.isfinite(load_data(str(path)).train.rows(slice(None))[0]).all()


def test_new_inputs_are_read_with_or_without_their_labels(tmp_path):
    wanted = [[1, 2], [3, 4.5], [-0.5, 0]]
    assert load_inputs(written(tmp_path, CSV), (2,)).tolist() == wanted
    assert load_inputs(written(tmp_path, "a,b\n1,2\n3,4.5\n-.5,0\n"), (2, 1)).tolist() == [
        [[a], [b]] for a, b in wanted
    ]
    assert load_inputs(saved(tmp_path, x=np.array(wanted)), (2,)).tolist() == wanted
    assert load_inputs(saved(tmp_path, x=np.array(wanted), y=np.zeros(3)), (2,)).tolist() == wanted
    assert load_inputs(written(tmp_path, "kind,a,b\nx,1,2\n"), (2,), label="kind").tolist() == [[1, 2]]
    with pytest.raises(InputError, match=r"its examples have shape \(2,\), the network takes \(3, 3\)"):
        load_inputs(tmp_path / "a.npz", (3, 3))


def test_the_inventory_lists_every_source():
    listed = {source.name: source for source in sources()}
    assert tuple(listed) == NAMES
    for name in OFFLINE:
        data = load_data(name)
        assert (listed[name].rows, listed[name].shape, listed[name].present) == (data.train.n, data.shape, True)
        assert listed[name].outputs == (f"{len(data.classes)} classes" if data.classes else "1 quantity")


def test_the_room_imports_neither_jax_nor_another_room():
    allowed = ("fnn.storage", "fnn.data", "fnn.errors", "fnn.examples")
    for path in Path(str(files("fnn.data"))).glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            assert all(not name.startswith(("jax", "fnn")) or name.startswith(allowed) for name in names), (path, names)


def test_the_split_is_independent_of_the_points_that_the_same_seed_draws():
    for seed in range(5):
        parts = load_data("sine", size=4000, test=1000, split_seed=seed, seed=seed)
        apart = abs(parts.train.x.mean() - parts.test.x.mean())
        assert apart < 4 * math.pi / math.sqrt(3) * math.sqrt(1 / 3000 + 1 / 1000)
