"""Idle cores are asked to stay awake for as long as a program runs, and no longer; who cannot ask is told."""

import os
import struct
from pathlib import Path

import pytest

import fnn
from fnn import cli
from fnn.errors import InputError
from fnn.machine import idle_cores

XOR = Path(__file__).parents[2] / "configs" / "xor.toml"
EAR = idle_cores.REQUEST, idle_cores.DRIVER


@pytest.fixture(autouse=True)
def kernel(monkeypatch, tmp_path):
    """A kernel of our own: the file that takes requests, and the one that says who puts cores to sleep."""
    monkeypatch.setattr(idle_cores, "REQUEST", tmp_path / "request")
    monkeypatch.setattr(idle_cores, "DRIVER", tmp_path / "driver")
    idle_cores.REQUEST.touch()
    idle_cores.DRIVER.write_text("intel_idle\n")


def requests():
    """How often this process has the file of requests open."""
    links = (os.readlink(f"/dev/fd/{fd}") for fd in os.listdir("/dev/fd") if os.path.islink(f"/dev/fd/{fd}"))
    return sum(link == str(idle_cores.REQUEST) for link in links)


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="this system does not say which files are open")
def test_the_request_is_open_inside_and_closed_after_whatever_happens():
    with fnn.awake():
        assert requests() == 1
        assert idle_cores.REQUEST.read_bytes() == struct.pack("i", 0)
    assert requests() == 0
    with pytest.raises(ZeroDivisionError), fnn.awake():
        _ = 1 / 0
    assert requests() == 0


@pytest.mark.skipif(not os.access(EAR[0], os.R_OK | os.W_OK), reason="this user may not ask the kernel")
def test_the_kernel_hears_it(monkeypatch):
    monkeypatch.setattr(idle_cores, "REQUEST", EAR[0])
    with fnn.awake(), EAR[0].open("rb", buffering=0) as file:
        assert struct.unpack("i", file.read(4)) == (0,)


def refused():
    """What `fnn run --awake` says, having made nothing."""
    with pytest.raises(InputError) as error, fnn.awake():
        pytest.fail("awake without a kernel that listens")
    return str(error.value)


def test_without_the_file_there_is_one_line_and_no_run(capsys, tmp_path):
    idle_cores.REQUEST.unlink()
    assert "there is no" in refused()
    for command in ("run", "sweep"):
        assert cli.main([command, str(XOR), "--awake", "--out", str(tmp_path / "runs")]) == 2
    assert cli.main(["compare", str(XOR), "--awake"]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 3
    assert all(line.startswith("fnn: awake: there is no ") and "taskset" in line for line in lines)
    assert not (tmp_path / "runs").exists()


def test_without_the_right_it_says_so(monkeypatch):
    monkeypatch.setattr(idle_cores, "REQUEST", idle_cores.REQUEST.parent)  # root may write every file, but no folder
    assert "Is a directory" in refused()
    assert "as root has" in refused()


@pytest.mark.parametrize("said", ["none\n", None])
def test_a_kernel_that_would_not_heed_is_not_asked(said):
    idle_cores.DRIVER.write_text(said) if said else idle_cores.DRIVER.unlink()
    assert "does not decide which core sleeps" in refused()
    assert idle_cores.REQUEST.read_bytes() == b""


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="no process here chooses its cores")
def test_the_time_to_wake_is_measured_between_two_cores(monkeypatch):
    before = os.sched_getaffinity(0)
    seconds = idle_cores.wake_time(messages=20)
    assert os.sched_getaffinity(0) == before
    assert seconds is None if len(before) < 2 else 0 < seconds < 1
    monkeypatch.setattr(idle_cores.os, "sched_getaffinity", lambda pid: {0})
    assert idle_cores.wake_time() is None
