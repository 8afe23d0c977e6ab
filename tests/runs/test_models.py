"""A trained network is saved and loaded bit for bit, or refused by name."""

import json

import jax
import numpy as np
import pytest

import fnn
from fnn.config.reading import load_config
from fnn.config.sections import TYPES
from fnn.runs import preparing
from tests.helpers.support import Swish, fails


def test_a_run_loads_bit_for_bit(finished, config):
    model = fnn.load(finished)
    prepared = preparing.prepare(load_config(config))
    assert (model.net, model.cost) == (prepared.config.network.layers, prepared.config.network.cost)
    *_, last = preparing.results(prepared, "backprop")
    assert [np.asarray(p).tobytes() for p in jax.tree.leaves(model.params)] == [
        np.asarray(p).tobytes() for p in jax.tree.leaves(last.params)
    ]
    lines = (finished / "metrics.jsonl").read_text().splitlines()
    assert float(fnn.evaluate(model.net, model.cost, model.params, prepared.data.test).cost) == pytest.approx(
        json.loads(lines[-1])["test_cost"], rel=1e-6
    )


@pytest.mark.parametrize("name", ["params.npz", "config.json"])
def test_a_damaged_run_ends_with_status_3(finished, capsys, name):
    data = bytearray((finished / name).read_bytes())
    (finished / name).write_bytes(data[: len(data) // 2])
    fails(capsys, 3, name, "predict", str(finished))
    (finished / name).unlink()
    fails(capsys, 3, name, "predict", str(finished))


def test_params_of_another_shape_are_refused(finished):
    about = json.loads((finished / "config.json").read_text())
    about["network"]["layers"][0]["units"] = 10**9
    (finished / "config.json").write_text(json.dumps(about))
    with pytest.raises(fnn.CorruptFileError, match="the net needs floats"):
        fnn.load(finished)


@pytest.mark.parametrize("layers", [[], [{"type": "Flatten"}, {"type": "MaxPool", "size": 3}]], ids=["none", "misfit"])
def test_a_net_that_cannot_be_is_a_corrupt_file(finished, layers):
    about = json.loads((finished / "config.json").read_text())
    about["network"]["layers"] = layers
    (finished / "config.json").write_text(json.dumps(about))
    with pytest.raises(fnn.CorruptFileError, match="config.json: has a net that cannot be"):
        fnn.load(finished)


def test_save_and_load_of_a_net_of_ones_own(tmp_path):
    net, cost = (fnn.Dense(3), Swish(), fnn.Maxout(2)), fnn.LogLikelihood()
    params = fnn.init(net, jax.random.key(0), (4,))
    fnn.save(tmp_path / "net", net, cost, params, (4,))
    model = fnn.load(tmp_path / "net", dict(TYPES) | {"Swish": Swish})
    assert (model.net, model.cost) == (net, cost)
    x = np.random.default_rng(0).random((5, 4))
    np.testing.assert_array_equal(model.predict(x), fnn.predict(net, cost, params, x.astype(np.float32)))
    with pytest.raises(fnn.InputError, match="unknown layer 'Swish'"):
        fnn.load(tmp_path / "net")
    with pytest.raises(ValueError, match="params do not fit"):
        fnn.save(tmp_path / "net", net, cost, params, (5,))


@pytest.fixture
def saved(tmp_path):
    """A folder that `save` wrote, with the data set of a table of pets."""
    net, data = (fnn.Dense(3),), pets()
    fnn.save(tmp_path / "net", net, fnn.LogLikelihood(), fnn.init(net, jax.random.key(0), (2,)), (2,), data=data)
    return tmp_path / "net"


def pets(**changes):
    y = np.eye(3, dtype=np.uint8)
    none = fnn.Examples(np.zeros((0, 2), np.float32), y[:0])
    train = fnn.Examples(np.zeros((3, 2), np.float32), y, np.float32(0.25))
    data = fnn.Dataset(train, none, none, ("cat", "dog", "owl"), (2,), np.array([1e9, 2.0]), np.array([3.0, 0.1]))
    return data._replace(columns=("height", "weight"), label="kind", read_as="as classes")._replace(**changes)


def changed(folder, **entries):
    """The folder with other entries in its `config.json`; None takes an entry away, a table changes its own entries."""
    about = json.loads((folder / "config.json").read_text())
    for key, value in entries.items():
        if isinstance(value, dict):
            about[key] = {k: v for k, v in (about.get(key, {}) | value).items() if v is not None}
        elif value is None:
            about.pop(key, None)
        else:
            about[key] = value
    (folder / "config.json").write_text(json.dumps(about))
    return folder


def test_the_units_names_and_classes_of_a_data_set_come_back(saved):
    model = fnn.load(saved)
    assert (model.classes, model.columns, model.label) == (("cat", "dog", "owl"), ("height", "weight"), "kind")
    assert (model.shape, model.targets, model.scale) == ((2,), "one-hot", 0.25)
    np.testing.assert_array_equal([model.mean, model.sd], [[1e9, 2.0], [3.0, 0.1]])
    raw = np.array([[1e9 + 1, 2.05], [1e9 + 7, 1.9]])
    x = ((raw - model.mean) / model.sd).astype(np.float32) * np.float32(0.25)
    expected = jax.jit(fnn.predict)(model.net, model.cost, model.params, x)
    np.testing.assert_array_equal(model.predict(raw), expected)


@pytest.mark.parametrize(
    ("names", "units", "targets"),
    [("ab", 1, "binary"), ("ab", 2, "one-hot"), ("abc", 2, "binary"), ("abcd", 2, "binary"), ("", 5, "quantity")],
)
def test_binary_codes_are_kept_as_such(tmp_path, names, units, targets):
    net, y = (fnn.Dense(units),), np.zeros((3, units), np.uint8)
    data = pets(classes=tuple(names), train=fnn.Examples(np.zeros((3, 2)), y))
    fnn.save(tmp_path, net, fnn.CrossEntropy(), fnn.init(net, jax.random.key(0), (2,)), (2,), data=data)
    assert fnn.load(tmp_path).targets == targets


def test_data_of_another_net_are_refused(tmp_path):
    net = (fnn.Dense(4),)
    params = fnn.init(net, jax.random.key(0), (2,))
    with pytest.raises(ValueError, match=r"of shape \(2,\) and outputs of shape \(3,\); the net .* gives \(4,\)"):
        fnn.save(tmp_path / "net", net, fnn.LogLikelihood(), params, (2,), data=pets())
    with pytest.raises(ValueError, match=r"data have inputs of shape \(1, 2\)"):
        fnn.save(tmp_path / "net", net, fnn.LogLikelihood(), params, (2,), data=pets(shape=(1, 2)))
    assert not (tmp_path / "net").exists()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"classes": (0, 1, 2)}, "classes is not a list of texts"),
        ({"classes": ("cat", "cat", "owl")}, "classes has a name twice"),
        ({"columns": ("height",)}, "inputs.columns are 1 names for 2 inputs"),
        ({"sd": np.array([1.0, 0.0])}, "inputs.scale or inputs.sd is not above 0"),
        ({"mean": np.array([np.nan, 0.0])}, "inputs.mean is not a list of finite numbers"),
        ({"mean": np.zeros(3)}, "inputs.mean and inputs.sd have shapes"),
    ],
    ids=repr,
)
def test_data_that_would_never_load_are_not_saved(tmp_path, changes, message):
    net = (fnn.Dense(3),)
    params = fnn.init(net, jax.random.key(0), (2,))
    with pytest.raises(ValueError, match=message):
        fnn.save(tmp_path / "net", net, fnn.LogLikelihood(), params, (2,), data=pets(**changes))
    assert not (tmp_path / "net").exists()


