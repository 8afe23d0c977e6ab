"""Completion in a shell, which shtab makes from the parser."""

import shutil
import subprocess

import pytest

from fnn.cli import parser
from fnn.cli.command_table import COMMANDS

shtab = pytest.importorskip("shtab")


@pytest.fixture(scope="module")
def bash(tmp_path_factory):
    """What bash proposes for the last of some words."""
    script = tmp_path_factory.mktemp("bash") / "fnn.bash"
    script.write_text(shtab.complete(parser(), "bash"), encoding="utf-8")

    def proposed(folder, *words):
        code = f'source {script}; COMP_WORDS=("$@"); COMP_CWORD={len(words) - 1}; _shtab_fnn; echo "${{COMPREPLY[@]}}"'
        command = [shutil.which("bash"), "-c", code, "bash", *words]
        return sorted(subprocess.run(command, capture_output=True, text=True, cwd=folder, check=True).stdout.split())

    return proposed


def test_bash_completes_commands_options_choices_and_paths(bash, tmp_path):
    (tmp_path / "mine.toml").touch()
    assert bash(tmp_path, "fnn", "") == sorted(row.name for row in COMMANDS)
    assert bash(tmp_path, "fnn", "run", "mi") == ["mine.toml"]
    assert bash(tmp_path, "fnn", "export", "runs", "--to", "") == ["onnx", "safetensors"]
    assert "--resume" in bash(tmp_path, "fnn", "run", "--")


@pytest.mark.parametrize("shell", ["zsh", "tcsh", "fish"])
def test_other_shells_get_a_script_with_every_command(shell):
    script = shtab.complete(parser(), shell)
    assert all(row.name in script for row in COMMANDS)
