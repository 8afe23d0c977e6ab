"""A first config: TOML that says why, and that fits the data for which it was written."""

import tomllib

import numpy as np
import pytest

from fnn.config.proposing import proposal, toml
from fnn.config.reading import load_config
from fnn.config.schema import describe
from fnn.data import sources
from fnn.looking.array_plans import plan_of_source
from fnn.looking.files import looked_at
from fnn.network import shape_out
from tests.helpers import tables
from tests.helpers.data_files import saved

MAKERS = (tables.customers, tables.flowers, tables.wines, tables.houses, tables.temperatures)


def config_for(tmp_path, plan, source):
    """The config, read, and its text."""
    text = proposal(plan, source, "mine", ["A first config"])
    (tmp_path / "mine.toml").write_text(text, encoding="utf-8")
    return load_config(tmp_path / "mine.toml"), text


@pytest.mark.parametrize("maker", MAKERS, ids=lambda maker: maker.__name__)
def test_each_entry_has_its_reason_and_the_net_fits(tmp_path, maker):
    plan = looked_at(maker(tmp_path / "table.csv")).plan
    config, text = config_for(tmp_path, plan, "table.csv")
    lines = text.splitlines()
    for k, line in enumerate(lines):
        if " = " in line and not line.startswith("#"):
            assert "#" in line or lines[k - 1].lstrip().startswith("#"), line
    assert max(map(len, lines)) <= 100
    assert shape_out(config.network.layers, plan.shape) == (plan.n_out,)
    assert config.data.source == str(tmp_path / "table.csv")
    assert config.training.keep == "best"
    chosen = describe(config.data)
    assert {name: chosen[name] for name in plan.entries} == {name: e.value for name, e in plan.entries.items()}


@pytest.mark.parametrize("source", sources(), ids=lambda source: source.name)
def test_a_source_that_fnn_knows_has_one_too(tmp_path, source):
    plan = plan_of_source(source)
    config, _ = config_for(tmp_path, plan, source.name)
    assert config.data.source == source.name
    assert shape_out(config.network.layers, source.shape) == (plan.n_out,)
    assert config.training.batch_size <= source.rows


@pytest.mark.parametrize("shape", [(8, 8), (28, 28), (9, 9), (9, 12), (8, 8, 3), (3, 16, 16), (20, 3)], ids=str)
def test_images_get_filters_that_fit_and_other_shapes_none(tmp_path, shape):
    x = np.zeros((60, *shape), np.uint8)
    x[::2] = 255
    plan = looked_at(saved(tmp_path, x=x, y=np.arange(60) % 3)).plan
    config, text = config_for(tmp_path, plan, "a.npz")
    assert shape_out(config.network.layers, plan.shape) == (3,)
    assert ("ConvPool" in text) == (shape in [(8, 8), (28, 28), (9, 9), (3, 16, 16)])


@pytest.mark.parametrize("value", ['a "b"', "back\\slash", "größe 数", "tab\t", "\x7f", [], ["a", "b,c"], True, 0.5, 3])
def test_a_value_is_what_toml_reads(value):
    assert tomllib.loads(f"value = {toml(value)}")["value"] == value


def test_names_as_people_have_them_are_read_back(tmp_path):
    header = '"a ""quoted"", name",größe,数量,back\\slash,y'
    rows = "".join(f"n{k},{k % 7}.5,{'uv'[k % 2]},{k % 5}.25,{'ab'[k % 2]}\n" for k in range(60))
    (tmp_path / "t.csv").write_text(f"{header}\n{rows}", encoding="utf-8")
    config, _ = config_for(tmp_path, looked_at(str(tmp_path / "t.csv")).plan, "t.csv")
    assert config.data.drop == ('a "quoted", name', "数量")


def test_a_long_list_has_several_lines(tmp_path):
    names = [f"column_number_{k}" for k in range(30)]
    rows = "".join(",".join(["x"] * 30) + f",{k * 7 % 11}.5,{'ab'[k % 2]}\n" for k in range(60))
    (tmp_path / "t.csv").write_text(f"{','.join(names)},z,y\n{rows}")
    config, text = config_for(tmp_path, looked_at(str(tmp_path / "t.csv")).plan, "t.csv")
    assert config.data.drop == tuple(names)
    assert max(map(len, text.splitlines())) <= 100
