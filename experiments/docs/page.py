"""Runs the code of a page and compares what it prints with what the page shows.

`python -m experiments.docs.page docs/PAGE.md` prints what differs. With `--write` it puts what was printed into the
page, except where a line `...` stands for a part that is left out.

- The blocks `python` of a page are one program. A block `text` right after one is what that block printed.
- A block `console` has lines `$ command`, each followed by what it prints. A command ends with status 0, or
  `$ echo $?` stands after it.
- A block with a title, ```toml title="own.toml"```, is the file of that name.
- All run in the order of the page, in one process and one empty folder, in which `configs/` and the tables of `docs/`
  are. A section that needs a library that is not here is left out.
- Any other block is not run, and stands in `unrun.py`. `sameness.py` says how numbers are compared.
"""

import argparse
import contextlib
import shutil
import sys
import tempfile
from pathlib import Path

from experiments.docs import sameness
from experiments.docs.blocks import Block, blocks, sections_left_out
from experiments.docs.running import Session
from experiments.docs.unrun import UNRUN

ROOT = Path(__file__).parents[2]


def faults(path: Path) -> tuple[list[str], dict[int, str]]:
    """What differs in a page, a text for each block; and the blocks as they should be, by their first line."""
    page = path.read_text(encoding="utf-8")
    absent = sections_left_out(page)
    session, wrong, better = Session(), [], {}
    every = [] if 0 in absent else [block for block in blocks(page) if block.section not in absent]
    for number, block in enumerate(every):
        if (name_of(path), block.kind) in UNRUN:
            continue
        following = every[number + 1] if number + 1 < len(every) else None
        for fault, line, text in outcome(session, block, following):
            wrong.append(f"{path}:{line}: {fault}")
            if text and not any(each == "..." for each in text.splitlines()):
                better[line] = text
    return wrong, better


def name_of(path: Path) -> str:
    """The name of a page, as seen from `docs/`."""
    return path.relative_to(ROOT / "docs").as_posix() if path.is_relative_to(ROOT / "docs") else path.name


def outcome(session: Session, block: Block, following: Block | None) -> list[tuple[str, int, str]]:
    """Runs a block; for what differs: the fault, the line of the block that shows it, and its text as it should be."""
    if block.title:
        session.write(block.title, block.text)
    elif block.kind == "python":
        printed, error = session.program(block.text, block.line)
        shows = following is not None and (following.kind, following.above) == ("text", "python")
        shown, line = (following.text, following.line) if following and shows else ("", block.line)
        wrong = error or sameness.difference(shown, printed, console=False)
        return (
            [(wrong, line, printed if shows and not error and "\n...\n" not in f"\n{shown}" else "")] if wrong else []
        )
    elif block.kind == "console":
        return console(session, block)
    return []


def console(session: Session, block: Block) -> list[tuple[str, int, str]]:
    """Runs the commands of a block; the faults of all of them, with the whole block as it should be."""
    wrong, text, all_of_it = [], [], commands(block.text)
    for number, (command, shown) in enumerate(all_of_it):
        printed = session.command(command)
        fault = sameness.difference(shown, printed, console=True)
        if session.status and [each for each, _ in all_of_it[number : number + 2]][-1] != "echo $?":
            fault = f"ended with status {session.status}, which no $ echo $? shows; it printed\n{printed}"
        wrong += [f"$ {command}\n{fault}"] if fault else []
        elided = "\n...\n" in f"\n{shown}"
        text.append(f"$ {command}\n" + (shown if elided or not fault else printed))
    whole = "".join(text)
    return [(each, block.line, whole if whole != block.text else "") for each in wrong]


def commands(text: str) -> list[tuple[str, str]]:
    """The commands of a block, each with what it shows as printed; a command goes on after a backslash."""
    found: list[list[str]] = []
    for line in text.splitlines(keepends=True):
        if line.startswith("$ "):
            found.append([line[2:].rstrip("\n"), ""])
        elif found and not found[-1][1] and found[-1][0].endswith("\\"):
            found[-1][0] += "\n" + line.rstrip("\n")
        else:
            found[-1][1] += line
    return [(command, shown) for command, shown in found]


def rewritten(page: str, better: dict[int, str]) -> str:
    """The page with other texts in the blocks that begin at these lines."""
    lines = page.splitlines(keepends=True)
    for block in reversed(blocks(page)):
        if block.line in better:
            start = block.line - 1
            lines[start : start + len(block.text.splitlines())] = [better[block.line]]
    return "".join(lines)


def in_a_folder(path: Path) -> tuple[list[str], dict[int, str]]:
    """`faults`, in a reader's folder."""
    with readers_folder():
        return faults(path)


@contextlib.contextmanager
def readers_folder():
    """A block in an empty folder that has the configs and tables of the project, and from which Python imports."""
    main_before, words_before = sys.modules["__main__"], sys.argv
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        shutil.copytree(ROOT / "configs", Path(folder) / "configs")
        (Path(folder) / "docs").mkdir()
        for table in (ROOT / "docs").glob("*.csv"):
            shutil.copy(table, Path(folder) / "docs")
        sys.path.insert(0, folder)
        sys.argv = ["page.py"]
        try:
            yield Path(folder)
        finally:
            sys.path.remove(folder)
            sys.modules["__main__"], sys.argv = main_before, words_before


def main() -> int:
    """Prints the faults of each page; the exit status is 1 if there are any."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("page", type=Path)
    parser.add_argument("--write", action="store_true", help="put what was printed into the page")
    options = parser.parse_args()
    path = options.page.resolve()
    wrong, better = in_a_folder(path)
    print("\n".join(wrong) or f"{options.page}: all as shown")
    if options.write:
        path.write_text(rewritten(path.read_text(encoding="utf-8"), better), encoding="utf-8")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
