"""What pyproject.toml, the CHANGELOG and the code say of the package, as far as nothing need be built."""

import re
import tomllib
from pathlib import Path

import pytest

import fnn
from fnn import cli

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
EXTRAS = PROJECT["project"]["optional-dependencies"]


def test_the_version_stands_in_one_place(capsys):
    """`fnn.__version__`, from which the wheel has it; the newest heading of the CHANGELOG agrees."""
    assert PROJECT["project"]["dynamic"] == ["version", "readme"]
    assert PROJECT["tool"]["hatch"]["version"]["path"] == "src/fnn/__init__.py"
    changes = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    newest, said = re.findall(r"^## \[(\d+\.\d+\.\d+)\] - (\d{4}-\d\d-\d\d|unreleased)$", changes, re.M)[0]
    assert newest == fnn.__version__, said
    with pytest.raises(SystemExit):
        cli.main(["--version"])
    assert capsys.readouterr().out == f"fnn {fnn.__version__}\n"


def test_the_changelog_keeps_its_form():
    changes = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    kinds = {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}
    assert set(re.findall(r"^### (.*)$", changes, re.M)) <= kinds
    commands = {row.name for row in cli.commands.COMMANDS}
    assert set(re.findall(r"fnn (\w+) [A-Z]", changes)) <= commands


def test_the_page_of_the_package_has_no_link_into_the_repository():
    """The README has some, which work there alone; links to addresses stay."""
    hook = PROJECT["tool"]["hatch"]["metadata"]["hooks"]["fancy-pypi-readme"]
    text = "".join((ROOT / each["path"]).read_text(encoding="utf-8") for each in hook["fragments"])
    text += "\n![a](docs/a.png)\n*b [c](d) e*\n[f](https://example.org) [g](h.md)\n"
    for each in hook["substitutions"]:
        text = re.sub(each["pattern"], each["replacement"], text)
    assert text.endswith("[f](https://example.org) g\n")
    code = re.compile(r"^```.*?^```|`[^`\n]*`", re.M | re.S)
    assert set(re.findall(r"\]\(([^)]*)\)", code.sub("", text))) == {"https://example.org"}
    assert "docs/pictures" not in text


def test_every_extra_that_a_message_names_is_there():
    named = set()
    for path in Path(fnn.__file__).parent.rglob("*.py"):
        named |= set(re.findall(r"(?:fnn|\.)\[(\w+)\]'", path.read_text(encoding="utf-8")))
    assert {"plots", "parquet"} <= named <= set(EXTRAS)


def test_make_extras_installs_every_extra():
    """But those for other devices; matplotlib comes with the tests."""
    group = {entry for entry in PROJECT["dependency-groups"]["extras"] if isinstance(entry, str)}
    group |= set(PROJECT["dependency-groups"]["test"])
    assert {need for name, needs in EXTRAS.items() if name not in ("cuda", "tpu") for need in needs} <= group


def test_types_and_licence_are_declared():
    assert Path(fnn.__file__).with_name("py.typed").read_bytes() == b""
    assert "Typing :: Typed" in PROJECT["project"]["classifiers"]
    assert PROJECT["project"]["license"] == (ROOT / "LICENSE").read_text(encoding="utf-8").split()[0]
