"""The code of `docs/` and the README runs, and prints what they show; `experiments/docs/page.py` has the rules."""

import subprocess
import sys
from pathlib import Path

import pytest

from experiments.docs.blocks import blocks, sections_left_out
from experiments.docs.page import ROOT, name_of
from experiments.docs.unrun import UNRUN
from tests.helpers import tables

DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", *sorted(DOCS.rglob("*.md"))]
QUICK = "check_exactly.md"  # the one that `make test` runs


def text_of(path):
    return path.read_text(encoding="utf-8")


def is_run(path, block):
    """Whether the runner of pages does something with a block; a text that follows no program is not compared."""
    listed = (name_of(path), block.kind) in UNRUN
    compared = block.kind in ("python", "console") or (block.kind, block.above) == ("text", "python")
    return not listed and bool(compared or block.title)


RUN = [path for path in PAGES if any(is_run(path, block) for block in blocks(text_of(path)))]


@pytest.mark.parametrize("path", PAGES, ids=name_of)
def test_every_block_is_run_or_listed_as_not_run(path):
    for block in blocks(text_of(path)):
        assert block.kind, f"{path}:{block.line}: say after the fence what the block is"
        assert is_run(path, block) or (name_of(path), block.kind) in UNRUN, f"{path}:{block.line}: see unrun.py"


def test_what_is_listed_as_not_run_is_there():
    there = {(name_of(path), block.kind) for path in PAGES for block in blocks(text_of(path))}
    assert set(UNRUN) <= there


@pytest.mark.parametrize("path", PAGES, ids=name_of)
def test_no_code_is_hidden_in_an_indented_block(path):
    lines = text_of(path).splitlines()
    fenced = {
        number for block in blocks(text_of(path)) for number in range(block.line, block.line + block.text.count("\n"))
    }
    for number, (above, line) in enumerate(zip(["", *lines], lines, strict=False), 1):
        assert number in fenced or above.strip() or not line.startswith("    "), (
            f"{path}:{number}: put it between fences"
        )


@pytest.mark.parametrize(
    "path", [pytest.param(path, marks=[] if path.name == QUICK else pytest.mark.long, id=name_of(path)) for path in RUN]
)
def test_the_code_of_a_page_prints_what_the_page_shows(path):
    if sections_left_out(text_of(path)):
        pytest.skip("a section needs a library that is not here; make extras runs the page whole")
    command = [sys.executable, "-W", "error", "-m", "experiments.docs.page", str(path)]
    ended = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    assert (ended.returncode, ended.stderr) == (0, ""), ended.stdout


def test_the_table_of_customers_is_the_one_of_the_tests(tmp_path):
    table = tables.customers(tmp_path / "customers.csv", 600)
    assert Path(table).read_bytes() == (DOCS / "customers.csv").read_bytes()
