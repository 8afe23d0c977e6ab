"""The benchmark's case of whole processes: what is timed has reached its result."""

import tomllib

import numpy as np
import pytest

from experiments.benchmark import report, start
from experiments.benchmark.start import FLOOR, Process

PRINTS = Process(FLOOR, ("-c", "print('done')"), "done")
ABSENT = Process("absent", ("-c", "import nothing_of_this_name"), "done")
FAILS = Process("fails", ("-c", "raise SystemExit('no reason')"), "")
OTHER = Process("other", ("-c", "print('test accuracy 94.99%')"), start.WELL)
WHERE = "import os, pathlib; p = pathlib.Path(os.environ['FNN_CACHE']); print(p.exists()); p.mkdir(exist_ok=True)"


def test_what_does_not_reach_its_result_is_left_out_with_a_line(tmp_path):
    rows = start.race([PRINTS, ABSENT, FAILS, OTHER], tmp_path, rounds=2)
    assert [len(row["samples"]) for row in rows] == [len(row["wall"]) for row in rows] == [2, 0, 0, 0]
    assert min(rows[0]["samples"]) > 0
    assert [row["refusal"] for row in rows] == [
        "",
        "not here: ModuleNotFoundError: No module named 'nothing_of_this_name'",
        "ended with status 1: no reason",
        f"does not reach its result: expected {start.WELL!r} in its output, got 'test accuracy 94.99%'",
    ]
    page = report.page(results(rows))
    assert "| absent |  |  |  | not here: " in page
    assert page.count("1.00") == 1


def results(rows):
    machine = {"processor": "abacus", "cores": 2, "awake": False, "devices": ["cpu"], "floor": "", "held": True}
    return {
        "start": {"title": start.TITLE, "rows": rows},
        "cases": [],
        "memory": [],
        "machine": machine,
        "versions": {},
        "images": "",
        "preset": "quick",
    }


def test_a_process_that_fails_later_ends_the_measurement(tmp_path):
    once = f"import pathlib; pathlib.Path({str(tmp_path / 'mark')!r}).mkdir(); print('done')"
    with pytest.raises(RuntimeError, match="^once ended with status 1: FileExistsError"):
        start.race([Process("once", ("-c", once), "done")], tmp_path, rounds=1)


def test_only_a_process_whose_programs_are_kept_finds_them(tmp_path):
    first, later = (Process("", ("-c", WHERE), "", kept) for kept in (False, True))
    found = [start.finished(process, tmp_path)[0].stdout.strip() for process in (first, first, later, later)]
    assert found == ["False", "False", "False", "True"]


def test_cpu_seconds_are_of_the_process_and_not_of_the_clock(tmp_path):
    _, seconds = start.finished(Process("", ("-c", "import time; time.sleep(0.5)"), ""), tmp_path)
    assert seconds.cpu < 0.5 < seconds.wall


def test_the_others_get_the_task_of_the_config(tmp_path):
    pytest.importorskip("matplotlib")
    from experiments.benchmark import digits_task as task

    start.write_parts(tmp_path / "digits.npz")
    arrays = np.load(tmp_path / "digits.npz")
    assert [len(arrays[f"{part}_x"]) for part in task.PARTS] == [1200, 200, 397]
    assert (arrays["train_x"].dtype, arrays["train_x"].min(), arrays["train_x"].max()) == ("float32", 0, 1)
    config = tomllib.loads((start.ROOT / "configs" / "digits.toml").read_text())
    training, (hidden, *_) = config["training"], config["network"]["layers"]
    assert (hidden["units"], training["epochs"], training["batch_size"]) == (task.UNITS, task.EPOCHS, task.BATCH_SIZE)
    assert training["optimizer"] == {"type": "SGD", "eta": task.ETA, "mu": task.MU, "lmbda": task.LMBDA}


@pytest.mark.long
def test_every_command_reaches_its_result(tmp_path):
    start.write_parts(tmp_path / "digits.npz")
    once = [process for process in start.commands(tmp_path) if process.kept]
    refusals = [row["refusal"] for row in start.race(once, tmp_path, rounds=0)]
    assert [refusal for refusal in refusals if refusal and not refusal.startswith("not here: ")] == []
    assert not refusals[0], "matplotlib is here"
