"""The doctor finds nothing where there is nothing, and names each ill with its remedy."""

import jax
import numpy as np
import pytest

from fnn import cli
from fnn.cli import doctor
from fnn.errors import CorruptFileError

GOOD = {"python": "3.11.7", "fnn": "0.1.0", "jax": "0.10.1", "jaxlib": "0.10.1", "numpy": "2.4.6"}


def test_this_installation_is_fit(capsys):
    assert cli.main(["doctor"]) == 0
    *rows, last = capsys.readouterr().out.splitlines()
    assert last == "all is well"
    assert [row.split()[:2] for row in rows] == [["ok", name] for name in doctor.CHECKS]
    assert f"jaxlib {jax.lib.__version__}" in rows[0]
    assert "100 calls of one step, 1 result" in rows[6]


@pytest.mark.parametrize(
    ("found", "remedy"),
    [
        ({"jaxlib": "0.10.2"}, "jaxlib 0.10.2 returns wrong numbers"),
        ({"jaxlib": "0.11.1"}, "jaxlib 0.11.1 makes long scans quadratic"),
        ({"jax": "0.9.0"}, "jax 0.9.0 is older than 0.10.1"),
        ({"python": "3.10.2"}, "python 3.10.2 is older than 3.11"),
        ({}, ""),
        ({"jax": "0.12.0.1", "jaxlib": "0.12.0.1"}, ""),
    ],
    ids=str,
)
def test_versions(found, remedy):
    finding = doctor.versions(GOOD | found)
    assert bool(finding.remedy) == bool(remedy)
    assert remedy in finding.remedy
    assert f"numpy {GOOD['numpy']}" in finding.said


def only(monkeypatch, capsys, name, check):
    """What the doctor says, by this check alone."""
    monkeypatch.setattr(doctor, "CHECKS", {name: check})
    assert cli.main(["doctor"]) == 1
    out = capsys.readouterr().out
    assert out.startswith("FAILED")
    assert f"\n{name}: " in out
    return out


def test_a_miscompilation_is_seen(monkeypatch, capsys):
    right = doctor.squared_norms
    monkeypatch.setattr(doctor, "squared_norms", lambda W, x: right(W, x).at[32_768].add(1.0))
    assert "1 of 32,769 rows are wrong" in only(monkeypatch, capsys, "canary", doctor.canary)


def test_a_step_that_varies_is_seen(monkeypatch, capsys):
    draws = iter(range(1000))
    monkeypatch.setattr(doctor, "_hash", lambda tree: next(draws) // 60)
    assert "100 calls of one step, 2 results" in only(monkeypatch, capsys, "repeatability", doctor.repeatability)


def test_a_gpu_is_told_how_to_repeat_itself(monkeypatch):
    monkeypatch.setattr("fnn.machine.environment.device_kind", lambda: "gpu")
    flag = "XLA_FLAGS", "--xla_gpu_deterministic_ops=true"
    assert doctor.repeatability() == (f"100 calls of one step, 1 result; {doctor.REPEATING}", "")
    monkeypatch.setenv(*flag)
    assert doctor.repeatability() == ("100 calls of one step, 1 result", "")
    assert "=".join(flag) in doctor.REPEATING


def test_a_wrong_gradient_is_seen(monkeypatch, capsys):
    monkeypatch.setattr(doctor.Sigmoid, "backward", lambda self, params, a, delta: ((), delta))
    assert "wrong for (Dense(" in only(monkeypatch, capsys, "gradient", doctor.gradient)


def test_a_disk_that_changes_bytes_is_seen(monkeypatch, capsys):
    right = doctor.checkpoints.npz_bytes
    monkeypatch.setattr(
        doctor.checkpoints, "npz_bytes", lambda arrays: right({k: np.sqrt(a) for k, a in arrays.items()})
    )
    assert "not as it was written" in only(monkeypatch, capsys, "checkpoint", doctor.round_trip)


def test_random_numbers_of_another_kind_are_seen(monkeypatch, capsys):
    with jax.threefry_partitionable(False):
        assert "unset JAX_THREEFRY_PARTITIONABLE" in only(monkeypatch, capsys, "precision", doctor.precision)


def test_data_with_another_hash_are_seen(monkeypatch, capsys):
    def damaged(name):
        raise CorruptFileError("digits.npz", "has another SHA-256")

    monkeypatch.setattr(doctor, "load_data", damaged)
    assert "digits.npz: has another SHA-256" in only(monkeypatch, capsys, "data", doctor.data)
    assert "install fnn anew" not in only(monkeypatch, capsys, "data", doctor.data)
