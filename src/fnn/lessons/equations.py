"""Numbers, sums and equations as text, in lines that fit 80 columns with their indentation.

Numbers have six digits, and a zero has no sign.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from fnn.types import Array

WIDTH = 72  # of a line without its indentation, which is at most 8
TERMS, SHOWN = 10, 3  # a sum of more terms is cut, and only its first terms are shown
Number = float | Array | np.ndarray  # an array has one entry
TIED = "\0"  # stands for a blank at which no line may be broken


def six(v: Number) -> str:
    """A number in six digits."""
    text = f"{float(v):.6g}"
    return "0" if text == "-0" else text


def bracketed(v: Number) -> str:
    """A number, in brackets if it is negative."""
    text = six(v)
    return f"({text})" if text.startswith("-") else text


def product(u: Number, v: Number) -> str:
    """`u*v`."""
    return f"{six(u)}*{bracketed(v)}"


def products(u: np.ndarray, v: np.ndarray) -> list[str]:
    """`u*v` for every entry of two arrays of the same shape."""
    return [product(*pair) for pair in zip(u.flat, v.flat, strict=True)]


def difference(u: Number, v: Number) -> str:
    """`u - v`."""
    return f"{six(u)} - {bracketed(v)}"


def total(terms: Sequence[str], *last: str) -> str:
    """The sum of `terms` and then `last`: `u + v - w`; "0" if there are no terms. A long sum of terms is cut."""
    shown = list(terms) if len(terms) <= TERMS else [*terms[:SHOWN], f"... ({len(terms)} terms)"]
    first, *others = [*shown, *last] or ["0"]
    return first + "".join(f" - {term[1:]}" if term.startswith("-") else f" + {term}" for term in others)


def summed(numbers: np.ndarray) -> str:
    """The sum of some numbers, worked out; "" where there is only one."""
    return total(list(map(six, numbers.flat))) if numbers.size != 1 else ""


def lines(name: str, worked: str, value: Number, note: str = "") -> Iterator[str]:
    """The lines of `name = worked = value` and a note; only the value where nothing, "", is worked out.

    If one line is too short, what is worked out takes several, and the value has its own.
    """
    line = f"{name} = {worked + ' = ' if worked else ''}{six(value)}{note}"
    if len(line) <= WIDTH:
        yield line
        return
    yield from wrapped(f"{name} = ", worked.replace(" + ", f" +{TIED}").replace(" - ", f" -{TIED}"))
    yield f"{' ' * len(name)} = {six(value)}{note}"


def listed(name: str, row: Array | np.ndarray) -> Iterator[str]:
    """All numbers of one example: `name = (1, 0.5)`; of an image a line for every row of pixels, `name[0,1] = ...`."""
    numbers = np.asarray(row)
    for index in np.ndindex(numbers.shape[:-1]):
        start = f"{at(name, index)} = ("
        yield from wrapped(start, f"{', '.join(map(six, numbers[index]))})")


def at(name: str, index: Iterable[int]) -> str:
    """`name[1,0]`; only the name where the index is empty."""
    inside = ",".join(map(str, index))
    return f"{name}[{inside}]" if inside else name


def wrapped(start: str, text: str, later: str = "") -> Iterator[str]:
    """The lines of `start` and the text, broken at blanks. Later lines begin with `later`, or as far to the right."""
    paper = textwrap.TextWrapper(WIDTH, start, later or " " * len(start), break_long_words=False)
    paper.break_on_hyphens = False
    yield from (line.replace(TIED, " ") for line in paper.wrap(text))


def indented(by: int, lines: Iterable[str]) -> Iterator[str]:
    """The lines, moved to the right."""
    return (" " * by + line for line in lines)
