"""Runs from config to directory and back, and the command line as a user meets it."""

import json
import os
import subprocess
import sys

import jax
import numpy as np
import pytest
from test_config import GOOD

import fnn
from fnn import cli
from fnn.checking import comparison
from fnn.cli import run
from fnn.config.reading import load_config
from fnn.config.schema import describe
from fnn.config.sections import TYPES
from fnn.plots import curves
from fnn.runs import directory, preparing
from tests.helpers.support import Swish, fails


@pytest.fixture
def config(tmp_path):
    path = tmp_path / "good.toml"
    path.write_text(GOOD)
    return str(path)


def test_a_run_directory_holds_everything(finished, config):
    assert {path.name for path in finished.iterdir()} == {
        *("config.toml", "config.json", "environment.json", "metrics.jsonl", "params.npz", "result.json", ".lock"),
        *(["learning.png", "weights.png", "mistakes.png"] if curves.available() else []),
    }
    assert (finished / "config.toml").read_text() == GOOD
    lines = [json.loads(line) for line in (finished / "metrics.jsonl").read_text().splitlines()]
    assert [line["epoch"] for line in lines] == [1, 2]
    expected = {f"{part}_{measure}" for part in ("train", "validation", "test") for measure in ("cost", "accuracy")}
    assert set(lines[0]) == expected | {"epoch", "eta_factor", "seconds"}
    assert set(json.loads((finished / "environment.json").read_text())["versions"]) >= {"jax", "jaxlib", "numpy", "fnn"}
    assert json.loads((finished / "config.json").read_text())["training"] == describe(load_config(config).training) | {
        "target_cost": "-inf"
    }


def test_a_run_loads_bit_for_bit(finished, config):
    net, cost, params = fnn.load(finished)
    prepared = preparing.prepare(load_config(config))
    assert (net, cost) == (prepared.config.network.layers, prepared.config.network.cost)
    *_, last = preparing.results(prepared, "backprop")
    assert [np.asarray(p).tobytes() for p in jax.tree.leaves(params)] == [
        np.asarray(p).tobytes() for p in jax.tree.leaves(last.params)
    ]
    lines = (finished / "metrics.jsonl").read_text().splitlines()
    assert float(fnn.evaluate(net, cost, params, prepared.data.test).cost) == pytest.approx(
        json.loads(lines[-1])["test_cost"], rel=1e-6
    )


def test_the_same_config_gives_the_same_bytes_beside_the_first(finished, config, tmp_path, capsys):
    assert cli.main(["run", config, "--out", str(tmp_path / "runs")]) == 0
    second = finished.with_name(finished.name + "-2")
    for name in ("params.npz", "result.json"):
        assert (second / name).read_bytes() == (finished / name).read_bytes()
    without_time = [
        [{k: v for k, v in json.loads(line).items() if k != "seconds"} for line in path.read_text().splitlines()]
        for path in (finished / "metrics.jsonl", second / "metrics.jsonl")
    ]
    assert without_time[0] == without_time[1]


def test_metrics_leave_out_what_does_not_apply():
    quantities = fnn.Evaluation(np.float32(0.1), np.float32("nan"))
    result = fnn.fitting.Result(*[None] * len(fnn.fitting.Result._fields))
    line = directory.metrics(result._replace(epoch=1, factor=0.5, train=quantities, seconds=2.0))
    assert line == {"epoch": 1, "eta_factor": 0.5, "train_cost": 0.1, "seconds": 2.0}


def test_predictions_are_a_csv(finished, config, capsys):
    assert cli.main(["predict", str(finished)]) == 0
    header, *rows = capsys.readouterr().out.splitlines()
    assert header == "row,class," + ",".join(f"output_{k}" for k in range(10))
    test = preparing.prepare(load_config(config)).data.test
    expected = np.asarray(fnn.predict(*fnn.load(finished), test.rows(slice(None))[0]))
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


def test_compare_says_how_far_apart_the_gradients_are(config, capsys):
    assert cli.main(["compare", config]) == 0
    out = capsys.readouterr().out
    assert out.count("0 Dense") == out.count("2 Dense") == 2
    assert "nearer to float64" in out
    assert "us per step" in out


