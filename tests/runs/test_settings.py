"""The settings of runs as texts, and those in which they differ."""

import pytest

from fnn.runs.settings import brief, differing, of_sweep, settings, short_names, shorter_paths, text
from tests.helpers.run_folders import config

LAYERS = [{"type": "Dense", "units": 5, "initializer": {"type": "He"}}, {"type": "Conv", "filters": 2, "size": 3}]


def test_nested_entries_have_dotted_names():
    said = settings(config())
    assert said["training.optimizer"] == "SGD"
    assert said["training.optimizer.eta"] == "0.5"
    assert said["network.layers"] == "20 ReLU 3"
    assert said["network.layers.0.initializer"] == "He"
    assert not {"name", "classes", "sweep.eta"} & said.keys()


def test_layers_are_told_in_short():
    assert settings(config(network__layers=LAYERS))["network.layers"] == "5 Conv(2,3)"


def test_only_what_differs_and_what_both_have():
    one, two = settings(config(training__optimizer__eta=1.0)), settings(config(seed=3))
    del two["training.keep"]  # of an earlier version
    assert differing([one, two]) == ["training.optimizer.eta", "seed"]
    assert differing([one]) == differing([]) == []


def test_what_tells_most_comes_first():
    changes = {"training__batch_size": 1, "seed": 3, "network__layers": LAYERS, "data__source": "xor"}
    other = settings(config(training__optimizer__eta=1.0, network__layers__0__initializer={"type": "Zeros"}))
    assert differing([settings(config(**changes)), other]) == [
        "data.source",
        "network.layers",
        "training.optimizer.eta",
        "training.batch_size",
        "network.layers.0.initializer",
        "seed",
    ]


def test_names_are_as_short_as_they_can_be_told_apart():
    names = ["training.optimizer.eta", "seed", "data.seed", "a.0.initializer", "a.2.initializer"]
    expected = ["eta", "seed", "data.seed", "0.initializer", "2.initializer"]
    assert list(short_names(names).values()) == expected


def test_a_swept_number_has_all_its_values():
    said = of_sweep(config(sweep__eta=[0.1, 0.3], sweep__units=[10, 20], sweep__seeds=3, seed=5))
    assert said["training.optimizer.eta"] == "0.1 | 0.3"
    assert said["sweep.units"] == "10 | 20"
    assert said["seed"] == "5 to 7"
    assert of_sweep(config())["seed"] == "0"


def test_paths_lose_their_folders_if_these_tell_nothing():
    assert shorter_paths(["/a/x.csv", "/a/y.csv", ""]) == ["x.csv", "y.csv", ""]
    assert shorter_paths(["/a/x.csv", "/b/x.csv"]) == ["/a/x.csv", "/b/x.csv"]


def test_long_values_are_cut():
    assert brief("a" * 100) == "a" * 58 + ".."
    assert brief("/" + "a" * 100) == ".." + "a" * 58


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("a\x1b[31m\n", r"a\x1b[31m\n"),
        (True, "true"),
        ([1, "b"], "[1, b]"),
        ({"type": "He"}, "{type = He}"),
        ("ä", "ä"),
    ],
)
def test_no_character_hides(value, said):
    assert text(value) == said
