"""`--resume` with more epochs goes on after a finished run, to the bytes of one longer training, or says why not."""

import json

import numpy as np
import pytest

import fnn
from fnn import cli
from fnn.storage.arrays import read_npz
from tests.helpers.runs import bytes_of, only
from tests.helpers.support import fails

pytestmark = pytest.mark.usefixtures("slowly")

SHORT, LONG = "training.epochs=3", "training.epochs=6"
MOMENTUM = "training.optimizer={type='SGD', eta=9.0, mu=0.9}"
SCHEDULES = {
    "constant": [],
    "halving": ["training.schedule={type='HalveOnPlateau', patience=1}", "data.validation=10"],
    "early stopping": ["training.schedule={type='EarlyStopping', patience=1}", "data.validation=10"],
    "by the training set": ["training.schedule={type='HalveOnPlateau', patience=1}", "data.validation=0"],
    "by the cost": [
        "training.schedule={type='HalveOnPlateau', patience=1}",
        "network.cost={type='Quadratic', activation='Identity'}",
        "network.layers=[{type='Dense', units=1}]",
        "data.source='sine'",
        "data.size=500",
        "training.optimizer={type='SGD', eta=0.9}",
    ],
    "monitored": ["monitor.on=true"],
    "momentum": [MOMENTUM],
    "momentum, halving": [
        MOMENTUM,
        "training.schedule={type='HalveOnPlateau', patience=1}",
        "data.validation=10",
        "monitor.on=true",
    ],
    "momentum, early stopping": [
        MOMENTUM,
        "training.schedule={type='EarlyStopping', patience=2}",
        "data.validation=10",
    ],
}


def folders(tmp_path):
    return sorted((tmp_path / "runs").iterdir(), key=lambda run: (run / "result.json").stat().st_mtime_ns)


@pytest.mark.long
@pytest.mark.parametrize("sets", SCHEDULES.values(), ids=SCHEDULES)
def test_a_finished_run_goes_on_to_the_bytes_of_a_longer_one(sets, run, tmp_path):
    assert run(sets=[*sets, LONG], out="whole")[0] == 0
    assert run(sets=[*sets, SHORT])[0] == 0
    (shorter,) = folders(tmp_path)
    before = bytes_of(shorter)
    status, out, error = run("--resume", sets=[*sets, LONG])
    assert (status, error) == (0, "")
    epochs = len(before[1])
    longer = folders(tmp_path)[1]
    assert out.startswith(f"--resume: going on after {shorter}, which is finished and has fewer epochs\n")
    assert f"going on after {epochs} epochs and 0 steps: {longer}\n" in out
    assert bytes_of(longer) == bytes_of(only(tmp_path / "whole"))
    assert bytes_of(shorter) == before
    assert cli.main(["verify", str(longer)]) == 0
    assert "nothing to resume, this run is finished" in run("--resume", sets=[*sets, LONG])[1]


def test_it_may_be_stopped_and_go_on(run, stop, tmp_path):
    assert run(sets=[LONG], out="whole")[0] == 0
    assert run(sets=[SHORT])[0] == 0
    for k in (1, 4):
        stop(k)
        assert run("--resume", sets=[LONG])[0] == 143
    stop(0)
    assert run("--resume", sets=[LONG])[0] == 0
    assert bytes_of(folders(tmp_path)[1]) == bytes_of(only(tmp_path / "whole"))


def test_a_velocity_is_kept_if_there_is_one(run, tmp_path):
    assert run(sets=[SHORT], out="without")[0] == 0
    assert not (only(tmp_path / "without") / "optimizer.npz").exists()
    assert run(sets=[SHORT, MOMENTUM])[0] == 0
    folder = only(tmp_path / "runs")
    v = read_npz(folder / "optimizer.npz", ["v.0.W", "v.0.b"])
    assert {name: a.shape for name, a in v.items()} == {"v.0.W": (10, 64), "v.0.b": (10,)}
    assert all(np.abs(a).max() > 0 for a in v.values())
    assert (folder / "optimizer.npz").stat().st_size < 1.3 * (folder / "params.npz").stat().st_size
    assert fnn.load(folder).shape == (64,)


