"""Foolish and hostile inputs, counted by kind: none may be accepted in silence, none may end in a traceback.

    python -m experiments.campaigns.foolish_inputs [--messages]       (writes FOOLISH_INPUTS.md beside this file)

With `--messages` every input is printed with what was said of it.

Every input is a slip that people make: a table without a header, a missing mark among labels, arrays of different
lengths, a cost for other targets, a number that is none, a text with a carriage return. Each must be refused in one
line, by an error of `fnn` or by a TypeError or ValueError of the Python API. Some harmless ones stand among them, which
must be read right. All are tried in this process, in a folder of their own.
"""

from __future__ import annotations

import contextlib
import os
import pathlib
import sys
import tempfile
from collections import Counter

import jax

import fnn
from experiments.campaigns.foolish_arguments import arguments, lengths, numbers, targets
from experiments.campaigns.foolish_arrays import array_files, lost_digits, params_files, shapes
from experiments.campaigns.foolish_commands import config_texts, predictions, settings
from experiments.campaigns.foolish_files import Case
from experiments.campaigns.foolish_tables import (
    headers,
    missing_marks,
    notations,
    odd_labels,
    spellings,
    table_files,
)
from fnn import InputError

PAGE = pathlib.Path(__file__).with_name("FOOLISH_INPUTS.md")
LONGEST_MESSAGE = 600  # characters; what is longer was not written for the user

KINDS = (
    headers,
    missing_marks,
    odd_labels,
    notations,
    spellings,
    table_files,
    lost_digits,
    shapes,
    arguments,
    array_files,
    lengths,
    targets,
    numbers,
    settings,
    config_texts,
    predictions,
    params_files,
)


def outcome(case: Case) -> tuple[str, str]:
    """What became of an input (refused, right, accepted, wrong, wrongly refused, traceback), and what was said."""
    try:
        value = case.attempt()
    except (InputError, fnn.CorruptFileError, TypeError, ValueError) as error:
        if "\n" in str(error) or len(str(error)) > LONGEST_MESSAGE:
            return "traceback", repr(error)
        return "refused" if case.right is None else "wrongly refused", str(error)
    except Exception as error:
        return "traceback", repr(error)
    return "accepted" if case.right is None else "right" if case.right(value) else "wrong", repr(value)[:200]


def main() -> None:
    """Try all inputs and write the table."""
    counts: dict[str, Counter[str]] = {}
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        for kind in KINDS:
            for case in kind():
                found, said = outcome(case)
                counts.setdefault(case.kind, Counter())[found] += 1
                if "--messages" in sys.argv or found not in ("refused", "right"):
                    print(f"{found}: {case.kind}: {case.name}: {said}")
    columns = ("refused", "right", "accepted", "wrong", "wrongly refused", "traceback")
    rows = [[kind, sum(found.values()), *(found[column] for column in columns)] for kind, found in counts.items()]
    rows.append(["all", *(sum(row[k] for row in rows) for k in range(1, len(columns) + 2))])
    lines = ["| kind | tried | " + " | ".join(columns) + " |", "|---" * (len(columns) + 2) + "|"]
    lines += ["| " + " | ".join(map(str, row)) + " |" for row in rows]
    what = str(__doc__).split("\n\n")[3].strip()
    how = f"`python -m experiments.campaigns.foolish_inputs`, JAX {jax.__version__}:"
    head = f"# Foolish and hostile inputs\n\n{what}\n\n{how}\n\n"
    PAGE.write_text(head + "\n".join(lines) + "\n", encoding="utf-8")
    print("\n".join(lines))


if __name__ == "__main__":
    os.environ.setdefault("MPLBACKEND", "agg")
    main()
