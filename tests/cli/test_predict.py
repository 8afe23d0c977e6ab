"""`fnn predict`: the outputs of a run as a csv, in the units of its training."""

import csv
import json

import numpy as np
import pytest

import fnn
from fnn import cli
from fnn.config.reading import load_config
from fnn.runs import preparing
from tests.helpers.support import fails


def test_predictions_are_a_csv(finished, config, capsys):
    assert cli.main(["predict", str(finished)]) == 0
    header, *rows = capsys.readouterr().out.splitlines()
    assert header == "row,class," + ",".join(f"output_{k}" for k in range(10))
    test = preparing.prepare(load_config(config)).data.test
    expected = fnn.load(finished).predict(test.x)
    assert len(rows) == test.n
    assert [int(row.split(",")[1]) for row in rows] == expected.argmax(axis=1).tolist()


def test_predictions_for_a_file_see_the_units_of_training(finished, config, tmp_path, capsys):
    test = preparing.prepare(load_config(config)).data.test
    np.savez(tmp_path / "new.npz", x=test.x)
    assert cli.main(["predict", str(finished)]) == 0
    own = capsys.readouterr().out
    assert cli.main(["predict", str(finished), str(tmp_path / "new.npz")]) == 0
    assert capsys.readouterr().out == own


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


def test_predict_names_a_missing_run(capsys, tmp_path):
    fails(capsys, 2, "no such folder", "predict", str(tmp_path / "none"))


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
