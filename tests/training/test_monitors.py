"""What a training looks like inside is what a plain loop in NumPy sees; looking changes nothing, and costs nothing."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import fnn
from fnn import (
    SGD,
    Conv,
    ConvPool,
    CrossEntropy,
    Dense,
    Examples,
    Flatten,
    Identity,
    LeakyReLU,
    LogLikelihood,
    Maxout,
    MaxPool,
    Quadratic,
    ReLU,
    Shifted,
    Sigmoid,
    Softmax,
    Step,
    Tanh,
)
from fnn.layers import DenseParams
from fnn.training import fitting, monitors, segments
from fnn.training.fitting import resumed, start
from fnn.training.mini_batches import Rule
from fnn.training.tasks import Task
from tests.helpers.support import ACTIVATIONS, Swish, assert_trees_close, compiled, draw_params, one_hot_rows

pytestmark = pytest.mark.long

KEY, MOMENTUM = jax.random.key(1), SGD(0.02, mu=0.5, lmbda=0.01)


@pytest.fixture(autouse=True)
def often(monkeypatch):
    """Every third mini-batch is measured, so that short epochs will do."""
    monkeypatch.setattr(monitors, "MEASURED_EVERY", 3)


@fnn.static
class Backwards:
    """Every example in reverse: no params, the same shape, and not entry by entry."""

    def init(self, key, shape):
        return (), shape

    def forward(self, params, a):
        return a[:, ::-1]

    def backward(self, params, a, delta):
        return (), delta[:, ::-1]


DENSE = (Dense(4), Swish(), Dense(3))
MIXED = (Maxout(4, 3), Tanh(), Backwards(), Dense(3), LeakyReLU(), Softmax())
IMAGES = (Conv(3, 2), ReLU(), ConvPool(2, 2, 2), Sigmoid(), Flatten(), Dense(3))


def some(n, shape=(5,), seed=0):
    x = 8 * np.random.default_rng(seed).random((n, *shape), np.float32) - 3
    return Examples(jax.device_put(x), one_hot_rows(seed, n, 3))


def bits(tree):
    return [np.asarray(leaf).tobytes() for leaf in jax.tree.leaves(tree)]


SLOPES = {
    ReLU: lambda z: 1.0 * (z > 0),
    LeakyReLU: lambda z: np.where(z > 0, 1, 0.01),
    Sigmoid: lambda z: 1 / (2 + np.exp(z) + np.exp(-z)),
    Tanh: lambda z: 1 / np.cosh(z) ** 2,
    Step: np.zeros_like,
    Swish: lambda z: (np.exp(z / 2) + np.exp(-z / 2) * (1 + z)) / (np.exp(z / 2) + np.exp(-z / 2)) ** 2 * np.exp(z / 2),
}


def expected(net, cost, optimizer, params, examples, order, batch_size):
    """The readings of an epoch, by a loop over its steps that knows the definitions alone, and the params."""

    @compiled
    def step(params, v, x, y):
        _, gradient = fnn.autodiff(net, cost, params, x, y)
        parts = fnn.activations(net, params, x), fnn.deltas(net, cost, params, x, y), gradient
        return parts, optimizer.update(params, v, gradient)

    v, slopes, sizes, coherences = optimizer.init(params), *([[] for _ in net] for _ in range(3))
    for k, i in enumerate(range(0, examples.n, batch_size)):
        x, y = examples.rows(order[i : i + batch_size])
        (z, deltas, gradient), (after, v) = jax.device_get(step(params, v, x, y))
        for layer, of in enumerate(net):
            if type(of) in SLOPES:
                slopes[layer].append(SLOPES[type(of)](z[layer].astype(np.float64)))
            if k % monitors.MEASURED_EVERY == 0:
                square, moved = np.square(len(x) * deltas[layer].astype(np.float64)).sum(), (0, 0)
                if params[layer] != ():
                    W, b = params[layer]
                    moved = np.square(after[layer].W - W).sum(), np.square(W).sum()
                    for row in gradient[layer].W.reshape(b.size, -1):
                        plus, minus = (row > 0).sum(), (row < 0).sum()
                        coherences[layer] += [abs(plus - minus) / (plus + minus)] if plus + minus else []
                sizes[layer].append((len(x), square, *moved))
        params = after
    return [_expected(*parts) for parts in zip(slopes, sizes, coherences, strict=True)], params


def _expected(slopes, sizes, coherences):
    dead = saturated = update = coherence = np.nan
    rows, square, moved, weights = np.sum(sizes, axis=0)
    if slopes:
        every = np.concatenate(slopes)  # (n, *shape)
        dead = (every == 0).all(axis=0).reshape(every.shape[1], -1).all(axis=1).mean()
        saturated = (abs(every) < 1e-3).mean()
    if coherences:
        update, coherence = np.sqrt(moved / weights), np.mean(coherences)
    return dead, saturated, np.sqrt(square / rows), update, coherence


CASES = {
    "online": (DENSE, CrossEntropy(), some(45), 1),
    "short-end": (DENSE, CrossEntropy(), some(45), 7),
    "whole": (MIXED, Quadratic(Identity()), some(24), 24),
    "images": (IMAGES, LogLikelihood(), Shifted(some(4, (1, 6, 6))), 4),
}


def trained(rule, params, examples, order, tally):
    """The params, the optimiser's state and the tally after an epoch."""
    v, last = rule.optimizer.init(params), segments.count(examples.n, rule.batch_size)
    *after, tally = segments.monitored_segment(rule, params, v, examples, order, 0, last, tally)
    return *after, tally


