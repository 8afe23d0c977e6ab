"""The grid of a sweep: every combination, and summaries of its points."""

import numpy as np
import pytest

from fnn.config.reading import load_config
from fnn.runs.grid import Member, Point, label, members, summarise, swept


def test_the_grid_is_every_combination(grid):
    found = members(load_config(grid, ["seed=5"]))
    assert len(found) == len(set(found)) == 8
    assert found[0] == Member(Point(0, 0.5, 0.0, 0.0, 1.0), 5)
    assert swept(m.point for m in found) == ["eta", "lmbda"]
    assert label(found[-1].point, ["eta", "lmbda"]) == "eta 3, lmbda 0.01"


def test_summaries_leave_out_what_diverged():
    point = Point(0, 1.0, 0.0, 0.0, 1.0)
    (summary,) = summarise([Member(point, s) for s in range(4)], [1.0, 2.0, float("nan"), 6.0])
    assert (summary.mean, summary.least, summary.most, summary.count, summary.diverged) == (3, 1, 6, 3, 1)
    assert summary.sd == pytest.approx(np.std([1, 2, 6], ddof=1))


def test_a_grid_of_one_point_is_named_by_its_numbers():
    assert label(Point(0, 0.5, 0.9, 0.0, 1.0), []) == "eta 0.5, mu 0.9, lmbda 0, scale 1"
    assert label(Point(7, 0.5, 0.9, 0.0, 1.0), []).startswith("units 7, eta 0.5")