def test_a_shape_may_be_of_numpy_numbers(tmp_path):
    net = (fnn.Dense(2),)
    shape = tuple(np.array([3], np.int32))
    fnn.save(tmp_path, net, fnn.LogLikelihood(), fnn.init(net, jax.random.key(0), (3,)), shape)
    assert fnn.load(tmp_path).shape == (3,)


@pytest.mark.parametrize("number", [np.nan, np.inf])
def test_params_that_would_never_load_are_not_saved(tmp_path, number):
    net = (fnn.Dense(2),)
    params = fnn.init(net, jax.random.key(0), (3,))
    params = (params[0]._replace(W=params[0].W.at[1, 2].set(number)),)
    with pytest.raises(ValueError, match=rf"params: 0\.W\[1, 2\] is {number}; expected finite numbers"):
        fnn.save(tmp_path / "net", net, fnn.LogLikelihood(), params, (3,))
    assert not (tmp_path / "net").exists()


@pytest.mark.parametrize(
    ("place", "number", "dtype", "message"),
    [
        ("W", np.nan, np.float32, "0.W[2, 1] is nan; expected finite numbers; the training diverged, or the file is"),
        ("b", np.nan, np.float64, "0.b[2] is nan; expected finite numbers"),
        ("W", -np.inf, np.float32, "0.W[2, 1] is -inf; expected finite numbers"),
        ("b", np.inf, np.float16, "0.b[2] is inf; expected finite numbers"),
        ("W", 1e39, np.float64, "0.W[2, 1] is 1e+39, which is too large for float32"),
        ("b", -1e300, np.float64, "0.b[2] is -1e+300, which is too large for float32"),
    ],
)
def test_params_that_are_no_numbers_of_float32_are_refused_by_name(saved, capsys, place, number, dtype, message):
    W, b = (np.array(array, dtype) for array in fnn.load(saved).params[0])
    {"W": W[2], "b": b[1:]}[place][1] = number
    np.savez(saved / "params.npz", **{"0.W": W, "0.b": b})
    with pytest.raises(fnn.CorruptFileError, match="params.npz: 0") as caught:
        fnn.load(saved)
    assert message in str(caught.value)
    fails(capsys, 3, "params.npz: 0.", "predict", str(saved))


