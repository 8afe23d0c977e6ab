"""The pages of `docs/`: each is in the navigation, and the built ones are checked."""

import re
import tomllib
from pathlib import Path

import pytest

from experiments.docs.built_pages import faults

ROOT = Path(__file__).parents[2]
PAGES = sorted(path.relative_to(ROOT / "docs").as_posix() for path in (ROOT / "docs").rglob("*.md"))


def pages_in(entries):
    """The files that a navigation names, in its order."""
    for entry in entries:
        for value in entry.values() if isinstance(entry, dict) else [entry]:
            yield from pages_in(value) if isinstance(value, list) else [value]


def test_every_page_is_in_the_navigation_once():
    with open(ROOT / "zensical.toml", "rb") as file:
        navigation = list(pages_in(tomllib.load(file)["project"]["nav"]))
    assert sorted(navigation) == PAGES


@pytest.mark.parametrize("page", PAGES)
def test_the_files_that_a_page_links_to_are_there(page):
    path = ROOT / "docs" / page
    text = re.sub(r"^```.*?^```", "", path.read_text(encoding="utf-8"), flags=re.M | re.S)
    links = re.findall(r"\]\(([^)#]+)", text)
    local = [(path.parent / link).resolve() for link in links if not link.startswith("http")]
    assert [file for file in local if not (file.is_file() and file.is_relative_to(ROOT / "docs"))] == []


@pytest.mark.parametrize(
    ("tag", "fault"),
    [
        ('<script src="https://host/x.js"></script>', "loads https://host/x.js"),
        ('<link rel="stylesheet" href="//host/x.css">', "loads //host/x.css"),
        ('<link rel="preconnect" href="https://host">', "loads https://host"),
        ('<img src="absent.png">', "absent.png is not there"),
        ('<a href="absent.html#there">', "absent.html#there is not there"),
    ],
)
def test_a_page_that_loads_from_elsewhere_or_names_an_absent_file_is_a_fault(tag, fault, tmp_path):
    page = tmp_path / "page.html"
    page.write_text(tag)
    assert faults(tmp_path) == [f"{page}: {fault}"]


def test_a_page_may_link_elsewhere_and_load_what_is_beside_it(tmp_path):
    (tmp_path / "x.css").write_text("a { background: url(data:image/png;base64,) }")
    (tmp_path / "page.html").write_text('<a href="https://host"></a><link rel="stylesheet" href="x.css"><a href="#x">')
    assert faults(tmp_path) == []
    (tmp_path / "x.css").write_text("@font-face { src: url('https://host/font') }")
    assert faults(tmp_path) == [f"{tmp_path / 'x.css'}: loads https://host/font"]
