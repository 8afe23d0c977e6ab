"""The floor: `floor.c`, compiled here for this machine and these sizes, and called through ctypes."""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
import tempfile
import weakref
from functools import cache
from pathlib import Path

import numpy as np

from experiments.benchmark.holding import is_held, not_held
from experiments.benchmark.tasks import Layers, Task, Unavailable, timed

SOURCE = Path(__file__).with_name("floor.c")


class Network:
    """A network with one hidden layer of sigmoids, in the layout of `floor.c`."""

    def __init__(self, task: Task) -> None:
        """Compiles, and copies the start."""
        self.task = task
        self.library = compiled(*task.widths, task.batch_size)
        start = [leaf for pair in task.start for leaf in pair]
        self.network = ctypes.c_void_p(self.library.new_network(*map(address, start)))
        weakref.finalize(self, self.library.free, self.network)
        self.x, self.y = task.data.pixels, task.data.y

    @timed
    def epoch(self, seed: int) -> None:
        """One call; the order is computed before it, by NumPy."""
        rows = self.task.batches(seed).astype(np.int64)
        eta = ctypes.c_float(self.task.eta)
        self.library.train(
            self.network, address(self.x), address(self.y), address(rows), ctypes.c_int64(len(rows)), eta
        )

    def params(self) -> list[Layers]:
        """Of the one network."""
        leaves = [np.empty_like(leaf) for pair in self.task.start for leaf in pair]
        self.library.read_network(self.network, *map(address, leaves))
        return [list(zip(leaves[::2], leaves[1::2], strict=True))]


def address(array: np.ndarray) -> ctypes.c_void_p:
    """Where the array's numbers are, row after row."""
    if not array.flags.c_contiguous:
        raise ValueError(f"an array of shape {array.shape} with strides {array.strides}: expected C order.")
    return ctypes.c_void_p(array.ctypes.data)


@cache
def compiled(n_in: int, n_hidden: int, n_out: int, batch_size: int) -> ctypes.CDLL:
    """The library for these sizes.

    Raises:
        Unavailable: there is no C compiler, or it does not accept the source.
    """
    cc = shutil.which("cc")
    if not cc:
        raise Unavailable("no C compiler (cc)")
    sizes = [f"-DN_IN={n_in}", f"-DN_HIDDEN={n_hidden}", f"-DN_OUT={n_out}", f"-DBATCH={batch_size}"]
    with tempfile.TemporaryDirectory() as folder:
        unit, library = Path(folder, "floor.o"), Path(folder, "floor.so")
        held = ["-mno-avx512f"] * is_held()
        _run(cc, "-O3", "-march=native", *held, "-ffast-math", "-fPIC", *sizes, "-c", str(SOURCE), "-o", str(unit))
        # linked without -ffast-math: with it the whole process would flush subnormal numbers to 0
        _run(cc, "-shared", str(unit), "-lm", "-o", str(library))
        loaded = ctypes.CDLL(str(library))
    loaded.new_network.restype = ctypes.c_void_p
    loaded.instruction_set.restype = ctypes.c_char_p
    loaded.free.argtypes = [ctypes.c_void_p]
    return loaded


def instruction_set() -> str:
    """The vector instructions that the floor uses on this machine; "" where it cannot be compiled."""
    try:
        return compiled(784, 30, 10, 10).instruction_set().decode()
    except Unavailable:
        return ""


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, env=not_held(os.environ))
    if done.returncode:
        raise Unavailable(f"{' '.join(command[:1])} failed: {done.stderr.strip().splitlines()[-1:]}")
