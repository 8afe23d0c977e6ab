"""Runs and sweeps side by side: what is on the page, what is skipped, and that it is one file that loads nothing."""

import base64
import hashlib
import html
import json
import re
import shutil
from html.parser import HTMLParser

import pytest

from fnn import cli
from fnn.errors import DivergedError
from fnn.pages.runs_page import IN_DETAIL, OF_SEVERAL
from fnn.plots import curves
from fnn.runs.endings import noted
from tests.helpers.configs import SMALL
from tests.helpers.run_folders import config, lines, results, run, sweep, write
from tests.helpers.support import fails


@pytest.fixture
def said(tmp_path, capsys):
    """The page as text, after a report that succeeds, and what it says on stdout and stderr."""

    def reported(*folders):
        assert cli.main(["report", *map(str, folders), "--out", str(tmp_path / "report")]) == 0
        return (tmp_path / "report" / "report.html").read_text(encoding="utf-8"), capsys.readouterr()

    return reported


def cells(page, name="Runs"):
    """The rows of a table of the page, by the text of their first cell; the names of the columns by ""."""
    inner = re.search(rf'aria-label="{name}".*?</table>', page, re.DOTALL)[0]
    rows = [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row) for row in re.findall(r"<tr>(.*?)</tr>", inner)]
    texts = [[html.unescape(re.sub("<.*?>", "", cell)) for cell in row] for row in rows]
    return {"": texts[0]} | {row[0]: dict(zip(texts[0], row, strict=True)) for row in texts[1:]}


def test_runs_are_rows_with_the_settings_that_differ_the_best_by_validation_first(tmp_path, said):
    run(tmp_path / "runs" / "slow", config(training__optimizer__eta=0.1), lines(3, worse=0.3), {"results": results()})
    run(tmp_path / "runs" / "fast", config(training__optimizer__eta=3.0))
    page, printed = said(tmp_path / "runs")
    table = cells(page)
    assert list(table)[1:] == ["fast", "slow"]
    assert table[""][:3] == ["run", "eta", "validation accuracy"]
    assert "batch_size" not in table[""]
    assert table["fast"]["test accuracy"] == f"{lines(3)[-1]['test_accuracy']:.2%}"
    assert table["slow"]["test accuracy"] == "83.33%"
    assert table["slow"]["largest class"] == "55.56%"
    assert table["slow"]["kept epoch"] == "3"
    assert table["fast"]["kept epoch"] == ""
    assert printed.out.splitlines()[-1] == f"page: {tmp_path / 'report' / 'report.html'}"
    assert not printed.err


def test_curves_are_named_by_what_differs(tmp_path, said):
    for eta in (0.1, 3.0):
        run(tmp_path / "runs" / f"run-{eta}", config(training__optimizer__eta=eta))
    run(tmp_path / "runs" / "again", config(training__optimizer__eta=3.0))
    page, _ = said(tmp_path / "runs")
    assert {"eta 0.1", "eta 3.0 (run-3.0)", "eta 3.0 (again)"} <= set(re.findall(r"</svg>([^<]*)</li>", page))
    assert len(re.findall(r"<figcaption>(training|validation) (?:cost|accuracy)</figcaption>", page)) == 4


def test_runs_that_differ_in_much_are_named_and_have_their_results_first(tmp_path, said):
    many = {"seed": 1, "training__batch_size": 3, "training__keep": "best", "data__test": 2, "data__validation": 7}
    run(tmp_path / "runs" / "one", config(**many))
    run(tmp_path / "runs" / "two")
    page, _ = said(tmp_path / "runs")
    assert {"one", "two"} <= set(re.findall(r"</svg>([^<]*)</li>", page))
    heads = cells(page)[""]
    assert heads.index("validation accuracy") == 5
    assert heads[-1] == "seed"


def test_what_is_not_comparable_is_said(tmp_path, said):
    run(tmp_path / "runs" / "one")
    other = run(tmp_path / "runs" / "two", config(network__cost={"type": "CrossEntropy"}))
    assert "differ in their cost" in said(tmp_path / "runs")[0]
    write(other / "environment.json", {"data": "d2"})
    page, _ = said(tmp_path / "runs")
    assert "differ in their data" in page
    assert "differ in their" not in said(tmp_path / "runs" / "one")[0]


