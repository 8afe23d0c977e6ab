"""The command line itself: its help, its version, its options."""

import subprocess
import sys

import pytest

import fnn
from fnn import cli


def test_a_gradient_is_chosen_where_one_is_used(config, capsys):
    for command in ("compare", "gradcheck"):
        with pytest.raises(SystemExit):
            cli.main([command, config, "--gradient", "autodiff"])
        assert "unrecognized arguments: --gradient" in capsys.readouterr().err


def test_the_command_line_answers_without_jax():
    code = "import sys, fnn.cli; fnn.cli.parser().format_help(); assert not {'jax', 'numpy'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)  # noqa: S603 (our own interpreter)


def test_the_version(capsys):
    with pytest.raises(SystemExit) as caught:
        cli.main(["--version"])
    assert caught.value.code == 0
    assert capsys.readouterr().out == f"fnn {fnn.__version__}\n"
