"""What the tests of broken files share: accidents, and a limit on the memory they may cost."""

import tracemalloc
from contextlib import contextmanager

import numpy as np

MIB = 2**20


def mutations(data, number):
    """`number` damaged copies, the same ones each time."""
    rng = np.random.default_rng(0)
    for _ in range(number):
        yield mutated(data, rng)


def mutated(data, rng):
    """The bytes with one to three accidents: a piece is overwritten, lost, repeated or set to ones."""
    data = bytearray(data)
    for _ in range(rng.integers(1, 4)):
        i = int(rng.integers(len(data) + 1))
        j = min(i + int(rng.choice((1, 2, 4, 40))), len(data))
        data[i:j] = (rng.bytes(j - i), b"", data[i:j] * 2, b"\xff" * (j - i))[rng.integers(4)]
    return bytes(data)


@contextmanager
def memory_below(limit):
    """Fails if the block ever holds more than `limit` bytes that it did not hold before."""
    tracemalloc.start()
    try:
        yield
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak <= limit, f"{peak:,} bytes; expected at most {limit:,}"
