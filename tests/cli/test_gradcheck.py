"""`fnn gradcheck MODULE:FUNCTION`: a derivative of the user's own."""

import json
import os
import subprocess
import sys

import pytest

from fnn import cli
from fnn.cli.user_function import is_function
from tests.helpers.support import fails

pytestmark = pytest.mark.long  # on the newest Python a change has no time for these

OWN = """
import functools
import sys
import fnn, jax, jax.numpy as jnp, numpy as np

@jax.custom_vjp
def square(x):
    return x**2

square.defvjp(lambda x: (x**2, x), lambda x, ct: (2 * x * ct,))

@jax.custom_vjp
def halved(weights):
    return weights["W"]**2

halved.defvjp(lambda weights: (halved(weights), weights), lambda weights, ct: ({"W": weights["W"] * ct},))
X = np.linspace(1, 2, 3)

def right():
    return square, X

def wrong(x=X):
    return halved, {"W": x}

def own_report():
    return fnn.check_vjp(halved, {"W": X}, forward=lambda weights: weights["W"]**2)

def pair():
    return (lambda x: np.sin(x), lambda x, ct: ct * np.cos(x)), X

def late_import():
    import neighbour
    return square, neighbour.X

class Check:
    def __call__(self):
        return square, X

check = Check()
nothing = lambda: None
array = lambda: X
alone = lambda: square
empty = lambda: ()
several = lambda: (1, 2)
leaves = lambda: sys.exit("no data")

def needs(x, *more, y=3, z):
    return square, x

def raises():
    return helper()

def helper():
    raise ZeroDivisionError("one line\\nand another")

def silent():
    raise KeyError

def f_raises():
    def f(x):
        raise NotImplementedError("not yet")
    return f, X

def shapes_differ():
    return lambda x: x @ jnp.ones((7, 7), x.dtype), X

def nan():
    return square, X * np.nan
"""
MODULES = {
    "own.py": OWN,
    "neighbour.py": "import numpy as np\nX = np.ones(2)\n",
    "broken.py": "def check(\n",
    "fails.py": "1 / 0\n",
    "leaves.py": "import sys\n\nsys.exit()\n",
    "lacks.py": "import no_such_library\n",
    "old.py": "from neighbour import Y\n",
    "rules/swish.py": "from own import right as check\n",
}


def line(words):
    """The number of the line of `own.py` that has these words."""
    return OWN[: OWN.index(words)].count("\n") + 1


EXPECTED = "expected MODULE:FUNCTION, a function of no arguments in a module that can be imported from here"
ERRORS = {
    "missing:check": f"missing:check: there is no module 'missing'; {EXPECTED}.",
    "rules.missing:check": f"rules.missing:check: there is no module 'rules.missing'; {EXPECTED}.",
    "own.py:right": "own.py:right: " + EXPECTED + ": for check in rules/swish.py write rules.swish:check.",
    "rules/swish:check": "rules/swish:check: expected MODULE:FUNCTION",
    "./own:right": "./own:right: expected MODULE:FUNCTION",
    "own:": "own:: expected MODULE:FUNCTION",
    ":right": ":right: expected MODULE:FUNCTION",
    "own:2": "own:2: expected MODULE:FUNCTION",
    "own:a:b": "own:a:b: expected MODULE:FUNCTION",
    "own:rihgt": "own.py has no 'rihgt'; did you mean 'right'?",
    "own:zzz": f"own.py has no 'zzz'; {EXPECTED}.",
    "own:X": f"own:X is a ndarray; {EXPECTED}.",
    "own:needs": "own:needs needs x, z; expected a function of no arguments.",
    "own:nothing": "own:nothing: returned a NoneType; expected (f, *args) for fnn.check_vjp, or its Report.",
    "own:array": "own:array: returned a ndarray; expected (f, *args)",
    "own:alone": "own:alone: returned a custom_vjp; expected (f, *args)",
    "own:empty": "own:empty: returned a tuple; expected (f, *args)",
    "own:several": "own:several: returned a tuple; expected (f, *args)",
    "own:leaves": f"own:leaves raised SystemExit: no data (own.py:{line('no data')}).",
    "own:raises": f"own:raises raised ZeroDivisionError: one line and another (own.py:{line('raise Zero')}).",
    "own:silent": f"own:silent raised KeyError (own.py:{line('raise Key')}).",
    "own:f_raises": f"f fails at these arguments: NotImplementedError: not yet (own.py:{line('not yet')}).",
    "own:shapes_differ": "own:shapes_differ: <lambda> fails at these arguments: TypeError: ",
    "own:nan": "own:nan: ",
    "broken:check": "broken:check: importing broken raised SyntaxError: '(' was never closed (broken.py, line 1).",
    "fails:check": "fails:check: importing fails raised ZeroDivisionError: division by zero (fails.py:1).",
    "leaves:check": "leaves:check: importing leaves raised SystemExit (leaves.py:3).",
    "lacks:check": "importing lacks raised ModuleNotFoundError: No module named 'no_such_library' (lacks.py:1).",
    "old:check": "importing old raised ImportError: cannot import name 'Y' from 'neighbour'",
}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The current folder, with modules of the user's own."""
    for name, text in MODULES.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    monkeypatch.chdir(tmp_path)
    yield tmp_path
    for name in MODULES:
        sys.modules.pop(name.removesuffix(".py").replace("/", "."), None)
    sys.modules.pop("rules", None)