def test_the_comparison_measures_relative_to_the_largest_entry_and_in_ulps():
    right, wrong = [np.array([1.0, -2.0], np.float32)], [np.array([1.0, -2.002], np.float32)]
    assert comparison.relative(right, right) == comparison.ulps(right, right) == 0
    assert comparison.relative(wrong, right) == pytest.approx(1e-3, rel=1e-3)
    next_up = [np.array([1.0, np.nextafter(np.float32(-2), np.float32(-3))], np.float32)]
    assert comparison.ulps(next_up, right) == 1


def test_compared_trainings_take_turns_until_one_ends(config):
    prepared, went = preparing.prepare(load_config(config)), []
    net, cost = prepared.config.network.layers, prepared.config.network.cost
    result = fnn.fitting.Result(*[None] * len(fnn.fitting.Result._fields))._replace(params=prepared.params)

    def training(name, epochs):
        for _ in range(epochs):
            went.append(name)
            yield result

    found = comparison.compare(net, cost, prepared.data.train, training("hand", 4), training("auto", 3))
    assert len(list(found)) == 3
    assert went == ["hand", "auto", "auto", "hand", "hand", "auto", "hand"]


def test_the_comparison_says_which_is_nearer_to_float64(config):
    prepared = preparing.prepare(load_config(config))
    net, cost = prepared.config.network.layers, prepared.config.network.cost
    rows = comparison.differences(net, cost, prepared.params, prepared.params, prepared.data.train)
    assert [row.layer for row in rows] == [0, 2]
    for row in rows:
        assert 0 < row.backprop_error < 1e-5
        assert 0 < row.autodiff_error < 1e-5
        assert row.ulps == pytest.approx(row.gradient * 2**24, rel=0.5, abs=1)
        assert row.params == 0
    worse = rows[0]._replace(backprop_error=1.0)
    assert worse.nearer == "autodiff"


MISFITS = [
    ("data.validation=5000", "1,797"),
    ("training.batch_size=5000", "training.batch_size = 5000: expected at most 1397"),
    ("network.layers.0.units=100000000000", "7,500,000,000,010 parameters need 83,819 GiB to train"),
    ("network.layers.2.units=4", "the last layer gives 4 outputs, the data want 10 for their 10 classes"),
    ("network.layers=[]", "0 layers"),
    ("data.shape=[8, 8]", "rows of shape (8, 8)"),
    ("data.source=digitz", "did you mean 'digits'"),
    ("data.targets=binary", "gives 10 outputs, the data want 4"),
    ("data.classes=['1']", "classes"),
    ("data.noise=0.5", "noise"),
    ("data.source=gone.csv", "gone.csv"),
]


@pytest.mark.parametrize(("override", "message"), MISFITS, ids=[o for o, _ in MISFITS])
def test_a_config_that_does_not_fit_its_data_is_refused(config, tmp_path, capsys, override, message):
    out = tmp_path / "never"
    fails(capsys, 2, message, "run", config, "--out", str(out), "--set", override)
    assert not out.exists()


def test_divergence_ends_with_status_4(config, tmp_path, capsys):
    options = ["--out", str(tmp_path / "d"), "--set", "network.cost={type='Quadratic', activation='Identity'}"]
    assert cli.main(["run", config, *options, "--set", "training.optimizer.eta=1e9"]) == 4
    assert "eta" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["params.npz", "config.json"])
