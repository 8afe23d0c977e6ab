"""Pictures for a room: 13.3 inches wide, like a slide, and no word of fewer than 18 points.

    with room.picture(folder / "name.png", "The message in one sentence") as fig:
        left, right = fig.subplots(1, 2)
        ...

What is drawn in the block has large text and thick lines; `fontsize` is not needed. Every title says the message of
what it stands above, and is broken into lines where it is too long. At the end of the block the picture is written.
"""

from __future__ import annotations

import contextlib
import os
import textwrap
from collections.abc import Generator
from typing import Any

from fnn.plots import curves

WIDTH, HEIGHT = 13.3, 7.5  # inches: a slide
POINTS = 18  # of every word; the last row reads it
TITLE = 24  # points of the picture's title
SETTINGS = {
    **{"font.size": POINTS, "axes.titlesize": POINTS, "axes.labelsize": POINTS, "figure.titlesize": TITLE},
    **{"xtick.labelsize": POINTS, "ytick.labelsize": POINTS, "legend.fontsize": POINTS, "legend.frameon": False},
    **{"lines.linewidth": 3.0, "lines.markersize": 9.0, "axes.linewidth": 1.2, "grid.alpha": 0.3},
    **{"text.parse_math": True, "figure.constrained_layout.h_pad": 0.1, "figure.constrained_layout.w_pad": 0.1},
}


@contextlib.contextmanager
def picture(path: str | os.PathLike[str], title: str, height: float = HEIGHT, width: float = WIDTH) -> Generator[Any]:
    """A block that draws on the figure it is given; at its end the figure is written as a PNG.

    Args:
        path: The PNG to write.
        title: What the picture says, in one sentence; dollar signs in it are dollar signs.
        height: Inches.
        width: Inches; fewer than 13.3 are not for a room.

    Raises:
        ImportError: matplotlib is not installed.
        ValueError: A word in the picture is smaller than 18 points, or the picture is narrower than 13.3 inches.
    """
    if width < WIDTH:
        raise ValueError(f"{path}: {width:g} inches; a picture for a room is {WIDTH} inches wide or more")
    with settings():
        fig = curves.figure(width, height)
        headed(fig, title)
        yield fig
        finish(fig)
        _refuse_small_words(fig, path)
        curves.write(fig, path)


@contextlib.contextmanager
def settings() -> Generator[None]:
    """A block in which matplotlib draws large; formulas between dollar signs are drawn as formulas."""
    with curves.own_settings():
        import matplotlib as mpl

        mpl.rcParams.update(SETTINGS)
        yield


def headed(fig: Any, title: str) -> None:
    """Put the title above the figure, in as many lines as it needs."""
    lines = _lines(title, fig.get_figwidth() * 72 * 0.97, TITLE, "bold")
    fig.suptitle("\n".join(lines), parse_math=False, weight="bold")


def finish(fig: Any) -> None:
    """Break the titles of the axes into lines, now that the widths of the axes are known."""
    fig.draw_without_rendering()
    for axes in fig.axes:
        if axes.get_title():
            width = axes.get_window_extent().width * 72 / fig.dpi
            axes.set_title("\n".join(_lines(axes.get_title(), 1.05 * width, POINTS)))


def _lines(text: str, points: float, size: float, weight: str = "normal") -> list[str]:
    """The text in lines of at most so many points, of about one length; a line break in the text stays."""
    return [one for line in text.split("\n") for one in _broken(line, points / max(_width(line, size, weight), 1))]


def _broken(line: str, share: float) -> list[str]:
    """The line in as few parts as it takes if a part may be this share of it."""
    longest = max(1, int(0.95 * share * len(line)))  # 0.95: some letters are wider than others
    ways = [textwrap.wrap(line, n, break_long_words=False, break_on_hyphens=False) for n in range(longest, 0, -1)]
    return [line] if share >= 1 else [lines for lines in ways if len(lines) == len(ways[0])][-1]


def _width(line: str, size: float, weight: str) -> float:
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import TextPath

    return float(TextPath((0, 0), line, prop=FontProperties(size=size, weight=weight)).get_extents().width)


def _refuse_small_words(fig: Any, path: str | os.PathLike[str]) -> None:
    from matplotlib.text import Text

    for text in fig.findobj(lambda artist: isinstance(artist, Text) and artist.get_visible() and artist.get_text()):
        if text.get_fontsize() < POINTS:
            raise ValueError(
                f"{path}: {text.get_text()!r} has {text.get_fontsize():g} points; a picture for a room has {POINTS} "
                "or more: leave out its fontsize"
            )
