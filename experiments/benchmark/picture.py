"""The picture: points for the contestants of a case, lines for growth, all on logarithmic axes."""

from __future__ import annotations

import os
import re
import textwrap
from typing import Any

import numpy as np
from matplotlib.ticker import LogLocator, NullLocator

from experiments.benchmark.report import brief, quartiles, timed_rows
from fnn.plots.curves import figure, write

# Okabe and Ito's colours, which colour-blind readers can tell apart
OURS, THEIRS, LIMIT = "#0072B2", "#707070", "#009E73"
LINES = (("#0072B2", "o", "-"), ("#D55E00", "s", "--"), ("#009E73", "^", ":"))
AXES = {
    "data": "examples",
    "width": "hidden units",
    "depth": "hidden layers of 30",
    "networks": "networks trained together",
}


def draw(results: dict[str, Any], path: str | os.PathLike[str]) -> None:
    """The cases of `results` as a PNG."""
    growth = [case for case in results["cases"] if case["name"] in AXES]
    filters = [case for case in results["cases"] if case["name"] == "convolution"]
    dense = [case for case in results["cases"] if case not in growth and case not in filters]
    kinds = [(dense, _points, 1.15), (filters, _points, 0.75), (growth, _lines, 1)]
    kinds = [(cases, panel, height) for cases, panel, height in kinds if cases]
    fig = figure(17, 13 * sum(height for _, _, height in kinds) / 2.9)
    parts = fig.subfigures(len(kinds), 1, height_ratios=[height for _, _, height in kinds], squeeze=False).flat
    for part, (cases, panel, _) in zip(parts, kinds, strict=True):
        for ax, case in zip(part.subplots(1, len(cases), squeeze=False).flat, cases, strict=True):
            panel(ax, case)
    fig.suptitle(f"fnn and its peers, {_machine(results['machine'])} (medians and quartiles)")
    write(fig, path)


def _machine(machine: dict[str, Any]) -> str:
    accelerators = [kind for kind in machine["devices"] if kind != "cpu"]
    cores = f"{machine['cores']} cores{' kept awake' * machine['awake']}"
    held = ["held to AVX2"] * machine["held"]
    return ", ".join([*accelerators, machine["processor"], *held, cores])


def _points(ax: Any, case: dict[str, Any]) -> None:
    rows = [row for row in timed_rows(case) if row["trains"]]
    low, middle, high = np.array([quartiles(case, row) for row in rows]).T
    for i, row in enumerate(rows):
        colour, marker = _look(row["contestant"])
        ax.errorbar(
            middle[i], i, xerr=[[middle[i] - low[i]], [high[i] - middle[i]]], color=colour, fmt=marker, capsize=2
        )
        ax.annotate(brief(middle[i]), (high[i], i), (6, 0), textcoords="offset points", va="center")
    ax.set_xscale("log")
    ax.set_xlim(low.min() / 1.5, high.max() * 3)
    ax.set_yticks(range(len(rows)), [row["contestant"] for row in rows])
    ax.invert_yaxis()
    title = re.sub(
        r"(?<=[,h]) (?=\d)", "\N{NO-BREAK SPACE}", case["title"]
    )  # no line break inside lists and "mini-batch 10"
    ax.set_title(textwrap.fill(title, 30, break_on_hyphens=False))
    ax.set_xlabel(f"{case['unit']} (less is better)")
    _plain_numbers(ax.xaxis)
    ax.tick_params(axis="x", labelsize=8)
    ax.grid(alpha=0.3)
    ax.set_axisbelow(True)


def _plain_numbers(axis: Any) -> None:
    axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axis.set_major_formatter(lambda value, _: f"{value:,g}")
    axis.set_minor_locator(NullLocator())


def _look(name: str) -> tuple[str, str]:
    """Colour and marker."""
    if name.startswith("fnn"):
        return OURS, "o"
    return (LIMIT, "D") if "floor" in name else (THEIRS, "s")


def _lines(ax: Any, case: dict[str, Any]) -> None:
    rows = timed_rows(case)
    names = dict.fromkeys(row["contestant"] for row in rows)
    for name, (colour, marker, style) in zip(names, LINES, strict=False):
        mine = [row for row in rows if row["contestant"] == name]
        low, middle, high = np.array([quartiles(case, row) for row in mine]).T
        values = [row["value"] for row in mine]
        ax.plot(values, middle, color=colour, marker=marker, linestyle=style, label=name)
        ax.fill_between(values, low, high, color=colour, alpha=0.2, linewidth=0)
    ax.set(xscale="log", yscale="log", title=case["title"], xlabel=AXES[case["name"]], ylabel=case["unit"])
    values = sorted({row["value"] for row in rows})
    ax.set_xticks(values, [f"{value:,}" for value in values])
    ax.minorticks_off()
    bottom, top = ax.get_ylim()
    ax.set_ylim(bottom / 1.5, top * 1.5)
    _plain_numbers(ax.yaxis)
    ax.grid(alpha=0.3)
    ax.legend()
