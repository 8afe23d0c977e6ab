"""A network as an ONNX graph, computed by onnxruntime: the outputs of `fnn predict`, for inputs in their own units."""

import json
from pathlib import Path

import numpy as np
import pytest

import fnn
from fnn import cli
from fnn.config.sections import TYPES
from fnn.data import sources
from fnn.types import Layer
from tests.helpers.own_layers import Hinge, Swish
from tests.helpers.support import draw_params, unoptimised

pytest.importorskip("onnx")
onnxruntime = pytest.importorskip("onnxruntime")

from fnn.interop.onnx import to_onnx  # noqa: E402 (not before it is known that onnx is here)
from fnn.interop.onnx_layers import NODES  # noqa: E402

CONFIGS = Path(__file__).parents[2] / "configs"
NEAR = 1e-6  # between an output of fnn and of onnxruntime, relative to the largest one where that is above 1
needs_mnist = pytest.mark.skipif(
    not any(source.name == "mnist" and source.present for source in sources()),
    reason="MNIST is not on this machine",
)
FLAT = (7,)
NETS = {  # every layer, and the output of every cost
    "maxout": (
        (fnn.Maxout(6, 3), fnn.Tanh(), fnn.Maxout(5, 1), fnn.LeakyReLU(0.3), fnn.Dense(4)),
        fnn.CrossEntropy(),
        FLAT,
    ),
    "filters": (
        (
            *(fnn.ConvPool(4, 4, 2), fnn.ReLU(), fnn.Conv(3, 2), fnn.LeakyReLU(-0.5), fnn.Conv(2, 3), fnn.Step()),
            *(fnn.MaxPool(1), fnn.Flatten(), fnn.Sigmoid(), fnn.Dense(5)),
        ),
        fnn.LogLikelihood(),
        (2, 11, 13),
    ),
    "pools": (
        (fnn.MaxPool(3), fnn.Conv(3, 2), fnn.Flatten(), fnn.Flatten()),
        fnn.Quadratic(fnn.Identity()),
        (2, 9, 12),
    ),
    "steps": (
        (fnn.Dense(7), fnn.Step(), fnn.Dense(6), fnn.Softmax(), fnn.Identity(), fnn.Dense(3)),
        fnn.Quadratic(fnn.Tanh()),
        FLAT,
    ),
    "nothing": ((fnn.Identity(),), fnn.Quadratic(fnn.Step()), FLAT),
}


def model_of(net, cost, shape, **more):
    return fnn.Model(net, cost, draw_params(net, 0, shape), shape, **more)


def session(proto):
    """A graph, ready to run."""
    data = proto if isinstance(proto, bytes | str) else proto.SerializeToString()
    return onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"])


def outputs(proto, x):
    """What onnxruntime computes of inputs in their own units."""
    ready = session(proto)
    dtype = {"tensor(float)": np.float32, "tensor(double)": np.float64}[ready.get_inputs()[0].type]
    (a,) = ready.run(["outputs"], {"x": np.asarray(x, dtype)})
    return a


def assert_near(got, expected):
    assert (got.shape, got.dtype) == (expected.shape, expected.dtype)
    np.testing.assert_allclose(got, expected, rtol=0, atol=NEAR * max(1, np.abs(expected).max(initial=0)))


@pytest.mark.parametrize("name", NETS)
def test_every_layer_and_every_output_is_computed_as_by_fnn(name):
    net, cost, shape = NETS[name]
    model = model_of(net, cost, shape, scale=1 / 16)
    x = np.random.default_rng(1).normal(0, 16, (9, *shape)).astype(np.float32)
    with unoptimised():
        assert_near(outputs(to_onnx(model), x), model.predict(x))


def test_no_layer_is_forgotten():
    assert set(NODES) == {cls for cls in TYPES.values() if issubclass(cls, Layer)}
    assert {type(layer) for net, *_ in NETS.values() for layer in net} == set(NODES)


