"""A training is followed: its epochs come once each, and the watching ends with it."""

import json
import os
import signal
import types

import pytest

from fnn import cli
from fnn.cli import watch
from fnn.errors import DivergedError
from fnn.runs.endings import noted
from fnn.storage.locks import locked
from tests.helpers.run_folders import config, lines, results, run, sweep, write
from tests.helpers.support import fails


@pytest.fixture
def watched(capsys, monkeypatch):
    """The status and the output of `fnn watch`, while the steps happen, one between each two looks."""

    def watching(folder, *steps):
        left = iter(steps)

        def sleep(_):
            step = next(left)
            step()

        monkeypatch.setattr(watch, "time", types.SimpleNamespace(sleep=sleep))
        monkeypatch.setenv("COLUMNS", "80")
        status = cli.main(["watch", str(folder)])
        assert next(left, None) is None
        printed = capsys.readouterr()
        assert all(len(line) < 80 for line in printed.out.splitlines() if "/" in line.split("  ")[0])
        return status, printed.out.splitlines(), printed.err

    return watching


def metrics(folder, count):
    write(folder / "metrics.jsonl", "".join(f"{json.dumps(line)}\n" for line in lines(count)))


def test_a_finished_run_is_told_at_once(tmp_path, watched):
    status, out, _ = watched(run(tmp_path / "run", result={"results": results()}))
    assert status == 0
    assert out[0] == "run: finished"
    assert out[1].split()[:4] == ["1/3", "train", "0.5", "75.00%"]
    assert out[4:] == [
        "finished: all 3 epochs are trained; kept: epoch 3",
        "results: validation 80.00%, test 83.33%",
    ]


def test_epochs_are_printed_as_they_come_until_the_run_is_finished(tmp_path, watched):
    folder = run(tmp_path / "run", metrics=[], result=False)
    lock = locked(folder)
    lock.__enter__()

    def finish():
        metrics(folder, 3)
        write(folder / "result.json", {})
        lock.__exit__(None, None, None)

    steps = [lambda: None, lambda: metrics(folder, 1), lambda: None, lambda: metrics(folder, 2), finish]
    status, out, error = watched(folder, *steps)
    assert (status, error) == (0, "")
    assert out[0] == "run: going on"
    assert [line.split("/")[0] for line in out[1:4]] == ["1", "2", "3"]
    assert out[4:] == ["finished: 3 of 3 epochs are trained", "results: validation 86.50%, test 85.50%"]


def test_a_run_that_is_killed_ends_the_watching(tmp_path, watched):
    folder = run(tmp_path / "run", metrics=lines(2), result=False)
    lock = locked(folder)
    lock.__enter__()
    status, out, _ = watched(folder, lambda: lock.__exit__(None, None, None))
    assert status == 0
    assert out[-1] == "stopped after 2 of 3 epochs; fnn run CONFIG --resume goes on with it"


def test_a_run_that_diverges_ends_the_watching_with_its_message(tmp_path, watched):
    folder = run(tmp_path / "run", metrics=[], result=False)
    lock = locked(folder)
    lock.__enter__()

    def diverge():
        with pytest.raises(DivergedError), noted(folder):
            raise DivergedError("epoch 1, step 2 of 9: layer 0 gives inf; a smaller eta.", 1, 2, 0)
        lock.__exit__(None, None, None)

    status, out, _ = watched(folder, diverge)
    assert status == 4
    assert out == ["run: going on", "diverged: epoch 1, step 2 of 9: layer 0 gives inf; a smaller eta."]


def test_a_folder_that_was_just_made_is_waited_for(tmp_path, watched):
    folder = tmp_path / "run"
    folder.mkdir()
    write(folder / "config.toml", "")

    def begin():
        write(folder / "config.json", config())
        metrics(folder, 3)
        write(folder / "result.json", {})

    assert watched(folder, lambda: None, begin)[0] == 0


def test_a_folder_in_which_no_training_begins_is_not_waited_for_long(tmp_path, watched):
    folder = tmp_path / "run"
    folder.mkdir()
    write(folder / "config.toml", "")
    status, _, error = watched(folder, *[lambda: None] * watch.BEGINNING)
    assert status == 2
    assert "its training has never begun" in error


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_watching_politely(tmp_path, watched, number):
    folder = run(tmp_path / "run", metrics=lines(1), result=False)
    with locked(folder):
        status, out, error = watched(folder, lambda: os.kill(os.getpid(), number))
    assert status == 128 + number
    assert len(out) == 2
    assert error == f"fnn: stopped by {number.name}; it was only watched, its training is as it was: {folder}\n"


def test_epochs_that_come_fast_are_thinned_and_that_is_said(tmp_path, watched):
    _, out, _ = watched(run(tmp_path / "run", config(training__epochs=6001), lines(6001)))
    assert out[1] == "of epochs that come fast one in 100 is shown, and the last"
    assert [line.split("/")[0].strip() for line in out[2:-2]] == [*(str(k) for k in range(100, 6001, 100)), "6001"]


def test_numbers_that_are_not_finite_and_parts_that_are_not_there(tmp_path, watched):
    rows = [{"epoch": 1, "train_cost": None}, {"epoch": 2, "train_cost": 0.5}]
    _, out, _ = watched(run(tmp_path / "run", config(training__epochs=2), rows))
    assert out[1:3] == ["1/2  train         -", "2/2  train       0.5"]


@pytest.mark.parametrize("columns", [20, 40, 79, 80, 200])
def test_a_line_fits_the_terminal(columns):
    (row,) = lines(1)
    said = watch.line(row | {"validation_cost": 1.234e-15}, 1000, columns)
    assert len(said) < max(columns, 40)
    assert ("validation" in said) == (columns > 90)


def test_a_sweep_is_followed_by_its_networks(tmp_path, watched):
    folder = sweep(tmp_path / "grid")
    rows = (folder / "sweep.csv").read_text()
    write(folder / "sweep.csv", "".join(rows.splitlines(keepends=True)[:3]))
    (folder / "checkpoints").mkdir()
    lock = locked(folder)
    lock.__enter__()

    def finish():
        write(folder / "sweep.csv", rows)
        (folder / "checkpoints").rmdir()
        lock.__exit__(None, None, None)

    status, out, _ = watched(folder, lambda: None, finish)
    assert status == 0
    assert out[:2] == ["grid: going on, 2 of 4 networks", "grid: finished, 4 networks"]
    assert out[-1] == "at the best point: validation 86.17%, test 85.17%"


def test_what_is_no_run_is_the_users_to_mend(tmp_path, capsys):
    run(tmp_path / "runs" / "old", metrics=lines(1), result=False)
    new = run(tmp_path / "runs" / "new", metrics=lines(1), result=False)
    os.utime(tmp_path / "runs" / "old" / "metrics.jsonl", (1e9, 1e9))
    fails(capsys, 2, f"name one of them: fnn watch {new} (the newest)", "watch", str(tmp_path / "runs"))
    with locked(tmp_path / "runs" / "old"):
        fails(capsys, 2, "runs/old (it is going on)", "watch", str(tmp_path / "runs"))
    fails(capsys, 2, "there is no such folder", "watch", str(tmp_path / "gone"))
    (new / "config.json").write_text("{")
    fails(capsys, 3, "config.json: is not plain JSON", "watch", str(new))
