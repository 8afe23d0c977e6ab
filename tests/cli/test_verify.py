"""`fnn verify`: a finished run is repeated, and every change of it is seen."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from fnn import cli
from fnn.runs import directory
from fnn.storage.arrays import read_npz, write_npz
from tests.helpers.configs import SMALL
from tests.helpers.support import fails

pytestmark = pytest.mark.usefixtures("no_pictures")


@pytest.fixture
def config(config):
    """The path of a smaller config."""
    Path(config).write_text(SMALL)
    return config


def verify(capsys, run):
    status = cli.main(["verify", str(run)])
    return status, *capsys.readouterr()


def test_verify_repeats_a_run_and_sees_every_change(finished, tmp_path, capsys):
    folder = finished
    status, out, _ = verify(capsys, folder)
    assert status == 0
    assert "the same bytes: params.npz, and metrics.jsonl but for the times" in out
    about, result = json.loads((folder / "config.json").read_text()), json.loads((folder / "result.json").read_text())
    (folder / "config.json").write_text(json.dumps(about | {"seed": 1}))
    status, out, _ = verify(capsys, folder)
    assert status == 1
    assert "differs: epoch 1: train_cost was" in out
    assert "seed was 0, is 1" in out
    for number, what in ((2, "3 epochs were recorded, now there are 2"), (4, "epoch 4: ")):
        (folder / "config.json").write_text(json.dumps(about | {"training": about["training"] | {"epochs": number}}))
        assert f"differs: {what}" in verify(capsys, folder)[1]
    (folder / "config.json").write_text(json.dumps(about))
    before = shutil.copy(folder / "params.npz", tmp_path)
    (folder / "params.npz").write_bytes((folder / "params.npz").read_bytes()[:-1] + b"x")
    assert verify(capsys, folder)[0] == 3
    (folder / "result.json").write_text(json.dumps(result | {"params.npz": "0" * 64}))
    assert "params.npz: is not what the training wrote" in verify(capsys, folder)[2]
    shutil.copy(before, folder / "params.npz")
    arrays = read_npz(before, ("0.W", "0.b"))
    write_npz(folder / "params.npz", arrays | {"0.b": arrays["0.b"] + np.float32(1e-6)})
    (folder / "result.json").write_text(json.dumps(directory.digests(folder)))
    status, out, _ = verify(capsys, folder)
    assert status == 1
    assert "the metrics are the same, params.npz is not" in out
    assert "has no config.json; expected a run directory" in verify(capsys, folder.parent)[2]
    (folder / "result.json").unlink()
    assert "this run is not finished" in verify(capsys, folder)[2]
    assert "no such folder" in verify(capsys, folder / "none")[2]


def test_verify_takes_times_that_are_no_numbers(finished, capsys):
    lines = [json.loads(line) | {"seconds": "long"} for line in (finished / "metrics.jsonl").read_text().splitlines()]
    (finished / "metrics.jsonl").write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    assert cli.main(["verify", str(finished)]) == 0
    table = json.loads((finished / "environment.json").read_text())
    (finished / "environment.json").write_text(json.dumps(table | {"changes": {"jax": "newer"}}))
    fails(capsys, 2, "it went on under changes", "verify", str(finished))


@pytest.mark.long
def test_many_standardised_inputs_can_be_read_again(tmp_path, capsys):
    x = np.random.default_rng(0).random((6, 24_000), np.float32)
    np.savez(tmp_path / "wide.npz", x=x, y=np.arange(6) % 2)
    config = tmp_path / "wide.toml"
    config.write_text(
        "[data]\nsource = 'wide.npz'\nstandardise = true\n[network]\nlayers = [{ type = 'Dense', units = 2 }]\n"
        "cost = 'LogLikelihood'\n[training]\noptimizer = { type = 'SGD', eta = 0.001 }\nbatch_size = 6\nepochs = 1\n"
    )
    assert cli.main(["run", str(config), "--out", str(tmp_path / "out")]) == 0
    assert cli.main(["verify", str(next((tmp_path / "out").iterdir()))]) == 0
    capsys.readouterr()
