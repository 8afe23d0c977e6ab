"""Units of inputs, and numbers that float32 cannot tell apart."""

import numpy as np
import pytest

from fnn.data import load_data, load_inputs
from fnn.data.dataset import Dataset, scaled_inputs
from fnn.data.hints import hint
from fnn.data.precision import lost, units
from fnn.errors import InputError
from fnn.examples import Examples
from tests.helpers.data_files import saved, written

RNG = np.random.default_rng(0)
BASE = RNG.normal(size=(200, 3))
Y = (BASE[:, 0] > 0).astype(int)
SECONDS = 1.7e9 + 10 * BASE  # within a minute, since 1970
OPTIONS = ("x.npy", "a.npz", "a.csv")


def sources(tmp_path, x, y=Y):
    """The same data in three kinds of files: path and options."""
    np.save(tmp_path / "x.npy", x)
    np.save(tmp_path / "y.npy", y)
    rows = "".join(",".join([*map(repr, row), f"c{k}"]) + "\n" for row, k in zip(x.tolist(), y, strict=True))
    written(tmp_path, ",".join(f"in {i}" for i in range(x.shape[1])) + ",kind\n" + rows)
    saved(tmp_path, x=x, y=y)
    return [(str(tmp_path / name), {"y": str(tmp_path / "y.npy")} if name == "x.npy" else {}) for name in OPTIONS]