def test_params_of_float64_are_rounded_to_the_nearest_float32_or_kept(saved):
    rng = np.random.default_rng(0)
    W, b = rng.standard_normal((3, 2)), np.array([3.4028235e38, 1e-300, 1 / 3])
    np.savez(saved / "params.npz", **{"0.W": W.astype(">f8"), "0.b": b})
    params = fnn.load(saved).params[0]
    assert params.W.dtype == np.float32
    np.testing.assert_array_equal(params.W, W.astype(np.float32))
    np.testing.assert_array_equal(params.b, b.astype(np.float32))
    with jax.enable_x64(True):
        params = fnn.load(saved).params[0]
        np.testing.assert_array_equal(np.asarray(params.W), W)
        np.testing.assert_array_equal(np.asarray(params.b), b)


def test_nothing_in_a_folder_is_unpickled(saved):
    class Bomb:
        def __reduce__(self):
            return pytest.fail, ("unpickled",)

    np.savez(saved / "params.npz", **{"0.W": np.array([Bomb()]), "0.b": np.zeros(3)})
    with pytest.raises(fnn.CorruptFileError, match="0.W"):
        fnn.load(saved)


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        ({"classes": None}, "KeyError('classes')"),
        ({"targets": None}, "KeyError('targets')"),
        ({"targets": "bits"}, "targets is 'bits'"),
        ({"targets": ["one-hot"]}, "targets is ['one-hot']"),
        ({"classes": ["cat", 3]}, "classes is not a list of texts"),
        ({"classes": ["cat", "cat", "owl"]}, "classes has a name twice"),
        ({"classes": ["cat", "dog"]}, "2 classes for 3 outputs"),
        ({"classes": list("abcdefghi"), "targets": "binary"}, "9 classes for 3 outputs"),
        ({"label": 7}, "label is not a list of texts"),
        ({"inputs": {"scale": None}}, "KeyError('scale')"),
        ({"inputs": {"scale": 0}}, "inputs.scale or inputs.sd is not above 0"),
        ({"inputs": {"scale": "1"}}, "inputs.scale is not a list of finite numbers"),
        ({"inputs": {"sd": [1.0, -1.0]}}, "inputs.scale or inputs.sd is not above 0"),
        ({"inputs": {"sd": [1.0, 1.0, 1.0]}}, "inputs.mean and inputs.sd have shapes (2,) and (3,)"),
        ({"inputs": {"mean": []}}, "inputs.mean and inputs.sd have shapes (0,) and (2,)"),
        ({"inputs": {"mean": [0.0, "nan"]}}, "inputs.mean is not a list of finite numbers"),
        ({"inputs": {"mean": [0.0, 10**400]}}, "inputs.mean is not a list of finite numbers"),
        ({"inputs": {"mean": [0.0, True]}}, "inputs.mean is not a list of finite numbers"),
        ({"inputs": {"mean": [[0.0], [1.0]]}}, "inputs.mean is not a list of finite numbers"),
        ({"inputs": {"mean": 0.0}}, "inputs.mean is not a list of finite numbers"),
        ({"inputs": {"columns": ["height"]}}, "inputs.columns are 1 names for 2 inputs"),
        ({"inputs": {"columns": ["height", "height"]}}, "inputs.columns has a name twice"),
        ({"inputs": {"columns": "ab"}}, "inputs.columns is not a list of texts"),
        ({"inputs": []}, "TypeError"),
        ({"data": [], "inputs": {}}, "AttributeError"),
        ({"data": {"targets": "one-hot"}, "inputs": None}, "KeyError('inputs')"),
    ],
    ids=repr,
)
def test_a_damaged_description_is_a_corrupt_file(saved, entries, message):
    with pytest.raises(fnn.CorruptFileError, match="config.json: is not the config of a run: ") as caught:
        fnn.load(changed(saved, **entries))
    assert message in str(caught.value)


