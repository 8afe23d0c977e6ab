"""The grid of a sweep: every combination, and what came out at its points."""

import numpy as np
import pytest

from fnn.config.reading import load_config
from fnn.runs.grid import Member, members
from fnn.runs.sweep_tables import Point, label, outcomes, swept


def test_the_grid_is_every_combination(grid):
    found = members(load_config(grid, ["seed=5"]))
    assert len(found) == len(set(found)) == 8
    assert found[0] == Member(Point(0, 0.5, 0.0, 0.0, 1.0), 5)
    assert swept(m.point for m in found) == ["eta", "lmbda"]
    assert label(found[-1].point, ["eta", "lmbda"]) == "eta 3, lmbda 0.01"


def test_summaries_leave_out_what_diverged_or_is_not_finite():
    point, costs = Point(0, 1.0, 0.0, 0.0, 1.0), [1.0, 2.0, float("nan"), 6.0, float("inf"), 9.0]
    rows = [{"network": i, **point._asdict(), "train_cost": cost} for i, cost in enumerate(costs)]
    rows[-1]["diverged_in_epoch"] = 2
    (found,) = outcomes(rows)
    assert (found.point, len(found.networks), found.diverged, found.finite["train_cost"]) == (point, 6, 1, [1, 2, 6])
    assert found.mean["train_cost"] == 3
    assert found.sd["train_cost"] == pytest.approx(np.std([1, 2, 6], ddof=1))


def test_a_grid_of_one_point_is_named_by_its_numbers():
    assert label(Point(0, 0.5, 0.9, 0.0, 1.0), []) == "eta 0.5, mu 0.9, lmbda 0, scale 1"
    assert label(Point(7, 0.5, 0.9, 0.0, 1.0), []).startswith("units 7, eta 0.5")
