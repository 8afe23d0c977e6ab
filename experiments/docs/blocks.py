"""The blocks of code of a page, and which of them need a library that is not here."""

import ast
import importlib.util
import re
from collections.abc import Iterator
from dataclasses import dataclass

FENCE = re.compile(r'^```(?P<kind>\w*)(?: title="(?P<title>[^"]+)")?\s*$')


@dataclass(frozen=True)
class Block:
    """A block of code between two fences.

    Attributes:
        kind: The word after the opening fence.
        title: The name of the file that the block is, or nothing.
        text: Its lines, each with its end.
        line: The number of its first line in the page, from 1.
        above: The kind of the block right above it, or nothing if there is text between the two.
        section: The number of headings `##` above it.
    """

    kind: str
    title: str
    text: str
    line: int
    above: str
    section: int


def blocks(page: str) -> list[Block]:
    """The blocks of a page's text, in its order."""
    found, above, section = [], "", 0
    lines = iter(enumerate(page.splitlines(keepends=True), 1))
    for number, line in lines:
        fence = FENCE.match(line)
        if fence:
            text = "".join(inside(lines))
            found.append(Block(fence["kind"], fence["title"] or "", text, number + 1, above, section))
            above = "file" if fence["title"] else fence["kind"]
        elif line.strip():
            section += line.startswith("## ")
            above = ""
    return found


def inside(lines: Iterator[tuple[int, str]]) -> Iterator[str]:
    """The lines up to the closing fence, which is taken too."""
    for _, line in lines:
        if line.rstrip() == "```":
            return
        yield line


def needed_by(page: str) -> dict[int, set[str]]:
    """The packages that each section needs; section 0 stands above the first heading.

    A section needs what its blocks of Python import, and what a comment `<!-- needs: onnx, pandas -->` in it names.
    """
    needed: dict[int, set[str]] = {}
    for block in blocks(page):
        if block.kind == "python":
            needed.setdefault(block.section, set()).update(imported(block.text))
    for number, text in enumerate(re.split(r"^(?=## )", page, flags=re.M)):
        for names in re.findall(r"<!-- needs: (.*?) -->", text):
            needed.setdefault(number, set()).update(names.split(", "))
    return needed


def sections_left_out(page: str) -> dict[int, list[str]]:
    """The sections whose packages are not installed, with the names of these; a page's own files are no packages."""
    own = {block.title.removesuffix(".py") for block in blocks(page)}
    needed = needed_by(page).items()
    absent = {number: sorted(name for name in names - own if not is_here(name)) for number, names in needed}
    return {number: names for number, names in absent.items() if names}


def imported(code: str) -> set[str]:
    """The packages that a block of Python imports."""
    names = set()
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Import):
            names.update(alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module.split(".")[0])
    return names


def is_here(name: str) -> bool:
    """Whether the package is installed."""
    return importlib.util.find_spec(name) is not None
