"""Sweeps: every network is the one that would have been trained alone."""

import csv
import json
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from test_config import GOOD
from test_training import COST, NET, some

import fnn
from fnn import SGD, cli
from fnn.cli import sweep as sweep_command
from fnn.cli import sweep_report
from fnn.config.reading import load_config
from fnn.plots import curves
from fnn.runs import preparing, sweeps
from fnn.runs.grid import Member, Point, label, members, summarise, swept, widened
from fnn.training import sweeping
from fnn.training.epochs import Evaluation
from fnn.training.sweeping import SweepResult
from tests.helpers.support import assert_trees_close

GRID = "\n[sweep]\neta = [0.5, 3.0]\nlmbda = [0.0, 0.01]\nseeds = 2\n"


def many(m):
    return jax.vmap(lambda key: fnn.init(NET, key, (5,)))(jax.random.split(jax.random.key(0), m))


def sweep(optimizer, key, m=3, **settings):
    examples = some(30)
    return list(fnn.sweep(NET, COST, optimizer, many(m), examples, key, batch_size=4, epochs=2, **settings))


def alone(optimizer, key, i, m=3):
    params = jax.tree.map(lambda p: p[i], many(m))
    return list(fnn.fit(NET, COST, optimizer, params, some(30), key, batch_size=4, epochs=2))[-1]


@pytest.mark.parametrize("mu", [0.0, 0.5])
def test_with_a_shared_order_each_network_is_trained_as_if_alone(mu):
    etas, key = jnp.array([0.1, 0.5, 1.0]), jax.random.key(7)
    last = sweep(SGD(etas, mu, 1e-3), key)[-1]
    for i, eta in enumerate((0.1, 0.5, 1.0)):
        expected = alone(SGD(eta, mu, 1e-3), key, i)
        assert_trees_close(jax.tree.map(lambda p, i=i: p[i], last.params), expected.params)
        assert float(last.train.cost[i]) == pytest.approx(float(expected.train.cost), rel=1e-5)


def test_with_a_key_each_the_orders_differ():
    keys = jax.random.split(jax.random.key(8), 3)
    last = sweep(SGD(0.5), keys)[-1]
    for i in range(3):
        assert_trees_close(jax.tree.map(lambda p, i=i: p[i], last.params), alone(SGD(0.5), keys[i], i).params)
    shared = sweep(SGD(0.5), keys[0])[-1]
    assert not np.allclose(shared.params[0].W[1], last.params[0].W[1])


def test_one_that_diverges_leaves_the_others_alone():
    last = sweep(SGD(jnp.array([0.1, jnp.inf, 1.0])), jax.random.key(7), test=some(30).take(slice(0)))[-1]
    assert last.test is None  # of no examples
    assert np.isfinite(np.asarray(last.train.cost)).tolist() == [True, False, True]
    assert_trees_close(jax.tree.map(lambda p: p[2], last.params), alone(SGD(1.0), jax.random.key(7), 2).params)


@pytest.mark.parametrize(("m", "devices"), [(1, 1), (5, 1), (6, 3), (8, 4)])
def test_as_many_devices_as_divide_the_networks_share_them(monkeypatch, m, devices):
    monkeypatch.setattr(jax, "devices", lambda real=jax.devices: 4 * real()[:1])
    networks, data = sweeping._placement(m)
    assert networks.mesh.size == data.mesh.size == devices


def test_a_grid_is_one_compilation_off_the_clock(monkeypatch):
    traces, known = [], set()
    monkeypatch.setattr(sweeping, "time", SimpleNamespace(perf_counter=lambda: known.add(len(traces)) or 0.0))

    def counted(*args):
        traces.append(args)
        return fnn.backprop(*args)

    for etas in ((0.1, 0.2, 0.3), (1.0, 2.0, 3.0)):
        sweep(SGD(jnp.array(etas)), jax.random.key(0), gradient=counted)
    assert len(traces) == 2  # the scan's mini-batches and the last short one, each once
    assert known == {2}


@pytest.fixture
def config(tmp_path):
    path = tmp_path / "grid.toml"
    path.write_text(GOOD + GRID)
    return str(path)