def checked(capsys, *arguments):
    """The exit status of `fnn gradcheck` and what it prints."""
    status = cli.main(["gradcheck", *arguments])
    said = capsys.readouterr()
    assert said.err == ""
    return status, said.out


@pytest.mark.parametrize("name", ["own:right", "own:pair", "own:check", "own:late_import", "rules.swish:check"])
def test_a_right_derivative_of_ones_own_has_status_0(name, folder, capsys):
    status, said = checked(capsys, name)
    assert (status, "WRONG" in said) == (0, False)
    assert "layer" not in said


@pytest.mark.parametrize(("name", "leaf"), [("own:wrong", "weights['W']"), ("own:own_report", "weights['W']")])
def test_a_wrong_one_has_status_1_and_names_the_leaf(name, leaf, folder, capsys):
    status, said = checked(capsys, name)
    assert status == 1
    assert leaf in said
    assert "WRONG" in said


@pytest.mark.parametrize(("name", "said"), ERRORS.items(), ids=ERRORS)
def test_what_cannot_be_checked_is_one_line(name, said, folder, capsys):
    fails(capsys, 2, said, "gradcheck", name)


def test_options_of_a_config_are_refused_by_name(folder, capsys):
    said = "own:right: --set and --examples change a config; leave them out for a function."
    fails(capsys, 2, said, "gradcheck", "own:right", "--set", "training.epochs=1", "--examples", "0")
    fails(capsys, 2, "own:right: --type change", "gradcheck", "own:right", "--type", "own:Check")


def test_the_report_is_written_as_json(folder, capsys):
    status, said = checked(capsys, "own:wrong", "--out", "check")
    written = json.loads((folder / "check" / "gradcheck.json").read_text())
    assert status == 1
    assert not written["ok"]
    assert "check: gradcheck.json, report.html" in said
    page = (folder / "check" / "report.html").read_text()
    assert "The gradient is NOT right" in page
    assert page.count("<img") == len(written["leaves"])


@pytest.mark.parametrize(
    ("text", "function"),
    {
        **{"own:right": True, "rules.swish:check": True, "own.py:right": True, "no:such": True, "c:xor": True},
        **{"xor.toml": False, "own:right.toml": False, r"C:\x.toml": False, r"C:\configs\xor": False, "C:/xor": False},
        **{"xor": False, "own.right": False, "a:file": False, "~/x.TOML": False},
    }.items(),
)
def test_a_config_is_told_from_a_function(text, function, folder):
    (folder / "a:file").touch()
    assert is_function(text) is function


def test_a_config_goes_on_as_it_is_whatever_its_name(folder, config, capsys):
    (folder / "own:right").write_bytes((folder / "good.toml").read_bytes())
    status, said = checked(capsys, "own:right")
    assert status == 0
    assert "training" in said
    fails(capsys, 2, "no:such.toml", "gradcheck", "no:such.toml")


def test_the_command_in_a_process_of_its_own(folder):
    """No traceback, no warning, from a folder that is not on Python's path."""
    command = [sys.executable, "-W", "error", "-m", "fnn.cli", "gradcheck"]
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    ended = [
        subprocess.run([*command, f"own:{name}"], capture_output=True, text=True, env=environment)
        for name in ("right", "wrong", "raises")
    ]
    assert [end.returncode for end in ended] == [0, 1, 2]
    assert [end.stderr.count("\n") for end in ended] == [0, 0, 1]
