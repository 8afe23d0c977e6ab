"""Curves over the epochs, heat maps, and what every picture needs.

Matplotlib is the optional extra `plots`. It is imported when a picture is drawn; `available` says whether it is there.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import warnings
from collections.abc import Generator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from fnn.storage import png
from fnn.storage.files import write_atomically

DPI = 144
MISSING = "no pictures: matplotlib is not installed; get it with  pip install 'fnn[plots]'"
# The colours of Okabe and Ito, which colour-blind readers can tell apart. In a grey print the line styles differ.
PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
DASHES = ("-", "--", ":", "-.")
COLOURS = {"train": "#0072B2", "validation": "#D55E00", "test": "#009E73"}
STYLES = {"train": "-", "validation": "--", "test": ":"}
LINEAR = 5  # the largest cost is at most so many times the smallest where the axis is linear
BEHIND = "0.6"  # the colour of a curve that stands behind others
TOLD_APART = 14  # curves that can be told apart in one picture
PANEL, HEIGHT = 5.2, 4.2  # inches of a panel of learning curves
LEGIBLE = 20  # rows or columns of a heat map that can all have their name and their numbers


def available() -> bool:
    """Whether matplotlib is installed."""
    return importlib.util.find_spec("matplotlib") is not None


@contextlib.contextmanager
def own_settings() -> Generator[None]:
    """A block that draws with matplotlib's own settings, whatever the user's are, and that warns of nothing.

    MPLBACKEND may name the backend of a notebook, which is not here, and a matplotlibrc may ask for LaTeX. Both are
    passed over, as no window is opened. A dollar sign in a name is a dollar sign.

    Raises:
        ImportError: matplotlib is not installed.
    """
    backend = os.environ.pop("MPLBACKEND", None)
    try:
        import matplotlib as mpl
    finally:
        if backend is not None:
            os.environ["MPLBACKEND"] = backend
    with mpl.rc_context(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        mpl.rcdefaults()
        mpl.rcParams["text.parse_math"] = False
        yield


def log_scale(axes: Any) -> None:
    """A logarithmic y axis with plain numbers at its ticks; `own_settings` draws no formulas.

    The ticks between the powers of ten have numbers where the axis is shorter than a decade; where it is shorter than
    three, those at 2 and 5 have them.
    """

    def between(y: float, _: int) -> str:
        low, high = axes.get_ylim()
        first = f"{y:e}"[0]
        return f"{y:g}" if high < 10 * low or (high < 1000 * low and first in "25") else ""

    axes.set_yscale("log")
    axes.yaxis.set_major_formatter("{x:g}")
    axes.yaxis.set_minor_formatter(between)


def figure(width: float, height: float) -> Any:
    """An empty figure, `width` by `height` inches, that needs no display and no global state."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")


