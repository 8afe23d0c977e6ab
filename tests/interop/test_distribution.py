"""The wheel and the sdist: built, looked at, installed in an environment without the checkout, and used there."""

import email
import hashlib
import os
import re
import subprocess
import sys
import sysconfig
import tarfile
import zipfile
from pathlib import Path

import pytest

import fnn
from fnn.config import shipped

pytest.importorskip("build")
pytest.importorskip("twine")
pytest.importorskip("hatch_fancy_pypi_readme")
pytestmark = pytest.mark.skipif(os.environ.get("FNN_EXTRAS") != "1", reason="make extras builds the package")

ROOT = Path(__file__).parents[2]


def ran(*command, cwd=None):
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"} | {"FNN_CACHE": "off"}
    ended = subprocess.run(list(map(str, command)), capture_output=True, text=True, cwd=cwd, env=environment)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """The sdist, the wheel that is built of it, and the wheel that is built of the checkout."""
    folder = tmp_path_factory.mktemp("built")
    ran(sys.executable, "-m", "build", "--no-isolation", "--outdir", folder, ROOT)
    ran(sys.executable, "-m", "build", "--no-isolation", "--wheel", "--outdir", folder / "direct", ROOT)
    return next(folder.glob("*.tar.gz")), next(folder.glob("*.whl")), next((folder / "direct").glob("*.whl"))


@pytest.fixture(scope="module")
def installed(built, tmp_path_factory):
    """The folder of commands of an environment with the wheel; what it needs is that of this one, but not its fnn."""
    folder = tmp_path_factory.mktemp("installed")
    ran(sys.executable, "-m", "venv", "--without-pip", folder)
    python = folder / "bin" / "python"
    ran(sys.executable, "-m", "pip", "--python", python, "install", "--no-deps", "--no-index", built[1])
    own = Path(ran(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))").strip())
    (own / "needs.pth").write_text(sysconfig.get_path("purelib"), encoding="utf-8")  # whose own .pth files are not read
    assert Path(ran(python, "-c", "import fnn; print(fnn.__file__)", cwd=folder).strip()).is_relative_to(folder)
    return folder / "bin"


def test_the_wheel_has_the_code_the_data_the_configs_and_the_licence(built):
    names = set(zipfile.ZipFile(built[1]).namelist())
    info = f"fnn-{fnn.__version__}.dist-info"
    assert {name.split("/")[0] for name in names} == {"fnn", info}
    assert not [name for name in names if re.search(r"(^|/)(tests|experiments|docs)/|__pycache__|\.lock", name)]
    code = {path.relative_to(ROOT / "src").as_posix() for path in (ROOT / "src" / "fnn").rglob("*.*") if path.is_file()}
    assert {name for name in code if "__pycache__" not in name} <= names
    assert {f"fnn/configs/{name}.toml" for name in shipped.names()} <= names
    assert {"fnn/py.typed", "fnn/data/resources/digits.npz", f"{info}/licenses/LICENSE"} <= names


def test_the_sdist_builds_the_same_wheel(built):
    def contents(wheel):
        archive = zipfile.ZipFile(wheel)
        return {name: hashlib.sha256(archive.read(name)).hexdigest() for name in archive.namelist()}

    assert contents(built[1]) == contents(built[2])
    with tarfile.open(built[0]) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {"LICENSE", "README.md", "CHANGELOG.md", "pyproject.toml"} <= names
    assert not [name for name in names if name.startswith(("tests", "experiments"))]


def test_the_metadata_are_right(built):
    ran(sys.executable, "-m", "twine", "check", "--strict", built[0], built[1])
    archive = zipfile.ZipFile(built[1])
    (path,) = (name for name in archive.namelist() if name.endswith("/METADATA"))
    about = email.message_from_bytes(archive.read(path))
    assert (about["Version"], about["License-Expression"]) == (fnn.__version__, "MIT")
    assert "docs/pictures" not in about.get_payload()
    assert "optax" in about.get_all("Provides-Extra")


def test_the_installed_package_runs(installed, tmp_path):
    assert ran(installed / "fnn", "--version", cwd=tmp_path) == f"fnn {fnn.__version__}\n"
    assert "run directory: runs/xor-" in ran(installed / "fnn", "run", "xor", cwd=tmp_path)
    (folder,) = (tmp_path / "runs").iterdir()
    assert (folder / "config.toml").read_bytes() == (ROOT / "configs" / "xor.toml").read_bytes()
    assert (folder / "learning.png").exists()
    code = "import fnn; print(fnn.load_data('digits').train.n, fnn.Dense(3))"
    assert ran(installed / "python", "-c", code, cwd=tmp_path).startswith("1797 Dense(")
    assert "fnn" in ran(installed / "fnn", "doctor", cwd=tmp_path)
