"""A whole page of HTML: its text is escaped, its style and its script are inside, and it may load nothing else."""

from __future__ import annotations

import base64
import hashlib
import html
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

PAGE = "report.html"  # the name of the file


class Cell(NamedTuple):
    """A cell of a table."""

    text: str
    value: float | None = None  # to sort by; without it the cells are sorted by their text
    number: bool = False  # is it aligned to the right
    link: str = ""  # the place on the page that it leads to


def escaped(text: object) -> str:
    """The text for HTML; characters that cannot be seen are shown as in Python, because a file may hold any."""
    seen = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in str(text))
    return html.escape(seen, quote=True)


def escaped_lines(text: str) -> str:
    """The same for a text of several lines."""
    return "\n".join(map(escaped, text.split("\n")))


def page(
    title: str, body: Iterable[str], styles: Sequence[str] = ("page.css",), scripts: Sequence[str] = ("page.js",)
) -> bytes:
    """The bytes of a page, whose policy allows its own style, its own script and pictures that it holds itself.

    Args:
        title: Of the page.
        body: Its parts, as HTML.
        styles: The files of this folder that make its style, joined.
        scripts: Those that make its script.
    """
    style, script = (
        "".join(Path(__file__).with_name(name).read_text(encoding="utf-8") for name in names)
        for names in (styles, scripts)
    )
    policy = (
        f"default-src 'none'; style-src '{_hash(style)}'; script-src '{_hash(script)}'; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )
    lines = (
        "<!DOCTYPE html>",
        '<html lang="en">',
        '<meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        '<meta name="color-scheme" content="light dark">',
        f"<title>{escaped(title)}</title>",
        '<link rel="icon" href="data:,">',
        f"<style>{style}</style>",
        f"<main>\n<h1>{escaped(title)}</h1>",
        *body,
        "</main>",
        f"<script>{script}</script>",
        "</html>\n",
    )
    return "\n".join(lines).encode()


def _hash(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


def table(name: str, head: Sequence[str], rows: Iterable[Sequence[Cell]], *, sortable: bool = False) -> str:
    """A table in a frame of its own, which scrolls where the window is narrower; the first cells name the rows.

    Args:
        name: What is in the table, for readers who cannot see it.
        head: The names of the columns.
        rows: Their cells.
        sortable: Whether the script of the page sorts the rows by the column that is clicked.
    """
    heads = "".join(f'<th scope="col">{escaped(each)}</th>' for each in head)
    body = "\n".join(f"<tr>{_first(row[0])}{''.join(map(_cell, row[1:]))}</tr>" for row in rows)
    kind = ' class="sortable"' if sortable else ""
    return (
        f'<div class="scroll" role="region" aria-label="{escaped(name)}" tabindex="0"><table{kind}>\n'
        f"<thead><tr>{heads}</tr></thead>\n<tbody>\n{body}\n</tbody></table></div>"
    )


def _first(cell: Cell) -> str:
    inner = f'<a href="#{escaped(cell.link)}">{escaped(cell.text)}</a>' if cell.link else escaped(cell.text)
    return f'<th scope="row"{_value(cell)}>{inner}</th>'


def _cell(cell: Cell) -> str:
    return f"<td{' class=n' if cell.number else ''}{_value(cell)}>{escaped(cell.text)}</td>"


def _value(cell: Cell) -> str:
    return "" if cell.value is None else f' data-v="{cell.value:.9g}"'


def paragraph(text: str) -> str:
    """A paragraph of plain text."""
    return f"<p>{escaped(text)}</p>"


def folded(title: str, inner: str) -> str:
    """A part of the page that is folded away until it is clicked."""
    return f"<details><summary>{escaped(title)}</summary>\n{inner}\n</details>"
