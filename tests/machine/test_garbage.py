"""The collector of cycles rests in a process that runs a command, and nowhere else."""

import gc
import subprocess
import sys

import pytest

from fnn import cli
from fnn.machine.garbage import OBJECTS

TOLD = "import gc; print(gc.get_threshold()[0], gc.get_freeze_count() > 0)"


@pytest.mark.parametrize("given", ["", "sys.argv[1:]"], ids=["none", "its own"])
def test_in_the_process_of_a_command_it_rests(given):
    code = (
        f"import sys; sys.argv = ['fnn', 'new', '--help']; from fnn import cli\ntry: cli.main({given})\nfinally: {TOLD}"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == f"{OBJECTS} True"


def test_the_caller_of_a_command_has_his_own_settings():
    before = gc.get_threshold(), gc.get_freeze_count()
    with pytest.raises(SystemExit):
        cli.main(["new", "--help"])
    assert (gc.get_threshold(), gc.get_freeze_count()) == before
