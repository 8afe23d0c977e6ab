"""A sweep of several processes is stopped, keeps what all of them have, and goes on to the same bits."""

import numpy as np
import pytest

from fnn import cli
from tests.helpers.several_processes import Ranks

THREE = ["--set", "sweep.eta=[0.1, 0.3, 0.5]", "--set", "sweep.lmbda=[]", "--set", "sweep.seeds=1"]
STOPS = """
import os
from fnn.runs import sweep_keeper
def kept(self, state, as_ever=sweep_keeper.GroupKeeper.__call__, calls=[]):
    calls.append(state)
    if len(calls) == 4:
        os.kill(os.getpid(), 15)
    return as_ever(self, state)
sweep_keeper.GroupKeeper.__call__ = kept
"""


def arrays(folder):
    """The params of every network of the one sweep in a folder."""
    found = sorted(folder.glob("*/networks/*/params.npz"))
    return [{name: a for name, a in np.load(path).items()} for path in found]


@pytest.mark.campaign
def test_a_sweep_of_two_processes_keeps_the_networks_of_both_and_goes_on_to_the_same_bits(grid, tmp_path, capsys):
    def words(name):
        return ["sweep", grid, *THREE, "--out", str(tmp_path / name), "--resume"]

    assert Ranks(tmp_path / "said-0", words("whole")).wait(200) == {0: 0, 1: 0}
    stopped = Ranks(tmp_path / "said-1", words("parts"), before={1: STOPS})  # one of them alone is asked
    assert stopped.wait(200) == {0: 143, 1: 143}, (stopped.err(0), stopped.err(1))
    (saved,) = (tmp_path / "parts").glob("*/checkpoints/*/step-*/arrays.npz")
    with np.load(saved) as kept:
        assert {len(kept[name]) for name in kept.files} == {3}  # although two devices have four places
    again = Ranks(tmp_path / "said-2", words("parts"))
    assert again.wait(200) == {0: 0, 1: 0}, (again.err(0), again.err(1))
    assert "networks 0-2 go on after " in again.out(0)
    whole, parts = arrays(tmp_path / "whole"), arrays(tmp_path / "parts")
    assert len(whole) == len(parts) == 3
    for a, b in zip(whole, parts, strict=True):
        assert all((a[name] == b[name]).all() for name in a | b)
    assert cli.main(words("alone")) == 0
    for a, b in zip(whole, arrays(tmp_path / "alone"), strict=True):
        assert all(np.abs(a[name] - b[name]).max() <= 1e-5 * np.abs(b[name]).max() for name in a | b)
