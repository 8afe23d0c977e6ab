"""The pages of `docs/`: their code runs, and prints what they show."""

import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.long  # on the newest Python a change has no time for these

DOCS = Path(__file__).parents[1] / "docs"


def blocks(page):
    """The code of a page and what it shows as printed, without the code that needs a library that is not here."""
    code, printed, here = [], [], True
    for kind, text in re.findall(r"^```(\w+)\n(.*?)^```", (DOCS / page).read_text(encoding="utf-8"), re.M | re.S):
        if kind == "python":
            here = all(importlib.util.find_spec(name) for name in re.findall(r"^(?:import|from) (\w+)", text, re.M))
        if here and kind in ("python", "text"):
            (code if kind == "python" else printed).append(text)
    return "\n".join(code), "".join(printed)


def without_rounding(text):
    """The text without the numbers that another processor rounds differently, and without alignment."""
    nine_decimals = re.sub(r"(\.\d{9})\d+", r"\1", re.sub(r" +", " ", text))
    return re.sub(r"\d+(\.\d+)?e-\d+", "~", nine_decimals)


@pytest.mark.parametrize("page", ["by_hand.md", "check_exactly.md", "check_vjp.md"])
def test_the_code_of_a_page_prints_what_the_page_shows(page, tmp_path):
    code, printed = blocks(page)
    (tmp_path / "page.py").write_text(code, encoding="utf-8")
    command = [sys.executable, "-W", "error", str(tmp_path / "page.py")]
    ended = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert without_rounding(ended.stdout) == without_rounding(printed)
