"""Surroundings that are wrong: settings of JAX, `~`, streams that are closed, characters that cannot be seen."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from fnn import cli
from tests.helpers.support import fails

pytestmark = pytest.mark.long  # on the newest Python a change has no time for these

XOR = Path(__file__).parents[2] / "configs" / "xor.toml"


def fnn(*words, then="", cwd=None, **settings):
    """The status, stdout and stderr of `fnn WORDS` in a process of its own; `then` stands behind the words."""
    others = ("MPLBACKEND", "PYTHONUNBUFFERED", "JAX_")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(others)} | settings
    command = ["bash", "-c", f'"$@" {then}', "bash", sys.executable, "-m", "fnn.cli", *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=cwd, env=environment)
    return done.returncode, done.stdout, done.stderr


SETTINGS = {
    "a platform that is none": ("JAX_PLATFORMS", "nonsense", "'nonsense' is not in the list of known backends"),
    "an accelerator that is not here": ("JAX_PLATFORMS", "tpu", "Unable to initialize backend 'tpu'"),
    "a plugin that is not installed": ("JAX_PLATFORMS", "rocm", "JAX does not start here"),
    "a flag that is no flag": ("JAX_ENABLE_X64", "maybe", "invalid truth value 'maybe'"),
    "a number that is none": ("JAX_NUM_CPU_DEVICES", "two", 'Invalid value "two"'),
    "a line end of Windows": ("JAX_PLATFORMS", "cpu\r", "JAX_PLATFORMS='cpu\\r'"),
}


@pytest.mark.parametrize(("name", "value", "said"), SETTINGS.values(), ids=SETTINGS)
def test_a_setting_that_jax_cannot_take_is_one_line(name, value, said):
    status, out, error = fnn("explain", XOR, **{name: value})
    assert (status, out, error.count("\n")) == (2, "", 1)
    assert said in error
    assert f"this environment sets {name}={value!r}: unset what is wrong." in error


FLAGS = {
    "unknown": ("--xla_nonsense=1", "Unknown flag in XLA_FLAGS: --xla_nonsense=1; correct it, or unset it."),
    "a known one and a slip": (
        "--xla_gpu_deterministic_ops=true --xla_gpu_deterministic_op=true",
        "deterministic_op=tr",
    ),
    "without its dashes": ("xla_dump_to=dumped", 'Could not open file "xla_dump_to=dumped" to read flags'),
}


@pytest.mark.parametrize("command", ["run", "gradcheck", "explain"])
@pytest.mark.parametrize(("flags", "said"), FLAGS.values(), ids=FLAGS)
def test_flags_that_end_xla_are_one_line(flags, said, command, tmp_path):
    status, out, error = fnn(command, XOR, XLA_FLAGS=flags, cwd=tmp_path)
    assert (status, out, error.count("\n")) == (2, "", 1)
    assert error.startswith(f"fnn: XLA_FLAGS={flags!r}: XLA does not start: ")
    assert said in error
    assert list(tmp_path.iterdir()) == []


def test_flags_that_xla_knows_are_taken(tmp_path):
    flags = "--xla_gpu_deterministic_ops=true --xla_cpu_enable_fast_math=false"
    assert fnn("explain", XOR, XLA_FLAGS=flags, cwd=tmp_path)[::2] == (0, "")


def test_doctor_says_once_what_to_unset():
    status, out, error = fnn("doctor", JAX_PLATFORMS="nonsense", FNN_DATA_DIR="/nowhere")
    assert (status, error) == (1, "")
    (remedy,) = out.partition("\n\n")[2].splitlines()
    assert remedy.startswith("devices, gradient, canary, repeatability: JAX does not start here")
    assert "JAX_PLATFORMS='nonsense': unset" in remedy
    assert "install fnn anew" not in out


@pytest.mark.parametrize("words", [("data",), ("explain", XOR), ("predict", "runs/x"), ("compare", XOR)], ids=str)
def test_a_command_that_only_prints_needs_a_stdout(words):
    status, _, error = fnn(*words, then=">&-")
    assert status == 2
    assert error == f"fnn: stdout is closed, and fnn {words[0]} does nothing but print; give it one: > FILE.\n"


def test_a_training_needs_no_stream_and_nothing_strays_into_its_files(tmp_path):
    words = ("run", XOR, "--set", "training.epochs=2", "--out", tmp_path / "runs")
    assert fnn(*words, then="<&- >&- 2>&-") == (0, "", "")
    assert fnn(*words)[0] == 0
    closed, whole = sorted((tmp_path / "runs").iterdir())
    for name in ("params.npz", "config.toml", "environment.json"):
        assert (closed / name).read_bytes() == (whole / name).read_bytes()


def test_an_error_without_a_stderr_keeps_its_status_and_prints_nothing():
    assert fnn("explain", "no.toml", then="2>&-") == (2, "", "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no full device")
@pytest.mark.parametrize("words", [("data",), ("explain", XOR), ("--help",)], ids=str)
def test_output_that_nobody_can_write_is_one_line(words):
    status, _, error = fnn(*words, then="> /dev/full")
    assert (status, error) == (
        2,
        "fnn: stdout: cannot be written (No space left on device); what was printed is incomplete.\n",
    )


@pytest.mark.parametrize("words", [("data",), ("--help",)], ids=str)
def test_a_reader_who_leaves_before_the_end_hears_nothing(words):
    status, _, error = fnn(*words, then="| true; exit ${PIPESTATUS[0]}")
    assert (status in (0, 141), error) == (True, "")


@pytest.mark.campaign
def test_a_tilde_is_the_home_folder_wherever_a_path_is_given(config, tmp_path, capsys, monkeypatch):
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.chdir(tmp_path)
    Path(config).rename(home / "good.toml")
    assert cli.main(["run", "~/good.toml", "--out", "~/runs", "--set", "training.epochs=1"]) == 0
    (run,) = (home / "runs").iterdir()
    run = f"~/runs/{run.name}"
    assert cli.main(["verify", run]) == 0
    assert cli.main(["report", run, run, "--out", "~/report"]) == 0
    assert (home / "report" / "report.html").exists()
    assert cli.main(["gradcheck", "~/good.toml", "--out", "~/check"]) == 0
    assert (home / "check" / "gradcheck.json").exists()
    (home / "x.csv").write_text(",".join(f"x{i}" for i in range(64)) + "\n" + ",".join(["0"] * 64) + "\n")
    capsys.readouterr()
    assert cli.main(["predict", run]) == 0
    cli.main(["predict", run, "~/x.csv"])
    assert "no such file" not in capsys.readouterr().err
    assert not list(tmp_path.glob("*~*"))
    assert not list(Path().glob("~*"))


def test_a_cache_in_the_home_folder(tmp_path):
    (tmp_path / "home").mkdir()
    words = ("run", XOR, "--set", "training.epochs=1", "--out", tmp_path / "runs", "--cache", "~/cache")
    assert fnn(*words, cwd=tmp_path, HOME=str(tmp_path / "home"))[0] == 0
    assert list((tmp_path / "home/cache").iterdir())
    assert not (tmp_path / "~").exists()


def test_a_tilde_in_the_variables_of_libraries(tmp_path):
    (tmp_path / "home").mkdir()
    settings = {name: f"~/{name}" for name in ("MPLCONFIGDIR", "JAX_COMPILATION_CACHE_DIR", "XDG_CACHE_HOME")}
    words = ("run", XOR, "--set", "training.epochs=1", "--out", tmp_path / "runs")
    assert fnn(*words, cwd=tmp_path, HOME=str(tmp_path / "home"), **settings)[::2] == (0, "")
    assert not (tmp_path / "~").exists()
    status, _, error = fnn(*words, cwd=tmp_path, MPLCONFIGDIR="~no-such-user/mpl")
    assert (status, error.count("\n")) == (2, 1)
    assert "MPLCONFIGDIR ~no-such-user/mpl: there is no such user" in error


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no full device")
def test_a_training_whose_lines_cannot_be_written_is_kept(tmp_path):
    status, _, error = fnn("run", XOR, "--set", "training.epochs=2", "--out", tmp_path, then="> /dev/full")
    assert (status, error.count("\n")) == (2, 1)
    assert "stdout: cannot be written (No space left on device)" in error
    assert list(tmp_path.glob("*/result.json"))


@pytest.mark.parametrize("words", [("run", "{}", "--out", "~no-such-user/r"), ("verify", "~no-such-user/r")], ids=str)
def test_the_home_folder_of_nobody_is_refused(words, config, capsys):
    fails(capsys, 2, "~no-such-user/r: there is no such user", *(word.format(config) for word in words))


HIDDEN = {
    "a config": ("explain", "{}\r"),
    "a value": ("explain", "{}", "--set", "training.epochs=3\r"),
    "a folder": ("run", "{}", "--out", "runs\r"),
    "a run": ("verify", "runs/a\r"),
    "runs": ("report", "runs/a", "runs/b\r"),
    "a type": ("explain", "{}", "--type", "module:Class\r"),
    "a source": ("data", "mnist\r"),
    "an escape": ("explain", "a\x1b[2Jb"),
}


@pytest.mark.parametrize("words", HIDDEN.values(), ids=HIDDEN)
def test_a_character_that_cannot_be_seen_is_shown(words, config, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    fails(capsys, 2, "\\x1b" if "\x1b" in words[1] else "\\r", *(word.format(config) for word in words))
    assert not list(tmp_path.glob("runs*"))
