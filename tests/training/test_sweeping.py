"""Sweeps: every network is the one that would have been trained alone."""

from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import fnn
from fnn import SGD
from fnn.training import sweeping
from tests.helpers.support import assert_trees_close, one_hot_rows
from tests.helpers.training import COST, NET, some


def many(m):
    return jax.vmap(lambda key: fnn.init(NET, key, (5,)))(jax.random.split(jax.random.key(0), m))


def sweep(optimizer, key, m=3, **settings):
    examples = some(30)
    return list(fnn.sweep(NET, COST, optimizer, many(m), examples, key, batch_size=4, epochs=2, **settings))


def alone(optimizer, key, i, m=3):
    params = jax.tree.map(lambda p: p[i], many(m))
    return list(fnn.fit(NET, COST, optimizer, params, some(30), key, batch_size=4, epochs=2))[-1]


@pytest.mark.long
@pytest.mark.parametrize("mu", [pytest.param(0.0, marks=pytest.mark.long), 0.5])
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


@fnn.static
class Hides(fnn.Identity):
    """A layer that makes 0 of nan."""

    def forward(self, params, a):
        return jnp.where(abs(a) < jnp.inf, a, 0.0)


@pytest.mark.long
def test_one_whose_params_are_nan_has_diverged_though_a_layer_hides_it():
    net, rows = (fnn.Dense(3), Hides()), some(30)
    params = jax.vmap(lambda key: fnn.init(net, key, (5,)))(jax.random.split(jax.random.key(0), 2))
    settings = {"batch_size": 4, "epochs": 2, "validation": rows}
    for result in fnn.sweep(net, COST, SGD(jnp.array([0.1, np.inf])), params, rows, jax.random.key(7), **settings):
        for scores in (result.train, result.validation):
            assert [np.isnan(number).tolist() for number in scores] == [[False, True]] * 2
            assert [number.dtype for number in scores] == ["float32"] * 2
    one = jax.tree.map(lambda p: p[1], params)
    with pytest.raises(fnn.DivergedError):
        list(fnn.fit(net, COST, SGD(np.inf), one, rows, jax.random.key(7), batch_size=4, epochs=2))


def test_one_device_has_all_networks_and_none_twice():
    mesh, filled = sweeping._placement(5, jax.devices()[:1])
    assert mesh.size == 1
    assert filled.tolist() == [0, 1, 2, 3, 4]


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


@pytest.mark.long
def test_networks_on_shifted_images_are_trained_as_if_alone():
    net, key = (fnn.Flatten(), fnn.Dense(2)), jax.random.key(7)
    images = jax.random.uniform(jax.random.key(1), (6, 1, 2, 5))
    examples = fnn.Shifted(fnn.Examples(images, one_hot_rows(2, 6, 2)))
    params = fnn.init(net, jax.random.key(0), (1, 2, 5))
    *_, alone = fnn.fit(net, COST, SGD(0.5), params, examples, key, batch_size=4, epochs=1)
    many = jax.tree.map(lambda p: p[None], params)
    *_, last = fnn.sweep(net, COST, SGD(0.5), many, examples, key, batch_size=4, epochs=1)
    assert_trees_close(jax.tree.map(lambda p: p[0], last.params), alone.params)


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


@pytest.mark.long
def test_numbers_in_float32_leave_a_network_in_half_precision_as_it_is():
    examples = some(13)._replace(x=some(13).x.astype("bfloat16"))
    params = jax.tree.map(lambda leaf: leaf.astype("bfloat16"), many(2))
    for mu in (0.0, jnp.array([0.5, 0.9])):
        sgd, key = SGD(jnp.array([0.1, 0.2]), mu), jax.random.key(7)
        with jax.numpy_dtype_promotion("standard"):
            (last,) = fnn.sweep(NET, COST, sgd, params, examples, key, batch_size=4, epochs=1)
        assert {leaf.dtype.name for leaf in jax.tree.leaves((last.params, last.v))} == {"bfloat16"}
