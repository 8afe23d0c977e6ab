"""A run that is stopped goes on to the same bytes; a changed one is named; a finished one can be verified."""

import errno
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import jax
import numpy as np
import pytest
from test_config import GOOD

import fnn
from fnn import cli
from fnn.cli import run_pictures
from fnn.config.reading import load_config, short_hash
from fnn.machine.signals import Wish, wishes
from fnn.plots import curves
from fnn.runs import directory, keeper, resuming
from fnn.storage import files
from fnn.storage.arrays import read_npz, write_npz
from fnn.training import epochs, fitting
from tests.helpers.disks import Full
from tests.helpers.support import fails

PLAIN = "training.optimizer={type='SGD', eta=3.0}"
MOMENTUM = "training.optimizer={type='SGD', eta=9.0, mu=0.9, lmbda=1e-4}"
HALVING = "training.schedule={type='HalveOnPlateau', patience=1}"
ARRAYS = ("params.0.W", "params.0.b")
SETTINGS = (
    [PLAIN],
    [MOMENTUM, HALVING, "data.validation=10", "monitor.on=true"],
)  # ten examples: their accuracy is often the same


@pytest.fixture(autouse=True)
def slowly(monkeypatch):
    """No pictures; control comes back after every chunk of training."""
    monkeypatch.setattr(curves, "available", lambda: False)
    monkeypatch.setattr(fitting, "SLICE", 0.0)


@pytest.fixture
def run(tmp_path, capsys):
    """`fnn run` of a small config: the status, what it printed, and the error."""
    config = tmp_path / "good.toml"
    text = GOOD.replace("batch_size = 10", "batch_size = 20").replace("epochs = 2", "epochs = 3")
    config.write_text(text.replace('{ type = "Dense", units = 5 }, { type = "Sigmoid" }, ', ""))

    def run(*options, out="runs", sets=()):
        words = [word for entry in sets for word in ("--set", entry)]
        status = cli.main(["run", str(config), "--out", str(tmp_path / out), *words, *options])
        return status, *capsys.readouterr()

    return run


def only(folder):
    (path,) = folder.iterdir()
    return path


def bytes_of(folder):
    """Params and metrics, without the times."""
    lines = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    return (folder / "params.npz").read_bytes(), [{k: v for k, v in line.items() if k != "seconds"} for line in lines]


@pytest.fixture
def stop(monkeypatch):
    """`stop(k, number)`: the k-th time that a training gives control back it gets the signal; the list of all times."""

    def stop(k, number=signal.SIGTERM):
        calls, call = [], keeper.Keeper.__call__

        def counted(keeper, state):
            calls.append(state)
            if len(calls) == k:
                os.kill(os.getpid(), number)
                deadline = time.monotonic() + 5
                while not keeper.wish.number and time.monotonic() < deadline:
                    time.sleep(0.001)
            call(keeper, state)

        monkeypatch.setattr(keeper.Keeper, "__call__", counted)
        return calls

    return stop


@pytest.mark.parametrize("sets", SETTINGS, ids=["plain", "momentum-l2-halving"])
def test_a_stopped_run_goes_on_to_the_same_bytes(run, stop, tmp_path, sets):
    assert run(out="whole", sets=sets)[0] == 0
    factors = [line["eta_factor"] for line in bytes_of(only(tmp_path / "whole"))[1]]
    assert (len(set(factors)) > 1) == (HALVING in sets)
    for k in np.random.default_rng(3).permutation(range(1, 31))[:10]:
        stop(int(k))
        status, _, error = run(sets=sets)
        assert status == 143
        assert error.count("\n") == 1
        assert "stopped by SIGTERM, saved in" in error
        assert "--resume" in error
        stop(0)
        assert run("--resume", sets=sets)[0] == 0
        assert bytes_of(only(tmp_path / "runs")) == bytes_of(only(tmp_path / "whole"))
        assert not any(path.name.startswith("checkpoints") for path in only(tmp_path / "runs").iterdir())
        shutil.rmtree(tmp_path / "runs")


def test_a_run_that_is_stopped_again_and_again(run, stop, tmp_path):
    assert run(out="whole")[0] == 0
    stop(2, signal.SIGINT)
    assert run()[0] == 130
    for k in (3, 17, 5, 2):
        stop(k, signal.SIGINT)
        assert run("--resume")[0] == 130
    stop(0)
    assert run("--resume")[0] == 0
    assert bytes_of(only(tmp_path / "runs")) == bytes_of(only(tmp_path / "whole"))