def test_the_grid_is_every_combination(config):
    grid = members(load_config(config, ["seed=5"]))
    assert len(grid) == len(set(grid)) == 8
    assert grid[0] == Member(Point(0, 0.5, 0.0, 0.0, 1.0), 5)
    assert swept(m.point for m in grid) == ["eta", "lmbda"]
    assert label(grid[-1].point, ["eta", "lmbda"]) == "eta 3, lmbda 0.01"


def test_a_width_is_a_turn_and_memory_makes_more(config):
    wide = load_config(config, ["sweep.units=[5, 50]"])
    assert [len(turn.members) for turn in sweeps.turns(wide, (64,))] == [8, 8]
    assert sweeps.turns(wide, (64,))[1].net == widened(wide.network.layers, 50)
    assert widened(wide.network.layers, 50)[2].units == 10
    small = load_config(config, ["sweep.memory=0.0002"])
    sizes = [len(turn.members) for turn in sweeps.turns(small, (64,))]
    assert len(sizes) > 1
    assert sum(sizes) == 8


def test_a_network_diverges_when_it_is_first_seen_to():
    line = {"validation": None, "test": None, "seconds": 1.0, "params": (), "v": ()}
    costs = [[1.0, 1.0], [np.nan, 1.0], [np.inf, 1.0]]
    history = [SweepResult(e, Evaluation(jnp.array(cost), jnp.zeros(2)), **line) for e, cost in enumerate(costs, 1)]
    turn = sweeps.Turn(NET, tuple(Member(Point(0, eta, 0.0, 0.0, 1.0), 0) for eta in (9.0, 1.0)))
    assert [track.diverged for track in sweeps.tracks(turn, history)] == [2, 0]


def test_summaries_leave_out_what_diverged():
    point = Point(0, 1.0, 0.0, 0.0, 1.0)
    (summary,) = summarise([Member(point, s) for s in range(4)], [1.0, 2.0, float("nan"), 6.0])
    assert (summary.mean, summary.least, summary.most, summary.count, summary.diverged) == (3, 1, 6, 3, 1)
    assert summary.sd == pytest.approx(np.std([1, 2, 6], ddof=1))


def table(path):
    with path.open() as file:
        return list(csv.DictReader(file))


def test_the_command_keeps_tables_pictures_and_every_network(config, tmp_path, capsys):
    assert cli.main(["sweep", config, "--out", str(tmp_path / "runs")]) == 0
    out = capsys.readouterr().out
    assert "8 networks in 1 turn" in out
    assert out.count("best by validation_accuracy") == 1
    folder = next((tmp_path / "runs").iterdir())
    rows = table(folder / "sweep.csv")
    assert [row["eta"] for row in rows] == ["0.5"] * 4 + ["3.0"] * 4
    assert len(table(folder / "curves.csv")) == 8 * 2
    # the first seed's network is the one that `fnn run` trains
    net, cost, params = fnn.load(folder / "networks" / "0006")
    prepared = preparing.prepare(load_config(config, ["training.optimizer={type='SGD', eta=3.0, lmbda=0.01}"]))
    *_, last = preparing.results(prepared, "backprop")
    assert_trees_close(params, last.params)
    assert float(rows[6]["test_accuracy"]) == pytest.approx(float(last.test.accuracy), abs=0.004)
    assert json.loads((folder / "networks" / "0006" / "config.json").read_text())["member"]["eta"] == 3.0
    capsys.readouterr()
    assert cli.main(["predict", str(folder / "networks" / "0007")]) == 0


@pytest.mark.parametrize("own_orders", [False, True])
def test_networks_start_as_alone_but_for_their_scale(config, own_orders):
    sets = ["sweep.eta=[0.5]", "sweep.scale=[1.0, 3.0]", f"sweep.own_orders={str(own_orders).lower()}"]
    scaled = load_config(config, sets)
    (turn,) = sweeps.turns(scaled, (64,))
    params, keys = sweeps.starts(scaled, (64,), turn)
    for i in (0, 1, 2, 3):  # both seeds at the first scale, both at the other
        alone, key = preparing.keys(turn.members[i].seed)
        W, b = fnn.init(turn.net, alone, (64,))[0]
        assert_trees_close((params[0].W[i], params[0].b[i]), (turn.members[i].point.scale * W, b))
        assert (keys[i] if own_orders else keys) == (key if own_orders else preparing.keys(scaled.seed)[1])


