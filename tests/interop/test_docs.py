"""The pages whose code uses other libraries, with these libraries."""

import subprocess
import sys

import pytest

from experiments.docs.blocks import blocks, needed_by, sections_left_out
from experiments.docs.page import ROOT, name_of

OURS = {"experiments", "fnn", "jax", "matplotlib", "numpy", *sys.stdlib_module_names}
LARGE = {"torch"}  # gigabytes, which `make extras` does not install; sections that need it are left out without it


def text_of(path):
    return path.read_text(encoding="utf-8")


def others(path):
    """What a page needs beside fnn and what fnn needs; its own files are none of it."""
    page = text_of(path)
    own = {block.title.removesuffix(".py") for block in blocks(page)}
    return set().union(*needed_by(page).values()) - OURS - own


PAGES = [path for path in [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))] if others(path)]


@pytest.mark.parametrize("path", PAGES, ids=name_of)
def test_the_code_of_a_page_prints_what_the_page_shows(path):
    absent = set().union(*sections_left_out(text_of(path)).values()) - LARGE
    if absent:
        pytest.skip(f"{name_of(path)} needs {sorted(absent)}")
    command = [sys.executable, "-m", "experiments.docs.page", str(path)]
    ended = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    assert ended.returncode == 0, ended.stdout + ended.stderr
