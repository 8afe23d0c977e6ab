"""The JSON schema of a config, as `fnn schema` prints it."""

import json
from pathlib import Path

import pytest

from fnn import cli
from fnn.config.json_schema import json_schema
from fnn.config.sections import TYPES

FILE = Path(__file__).parents[2] / "configs" / "fnn.schema.json"
SCHEMA = json_schema()


def test_the_file_beside_the_configs_is_what_fnn_schema_prints(capsys):
    assert cli.main(["schema"]) == 0
    assert FILE.read_text(encoding="utf-8") == capsys.readouterr().out, "fnn schema > configs/fnn.schema.json"


def test_a_class_of_ones_own_is_in_the_schema(capsys, tmp_path):
    own = "import fnn\n\n@fnn.static\nclass Own(fnn.Sigmoid):\n    'Mine.'\n    slope: float = 0.5  # of the line\n"
    (tmp_path / "own.py").write_text(own)
    assert cli.main(["schema", "--type", f"{tmp_path / 'own.py'}:Own"]) == 0
    table = json.loads(capsys.readouterr().out)["$defs"]["Own"]
    slope = {"type": "number", "description": "of the line", "default": 0.5}
    assert table["properties"] == {"type": {"const": "Own"}, "slope": slope}
    assert table["description"] == "Mine."


@pytest.mark.parametrize("name", TYPES)
def test_a_class_has_a_table_with_its_description(name):
    table = SCHEMA["$defs"][name]
    assert table["properties"]["type"] == {"const": name}
    assert table["description"]
    assert not table["additionalProperties"]


def test_defaults_and_meanings_are_those_of_the_dataclasses():
    training = SCHEMA["properties"]["training"]
    assert training["required"] == ["optimizer", "batch_size", "epochs"]
    assert training["properties"]["gradient"]["enum"] == ["backprop", "autodiff"]
    assert training["properties"]["schedule"]["default"] == {"type": "Constant"}
    assert "default" not in training["properties"]["target_cost"]  # JSON has no infinity
    assert all(entry["description"] for entry in SCHEMA["properties"]["data"]["properties"].values())
