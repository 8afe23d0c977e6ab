"""The classes of the user's own: from a file, with what they refer to, and remembered by the runs that have them."""

import json
import sys

import pytest

import fnn
from fnn import cli
from fnn.cli.user_types import own_types
from fnn.config.sections import TYPES
from tests.helpers.runs import only
from tests.helpers.support import fails

OWN = """
from __future__ import annotations
import dataclasses
import fnn
from fnn.types import Layer
import beside


@fnn.static
class Gain:
    value: float = 2.0


@fnn.static
class Louder(Gain):
    pass


@fnn.static
class Loud(fnn.Sigmoid):
    gain: Gain = Gain()


@fnn.static
class Inside(fnn.Sigmoid):
    inner: Layer = Loud(Louder(3.0))
    others: tuple[Layer, ...] = dataclasses.field(default_factory=lambda: (fnn.ReLU(), Plain()))


@fnn.static
class Plain(fnn.Sigmoid):
    pass


@fnn.static
class Unused(fnn.Sigmoid):
    pass
"""


XOR = """
[data]
source = "xor"
targets = "binary"
[network]
layers = [{ type = "Dense", units = 2 }, { type = "Sigmoid" }, { type = "Dense", units = 1 }]
cost = "CrossEntropy"
[training]
optimizer = { type = "SGD", eta = 1.0 }
batch_size = 4
epochs = 1
"""


@pytest.fixture
def config(tmp_path):
    path = tmp_path / "xor.toml"
    path.write_text(XOR)
    return str(path)


@pytest.fixture
def own(tmp_path, monkeypatch):
    """The path of a file of classes, in a folder beside the current one."""
    (tmp_path / "classes").mkdir()
    (tmp_path / "here").mkdir()
    (tmp_path / "classes" / "json.py").write_text(OWN)  # as a module of Python is called
    (tmp_path / "classes" / "beside.py").write_text("")
    monkeypatch.chdir(tmp_path / "here")
    monkeypatch.setenv("HOME", str(tmp_path))
    yield str(tmp_path / "classes" / "json.py")
    sys.modules.pop("beside", None)


def test_a_class_comes_from_a_file_however_its_path_is_written(own):
    forms = (own, "../classes/json.py", "~/classes/json.py")
    first, *others = (own_types([f"{form}:Plain"])["Plain"] for form in forms)
    assert others == [first, first]
    assert sys.modules["json"] is json


def test_the_classes_of_default_values_come_along(own):
    assert list(own_types([f"{own}:Inside"])) == ["Inside", "Loud", "Louder", "Plain"]
    assert list(own_types([f"{own}:Plain", f"{own}:Inside", f"{own}:Inside"])) == ["Plain", "Inside", "Loud", "Louder"]


@pytest.fixture
def trained(own, config, tmp_path, capsys, no_pictures):
    """A run whose net has a class from a file, and the words that have trained it."""
    words = ["run", config, "--out", str(tmp_path / "r"), "--set", "network.layers.1.type=Inside"]
    names = ["--type", "../classes/json.py:Inside"]
    assert cli.main([*words, *names, "--type", f"{own}:Unused"]) == 0
    capsys.readouterr()
    return only(tmp_path / "r"), words, names


def test_a_run_remembers_the_names_and_asks_for_them(trained, capsys, tmp_path):
    run, words, names = trained
    assert json.loads((run / "config.json").read_text())["types"] == [names[1]]
    asked = f"{run}: was trained with a class of your own; name it again: --type {names[1]}."
    for command in ("predict", "verify"):
        capsys.readouterr()
        fails(capsys, 2, asked, command, str(run))
        assert cli.main([command, str(run), *names]) == 0
    for resume in ([], ["--resume"]):
        capsys.readouterr()
        asked = f"unknown layer 'Inside'; {run} was trained with it; name it again: --type {names[1]}."
        fails(capsys, 2, asked, *words, *resume)
    assert cli.main([*words, *names, "--resume"]) == 0
    inside = fnn.load(run, {**TYPES, **own_types(names[1:])}).net[1]
    assert type(inside.inner.gain).__name__ == "Louder"


