"""A diverged run says so in its folder: what, where and when."""

import datetime

import pytest

from fnn import cli
from fnn.errors import CorruptFileError, DivergedError
from fnn.runs import endings
from fnn.runs.endings import Divergence, divergence, noted
from tests.helpers.configs import SMALL

ERROR = DivergedError("epoch 3, step 12 of 20: layer 2 (Dense) gives inf; a smaller eta.", 3, 12, 2)


def diverge(folder):
    with pytest.raises(DivergedError), noted(folder):
        raise ERROR


def test_what_diverged_where_and_when_is_kept(tmp_path):
    diverge(tmp_path)
    found = divergence(tmp_path)
    assert found[:4] == (3, 12, 2, str(ERROR))
    age = datetime.datetime.now(datetime.UTC) - datetime.datetime.fromisoformat(found.when)
    assert 0 <= age.total_seconds() < 60


def test_a_training_that_goes_well_removes_what_an_earlier_one_said(tmp_path):
    diverge(tmp_path)
    with noted(tmp_path):
        assert divergence(tmp_path) is None
    assert divergence(tmp_path) is None


def test_a_full_disk_hides_no_divergence(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(endings, "write_json", full)
    diverge(tmp_path)


@pytest.mark.parametrize(
    ("step", "layer", "words"),
    [(12, 2, "epoch 3, step 12, layer 2"), (0, 2, "epoch 3, layer 2"), (1200, -1, "epoch 3, step 1,200, the data")],
)
def test_the_place_in_words(step, layer, words):
    assert str(Divergence(3, step, layer, "", "")) == words


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"epoch": "3", "step": 1, "layer": 0, "message": "", "when": ""}'])
def test_a_damaged_file_is_named(tmp_path, text):
    (tmp_path / endings.FILE).write_text(text)
    with pytest.raises(CorruptFileError, match=endings.FILE):
        divergence(tmp_path)


@pytest.mark.long
def test_a_run_that_diverges_says_so_in_its_folder(tmp_path, capsys):
    (tmp_path / "c.toml").write_text(SMALL.replace("eta = 3.0", "eta = 1e30").replace('"Sigmoid"', '"Identity"'))
    assert cli.main(["run", str(tmp_path / "c.toml"), "--out", str(tmp_path / "runs")]) == 4
    found = divergence(next((tmp_path / "runs").iterdir()))
    assert f"fnn: {found.message}\n" == capsys.readouterr().err
    assert found.message.startswith(f"epoch {found.epoch}, step {found.step} ")