@pytest.mark.parametrize("seed", range(6))
def test_random_nets(seed):
    rng = np.random.default_rng(seed)
    functions = [cls() for cls in (fnn.Sigmoid, fnn.Tanh, fnn.ReLU, fnn.LeakyReLU, fnn.Identity, fnn.Step)]
    side = int(rng.integers(8, 13)) * 2
    filters = fnn.ConvPool(int(rng.integers(1, 5)), 3, 2) if seed % 2 else fnn.Conv(int(rng.integers(1, 5)), 3)
    net = [*([filters] if seed % 3 else []), functions[rng.integers(6)], fnn.Flatten()]
    for _ in range(rng.integers(1, 4)):
        units = int(rng.integers(1, 9))
        net += [fnn.Maxout(units, int(rng.integers(1, 4))) if rng.random() < 0.4 else fnn.Dense(units)]
        net += [functions[rng.integers(6)]]
    cost = (fnn.CrossEntropy(), fnn.LogLikelihood(), fnn.Quadratic(functions[rng.integers(6)]))[seed % 3]
    model = model_of((*net, fnn.Dense(4)), cost, (int(rng.integers(1, 4)), side, side))
    x = rng.normal(size=(5, *model.shape)).astype(np.float32)
    with unoptimised():
        assert_near(outputs(to_onnx(model), x), model.predict(x))


def test_the_batch_axis_is_free_and_has_a_name():
    model = model_of(*NETS["steps"])
    ready = session(to_onnx(model))
    assert [value.shape for value in (*ready.get_inputs(), *ready.get_outputs())] == [["batch", 7], ["batch", 3]]
    for n in (0, 1, 5):
        assert ready.run(None, {"x": np.ones((n, 7), np.float32)})[0].shape == (n, 3)


@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("name", NETS)
def test_a_row_that_predict_refuses_gives_nan(name, wrong):
    net, cost, shape = NETS[name]
    model = model_of(net, cost, shape)
    x = np.ones((3, *shape), np.float32)
    x[1, ..., 0] = wrong
    with pytest.raises(ValueError, match="input 1 holds nan or an infinite number"):
        model.predict(x)
    a = outputs(to_onnx(model), x)
    assert np.isnan(a[1]).all()
    assert np.isfinite(a[[0, 2]]).all()


@pytest.mark.parametrize("layer", [fnn.Step(), fnn.ReLU(), fnn.LeakyReLU(), fnn.Sigmoid(), fnn.Maxout(2, 3)], ids=repr)
def test_a_nan_between_the_layers_stays_nan(layer):
    wide, b = np.array([[3e38], [-3e38]], np.float32), np.zeros(2, np.float32)
    params = (fnn.layers.DenseParams(wide, b), fnn.layers.DenseParams(np.array([[1, 1], [0, 0]], np.float32), b))
    (own,) = draw_params((layer,), 0, (2,))
    model = fnn.Model((fnn.Dense(2), fnn.Dense(2), layer), fnn.Quadratic(fnn.Identity()), (*params, own), (1,))
    expected = model.predict([[10]])  # infinity less infinity
    assert np.isnan(expected[0, 0])
    np.testing.assert_allclose(outputs(to_onnx(model), [[10]]), expected, rtol=1e-6)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """The run of a shipped config after some epochs."""
    folder = tmp_path_factory.mktemp("runs")

    def run(name, *entries):
        words = [word for entry in entries for word in ("--set", entry)]
        out = folder / Path(name).name
        with unoptimised():
            assert cli.main(["run", str(CONFIGS / f"{name}.toml"), "--out", str(out), *words]) == 0
        (path,) = out.iterdir()
        return path

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("fnn.plots.curves.available", lambda: False)
        yield run


