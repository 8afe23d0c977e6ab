"""Can the claims fail? Each row of CLAIMS.md is run with a bug of its own in the code that it tests.

    python -m experiments.campaigns.claims_that_fail [TOPIC ...]

A topic's rows are run as the code is, then each with its bug (`planted/TOPIC.py`) and with nothing remembered, then all
again as the code is. A row flips if its verdict with the bug is another one. A row that then raises an error has no
verdict: it is told, and not counted. Writes the sections of these topics in CLAIMS_THAT_FAIL.md (all topics by
default). Ends with status 1 if a row is not the same before and after, or if a bug flips nothing.
"""

import pathlib
import re
import sys
import time
from collections.abc import Sequence
from importlib import import_module

from experiments.campaigns.planting import Bug, fresh, planted
from experiments.notes.claims import NUMBERS, TOPICS
from experiments.notes.findings import Finding

PAGE = pathlib.Path(__file__).with_name("CLAIMS_THAT_FAIL.md")
HEAD = """# The claims that can fail

Made by `python -m experiments.campaigns.claims_that_fail`; never edited by hand. For each row of
`experiments/notes/CLAIMS.md` one bug was planted into the code that the row tests, and the row was run again.
"""
BOLD = re.compile(r"\| \*\*(.*?)\*\* \|$", re.MULTILINE)


def with_bug(claim, bug: Bug) -> str:
    """The verdict of a claim with the bug planted, or the error that ended it."""
    with planted(bug):
        try:
            return claim().verdict
        except Exception as error:  # whatever a wrong program does
            return f"{type(error).__name__}: {error}".splitlines()[0][:80]


def flipped(sound: str, wrong: str) -> str:
    """What a bug did to a verdict, in a word."""
    if wrong == sound:
        return "survives"
    return "flips" if ":" not in wrong else "error"


def row(finding: Finding, claim, bugs: dict[str, Bug], unflipped: dict[str, str]) -> list[str]:
    """The number, the bug, the verdict without and with it, and what that is called."""
    number, sound = finding.number, finding.verdict
    if number not in bugs:
        return [number, unflipped.get(number, "no bug yet"), sound, "", "not flipped"]
    start, bug = time.perf_counter(), bugs[number]
    wrong = with_bug(claim, bug)
    called = flipped(sound, wrong)
    print(f"{time.perf_counter() - start:6.1f} s  {number}  {called}: {wrong}", flush=True)
    return [number, f"`{bug.where}`: {bug.what}", sound, wrong, called]


def topic_rows(name: str) -> tuple[list[list[str]], list[str]]:
    """The rows of a topic, and what is wrong with them."""
    topic, data = import_module(f"experiments.notes.{name}"), import_module(f"experiments.campaigns.planted.{name}")
    fresh()
    before = [claim() for claim in topic.CLAIMS]
    rows = [row(f, claim, data.BUGS, data.UNFLIPPED) for f, claim in zip(before, topic.CLAIMS, strict=True)]
    fresh()
    after = [claim() for claim in topic.CLAIMS]
    wrong = [
        f"{f.number}: {f.verdict} before, {g.verdict} after"
        for f, g in zip(before, after, strict=True)
        if f.verdict != g.verdict
    ]
    wrong += [f"{r[0]}: its bug {r[4]}: {r[3]}" for r in rows if r[4] in ("survives", "error")]
    numbers = {f.number for f in before}
    wrong += [
        f"{n}: a bug or a reason, but no row in {name}" for n in (*data.BUGS, *data.UNFLIPPED) if n not in numbers
    ]
    return sorted(rows, key=lambda r: NUMBERS.index(r[0])), wrong


def section(rows: Sequence[Sequence[str]]) -> str:
    """A topic's table."""
    lines = ["| row | the bug, or why there is none | verdict | with the bug | |", "|---|---|---|---|---|"]
    for *cells, called in rows:
        lines.append(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} | **{called}** |")
    return "\n".join(lines)


def sections(text: str) -> dict[str, str]:
    """The tables of a page by their titles."""
    parts = (part.partition("\n\n") for part in text.split("\n## ")[1:])
    return {title: table.strip() for title, _, table in parts}


def page(tables: dict[str, str]) -> str:
    """CLAIMS_THAT_FAIL.md, its topics in the order of CLAIMS.md."""
    called = [word for table in tables.values() for word in BOLD.findall(table)]
    parts = [HEAD, f"{called.count('flips')} of {len(called)} rows flip."]
    return "\n\n".join([parts[0].strip(), parts[1], *(f"## {t}\n\n{tables[t]}" for t in TOPICS if t in tables)]) + "\n"


def main(names: Sequence[str]) -> int:
    """Run the topics and write their sections."""
    titles = {name: title for title, name in TOPICS.items()}
    tables, wrong = sections(PAGE.read_text(encoding="utf-8") if PAGE.exists() else ""), []
    for name in names or titles:
        print(titles[name], flush=True)
        rows, amiss = topic_rows(name)
        tables[titles[name]], wrong = section(rows), wrong + amiss
        PAGE.write_text(page(tables), encoding="utf-8")
    print("\n".join([*wrong, page(tables).split("\n\n")[2]]))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
