"""A run keeps how its columns became inputs and the units of its outputs; whatever reads the run applies them."""

import csv
import io
import json
import shutil

import jax
import numpy as np
import pytest

import fnn
from fnn import cli
from fnn.runs import directory
from tests.helpers.data_files import written
from tests.helpers.frames import ArrowLike, PandasLike, PolarsLike, as_csv
from tests.helpers.runs import only

RNG = np.random.default_rng(1)
N = 48
TABLE = {
    "id": [f"c{k}" for k in range(N)],
    "plan": [None if k == 5 else ("basic", "gold", "pro")[k % 3] for k in range(N)],
    "months": [None if k == 7 else k // 2 for k in range(N)],
    "bill": (1e6 + 1000 * RNG.random(N)).round(1).tolist(),
    "left": ["yes" if k % 3 == 0 and k < 30 else "no" for k in range(N)],
}
NEW = {name: cells[:8] for name, cells in TABLE.items() if name != "left"}
CONFIG = """
name = "it"
[data]
source = "table.csv"
drop = ["id"]
onehot = ["plan"]
standardise = true
test = 8
{data}
[network]
layers = [{{ type = "Dense", units = {units} }}]
cost = {cost}
[training]
optimizer = {{ type = "SGD", eta = 0.1 }}
batch_size = 10
epochs = 1
"""
KINDS = {
    "classes": ('missing = "mean"', 2, '"LogLikelihood"'),
    "quantities": (
        'missing = "drop"\nlabel = "bill"\nstandardise_y = true\ndrop = ["id", "left"]',
        1,
        '{ type = "Quadratic", activation = "Identity" }',
    ),
}


@pytest.fixture(scope="module", params=KINDS)
def run(request, tmp_path_factory):
    """A finished run."""
    folder = tmp_path_factory.mktemp(request.param)
    written(folder, as_csv(TABLE), "table.csv")
    data, units, cost = KINDS[request.param]
    text = CONFIG.format(data=data, units=units, cost=cost)
    text = text.replace('drop = ["id"]\n', "") if "drop = [" in data else text
    written(folder, text, "it.toml")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("fnn.plots.curves.available", lambda: False)
        assert cli.main(["run", str(folder / "it.toml"), "--out", str(folder / "runs")]) == 0
    return only(folder / "runs")


def whole(columns, run):
    """The columns without the rows that the run does not take."""
    filled = "fill" in json.dumps(encoding_of(run)) and encoding_of(run)["columns"][0]["fill"]
    keep = [k for k in range(8) if filled or k not in (5, 7)]
    return {name: [cells[k] for k in keep] for name, cells in columns.items()}


def config_of(run):
    return json.loads((run / "config.json").read_text())


def encoding_of(run):
    return config_of(run)["inputs"]["encoding"]


def printed(capsys, run, path):
    """The outputs that `fnn predict` prints."""
    capsys.readouterr()
    assert cli.main(["predict", str(run), path]) == 0
    rows = csv.DictReader(io.StringIO(capsys.readouterr().out))
    return [[float(v) for name, v in row.items() if name.startswith("output")] for row in rows]


def test_predict_and_load_encode_new_tables_alike(run, tmp_path, capsys):
    model, new = fnn.load(run), whole(NEW, run)
    a = model.predict(new)
    assert len(a) == len(new["id"])
    for form in (PandasLike, PolarsLike, ArrowLike):
        np.testing.assert_array_equal(model.predict(form(new)), a, strict=True)
    np.testing.assert_array_equal(model.predict({name: new[name] for name in ("bill", "months", "plan")}), a)
    backwards = {name: new[name] for name in reversed(new)}
    for columns in (new, backwards):
        path = written(tmp_path, as_csv(columns), "new.csv")
        np.testing.assert_allclose(printed(capsys, run, path), a, rtol=1e-4)


def test_the_own_data_are_encoded_as_in_the_training(run, capsys):
    model = fnn.load(run)
    shown = json.loads(json.dumps(config_of(run)["data"]))
    data = fnn.load_data(**shown)
    assert (model.encoding, model.columns) == (data.encoding, data.columns)
    x = model.encoding and (data.test.x * data.sd + data.mean)
    expected = model.predict(x)
    capsys.readouterr()
    assert cli.main(["predict", str(run)]) == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    outputs = [[float(v) for name, v in row.items() if name.startswith("output")] for row in rows]
    np.testing.assert_allclose(outputs, expected, rtol=1e-3)
    if not model.classes:
        y = data.test.y * data.y_sd + data.y_mean
        assert model.y_sd == data.y_sd
        assert expected.dtype == np.float64
        assert 1e6 < y.min() < y.max() < 1.001e6
        assert [float(row["desired_bill"]) for row in rows] == pytest.approx(y.ravel().tolist(), rel=1e-6)
        assert abs(expected - 1e6).max() < 1e5


@pytest.mark.long
@pytest.mark.parametrize("run", ["classes"], indirect=True)
def test_verify_trains_it_again_to_the_same_bytes(run, capsys):
    assert cli.main(["verify", str(run)]) == 0
    assert "the same bytes" in capsys.readouterr().out


def test_a_saved_network_keeps_it_too(run, tmp_path):
    model, new = fnn.load(run), whole(NEW, run)
    data = fnn.load_data(**config_of(run)["data"])
    fnn.save(tmp_path / "net", model.net, model.cost, model.params, model.shape, data=data)
    again = fnn.load(tmp_path / "net")
    assert again.encoding == model.encoding
    np.testing.assert_array_equal(again.predict(new), model.predict(new), strict=True)


def test_a_table_that_does_not_fit_is_refused_by_column_and_row(run):
    model, new = fnn.load(run), whole(NEW, run)
    k = len(new["id"]) - 1
    filled = bool(model.encoding.columns[0].fill)
    slips = {
        f"row {k}, column 'plan': 'free' is in no training row; they have 'basic', 'gold', 'pro': correct": "free",
        f"row {k}, column 'plan': nothing; expected a text: fill it in, or remove the row$": None,
    }
    for message, cell in slips.items():
        given = new | {"plan": [*new["plan"][:k], cell]}
        if cell is None and filled:
            assert len(model.predict(given)) == k + 1
            continue
        with pytest.raises(fnn.InputError, match=message):
            model.predict(given)
    with pytest.raises(fnn.InputError, match="the network was not trained on its column 'spent'; remove it"):
        model.predict(new | {"spent": new["months"]})
    with pytest.raises(fnn.InputError, match="the table: has no column 'months'"):
        model.predict({name: cells for name, cells in new.items() if name != "months"})


DAMAGE = [
    ("inputs", "encoding", "columns", 0, "name", "price"),
    ("inputs", "encoding", "columns", 0, "texts", ["a", "a", "b"]),
    ("inputs", "encoding", "columns", 0, "texts", ["a"]),
    ("inputs", "encoding", "columns", 0, "texts", [1, 2, 3]),
    ("inputs", "encoding", "columns", 1, "fill", [1.0, 2.0]),
    ("inputs", "encoding", "columns", 1, "fill", ["1"]),
    ("inputs", "encoding", "dropped", "id"),
    ("inputs", "encoding", 7),
    ("inputs", "encoding", "columns", [{}]),
    ("outputs", {"mean": [0.0, 0.0, 0.0], "sd": [1.0, 1.0, 1.0]}),
    ("outputs", {"mean": [0.0], "sd": [0.0]}),
    ("outputs", 3),
]


@pytest.mark.parametrize("damage", DAMAGE, ids=str)
def test_a_damaged_encoding_is_a_corrupt_file(run, tmp_path, damage):
    copy = shutil.copytree(run, tmp_path / "copy")
    table = config_of(copy)
    *path, last, value = damage
    place = table
    for part in path:
        place = place[part]
    place[last] = value
    (copy / "config.json").write_text(json.dumps(table))
    with pytest.raises(fnn.CorruptFileError, match="is not the config of a run"):
        fnn.load(copy)


def test_a_config_of_before_loads_without_an_encoding(tmp_path):
    data = fnn.load_data({"a": [1, 2, 3], "b": [2, 1, 0], "y": ["u", "v", "u"]})
    net = (fnn.Dense(2),)
    params = fnn.init(net, jax.random.key(0), (2,))
    fnn.save(tmp_path, net, fnn.LogLikelihood(), params, (2,), data=data)
    table = config_of(tmp_path)
    assert set(table["inputs"]) == {"scale", "mean", "sd", "columns"}
    assert "outputs" not in table
    model = fnn.load(tmp_path)
    assert (model.encoding, model.y_mean, model.y_sd) == (None, 0.0, 1.0)
    np.testing.assert_array_equal(model.predict({"b": [1, 5], "a": [2, 7]}), model.predict([[2, 1], [7, 5]]))
    assert model.predict({"a": [], "b": []}).shape == (0, 2)


def test_a_run_whose_parquet_file_moved_is_told_where(run, tmp_path):
    config = fnn.config.reading.rebuilt(config_of(run)).data
    moved = type(config)(source=str(tmp_path / "gone.parquet"))
    with pytest.raises(fnn.InputError, match=r"gone.parquet: there is no such file; if it has moved"):
        directory.check_data(run, moved)
