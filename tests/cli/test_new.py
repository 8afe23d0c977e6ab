"""`fnn new FILE > mine.toml`: stdout is the config, stderr says what was chosen, and the path in it holds."""

import os
import re
import subprocess
import sys
import tomllib

import numpy as np
import pytest

from fnn import cli
from tests.helpers import tables
from tests.helpers.support import fails


@pytest.fixture
def here(tmp_path, monkeypatch):
    """The current folder, with a table in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data").mkdir()
    tables.customers(tmp_path / "data" / "customers.csv")
    return tmp_path


def test_stdout_is_the_config_and_stderr_what_was_chosen(here, capsys):
    assert cli.main(["new", "data/customers.csv"]) == 0
    said = capsys.readouterr()
    table = tomllib.loads(said.out)
    assert (table["name"], table["data"]["source"]) == ("customers", "data/customers.csv")
    assert "label = 'left': to predict, the last column: no: 357 (89.2%), yes: 43 (10.8%)\n" in said.err
    assert "left out: 'customer': an id: a different text in each of the 400 rows\n" in said.err
    assert re.search(r'^missing = "mean": \d+ blanks get the mean of the training rows: ', said.err, re.MULTILINE)
    assert said.err.splitlines()[-1] == "next: fnn run FILE.toml"


def test_the_source_is_seen_from_the_folder_of_the_config(here):
    (here / "configs").mkdir()
    code = "import sys; from fnn import cli; sys.exit(cli.main(['new', 'data/customers.csv']))"
    with open(here / "configs" / "mine.toml", "w") as config:
        ended = subprocess.run([sys.executable, "-c", code], stdout=config, stderr=subprocess.PIPE, text=True)
    assert ended.returncode == 0
    text = (here / "configs" / "mine.toml").read_text(encoding="utf-8")
    found = "../data/customers.csv" if os.path.exists("/proc/self/fd") else "data/customers.csv"
    assert tomllib.loads(text)["data"]["source"] == found
    assert ("mine.toml" if "/proc" and found.startswith("..") else "FILE.toml") in ended.stderr


def test_a_path_from_the_root_stays_so(here, capsys):
    assert cli.main(["new", str(here / "data" / "customers.csv"), "--label", "contract"]) == 0
    data = tomllib.loads(capsys.readouterr().out)["data"]
    assert (data["source"], data["label"], data["targets"]) == (
        str(here / "data" / "customers.csv"),
        "contract",
        "one-hot",
    )


def test_inputs_and_outputs_in_two_files(here, capsys):
    np.save("x.npy", np.arange(120.0).reshape(40, 3))
    np.save("data/y.npy", np.arange(40) % 2)
    assert cli.main(["new", "x.npy", "--y", "data/y.npy"]) == 0
    data = tomllib.loads(capsys.readouterr().out)["data"]
    assert (data["source"], data["y"], data["targets"]) == ("x.npy", "data/y.npy", "binary")
    fails(capsys, 2, "name the .npy file of the desired outputs by --y FILE", "new", "x.npy")
    fails(capsys, 2, "it is for inputs in an .npy file; drop it", "new", "data/customers.csv", "--y", "data/y.npy")
    fails(capsys, 2, "--label a: only the columns of", "new", "x.npy", "--y", "data/y.npy", "--label", "a")


@pytest.mark.parametrize(
    ("text", "status", "message"),
    [
        ("a,y\n1,u\n2\n3,v\nx,u,7\n", 2, "line 3: 1 cell, line 5: 3 cells; expected 2"),
        ("a,y\n1,u\n2,u\n", 2, "'y' has 'u' in every row"),
        ("a,a,y\n1,2,u\n3,4,v\n3,5,v\n2,u\n", 2, "'a' is there twice (1 more: fnn data t.csv)"),
        ("a;y\n1;2\n", 2, "not by ';'"),
        (b"\xff\xfea,y", 3, "UTF-8"),
    ],
)
def test_what_cannot_be_trained_on_is_told_in_a_line_and_stdout_is_empty(here, capsys, text, status, message):
    (here / "t.csv").write_bytes(text.encode() if isinstance(text, str) else text)
    assert cli.main(["new", "t.csv"]) == status
    said = capsys.readouterr()
    assert (said.out, said.err.count("\n")) == ("", 1)
    assert message in said.err


def test_what_is_no_file_and_no_source(here, capsys):
    fails(capsys, 2, "did you mean 'digits'", "new", "digit")
    fails(capsys, 2, "there is no such file", "new", "no.csv")
    fails(capsys, 2, "is a folder", "new", "data")


def test_a_source_that_fnn_knows(capsys):
    assert cli.main(["new", "digits"]) == 0
    assert tomllib.loads(capsys.readouterr().out)["data"]["source"] == "digits"
    for command in ("new", "data"):
        fails(capsys, 2, "digits: --label y: it is for a file of yours", command, "digits", "--label", "y")


def test_looking_and_writing_need_no_jax(here):
    commands = (["data", "data/customers.csv"], ["new", "data/customers.csv"])
    code = (
        f"import sys; from fnn import cli; assert not any(map(cli.main, {commands})); assert 'jax' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
