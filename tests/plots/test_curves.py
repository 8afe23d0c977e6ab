"""Curves and heat maps say what they are of, and stay legible."""

import numpy as np
import pytest

from fnn.plots import curves


@pytest.mark.parametrize("size", [curves.LEGIBLE, curves.LEGIBLE + 5, 10 * curves.LEGIBLE])
def test_a_heat_map_stays_small_and_names_what_it_can(tmp_path, monkeypatch, size):
    figures = []
    monkeypatch.setattr(curves, "write", lambda fig, path: figures.append(fig))
    table = np.add.outer(np.arange(3.0), np.arange(size))
    curves.heat_map(table, ("lmbda", [0, 1, 2]), ("eta", range(size)), tmp_path / "x.png", "some")
    axes = figures[0].axes[0]
    names = [text.get_text() for text in axes.get_xticklabels()]
    assert names == [str(k) for k in range(0, size, {20: 1, 25: 2, 200: 10}[size])]
    assert len(axes.texts) == (0 if size > curves.LEGIBLE else 3 * size)
    assert max(figures[0].get_size_inches()) < 20


@pytest.mark.parametrize("seeds", [1, 3])
def test_bands_say_how_many_seeds_they_are_of(tmp_path, monkeypatch, seeds):
    figures = []
    monkeypatch.setattr(curves, "write", lambda fig, path: figures.append(fig))
    good, bad = np.ones((seeds, 2)), np.ones((seeds, 2))
    bad[0] = np.nan
    curves.bands({"well": good, "partly": bad}, tmp_path / "x.png", "some", "cost")
    (axes,) = figures[0].axes
    assert axes.get_title() == ("some" if seeds == 1 else "some: median and 5-95 % of 3 seeds")
    labels = ["well"] if seeds == 1 else ["well", "partly (2 of 3 seeds)"]
    assert [text.get_text() for text in figures[0].legends[0].get_texts()] == labels
    assert {line.get_marker() for line in axes.get_lines()} == {"o"}
