"""The command line itself: its help, its version, its options."""

import ast
import importlib
import inspect
import subprocess
import sys
from pathlib import Path

import pytest

import fnn
from fnn import cli
from fnn.cli.commands import COMMANDS


def test_a_gradient_is_chosen_where_one_is_used(config, capsys):
    for command in ("compare", "gradcheck"):
        with pytest.raises(SystemExit):
            cli.main([command, config, "--gradient", "autodiff"])
        assert "unrecognized arguments: --gradient" in capsys.readouterr().err


@pytest.mark.parametrize("row", COMMANDS, ids=lambda row: row.name)
def test_the_file_of_a_command_is_named_like_it(row):
    command = importlib.import_module(f"fnn.cli.{row.name}").command
    assert len(inspect.signature(command).parameters) == 1


def test_every_file_with_a_command_has_a_row():
    files = {
        file.stem
        for file in Path(cli.__file__).parent.glob("*.py")
        for part in ast.parse(file.read_text()).body
        if isinstance(part, ast.FunctionDef) and part.name == "command"
    }
    assert files == {row.name for row in COMMANDS}


def test_the_command_line_answers_without_jax():
    code = "import sys, fnn.cli; fnn.cli.parser().format_help(); assert not {'jax', 'numpy'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_version(capsys):
    with pytest.raises(SystemExit) as caught:
        cli.main(["--version"])
    assert caught.value.code == 0
    assert capsys.readouterr().out == f"fnn {fnn.__version__}\n"
