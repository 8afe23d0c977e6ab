"""The list of runs, as a person sees it."""

import time

import pytest

from fnn import cli
from fnn.cli.text_width import cut, cut_inside, padded, width
from fnn.errors import DivergedError
from fnn.runs.endings import noted
from tests.helpers.run_folders import config, lines, results, run, sweep
from tests.helpers.support import fails


@pytest.fixture
def said(capsys, monkeypatch):
    """What `fnn runs` prints, by line, in so many columns."""

    def printed(folder, columns=80):
        monkeypatch.setenv("COLUMNS", str(columns))
        assert cli.main(["runs", str(folder)]) == 0
        out = capsys.readouterr().out.splitlines()
        assert max(map(width, out)) <= columns
        return out

    return printed


def test_a_line_per_run_with_what_differs_its_results_and_its_state(tmp_path, said):
    run(tmp_path / "digits-1", config(training__optimizer__eta=0.1), result={"results": results()})
    run(tmp_path / "digits-2", config(training__optimizer__eta=3.0), metrics=lines(2), result=False)
    out = said(tmp_path)
    assert out[0].split() == ["run", "eta", "epochs", "validation", "test", "state"]
    rows = {line.split()[0]: line.split()[1:] for line in out[1:3]}
    assert rows["digits-1"] == ["0.1", "3/3", "80.00%", "83.33%", "finished"]
    assert rows["digits-2"] == ["3.0", "2/3", "82.34%", "81.34%", "stopped"]
    assert len(out) == 3


def test_a_link_has_its_own_name_and_a_folder_called_by_dots_the_name_that_it_has(tmp_path, said, monkeypatch):
    run(tmp_path / "runs" / "first")
    (tmp_path / "runs" / "best").symlink_to("first")
    assert sorted(line.split()[0] for line in said(tmp_path / "runs")[1:]) == ["best", "first"]
    monkeypatch.chdir(tmp_path / "runs" / "first")
    assert said(".")[1].split()[0] == "first"


def test_runs_that_do_not_differ_have_no_settings(tmp_path, said):
    run(tmp_path / "a")
    run(tmp_path / "b")
    assert said(tmp_path)[0].split() == ["run", "epochs", "validation", "test", "state"]


def test_a_diverged_run_says_where(tmp_path, said):
    folder = run(tmp_path / "wild", config(training__optimizer__eta=1e30), [], False)
    with pytest.raises(DivergedError), noted(folder):
        raise DivergedError("...", 1, 12, 2)
    assert said(tmp_path)[1].endswith("diverged: epoch 1, step 12, layer 2")
    run(tmp_path / "a_name_of_thirty_characters-1a2b3c4d", config(seed=7))
    assert [line for line in said(tmp_path) if line.endswith("diverged, epoch 1")]
    assert [line for line in said(tmp_path, 200) if line.endswith("diverged: epoch 1, step 12, layer 2")]


def test_costs_are_told_from_accuracies(tmp_path, said):
    metrics = [{"epoch": 1, "train_cost": 0.1, "validation_cost": 0.00512, "seconds": 0.1}]
    run(tmp_path / "regression", metrics=metrics)
    out = said(tmp_path)
    assert out[1].split() == ["regression", "1/3", "0.00512", "finished"]
    assert "cost" in out[2]
    assert "test" not in out[0].split()


def test_numbers_that_are_not_finite_say_so(tmp_path, said):
    run(tmp_path / "a", metrics=[{"epoch": 1, "validation_cost": None, "test_cost": 10**400}])
    assert said(tmp_path)[1].count("not finite") == 2


def test_a_sweep_has_a_line(tmp_path, said):
    sweep(tmp_path / "sweep", diverged=(0,))
    run(tmp_path / "run")
    (line,) = [line for line in said(tmp_path, 120) if line.startswith("sweep")]
    assert line.split("  ")[-1].strip() == "finished, 4 networks, 1 diverged"
    assert "0.1 | 1.0" in line


def test_what_is_no_run_has_one_line_too(tmp_path, said):
    run(tmp_path / "good")
    (tmp_path / "empty").mkdir()
    run(tmp_path / "broken\x1b[31m")
    (tmp_path / "broken\x1b[31m" / "config.json").write_text("{\n")
    out = said(tmp_path)
    assert len(out) == 4
    assert [line for line in out if line.startswith(r"broken\x1b[31m  config.json: is not plain JSON")]


def test_long_names_are_cut_inside_and_settings_that_do_not_fit_are_named(tmp_path, said):
    for i in range(2):
        table = config(seed=i, training__batch_size=10 + i, data__source=f"/home/me/{'x' * 30}{i}.csv", data__test=i)
        run(tmp_path / f"{'a_long_name_' * 4}-1a2b3c4{i}", table)
    out = said(tmp_path)
    assert "-1a2b3c40" in "".join(out)
    assert "they also differ in" in " ".join(out)
    wide = said(tmp_path, 200)
    assert {"batch_size", "source", "test", "seed"} <= set(wide[0].split())
    assert len(wide) == 3


@pytest.mark.parametrize("columns", [20, 40, 60, 80, 133])
def test_it_fits_every_terminal(tmp_path, said, columns):
    sweep(tmp_path / "sweep-1a2b3c4d")
    for i in range(3):
        run(tmp_path / f"digits-1a2b3c4{i}", config(seed=i, training__optimizer__eta=float(i), data__test=i))
    run(tmp_path / "漢字漢字漢字漢字漢字漢字漢字漢字漢字")
    (tmp_path / "nothing").mkdir()
    said(tmp_path, columns)


def test_five_hundred_runs_take_a_moment(tmp_path, said):
    for i in range(500):
        run(tmp_path / f"run-{i}", config(seed=i))
    began = time.process_time()
    assert len(said(tmp_path)) == 501
    assert time.process_time() - began < 3


def test_an_empty_folder_and_a_missing_one(tmp_path, said, capsys):
    assert said(tmp_path, 400) == [f"no runs in {tmp_path}; fnn run CONFIG --out {tmp_path} makes one"]
    fails(capsys, 2, "there is no such folder", "runs", str(tmp_path / "gone"))


def test_the_default_is_the_folder_that_fnn_run_makes(tmp_path, monkeypatch, capsys):
    run(tmp_path / "runs" / "digits-1")
    monkeypatch.chdir(tmp_path)
    assert cli.main(["runs"]) == 0
    assert "digits-1" in capsys.readouterr().out


def test_texts_in_columns():
    assert (width("ab"), width("漢"), width("e\u0301")) == (2, 4 - 2, 1)
    assert padded("漢", 4) == "漢  "
    assert padded("a", 3, right=True) == "  a"
    assert cut("abcdef", 5) == "abc.."
    assert cut_inside("abcdefghijklmn-1a2b3c4d-12", 24) == "abcdefghij..-1a2b3c4d-12"
