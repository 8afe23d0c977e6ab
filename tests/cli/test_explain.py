"""`fnn explain`: a step of a config's net on the board."""

import pathlib

import pytest

from fnn import cli

XOR, DIGITS = (str(pathlib.Path(__file__).parents[2] / "configs" / f"{name}.toml") for name in ("xor", "digits"))


def test_the_command_explains_a_step_of_xor(capsys):
    assert cli.main(["explain", XOR, "--example", "2", "--gradient", "autodiff"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("xor: one step on training example 2 (of 0 to 3), seed 0\n\nFORWARD   x = (1, 0)\n")
    assert all(name in out for name in ("BP1", "BP2", "BP3", "BP4", "STEP"))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([DIGITS], "parameters: a blackboard takes at most 120; make it smaller"),
        ([XOR, "--example", "4"], "--example 4: expected 0 to 3, a row of the training data"),
        ([XOR, "--example", "-1"], "--example -1: expected 0 to 3"),
    ],
)
def test_what_cannot_be_explained_is_said_in_one_line(capsys, arguments, message):
    assert cli.main(["explain", *arguments]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