def test_results_of_classes_quantities_and_truth_tables(tmp_path, said):
    quantities = {"n": 9, "cost": 0.1, "outputs": [{"name": "price", "rmse": 0.25, "r2": None, "sd": 1.5}]}
    rows = [{"x": [0, 1], "y": [1], "a": [0.987], "decided": "1"}]
    truth = {"n": 1, "cost": 0.1, "accuracy": 1.0, "rows": rows}
    run(tmp_path / "runs" / "classes", result={"results": results()})
    run(tmp_path / "runs" / "house", result={"results": results(parts={"test": quantities}, mistakes=[])})
    run(tmp_path / "runs" / "xor", result={"results": results(parts={"train": truth}, mistakes=[])})
    page, _ = said(tmp_path / "runs")
    assert cells(page, "Each class: test data, 18 rows")["2"] == {
        "class": "2",
        "rows": "0",
        "recall": "",
        "precision": "",
    }
    assert re.search(r'<tr><th scope="row">1<td class=w1>2<td class=r4>8<td>0', page)
    assert (
        cells(page, "Each output in its own units: test data, 9 rows; RMSE is the root of the mean squared error")[
            "price"
        ]["R²"]
        == ""
    )
    assert cells(page)["house"]["RMSE"] == "0.25"
    assert cells(page, "All rows")["0 1"]["output a"] == "0.987"
    table = cells(page, "The 2 surest mistakes on the test data; rows as fnn predict numbers them, from 0")
    assert table["17"] == {"row": "17", "is": "1", "decided": "0", "how sure": "99.9%"}


def test_what_cannot_be_compared_is_skipped_with_a_line_and_named_on_the_page(tmp_path, said):
    folder = tmp_path / "runs"
    run(folder / "good")
    (folder / "empty").mkdir()
    run(folder / "begun", metrics=[], result=False)
    (run(folder / "broken") / "config.json").write_text("{")
    (run(folder / "changed") / "metrics.jsonl").write_text('{"epoch": 1}\n')
    write(folder / "changed" / "result.json", {"metrics.jsonl without seconds": "0" * 64})
    page, printed = said(folder)
    errors = printed.err.splitlines()
    assert len(errors) == 4
    assert all(line.startswith("fnn: skipped: ") for line in errors)
    for words in ("is empty: no run", "no epoch is finished", "not plain JSON", "is not what the training wrote"):
        assert words in printed.err
        assert words in page
    assert list(cells(page, "Results"))


def test_runs_that_are_not_finished_are_shown_as_far_as_they_are(tmp_path, said):
    run(tmp_path / "runs" / "stopped", metrics=lines(2), result=False)
    wild = run(tmp_path / "runs" / "wild", metrics=[], result=False)
    with pytest.raises(DivergedError), noted(wild):
        raise DivergedError("...", 1, 7, 2)
    table = cells(said(tmp_path / "runs")[0])
    assert (table["stopped"]["state"], table["stopped"]["epochs"]) == ("stopped", "2/3")
    assert (table["wild"]["state"], table["wild"]["test cost"]) == ("diverged: epoch 1, step 7, layer 2", "")


def test_several_folders_and_runs_each_once(tmp_path, said):
    run(tmp_path / "a" / "one")
    run(tmp_path / "b" / "one")
    page, _ = said(tmp_path / "a", tmp_path / "b", tmp_path / "a" / "one")
    assert set(cells(page)) == {"", str(tmp_path / "a" / "one"), str(tmp_path / "b" / "one")}


def test_a_single_run_has_its_settings_and_all_its_parts(tmp_path, said):
    page, _ = said(run(tmp_path / "run", result={"results": results()}))
    assert cells(page, "Settings")["network.layers"]["value"] == "20 ReLU 3"
    assert re.findall(r"</svg>([^<]*)</li>", page) == ["training", "validation", "test"]
    assert "best epoch by validation: 2" in page


def test_a_sweep_shows_its_points_the_best_a_heat_map_and_bands(tmp_path, said):
    folder = sweep(tmp_path / "grid", etas=(0.1, 1.0), lmbdas=(0.0, 0.01), diverged=(0,))
    page, printed = said(folder)
    assert "Best by validation accuracy: eta 1, lmbda 0 (mean validation accuracy over 2 seeds: 86.17%)" in page
    table = cells(page, "Points of grid")
    assert table["eta 1, lmbda 0, best"]["validation accuracy, mean"] == "86.17%"
    assert table["eta 0.1, lmbda 0"]["diverged"] == "1"
    assert page.count("<rect") == 5
    assert "eta 0.1, lmbda 0.01: 75.17%" in page
    assert page.count('class="band') == 3  # of two seeds; of the fourth point one network is left
    assert "finished, 8 networks, 1 diverged" in printed.out