def test_a_fresh_process_goes_on_to_the_same_bytes(run, stop, tmp_path):
    assert run(out="whole")[0] == 0
    stop(20)
    assert run()[0] == 143
    arguments = ["run", str(tmp_path / "good.toml"), "--out", str(tmp_path / "runs"), "--resume"]
    code = "import sys; from fnn import cli; from fnn.plots import curves; curves.available = bool; "
    code += "sys.exit(cli.main(sys.argv[1:]))"
    subprocess.run([sys.executable, "-c", code, *arguments], check=True, capture_output=True)  # noqa: S603 (our own)
    assert bytes_of(only(tmp_path / "runs")) == bytes_of(only(tmp_path / "whole"))


def test_resume_begins_what_never_began_and_ends_what_has_ended(run, tmp_path):
    assert run("--resume")[0] == 0
    finished = bytes_of(only(tmp_path / "runs"))
    status, out, _ = run("--resume")
    assert status == 0
    assert "nothing to resume, this run is finished" in out
    assert bytes_of(only(tmp_path / "runs")) == finished


@pytest.fixture
def config(tmp_path):
    (tmp_path / "good.toml").write_text(GOOD)
    return load_config(tmp_path / "good.toml")


def test_the_newest_unfinished_run_goes_on_else_the_newest_finished_one_is_the_answer(config, tmp_path):
    own = [tmp_path / f"good-{short_hash(config)}{suffix}" for suffix in ("-10", "-2", "")]
    for path in own:
        path.mkdir()
    for path in own:
        assert resuming.find(tmp_path, config, "", accept=False) == path
        (path / "result.json").touch()
    assert resuming.find(tmp_path, config, "", accept=False) == own[0]


def test_a_run_of_another_config_that_never_saved_is_no_reason_to_refuse(config, tmp_path):
    (tmp_path / "good-00000000").mkdir()
    assert resuming.find(tmp_path, config, "", accept=False) is None


@pytest.mark.parametrize("seconds", ["nan", "-1"])
def test_a_time_between_checkpoints_that_is_none_is_refused(run, tmp_path, seconds):
    status, _, error = run("--checkpoint", seconds)
    assert status == 2
    assert f"--checkpoint {float(seconds)}: expected a number of seconds, at least 0." in error
    assert not (tmp_path / "runs").exists()


def test_a_signal_after_the_last_epoch_stops_nothing(run, stop, tmp_path):
    times = stop(0)
    assert run()[0] == 0
    stop(len(times))
    assert run(out="again")[0] == 0
    assert bytes_of(only(tmp_path / "again")) == bytes_of(only(tmp_path / "runs"))


def test_a_run_that_died_after_its_last_epoch_has_no_epoch_more(run, tmp_path, monkeypatch):
    def die(path):
        raise OSError(errno.ENOSPC, "dead")

    with monkeypatch.context() as until_then:
        until_then.setattr(directory, "digests", die)
        assert run("--checkpoint", "0")[0] == 2
    trained = bytes_of(only(tmp_path / "runs"))
    assert run("--resume")[0] == 0
    assert bytes_of(only(tmp_path / "runs")) == trained


def test_a_state_whose_cost_overflows_is_not_saved(tmp_path):
    net, examples = (fnn.Dense(1),), fnn.Examples(np.ones((1, 1), np.float32), np.ones((1, 1), np.float32))
    task = fitting.Task(net, fnn.Quadratic(fnn.Identity()), fnn.SGD(1.0), examples, jax.random.key(0), 1, 1)
    keep, (params,) = keeper.Keeper(tmp_path, task, {}, 0.0, Wish()), fnn.init(net, jax.random.key(0), (1,))
    keep(fitting.start(task, (params._replace(b=params.b + 1e30),)))
    assert not list(tmp_path.iterdir())
    keep(fitting.start(task, (params,)))
    assert list(tmp_path.iterdir())


@pytest.fixture
def stopped(run, stop, tmp_path):
    """The directory of a run that was stopped in its second epoch, with two checkpoints."""
    stop(16)
    assert run("--checkpoint", "0")[0] == 143
    stop(0)
    return only(tmp_path / "runs")


def test_a_changed_config_is_named(run, stopped):
    status, _, error = run("--resume", sets=["training.epochs=5", "data.test=200"])
    assert status == 2
    assert "data.test was 300, is 200; training.epochs was 3, is 5" in error
    assert run("--resume", "--accept-changes", sets=["training.epochs=5"])[0] == 0
    assert len(list(stopped.parent.iterdir())) == 2


