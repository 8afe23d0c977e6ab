"""A project that has moved: its data are found, and told from others."""

import numpy as np
import pytest

from fnn import cli
from tests.helpers.configs import GOOD
from tests.helpers.runs import only
from tests.helpers.support import fails

pytestmark = pytest.mark.usefixtures("slowly")


@pytest.fixture
def project(tmp_path, capsys):
    """`fnn run` of a config with data of its own beside it, in a folder of the name given."""
    rng, old = np.random.default_rng(0), tmp_path / "old"
    (old / "data").mkdir(parents=True)
    np.savez(old / "data" / "mine.npz", x=rng.random((60, 64), np.float32), y=np.arange(60) % 10)
    text = GOOD.replace('source = "digits"', 'source = "data/mine.npz"').replace("validation = 100\n", "")
    (old / "good.toml").write_text(text.replace("test = 300\n", "test = 10\n"))

    def run(name, *options):
        folder = tmp_path / name
        status = cli.main(["run", str(folder / "good.toml"), "--out", str(folder / "runs"), *options])
        return status, *capsys.readouterr()

    return run


@pytest.mark.long
def test_a_project_that_has_moved_is_resumed_where_it_is(project, stop, tmp_path):
    stop(3)
    assert project("old")[0] == 143
    (tmp_path / "old").rename(tmp_path / "new")
    stop(0)
    status, out, error = project("new", "--resume")
    assert (status, error) == (0, "")
    assert "going on after" in out
    folder = only(tmp_path / "new" / "runs")
    assert cli.main(["verify", str(folder)]) == 0
    (tmp_path / "new").rename(tmp_path / "newer")
    assert "nothing to resume" in project("newer", "--resume")[1]
    assert cli.main(["verify", str(only(tmp_path / "newer" / "runs"))]) == 0


def test_a_moved_pair_of_files_is_the_same_data(project, stop, tmp_path):
    data = tmp_path / "old" / "data"
    for name, array in np.load(data / "mine.npz").items():
        np.save(data / f"{name}.npy", array)
    text = (tmp_path / "old" / "good.toml").read_text()
    (tmp_path / "old" / "good.toml").write_text(text.replace('mine.npz"', 'x.npy"\ny = "data/y.npy"'))
    stop(3)
    assert project("old")[0] == 143
    (tmp_path / "old").rename(tmp_path / "new")
    stop(0)
    assert project("new", "--resume")[0] == 0
    only(tmp_path / "new" / "runs")


def test_what_has_changed_is_named_without_the_place_of_the_same_data(project, stop, tmp_path):
    stop(3)
    assert project("old")[0] == 143
    (tmp_path / "old").rename(tmp_path / "new")
    status, _, error = project("new", "--resume", "--set", "training.epochs=7")
    assert status == 2
    assert "its config differs: training.epochs was 2, is 7. Go on" in error


def test_other_data_of_the_same_name_are_another_config(project, stop, tmp_path):
    stop(3)
    assert project("old")[0] == 143
    (tmp_path / "old" / "fold").mkdir()
    arrays = dict(np.load(tmp_path / "old" / "data" / "mine.npz"))
    np.savez(tmp_path / "old" / "fold" / "mine.npz", x=1 - arrays["x"], y=arrays["y"])
    stop(0)
    fold = ("--resume", "--set", f"data.source={tmp_path}/old/fold/mine.npz")
    status, _, error = project("old", *fold)
    assert status == 2
    assert f"data.source was '{tmp_path}/old/data/mine.npz', is '{tmp_path}/old/fold/mine.npz'"[:80] in error
    status, out, _ = project("old", *fold, "--accept-changes")
    assert status == 0
    assert "going on" not in out
    assert len(list((tmp_path / "old" / "runs").iterdir())) == 2


def test_an_unfinished_run_on_data_that_have_changed_is_refused(project, stop, tmp_path):
    stop(3)
    assert project("old")[0] == 143
    path = tmp_path / "old" / "data" / "mine.npz"
    arrays = dict(np.load(path))
    np.savez(path, x=1 - arrays["x"], y=arrays["y"])
    stop(0)
    status, _, error = project("old", "--resume")
    assert status == 2
    assert "began otherwise: environment.data was" in error


def test_a_run_finished_on_other_data_is_not_the_one_to_resume(project, tmp_path):
    assert project("old")[0] == 0
    path = tmp_path / "old" / "data" / "mine.npz"
    arrays = dict(np.load(path))
    np.savez(path, x=1 - arrays["x"], y=arrays["y"])
    status, out, _ = project("old", "--resume")
    assert status == 0
    assert "nothing to resume" not in out
    assert len(list((tmp_path / "old" / "runs").iterdir())) == 2


def test_moved_data_can_be_told_to_verify(project, tmp_path, capsys):
    assert project("old")[0] == 0
    (tmp_path / "old").rename(tmp_path / "new")
    folder = only(tmp_path / "new" / "runs")
    assert cli.main(["verify", str(folder)]) == 2
    missing = f"{folder}/config.json: data: {tmp_path}/old/data/mine.npz: there is no such file"
    assert capsys.readouterr().err == f"fnn: {missing}; if it has moved, write its path there.\n"
    fails(capsys, 2, missing, "predict", str(folder))
    text = (folder / "config.json").read_text()
    (folder / "config.json").write_text(text.replace(f"{tmp_path}/old", f"{tmp_path}/new"))
    assert cli.main(["verify", str(folder)]) == 0