def test_a_run_of_before_the_names_goes_by_position(saved):
    old = {"data": {"targets": "one-hot", "label": "kind"}, "targets": None, "label": None, "read_as": None}
    model = fnn.load(changed(saved, **old, inputs={"columns": None}))
    assert (model.columns, model.label, model.classes) == ((), "kind", ("cat", "dog", "owl"))
    np.testing.assert_array_equal(model.predict([[1e9, 2.0]]), fnn.load(saved).predict([[1e9, 2.0]]))


def test_a_folder_without_a_data_set_takes_inputs_as_they_are(saved):
    gone = dict.fromkeys(("classes", "label", "read_as", "inputs", "targets"))
    model = fnn.load(changed(saved, **gone))
    assert (model.scale, model.mean, model.sd, model.classes, model.columns) == (1.0, 0.0, 1.0, (), ())


def test_a_tilde_is_the_home_folder(saved, monkeypatch):
    monkeypatch.setenv("HOME", str(saved.parent))
    model = fnn.load("~/net")
    fnn.save("~/again", model.net, model.cost, model.params, model.shape)
    assert fnn.load(saved.parent / "again").net == model.net


def test_a_saved_network_has_no_data_to_predict(saved, capsys):
    fails(capsys, 2, "has no data of its own; name a FILE of inputs", "predict", str(saved))


@pytest.mark.parametrize("sd", [[], [1.0, 1.0]])
def test_units_of_another_number_of_inputs_are_a_corrupt_file(finished, capsys, sd):
    about = json.loads((finished / "config.json").read_text())
    about["inputs"]["sd"] = sd
    (finished / "config.json").write_text(json.dumps(about))
    fails(capsys, 3, "inputs.mean and inputs.sd have shapes", "predict", str(finished))


def test_a_folder_of_a_user_who_does_not_exist_is_refused():
    net = (fnn.Dense(2),)
    params = fnn.init(net, jax.random.key(0), (3,))
    cost = fnn.LogLikelihood()
    for call in (lambda: fnn.load("~nobody-here/net"), lambda: fnn.save("~nobody-here/net", net, cost, params, (3,))):
        with pytest.raises(
            fnn.InputError, match="^the folder ~nobody-here/net: there is no such user, or no home folder"
        ):
            call()


@pytest.mark.parametrize(
    ("given", "error", "said"),
    [
        ({"path": ""}, fnn.InputError, "^the folder '': expected a path, got none; for the current folder write a dot"),
        ({"cost": "LogLikelihood"}, TypeError, "cost is 'LogLikelihood'; expected a cost, such as LogLikelihood"),
        ({"cost": fnn.LogLikelihood}, TypeError, "cost is <class .*; expected a cost, such as LogLikelihood"),
        ({"cost": None}, TypeError, "cost is None; expected a cost"),
        ({"data": (1, 2)}, TypeError, "data is a tuple; expected the Dataset that load_data gives"),
        (
            {"params": (np.ones((2, 3), int), np.ones(2))},
            TypeError,
            r"params: 0.W is an array of int64; expected floats",
        ),
        (
            {"params": (np.ones((2, 3)) * 1j, np.ones(2))},
            TypeError,
            "params: 0.W is an array of complex128; expected fl",
        ),
        (
            {"params": (np.ones((2, 3)), np.full(2, 1e300))},
            ValueError,
            r"params: 0.b\[0\] is 1e\+300, which is too large",
        ),
    ],
    ids=str,
)
def test_what_cannot_be_loaded_is_not_saved(given, error, said, tmp_path):
    net = (fnn.Dense(2),)
    (layer,) = fnn.init(net, jax.random.key(0), (3,))
    settings = {"path": tmp_path / "net", "net": net, "cost": fnn.LogLikelihood(), "params": (layer,), "shape": (3,)}
    if "params" in given:
        given = {"params": (type(layer)(*given["params"]),)}
    with pytest.raises(error, match=said):
        fnn.save(**(settings | given))
    assert list(tmp_path.iterdir()) == []


def test_no_folder_is_no_model():
    with pytest.raises(fnn.InputError, match="^the folder '': expected a path"):
        fnn.load("")