def write(fig: Any, path: str | os.PathLike[str], behind: ArrayLike = 255) -> None:
    """Write the figure as a PNG without a date, so that the same figure gives the same bytes.

    Args:
        fig: The figure, which is drawn once; `savefig` draws a figure with a layout twice.
        path: The PNG to write.
        behind: The dots that a figure without a ground stands on, `(height, width, 3)` from 0 to 255.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    fig.set_dpi(DPI)
    renderer = FigureCanvasAgg(fig).get_renderer()
    dots = np.asarray(renderer.buffer_rgba())
    dots[..., :3], dots[..., 3] = behind, 255
    fig.draw(renderer)
    write_atomically(path, png.of_colours(dots[..., :3], DPI))


def short(name: str, longest: int) -> str:
    """A name of at most so many characters: a longer one is cut in its middle, since names often begin alike."""
    end = (longest - 2) // 2
    return name if len(name) <= longest else f"{name[: longest - 2 - end]}..{name[-end:]}"


def curve(axes: Any, epochs: ArrayLike, values: ArrayLike, style: Any, colour: str, label: str | None = None) -> Any:
    """Draw values over the epochs. Fewer than three points get marks, because one point alone gives no line."""
    marker = "o" if np.size(epochs) < 3 else ""
    (line,) = axes.plot(epochs, values, ls=style, color=colour, label=label, marker=marker, lw=1.6)
    return line


def label_epochs(axes: Any, quantity: str) -> None:
    """Label axes with the epoch, in whole numbers, and with a quantity; draw a grid."""
    axes.set(xlabel="epoch", ylabel=quantity)
    whole_numbers(axes.xaxis)
    axes.grid(alpha=0.3)


def whole_numbers(axis: Any) -> None:
    """Let the axis have ticks at whole numbers alone, of which a single epoch has one."""
    axis.get_major_locator().set_params(integer=True, min_n_ticks=1)


def learning(
    metrics: Sequence[dict[str, float]],
    path: str | os.PathLike[str],
    title: str,
    cost: str = "cost",
    best: int = 0,
) -> None:
    """Draw cost and accuracy over the epochs: validation and training, and the test data in grey behind them.

    Args:
        metrics: The lines of `metrics.jsonl`.
        path: The PNG to write.
        title: The picture's title, the run's name.
        cost: The name of the cost.
        best: The best epoch by validation, which is marked; 0 for none.

    Raises:
        ImportError: matplotlib is not installed.
    """
    from matplotlib.figure import Figure

    measures = [m for m in ("cost", "accuracy") if f"train_{m}" in metrics[-1]]
    fig = Figure(figsize=(PANEL * len(measures), HEIGHT))
    fig.suptitle(title, y=1 - 0.05 / HEIGHT, va="top")
    named = sum(f"{part}_cost" in metrics[-1] for part in COLOURS) + bool(best)
    for k, measure in enumerate(measures):
        axes = fig.add_axes(_place(k, len(measures), -(-named // 2)))
        _curves(axes, metrics, measure, best)
        label_epochs(axes, "accuracy (%)" if measure == "accuracy" else f"{cost} (mean per example)")
    write(fig, path)


def _place(k: int, panels: int, named: int) -> tuple[float, float, float, float]:
    """Left, bottom, width and height of a panel below a legend of so many lines, as shares of the figure.

    What stands around a panel is known, so no layout has to find it out, which takes half as long as the drawing.
    """
    left, right, below, above = 0.86, 0.08, 0.5, 0.44 + 0.18 * named  # inches
    width, height = PANEL - left - right, HEIGHT - below - above
    return (k * PANEL + left) / (panels * PANEL), below / HEIGHT, width / (panels * PANEL), height / HEIGHT


def _curves(axes: Any, metrics: Sequence[dict[str, float]], measure: str, best: int) -> None:
    epochs = [line["epoch"] for line in metrics]
    factor = 100 if measure == "accuracy" else 1
    for part in ("train", "validation", "test"):
        if f"{part}_{measure}" not in metrics[-1]:
            continue
        values = factor * np.array([line.get(f"{part}_{measure}") for line in metrics], float)  # None becomes nan
        last = f"{values[-1]:.4g}" if np.isfinite(values[-1]) else "not finite"
        label = f"{'training' if part == 'train' else part}, last {last}"
        line = curve(axes, epochs, values, STYLES[part], COLOURS[part], label)
        if part == "test":  # settings are not chosen by it
            line.set(color=BEHIND, lw=1.0, zorder=1)
        if part == "validation" and best:
            axes.axvline(best, color=COLOURS[part], lw=0.8, alpha=0.6, zorder=1)
            said = f"best by validation, epoch {best}"
            axes.plot(best, values[best - 1], "o", color=COLOURS[part], ms=7, mfc="white", mew=1.6, label=said)
    if measure == "cost" and _spans_decades(axes):
        log_scale(axes)
    legend_above(axes, 2)


def legend_above(axes: Any, columns: int) -> None:
    """A legend above the axes, where it hides nothing."""
    axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=columns, frameon=False, fontsize="small")


def _spans_decades(axes: Any) -> bool:
    """Whether the numbers that are drawn are above 0, and some so much larger that a linear axis hides the others."""
    drawn = [np.asarray(line.get_ydata(), float) for line in axes.get_lines() if line.get_label()[0] != "_"]
    numbers = np.concatenate(drawn)
    numbers = numbers[np.isfinite(numbers)]
    return len(numbers) > 0 and numbers.min() > 0 and numbers.max() > LINEAR * numbers.min()


def bands(curves: Mapping[str, np.ndarray], path: str | os.PathLike[str], title: str, measure: str) -> None:
    """Draw for each label a curve, the median over seeds, and a band from the 5th to the 95th percentile.

    At most `TOLD_APART` curves can be told apart.

    Args:
        curves: For each label an array `(seeds, epochs)`, with nan where a network has diverged.
        path: The PNG to write.
        title: The picture's title.
        measure: The label of the vertical axis, with its unit.

    Raises:
        ImportError: matplotlib is not installed.
    """
    fig = figure(8.4, max(4.0, 0.8 + 0.22 * len(curves)))
    axes = fig.subplots()
    seeds = max(map(len, curves.values()))
    for i, (label, values) in enumerate(curves.items()):
        good = values[np.isfinite(values).all(axis=1)]
        if not len(good):
            continue
        low, median, high = np.percentile(good, (5, 50, 95), axis=0)
        epochs = np.arange(1, values.shape[1] + 1)
        colour = PALETTE[i % len(PALETTE)]
        said = label if len(good) == seeds else f"{label} ({len(good)} of {len(values)} seeds)"
        curve(axes, epochs, median, DASHES[i % len(DASHES)], colour, said)
        axes.fill_between(epochs, low, high, color=colour, alpha=0.15, lw=0)
    axes.set_title(title if seeds == 1 else f"{title}: median and 5-95 % of {seeds} seeds", fontsize="medium")
    label_epochs(axes, measure)
    fig.legend(loc="outside right upper", frameon=False, fontsize="small")
    write(fig, path)


def heat_map(
    table: np.ndarray,
    rows: tuple[str, Sequence[float]],
    columns: tuple[str, Sequence[float]],
    path: str | os.PathLike[str],
    title: str,
) -> None:
    """Draw a table of numbers as colours, with each number written on its colour; nan is left white.

    With more than `LEGIBLE` rows or columns only some of them are named, and no numbers are written.

    Args:
        table: The numbers, `(len(rows), len(columns))`.
        rows: The name of the vertical axis and its values.
        columns: The name of the horizontal axis and its values.
        path: The PNG to write.
        title: What the numbers are, with their unit.

    Raises:
        ImportError: matplotlib is not installed.
    """
    down, across = table.shape if max(table.shape) <= LEGIBLE else (8, 8)
    fig = figure(max(5.5, 1.6 + 0.9 * across), max(3.2, 1.6 + 0.6 * down))
    axes = fig.subplots()
    image = axes.imshow(table, cmap="cividis", aspect="auto")
    if max(table.shape) <= LEGIBLE:
        middle = np.nanmean((np.nanmin(table), np.nanmax(table)))
        for i, j in np.argwhere(np.isfinite(table)):
            colour = "white" if table[i, j] < middle else "black"
            axes.text(j, i, f"{table[i, j]:.4g}", ha="center", va="center", color=colour)
    for axis, (name, values) in ((axes.xaxis, columns), (axes.yaxis, rows)):
        axis.set_label_text(name)
        named = range(0, len(values), -(-len(values) // LEGIBLE))
        axis.set_ticks(named, [f"{values[k]:g}" for k in named])
    axes.set_title(title, fontsize="medium")
    fig.colorbar(image)
    write(fig, path)
