"""Finished runs side by side: what came out of each, and what was put in where they differ."""

import json
import re
import shutil
from pathlib import Path
from urllib.parse import unquote

import pytest

from fnn import cli
from fnn.cli.report import Run, entries, results
from fnn.plots import curves
from tests.helpers.support import fails

CONFIG = """
name = "{name}"
[data]
source = "moons"
size = 60
validation = {validation}
[network]
layers = [{{ type = "Dense", units = 3 }}, "Sigmoid", {{ type = "Dense", units = 2 }}]
cost = "LogLikelihood"
[training]
epochs = {epochs}
batch_size = 10
optimizer = {{ type = "SGD", eta = {eta} }}
"""


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Three finished runs, by name: of other epochs, learning rate and validation data, and with one layer more."""
    folder = tmp_path_factory.mktemp("trained")
    usual = {"epochs": 3, "eta": 0.5, "validation": 0}
    texts = {
        "slow": CONFIG.format(name="slow", **usual),
        "fast": CONFIG.format(name="fast", epochs=4, eta=2.0, validation=20),
        "deep": CONFIG.format(name="deep", **usual).replace('"Sigmoid",', '"Sigmoid", { type = "Dense", units = 4 },'),
    }
    for name, text in texts.items():
        (folder / f"{name}.toml").write_text(text)
        assert cli.main(["run", str(folder / f"{name}.toml"), "--out", str(folder)]) == 0
    return {name: next(folder.glob(f"{name}-*")) for name in texts}


@pytest.fixture
def two(trained, tmp_path):
    """Copies of the first two."""
    return [Path(shutil.copytree(trained[name], tmp_path / "runs" / trained[name].name)) for name in ("slow", "fast")]


def said(tmp_path, *runs):
    """The page as text, after a report that succeeds."""
    assert cli.main(["report", *map(str, runs), "--out", str(tmp_path / "report")]) == 0
    return (tmp_path / "report" / "report.md").read_text()


def cells(page):
    """The rows of the page's first table, by their name."""
    rows = re.findall(r"^\| (.*?) *\| (.*) \|$", page.split("\n\n")[1], re.MULTILINE)
    return {name: [cell.strip() for cell in rest.split("|")] for name, rest in rows}


def metrics(run):
    return [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]


def test_results_and_differences(two, tmp_path, capsys):
    page = said(tmp_path, *two)
    rows = cells(page)
    assert rows[""] == [run.name for run in two]
    assert rows["parameters"] == ["17", "17"]
    assert rows["epochs"] == ["3", "4"]
    assert rows["training cost, last epoch"] == [f"{metrics(run)[-1]['train_cost']:.5g}" for run in two]
    assert rows["training accuracy, last epoch"] == [f"{metrics(run)[-1]['train_accuracy']:.2%}" for run in two]
    assert rows["training.optimizer"] == ["SGD(eta=0.5, lmbda=0.0, mu=0.0)", "SGD(eta=2.0, lmbda=0.0, mu=0.0)"]
    assert rows["data.validation"] == ["0", "20"]
    assert not rows.keys() & {"training.batch_size", "layer  0"}  # the same in both
    assert not any(name.startswith(("classes", "inputs")) for name in rows)
    out = capsys.readouterr().out
    assert all(line in out for line in page.splitlines() if line.startswith("| training"))


def test_the_best_epoch_is_chosen_by_validation(two, tmp_path):
    rows, validated = cells(said(tmp_path, *two)), metrics(two[1])
    accuracies = [line["validation_accuracy"] for line in validated]
    assert rows["best epoch by validation"] == ["", str(accuracies.index(max(accuracies)) + 1)]
    assert rows["validation accuracy there"] == ["", f"{max(accuracies):.2%}"]
    assert rows["validation cost, last epoch"] == ["", f"{validated[-1]['validation_cost']:.5g}"]


@pytest.mark.parametrize(("accuracies", "best", "there"), [((0.8, 0.7, 0.8), "1", "10.00%"), ((), "2", "20.00%")])
def test_the_test_accuracy_told_is_that_of_the_first_best_epoch_or_of_the_cheapest(accuracies, best, there):
    lines = [{"test_accuracy": t, "validation_cost": c} for t, c in ((0.1, 0.9), (0.2, 0.5), (0.3, 0.7))]
    for line, accuracy in zip(lines, accuracies, strict=False):
        line["validation_accuracy"] = accuracy
    rows = dict(results([Run(Path("run"), {}, lines, 17)]))
    assert (rows["best epoch by validation"], rows["test accuracy there"]) == (best, there)