def test_a_damaged_run_ends_with_status_3(finished, capsys, name):
    data = bytearray((finished / name).read_bytes())
    (finished / name).write_bytes(data[: len(data) // 2])
    fails(capsys, 3, name, "predict", str(finished))
    (finished / name).unlink()
    fails(capsys, 3, name, "predict", str(finished))


def test_params_of_another_shape_are_refused(finished):
    net, cost, params = fnn.load(finished)
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


def test_predict_names_a_missing_run(capsys, tmp_path):
    fails(capsys, 2, "no such folder", "predict", str(tmp_path / "none"))


def test_save_and_load_of_a_net_of_ones_own(tmp_path):
    net, cost = (fnn.Dense(3), Swish(), fnn.Maxout(2)), fnn.LogLikelihood()
    params = fnn.init(net, jax.random.key(0), (4,))
    fnn.save(tmp_path / "net", net, cost, params, (4,))
    assert fnn.load(tmp_path / "net", dict(TYPES) | {"Swish": Swish})[:2] == (net, cost)
    with pytest.raises(fnn.InputError, match="unknown layer 'Swish'"):
        fnn.load(tmp_path / "net")
    with pytest.raises(ValueError, match="params do not fit"):
        fnn.save(tmp_path / "net", net, cost, params, (5,))


def test_a_class_of_ones_own_on_the_command_line(config, tmp_path, capsys, monkeypatch):
    (tmp_path / "mine.py").write_text("import fnn\n\n\n@fnn.static\nclass Twice(fnn.Sigmoid):\n    pass\n")
    monkeypatch.chdir(tmp_path)
    options = ["--out", str(tmp_path / "r"), "--set", "network.layers.1.type=Twice"]
    fails(capsys, 2, "unknown layer 'Twice'", "run", config, *options)
    assert cli.main(["run", config, *options, "--type", "mine:Twice"]) == 0
    capsys.readouterr()
    fails(capsys, 2, "--type mine:Thrice", "run", config, *options, "--type", "mine:Thrice")


def test_data_lists_its_sources(capsys):
    assert cli.main(["data"]) == 0
    assert {"digits", "mnist", "xor"} <= {line.split(" ")[0] for line in capsys.readouterr().out.splitlines()}
    assert cli.main(["data", "digits"]) == 0
    assert "CC BY 4.0" in capsys.readouterr().out
    fails(capsys, 2, "did you mean 'digits'", "data", "digit")


def test_the_command_line_answers_without_jax():
    code = "import sys, fnn.cli; fnn.cli.parser().format_help(); assert not {'jax', 'numpy'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)  # noqa: S603 (our own interpreter)


def test_the_version(capsys):
    with pytest.raises(SystemExit) as caught:
        cli.main(["--version"])
    assert caught.value.code == 0
    assert capsys.readouterr().out == f"fnn {fnn.__version__}\n"


def test_without_matplotlib_a_line_says_how_to_get_it(config, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(curves, "available", lambda: False)
    assert cli.main(["run", config, "--out", str(tmp_path / "r")]) == 0
    assert "pip install 'fnn[plots]'" in capsys.readouterr().out


@pytest.mark.skipif(not os.environ.get("FNN_DATA_DIR"), reason="needs MNIST: set FNN_DATA_DIR to its folder")
def test_thirty_sigmoid_neurons_read_mnist(tmp_path, capsys):
    path = tmp_path / "m.toml"
    path.write_text(GOOD.replace("digits", "mnist").replace("test = 300", "").replace("units = 5", "units = 30"))
    assert cli.main(["run", str(path), "--out", str(tmp_path / "r")]) == 0
    last = json.loads(next((tmp_path / "r").glob("*/metrics.jsonl")).read_text().splitlines()[-1])
    assert last["test_accuracy"] > 0.91


def test_a_folder_that_leads_nowhere_is_refused(config, tmp_path, capsys):
    (tmp_path / "runs").symlink_to(tmp_path / "gone" / "away")
    fails(capsys, 2, "expected a writable folder", "run", config, "--out", str(tmp_path / "runs"))


def test_a_config_that_changes_meanwhile_is_kept_as_it_was_read(config, tmp_path, capsys, monkeypatch):
    def then_changed(path, config, real=run.prepared_for):
        (tmp_path / "good.toml").unlink()
        return real(path, config)

    monkeypatch.setattr(run, "prepared_for", then_changed)
    (tmp_path / "good.toml").write_bytes(GOOD.replace("\n", "\r\n").encode())
    assert cli.main(["run", config, "--out", str(tmp_path / "runs")]) == 0
    assert (next((tmp_path / "runs").iterdir()) / "config.toml").read_bytes() == GOOD.replace("\n", "\r\n").encode()


def test_a_reader_who_has_seen_enough_is_no_full_disk(config, tmp_path):
    arguments = ["run", config, "--out", str(tmp_path / "runs"), "--set", "training.epochs=200"]
    command = [sys.executable, "-c", f"import sys; from fnn import cli; sys.exit(cli.main({arguments}))"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:  # noqa: S603 (our own interpreter)
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == ""
    assert process.returncode == 141


@pytest.mark.parametrize("sd", [[], [1.0, 1.0]])
def test_units_of_another_number_of_inputs_are_a_corrupt_file(finished, capsys, sd):
    about = json.loads((finished / "config.json").read_text())
    about["inputs"]["sd"] = sd
    (finished / "config.json").write_text(json.dumps(about))
    fails(capsys, 3, "inputs.mean and inputs.sd have shapes", "predict", str(finished))