def test_the_best_is_chosen_by_validation_never_by_test():
    def track(eta, validation, test, diverged=0):
        line = {"train_cost": 1.0, "train_accuracy": 0.5, "validation_accuracy": validation, "test_accuracy": test}
        return sweeps.Track(Member(Point(0, eta, 0.0, 0.0, 1.0), 0), [line], diverged)

    tracks = [track(0.1, 0.9, 0.5), track(1.0, 0.8, 0.99), track(9.0, 0.95, 0.95), track(9.0, 0.95, 0.95, diverged=1)]
    assert sweep_report.best_point(tracks).eta == 0.1
    assert "eta 0.1  " in next(line for line in sweep_report.table(tracks).splitlines() if "best by" in line)


def test_the_lowest_cost_is_the_best():
    tracks = [sweeps.Track(Member(Point(0, eta, 0.0, 0.0, 1.0), 0), [{"train_cost": 1 / eta}], 0) for eta in (1.0, 2.0)]
    assert sweep_report.best_point(tracks).eta == 2.0


def test_ctrl_c_keeps_what_is_done(config, tmp_path, capsys, monkeypatch):
    turns, real, begun = sweeps.turns, sweeps.results, []

    def interrupted(*args):
        begun.append(args)
        for result in real(*args):
            yield result
            if len(begun) == 2:
                raise KeyboardInterrupt

    monkeypatch.setattr(sweeps, "turns", lambda *args: 2 * turns(*args))  # the same programs twice
    monkeypatch.setattr(sweeps, "results", interrupted)
    assert cli.main(["sweep", config, "--out", str(tmp_path / "runs")]) == 130
    folder = next((tmp_path / "runs").iterdir())
    assert [row["epochs"] for row in table(folder / "sweep.csv")] == ["2"] * 8 + ["1"] * 8
    assert len(list((folder / "networks").iterdir())) == 16
    assert "networks stopped before epoch 2, not in this table: 8" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("sweep.scale=[1e39]", "scale = [1e+39]: expected numbers from 0 to"),
        ("sweep.eta=[0.0]", "eta = [0.0]: expected numbers from 1.18e-38"),
        ("sweep.eta=1.0", "sweep.eta = 1.0: expected a list"),
        ("sweep.seeds=0", "seeds = 0: expected 1 to"),
        ("sweep.etas=[1.0]", "sweep.etas: unknown key; did you mean 'eta'?"),
    ],
)
def test_mistakes_in_a_grid_are_one_line(config, tmp_path, capsys, override, message):
    assert cli.main(["sweep", config, "--out", str(tmp_path / "r"), "--set", override]) == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize("shifts", [False, True])
def test_shifted_images_are_shifted_in_a_sweep_too(config, monkeypatch, shifts):
    sets = ["data.shape=[1, 8, 8]", "network.layers=[{type='Flatten'}, {type='Dense', units=10}]"]
    prepared = preparing.prepare(load_config(config, [*sets, f"training.shifts={str(shifts).lower()}"]))
    given = []
    monkeypatch.setattr(sweeps, "sweep", lambda *arguments, **settings: given.append(arguments) or iter(()))
    (turn,) = sweeps.turns(prepared.config, prepared.data.shape)
    assert list(sweeps.results(prepared.config, prepared.data, turn)) == []
    assert given[0][4].n == (5 if shifts else 1) * prepared.data.train.n


def test_networks_on_shifted_images_are_trained_as_if_alone():
    net, key = (fnn.Flatten(), fnn.Dense(2)), jax.random.key(7)
    images = jax.random.uniform(jax.random.key(1), (6, 1, 2, 5))
    examples = fnn.Shifted(fnn.Examples(images, jnp.ones((6, 2))))
    params = fnn.init(net, jax.random.key(0), (1, 2, 5))
    *_, alone = fnn.fit(net, COST, SGD(0.5), params, examples, key, batch_size=4, epochs=1)
    many = jax.tree.map(lambda p: p[None], params)
    *_, last = fnn.sweep(net, COST, SGD(0.5), many, examples, key, batch_size=4, epochs=1)
    assert_trees_close(jax.tree.map(lambda p: p[0], last.params), alone.params)


