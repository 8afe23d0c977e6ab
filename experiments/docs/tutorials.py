"""Makes the pages of the tutorials: each is a program of cells, `docs/tutorials/NAME.py`, and what it prints.

`python -m experiments.docs.tutorials` writes `docs/tutorials/NAME.md` for each: the texts as they are, the code in
blocks, and behind a cell that prints what it has printed. The page is then tested as all pages are; another test holds
its code to the program.
"""

import re

from experiments.docs.page import ROOT, in_a_folder, rewritten

FOLDER = ROOT / "docs" / "tutorials"
CELL = re.compile(r"^# %%(?P<kind> \[markdown\])?\n", re.M)


def cells(program: str) -> list[tuple[str, str]]:
    """The cells of a program in percent format, each as its kind, "text" or "code", and what is in it."""
    _, *parts = CELL.split(program)
    pairs = zip(parts[::2], parts[1::2], strict=True)
    return [("text", uncommented(part)) if kind else ("code", part.strip("\n")) for kind, part in pairs]


def uncommented(part: str) -> str:
    """The lines of a cell of text without the signs of a comment."""
    return "\n".join(line.removeprefix("#").removeprefix(" ") for line in part.strip().splitlines())


def page(name: str, program: str) -> str:
    """The page of a program, with an empty block behind each cell that prints."""
    parts = []
    for kind, part in cells(program):
        parts += [part] if kind == "text" else [f"```python\n{part}\n```"]
        if kind == "code" and "print(" in part:
            parts += ["```text\n?\n```"]
    return "\n\n".join([*parts, f"The program: [{name}.py]({name}.py)\n"])


def main() -> None:
    """Writes all pages."""
    for source in sorted(FOLDER.glob("*.py")):
        target = source.with_suffix(".md")
        text = page(source.stem, source.read_text(encoding="utf-8"))
        target.write_text(text, encoding="utf-8")
        _, better = in_a_folder(target)
        target.write_text(rewritten(text, better), encoding="utf-8")


if __name__ == "__main__":
    main()