def test_a_class_that_is_called_as_one_of_ours_is_asked_for_too(own, config, tmp_path, capsys, no_pictures):
    with open(own, "a") as file:
        file.write("\n\n@fnn.static\nclass Sigmoid(fnn.Tanh):\n    pass\n")
    names = ["--type", f"{own}:Sigmoid"]
    assert cli.main(["run", config, "--out", str(tmp_path / "r"), *names]) == 0
    capsys.readouterr()
    run = only(tmp_path / "r")
    words = ["run", config, "--out", str(tmp_path / "r"), "--resume"]
    for command in (["predict", str(run)], words, [*words, "--set", "training.epochs=2"]):
        fails(capsys, 2, f"name it again: --type {own}:Sigmoid", *command)
    with pytest.raises(fnn.InputError, match=r"config\.json: its 'Sigmoid' is a class of your own, .*; pass types="):
        fnn.load(run)
    assert fnn.load(run, {**TYPES, **own_types(names[1:])}).net[1] == own_types(names[1:])["Sigmoid"]()


@pytest.mark.long
def test_the_networks_of_a_sweep_remember_too(own, config, tmp_path, capsys, no_pictures):
    words = ["sweep", config, "--out", str(tmp_path / "r"), "--set", "network.layers.1.type=Plain"]
    words += ["--set", "sweep.seeds=2"]
    assert cli.main([*words, "--type", f"{own}:Plain"]) == 0
    capsys.readouterr()
    folder = only(tmp_path / "r")
    fails(capsys, 2, f"was trained with it; name it again: --type {own}:Plain.", *words, "--resume")
    fails(capsys, 2, "0001: was trained with a class", "predict", str(folder / "networks" / "0001"))


SLIPS = {
    "json.py:Plane": "--type ../classes/json.py:Plane: ../classes/json.py has no 'Plane'; did you mean 'Plain'?",
    "nojson.py:Loud": "there is no file ",
    "json.py": "expected MODULE:CLASS that can be imported from here, or FILE.py:CLASS.",
    "json.py:": "expected MODULE:CLASS",
    "beside.py:Loud": "has no 'Loud'; it has no class under @fnn.static.",
    "json.py:dataclasses": "is no class with fields",
    "broken.py:Loud": "broken.py:Loud: importing it raised NameError: name 'there' is not defined; expected",
    "alias.py:Other": "is the class 'Mine'; expected its own name",
    "alias.py:Hides": "there are two classes 'Sigmoid', a config could not tell them apart",
}
ALIAS = """
import fnn
@fnn.static
class Mine(fnn.Sigmoid): pass
Other = Mine
@fnn.static
class Sigmoid(fnn.Tanh): pass
@fnn.static
class Hides(fnn.Tanh):
    inner: Sigmoid = Sigmoid()
"""


@pytest.mark.parametrize(("name", "said"), SLIPS.items(), ids=SLIPS)
def test_a_slip_in_the_name_of_a_class_is_one_line(name, said, own, tmp_path):
    (tmp_path / "classes" / "broken.py").write_text("there")
    (tmp_path / "classes" / "alias.py").write_text(ALIAS)
    with pytest.raises(fnn.InputError) as caught:
        own_types([f"../classes/{name}"])
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_two_classes_of_one_name_are_refused(own, tmp_path):
    other = tmp_path / "other.py"
    other.write_text("import fnn\n@fnn.static\nclass Plain(fnn.Tanh):\n    pass\n")
    with pytest.raises(fnn.InputError, match=r"other\.py:Plain: there are two classes 'Plain'"):
        own_types([f"{own}:Plain", f"{other}:Plain"])


@pytest.mark.parametrize("types", ["own:Plain", ["own:Plain", 3], {"own:Plain": 1}, None])
def test_what_a_damaged_file_remembers_is_read_without_trust(types, tmp_path):
    (tmp_path / "config.json").write_text(json.dumps({"types": types}))
    if isinstance(types, list):
        with pytest.raises(fnn.InputError, match="name it again: --type own:Plain"):
            own_types([], [tmp_path])
    else:
        assert own_types([], [tmp_path]) == {}