@pytest.mark.parametrize("override", ["training.schedule={type='EarlyStopping'}", "training.target_cost=0.1"])
def test_what_ends_one_training_is_refused_for_many(config, tmp_path, capsys, override):
    assert cli.main(["sweep", config, "--out", str(tmp_path / "r"), "--set", override]) == 2
    assert "are for one training by itself" in capsys.readouterr().err
    assert not (tmp_path / "r").exists()


def diverged(eta):
    line = {name: np.nan for name in ("train_cost", "train_accuracy", "test_cost", "test_accuracy")}
    return sweeps.Track(Member(Point(0, eta, 0.0, 0.0, 1.0), 0), [line], 1)


def test_a_grid_that_diverges_altogether_has_its_table(tmp_path, capsys):
    tracks = [diverged(1e20), diverged(1e30)]
    assert "<- best" not in sweep_report.table(tracks)
    sweep_command.conclude(tmp_path, "some", tracks)
    assert "pictures: none, every network in this table has diverged" in capsys.readouterr().out
    assert [row["diverged_in_epoch"] for row in table(tmp_path / "sweep.csv")] == ["1", "1"]


def test_networks_stopped_sooner_are_not_compared_with_the_others(tmp_path, capsys):
    def track(eta, costs):
        return sweeps.Track(Member(Point(0, eta, 0.0, 0.0, 1.0), 0), [{"train_cost": cost} for cost in costs], 0)

    sweep_command.conclude(tmp_path, "some", [track(0.1, [3.0, 2.0]), track(0.2, [9.0, 1.9]), track(0.3, [0.5])])
    best, *rest = [line for line in capsys.readouterr().out.splitlines() if "<- best" in line]
    assert best.startswith("eta 0.2")
    assert not rest
    assert [row["epochs"] for row in table(tmp_path / "sweep.csv")] == ["2", "2", "1"]


def test_a_sweep_all_of_whose_networks_diverge_has_diverged(config, tmp_path, capsys):
    words = ["sweep", config, "--out", str(tmp_path / "runs"), "--set", "sweep.eta=[1e30]"]
    assert cli.main([*words, "--set", "sweep.lmbda=[0.01]"]) == 4
    out, error = capsys.readouterr()
    assert error.startswith("fnn: every network has diverged; a smaller eta")
    assert "sweep.csv" in out


def test_a_grid_of_one_point_is_named_by_its_numbers():
    assert label(Point(0, 0.5, 0.9, 0.0, 1.0), []) == "eta 0.5, mu 0.9, lmbda 0, scale 1"
    assert label(Point(7, 0.5, 0.9, 0.0, 1.0), []).startswith("units 7, eta 0.5")


def test_more_curves_than_can_be_told_apart_are_those_of_the_best_points(tmp_path, monkeypatch):
    drawn = {}
    monkeypatch.setattr(curves, "bands", lambda curves, path, title, measure: drawn.update({title: list(curves)}))
    costs = np.random.default_rng(0).permutation(20)
    tracks = [sweeps.Track(Member(Point(0, 1.0 + i, 0.0, 0.0, 1.0), 0), [{"train_cost": float(cost)}], 0)
              for i, cost in enumerate(costs)]  # fmt: skip
    assert sweep_report.draw(tmp_path, tracks, "some") == ["sweep.png"]
    best = [f"eta {i + 1}" for i, cost in enumerate(costs) if cost < curves.TOLD_APART]
    assert drawn == {f"some, the best {curves.TOLD_APART} of 20 points": best}


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


