"""`fnn run` as a user meets it: what it needs, and how it ends."""

import io
import json
import os
import subprocess
import sys

import pytest

from fnn import cli
from fnn.cli import run
from tests.helpers.configs import GOOD
from tests.helpers.support import fails


def test_divergence_ends_with_status_4(config, tmp_path, capsys):
    options = ["--out", str(tmp_path / "d"), "--set", "network.cost={type='Quadratic', activation='Identity'}"]
    assert cli.main(["run", config, *options, "--set", "training.optimizer.eta=1e9"]) == 4
    assert "eta" in capsys.readouterr().err


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
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == ""
    assert process.returncode == 141


@pytest.mark.usefixtures("no_pictures")
@pytest.mark.parametrize("streams", [{"stdout": None}, {"encoding": "ascii"}], ids=["closed", "ascii"])
def test_a_run_does_not_depend_on_what_can_be_told(streams, config, tmp_path, monkeypatch):
    out = io.TextIOWrapper(io.BytesIO(), streams["encoding"]) if "encoding" in streams else None
    monkeypatch.setattr(sys, "stdout", out)
    folder = tmp_path / "é"
    assert cli.main(["run", config, "--out", str(folder)]) == 0
    assert (next(folder.iterdir()) / "result.json").exists()
    if out is not None:
        out.seek(0)
        assert "\\xe9" in out.read()
