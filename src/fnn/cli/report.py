"""`fnn report RUN [RUN ...]`: finished runs side by side, as a page with a table and pictures."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

from fnn.cli.common import types, written
from fnn.errors import CorruptFileError
from fnn.network import count_params
from fnn.plots import curves
from fnn.runs import directory
from fnn.runs.models import load
from fnn.storage.files import write_atomically
from fnn.storage.json_files import read_json

PARTS = {"train": "training", "validation": "validation", "test": "test"}
OWN = ("learning.png", "weights.png", "mistakes.png", "monitor.png")  # pictures that a run may have
BESIDE = ("classes", "inputs")  # what config.json says of the data
LONGEST = 60  # letters of a setting: a hash is cut off


class Run(NamedTuple):
    """A finished run, as far as the page shows it."""

    folder: Path
    settings: dict[str, str]  # what config.json and environment.json say, by the names of their entries
    lines: list[dict[str, float]]  # the numbers of metrics.jsonl
    parameters: int


def report(paths: Sequence[str], out: str, own: Sequence[str]) -> int:
    """`fnn report`."""
    known = types(own)
    shown = [read(Path(path), known) for path in paths]
    names = titles(shown)
    rows = [*results(shown), *settings(shown)]
    print(table(["", *names], rows))
    folder = Path(out)
    with written(folder, "make room or name another by --out"):
        folder.mkdir(parents=True, exist_ok=True)
        made = curves.available()
        if made:
            curves.side_by_side(dict(zip(names, (run.lines for run in shown), strict=True)), folder / "curves.png")
        write_atomically(folder / "report.md", f"{page(names, shown, rows, folder, made)}\n".encode(errors="replace"))
    print(f"page: {folder / 'report.md'}" + ("; picture: curves.png" if made else f"\n{curves.MISSING}"))
    return 0


def read(folder: Path, known: Mapping[str, type]) -> Run:
    """A run directory.

    Raises:
        InputError: no such run, one that is not finished, or a type that is not known.
        CorruptFileError: its files are not those that the training wrote.
    """
    directory.check_finished(folder)
    net, _, params = load(folder, known)
    config, environment = read_json(folder / "config.json"), read_json(folder / "environment.json")
    chosen = {key: value for key, value in config.items() if key not in BESIDE} | {"environment": environment}
    lines = [
        {name: number for name, number in line.items() if type(number) in (int, float)}
        for line in directory.read_metrics(folder)
    ]
    if not lines:
        raise CorruptFileError(folder / "metrics.jsonl", "has no epoch")
    return Run(folder, dict(entries(chosen)), lines, count_params(params))


def titles(shown: Sequence[Run]) -> list[str]:
    """The names of the runs' folders, with what is above them where two are the same."""
    names = [run.folder.resolve().name for run in shown]
    told = [name if names.count(name) == 1 else str(run.folder) for name, run in zip(names, shown, strict=True)]
    return [text(name) for name in told]


def results(shown: Sequence[Run]) -> list[list[str]]:
    """What came out: a row per result, a cell per run, empty where a run has not measured it."""
    rows = [
        ["parameters", *(f"{run.parameters:,}" for run in shown)],
        ["epochs", *(str(len(run.lines)) for run in shown)],
        ["seconds of training", *(f"{sum(line.get('seconds', 0) for line in run.lines):.1f}" for run in shown)],
    ]
    for part, name in PARTS.items():
        for measure in ("cost", "accuracy"):
            cells = [number(measure, run.lines[-1].get(f"{part}_{measure}")) for run in shown]
            rows.append([f"{name} {measure}, last epoch", *cells])
    rows.append(["best epoch by validation", *(str(best(run) + 1) if chooses(run) else "" for run in shown)])
    for part in ("validation", "test"):
        cells = [number("accuracy", run.lines[best(run)].get(f"{part}_accuracy")) * chooses(run) for run in shown]
        rows.append([f"{PARTS[part]} accuracy there", *cells])
    return [row for row in rows if any(row[1:])]


def chooses(run: Run) -> bool:
    """Whether the run has validation data to choose an epoch by."""
    return "validation_cost" in run.lines[-1]


def best(run: Run) -> int:
    """The first epoch, from 0, of the highest validation accuracy, or of the lowest cost where there is none."""
    epochs = range(len(run.lines))
    if "validation_accuracy" in run.lines[-1]:
        return max(epochs, key=lambda i: run.lines[i].get("validation_accuracy", 0.0))
    return min(epochs, key=lambda i: run.lines[i].get("validation_cost", float("inf")))


def number(measure: str, value: float | None) -> str:
    """An accuracy in percent, a cost in five digits, nothing for None."""
    if value is None:
        return ""
    return f"{value:.2%}" if measure == "accuracy" else f"{value:.5g}"


def settings(shown: Sequence[Run]) -> list[list[str]]:
    """What was put in, where the runs differ, by name."""
    keys = sorted({key for run in shown for key in run.settings})
    rows = [[key, *(run.settings.get(key, "") for run in shown)] for key in keys]
    return [row for row in rows if len(set(row[1:])) > 1]


def entries(value: Any, where: str = "") -> Iterator[tuple[str, str]]:
    """The entries of nested tables, dotted, as text; the layers one by one, a layer or an optimiser as one."""
    if where == "network.layers" and isinstance(value, list):
        yield from ((f"layer {i:2}", text(layer)) for i, layer in enumerate(value))
    elif isinstance(value, dict) and "type" not in value:
        for key, inner in value.items():
            yield from entries(inner, f"{where}.{key}" if where else key)
    else:
        brief = text(value)
        yield where, brief if len(brief) <= LONGEST else f"{brief[: LONGEST - 3]}..."


def text(value: Any) -> str:
    """A value as a config would nearly have it: `Dense(units=10, initializer=He)`, `[1, 8, 8]`."""
    if isinstance(value, dict):
        numbers_first = sorted(value.items(), key=lambda item: isinstance(item[1], (str, dict)))
        inner = [f"{key}={text(v)}" for key, v in numbers_first if key != "type"]
        return f"{value.get('type', '')}({', '.join(inner)})" if inner else str(value.get("type", ""))
    if isinstance(value, list):
        return f"[{', '.join(map(text, value))}]"
    said = value if isinstance(value, str) and value.isprintable() else json.dumps(value)
    return said.replace("|", "/")  # which would end a cell


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Markdown that can be read as it is: a column per run."""
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    rule = ["-" * widths[0], *(f"{'-' * (width - 1)}:" for width in widths[1:])]
    lines = ([row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])] for row in (head, rule, *rows))
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def page(names: Sequence[str], shown: Sequence[Run], rows: Sequence[Sequence[str]], out: Path, curves: bool) -> str:
    """The page: the table, the curves of all runs, and the pictures that the runs have of their own."""
    parts = [f"# {' and '.join(names) if len(names) < 3 else f'{len(names)} runs'}", table(["", *names], rows)]
    if curves:
        parts.append("![cost and accuracy of all runs](curves.png)")
    pictures = [[picture.removesuffix(".png"), *(_link(run.folder / picture, out) for run in shown)] for picture in OWN]
    pictures = [row for row in pictures if any(row[1:])]
    return "\n\n".join([*parts, *([table(["", *names], pictures)] if pictures else [])])


def _link(picture: Path, out: Path) -> str:
    """The picture, seen from the page, or nothing where a run has none."""
    if not picture.exists():
        return ""
    return f"![{picture.stem}]({quote(os.fsencode(Path(os.path.relpath(picture, out)).as_posix()))})"
