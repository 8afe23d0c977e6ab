"""The page `results/README.md`: every measured kind with the ratios that fnn has goals for.

`python -m experiments.benchmark.index` writes it again; so does each run whose results go there.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from experiments.benchmark import start
from experiments.benchmark.contestants import AUTODIFF, BACKPROP, FLOOR, NUMPY, SCANNED, SWEEP, TORCH, TORCH_1
from experiments.benchmark.report import Row, ratio, table, timed_rows
from fnn.storage.files import write_atomically

RESULTS = Path(__file__).with_name("results")
HEAD = """# Results by kind of machine

Each folder has the tables of one kind, `benchmark.md`, with all samples and a picture. The command
`python -m experiments.benchmark` measures the kind on which it runs and writes this page. The numbers are ratios within
one run. The second row has the goals. An empty cell was not measured, or the C program was no floor there. A folder
`...-held-to-avx2` is of an emulated AVX2 machine: a processor with AVX-512 whose libraries were told that it has none.

"""


class Goal(NamedTuple):
    """A column: a ratio and what it should be."""

    head: str
    goal: str
    ratios: Callable[[dict[str, Any]], list[float]]  # none where it was not measured; the worst one is shown
    worst: Callable[[Iterable[float]], float] = max


def times(name: str, ours: Iterable[str], theirs: Iterable[str], ending: str = "") -> Callable:
    """Ratios of our times to theirs in the cases of this name whose titles end so."""
    return lambda results: [ratio(*pair) for pair in _pairs(results, name, ending, ours, theirs)]


def as_fast(name: str, ours: Iterable[str], theirs: Iterable[str], ending: str = "") -> Callable:
    """Ratios of their times to ours."""
    return lambda results: [ratio(*pair[::-1]) for pair in _pairs(results, name, ending, ours, theirs)]


def _pairs(
    results: dict[str, Any], name: str, ending: str, ours: Iterable[str], theirs: Iterable[str]
) -> Iterator[tuple[Row, Row]]:
    for case in results["cases"]:
        if case["name"] == name and case["title"].endswith(ending):
            rows = {row["contestant"]: row for row in timed_rows(case)}
            yield from ((rows[a], rows[b]) for a in ours for b in theirs if a in rows and b in rows)


def process(name: str) -> Callable:
    """The CPU seconds of a command by those of the floor."""

    def ratios(results: dict[str, Any]) -> list[float]:
        rows = {row["contestant"]: row for row in results.get("start", {}).get("rows", []) if row["samples"]}
        return [ratio(rows[name], rows[start.FLOOR])] if {name, start.FLOOR} <= set(rows) else []

    return ratios


DIGITS = "fnn run configs/digits.toml"
TORCHES = TORCH.name, TORCH_1.name
GOALS = (
    Goal("step, backprop, by the C floor", "at most 1.6", times("step", [BACKPROP.name], [FLOOR.name])),
    Goal("step, autodiff, by the C floor", "at most 1.6", times("step", [AUTODIFF.name], [FLOOR.name])),
    Goal("wide, NumPy by fnn", "at least 0.98", as_fast("wide", [BACKPROP.name], [NUMPY.name]), min),
    Goal("wide, Equinox scanned by fnn", "at least 0.98", as_fast("wide", [BACKPROP.name], [SCANNED.name]), min),
    Goal("one of 32 networks by the C floor", "at most 0.6", times("sweep", [SWEEP.name], [FLOOR.name])),
    Goal(
        "filters, PyTorch by fnn, mini-batch 10",
        "at least 2.5",
        as_fast("convolution", [BACKPROP.name], TORCHES, "mini-batch 10"),
        min,
    ),
    Goal(
        "filters, PyTorch by fnn, mini-batch 64",
        "at least 1.7",
        as_fast("convolution", [BACKPROP.name], TORCHES, "mini-batch 64"),
        min,
    ),
    Goal("fnn run digits, by the start floor", "at most 2.8", process(DIGITS)),
    Goal("from the second run on", "at most 1.8", process(DIGITS + start.AGAIN)),
)


def page(folder: Path) -> str:
    """A row per `benchmark.json` in `folder` and its folders."""
    head = ["results", "processor", "JAX", *(goal.head for goal in GOALS)]
    goals = ["**goal**", "", "", *(goal.goal for goal in GOALS)]
    rows = [_row(folder, path) for path in sorted(folder.rglob("benchmark.json"))]
    return HEAD + table(head, [goals, *rows]) + "\n"


def _row(folder: Path, path: Path) -> list[str]:
    results = json.loads(path.read_text(encoding="utf-8"))
    name = path.parent.relative_to(folder).as_posix()
    machine = results["machine"]
    where = [f"[{name}]({name}/benchmark.md)", machine["processor"], results["versions"]["jax"]]
    return [*where, *(_shown(goal, goal.ratios(results)) for goal in GOALS)]


def _shown(goal: Goal, ratios: list[float]) -> str:
    return f"{goal.worst(ratios):.2f}" if ratios else ""


def write(folder: Path) -> None:
    """The page, into `folder`."""
    write_atomically(folder / "README.md", page(folder).encode())


if __name__ == "__main__":
    write(RESULTS)
