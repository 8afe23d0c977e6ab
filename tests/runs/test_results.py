"""What came out of a training, in numbers that are counted here another way."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest

import fnn
from fnn.config.reading import load_config
from fnn.runs import judging, metrics, preparing, results
from tests.helpers.configs import SMALL

TABLE = SMALL.replace("digits", "it.csv").replace("batch_size = 18", "batch_size = 4")


def prepared_for(tmp_path, *sets, text=SMALL):
    (tmp_path / "it.toml").write_text(text)
    return preparing.prepare(load_config(tmp_path / "it.toml", ["training.epochs=1", *sets]))


def untrained(tmp_path, *sets, text=SMALL):
    """A prepared config and the results of its initial params, as if they were those of an epoch."""
    prepared = prepared_for(tmp_path, *sets, text=text)
    return prepared, results.of(prepared, [{"train_cost": 1.0}], prepared.params)


def outputs(prepared, params, part):
    config = prepared.config.network
    return np.asarray(fnn.predict(config.layers, config.cost, params, part.rows(slice(None))[0]))


@pytest.fixture(scope="module")
def digits(tmp_path_factory):
    """A prepared config, the line of its only epoch, the params after it, and the results."""
    prepared = prepared_for(tmp_path_factory.mktemp("digits"))
    (last,) = preparing.results(prepared, "backprop")
    line = metrics.line(last)
    return prepared, line, last.params, results.of(prepared, [line], last.params)


@pytest.mark.long
def test_classes_are_counted(digits):
    prepared, line, params, found = digits
    assert json.loads(json.dumps(found)) == found
    assert (found["task"], found["epochs"], found["best_epoch"], found["kept_epoch"]) == ("classes", 1, 1, 1)
    for name, part in zip(("train", "validation", "test"), prepared.data[:3], strict=True):
        table, said, want = found["parts"][name], outputs(prepared, params, part).argmax(axis=1), part.y.argmax(axis=1)
        assert (table["n"], table["cost"]) == (part.n, line[f"{name}_cost"])
        assert table["accuracy"] == line[f"{name}_accuracy"] == pytest.approx(np.mean(said == want))
        assert table["confusion"] == [[int(((want == i) & (said == j)).sum()) for j in range(10)] for i in range(10)]
        shares = [float((want == k).mean()) for k in range(10)]
        assert table["majority"] == {"class": str(int(np.argmax(shares))), "share": max(shares)}
        for k, row in enumerate(table["classes"]):
            assert (row["class"], row["n"]) == (str(k), (want == k).sum())
            assert row["recall"] == (said[want == k] == k).mean()
            assert row["precision"] == (None if k not in said else (want[said == k] == k).mean())


def test_the_mistakes_are_the_wrong_test_rows_the_surest_first(digits, monkeypatch):
    prepared, _, params, found = digits
    test = prepared.data.test
    a = outputs(prepared, params, test)
    wrong = [i for i in range(test.n) if a[i].argmax() != test.y[i].argmax()]
    wrong.sort(key=lambda i: -a[i].max())
    assert [row["row"] for row in found["mistakes"]] == wrong
    first = found["mistakes"][0]
    assert first["part"] == "test"
    assert (first["class"], first["decided"]) == (str(test.y[wrong[0]].argmax()), str(a[wrong[0]].argmax()))
    assert first["sure"] == pytest.approx(a[wrong[0]].max())
    monkeypatch.setattr(results, "MOST_MISTAKES", 5)
    assert results.of(prepared, [digits[1]], params)["mistakes"] == found["mistakes"][:5]


@pytest.mark.parametrize(
    ("keep", "accuracies", "best", "kept"),
    [("best", [0.5, 0.75, 0.75], 2, 2), ("last", [0.5, 0.75, 0.75], 2, 3), ("best", [None, None, None], None, 3)],
)
def test_what_is_measured_is_measured_in_the_kept_epoch(digits, keep, accuracies, best, kept):
    prepared = digits[0]._replace(
        config=replace(digits[0].config, training=replace(digits[0].config.training, keep=keep))
    )
    rows = [
        digits[1] | {"validation_accuracy": a, "validation_cost": None, "test_cost": float(i)}
        for i, a in enumerate(accuracies)
    ]
    found = results.of(prepared, rows, digits[2])
    assert (found.get("best_epoch"), found["kept_epoch"]) == (best, kept)
    assert found["parts"]["test"]["cost"] == kept - 1
    assert found["parts"]["validation"]["accuracy"] == accuracies[kept - 1]


def test_quantities_have_their_error_in_the_units_of_the_user(tmp_path):
    cost = "network.cost={type='Quadratic', activation='Identity'}"
    sets = [cost, "data.source=sine", "data.size=500", "network.layers=[{type='Dense', units=1}]"]
    prepared, found = untrained(tmp_path, *sets)
    test = prepared.data.test
    a, y = outputs(prepared, prepared.params, test).astype(float), test.y.astype(float)
    (output,) = found["parts"]["test"]["outputs"]
    assert (found["task"], found["mistakes"], output["name"]) == ("quantities", [], "y")
    assert output["rmse"] == pytest.approx(np.sqrt(np.mean((a - y) ** 2)))
    assert output["r2"] == pytest.approx(1 - ((a - y) ** 2).sum() / ((y - y.mean()) ** 2).sum())
    assert output["sd"] == pytest.approx(y.std())


def test_errors_where_nothing_varies():
    rows = judging.errors(("a", "b"), np.array([[1.0, 2.0], [3.0, 2.0]]), np.array([[1.0, 0.0], [5.0, 0.0]]))
    assert rows == [
        {"name": "a", "rmse": math.sqrt(2), "r2": 0.5, "sd": 2.0},
        {"name": "b", "rmse": 2.0, "r2": None, "sd": 0.0},
    ]


def test_an_error_that_is_not_finite_is_none():
    (row,) = judging.errors(("a",), np.array([[np.nan], [1.0]]), np.array([[1.0], [5.0]]))
    assert row == {"name": "a", "rmse": None, "r2": None, "sd": 2.0}


def test_all_rows_of_a_truth_table(tmp_path):
    sets = ["data.source=xor", "data.validation=0", "data.test=0", "training.batch_size=4", "network.cost=CrossEntropy"]
    for more in (
        ["network.layers=[{type='Dense', units=2}]"],
        ["network.layers=[{type='Dense', units=1}]", "data.targets=binary"],
    ):
        _, found = untrained(tmp_path, *sets, *more)
        assert found["task"] == "truth table"
        assert "best_epoch" not in found
        rows = found["parts"]["train"]["rows"]
        assert [row["x"] for row in rows] == [[0, 0], [0, 1], [1, 0], [1, 1]]
        assert [row["y"][-1] for row in rows] == [0, 1, 1, 0]
        for row in rows:
            assert row["decided"] == str(int(np.argmax(row["a"]) if len(row["a"]) == 2 else row["a"][0] > 0.5))


def test_a_truth_table_of_the_users_own_is_one_however_it_is_scaled(tmp_path):
    cells = [(i >> 2 & 1, i >> 1 & 1, i & 1) for i in range(8)]
    (tmp_path / "it.csv").write_text("p,q,r,odd\n" + "".join(f"{p},{q},{r},{p ^ q ^ r}\n" for p, q, r in cells))
    sets = ["data.validation=0", "data.test=0", "network.layers.0.units=2"]
    for more in ([], ["data.standardise=true"], ["data.scale=0.5"]):
        _, found = untrained(tmp_path, *sets, *more, text=TABLE)
        assert [tuple(row["x"]) for row in found["parts"]["train"]["rows"]] == cells
    _, held = untrained(tmp_path, "data.validation=0", "data.test=2", "network.layers.0.units=2", text=TABLE)
    assert held["task"] == "classes"


def decided(measure, classes, a, y):
    data = fnn.Dataset(*[None] * 3, classes, (1,))
    return judging.decisions(data, measure, np.array(a, np.float32), np.array(y))


def test_bits_of_no_class_have_a_column_of_their_own():
    a = [[0.9, 0.9], [0.9, 0.2], [0.1, 0.6], [np.nan, 0.0]]
    rows = decided("bits", ("a", "b", "c"), a, [[1, 0], [1, 0], [0, 1], [0, 1]])
    assert rows.decided.tolist() == [-1, 2, 1, -1]
    table = judging.counts(rows)
    assert table["confusion"] == [[0, 0, 0, 0], [0, 1, 0, 1], [0, 0, 1, 1]]
    assert table["classes"][0] == {"class": "a", "n": 0, "recall": None, "precision": None}
    assert table["classes"][2] == {"class": "c", "n": 2, "recall": 0.5, "precision": 1.0}
    made = judging.mistakes(rows, "test", 40)
    assert [(row["row"], row["class"], row["decided"]) for row in made] == [(0, "c", "?"), (3, "b", "?")]
    assert made[0]["sure"] == pytest.approx(0.81)
    assert made[1]["sure"] is None


def test_several_labels_of_a_row_are_counted_one_by_one():
    rows = decided("bits", (), [[0.9, 0.9], [0.9, 0.2], [0.1, 0.6]], [[1, 1], [1, 1], [1, 0]])
    table = judging.counts(rows)
    assert table["majority"] == {"class": "1 1", "share": 2 / 3}
    assert table["classes"] == [
        {"class": "0", "n": 3, "recall": 2 / 3, "precision": 1.0},
        {"class": "1", "n": 2, "recall": 0.5, "precision": 0.5},
    ]
    assert "confusion" not in table
    assert [(m["class"], m["decided"]) for m in judging.mistakes(rows, "test", 40)] == [("1 1", "1 0"), ("1 0", "0 1")]


def test_many_classes_have_no_confusion_matrix():
    y = np.eye(51, dtype=np.uint8)
    assert "confusion" not in judging.counts(decided("classes", (), y, y))
    assert "confusion" in judging.counts(decided("classes", (), y[:50, :50], y[:50, :50]))


@pytest.mark.parametrize(
    ("sets", "costs", "said"),
    [
        ([], [3, 2], "all 2 epochs are trained"),
        (["training.target_cost=2.5"], [3, 2], "the training cost reached target_cost = 2.5 in epoch 2"),
        (
            ["training.schedule={type='EarlyStopping', patience=2}"],
            [3, 2, 2, 4],
            "early stopping: no validation cost below that of epoch 2 in the 2 epochs after it",
        ),
        (
            ["training.schedule={type='EarlyStopping', patience=1}", "data.validation=0"],
            [3, 3],
            "early stopping: no training cost below that of epoch 1 in the epoch after it",
        ),
        (
            ["training.schedule={type='HalveOnPlateau', patience=1, until=2}"],
            [3, 2, 2],
            "HalveOnPlateau: after epoch 3 eta would be halved to eta/2",
        ),
    ],
    ids=lambda value: str(value)[:30],
)
def test_why_it_stopped(sets, costs, said, tmp_path, digits):
    (tmp_path / "it.toml").write_text(SMALL)
    config = load_config(tmp_path / "it.toml", sets)
    data = (
        digits[0].data if config.data.validation else digits[0].data._replace(validation=digits[0].data.test.take([]))
    )
    rows = [{"train_cost": cost, "validation_cost": cost} for cost in costs]
    assert results.stopped(config, data, rows) == said
