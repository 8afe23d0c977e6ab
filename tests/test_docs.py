"""The pages of `docs/`: their code runs, and prints what they show."""

import glob
import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import pytest

from fnn import cli
from tests.helpers import tables
from tests.helpers.support import unoptimised

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


@pytest.mark.parametrize(
    "page", ["by_hand.md", "check_exactly.md", "check_vjp.md", "lecture.md", "schedules.md", "several_devices.md"]
)
def test_the_code_of_a_page_prints_what_the_page_shows(page, tmp_path):
    code, printed = blocks(page)
    (tmp_path / "page.py").write_text(code, encoding="utf-8")
    command = [sys.executable, "-W", "error", str(tmp_path / "page.py")]
    ended = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert without_rounding(ended.stdout) == without_rounding(printed)


def commands(page):
    """The commands of a page, each with the lines that it prints, and the tables that the page shows."""
    text = (DOCS / page).read_text(encoding="utf-8")
    shown = "".join(re.findall(r"^```console\n(.*?)^```", text, re.M | re.S))
    pairs = [part.split("\n", 1) for part in re.split(r"^\$ ", shown, flags=re.M)[1:]]
    return pairs, *(re.findall(rf"^```{kind}\n(.*?)^```", text, re.M | re.S) for kind in ("csv", "toml"))


def without_numbers(text):
    """The lines without their numbers, which another processor may round, and without alignment."""
    numbers = re.sub(r"-[0-9a-f]{8}\b|\d[\d.,]*%?|(?<= )\.(?= |$)", "#", text, flags=re.M)
    return [" ".join(line.split()) for line in numbers.splitlines()]


def test_the_commands_about_your_data_print_what_the_page_shows(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "docs").mkdir()
    table = tables.customers(tmp_path / "docs" / "customers.csv", 600)
    assert Path(table).read_bytes() == (DOCS / "customers.csv").read_bytes()
    pairs, csvs, tomls = commands("your_data.md")
    (tmp_path / "faulty.csv").write_text(csvs[0])
    for command, shown in pairs:
        line, _, file = command.removeprefix("fnn ").partition(" > ")
        words = [path for word in line.split() for path in (glob.glob(word) if "*" in word else [word])]
        with unoptimised():
            assert cli.main(words) == 0
        said = capsys.readouterr()
        if file:
            (tmp_path / file).write_text(said.out)
        lines = without_numbers(said.err if file else said.out + said.err)
        assert "\n..." in f"\n{shown}" or lines == without_numbers(shown.rstrip())
        printed = iter(lines)
        for expected in without_numbers(shown):
            assert expected == "..." or expected in printed  # in this order, perhaps with others between
    assert (tmp_path / "mine.toml").read_text().replace("FILE.toml", "mine.toml").startswith(tomls[0])