@pytest.mark.parametrize(
    ("name", "entries"),
    [
        ("digits", ["training.epochs=5"]),
        ("digits_conv", ["training.epochs=2", "training.shifts=false", "network.layers.0.filters=8"]),
        pytest.param("nielsen/ch6_conv1", ["training.epochs=1"], marks=[pytest.mark.long, needs_mnist]),
    ],
)
def test_a_trained_run_gives_the_same_classes_for_all_test_digits(trained, capsys, name, entries):
    run = trained(name, *entries)
    assert cli.main(["export", str(run), "--to", "onnx"]) == 0
    assert (
        capsys.readouterr().out.splitlines()[-1]
        == "outputs: float32 (batch, 10): one for each class, " + ", ".join("0123456789") + "."
    )
    model = fnn.load(run)
    test = fnn.load_data("mnist" if "nielsen" in name else "digits", test=0 if "nielsen" in name else 397).test
    x = np.asarray(test.x, np.float32).reshape(-1, *model.shape)
    a, expected = outputs(str(run / "model.onnx"), x), model.predict(x)
    assert_near(a, expected)
    assert model.classes_of(a) == model.classes_of(expected)
    assert (np.array(model.classes_of(a)) == model.classes_of(test.y)).mean() > 0.8


def test_a_run_with_standardised_inputs_takes_them_in_their_own_units(trained):
    run = trained("regression", "training.epochs=3", "data.standardise_y=true")
    model, data = fnn.load(run), fnn.load_data("sine", size=1000, noise=0.1, validation=100, test=200)
    proto = to_onnx(model)
    assert_near(outputs(proto, data.test.x), model.predict(data.test.x))
    assert proto.doc_string.startswith("x: float64 (batch, 1).\nInputs are in their own units: the graph standardises")
    assert proto.doc_string.endswith("outputs: float64 (batch, 1): quantities in the units of the source.")


def table(start=0.0, n=60):
    """Columns of a table: times from a start, blanks, texts, codes that are whole numbers, and what is desired."""
    rng = np.random.default_rng(0)
    return {
        "time": start + rng.integers(0, 90, n),
        "fee": np.where(rng.random(n) < 0.2, np.nan, rng.normal(60, 20, n)),
        "zone": rng.choice([3, 5, 11], n),
        "kind": rng.choice(["old", "new"], n),
        "price": rng.normal(2e5, 4e4, n) + 0.5,
    }


def of_table(columns, **options):
    """An untrained model of a table, which it does not have to be good at."""
    data = fnn.load_data(columns, label="price", test=20, missing="mean", **options)
    net = (fnn.Dense(4), fnn.Tanh(), fnn.Dense(1))
    units = {name: getattr(data, name) for name in ("mean", "sd", "y_mean", "y_sd", "columns", "label", "encoding")}
    cost, params = fnn.Quadratic(fnn.Identity()), draw_params(net, 0, data.shape)
    return fnn.Model(net, cost, params, data.shape, (), targets="quantity", scale=float(data.train.scale), **units)


@pytest.mark.parametrize("units", [{}, {"standardise": True}, {"standardise": True, "standardise_y": True}], ids=str)
def test_a_table_of_numbers_goes_in_as_it_is(units):
    start = 1.7e9 if units else 0.0  # too large for float32
    columns = {name: column for name, column in table(start).items() if name != "kind"}
    model = of_table(columns, onehot=("zone",), **units)
    proto = to_onnx(model)
    assert json.loads(properties(proto)["inputs"]) == ["time", "fee", "zone"]
    x = np.stack([columns[name] for name in ("time", "fee", "zone")], axis=1).astype(float)
    assert_near(outputs(proto, x), model.predict(columns))
    x[2, 2] = 4.0  # a zone of no training row
    a = outputs(proto, x)
    assert np.isnan(a[2]).all()
    assert np.isfinite(np.delete(a, 2)).all()
    assert "makes one-hot inputs of zone; for a number that is in no training row it gives nan" in proto.doc_string


