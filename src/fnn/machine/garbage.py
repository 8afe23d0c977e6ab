"""Python's collector of reference cycles, in a process that runs one command and then ends.

JAX and matplotlib make a million objects that live until the process ends. The collector looks at them over and over,
and once more at the very end: 0.4 of the 2.6 s of CPU of `fnn run configs/digits.toml`. The loops of `fnn` leave no
cycles behind, so memory is the same without it.
"""

from __future__ import annotations

import gc

OBJECTS = 50_000  # new ones, from one collection to the next; Python's own number is 2,000 at most


def collect_seldom() -> None:
    """From now on cycles are looked for after every 50,000 new objects."""
    gc.set_threshold(OBJECTS, *gc.get_threshold()[1:])


def keep_all() -> None:
    """From now on no object that there is now is looked at; its memory goes back to the system with the process."""
    gc.freeze()
