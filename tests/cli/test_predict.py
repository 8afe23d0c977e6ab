"""`fnn predict`: the outputs of a run as a csv, in the units of its training."""

import csv
import json

import numpy as np
import pytest

import fnn
from fnn import cli
from fnn.cli import predict
from fnn.config.reading import load_config
from fnn.config.sections import TYPES
from fnn.runs import prediction, preparing
from tests.helpers.runs import only
from tests.helpers.support import fails


def test_predictions_are_a_csv(finished, config, capsys):
    assert cli.main(["predict", str(finished)]) == 0
    out, error = capsys.readouterr()
    header, *rows = csv.reader(out.splitlines())
    assert header == ["row", "class", "desired_class", *(f"output_{k}" for k in range(10))]
    test = preparing.prepare(load_config(config)).data.test
    expected = fnn.load(finished).predict(test.x)
    assert len(rows) == test.n
    assert [int(row[1]) for row in rows] == expected.argmax(axis=1).tolist()
    assert [int(row[2]) for row in rows] == test.y.argmax(axis=1).tolist()
    right, *_ = (line for line in (finished / "metrics.jsonl").read_text().splitlines()[::-1])
    share = json.loads(right)["test_accuracy"]
    count = round(share * test.n)
    assert error == f"accuracy {share:.2%}: {count} of {test.n} rows of the run's own test data\n"


def test_predictions_for_a_file_see_the_units_of_training(finished, config, tmp_path, capsys):
    test = preparing.prepare(load_config(config)).data.test
    np.savez(tmp_path / "new.npz", x=test.x)
    assert cli.main(["predict", str(finished)]) == 0
    own = [row[:2] + row[3:] for row in csv.reader(capsys.readouterr().out.splitlines())]
    assert cli.main(["predict", str(finished), str(tmp_path / "new.npz")]) == 0
    out, error = capsys.readouterr()
    assert list(csv.reader(out.splitlines())) == own
    assert error == ""


def test_a_standardised_table_with_texts_for_classes(tmp_path, capsys):
    rng = np.random.default_rng(0)
    rows = [(1000 + 50 * rng.normal(), rng.normal() + 3 * k, "cat" if k else "dog") for k in rng.integers(0, 2, 60)]
    table = tmp_path / "pets.csv"
    table.write_text("weight,length,kind\n" + "".join(f"{a},{b},{c}\n" for a, b, c in rows))
    config = tmp_path / "pets.toml"
    config.write_text(
        "name = 'pets'\n[data]\nsource = 'pets.csv'\nlabel = 'kind'\nstandardise = true\ntargets = 'binary'\n"
        "[network]\nlayers = [{ type = 'Dense', units = 1 }]\ncost = 'CrossEntropy'\n"
        "[training]\noptimizer = { type = 'SGD', eta = 1 }\nbatch_size = 60\nepochs = 100\n"
    )
    assert cli.main(["run", str(config), "--out", str(tmp_path)]) == 0
    run = next(path for path in tmp_path.iterdir() if path.is_dir())
    capsys.readouterr()
    assert cli.main(["predict", str(run), str(table)]) == 0
    said = [line.split(",")[1] for line in capsys.readouterr().out.splitlines()[1:]]
    assert np.mean([s == kind for s, (*_, kind) in zip(said, rows, strict=True)]) > 0.85


SECONDS = 1.7e9 + np.random.default_rng(0).integers(0, 200, (40, 4))  # since 1970: one number in float32
PIXELS = np.random.default_rng(1).integers(0, 256, (40, 1, 6, 6)).astype(np.uint8)
NUMBERS = np.random.default_rng(2).normal(3.0, 2.0, (40, 4))
CASES = {
    "table as it is": ("csv", NUMBERS, ""),
    "table scaled": ("csv", NUMBERS, "scale = 0.3"),
    "table standardised": ("csv", SECONDS, "standardise = true"),
    "table of bits": ("csv", NUMBERS, "standardise = true\ntargets = 'binary'"),
    "arrays standardised": ("npz", SECONDS, "standardise = true"),
    "small numbers standardised": ("npz", NUMBERS * 1e-23, "standardise = true"),
    "images": ("npz", PIXELS, "scale = 0.00392"),
    "images flat": ("npz", PIXELS, "scale = 0.00392\nshape = [36]"),
    "images standardised": ("npz", PIXELS, "standardise = true"),
    "images shifted": ("npz", PIXELS, "scale = 0.00392\n[training]\nshifts = true"),
    "files": ("npy", NUMBERS, "y = 'y.npy'\nscale = 0.3"),
    "files standardised": ("npy", SECONDS, "y = 'y.npy'\nstandardise = true"),
    "files larger than memory": ("npy", NUMBERS, "y = 'y.npy'\nmemory = 1e-9\nscale = 0.3"),
}
NET = """
[network]
layers = [{{ type = "Flatten" }}, {{ type = "Dense", units = {} }}]
cost = "CrossEntropy"
[training]
optimizer = {{ type = "SGD", eta = 0.1 }}
batch_size = 10
epochs = 1
"""


