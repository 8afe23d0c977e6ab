"""What is in a folder of runs: states, results, and what is no run."""

import os
import subprocess
import sys

import pytest

from fnn.errors import DivergedError, InputError
from fnn.runs import listing, measured
from fnn.runs.endings import noted
from fnn.runs.listing import Entry, Problem, entry, found
from fnn.storage.locks import locked
from tests.helpers.run_folders import config, lines, results, run, sweep, write


def state(folder):
    got = entry(folder)
    assert isinstance(got, Entry), got
    return got.state


def test_a_run_is_finished_or_was_stopped_or_diverged(tmp_path):
    assert state(run(tmp_path / "finished")) == "finished"
    stopped = run(tmp_path / "stopped", metrics=lines(2), result=False)
    assert state(stopped) == "stopped"
    with pytest.raises(DivergedError), noted(stopped):
        raise DivergedError("epoch 3 ...", 3, 12, 1)
    assert (entry(stopped).state, entry(stopped).where) == ("diverged", "epoch 3, step 12, layer 1")
    assert (entry(stopped).epoch, entry(stopped).epochs) == (2, 3)


def test_a_run_that_is_trained_now_is_told_from_one_that_was_killed(tmp_path):
    folder = run(tmp_path / "run", metrics=lines(2), result=False)
    holds = "with locked(sys.argv[1]): print(flush=True), time.sleep(60)"
    code = f"import sys, time; from fnn.storage.locks import locked\n{holds}"
    with subprocess.Popen([sys.executable, "-c", code, str(folder)], stdout=subprocess.PIPE) as training:
        training.stdout.readline()
        assert state(folder) == "going on"
        training.kill()
        training.wait()
    assert (folder / ".lock").exists()
    assert state(folder) == "stopped"


def test_a_run_that_is_resumed_after_it_has_diverged_is_going_on(tmp_path):
    folder = run(tmp_path / "run", metrics=lines(2), result=False)
    with pytest.raises(DivergedError), noted(folder):
        raise DivergedError("epoch 3 ...", 3, 12, 1)
    with locked(folder):
        assert state(folder) == "going on"


def test_without_locks_it_is_not_guessed_whether_a_run_is_trained_now(tmp_path, monkeypatch):
    folder = run(tmp_path / "run", metrics=lines(2), result=False)
    monkeypatch.setattr(listing, "is_locked", lambda _: None)
    assert state(folder) == "not finished"


def test_the_scores_are_those_of_the_params_that_are_kept(tmp_path):
    old, new = run(tmp_path / "old"), run(tmp_path / "new", result={"results": results()})
    assert entry(old).scores["test_accuracy"] == lines(3)[-1]["test_accuracy"]
    assert entry(new).scores["test_accuracy"] == pytest.approx(15 / 18)


def test_the_newest_is_first_and_what_is_no_folder_or_hidden_is_passed_over(tmp_path):
    for i, name in enumerate(("b", "a", "c")):
        run(tmp_path / name)
        os.utime(tmp_path / name / "metrics.jsonl", (1e9 + i, 1e9 + i))
    (tmp_path / "notes.txt").touch()
    (tmp_path / ".ipynb_checkpoints").mkdir()
    (tmp_path / "lost").symlink_to(tmp_path / "gone")
    assert [each.folder.name for each in found(tmp_path)] == ["c", "a", "b"]


def test_a_single_run_is_a_list_of_one(tmp_path):
    folder = run(tmp_path / "run")
    assert found(folder) == [entry(folder)]


def test_what_is_no_folder_of_runs_is_the_users_to_mend(tmp_path):
    (tmp_path / "file").touch()
    for name, words in (("gone", "there is no such folder"), ("file", "is no folder")):
        with pytest.raises(InputError, match=words):
            found(tmp_path / name)


def test_a_sweep_is_its_best_point_by_validation(tmp_path):
    got = entry(sweep(tmp_path / "sweep", etas=(0.1, 1.0), diverged=(0,)))
    assert (got.state, got.networks, got.where) == ("finished", (4, 4), "1 of 4 networks")
    assert got.scores["validation_accuracy"] == pytest.approx((0.8667 + 0.8567) / 2, abs=1e-4)
    assert got.settings["training.optimizer.eta"] == "0.1 | 1.0"
    assert got.settings["seed"] == "0 to 1"


def test_a_sweep_that_is_not_finished_says_how_far_it_is(tmp_path):
    folder = sweep(tmp_path / "sweep")
    (folder / "checkpoints").mkdir()
    assert entry(folder).state == "stopped"
    with locked(folder):
        assert entry(folder).state == "going on"
    (folder / "sweep.csv").unlink()
    assert entry(folder).networks == (0, 4)


