"""A finding: a claim of the notes in our own words, what was measured, what was expected, and the verdict.

A topic is a module with one small function per claim, which returns a `Finding`. `CLAIMS` is the tuple of these
functions, and `pictures(folder)` draws the topic's pictures. `python -m experiments.notes.TOPIC [FOLDER]` runs one
topic; `claims.py` runs them all.
"""

import pathlib
import sys
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

from fnn import InputError

HOLDS, CORRECTED, FAILS = "holds", "holds as corrected", "does not hold"


class Finding(NamedTuple):
    """One row of CLAIMS.md."""

    number: str  # of the claim: 000-05, or E16 for an error in the notes
    claim: str
    measured: str
    expected: str
    verdict: str  # HOLDS, CORRECTED or FAILS


def judged(holds: object) -> str:
    """The verdict on a claim as it was made."""
    return HOLDS if holds else FAILS


def corrected(as_written: object, as_corrected: object) -> str:
    """The verdict where the notes have an error: the written form must fail, the corrected one pass."""
    return HOLDS if as_written else CORRECTED if as_corrected else FAILS


def listed(numbers, digits: int = 4) -> str:
    """Numbers with this many digits, separated by commas."""
    return ", ".join(f"{float(number):.{digits}g}" for number in numbers)


def main(claims: Sequence[Callable[[], Finding]], pictures: Callable[[pathlib.Path], Sequence[str]]) -> None:
    """Run one topic: print its findings and draw its pictures into the folder named on the command line."""
    folder = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else f"runs/{pathlib.Path(sys.argv[0]).stem}")
    try:
        for claim in claims:
            start = time.perf_counter()
            f = claim()
            print(f"{f.number}  {f.verdict.upper()}  ({time.perf_counter() - start:.1f} s)\n  {f.claim}")
            print(f"  measured: {f.measured}\n  expected: {f.expected}", flush=True)
        folder.mkdir(parents=True, exist_ok=True)
        for name in pictures(folder):
            print(f"picture: {folder / name}")
    except InputError as error:  # MNIST is neither here nor to be had
        print(f"not run: {error}")
