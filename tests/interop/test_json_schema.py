"""The JSON schema of a config and `load_config`: they refuse the same keys and types, and take the same configs."""

import copy
import dataclasses
import re
import tomllib
from pathlib import Path

import pytest

import fnn
from fnn import cli
from fnn.config.json_schema import json_schema
from fnn.config.reading import parse
from fnn.config.schema import describe, read
from fnn.config.sections import TYPES, Config
from fnn.errors import InputError
from fnn.types import Initializer
from tests.helpers import tables
from tests.helpers.configs import GOOD, GRID
from tests.helpers.support import Swish

jsonschema = pytest.importorskip("jsonschema")

FOLDER = Path(__file__).parents[2] / "configs"
CONFIGS = sorted(FOLDER.rglob("*.toml"))
BY_KEY_OR_TYPE = re.compile(r"unknown|missing; it has no default|, got a|, got true|expected a table|cannot be said")
OTHERS = (
    7,
    2.5,
    "no",
    True,
    [],
    {},
    [7],
    [2.5],
    ["no"],
    [True],
    {"type": "no"},
    {"type": 7},
    {"type": "Sigmoid"},
    "He",
)


def validator(types=TYPES):
    schema = json_schema(types)
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


VALIDATOR = validator()


def refusal(table, types=TYPES):
    """The message with which `load_config` refuses a table; "" if it takes it."""
    try:
        read(Config, table, "", types)
    except InputError as error:
        return str(error)
    return ""


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_a_shipped_config_is_valid_and_names_the_schema(path):
    text = path.read_text(encoding="utf-8")
    VALIDATOR.validate(parse(text))
    (line,) = re.findall(r"^#:schema (.+)$", text, re.M)
    assert (path.parent / line).resolve() == FOLDER / "fnn.schema.json"
    assert text.index(line) < text.index("\nname = ")  # an editor looks at the comments of the head alone


@pytest.mark.parametrize("source", ["customers", "flowers", "houses"])
def test_what_fnn_new_writes_is_valid(source, tmp_path, capsys):
    assert cli.main(["new", getattr(tables, source)(tmp_path / "it.csv")]) == 0
    VALIDATOR.validate(parse(capsys.readouterr().out))


def places(value, path=()):
    """Every place in a table: the path to it, and what is there."""
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield (*path, key), inner
        yield from places(inner, (*path, key))


def changed(table, path, change):
    """A copy of a table in which one place is changed."""
    whole = copy.deepcopy(table)
    inside = whole
    for key in path[:-1]:
        inside = inside[key]
    change(inside, path[-1])
    return whole


def mutants(table):
    """The table with each key misspelt, missing or given another value."""
    for path, _ in places(table):
        if isinstance(path[-1], str):
            yield changed(table, path, lambda inside, key: inside.update({f"{key}x": inside.pop(key)}))
            yield changed(table, path, lambda inside, key: inside.pop(key))
        for value in OTHERS:
            yield changed(table, path, lambda inside, key, value=value: inside.__setitem__(key, value))


def filled():
    """A config with all entries, those too that have a default, and a layer, a cost and a schedule with entries."""
    images, quantities = (
        describe(read(Config, parse((FOLDER / f"{name}.toml").read_text(encoding="utf-8")), "", TYPES))
        for name in ("digits_conv", "regression")
    )
    images["network"]["cost"] = quantities["network"]["cost"]
    return images | {"training": quantities["training"] | {"target_cost": 0.5}}


WHOLE = {"good": tomllib.loads(GOOD), "grid": tomllib.loads(GRID), "filled": filled()}


@pytest.mark.parametrize("name", WHOLE)
def test_the_schema_refuses_what_load_config_refuses_by_key_or_type_and_takes_what_it_takes(name):
    seen = {True: 0, False: 0}
    assert not refusal(WHOLE[name])
    for table in mutants(WHOLE[name]):
        message, valid = refusal(table), VALIDATOR.is_valid(table)
        assert valid or message, f"only the schema refuses {table}"
        assert not (valid and BY_KEY_OR_TYPE.search(message)), f"the schema takes it: {message}"
        seen[valid] += 1
    assert min(seen.values()) > 10


def test_a_number_that_is_whole_is_the_one_type_that_json_schema_does_not_tell_apart():
    table = tomllib.loads(GOOD.replace("epochs = 2", "epochs = 2.0"))
    assert "expected a whole number, got a number" in refusal(table)
    assert VALIDATOR.is_valid(table)


def test_a_class_of_ones_own_is_known_if_it_is_named():
    table = tomllib.loads(GOOD.replace('"Sigmoid" },', '"Swish" },'))
    assert not VALIDATOR.is_valid(table)
    assert "unknown layer 'Swish'" in refusal(table)
    own = TYPES | {"Swish": Swish}
    assert validator(own).is_valid(table)
    assert not refusal(table, own)


@fnn.static
class Around(fnn.Sigmoid):
    """A layer with a layer inside, one that a config cannot say, and one with a value made anew."""

    inner: fnn.Dense
    draw: Initializer = fnn.He()
    odd: bytes | None = None
    sizes: tuple[float, ...] = dataclasses.field(default_factory=tuple)


@pytest.mark.parametrize(
    "entry",
    [
        "inner = { units = 3 }",
        "inner = { type = 'Dense', units = 3 }, draw = { type = 'Normal', std = 1 }, sizes = [1, 2.5]",
        "inner = 'Dense'",
        "inner = { type = 'Maxout', units = 3 }",
        "inner = { units = 3 }, draw = 'Normal'",
        "inner = { units = 3 }, draw = 'Dense'",
        "inner = { units = 3 }, odd = 3",
        "inner = { units = 3 }, sizes = ['a']",
        "draw = 'He'",
    ],
)
def test_the_fields_of_a_class_of_ones_own_are_known_too(entry):
    own = TYPES | {"Around": Around}
    table = tomllib.loads(GOOD.replace('{ type = "Sigmoid" },', f'{{ type = "Around", {entry} }},'))
    assert validator(own).is_valid(table) == (refusal(table, own) == "")


@fnn.static
class Elsewhere(fnn.Sigmoid):
    """A layer whose annotation is of another module."""

    given: "NotHere" = 1  # noqa: F821


def test_a_type_that_is_not_there_is_said():
    with pytest.raises(InputError, match="Elsewhere: the types of its fields are not there.*NotHere"):
        json_schema(TYPES | {"Elsewhere": Elsewhere})
