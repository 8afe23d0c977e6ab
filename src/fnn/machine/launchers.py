"""Which process of several this one is: what `--distributed` says, and what a launcher has set. No JAX."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import NamedTuple

from fnn.errors import InputError

TORCHRUN = ("RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT")
FORM = "expected HOST:PORT,N,I: the address of process 0, the number of processes, and which this is, from 0"
# By the variables that a launcher sets in each of its tasks: its name, how many tasks there are, and which this is
TASKS = {
    "SLURM": ("SLURM_STEP_NUM_TASKS", "SLURM_PROCID"),
    "Open MPI": ("OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_RANK"),
    "MPI": ("PMI_SIZE", "PMI_RANK"),
    "torchrun": ("WORLD_SIZE", "RANK"),
}


class Place(NamedTuple):
    """Which of several processes this is, and where process 0 is found."""

    host: str
    port: int
    count: int
    index: int
    local: int | None = None  # the number of the device that a launcher has meant for this process, if it has

    @property
    def address(self) -> str:
        """`HOST:PORT`."""
        return f"{self.host}:{self.port}"


def place(text: str, variables: Mapping[str, str] = os.environ) -> Place | None:
    """What `--distributed` says, or torchrun's variables if it says nothing; None if JAX has to look for a scheduler.

    Raises:
        InputError: It is not written as it should be, or some of torchrun's variables are missing.
    """
    if text:
        return _written(text)
    if not {"RANK", "WORLD_SIZE"} & variables.keys():
        return None
    missing = [name for name in TORCHRUN if name not in variables]
    if missing:
        raise InputError(
            f"--distributed: of torchrun's variables {', '.join(TORCHRUN)} there is no {' and no '.join(missing)}; "
            "expected all four, or --distributed HOST:PORT,N,I."
        )
    rank, count, host, port = (variables[name] for name in TORCHRUN)
    # torchrun itself listens at this port, unless its rendezvous is told otherwise
    taken = variables.get("TORCHELASTIC_USE_AGENT_STORE", "") == "True"
    found = _written(f"{host}:{port},{count},{rank}", "of torchrun's variables ")
    alone = variables.get("LOCAL_WORLD_SIZE", "1") == "1"
    local = variables.get("LOCAL_RANK", "")
    return found._replace(port=found.port + taken, local=int(local) if local.isdecimal() and not alone else None)


def _written(text: str, whose: str = "") -> Place:
    address, *numbers = text.rsplit(",", 2)
    host, colon, port = address.rpartition(":")
    if not (host and colon and len(numbers) == 2 and all(n.isascii() and n.isdecimal() for n in (port, *numbers))):
        raise InputError(f"--distributed: {whose}got {text!r}; {FORM}.")
    count, index = map(int, numbers)
    if not 0 < int(port) < 2**16:
        raise InputError(f"--distributed: {whose}got {text!r}, whose port is {port}; expected 1 to 65535.")
    if not index < count:
        raise InputError(
            f"--distributed: {whose}got {text!r}: of {count} processes this cannot be number {index}; {FORM}."
        )
    return Place(host.removeprefix("[").removesuffix("]"), int(port), count, index)


def alone_among_tasks(variables: Mapping[str, str] = os.environ) -> str:
    """What to say if a launcher has started several tasks and none of them asks for the others; "" otherwise.

    Only the first task says it. Several tasks that train several configs are a usage that exists, so nothing is done.
    """
    for name, (count, index) in TASKS.items():
        if variables.get(count, "").isdecimal() and int(variables[count]) > 1 and variables.get(index) == "0":
            return (
                f"this is one of {variables[count]} tasks of {name}, and each trains a run of its own; for one run by "
                "all of them add --distributed"
            )
    return ""


def is_first_task(variables: Mapping[str, str] = os.environ) -> bool:
    """Whether no launcher says that this is another task than its first."""
    return all(variables.get(index, "0") == "0" for _, index in TASKS.values())