def test_a_training_with_momentum_goes_on_twice_and_after_a_stop(run, stop, tmp_path):
    assert run(sets=[LONG, MOMENTUM], out="whole")[0] == 0
    assert run(sets=["training.epochs=2", MOMENTUM])[0] == 0
    assert run("--resume", sets=[SHORT, MOMENTUM])[0] == 0
    stop(4)
    assert run("--resume", "--checkpoint", "0", sets=[LONG, MOMENTUM])[0] == 143
    stop(0)
    assert run("--resume", sets=[LONG, MOMENTUM])[0] == 0
    longest = folders(tmp_path)[-1]
    assert len(folders(tmp_path)) == 3
    assert bytes_of(longest) == bytes_of(only(tmp_path / "whole"))
    for name in ("optimizer.npz", "result.json"):
        assert (longest / name).read_bytes() == (only(tmp_path / "whole") / name).read_bytes()


@pytest.mark.parametrize("damage", [b"", b"half", "another"], ids=str)
def test_a_damaged_velocity_does_not_go_on_and_leaves_no_folder(damage, run, tmp_path):
    assert run(sets=[SHORT, MOMENTUM])[0] == 0
    (shorter,) = folders(tmp_path)
    data = (shorter / "params.npz").read_bytes() if damage == "another" else damage
    (shorter / "optimizer.npz").write_bytes(data)
    status, _, error = run("--resume", sets=[LONG, MOMENTUM])
    assert (status, error.count("\n")) == (3, 1)
    assert f"{shorter / 'optimizer.npz'}: is not what the training wrote" in error
    assert folders(tmp_path) == [shorter]


def test_a_lost_velocity_is_refused_with_the_remedy_and_leaves_no_folder(run, tmp_path):
    assert run(sets=[SHORT, MOMENTUM])[0] == 0
    (only(tmp_path / "runs") / "optimizer.npz").unlink()  # as in a run of before they were kept
    status, _, error = run("--resume", sets=[LONG, MOMENTUM])
    assert status == 2
    assert error == (
        f"fnn: --resume: {only(tmp_path / 'runs')} is finished after 3 epochs, and the velocity of its momentum is not "
        "kept: going on would not give what 6 epochs at once give. Leave --resume out to train all 6 epochs anew.\n"
    )
    assert run("--resume", "--accept-changes", sets=[LONG, MOMENTUM])[0] == 0
    assert len(folders(tmp_path)) == 2


@pytest.mark.parametrize(
    ("sets", "said"),
    [
        (["training.epochs=2"], "training.epochs was 3, is 2"),
        ([LONG, "seed=1"], "seed was 0, is 1"),
        (["training.optimizer.eta=2.0"], "training.optimizer.eta was 3.0, is 2.0"),
    ],
)
def test_another_config_begins_anew_and_says_so(sets, said, run, tmp_path):
    assert run(sets=[SHORT])[0] == 0
    (other,) = folders(tmp_path)
    status, out, _ = run("--resume", sets=sets)
    assert status == 0
    assert (
        f"--resume: no run of this config in {tmp_path / 'runs'}, a new one begins; {other} is finished, but its config"
        in out
    )
    assert said in out


def test_a_first_run_says_that_no_run_can_be_resumed(run, tmp_path):
    status, out, _ = run("--resume")
    assert status == 0
    assert f"--resume: no run of this config in {tmp_path / 'runs'}, a new one begins\n" in out
    assert "--resume: " not in run()[1]


def test_a_changed_environment_is_named_and_refused_unless_accepted(run, tmp_path, capsys):
    assert run(sets=[SHORT])[0] == 0
    (shorter,) = folders(tmp_path)
    path = shorter / "environment.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"cpu": "Z80", "changes": ["an earlier one"]}))
    status, _, error = run("--resume", sets=[LONG])
    assert (status, error.count("\n")) == (2, 1)
    assert "began otherwise: an earlier one; cpu was 'Z80', is " in error
    status, _, error = run("--resume", "--accept-changes", sets=[LONG])
    assert status == 0
    assert "going on under changes: an earlier one; cpu was 'Z80', is " in error
    longer = folders(tmp_path)[1]
    assert len(json.loads((longer / "environment.json").read_text())["changes"]) == 2
    fails(capsys, 2, "it went on under changes", "verify", str(longer))


def test_a_damaged_run_does_not_go_on(run, tmp_path):
    assert run(sets=[SHORT])[0] == 0
    (shorter,) = folders(tmp_path)
    (shorter / "params.npz").write_bytes(b"")
    status, _, error = run("--resume", sets=[LONG])
    assert (status, error.count("\n")) == (3, 1)
    assert str(shorter / "params.npz") in error


def test_the_longest_shorter_run_is_not_another_data_set(run, tmp_path):
    assert run(sets=[SHORT, "data.split_seed=1"])[0] == 0
    out = run("--resume", sets=[LONG])[1]
    assert "going on after" not in out
