"""The page that a sweep writes into its own folder."""

import numpy as np
import pytest

from fnn.cli import sweep_page
from fnn.runs import sweep_tables
from fnn.runs.listing import entry
from tests.helpers.run_folders import sweep


@pytest.mark.parametrize("numbers", [[1.0], [1.0, 2.0], [1.0, 2.0, 5.0, 9.0]])
def test_percentiles_are_those_of_numpy(numbers):
    for share in (0.05, 0.5, 0.95):
        assert sweep_page.percentile(numbers, share) == pytest.approx(np.percentile(numbers, 100 * share))


def test_points_are_means_over_the_seeds_and_the_diverged_come_last(tmp_path):
    rows = sweep_tables.read(sweep(tmp_path / "grid", etas=(0.1, 1.0), diverged=(2,)) / "sweep.csv")
    first, second = sweep_tables.outcomes(rows)
    assert first.mean["validation_accuracy"] == pytest.approx((0.7667 + 0.7567) / 2)
    assert first.sd["validation_accuracy"] == pytest.approx(0.01 / 2**0.5)
    assert (second.networks, second.diverged, len(second.finite["test_cost"])) == ((2, 3), 1, 1)
    assert sweep_tables.ranked([first, second]) == [first, second]
    assert sweep_tables.swept([first.point, second.point]) == ["eta"]
    assert sweep_tables.label(second.point, []) == "eta 1, mu 0, lmbda 0, scale 1"


def test_where_there_is_no_accuracy_the_lowest_cost_is_best(tmp_path):
    folder = sweep(tmp_path / "grid", etas=(0.1, 1.0), seeds=1)
    head, *rest = (folder / "sweep.csv").read_text().splitlines()
    rows = [f"{row.rsplit(',', 6)[0]},0.1,,{cost},,0.3," for row, cost in zip(rest, (0.5, 0.4), strict=True)]
    (folder / "sweep.csv").write_text("\n".join([head, *rows]) + "\n")
    found = sweep_tables.outcomes(sweep_tables.read(folder / "sweep.csv"))
    assert sweep_tables.measure(found) == "validation_cost"
    assert sweep_tables.ranked(found)[0] == found[1]


def test_too_many_curves_are_left_out(tmp_path, monkeypatch):
    folder = sweep(tmp_path / "grid")
    assert len(sweep_page.shown(entry(folder)).tracks) == 2
    monkeypatch.setattr(sweep_page, "LARGEST_CURVES", 10)
    assert sweep_page.shown(entry(folder)).tracks == []


def test_the_page_of_a_sweep_that_was_just_trained_says_that_it_is_finished(tmp_path):
    folder = sweep(tmp_path / "grid")
    (folder / "checkpoints").mkdir()
    sweep_page.write(folder, "report.html")
    assert "finished, 4 networks; 2 points of the grid" in (folder / "report.html").read_text()
