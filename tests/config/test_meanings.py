"""What is said of the entries of a config: the comment behind a field, or the docstring of `load_data`."""

import dataclasses

import pytest

from fnn.config import meanings
from fnn.config.meanings import REQUIRED, Entry
from fnn.config.sections import DataConfig, TrainingConfig


@dataclasses.dataclass
class Own:
    """Of a test.

    Raises:
        ValueError: never.
    """

    said: int  # it is "said" # twice
    unsaid: tuple[int, ...] = ()


def test_the_comment_behind_a_field_is_its_meaning():
    said = Entry("said", int, REQUIRED, 'it is "said" # twice')
    assert meanings.entries(Own) == (said, Entry("unsaid", tuple[int, ...], (), ""))
    assert meanings.about(Own) == "Of a test."


def test_the_entries_of_data_are_the_arguments_of_load_data():
    found = {entry.name: entry.meaning for entry in meanings.entries(DataConfig)}
    assert found["seed"] == "Decides their points."
    assert found["validation"].startswith("How many to hold out for validation. `mnist`: the last ones")


def test_without_the_source_nothing_is_said(monkeypatch):
    monkeypatch.setattr(meanings.inspect, "getsource", lambda cls: (_ for _ in ()).throw(OSError))
    assert {entry.meaning for entry in meanings.entries(TrainingConfig)} == {""}


@pytest.mark.parametrize("cls", [DataConfig, TrainingConfig])
def test_every_field_is_an_entry(cls):
    assert [entry.name for entry in meanings.entries(cls)] == [field.name for field in dataclasses.fields(cls)]
