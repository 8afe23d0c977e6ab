"""--devices and --distributed: several devices and processes train one run."""

import json
import os

import jax
import numpy as np
import pytest

from fnn import cli
from fnn.cli import commands, joining, verify
from fnn.data import load_data
from fnn.machine import devices, processes
from tests.helpers.configs import GOOD
from tests.helpers.several_processes import Ranks

SMALL = ["--set", "training.epochs=2"]


def params(folder):
    (run,) = folder.iterdir()
    with np.load(run / "params.npz") as arrays:
        return [arrays[name] for name in arrays.files]


ROW = 5120  # bytes, more than a page: of smaller rows those in between are read too
COUNTING = """
import os
from fnn.machine import data_digests
from fnn.plots import curves
curves.available, data_digests.SAMPLE = (lambda: False), 20
def counted(file, size, start, pread=os.pread, read=open({path!r}, "w", buffering=1)):
    read.write(f"{{size}}\\n")
    return pread(file, size, start)
os.pread = counted
"""
SLOW_CLOCK = """
from fnn.training import fitting
def slower(*all, timed=fitting._timed):
    seconds, outputs = timed(*all)
    return seconds + 2, outputs
fitting._timed = slower
"""


def in_file(folder):
    """A config of 400 digits in a file, of which 300 are to train on and 100 are in memory at a time."""
    digits = load_data("digits").train
    np.save(folder / "x.npy", np.tile(digits.x[:400], ROW // 64))
    np.save(folder / "y.npy", digits.y[:400].argmax(axis=1))
    files = f'source = "x.npy"\ny = "y.npy"\nscale = 0.01\nmemory = {3 * 100 * ROW / 2**30}'
    text = GOOD.replace('source = "digits"', files).replace(
        "validation = 100\ntest = 300", "validation = 50\ntest = 50"
    )
    (folder / "in_file.toml").write_text(text)
    return str(folder / "in_file.toml")


def test_two_processes_train_one_run_which_is_that_of_one_device_and_read_their_rows(tmp_path, capsys, no_pictures):
    config, out = in_file(tmp_path), str(tmp_path / "two")
    before = {i: COUNTING.format(path=str(tmp_path / f"read-{i}")) for i in (0, 1)}
    before[1] += SLOW_CLOCK  # by its clock it would run another program than process 0
    ranks = Ranks(tmp_path / "said", ["run", config, *SMALL, "--out", out], before=before)
    assert cli.main(["run", config, *SMALL, "--out", str(tmp_path / "one")]) == 0
    alone = capsys.readouterr().out
    assert ranks.wait(120) == {0: 0, 1: 0}, (ranks.err(0), ranks.err(1))
    for one, two in zip(params(tmp_path / "one"), params(tmp_path / "two"), strict=True):
        assert np.abs(one - two).max() <= 1e-5 * np.abs(one).max()
    assert ranks.out(0).count("2 processes x 1 devices (cpu) on ") == ranks.out(0).count("epoch 2/2") == 1
    assert ranks.out(0).splitlines()[-1] == alone.splitlines()[-1].replace("/one/", "/two/")
    assert ranks.out(1) == ranks.err(0) == ranks.err(1) == ""
    (run,) = (tmp_path / "two").iterdir()
    environment = json.loads((run / "environment.json").read_text())
    assert (environment["processes"], environment["devices"]) == (2, {"kind": "cpu", "number": 2})
    read = [sum(map(int, (tmp_path / f"read-{i}").read_text().split())) / ROW for i in (0, 1)]
    # samples; two epochs that train and evaluate; up to three windows of 50 rows that are read to compile the program
    assert read[1] <= 3 * 20 + 2 * 2 * (300 / 2 + 10) + 2 * (100 / 2 + 10) + 150
    assert read[0] >= read[1] + 400 - 3 * 50  # process 0 alone hashes the file


def test_a_run_of_more_devices_goes_on_with_one_is_named_and_is_verified_up_to_rounding(config, tmp_path, capsys):
    out = ["--out", str(tmp_path / "runs")]
    assert cli.main(["run", config, *SMALL, *out]) == 0
    (run,) = (tmp_path / "runs").iterdir()
    environment = json.loads((run / "environment.json").read_text())
    then = {"devices": {"kind": "cpu", "number": 4}, "processes": 2}
    (run / "environment.json").write_text(json.dumps(environment | then))
    capsys.readouterr()
    assert cli.main(["run", config, "--set", "training.epochs=3", *out, "--resume"]) == 0
    changes = [
        "devices.number was 4, is 1 (equal to 1e-5, not to the bit)",
        "processes was 2, is 1 (equal to 1e-5, not to the bit)",
    ]
    assert f"fnn: going on under changes: {'; '.join(changes)}\n" in capsys.readouterr().err
    (longer,) = set((tmp_path / "runs").iterdir()) - {run}
    assert json.loads((longer / "environment.json").read_text())["changes"] == changes
    for each in (run, longer):
        assert cli.main(["verify", str(each)]) == 0
        assert "the same but for rounding: params.npz to 0.0e+00" in capsys.readouterr().out
    lines = (longer / "metrics.jsonl").read_text().splitlines()
    assert differs(lines[0], 1.001)
    assert not differs(lines[0], 1 + 1e-7)


def differs(line, factor):
    """Whether verify calls a run of other devices different, whose training cost is so many times as high."""
    then = json.loads(line)
    return verify._far(then, then | {"train_cost": then["train_cost"] * factor})


def test_all_devices_of_a_machine_with_one_are_that_one(config, tmp_path, monkeypatch):
    monkeypatch.setattr(jax, "devices", lambda real=jax.devices: real()[:1])
    assert devices.chosen("all") is devices.chosen("1") is devices.chosen(None) is None


@pytest.mark.parametrize("which", ["0", "-1", "two", "1.5", ""])
def test_a_number_of_devices_that_is_none_is_refused(which, config, capsys):
    assert cli.main(["run", config, "--devices", which]) == 2
    assert capsys.readouterr().err == f"fnn: --devices {which}: expected a number of devices from 1 on, or all.\n"


def test_more_devices_than_there_are_are_refused(config, capsys):
    there = len(jax.devices())
    assert cli.main(["run", config, "--devices", "99"]) == 2
    assert (
        capsys.readouterr().err
        == f"fnn: --devices 99: this machine has {there} (cpu); expected 1 to {there}, or all.\n"
    )


def test_no_scheduler_is_an_error_and_no_run_begins(config, tmp_path, capsys, monkeypatch):
    def nothing_found(**_):
        raise ValueError("coordinator_address should be defined.")

    monkeypatch.setattr(jax.distributed, "initialize", nothing_found)
    for name in [name for name in os.environ if name.startswith(("SLURM_", "OMPI_"))] + ["RANK", "WORLD_SIZE"]:
        monkeypatch.delenv(name, raising=False)
    assert cli.main(["run", config, "--out", str(tmp_path / "runs"), "--distributed"]) == 2
    said = capsys.readouterr().err
    assert "there is no scheduler that JAX knows" in said
    assert "expected HOST:PORT,N,I" in said
    assert not (tmp_path / "runs").exists()


def test_a_task_of_several_that_trains_alone_warns(config, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("SLURM_STEP_NUM_TASKS", "4")
    monkeypatch.setenv("SLURM_PROCID", "0")
    assert cli.main(["run", config, *SMALL, "--out", str(tmp_path)]) == 0
    assert capsys.readouterr().err.startswith("fnn: warning: this is one of 4 tasks of SLURM, and each trains a run")


def test_the_command_that_goes_on_names_devices_and_processes():
    options = cli.parser().parse_args(["run", "a.toml", "--devices", "2", "--distributed", "h:1,2,0"])
    assert joining.resuming_command(options).endswith("--out runs --resume --devices 2 --distributed h:1,2,0")
    options = cli.parser().parse_args(["run", "a.toml", "--distributed"])
    assert joining.resuming_command(options).endswith("--resume --distributed")


class Ended(BaseException):
    """In place of the end of this process."""


@pytest.fixture
def joined(monkeypatch):
    """A process that is joined with another one, which only listens; the statuses and lines with which it ends."""
    said = []

    class Others:
        hosts = ("a", "b")
        gone = staticmethod(lambda seconds: None)
        wait_for_others = staticmethod(lambda: None)
        say_goodbye = staticmethod(lambda status, line: said.append((status, line)))
        name = staticmethod(lambda index: f"process {index} of 2 (b)")
        exchange = staticmethod(lambda value: [value, {"config": {"seed": 7}}])

    def end(status):
        raise Ended(status)

    monkeypatch.setattr(processes.signals, "end", end)
    monkeypatch.setattr(processes, "_joined", [processes.Joined(Others(), "fnn run c --resume")])
    return said


@pytest.mark.parametrize(
    ("error", "status", "line"),
    [
        (joining.InputError("x.csv: there is no such file."), 2, "x.csv: there is no such file."),
        (commands.StoppedError(15, "stopped by SIGTERM"), 143, "stopped by SIGTERM"),
        (OSError(28, "No space left on device", "runs/a"), 2, "runs/a: No space left on device."),
        (ZeroDivisionError("by zero"), 1, "ZeroDivisionError: by zero"),
    ],
)
def test_every_error_of_one_process_ends_it_at_once_and_tells_the_others(joined, error, status, line, capfd):
    with pytest.raises(Ended) as end, processes.together(joining._ending):
        raise error
    assert (end.value.args, joined) == ((status,), [(status, line)])
    said = capfd.readouterr().err
    assert said.splitlines()[-1] == f"fnn: {line}"
    assert ("Traceback" in said) == (status == 1)


def test_an_error_of_jax_that_names_another_process_is_status_5_and_the_command_that_goes_on(joined, capfd):
    with pytest.raises(Ended) as end, processes.together(joining._ending):
        raise jax.errors.JaxRuntimeError("UNKNOWN: Gloo: Connection closed by peer [127.0.0.1]:1")
    assert end.value.args == (5,)
    said = capfd.readouterr().err
    assert said.startswith("fnn: another process was lost (UNKNOWN: Gloo: Connection closed by peer")
    assert said.endswith("; go on with: fnn run c --resume\n")


def test_out_of_memory_is_an_error_of_this_process(joined):
    with pytest.raises(Ended) as end, processes.together(joining._ending):
        raise jax.errors.JaxRuntimeError("RESOURCE_EXHAUSTED: Out of memory allocating 9 bytes")
    assert end.value.args == (1,)


def test_an_entry_that_differs_is_named_with_its_process(joined):
    with pytest.raises(
        joining.InputError, match=r"process 1 of 2 \(b\) differs from process 0: config.seed is 7, not 0"
    ):
        processes.check_same({"config": {"seed": 0}})


def test_without_others_an_error_is_raised_as_it_is():
    with pytest.raises(ZeroDivisionError), processes.together(joining._ending):
        raise ZeroDivisionError