def test_a_sweep_that_has_diverged_and_one_of_a_single_number(tmp_path, said):
    assert "Every network has diverged" in said(sweep(tmp_path / "wild", diverged=(0, 1, 2, 3)))[0]
    page, _ = said(sweep(tmp_path / "one", etas=(0.1, 1.0, 10.0), seeds=1))
    assert "<rect" not in page
    assert "Best by validation accuracy: eta 1 (" in page


def test_runs_and_sweeps_share_a_page(tmp_path, said):
    run(tmp_path / "runs" / "one")
    sweep(tmp_path / "runs" / "grid")
    page, _ = said(tmp_path / "runs")
    assert "<h1>one and grid</h1>" in page
    assert "<h2>grid: a sweep</h2>" in page
    sweep(tmp_path / "runs" / "other")
    assert "<h1>1 run and 2 sweeps</h1>" in said(tmp_path / "runs")[0]


NASTY = "<script>alert(1)</script>\"'&\x1b[31m\n‮"


class Loads(HTMLParser):
    """What a page would load, run or show outside its own style and script."""

    def __init__(self):
        super().__init__()
        self.found, self.scripts, self.styles, self.inside = [], [], [], ""

    def handle_starttag(self, tag, attributes):
        self.inside = tag
        self.found += [
            (tag, name, value)
            for name, value in attributes
            if name in ("src", "href", "srcset", "action", "data", "style", "poster") or name.startswith("on")
        ]

    def handle_data(self, text):
        if self.inside in ("script", "style"):
            (self.scripts if self.inside == "script" else self.styles).append(text)

    def handle_endtag(self, tag):
        self.inside = ""


@pytest.fixture
def hostile(tmp_path):
    """A folder with a run and a sweep whose texts are all hostile."""
    bad = [{"part": "test", "row": NASTY, "class": NASTY, "decided": NASTY, "sure": 0.5}]
    told = results(stopped=NASTY, mistakes=bad)
    told["parts"]["test"]["classes"][0]["class"] = NASTY
    table = config(data__source=NASTY, training__gradient=NASTY, network__layers=[{"type": NASTY, "units": 3}])
    run(tmp_path / "runs" / "<b>&amp;", table, result={"results": told})
    run(tmp_path / "runs" / "other", config(**{NASTY: 1}, data__label=NASTY))
    sweep(tmp_path / "runs" / "<i>sweep")
    return tmp_path / "runs"


def test_no_text_of_a_file_is_code_and_nothing_is_loaded(hostile, said):
    page, _ = said(hostile)
    loads = Loads()
    loads.feed(page)
    assert len(loads.scripts) == len(loads.styles) == 1
    assert "alert" not in loads.scripts[0]
    assert all(value.startswith(("#", "data:")) for _, _, value in loads.found)
    assert {name for _, name, _ in loads.found} == {"href"}
    assert "\x1b" not in page
    assert "\u202e" not in page
    assert "://" not in page


def test_the_policy_allows_the_page_itself_and_no_more(tmp_path, said):
    page, _ = said(run(tmp_path / "run"))
    (policy,) = re.findall(r'http-equiv="Content-Security-Policy" content="([^"]*)"', page)
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    assert rules["default-src"] == rules["base-uri"] == rules["form-action"] == "'none'"
    assert rules["img-src"] == "data:"
    for tag, rule in (("style", "style-src"), ("script", "script-src")):
        inner = re.search(rf"<{tag}>(.*?)</{tag}>", page, re.DOTALL)[1]
        digest = base64.b64encode(hashlib.sha256(inner.encode()).digest()).decode()
        assert rules[rule] == f"'sha256-{digest}'"


WRONG = [3, {"parts": 3}, {"parts": {"test": {"n": "x"}}}, {"mistakes": {}}, {"kept_epoch": 10**400}]


@pytest.mark.parametrize("said_wrongly", WRONG, ids=[*"abcde"])
def test_results_that_are_none_hide_no_page(tmp_path, said, said_wrongly):
    run(tmp_path / "runs" / "odd", result={"results": said_wrongly})
    run(tmp_path / "runs" / "good")
    assert {"odd", "good"} <= set(cells(said(tmp_path / "runs")[0]))


def test_an_epoch_that_is_no_number_hides_no_curve(tmp_path, said):
    run(tmp_path / "run", metrics=[lines(1)[0] | {"epoch": None}, *lines(3)])
    assert "<path" in said(tmp_path / "run")[0]


