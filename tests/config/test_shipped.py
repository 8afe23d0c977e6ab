"""A config that comes with fnn is found by its name, from any folder."""

from pathlib import Path

import pytest

from fnn import cli
from fnn.cli.common import resuming_command
from fnn.config import shipped
from fnn.errors import InputError
from tests.helpers.configs import GOOD

ROOT = Path(__file__).parents[2]


def test_all_configs_of_the_checkout_have_a_name():
    assert {f"{name}.toml" for name in shipped.names()} == {
        path.relative_to(ROOT / "configs").as_posix() for path in (ROOT / "configs").rglob("*.toml")
    }
    assert {"digits", "xor", "nielsen/ch1_30"} <= set(shipped.names())


@pytest.mark.parametrize("name", ["digits", "nielsen/ch1_30"])
def test_a_name_is_a_config_unless_there_is_a_file_of_that_name(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = shipped.located(name)
    assert path == str(shipped.folder() / f"{name}.toml")
    assert shipped.named(path) == name
    (tmp_path / name).mkdir(parents=True)  # a folder is no config
    assert shipped.located(name) == path
    (tmp_path / name).rmdir()
    (tmp_path / name).write_text(GOOD)
    assert shipped.located(name) == name
    assert shipped.named(path) == path


def test_a_file_of_the_user_wins_and_what_is_no_name_is_left_as_it_is(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "configs").mkdir()
    (tmp_path / "configs" / "digits.toml").write_text(GOOD)
    for path in ("configs/digits.toml", "mine.toml", "absent/digits", "rules:check", str(tmp_path)):
        assert shipped.located(path) == path
        assert shipped.named(path) == path


@pytest.mark.parametrize("command", ["run", "sweep", "compare", "gradcheck", "explain"])
@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("digit", "comes with fnn: digits, digits_conv, .*, nielsen/ch6_relu; did you mean 'digits'?"),
        ("digits.toml", "there is no such file; the config that comes with fnn is called 'digits'"),
        ("configs/nielsen/ch1_30.toml", "the config that comes with fnn is called 'nielsen/ch1_30'"),
    ],
)
def test_an_unknown_name_is_answered_by_the_names(command, name, said, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match=said):
        shipped.located(name)
    assert cli.main([command, name]) == 2
    assert capsys.readouterr().err.startswith(f"fnn: {name}: ")


def test_a_run_by_name_keeps_the_config_as_it_is(tmp_path, monkeypatch, no_pictures):
    monkeypatch.chdir(tmp_path)
    assert cli.main(["run", "xor", "--set", "training.epochs=1", "--out", "runs"]) == 0
    (folder,) = (tmp_path / "runs").iterdir()
    assert (folder / "config.toml").read_bytes() == (ROOT / "configs" / "xor.toml").read_bytes()


def test_the_command_that_goes_on_names_the_config_as_the_user_did(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    options = cli.parser().parse_args(["run", str(shipped.folder() / "xor.toml")])
    assert resuming_command(options) == "fnn run xor --out runs --resume"


def test_a_path_in_a_packaged_config_is_relative_to_it(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    own = tmp_path / "installed"
    own.mkdir()
    (own / "table.toml").write_text(GOOD.replace('source = "digits"', 'source = "table.csv"'))
    monkeypatch.setattr(shipped, "folder", lambda: own)
    assert cli.main(["run", "table"]) == 2
    assert str(own / "table.csv") in capsys.readouterr().err
