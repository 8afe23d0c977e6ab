"""What several commands share: the classes of the user's own that `--type` names."""

import sys

import pytest

from fnn import cli
from tests.helpers.support import fails

TYPES = {
    "json:dumps": "is no class with fields; expected one under @fnn.static",
    "own:Bare": "is no class with fields",
    "own:Hidden": "Hidden: the types of its fields are not there (name 'Fraction' is not defined)",
    "own:Either": "layers[1].inner: a field of type fnn.types.Layer | None cannot be said in a config",
    "broken:Layer": "expected MODULE:CLASS that can be imported from here",
}
OWN = """
from __future__ import annotations
import typing
import fnn
from fnn.types import Layer
if typing.TYPE_CHECKING:
    from fractions import Fraction
class Bare:
    init = forward = backward = None
@fnn.static
class Hidden(fnn.Sigmoid):
    part: Fraction = 1
@fnn.static
class Either(fnn.Sigmoid):
    inner: Layer | None = None
"""


@pytest.mark.parametrize(("name", "said"), TYPES.items(), ids=TYPES)
def test_a_class_that_no_config_can_name_is_one_line(name, said, config, tmp_path, capsys, monkeypatch):
    (tmp_path / "own.py").write_text(OWN)
    (tmp_path / "broken.py").write_text("class Layer(\n")
    monkeypatch.chdir(tmp_path)
    layer = f"network.layers.1={{type='{name.partition(':')[2]}'{', inner=3' * name.endswith('Either')}}}"
    fails(capsys, 2, said, "gradcheck", config, "--type", name, "--set", layer)
    sys.modules.pop("own", None)


RAISING = {
    "a newline": ("a:b\nc", "", r"--type 'a:b\nc': holds '\n', a character that cannot be seen"),
    "a newline at the end": ("raising:Layer\n", "Layer = 1", r"--type 'raising:Layer\n': holds '\n'"),
    "a name that is not there": (
        "raising:Layer",
        "there",
        "importing it raised NameError: name 'there' is not defined",
    ),
    "several lines": ("raising:Layer", "raise ImportError('two\\nlines')", "--type raising:Layer: two lines; expected"),
    "a division": (
        "raising:Layer",
        "1 / 0",
        "importing it raised ZeroDivisionError: division by zero; expected MODULE",
    ),
    "an end": ("raising:Layer", "raise SystemExit(7)", "importing it raised SystemExit: 7; expected MODULE:CLASS"),
    "very long": ("raising:Layer", "raise RuntimeError('x' * 9999)", "xxxx; expected MODULE:CLASS"),
}


@pytest.mark.parametrize(("name", "text", "said"), RAISING.values(), ids=RAISING)
def test_a_module_that_cannot_be_imported_is_one_line(name, text, said, config, tmp_path, capsys, monkeypatch):
    (tmp_path / "raising.py").write_text(text)
    monkeypatch.chdir(tmp_path)
    fails(capsys, 2, said, "gradcheck", config, "--type", name)
    sys.modules.pop("raising", None)


@pytest.mark.long
def test_a_class_of_ones_own_on_the_command_line(config, tmp_path, capsys, monkeypatch):
    (tmp_path / "mine.py").write_text("import fnn\n\n\n@fnn.static\nclass Twice(fnn.Sigmoid):\n    pass\n")
    monkeypatch.chdir(tmp_path)
    options = ["--out", str(tmp_path / "r"), "--set", "network.layers.1.type=Twice"]
    fails(capsys, 2, "unknown layer 'Twice'", "run", config, *options)
    assert cli.main(["run", config, *options, "--type", "mine:Twice"]) == 0
    capsys.readouterr()
    fails(capsys, 2, "--type mine:Thrice", "run", config, *options, "--type", "mine:Thrice")