def test_many_runs_have_rows_and_the_best_have_curves(tmp_path, said):
    for i in range(40):
        run(tmp_path / "runs" / f"run-{i:02}", config(seed=i), lines(3, worse=i / 1000), {"results": results()})
    page, _ = said(tmp_path / "runs")
    assert len(cells(page)) == 41
    assert "Of the first 14 of the 40 runs" in page
    assert page.count("<h3") == IN_DETAIL
    assert len(page) < 100_000


def test_long_trainings_are_thinned(tmp_path, said):
    page, _ = said(run(tmp_path / "run", config(training__epochs=20_000), lines(20_000)))
    assert len(page) < 30_000
    assert "20,000" in page


@pytest.mark.parametrize(
    ("harm", "status", "words"),
    [
        (lambda run: (run / "result.json").write_text("["), 3, "result.json: is not plain JSON"),
        (lambda run: (run / "metrics.jsonl").unlink(), 3, "metrics.jsonl: cannot be read"),
        (lambda run: (run / "environment.json").unlink(), 3, "environment.json: cannot be read"),
        (lambda run: run.rename(run.with_name("gone")), 2, "no such folder"),
        (lambda run: write(run / "config.json", config(member=1)), 2, "a network of a sweep"),
        (lambda run: ((run / "result.json").unlink(), (run / "metrics.jsonl").unlink()), 2, "no epoch is finished"),
    ],
    ids=["damaged", "no metrics", "no environment", "no run", "a network", "nothing"],
)
def test_the_only_run_that_cannot_be_shown_is_an_error(tmp_path, capsys, harm, status, words):
    folder = run(tmp_path / "run")
    harm(folder)
    fails(capsys, status, words, "report", str(folder), "--out", str(tmp_path / "report"))
    assert not (tmp_path / "report").exists()


def test_folders_without_anything_to_show_are_an_error(tmp_path, capsys):
    (tmp_path / "runs" / "empty").mkdir(parents=True)
    (tmp_path / "runs" / "foreign").mkdir()
    fails(capsys, 2, "none of 2 folders can be shown", "report", str(tmp_path / "runs"))
    fails(capsys, 2, "there is no run", "report", str(tmp_path / "runs" / "empty"))


def test_a_folder_that_cannot_be_made_is_the_users_to_mend(tmp_path, capsys):
    (tmp_path / "report").write_text("a file")
    assert cli.main(["report", str(run(tmp_path / "run")), "--out", str(tmp_path / "report")]) == 2
    assert "name another by --out" in capsys.readouterr().err


@pytest.fixture(scope="module")
def digits(tmp_path_factory):
    """A real run on the digits, and a copy of it that says another eta."""
    folder = tmp_path_factory.mktemp("digits")
    (folder / "c.toml").write_text(SMALL)
    options = ["--set", "training.epochs=1", "--out", str(folder / "runs")]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(curves, "available", lambda: False)
        assert cli.main(["run", str(folder / "c.toml"), *options]) == 0
    (trained,) = (folder / "runs").iterdir()
    shutil.copytree(trained, folder / "runs" / "copy")
    table = json.loads((trained / "config.json").read_text())
    table["training"]["optimizer"]["eta"] = 7.0
    write(folder / "runs" / "copy" / "config.json", table)
    return folder / "runs"


@pytest.mark.long
def test_real_runs_of_digits_show_their_mistakes_as_pictures(digits, said):
    page, printed = said(digits)
    pictures = re.findall(r'<img src="data:image/png;base64,([^"]*)"', page)
    assert len(pictures) == 2 * OF_SEVERAL
    assert all(base64.b64decode(each).startswith(b"\x89PNG\r\n\x1a\n") for each in pictures)
    assert len(page.encode()) < 100_000
    assert not printed.err
    folder = next(digits.iterdir())
    mistakes = json.loads((folder / "result.json").read_text())["results"]["mistakes"]
    assert said(folder)[0].count("<img") == len(mistakes) > OF_SEVERAL


def test_pictures_of_other_data_are_not_shown(digits, said, tmp_path):
    copy = shutil.copytree(digits / "copy", tmp_path / "copy")
    table = json.loads((copy / "environment.json").read_text())
    write(copy / "environment.json", table | {"data": "0" * 64})
    page, _ = said(copy)
    assert "<img" not in page
    assert "how sure" in page


def test_data_that_have_gone_are_told(tmp_path, said):
    table = config(data__source=str(tmp_path / "gone.npz")) | {"shape": [1, 8, 8]}
    page, printed = said(run(tmp_path / "run", table, result={"results": results()}))
    assert "no images of its mistakes" in printed.err
    assert "how sure" in page