@pytest.mark.parametrize("units", [{}, {"standardise": True}], ids=str)
def test_texts_are_not_in_the_graph_and_it_says_so(units):
    columns = table()
    model = of_table(columns, onehot=("zone", "kind"), **units)
    proto = to_onnx(model)
    names = json.loads(properties(proto)["inputs"])
    assert names == ["time", "fee", "zone=3", "zone=5", "zone=11", "kind=new", "kind=old"]
    assert "Not in the graph: texts. Give zone, kind as one-hot inputs" in proto.doc_string
    hot = [columns["zone"] == 3, columns["zone"] == 5, columns["zone"] == 11]
    hot += [columns["kind"] == "new", columns["kind"] == "old"]
    x = np.stack([columns["time"], columns["fee"], *hot], axis=1).astype(float)
    assert_near(outputs(proto, x), model.predict(columns))


def test_columns_that_were_left_out_are_no_inputs():
    columns = table()
    model = of_table(columns, drop=("kind", "time"), standardise=True)
    proto = to_onnx(model)
    assert json.loads(properties(proto)["inputs"]) == ["fee", "zone"]
    assert_near(outputs(proto, np.stack([columns["fee"], columns["zone"]], axis=1)), model.predict(columns))


def properties(proto):
    return {entry.key: entry.value for entry in proto.metadata_props}


def test_the_metadata_say_what_the_network_is():
    model = model_of((fnn.Dense(2),), fnn.CrossEntropy(), (3,), classes=("a", "b", "c"), targets="binary", label="it")
    proto = to_onnx(model)
    about = properties(proto)
    assert (about["fnn_version"], about["label"], about["targets"]) == (fnn.__version__, "it", "binary")
    assert json.loads(about["classes"]) == ["a", "b", "c"]
    assert json.loads(about["layers"])[0]["type"] == "Dense"
    assert proto.doc_string.splitlines() == [
        "x: float32 (batch, 3).",
        "Inputs are taken as they are, as in the training.",
        "outputs: float32 (batch, 2): the bits of the number of the class, the highest first; the classes are a, b, c.",
    ]
    assert (proto.producer_name, [opset.version for opset in proto.opset_import], proto.ir_version) == ("fnn", [21], 10)


@fnn.static
class Likewise(fnn.Sigmoid):
    """A subclass may compute anything, so its nodes are not those of the class above it."""


@pytest.mark.parametrize(
    ("net", "cost", "message"),
    [
        ((fnn.Dense(2), Swish()), fnn.CrossEntropy(), "layer 1 is Swish, a class of your own"),
        ((fnn.Dense(2), Likewise()), fnn.CrossEntropy(), "layer 1 is Likewise, a class of your own"),
        ((fnn.Dense(2),), Hinge(), "the cost is Hinge, a class of your own.*Quadratic, CrossEntropy, LogLikelihood"),
        ((fnn.Dense(2),), fnn.Quadratic(Swish()), "the cost's activation is Swish.*jax.export writes this network"),
    ],
    ids=str,
)
def test_a_class_of_the_users_is_refused(net, cost, message):
    with pytest.raises(fnn.InputError, match=message):
        to_onnx(model_of(net, cost, (3,)))


def test_params_that_are_too_large_for_a_file_are_refused(monkeypatch):
    monkeypatch.setattr("fnn.interop.onnx_graph.LARGEST", 10)
    with pytest.raises(fnn.InputError, match=r"bytes of params; expected at most 10 for ONNX: use --to safetensors"):
        to_onnx(model_of((fnn.Dense(2),), fnn.CrossEntropy(), (3,)))


def test_the_same_run_gives_the_same_bytes(tmp_path, capsys):
    net = (fnn.Dense(2),)
    fnn.save(tmp_path / "net", net, fnn.CrossEntropy(), draw_params(net, 0, (3,)), (3,))
    for name in ("a.onnx", "b.onnx"):
        assert cli.main(["export", str(tmp_path / "net"), "--to", "onnx", "--out", str(tmp_path / name)]) == 0
    assert (tmp_path / "a.onnx").read_bytes() == (tmp_path / "b.onnx").read_bytes()
    capsys.readouterr()
