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


def test_a_class_of_ones_own_on_the_command_line(config, tmp_path, capsys, monkeypatch):
    (tmp_path / "mine.py").write_text("import fnn\n\n\n@fnn.static\nclass Twice(fnn.Sigmoid):\n    pass\n")
    monkeypatch.chdir(tmp_path)
    options = ["--out", str(tmp_path / "r"), "--set", "network.layers.1.type=Twice"]
    fails(capsys, 2, "unknown layer 'Twice'", "run", config, *options)
    assert cli.main(["run", config, *options, "--type", "mine:Twice"]) == 0
    capsys.readouterr()
    fails(capsys, 2, "--type mine:Thrice", "run", config, *options, "--type", "mine:Thrice")