def test_networks_that_are_well_but_were_stopped_are_not_said_to_have_diverged(tmp_path, capsys):
    well = sweeps.Track(Member(Point(0, 0.1, 0.0, 0.0, 1.0), 0), [{"train_cost": 1.0}], 0)
    bad = sweeps.Track(Member(Point(0, 9.0, 0.0, 0.0, 1.0), 0), [{"train_cost": 1.0}, {"train_cost": np.nan}], 2)
    sweep_command.conclude(tmp_path, "some", [bad, well])
    out = capsys.readouterr().out
    assert "networks stopped before epoch 2, not in this table: 1" in out
    assert "pictures: none, every network in this table has diverged" in out


def test_a_sweep_some_of_whose_networks_diverge_is_done(config, tmp_path):
    words = ["sweep", config, "--out", str(tmp_path / "runs"), "--set", "sweep.eta=[1e30,1.0]"]
    assert cli.main([*words, "--set", "sweep.lmbda=[0.01]"]) == 0


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


def test_the_lowest_cost_is_that_of_the_networks_that_are_well(config):
    prepared = preparing.prepare(load_config(config))
    scores = Evaluation(jnp.array([jnp.nan, 0.25, jnp.inf]), jnp.zeros(3))
    said = sweep_command.line(SweepResult(1, scores, None, None, 1.0, (), ()), prepared, 0, 3)
    assert "lowest training cost 0.25 " in said


def test_a_heat_map_of_what_is_done_has_holes(tmp_path):
    line = {"train_cost": 1.0, "train_accuracy": 0.5, "validation_accuracy": 0.5}
    points = [Point(0, 0.1, 0.0, 0.0, 1.0), Point(0, 1.0, 0.0, 0.0, 1.0), Point(0, 0.1, 0.5, 0.0, 1.0)]
    tracks = [sweeps.Track(Member(point, 0), [line], 0) for point in points]
    assert sweep_report.draw(tmp_path, tracks, "some") == ["sweep.png", "heat_map.png"]


def test_a_sweep_on_a_full_disk_is_one_line(config, tmp_path, capsys, monkeypatch):
    def full(*args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(sweeps, "keep", full)
    assert cli.main(["sweep", config, "--out", str(tmp_path / "r")]) == 2
    error = capsys.readouterr().err
    assert "cannot be written (No space left on device); make room" in error
    assert error.count("\n") == 1


def test_a_width_beyond_the_memory_is_refused(config, tmp_path, capsys):
    assert cli.main(["sweep", config, "--out", str(tmp_path / "r"), "--set", "sweep.units=[1000000000]"]) == 2
    assert "sweep.units: a network of 1000000000 units takes" in capsys.readouterr().err


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class AdaGrad:
    """An optimiser whose state begins with one of its own numbers."""

    eta: Any
    start: Any

    def scaled(self, factor):
        return replace(self, eta=self.eta * factor)

    def init(self, params):
        return jax.tree.map(lambda p: jnp.full_like(p, self.start), params)

    def update(self, params, v, gradient):
        v = jax.tree.map(lambda v, g: v + g * g, v, gradient)
        return jax.tree.map(lambda p, g, v: p - self.eta * g / jnp.sqrt(v), params, gradient, v), v


def test_each_network_begins_with_its_own_numbers():
    starts, key = [0.01, 1.0, 10.0], jax.random.key(7)
    *_, last = sweep(AdaGrad(0.1, jnp.array(starts)), key)
    for i, start in enumerate(starts):
        one = alone(AdaGrad(0.1, start), key, i)
        assert_trees_close(jax.tree.map(lambda leaf, i=i: leaf[i], last.params), one.params)


def test_numbers_in_float32_leave_a_network_in_half_precision_as_it_is():
    examples = some(13)._replace(x=some(13).x.astype("bfloat16"))
    params = jax.tree.map(lambda leaf: leaf.astype("bfloat16"), many(2))
    for mu in (0.0, jnp.array([0.5, 0.9])):
        sgd, key = SGD(jnp.array([0.1, 0.2]), mu), jax.random.key(7)
        with jax.numpy_dtype_promotion("standard"):
            (last,) = fnn.sweep(NET, COST, sgd, params, examples, key, batch_size=4, epochs=1)
        assert {leaf.dtype.name for leaf in jax.tree.leaves((last.params, last.v))} == {"bfloat16"}