@pytest.mark.parametrize("case", CASES)
def test_an_epoch_reads_as_a_plain_loop_sees_it(case):
    net, cost, examples, batch_size = CASES[case]
    params, order = draw_params(net, 0, examples.shape), np.random.default_rng(0).permutation(examples.n)
    told, after = expected(net, cost, MOMENTUM, params, examples, order, batch_size)
    tally, v = monitors.zeros(net, params, examples.shape), MOMENTUM.init(params)
    for gradient in (fnn.backprop, fnn.autodiff) if case == "whole" else (fnn.backprop,):
        rule = Rule(net, cost, MOMENTUM, gradient, batch_size)
        *new, seen = trained(rule, params, examples, order, tally)
        if batch_size > 1:  # looking has changed nothing; at 1, where XLA fuses gradient and update, the last bits
            last = segments.count(examples.n, batch_size)
            assert bits(new) == bits(segments.segment(rule, params, v, examples, order, 0, last))
        assert_trees_close(new[0], jax.tree.map(jnp.asarray, after))
        for reading, numbers in zip(monitors.readings(seen), told, strict=True):
            np.testing.assert_allclose(reading, numbers, rtol=2e-5)
            np.testing.assert_array_equal(np.float32(reading[:2]), np.float32(numbers[:2]))  # counted


@fnn.static
class Untrue(Tanh):
    """Tanh with a `backward` that hands back nothing."""

    def backward(self, params, a, delta):
        return (), jnp.zeros_like(delta)


@fnn.static
class Unwritten(Tanh):
    """Tanh with no `backward` at all, which training by autodiff does not need."""

    def backward(self, params, a, delta):
        raise NotImplementedError


def test_a_training_by_autodiff_is_seen_by_its_own_derivatives():
    def seen(layer, gradient):
        net, cost = (Dense(4), layer, Dense(3)), CrossEntropy()
        (result,) = fnn.fit(
            *(net, cost, MOMENTUM, draw_params(net, 0, (5,)), some(45), KEY),
            **{"batch_size": 7, "epochs": 1, "monitor": True, "gradient": gradient},
        )
        return np.float32(result.monitor)

    right = seen(Tanh(), fnn.autodiff)
    assert right[1, 0] == 0
    np.testing.assert_array_equal(seen(Unwritten(), fnn.autodiff), right)
    untrue = seen(Untrue(), fnn.backprop)
    assert untrue[1, 0] == 1
    assert untrue[0, 2] == 0


def test_looking_changes_no_bit_of_a_training_by_autodiff():
    net, cost, examples, batch_size = CASES["short-end"]
    params, order = draw_params(net, 0, examples.shape), np.random.default_rng(0).permutation(examples.n)
    rule, v = Rule(net, cost, MOMENTUM, fnn.autodiff, batch_size), MOMENTUM.init(params)
    *new, _ = trained(rule, params, examples, order, monitors.zeros(net, params, examples.shape, fnn.autodiff))
    last = segments.count(examples.n, batch_size)
    assert bits(new) == bits(segments.segment(rule, params, v, examples, order, 0, last))


