"""The summary of a run fits into 80 columns, and warns of what an accuracy hides."""

import json

import numpy as np
import pytest

import fnn
from fnn import cli
from fnn.cli import run_summary
from fnn.runs import judging
from tests.helpers.configs import GOOD

REST = {"stopped": "all 3 epochs are trained", "epochs": 3, "kept_epoch": 3, "mistakes": []}


def of_classes(names, desired, decided, part="test"):
    """The results of these decisions, as those of a part of the data."""
    desired, decided = np.array(desired), np.array(decided)
    table = judging.counts(judging.Decisions(tuple(names), desired, decided, decided * 1.0))
    right = float(np.float32(np.mean(desired == decided)))
    return REST | {"task": "classes", "parts": {part: {"n": len(desired), "cost": 0.5, "accuracy": right} | table}}


def said(results, columns=()):
    lines = run_summary.lines(json.loads(json.dumps(results)), 1.5, columns)
    assert max(map(len, lines)) <= 79, lines
    return "\n".join(lines)


def test_a_net_that_never_finds_the_rare_class_is_no_better_than_saying_no():
    text = said(of_classes(["no", "yes"], [0] * 85 + [1] * 15, [0] * 100))
    assert "test   100   0.5    85.00%    85.00%  always no\n" in text
    assert "yes    15    0.00%          -  |  15    .\n" in text
    warnings = " ".join(text.partition("warning:")[2].split())
    assert warnings.startswith(
        "the test accuracy of 85.00% is no better than that of always saying 'no', which is right"
    )
    assert warnings.endswith("warning: never found among the test rows: 'yes' (15 rows)")


@pytest.mark.parametrize(
    ("desired", "decided", "warned"),
    [
        ([0, 0, 1], [0, 1, 0], True),  # one third of the rows, which no float32 is
        ([0, 1, 2], [0, 0, 0], True),
        ([0, 0, 1], [0, 0, 1], False),
        ([0, 0, 0], [0, 0, 0], False),  # a part of one class, all of it right
        ([0, 0, 1, 1], [0, 1, 1, 1], False),
    ],
    ids=str,
)
def test_the_baseline_is_compared_by_counts(desired, decided, warned):
    assert ("is no better than" in said(of_classes("abc", desired, decided))) == warned


def test_what_is_best_and_what_is_kept():
    results = of_classes("ab", [0, 1], [0, 1])
    assert "kept     epoch 3, the last\n" in said(results)
    assert "kept     epoch 3, the last, the best by validation\n" in said(results | {"best_epoch": 3})
    assert "kept     epoch 2, the best by validation\n" in said(results | {"best_epoch": 2, "kept_epoch": 2})
    assert 'best by validation: 2 (keep = "best" keeps it)' in said(results | {"best_epoch": 2})


@pytest.mark.parametrize("k", [2, 3, 9, 10, 15, 50, 51, 200])
@pytest.mark.parametrize("name", ["{}", "Iris-versicolor {}", "a name that is longer than any table has room for {}"])
def test_any_number_of_classes_fits_into_eighty_columns(k, name):
    rows = np.arange(3 * k) % k
    text = said(of_classes([name.format(i) for i in range(k)], rows, np.where(rows == 1, 0, rows)))
    assert ("|" in text or "how many of each class" in text) == (k <= 15)
    assert ("with the lowest recall" in text) == (k > 50)
    assert "never found among the test rows: " in text


def test_quantities_have_a_baseline_too():
    a, y = np.array([[1.0], [3.0]]), np.array([[1.0], [5.0]])
    part = {"n": 2, "cost": None, "outputs": judging.errors(("price",), a, y)}
    text = said(REST | {"task": "quantities", "parts": {"train": part}})
    assert "training     2  not finite  1.414         2  0.5000\n" in text
    assert "RMSE in the units of price; the baseline is always saying the mean" in text
    assert "warning" not in text
    several = judging.errors(("u", "v"), np.hstack([a, a]), np.hstack([y, -y]))
    text = said(REST | {"task": "quantities", "parts": {"test": part | {"outputs": several}}})
    assert "u          1.414         2   0.5000\nv          5.831         2  -7.5000\n" in text
    assert "on the test rows no better than always saying the mean: v" in text


@pytest.mark.parametrize(
    ("value", "said"),
    [(13921.4, "13,920"), (9999.0, "9999"), (0.00123456, "0.001235"), (1.5e13, "1.5e+13"), (1e-7, "1e-07"), (0.0, "0")],
)
def test_a_number_of_the_users_units_is_plain(value, said):
    assert run_summary.number(value) == said


def test_a_truth_table_has_all_rows_and_marks_the_wrong_ones():
    rows = [{"x": [i >> 1, i & 1], "y": [0], "a": [0.25], "desired": str(i // 3), "decided": "0"} for i in range(4)]
    part = of_classes("01", [0, 0, 0, 1], [0] * 4, "train")["parts"]["train"] | {"rows": rows}
    text = said(REST | {"task": "truth table", "parts": {"train": part}}, ("p", "q"))
    assert "p  q  |  desired  decided  output\n0  0  |        0        0  0.2500\n" in text
    assert "1  1  |        1        0  0.2500  wrong\n3 of 4 rows right; cost 0.5\nwarning: the training" in text
    wide = [row | {"x": row["x"] * 12} for row in rows]
    assert "\n010101010101010101010101  |" in said(
        REST | {"task": "truth table", "parts": {"train": part | {"rows": wide}}}
    )


@pytest.mark.long
@pytest.mark.usefixtures("no_pictures")
def test_a_run_tells_what_came_out_and_tells_it_again(tmp_path, capsys):
    (tmp_path / "it.toml").write_text(GOOD)
    command = ["run", str(tmp_path / "it.toml"), "--out", str(tmp_path / "runs"), "--set", "training.epochs=1"]
    assert cli.main(command) == 0
    first = capsys.readouterr().out.partition("trained")[2]
    assert (
        "stopped  its one epoch is trained\nkept     epoch 1, the last, the best by validation: accuracy, then cost\n"
        in first
    )
    (folder,) = (tmp_path / "runs").iterdir()
    result = json.loads((folder / "result.json").read_text())
    accuracy = result["results"]["parts"]["test"]["accuracy"]
    assert f"{accuracy:.2%}" in first
    assert fnn.load(folder).classes == tuple(row["class"] for row in result["results"]["parts"]["test"]["classes"])
    assert cli.main([*command, "--resume"]) == 0
    assert capsys.readouterr().out.partition("trained")[2] == first
    del result["results"]  # as before they were kept
    (folder / "result.json").write_text(json.dumps(result))
    assert cli.main([*command, "--resume"]) == 0
    assert capsys.readouterr().out.partition("trained")[2] == first
