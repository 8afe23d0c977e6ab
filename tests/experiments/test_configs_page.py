"""The page of all entries of a config is what its classes say now."""

import dataclasses

import pytest

from experiments.docs import configs_page
from fnn.config import meanings, sections

SECTIONS = configs_page.TABLES.values()
ENTRIES = [(cls.__name__, entry) for cls in SECTIONS for entry in meanings.entries(cls)]


def test_the_page_is_as_it_is_written_now():
    page = configs_page.PAGE.read_text(encoding="utf-8")
    assert configs_page.written(page) == page, "run python -m experiments.docs.configs_page"


@pytest.mark.parametrize(("owner", "entry"), ENTRIES, ids=[f"{owner}.{entry.name}" for owner, entry in ENTRIES])
def test_something_is_said_of_every_entry(owner, entry):
    assert len(entry.meaning) > 10


def test_every_section_and_every_class_is_on_the_page():
    page = configs_page.PAGE.read_text(encoding="utf-8")
    kinds = tuple(configs_page.KINDS.values())
    assert all(issubclass(cls, kinds) and f"\n### {name}\n" in page for name, cls in sections.TYPES.items())
    found = {field.type for field in dataclasses.fields(sections.Config) if field.type.endswith("Config")}
    assert found == {cls.__name__ for cls in SECTIONS} - {"Config"}


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (sections.TYPES["Normal"](1.0), '{ type = "Normal", std = 1.0 }'),
        (sections.TYPES["Constant"](), '"Constant"'),
        (("a", 1, 2.5, True), '["a", 1, 2.5, true]'),
        (-float("inf"), "-inf"),
    ],
)
def test_a_default_is_written_as_it_stands_in_a_config(value, written):
    assert configs_page.toml(value) == written