def test_a_sweep_whose_networks_have_all_diverged_has_diverged(tmp_path):
    assert entry(sweep(tmp_path / "sweep", diverged=(0, 1, 2, 3))).state == "diverged"


def test_a_long_last_line_is_read_whole(tmp_path, monkeypatch):
    folder = run(tmp_path / "run")
    monkeypatch.setattr(measured, "AT_ONCE", 10)
    assert entry(folder).epoch == 3
    write(folder / "metrics.jsonl", "")
    assert entry(folder).epoch == 0


HARMS = [
    (lambda run: (run / "config.json").write_text("{"), "config.json: is not plain JSON"),
    (lambda run: (run / "config.json").write_text("[1]"), "config.json is not a run's"),
    (lambda run: (run / "config.json").write_bytes(b"\xff\xfe"), "config.json: is not plain JSON"),
    (lambda run: (run / "config.json").unlink(), "no run: it has no config.json"),
    (lambda run: write(run / "config.json", config(training__epochs="x")), "config.json: training.epochs is 'x'"),
    (lambda run: write(run / "config.json", config(training=3)), "config.json is not a run's"),
    (lambda run: write(run / "config.json", config(member={"eta": 1})), "a network of a sweep"),
    (lambda run: (run / "result.json").write_text(""), "result.json: is not plain JSON"),
    (lambda run: (run / "metrics.jsonl").unlink(), "metrics.jsonl: cannot be read (No such file or directory)"),
    (lambda run: (run / "metrics.jsonl").write_text('{"epoch": 1}\n{"epo'), "metrics.jsonl: is not plain JSON"),
    (lambda run: (run / "metrics.jsonl").write_text("3\n"), "metrics.jsonl: has a line that is no table"),
    (lambda run: (run / "metrics.jsonl").write_text('{"epoch": "a"}\n'), "metrics.jsonl: its last line has the epoch"),
    (lambda run: ((run / "metrics.jsonl").unlink(), os.mkfifo(run / "metrics.jsonl")), "is not a plain file"),
    (lambda run: ((run / "config.json").unlink(), (run / "config.json").mkdir()), "config.json: is not a plain file"),
]


@pytest.mark.parametrize(("harm", "words"), HARMS, ids=[words for _, words in HARMS])
def test_what_is_wrong_with_a_folder_is_said(tmp_path, harm, words):
    folder = run(tmp_path / "run")
    harm(folder)
    got = entry(folder)
    assert isinstance(got, Problem)
    assert words in got.what
    assert str(tmp_path) not in got.what
    assert str(folder) in str(got.error)


def test_damaged_results_and_sweeps_are_said(tmp_path):
    run(tmp_path / "odd", result={"results": {"parts": {"test": 3, "validation": {"cost": "x", "accuracy": None}}}})
    assert str(entry(tmp_path / "odd").scores["validation_cost"]) == "nan"
    folder = sweep(tmp_path / "sweep")
    for harm in ("", "network,eta\n1,2\n", "a\n1,2\n", (folder / "sweep.csv").read_text().replace("0,0,", "x,0,", 1)):
        (folder / "sweep.csv").write_text(harm)
        assert "sweep.csv: is no table of a sweep" in entry(folder).what
    sweep(tmp_path / "other")
    write(tmp_path / "other" / "config.json", config(sweep={"eta": 3}))
    assert "is not what fnn run writes" in entry(tmp_path / "other").what


def test_half_written_and_foreign_folders(tmp_path):
    (tmp_path / "empty").mkdir()
    run(tmp_path / "monday" / "one")
    run(tmp_path / "begun")
    for path in (tmp_path / "begun").iterdir():
        if path.name != "config.toml":
            path.unlink()
    (tmp_path / "begun" / ".config.json.tmp-12-ab").touch()
    assert "never begun" in entry(tmp_path / "empty").what
    assert entry(tmp_path / "begun").what.startswith("half-written")
    assert entry(tmp_path / "monday").what == f"a folder with a run in it; list it by fnn runs {tmp_path / 'monday'}"
    with locked(tmp_path / "begun"):
        assert entry(tmp_path / "begun").what.startswith("going on")
    write(tmp_path / "empty" / "config.json", {"network": {}, "shape": [3]})
    (tmp_path / "empty" / "params.npz").touch()
    assert "fnn.save" in entry(tmp_path / "empty").what


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_folder_of_somebody_else(tmp_path):
    folder = run(tmp_path / "run")
    folder.chmod(0)
    try:
        assert "Permission denied" in entry(folder).what
    finally:
        folder.chmod(0o700)


def test_a_list_needs_no_jax():
    code = "import sys, fnn.cli.commands, fnn.cli.runs, fnn.cli.watch; assert not {'jax', 'numpy'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
