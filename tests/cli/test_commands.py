"""The command line itself: its help, its version, its options."""

import ast
import dataclasses
import importlib
import inspect
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

import fnn
from fnn import cli
from fnn.cli.command_table import COMMANDS, GRID
from fnn.config import shipped
from fnn.config.reading import load_config, short_hash
from fnn.config.sections import SweepConfig


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


ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("row", COMMANDS, ids=lambda row: row.name)
def test_the_help_of_a_command_is_a_sentence_and_two_examples(row, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    with pytest.raises(SystemExit):
        cli.main([row.name, "--help"])
    said = capsys.readouterr().out
    assert max(map(len, said.splitlines())) < 80
    assert row.about.endswith(".")
    assert row.about in " ".join(said.split())
    assert len(row.examples) == 2
    assert "\nexamples:\n  " + "\n  ".join(row.examples) + "\n" in said


@pytest.mark.parametrize("example", [example for row in COMMANDS for example in row.examples])
def test_an_example_of_the_help_can_be_typed(example):
    _, *words = (word for word in shlex.split(example.split(" > ")[0]) if not word.startswith("JAX_PLATFORMS="))
    options = vars(cli.parser().parse_args(words))
    assert "config" not in options or options["config"] in shipped.names()
    for run in {options.get("run"), *options.get("runs", []), options.get("folder")} - {None, "runs"}:
        name = Path(run).name.split("-")[0]
        assert run == f"runs/{name}-{short_hash(load_config(ROOT / 'configs' / f'{name}.toml'))}"


def test_the_help_is_as_wide_as_a_terminal_of_80_columns(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    with pytest.raises(SystemExit):
        cli.main(["--help"])
    said = capsys.readouterr().out.splitlines()
    assert max(map(len, said)) < 80
    for row in COMMANDS:
        assert f"  {row.name:10} {row.help}" in said


def test_the_help_of_a_sweep_has_the_keys_of_a_grid():
    for field in dataclasses.fields(SweepConfig):
        assert f"\n  {field.name} = " in GRID


def test_the_command_line_answers_without_jax():
    code = "import sys, fnn.cli; fnn.cli.parser().format_help(); assert not {'jax', 'numpy'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_version(capsys):
    with pytest.raises(SystemExit) as caught:
        cli.main(["--version"])
    assert caught.value.code == 0
    assert capsys.readouterr().out == f"fnn {fnn.__version__}\n"