@pytest.mark.parametrize(("key", "was"), [("cores", 10_000), ("data", "0" * 64), ("cpu", "Z80"), ("XLA_FLAGS", "-x")])
def test_a_changed_environment_is_named_and_refused_unless_accepted(run, stopped, monkeypatch, key, was):
    now = resuming.changes
    monkeypatch.setattr(resuming, "changes", lambda saved, about: now(saved, about | {"environment": {
        **about["environment"], key: was}}))  # fmt: skip
    path = stopped / "environment.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"changes": ["an earlier one"]}))
    status, _, error = run("--resume")
    assert status == 2
    assert f"environment.{key} was" in error
    assert f"is {was!r}" in error
    status, _, error = run("--resume", "--accept-changes")
    assert status == 0
    assert f"going on under changes: environment.{key} was" in error
    earlier, now = json.loads(path.read_text())["changes"]
    assert earlier == "an earlier one"
    assert now.startswith(f"environment.{key} was")
    assert cli.main(["verify", str(stopped)]) == 2


def test_a_damaged_checkpoint_is_named_and_the_one_before_it_goes_on(run, stopped, tmp_path):
    newest = max((stopped / "checkpoints").iterdir())
    data = bytearray((newest / "arrays.npz").read_bytes())
    data[len(data) // 2] ^= 1
    (newest / "arrays.npz").write_bytes(data)
    status, _, error = run("--resume")
    assert status == 0
    assert f"passed over a damaged checkpoint: {newest / 'arrays.npz'}" in error
    assert run(out="whole")[0] == 0
    assert bytes_of(stopped) == bytes_of(only(tmp_path / "whole"))


def test_only_damaged_checkpoints_are_status_3(run, stopped):
    for path in (stopped / "checkpoints").iterdir():
        (path / "manifest.json").unlink()
    status, _, error = run("--resume")
    assert status == 3
    assert error.count("\n") == 1
    assert "manifest.json" in error


def forge(run, change, metrics=None):
    """Every checkpoint of a run again, with another state, and other metrics if they are given."""
    for path in (run / "checkpoints").iterdir():
        state, arrays = json.loads((path / "state.json").read_text()), read_npz(path / "arrays.npz", ARRAYS)
        lines = (path / "metrics.jsonl").read_bytes() if metrics is None else metrics
        keeper.checkpoints.save(
            path.parent, keeper.checkpoints.Checkpoint(int(path.name[5:]), arrays, state | change, lines)
        )


def test_an_epoch_took_what_its_parts_took(run, stopped):
    forge(stopped, {"seconds": 1000.0})
    assert run("--resume")[0] == 0
    seconds = [json.loads(line)["seconds"] for line in (stopped / "metrics.jsonl").read_text().splitlines()]
    assert [s > 1000 for s in seconds] == [False, True, False]


@pytest.mark.parametrize("change", [
    {"epochs": 1.5}, {"epochs": -1}, {"progress": [1]}, {"progress": ["nan", 0, 1]}, {"step": "3"}, {"metrics": "x"},
    {"key": {"data": [0, 0], "kind": "fry"}}, {"epochs": 0},
], ids=str)  # fmt: skip
def test_a_checkpoint_of_something_else_is_refused(run, stopped, change):
    forge(stopped, change, b"[]\n" if "metrics" in change else None)
    status, _, error = run("--resume")
    assert status in (2, 3)
    assert "not the state of a training" in error or "another training" in error


def test_a_checkpoint_where_no_turn_begins_is_refused(run, stopped, monkeypatch):
    monkeypatch.setattr(epochs, "GATHERED", 140)  # turns of 5 mini-batches, not 12, as another version may cut them
    status, _, error = run("--resume")
    assert status == 2
    assert error.count("\n") == 1
    assert "cannot go on after" in error
    assert "another version of fnn" in error
    assert list((stopped / "checkpoints").iterdir())


def test_a_run_has_one_trainer(run, stopped):
    with files.locked(stopped):
        status, _, error = run("--resume")
    assert status == 2
    assert "another process is training here" in error


def test_a_full_disk_is_one_line_and_the_run_goes_on_later(run, tmp_path, monkeypatch):
    assert run(out="whole")[0] == 0
    for n in (30, 100, 170):
        monkeypatch.setattr(files, "os", Full(n))
        status, _, error = run("--checkpoint", "0")
        assert status == 2
        assert error.count("\n") == 1
        assert "cannot be written (No space left on device)" in error
        monkeypatch.setattr(files, "os", os)
        assert run("--resume")[0] == 0
        assert bytes_of(only(tmp_path / "runs")) == bytes_of(only(tmp_path / "whole"))
        shutil.rmtree(tmp_path / "runs")


def test_divergence_is_status_4_and_keeps_the_last_good_checkpoint(run, tmp_path):
    sets = ["network.cost={type='Quadratic', activation='Identity'}", "training.optimizer.eta=4.0"]
    status, _, error = run("--checkpoint", "0", sets=sets)
    assert status == 4
    assert error.count("\n") == 1
    assert "smaller eta" in error
    assert "epoch 1, step" in error
    assert "layer" in error
    kept = sorted((only(tmp_path / "runs") / "checkpoints").iterdir())
    with np.load(kept[-1] / "arrays.npz") as arrays:
        assert all(np.isfinite(arrays[name]).all() for name in arrays)
    assert run("--resume", sets=sets)[::2] == (4, error)


def test_temporaries_of_a_killed_run_are_gone_after_the_next_start(run, stopped):
    for path in (stopped / ".params.npz.tmp-1-ab", stopped / "checkpoints" / ".step-1.tmp-1-ab"):
        path.mkdir()
        (path / "arrays.npz").write_bytes(b"half")
    assert run("--resume")[0] == 0
    assert not list(stopped.rglob("*.tmp-*"))


def verify(capsys, run):
    status = cli.main(["verify", str(run)])
    return status, *capsys.readouterr()


def test_verify_repeats_a_run_and_sees_every_change(run, tmp_path, capsys):
    assert run()[0] == 0
    folder = only(tmp_path / "runs")
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
    (folder / "result.json").unlink()
    assert "this run is not finished" in verify(capsys, folder)[2]
    assert "no such folder" in verify(capsys, folder / "none")[2]


TWICE = """
import hashlib, os, sys, threading, time
from fnn.stopping import wishes
def send():
    for number in (15, 15):
        os.kill(os.getpid(), number)
        time.sleep(0.2)
with wishes() as wish:
    threading.Timer(0.1, send).start()
    hashlib.pbkdf2_hmac("sha256", b"", b"", 200_000_000)  # minutes in compiled code
"""


def test_a_second_signal_ends_the_process_at_once():
    start = time.monotonic()
    command = [sys.executable, "-c", TWICE]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=30)  # noqa: S603 (our own interpreter)
    assert ended.returncode == 143
    assert "ended at once" in ended.stderr
    assert time.monotonic() - start < 5