@pytest.mark.parametrize("unit", [1e-200, 1e-37, 1e-26, 1e-23, 1e-20, 1e-12, 1, 1e12, 1e18, 1e20, 1e30, 1e37])
@pytest.mark.parametrize("shift", [0, 5, -300])
def test_inputs_in_any_units_are_standardised(tmp_path, unit, shift):
    x = (BASE + shift) * unit / 10
    wanted = (BASE - BASE.mean(axis=0)) / BASE.std(axis=0)
    for path, options in sources(tmp_path, x):
        data = load_data(path, standardise=True, **options)
        np.testing.assert_allclose(data.train.x, wanted, rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(data.sd, BASE.std(axis=0) * unit / 10, rtol=1e-9)
        assert (data.mean.dtype, data.sd.dtype, data.train.x.dtype) == (np.float64, np.float64, np.float32)


def test_large_numbers_close_to_each_other_stay_different(tmp_path):
    for path, options in sources(tmp_path, SECONDS):
        data = load_data(path, standardise=True, **options)
        assert [len(np.unique(column)) for column in data.train.x.T] == [200, 200, 200]
        np.testing.assert_allclose(data.train.x.std(axis=0), 1, rtol=1e-5)


@pytest.mark.parametrize("dtype", ["i8", "u8", ">i8", "f8", ">f8", "i4", "u4"])
def test_whole_numbers_close_to_each_other_stay_different(tmp_path, dtype):
    x = (1_700_000_000 + np.arange(200)[:, None]).astype(dtype)
    data = load_data(saved(tmp_path, x=x, y=Y), standardise=True)
    assert len(np.unique(data.train.x)) == 200
    with pytest.raises(InputError, match=r"x\[:, 0\]: its numbers differ"):
        load_data(saved(tmp_path, x=(1_700_000_000 + np.arange(200)[:, None] // 20).astype(dtype), y=Y))


@pytest.mark.parametrize("test", [0, 50])
@pytest.mark.parametrize("x", [SECONDS, BASE * 1e-23, BASE.astype("f4") * 7], ids=["seconds", "small", "float32"])
def test_prediction_scales_as_the_training_does_bit_for_bit(tmp_path, x, test):
    for path, options in sources(tmp_path, x):
        data = load_data(path, standardise=True, test=test, **options)
        raw = np.asarray(load_inputs(path, data.shape, label=data.label, columns=data.columns))
        flat = [np.ravel(u).tolist() for u in (data.mean, data.sd)]  # as in config.json
        seen = scaled_inputs(raw, *map(np.array, flat), data.train.scale)
        trained = {row.tobytes() for part in (data.train, data.test) for row in part.rows(slice(None))[0]}
        assert {row.tobytes() for row in seen} == trained


@pytest.mark.parametrize("scale", [1.0, 1 / 255, 0.1, 3.7])
@pytest.mark.parametrize("dtype", ["u1", "f4", "f8", "i4"])
def test_without_standardising_nothing_but_the_scale_is_applied(tmp_path, dtype, scale):
    x = RNG.integers(0, 256, (200, 3)).astype(dtype) / (1 if dtype[0] in "ui" else 7)
    path = saved(tmp_path, x=x.astype(dtype), y=Y)
    data = load_data(path, scale=scale)
    assert data.train.x.dtype == ("u1" if dtype == "u1" else "f4")
    np.testing.assert_array_equal(data.train.x, x.astype(data.train.x.dtype))
    seen = scaled_inputs(load_inputs(path, (3,)), data.mean, data.sd, data.train.scale)
    np.testing.assert_array_equal(seen, data.train.rows(slice(None))[0], strict=True)


def test_units_of_float32_as_old_runs_have_them_are_taken():
    x = BASE.astype(np.float32)
    mean, sd = x.mean(axis=0), x.std(axis=0)
    np.testing.assert_allclose(scaled_inputs(x, mean, sd, 1.0), (x - mean) / sd, rtol=1e-5, atol=1e-6)
    image = x.reshape(-1, 1, 3)
    np.testing.assert_array_equal(scaled_inputs(image, mean, sd, 1.0)[:, 0], scaled_inputs(x, mean, sd, 1.0))
    np.testing.assert_array_equal(scaled_inputs(x, np.zeros(1), np.ones(1), 0.1), x * np.float32(0.1), strict=True)


def test_an_input_beyond_float32_once_standardised_is_named():
    x = np.array([[1.0], [1e30]])
    with pytest.raises(InputError, match=r"x\[1\] is too far from the training examples: beyond float32"):
        scaled_inputs(x, np.zeros(1), np.full(1, 1e-20), 1.0)


@pytest.mark.parametrize("value", [0.1, 1 / 3, 1e20, 1.7e9 + 0.1, -1e-23, 0.0])
@pytest.mark.parametrize("n", [3, 7, 200, 5000])
def test_an_input_that_never_varies_becomes_0(value, n):
    mean, sd = units(np.full((n, 2), value))
    assert (mean.tolist(), sd.tolist()) == ([value] * 2, [1, 1])
    assert not scaled_inputs(np.full((n, 2), value), mean, sd, 1.0).any()


def test_the_mean_of_many_large_numbers_close_to_each_other_is_theirs():
    x = 1_700_000_000_000_000_000 + 20 * np.arange(200_000)[:, None].repeat(2, 1)  # nanoseconds since 1970
    seen = scaled_inputs(x, *units(x), 1.0)
    assert abs(seen.mean(dtype=np.float64)) < 1e-3
    assert abs(seen.std(dtype=np.float64) - 1) < 1e-3


def test_units_do_not_depend_on_how_many_rows_are_taken_at_once(monkeypatch):
    x = RNG.normal(size=(1000, 4)) * [1, 1e-9, 1e9, 0] + 3
    at_once = units(x)
    monkeypatch.setattr("fnn.data.precision.ROWS_AT_ONCE", 17)
    np.testing.assert_allclose(units(x), at_once, rtol=1e-12)


LOST = {
    "seconds": SECONDS,
    "one of three": np.column_stack((BASE[:, 0], SECONDS[:, 0], BASE[:, 1])),
    "steps of a second": 1.7e9 + np.arange(200.0)[:, None],
    "beside 1": 1 + 1e-9 * BASE,
    "below float32": 1e-42 * BASE,
    "whole": 2**40 + np.arange(200)[:, None],
    "whole without a sign": np.uint64(2**63) + np.arange(200, dtype=np.uint64)[:, None],
    "negative": -SECONDS,
}
KEPT = {
    "days": 1.7e9 + 86400 * np.arange(200.0)[:, None],
    "plain": BASE,
    "small": BASE * 1e-30,
    "large": BASE * 1e30,
    "constant": np.full((200, 1), 1.7e9 + 0.1),
    "exact": 1.7e9 + 128 * np.arange(200.0)[:, None],
    "two exact values": 2**30 + 128.0 * np.arange(2)[:, None].repeat(100, 0),
    "from end to end": np.array([[-(2**63)], [2**63 - 1]] * 100),
    "bytes": RNG.integers(0, 256, (200, 3), np.uint8),
    "float32": BASE.astype(np.float32),
}


@pytest.mark.parametrize("name", LOST)
def test_inputs_that_no_longer_vary_are_refused_by_name(tmp_path, name):
    x = LOST[name]
    column, all_three = int(name == "one of three"), x.shape[1] == 3 and name != "one of three"
    for path, options in sources(tmp_path, x):
        table = path.endswith("csv")
        place = (
            rf"a.csv, column 'in {column}'.*"
            if table
            else r"x\[:, \[0, 1, 2\]\]"
            if all_three
            else rf"x\[:, {column}\]"
        )
        number = "float64" if table and x.dtype == np.uint64 else "float32.*; data.standardise = true, or subtract"
        with pytest.raises(InputError, match=f"{place}: its numbers differ, .* {number}"):
            load_data(path, **options)


@pytest.mark.parametrize("name", KEPT)
def test_inputs_that_keep_their_differences_are_taken(tmp_path, name):
    for path, options in sources(tmp_path, KEPT[name]):
        np.testing.assert_array_equal(load_data(path, **options).train.x, KEPT[name].astype(np.float32))
        assert load_data(path, standardise=True, **options).train.n == 200


def test_whole_numbers_beyond_float64_are_refused_even_when_standardised(tmp_path):
    x = 2**60 + np.arange(200)[:, None]
    with pytest.raises(InputError, match=r"x\[:, 0\]: its numbers differ, .* float64, .* sixteen digits; subtract"):
        load_data(saved(tmp_path, x=x, y=Y), standardise=True)
    assert lost(2**60 + 10**6 * np.arange(200)[:, None], np.float64).size == 0


BEYOND_FLOAT64 = {
    "long numbers": [10**17 + k for k in range(40)],
    "the first that float64 has not": [2**53 + k for k in range(40)],
    "two long numbers": [9007199254740993, 9007199254740992],
    "twenty digits": [-12345678901234567890 - k for k in range(40)],
    "after the sixteenth digit": ["1.0000000000000000001", "1.0000000000000000002"],
    "below float64": [f"{k}e-400" for k in range(40)],
    "far below float64": ["0", "1e-99999999999"],
    "a constant but for one": ["1"] * 39 + ["1.00000000000000001"],
}
WITHIN_FLOAT64 = {
    "nanoseconds": [1_700_000_000_000_000_000 + k * 10**9 for k in range(40)],
    "as Python writes them": [repr(1.7e9 + 1e-6 * k) for k in range(40)],
    "a rounded one": ["1.0"] * 39 + ["0.9999999999999999"],
    "one number in many ways": ["1e20", "100000000000000000000", "1.0e20", "+1e+20", "0100000000000000000000"],
    "zeros": ["0", "-0", "0.0", "0e5"],
    "far from each other": [9007199254740993, 9007199254740992, *range(38)],
}


@pytest.mark.parametrize("name", BEYOND_FLOAT64)
@pytest.mark.parametrize("standardise", [False, True])
def test_numbers_of_a_table_beyond_float64_are_refused_by_name(name, standardise, tmp_path):
    cells = BEYOND_FLOAT64[name]
    path = written(tmp_path, "u,v,y\n" + "".join(f"{k},{cell},{'ab'[k % 2]}\n" for k, cell in enumerate(cells)))
    with pytest.raises(InputError, match=r"column 'v': its numbers differ, .* float64, .* sixteen digits; subtract"):
        load_data(path, standardise=standardise)


@pytest.mark.parametrize("name", WITHIN_FLOAT64)
def test_numbers_of_a_table_within_float64_are_taken(name, tmp_path):
    cells = WITHIN_FLOAT64[name]
    path = written(tmp_path, "u,v,y\n" + "".join(f"{k},{cell},{'ab'[k % 2]}\n" for k, cell in enumerate(cells)))
    data = load_data(path, standardise=True)
    wanted = np.array([float(cell) for cell in cells])
    np.testing.assert_allclose(
        data.mean[1] + data.sd[1] * data.train.x[:, 1].astype(float), wanted, atol=1e-6 * abs(wanted).max()
    )


@pytest.mark.parametrize("first", [2**53, 10**17, -(2**62)])
def test_whole_numbers_of_an_array_lose_nothing_that_the_network_could_see(first, tmp_path):
    x = first + np.arange(40)[:, None]
    with pytest.raises(InputError, match=r"x\[:, 0\]: its numbers differ, .* float64"):
        load_data(saved(tmp_path, x=x, y=np.arange(40) % 2), standardise=True)


def test_numbers_that_xla_takes_for_0_are_refused(tmp_path):
    for path, options in sources(tmp_path, (1e-42 * BASE).astype(np.float32)):
        with pytest.raises(InputError, match=r"its numbers differ, .* float32"):
            load_data(path, **options)
        assert load_data(path, standardise=True, **options).train.x.std() > 0.9


@pytest.mark.parametrize("scale", [1e-300, 1e-46, 1e-39, 1e38, 1e300])
def test_a_scale_that_leaves_nothing_of_the_inputs_is_refused(scale, tmp_path):
    path = saved(tmp_path, x=np.linspace(-10, 7, 200)[:, None], y=Y)
    with pytest.raises(InputError, match=r"^scale = .*: the largest input, 10, is 0 or infinite in float32 .* 1/10"):
        load_data(path, scale=scale)
    assert load_data(path, scale=1e-30).train.scale == 1e-30
    zeros = saved(tmp_path, x=np.zeros((200, 1)), y=Y)
    assert load_data(zeros, scale=2.0).train.scale == 2


def data_of(x, **units_of):
    part = Examples(x, np.zeros((len(x), 1), np.uint8), units_of.pop("scale", 1.0))
    return Dataset(part, part.take(slice(0)), part.take(slice(0)), (), x.shape[1:], **units_of)


PIXELS = np.arange(256, dtype=np.uint8).reshape(8, 32)
SMALL = "inputs go from -1e-23 to 0 and are not scaled; data.scale = 1e+23 or data.standardise = true usually trains"


@pytest.mark.parametrize(
    ("x", "words"),
    [
        (
            PIXELS,
            "inputs go from 0 to 255 and are not scaled; data.scale = 0.00392 (1/255) or data.standardise = true us",
        ),
        (PIXELS.astype("f4"), "inputs go from 0 to 255 and are not scaled; data.scale = 0.00392 or data.standardise"),
        (
            np.array([[-3000.0, 7]], "f4"),
            "inputs go from -3000 to 7 and are not scaled; data.scale = 0.000333 or data.st",
        ),
        (np.array([[0, 25]], "u1"), "inputs go from 0 to 25 and are not scaled; data.scale = 0.04 or"),
        (np.array([[0, -1e-23]], "f4"), SMALL),
        (np.array([[-1, 7.9]], "f4"), ""),
        (np.zeros((3, 2), "f4"), ""),
        (np.zeros((0, 2), "f4"), ""),
    ],
    ids=range(8),
)
def test_inputs_that_nobody_scaled_get_a_hint(x, words):
    assert hint(data_of(x)).startswith(words)
    assert bool(hint(data_of(x))) == bool(words)
    assert hint(data_of(x, scale=1 / 255)) == ""
    assert hint(data_of(x, mean=np.ones(x.shape[1:]), sd=np.full(x.shape[1:], 2.0))) == ""


@pytest.mark.parametrize("source", ["digits", "xor", "moons", "sine"])
def test_our_own_sets_need_no_hint(source):
    assert hint(load_data(source)) == ""


def test_inputs_in_their_file_get_a_hint_too(tmp_path):
    np.save(tmp_path / "x.npy", PIXELS)
    np.save(tmp_path / "y.npy", np.arange(8) % 2)
    data = load_data(str(tmp_path / "x.npy"), y=str(tmp_path / "y.npy"), memory=1e-9)
    assert hint(data).startswith("inputs go from 0 to 255 and are not scaled")
