"""The report: markdown tables of medians, quartiles, and ratios taken round by round."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

Row = dict[str, Any]
Cells = Sequence[str]
EMULATED = """**An emulated AVX2 machine:** a processor with AVX-512 whose libraries were all told that it has none.

"""


def page(results: dict[str, Any]) -> str:
    """The machine in a line, a table per case, and the memory."""
    tables = [_start(results["start"])] if results["start"] else []
    tables += [_growth(case) if case["rows"][0]["value"] else _contest(case) for case in results["cases"]]
    return "\n\n".join([_machine(results), *tables, *([_memory(results["memory"])] if results["memory"] else [])])


def timed_rows(case: dict[str, Any]) -> list[Row]:
    """The rows that have samples."""
    return [row for row in case["rows"] if row["samples"]]


def quartiles(case: dict[str, Any], row: Row) -> np.ndarray:
    """The lower quartile, the median and the upper quartile, in the case's unit."""
    return np.percentile(row["samples"], [25, 50, 75]) * case["per_second"]


def ratio(row: Row, reference: Row) -> float:
    """How many times as long as the reference: the median over the rounds of the ratio within a round."""
    return float(np.median(np.divide(row["samples"], reference["samples"])))


def rates(row: Row) -> np.ndarray:
    """GFLOP/s in each round."""
    return np.divide(row["flops"] / 1e9, row["samples"])


def share(case: dict[str, Any], row: Row) -> float:
    """The row's rate by that of the fastest bare matrix product: the median over the rounds of that within a round."""
    products = [rates(other) for other in timed_rows(case) if not other["trains"]]
    return float(np.median(rates(row) / np.max(products, axis=0)))


def brief(value: float) -> str:
    """Three digits, or all digits before the point."""
    return f"{value:.3g}" if abs(value) < 100 else f"{value:,.0f}"


def _machine(results: dict[str, Any]) -> str:
    versions = ", ".join(f"{name} {version}" for name, version in results["versions"].items())
    machine = results["machine"]
    floor = f"the C floor uses {machine['floor']}; " if machine["floor"] else ""
    return EMULATED * machine["held"] + (
        f"Measured on {machine['processor']}, {machine['cores']} cores{' kept awake' * machine['awake']}, "
        f"{', '.join(machine['devices'])}; {floor}{versions}; images: {results['images']}; preset {results['preset']}. "
        "Medians; in brackets the quartiles; ratios are medians of the ratios within a round."
    )


def _start(start: dict[str, Any]) -> str:
    """Every command against the first one, which is the floor."""
    floor = start["rows"][0]
    body = [_start_cells(row, floor) for row in start["rows"]]
    head = ["process", "CPU s", "times the floor", "wall s", "note"]
    return f"**{start['title']}**\n\n" + table(head, body)


def _start_cells(row: Row, floor: Row) -> Cells:
    if not row["samples"]:
        return [row["contestant"], "", "", "", row["refusal"]]
    compared = f"{ratio(row, floor):.2f}" if floor["samples"] else ""
    cpu, wall = (f"{np.median(row[name]):.2f}" for name in ("samples", "wall"))
    return [row["contestant"], f"{cpu} ({min(row['samples']):.2f} to {max(row['samples']):.2f})", compared, wall, ""]


def _contest(case: dict[str, Any]) -> str:
    """Everyone against the first row, which is `fnn` with the handwritten gradient."""
    worked = any(not row["trains"] for row in timed_rows(case))  # bare products, to compare the work with
    head = ["contestant", case["unit"], "times fnn", *(["GFLOP/s", "of the product rate"] if worked else []), "note"]
    return f"**{case['title']}**\n\n" + table(head, [_contest_cells(case, row, worked) for row in case["rows"]])


def _contest_cells(case: dict[str, Any], row: Row, worked: bool) -> Cells:
    if not row["samples"]:
        return [row["contestant"], "", "", *([""] * 2 * worked), row["refusal"]]
    work = [f"{np.median(rates(row)):.0f}", f"{share(case, row):.0%}"] if worked else []
    reference = case["rows"][0]
    compared = f"{ratio(row, reference):.3g}" if row["trains"] and reference["samples"] else ""
    return [row["contestant"], _spread(case, row), compared, *work, row["note"]]


def _growth(case: dict[str, Any]) -> str:
    """A row per value, a column per contestant."""
    names = list(dict.fromkeys(row["contestant"] for row in case["rows"]))
    values = list(dict.fromkeys(row["value"] for row in case["rows"]))
    cells = {(row["value"], row["contestant"]): _growth_cell(case, row) for row in case["rows"]}
    body = [[f"{value:,}", *(cells[value, name] for name in names)] for value in values]
    return f"**{case['title']}, {case['unit']}**\n\n" + table(["", *names], body)


def _growth_cell(case: dict[str, Any], row: Row) -> str:
    return _spread(case, row) if row["samples"] else row["refusal"]


def _spread(case: dict[str, Any], row: Row) -> str:
    return "{1} ({0} to {2})".format(*map(brief, quartiles(case, row)))


def _memory(memory: Sequence[Row]) -> str:
    head = ["net", "examples", "stored", "working, backprop", "working, autodiff"]
    body = [
        [row["net"], f"{row['examples']:,}", *(_mib(row[name]) for name in ("stored", "backprop", "autodiff"))]
        for row in memory
    ]
    return "**Memory of an epoch beside its parameters, in MiB**\n\n" + table(head, body)


def _mib(count: int) -> str:
    return f"{count / 2**20:.3g}"


def table(head: Cells, body: Sequence[Cells]) -> str:
    """A markdown table; numbers stand right, the first column left."""
    rule = ["---", *["---:"] * (len(head) - 1)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in [head, rule, *body])
