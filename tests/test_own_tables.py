"""From a file as people have it to a model that predicts, by three commands and without a look into the source."""

import csv
import io
import json
from contextlib import redirect_stderr, redirect_stdout
from typing import NamedTuple

import numpy as np
import pytest

import fnn
from fnn import cli
from fnn.plots import curves
from tests.helpers import tables
from tests.helpers.runs import only
from tests.helpers.support import unoptimised

pytestmark = pytest.mark.long

TABLES = {
    "customers": (tables.customers, ["customer"], ["contract", "pays_by"], "mean"),
    "flowers": (tables.flowers, [], [], "refuse"),
    "wines": (tables.wines, [], [], "refuse"),
    "houses": (tables.houses, ["Id", "alley"], ["place", "state"], "mean"),
    "temperatures": (tables.temperatures, ["date"], [], "refuse"),
}


class Trained(NamedTuple):
    """What the three commands left."""

    name: str
    file: str
    looked: str
    run: object
    model: fnn.Model
    config: dict
    results: dict


def said(*arguments):
    """What a command prints on stdout; it ends well."""
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        status = cli.main([str(each) for each in arguments])
    assert status == 0, err.getvalue()
    return out.getvalue()


@pytest.fixture(scope="module", autouse=True)
def quickly():
    """Programs that run once are compiled without optimisations."""
    with unoptimised():
        yield


@pytest.fixture(scope="module", params=TABLES)
def trained(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp(request.param)
    file = TABLES[request.param][0](folder / f"{request.param}.csv")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setattr(curves, "available", lambda: False)
        looked = said("data", file)
        (folder / "mine.toml").write_text(said("new", file), encoding="utf-8")
        said("run", "mine.toml")
    run = only(folder / "runs")
    config, result = (json.loads((run / name).read_text()) for name in ("config.json", "result.json"))
    return Trained(request.param, file, looked, run, fnn.load(run), config, result["results"])


def columns_of(trained):
    """The table as a dict of columns, and the label's cells."""
    with open(trained.file, newline="") as file:
        rows = list(csv.DictReader(file))
    return {name: [row[name] for row in rows] for name in rows[0]}


def test_the_columns_are_chosen_from_the_data(trained):
    _, drop, onehot, missing = TABLES[trained.name]
    data = trained.config["data"]
    assert (data["drop"], data["onehot"], data["missing"]) == (drop, onehot, missing)
    assert data["order"] == ("as stored" if trained.name == "temperatures" else "random")
    assert data["standardise"]
    for name in drop:
        assert any(line.startswith(name) and "left out" in line for line in trained.looked.splitlines())


def test_the_model_is_better_than_always_saying_the_same(trained):
    test = trained.results["parts"]["test"]
    if "accuracy" in test:
        assert test["accuracy"] > test["majority"]["share"] + 0.03
        assert all(row["recall"] > 0.4 for row in test["classes"])
    else:
        assert test["outputs"][0]["r2"] > 0.9


def test_what_is_predicted_has_the_names_and_the_units_of_the_user(trained):
    columns = columns_of(trained)
    label = columns.pop(trained.model.label)
    outputs = trained.model.predict(columns)
    if trained.model.classes:
        assert set(trained.model.classes) == set(label)
        right = np.mean([ours == theirs for ours, theirs in zip(trained.model.classes_of(outputs), label, strict=True)])
        assert right > max(map(label.count, label)) / len(label)
    else:
        y = np.array(label, float)
        assert np.sqrt(np.mean((outputs[:, 0] - y) ** 2)) < 0.3 * y.std()


def test_the_command_predicts_the_same(trained):
    table = list(csv.DictReader(io.StringIO(said("predict", trained.run, trained.file))))
    outputs = trained.model.predict(columns_of(trained))
    name = next(name for name in table[0] if name.startswith("output_"))
    np.testing.assert_allclose([float(row[name]) for row in table], outputs[:, 0], rtol=1e-4, atol=1e-5)
    if trained.model.classes:
        assert [row["class"] for row in table] == trained.model.classes_of(outputs)