def write(path, x, label=None):
    """Inputs in a file whose name says its format; with the labels 0, 1, 2, 0, ... if their column has a name."""
    y = np.arange(len(x)) % 3
    if path.suffix == ".csv":
        names = [f"c{k}" for k in range(x.shape[1])] + ([label] if label else [])
        cells = [[repr(float(v)) for v in row] + ([str(k)] if label else []) for row, k in zip(x, y, strict=True)]
        path.write_text("\n".join(",".join(row) for row in [names, *cells]))
    elif path.suffix == ".npz":
        np.savez(path, x=x, **({"y": y} if label else {}))
    else:
        np.save(path, x)
        if label:
            np.save(path.with_name("y.npy"), y)


@pytest.fixture(params=CASES.values(), ids=CASES)
def trained(request, tmp_path, no_pictures, capsys):
    """The directory of a run on data of one kind, the format of their file, and their inputs in their own units."""
    form, x, entries = request.param
    write(tmp_path / f"t.{form}", x, "kind")
    entries, _, training = entries.partition("[training]")
    net = NET.format(2 if "binary" in entries else 3)
    (tmp_path / "t.toml").write_text(f"[data]\nsource = 't.{form}'\n{entries}{net}{training}")
    assert cli.main(["run", str(tmp_path / "t.toml"), "--out", str(tmp_path / "runs")]) == 0
    capsys.readouterr()
    return only(tmp_path / "runs"), form, x


@pytest.mark.long
def test_there_is_one_answer_for_one_model(trained, tmp_path, capsys):
    run, form, x = trained
    model = fnn.load(run)
    write(tmp_path / f"new.{form}", x[:7])
    expected = model.predict(x[:7])
    assert np.isfinite(expected).all()
    assert len(np.unique(expected, axis=0)) == 7  # that no inputs have become one
    np.testing.assert_array_equal(predict.of_file(model, str(tmp_path / f"new.{form}")), expected)
    where, own, _ = predict.with_own_data(model, run, TYPES)
    assert where == "the run's own training data"
    np.testing.assert_array_equal(own, model.predict(x))
    assert cli.main(["predict", str(run), str(tmp_path / f"new.{form}")]) == 0
    header, *rows = csv.reader(capsys.readouterr().out.splitlines())
    assert header == [
        "row",
        "class",
        *(f"output_{k}" for k in (("bit_1", "bit_0") if len(expected[0]) == 2 else "012")),
    ]
    assert rows == [
        [str(i), name, *(f"{v:.6g}" for v in row)]
        for i, (name, row) in enumerate(zip(model.classes_of(expected), expected, strict=True))
    ]


def test_the_network_sees_what_it_was_trained_on(trained):
    run, _, x = trained
    model, data = fnn.load(run), preparing.prepare(load_config(run.parents[1] / "t.toml")).data
    seen, _ = data.train.rows(slice(None))
    np.testing.assert_array_equal(prediction.scaled(model, x.reshape(seen.shape), 0), seen)


@pytest.fixture
def pets(tmp_path, no_pictures, capsys):
    """`fnn predict` of a run on a table of pets, for the text of another table; and the directory of the run."""
    rng = np.random.default_rng(0)
    rows = [f"{rng.normal(9 * k, 0.5):.2f},{rng.normal():.2f},{('cat', 'dog')[k]}" for k in [0, 1] * 20]
    (tmp_path / "pets.csv").write_text("\n".join(["height,weight,kind", *rows]))
    (tmp_path / "pets.toml").write_text(f"[data]\nsource = 'pets.csv'\n{NET.format(2)}")
    assert (
        cli.main(["run", str(tmp_path / "pets.toml"), "--out", str(tmp_path / "runs"), "--set", "training.epochs=20"])
        == 0
    )
    capsys.readouterr()
    run = only(tmp_path / "runs")

    def answer(text):
        (tmp_path / "new.csv").write_text(text)
        return cli.main(["predict", str(run), str(tmp_path / "new.csv")]), *capsys.readouterr()

    return answer, run


@pytest.mark.parametrize(
    "text",
    ["weight,height\n0.5,9\n-1,0\n", "kind,weight,height\n?,0.5,9\n?,-1,0\n", "height,kind,weight\n9,,.5\n0,,-1\n"],
)
def test_the_columns_of_a_table_are_matched_by_name(pets, text):
    answer, _ = pets
    expected = answer("height,weight\n9,0.5\n0,-1\n")
    assert expected[0] == 0
    assert [line.split(",")[1] for line in expected[1].splitlines()[1:]] == ["dog", "cat"]
    assert answer(text) == expected