def test_afterwards_signals_and_open_files_are_as_they_were():
    before, opened = (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)), os.listdir("/dev/fd")
    with wishes() as wish:
        assert signal.getsignal(signal.SIGTERM) != before[1]
        assert not wish.number
    assert signal.set_wakeup_fd(-1) == -1
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before
    assert set(os.listdir("/dev/fd")) <= set(opened)


def test_signals_are_for_the_main_thread_alone():
    def number():
        with wishes() as wish:
            return wish.number

    with ThreadPoolExecutor() as pool:
        assert pool.submit(number).result() == 0


def test_a_finished_run_is_resumed_by_drawing_its_pictures(run, tmp_path, monkeypatch):
    assert run()[0] == 0
    folder = only(tmp_path / "runs")
    assert not list(folder.glob("*.png"))
    monkeypatch.setattr(curves, "available", lambda: True)

    def stopped(*args):
        os.kill(os.getpid(), signal.SIGTERM)

    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(run_pictures, "draw", stopped)
        status, _, error = run("--resume")
    assert status == 143
    assert error == (
        f"fnn: stopped by SIGTERM; the training is finished and kept, --resume draws its pictures: {folder}\n"
    )
    before = bytes_of(folder)
    status, out, _ = run("--resume")
    assert status == 0
    assert f"nothing to resume, this run is finished: {folder}" in out
    assert "pictures: learning.png" in out
    assert (folder / "learning.png").exists()
    assert bytes_of(folder) == before
    metrics = (folder / "metrics.jsonl").read_text()
    (folder / "metrics.jsonl").write_text(metrics.replace('"epoch": 1,', '"epoch": 9,'))
    status, out, _ = run("--resume")
    assert (status, "nothing to resume" in out) == (3, False)


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
    fold = ("--resume", "--set", "data.source=fold/mine.npz")
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
