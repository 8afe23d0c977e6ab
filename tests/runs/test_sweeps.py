"""The networks of a sweep: in groups that fit into memory, each started as alone."""

import jax.numpy as jnp
import numpy as np
import pytest

import fnn
from fnn.config.reading import load_config
from fnn.runs import preparing, sweeps
from fnn.runs.grid import Member, widened
from fnn.runs.sweep_tables import Point
from fnn.training.sweeping import SweepResult
from tests.helpers.support import assert_trees_close
from tests.helpers.training import NET


def test_a_width_is_a_group_and_memory_makes_more(grid):
    wide = load_config(grid, ["sweep.units=[5, 50]"])
    assert [len(group.members) for group in sweeps.groups(wide, (64,))] == [8, 8]
    assert sweeps.groups(wide, (64,))[1].net == widened(wide.network.layers, 50)
    assert widened(wide.network.layers, 50)[2].units == 10
    small = load_config(grid, ["sweep.memory=0.0002"])
    sizes = [len(group.members) for group in sweeps.groups(small, (64,))]
    assert len(sizes) > 1
    assert sum(sizes) == 8


def test_a_network_diverges_when_it_is_first_seen_to():
    line = {"validation": None, "test": None, "seconds": 1.0, "params": (), "v": ()}
    costs = [[1.0, 1.0], [np.nan, 1.0], [np.inf, 1.0]]
    history = [SweepResult(e, fnn.Evaluation(jnp.array(cost), jnp.zeros(2)), **line) for e, cost in enumerate(costs, 1)]
    group = sweeps.Group(NET, tuple(Member(Point(0, eta, 0.0, 0.0, 1.0), 0) for eta in (9.0, 1.0)))
    assert [track.diverged for track in sweeps.tracks(group, [sweeps.columns(r) for r in history])] == [2, 0]


@pytest.mark.long
@pytest.mark.parametrize("own_orders", [False, True])
def test_networks_start_as_alone_but_for_their_scale(grid, own_orders):
    sets = ["sweep.eta=[0.5]", "sweep.scale=[1.0, 3.0]", f"sweep.own_orders={str(own_orders).lower()}"]
    scaled = load_config(grid, sets)
    (group,) = sweeps.groups(scaled, (64,))
    params, keys = sweeps.starts(scaled, (64,), group)
    for i in (0, 1, 2, 3):  # both seeds at the first scale, both at the other
        alone, key = preparing.keys(group.members[i].seed)
        W, b = fnn.init(group.net, alone, (64,))[0]
        assert_trees_close((params[0].W[i], params[0].b[i]), (group.members[i].point.scale * W, b))
        assert (keys[i] if own_orders else keys) == (key if own_orders else preparing.keys(scaled.seed)[1])


@pytest.mark.parametrize("shifts", [False, True])
def test_shifted_images_are_shifted_in_a_sweep_too(grid, shifts):
    sets = ["data.shape=[1, 8, 8]", "network.layers=[{type='Flatten'}, {type='Dense', units=10}]"]
    prepared = preparing.prepare(load_config(grid, [*sets, f"training.shifts={str(shifts).lower()}"]))
    (group,) = sweeps.groups(prepared.config, prepared.data.shape)
    task, _ = sweeps.task(prepared, group)
    assert task.train.n == (5 if shifts else 1) * prepared.data.train.n
