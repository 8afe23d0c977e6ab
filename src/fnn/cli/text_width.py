"""Texts in the columns of a terminal: how wide they are, and how they are cut, padded and wrapped."""

from __future__ import annotations

import textwrap
import unicodedata
from collections.abc import Iterable

WIDTH = 80  # of a page
END = 12  # columns of the end of a text that is cut inside: of -1a2b3c4d-12


def width(said: str) -> int:
    """The columns that a text takes: Chinese characters take two, an accent of its own none."""
    if said.isascii():
        return len(said)
    return sum(0 if unicodedata.combining(c) else 1 + (unicodedata.east_asian_width(c) in "WF") for c in said)


def padded(said: str, columns: int, right: bool = False) -> str:
    """The text in so many columns, at their left or at their right."""
    space = " " * (columns - width(said))
    return space + said if right else said + space


def cut(said: str, columns: int) -> str:
    """The text, with .. at its end if it is wider."""
    if width(said) <= columns:
        return said
    while said and width(said) > columns - 2:
        said = said[:-1]
    return f"{said}.."


def cut_inside(said: str, columns: int) -> str:
    """The text, with .. inside if it is wider. The hash and the number at the end of a run's name remain."""
    if width(said) <= columns:
        return said
    begin, end = said, said
    while width(end) > min(END, columns // 2):
        end = end[1:]
    while begin and width(begin) + width(end) > columns - 2:
        begin = begin[:-1]
    return f"{begin}..{end}"


def in_lines(said: str, columns: int) -> list[str]:
    """The text in lines of so many columns at most; a Chinese character takes two."""
    return textwrap.wrap(said, columns if width(said) == len(said) else columns // 2, break_on_hyphens=False)


def wrapped(texts: Iterable[str], bullet: str = "") -> list[str]:
    """The lines of several texts on a page; each begins with the bullet, and its other lines stand under its words."""
    after = " " * len(bullet)
    return [
        f"{after if k else bullet}{line}"
        for text in texts
        for k, line in enumerate(in_lines(text, WIDTH - len(bullet)))
    ]
