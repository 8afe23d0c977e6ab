"""Pictures decide no exit status: no setting of matplotlib ends a training, and no failure does."""

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from fnn import cli
from fnn.cli.common import drawn
from fnn.errors import StoppedError
from fnn.plots import curves
from tests.helpers.configs import GRID
from tests.helpers.support import fails

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(not curves.available(), reason="matplotlib is not installed"),
]
XOR = Path(__file__).parents[2] / "configs" / "xor.toml"
NOTEBOOK = {"MPLBACKEND": "module://matplotlib_inline.backend_inline"}


def fnn(*words, cwd, **settings):
    """The status, stdout and stderr of `fnn WORDS` in a process of its own."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MPL")} | settings
    command = [sys.executable, "-m", "fnn.cli", *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=cwd, env=environment)
    return done.returncode, done.stdout, done.stderr


@pytest.fixture(scope="module")
def expected(tmp_path_factory):
    """The bytes of the picture that a training without any settings of the user's draws."""
    folder = tmp_path_factory.mktemp("plain")
    assert fnn("run", XOR, "--set", "training.epochs=2", cwd=folder)[0] == 0
    (picture,) = folder.glob("runs/*/learning.png")
    return picture.read_bytes()


SELDOM = [pytest.param(backend, marks=pytest.mark.campaign) for backend in ("TkAgg", "", "agg\r")]


@pytest.mark.campaign
@pytest.mark.parametrize("backend", [NOTEBOOK["MPLBACKEND"], "nonsense", *SELDOM])
def test_a_backend_that_is_not_here_changes_no_picture(backend, expected, tmp_path):
    status, out, error = fnn("run", XOR, "--set", "training.epochs=2", cwd=tmp_path, MPLBACKEND=backend)
    assert (status, error) == (0, "")
    assert "pictures: learning.png" in out
    (picture,) = tmp_path.glob("runs/*/learning.png")
    assert picture.read_bytes() == expected


def test_a_matplotlibrc_changes_no_picture(expected, tmp_path):
    (tmp_path / "matplotlibrc").write_text("text.usetex: True\nbackend: TkAgg\nfont.size: 40\nsavefig.dpi: 9\n")
    assert fnn("run", XOR, "--set", "training.epochs=2", cwd=tmp_path)[::2] == (0, "")
    (picture,) = tmp_path.glob("runs/*/learning.png")
    assert picture.read_bytes() == expected


def test_every_command_that_draws_takes_the_backend_of_a_notebook(tmp_path):
    (tmp_path / "grid.toml").write_text(GRID)
    assert fnn("gradcheck", XOR, "--out", "check", cwd=tmp_path, **NOTEBOOK)[::2] == (0, "")
    assert (tmp_path / "check/gradcheck.png").exists()
    words = ("sweep", "grid.toml", "--set", "training.epochs=1", "--set", "sweep.seeds=1")
    assert fnn(*words, cwd=tmp_path, **NOTEBOOK)[::2] == (0, "")
    (sweep,) = (tmp_path / "runs").iterdir()
    assert (sweep / "heat_map.png").exists()


def raising(error):
    def draw(*_, **__):
        raise error

    return draw


FAILURES = {
    "matplotlib": (ValueError("two\nlines"), "ValueError: two lines"),
    "no LaTeX": (RuntimeError("latex was not able to process"), "RuntimeError: latex was not able"),
    "half installed": (ImportError("DLL load failed"), "ImportError: DLL load failed"),
    "no room": (OSError(errno.ENOSPC, "No space left on device"), "No space left on device"),
    "a font": (MemoryError(), "MemoryError"),
}


@pytest.mark.parametrize(("error", "said"), FAILURES.values(), ids=FAILURES)
def test_a_picture_that_cannot_be_drawn_is_one_line(error, said, config, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(curves, "write", raising(error))
    monkeypatch.setattr("fnn.plots.gradcheck.write", raising(error))
    fails(capsys, 0, said, "run", config, "--out", str(tmp_path / "runs"), "--set", "training.epochs=1")
    (run,) = (tmp_path / "runs").iterdir()
    assert (run / "result.json").exists()
    assert cli.main(["report", str(run), "--out", str(tmp_path / "report")]) == 0  # its page needs no matplotlib
    assert not capsys.readouterr().err
    fails(capsys, 0, said, "gradcheck", config, "--out", str(tmp_path / "check"))
    assert (tmp_path / "check/gradcheck.json").exists()
    monkeypatch.undo()
    assert cli.main(["run", config, "--out", str(tmp_path / "runs"), "--set", "training.epochs=1", "--resume"]) == 0
    assert (run / "learning.png").exists()


def test_a_signal_is_no_failure_of_a_picture():
    with pytest.raises(StoppedError):
        drawn(raising(StoppedError(15)), "")


def test_names_with_dollar_signs_are_drawn_as_they_are(tmp_path):
    line = {"epoch": 1, "train_cost": 1.0, "validation_cost": 0.5}
    for title in (r"$\frac", "$50$ and $60$", "^_{}$"):
        with curves.own_settings():
            curves.learning([line, line | {"epoch": 2}], tmp_path / "it.png", title)
        assert (tmp_path / "it.png").exists()


def test_the_users_settings_are_as_before():
    mpl = pytest.importorskip("matplotlib")
    with mpl.rc_context({"font.size": 31.0}):
        with curves.own_settings():
            assert mpl.rcParams["font.size"] == 10
        assert mpl.rcParams["font.size"] == 31