def test_dead_and_saturated_units_are_counted():
    # biases decide: of 8 units on inputs in -3 … 5, weights 1, three are never on, one is on for one example alone
    examples = some(60, (1,))
    b = jnp.array([9, -5, 9, 9, -6, 9, -7, -np.sort(examples.x[:, 0])[-2]], jnp.float32)
    params = (DenseParams(jnp.ones((8, 1)), b), (), DenseParams(jnp.ones((3, 8)), jnp.zeros(3)))
    for activation, dead, off in ((ReLU(), 3 / 8, (3 * 60 + 59) / 480), (LeakyReLU(), 0, 0), (Step(), 1, 1)):
        net = Dense(8), activation, Dense(3)
        _, reading, _ = fnn.monitor(net, LogLikelihood(), params, *examples.rows(slice(None)))
        assert (reading.dead, reading.saturated) == (np.float32(dead), np.float32(off))
    net = Dense(8), ReLU(), Dense(3)
    for result in fnn.fit(net, LogLikelihood(), SGD(0.0), params, examples, KEY, batch_size=7, epochs=2, monitor=True):
        assert result.monitor[1][:2] == (np.float32(3 / 8), np.float32((3 * 60 + 59) / 480))


@pytest.mark.parametrize(("activation", "edge"), [(Sigmoid(), 6.9057522723), (Tanh(), 4.14677472625)], ids=repr)
def test_saturation_begins_where_the_derivative_is_a_thousandth(activation, edge):
    x = jnp.array([[edge - 1e-3], [edge + 1e-3], [-edge + 1e-3], [-edge - 1e-3], [0], [50]], jnp.float32)
    (reading,) = fnn.monitor((activation,), Quadratic(Identity()), ((),), x, x)
    assert (reading.dead, reading.saturated) == (0, 0.5)


def test_a_filter_is_one_unit_dead_only_everywhere():
    x = jnp.full((2, 3, 2, 2), -1.0).at[1, 1, 0, 1].set(1.0)  # the second of three is on once, at one position
    (relu, _) = fnn.monitor((ReLU(), Flatten()), Quadratic(Identity()), ((), ()), x, jnp.zeros((2, 12)))
    assert relu.dead == np.float32(2 / 3)
    assert relu.saturated == np.float32(23 / 24)


@pytest.mark.parametrize("layer", [*ACTIVATIONS, Backwards(), Flatten(), MaxPool(1), Dense(6)], ids=repr)
def test_what_works_entry_by_entry_has_a_derivative(layer):
    shape = (6, 1, 1) if isinstance(layer, MaxPool) else (6,)
    params, _ = layer.init(KEY, shape)
    (counts,) = jax.jit(lambda: monitors.zeros((layer,), (params,), shape))().zero
    assert isinstance(counts, tuple) == isinstance(layer, (Softmax, Backwards, Dense))


def test_positive_inputs_give_a_unit_gradients_of_one_sign():
    # for one example exactly, entries with input 0 left out; not for the mean over several; not for centred inputs
    x, y = jnp.abs(some(40).x).at[:, 2].set(0), some(40).y
    net, cost, params = (
        (Dense(4), Sigmoid(), Dense(3)),
        CrossEntropy(),
        draw_params((Dense(4), Sigmoid(), Dense(3)), 0, (5,)),
    )
    assert all(fnn.monitor(net, cost, params, x[i : i + 1], y[i : i + 1])[0].coherence == 1 for i in range(40))
    assert min(fnn.monitor(net, cost, params, x[i : i + 2], y[i : i + 2])[0].coherence for i in range(39)) < 1
    assert fnn.monitor(net, cost, params, some(40).x[:1], y[:1])[0].coherence < 1


def test_the_norm_of_delta_is_that_of_deltas():
    n, params, cost = 20, draw_params(DENSE, 0, (5,)), CrossEntropy()
    x, y = some(n).rows(slice(None))
    for reading, delta in zip(
        fnn.monitor(DENSE, cost, params, x, y), fnn.deltas(DENSE, cost, params, x, y), strict=True
    ):
        assert reading.delta == pytest.approx(np.sqrt(n) * np.linalg.norm(delta), rel=1e-5)


def test_a_monitored_training_goes_on_from_any_state(monkeypatch):
    monkeypatch.setattr(fitting, "SEGMENT_SECONDS", 0.0)
    task, states = Task(DENSE, CrossEntropy(), MOMENTUM, some(601), KEY, 3, 2, monitor=True), []
    begun = start(task, draw_params(DENSE, 0, (5,)))
    whole = [bits((r.params, r.monitor)) for r in resumed(task, begun, states.append)]
    assert whole[0] != whole[1]
    assert all(bits(state.tally) == bits(begun.tally) for state in states if not state.step)  # every epoch its own
    for state in states[::2]:
        assert [bits((r.params, r.monitor)) for r in resumed(task, state)] == whole[state.epochs :]