def test_a_setting_ends_no_cell_of_the_table():
    assert list(entries({"data": {"source": "a|b.csv"}})) == [("data.source", "a/b.csv")]


@pytest.mark.skipif(not curves.available(), reason="matplotlib is not installed")
def test_the_page_shows_pictures_that_are_there(two, tmp_path):
    shown = re.findall(r"!\[.*?\]\((.*?)\)", said(tmp_path, *two))
    assert [Path(picture).name for picture in shown] == ["curves.png", "learning.png", "learning.png"]
    assert all((tmp_path / "report" / picture).read_bytes().startswith(b"\x89PNG") for picture in shown)


def test_without_matplotlib_there_is_a_page_and_a_remedy(two, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(curves, "available", lambda: False)
    assert "curves.png" not in said(tmp_path, two[0])
    assert curves.MISSING in capsys.readouterr().out


def test_layers_are_told_one_by_one(trained, tmp_path):
    rows = cells(said(tmp_path, trained["slow"], trained["deep"]))
    assert [row for row in rows if row.startswith("layer")] == ["layer  2", "layer  3"]
    assert [cell.partition(",")[0] for cell in rows["layer  2"]] == ["Dense(units=2", "Dense(units=4"]
    assert [cell.partition(",")[0] for cell in rows["layer  3"]] == ["", "Dense(units=2"]


def test_runs_of_one_name_are_told_apart_by_their_folders(two, tmp_path):
    copy = tmp_path / "elsewhere" / two[0].name
    copy.parent.mkdir()
    two[0].rename(copy)
    two[1].rename(two[0])
    assert cells(said(tmp_path, copy, two[0]))[""] == [str(copy), str(two[0])]


def test_a_folder_with_a_name_that_markdown_would_read_has_its_column_and_its_pictures(two, tmp_path):
    odd = two[0].rename(two[0].with_name("a|b <c> (d)"))
    page = said(tmp_path, odd)
    assert list(cells(page)[""]) == ["a/b <c> (d)"]
    shown = re.findall(r"!\[.*?\]\((\S*?)\)", page)
    assert shown
    assert all((tmp_path / "report" / unquote(picture)).exists() for picture in shown)


SWEPT = (("", "is a sweep"), ("networks", "is a sweep"), ("networks/0000", "is a network of a sweep"))


@pytest.mark.parametrize("command", ["report", "verify"])
@pytest.mark.parametrize(("place", "words"), SWEPT)
def test_a_sweep_is_no_run(tmp_path, monkeypatch, capsys, command, place, words):
    (tmp_path / "networks" / "0000").mkdir(parents=True)
    (tmp_path / "config.json").touch()
    monkeypatch.chdir(tmp_path / place)
    fails(capsys, 2, words, command, ".")


def test_a_run_in_a_folder_called_networks_is_a_run(two, tmp_path):
    folder = two[0].rename(tmp_path / "networks")
    (tmp_path / "of" / "mine").mkdir(parents=True)
    said(tmp_path, folder, two[1].rename(tmp_path / "of" / "mine" / "networks"))


@pytest.mark.parametrize(
    ("harm", "status", "words"),
    [
        (lambda run: (run / "result.json").unlink(), 2, "not finished"),
        (
            lambda run: (run / "metrics.jsonl").write_text('{"epoch": 1}\n'),
            3,
            "metrics.jsonl: is not what the training",
        ),
        (lambda run: (run / "metrics.jsonl").unlink(), 3, "metrics.jsonl: cannot be read"),
        (lambda run: (run / "params.npz").unlink(), 3, "params.npz: cannot be read"),
        (lambda run: (run / "environment.json").unlink(), 3, "environment.json: cannot be read"),
        (lambda run: run.rename(run.with_name("gone")), 2, "no such folder"),
    ],
    ids=["unfinished", "changed", "no metrics", "no params", "no environment", "no run"],
)
def test_what_is_no_finished_run_is_named(two, tmp_path, capsys, harm, status, words):
    harm(two[1])
    assert cli.main(["report", *map(str, two), "--out", str(tmp_path / "report")]) == status
    (line,) = capsys.readouterr().err.splitlines()
    assert str(two[1]) in line
    assert words in line
    assert not (tmp_path / "report").exists()


def test_a_folder_that_cannot_be_made_is_the_users_to_mend(two, tmp_path, capsys):
    (tmp_path / "report").write_text("a file")
    assert cli.main(["report", str(two[0]), "--out", str(tmp_path / "report")]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "name another by --out" in line
