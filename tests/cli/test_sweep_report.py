"""What a sweep shows at its end: the best by validation, and pictures."""

import numpy as np

from fnn.cli import sweep_report
from fnn.plots import curves
from fnn.runs import sweeps
from fnn.runs.grid import Member
from fnn.runs.sweep_tables import Point, ranked


def test_the_best_is_chosen_by_validation_never_by_test():
    def track(eta, validation, test, diverged=0):
        line = {"train_cost": 1.0, "train_accuracy": 0.5, "validation_accuracy": validation, "test_accuracy": test}
        return sweeps.Track(Member(Point(0, eta, 0.0, 0.0, 1.0), 0), [line], diverged)

    tracks = [track(0.1, 0.9, 0.5), track(1.0, 0.8, 0.99), track(9.0, 0.95, 0.95), track(9.0, 0.95, 0.95, diverged=1)]
    assert ranked(sweep_report.of_tracks(tracks))[0].point.eta == 0.1
    assert "eta 0.1  " in next(line for line in sweep_report.table(tracks).splitlines() if "best by" in line)


def test_accuracies_are_in_percent_and_costs_are_not():
    def track(seed, accuracy, cost):
        line = {"train_cost": 1.0, "validation_accuracy": accuracy, "validation_cost": cost, "test_accuracy": 1.0}
        return sweeps.Track(Member(Point(0, 0.5, 0.0, 0.0, 1.0), seed), [line], 0)

    head, row = sweep_report.table([track(0, 0.9542, 0.1), track(1, 0.9642, 0.2)]).splitlines()
    assert head.split() == ["validation_accuracy", "sd", "min", "max", "test_accuracy", "sd", "min", "max", "diverged"]
    assert "  95.92%    0.71%   95.42%   96.42%  " in row
    assert "  100.00%    0.00%  100.00%  100.00%  " in row
    assert "95.42%      nan   95.42%" in sweep_report.table([track(0, 0.9542, 0.1)])
    costs = [
        t._replace(metrics=[{"train_cost": t.metrics[0]["validation_cost"]}])
        for t in (track(0, 0, 0.25), track(1, 0, 0.75))
    ]
    assert "  0.5     0.35     0.25     0.75  " in sweep_report.table(costs)


def test_a_network_whose_validation_cost_is_infinite_has_not_diverged():
    def track(eta, seed, cost, diverged=0):
        return sweeps.Track(
            Member(Point(0, eta, 0.0, 0.0, 1.0), seed), [{"train_cost": 1.0, "validation_cost": cost}], diverged
        )

    tracks = [track(0.1, 0, 0.2), track(0.1, 1, 0.3), track(0.5, 0, 0.1), track(0.5, 1, np.inf), track(0.5, 2, np.nan)]
    table = sweep_report.table([*tracks, track(0.9, 0, np.nan, diverged=1)]).splitlines()
    assert table[1].endswith("       0  <- best by validation_cost")
    assert table[2].endswith("       0  2 not finite")
    assert table[3].split()[-1] == "1"
    assert ranked(sweep_report.of_tracks(tracks))[0].point.eta == 0.1


def test_the_lowest_cost_is_the_best():
    tracks = [sweeps.Track(Member(Point(0, eta, 0.0, 0.0, 1.0), 0), [{"train_cost": 1 / eta}], 0) for eta in (1.0, 2.0)]
    assert ranked(sweep_report.of_tracks(tracks))[0].point.eta == 2.0


def test_more_curves_than_can_be_told_apart_are_those_of_the_best_points(tmp_path, monkeypatch):
    drawn = {}
    monkeypatch.setattr(curves, "bands", lambda curves, path, title, measure: drawn.update({title: list(curves)}))
    costs = np.random.default_rng(0).permutation(20)
    tracks = [
        sweeps.Track(Member(Point(0, 1.0 + i, 0.0, 0.0, 1.0), 0), [{"train_cost": float(cost)}], 0)
        for i, cost in enumerate(costs)
    ]
    assert sweep_report.draw(tmp_path, tracks, "some") == ["sweep.png"]
    best = [f"eta {i + 1}" for i, cost in enumerate(costs) if cost < curves.TOLD_APART]
    assert drawn == {f"some, the best {curves.TOLD_APART} of 20 points": best}


def test_a_heat_map_of_what_is_done_has_holes(tmp_path):
    line = {"train_cost": 1.0, "train_accuracy": 0.5, "validation_accuracy": 0.5}
    points = [Point(0, 0.1, 0.0, 0.0, 1.0), Point(0, 1.0, 0.0, 0.0, 1.0), Point(0, 0.1, 0.5, 0.0, 1.0)]
    tracks = [sweeps.Track(Member(point, 0), [line], 0) for point in points]
    assert sweep_report.draw(tmp_path, tracks, "some") == ["sweep.png", "heat_map.png"]