def test_a_table_with_the_label_has_it_beside_the_class_and_an_accuracy(pets):
    answer, _ = pets
    status, out, error = answer("kind,weight,height\ndog,0.5,9\ndog,-1,0\n,0,9\n")
    header, *rows = csv.reader(out.splitlines())
    assert (status, header) == (0, ["row", "class", "desired_class", "output_cat", "output_dog"])
    assert [row[1:3] for row in rows] == [["dog", "dog"], ["cat", "dog"], ["dog", ""]]
    assert error.startswith("accuracy 50.00%: 1 of 2 rows of ")
    assert error.endswith("new.csv; 1 row does not say what is desired\n")


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ("height,colour", "has no column 'weight', which the network was trained on"),
        ("price,colour", "has no column 'height', 'weight', which the network was trained on"),
        ("height", "has no column 'weight'"),
        (
            "Height,weight",
            "has no column 'height', which the network was trained on; its columns are 'Height'",
        ),
        ("id,height,weight", "the network was not trained on its column 'id'; remove it"),
        ("height,weight,species", "the network was not trained on its column 'species'; remove it"),
        ("height,weight,kind,id", "the network was not trained on its column 'id'"),
    ],
)
def test_columns_that_are_missing_or_unknown_are_refused_by_name(pets, header, message):
    answer, _ = pets
    status, out, error = answer(f"{header}\n{','.join('1' for _ in header.split(','))}\n")
    assert (status, out, error.count("\n")) == (2, "", 1)
    assert message in error


def test_a_run_of_before_the_names_goes_by_position(pets):
    answer, run = pets
    expected = answer("height,weight\n9,0.5\n0,-1\n")
    about = json.loads((run / "config.json").read_text())
    del about["label"], about["read_as"], about["inputs"]["columns"]
    about["data"]["targets"] = "one-hot"
    (run / "config.json").write_text(json.dumps(about))
    assert answer("length,mass\n9,0.5\n0,-1\n") == expected
    assert cli.main(["predict", str(run)]) == 0


def test_inputs_of_another_kind_are_one_line(pets):
    answer, _ = pets
    for number, message in (("1e39", "1e39"), ("nan", "nan"), ("NA", "'NA'"), ("", "nothing")):
        status, _, error = answer(f"weight,height\n0.5,9\n{number},1\n")
        assert (status, error.count("\n")) == (2, 1)
        assert "line 3, column 'weight'" in error
        assert message in error


def test_an_input_too_far_from_the_training_is_one_line(tmp_path, no_pictures, capsys):
    write(tmp_path / "t.npz", NUMBERS * 1e-23, "kind")
    (tmp_path / "t.toml").write_text(f"[data]\nsource = 't.npz'\nstandardise = true\n{NET.format(3)}")
    assert cli.main(["run", str(tmp_path / "t.toml"), "--out", str(tmp_path / "runs")]) == 0
    write(tmp_path / "new.npz", np.full((3, 4), 1e30))
    capsys.readouterr()
    message = "new.npz: inputs from number 0 on: x[0] is too far from the training examples"
    fails(capsys, 2, message, "predict", str(only(tmp_path / "runs")), str(tmp_path / "new.npz"))


def test_predict_names_a_missing_run(capsys, tmp_path):
    fails(capsys, 2, "no such folder", "predict", str(tmp_path / "none"))
    fails(capsys, 2, "has no config.json and no params.npz; expected a run directory", "predict", str(tmp_path))


@pytest.mark.usefixtures("no_pictures")
def test_predictions_quote_what_a_class_is_called(finished, capsys):
    about = json.loads((finished / "config.json").read_text())
    about["classes"] = [f'a "{k}", or so' for k in about["classes"]]
    (finished / "config.json").write_text(json.dumps(about))
    assert cli.main(["predict", str(finished)]) == 0
    header, *rows = csv.reader(capsys.readouterr().out.splitlines())
    assert {len(row) for row in rows} == {len(header)}
    assert {row[1] for row in rows} <= set(about["classes"])


def test_a_sweep_predicts_nothing_by_itself(tmp_path, capsys):
    (tmp_path / "networks").mkdir()
    (tmp_path / "config.json").touch()
    fails(capsys, 2, "this is a sweep, whose networks sweep.csv compares", "predict", str(tmp_path))


def test_the_csv_goes_into_a_file(finished, tmp_path, capsys):
    assert cli.main(["predict", str(finished)]) == 0
    expected = capsys.readouterr()
    path = tmp_path / "said.csv"
    for _ in range(2):  # a file that is there is replaced
        assert cli.main(["predict", str(finished), "--out", str(path)]) == 0
        assert capsys.readouterr() == (f"300 predictions: {path}\n{expected.err}", "")
        assert path.read_text() == expected.out
    assert sorted(p.name for p in tmp_path.iterdir()) == ["good.toml", "runs", "said.csv"]
    np.save(tmp_path / "x.npy", np.zeros((2, 64)))
    x, (said, *_) = str(tmp_path / "x.npy"), finished.glob("*.npz")
    wrong = {
        str(tmp_path): "is a folder; expected a file, such as",
        f"{tmp_path}/no/": "is a folder",
        str(tmp_path / "no" / "said.csv"): "there is no folder",
        "/dev/null": "is no ordinary file, and would be replaced",
        x: "this file would be lost, it is read here",
        str(said): "this file would be lost",
    }
    for name, message in wrong.items():
        fails(capsys, 2, f"--out {name}: {message}", "predict", str(finished), x, "--out", name)
    assert said.stat().st_size
