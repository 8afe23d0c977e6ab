"""The page of the sixteen checks of several processes says what was measured, and what did not hold."""

import pytest

from experiments.campaigns.processes import __main__, page
from experiments.campaigns.processes.common import Found


@pytest.fixture
def files(tmp_path, monkeypatch):
    monkeypatch.setattr(page, "RESULTS", tmp_path / "processes.json")
    monkeypatch.setattr(page, "PAGE", tmp_path / "PROCESSES.md")
    return tmp_path


def test_a_check_that_does_not_hold_is_status_1_and_is_said_on_the_page(files, monkeypatch, capsys):
    def broken(folder):
        raise RuntimeError("no | such\nthing")

    checks = {
        2: ("is small", lambda folder: Found("1e-7", True)),
        3: ("is there", broken),
        15: ("elsewhere", lambda folder: Found("by hand", None)),
    }
    monkeypatch.setattr(__main__, "CHECKS", checks)
    assert __main__.main([2, 15]) == 0
    assert __main__.main([3]) == 1
    assert "3: False" in capsys.readouterr().out
    rows = [line for line in page.PAGE.read_text().splitlines() if line.startswith("| ")][2:]
    assert [row.split(" | ")[:1] + row.split(" | ")[3:4] for row in rows] == [
        ["| 2", "yes"],
        ["| 3", "**no**"],
        ["| 15", "not decided here"],
    ]
    assert "no / such thing" in rows[1]
    assert "1 of 2 rows hold" in page.PAGE.read_text()


def test_there_are_sixteen_checks():
    assert sorted(__main__.CHECKS) == list(range(1, 17))
