"""Training in parts is training in one; and a training that diverges says where."""

import itertools
from types import SimpleNamespace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from helpers.support import one_hot_rows

import fnn
from fnn import SGD, Dense, Examples, HalveOnPlateau, Identity, LogLikelihood, Quadratic
from fnn.training import fitting, segments
from fnn.training.divergence import culprit
from fnn.training.fitting import Pace, Task, resumed, start
from fnn.training.order import permutation

NET, COST, KEY = (Dense(3),), LogLikelihood(), jax.random.key(1)
MOMENTUM = SGD(0.1, mu=0.9, lmbda=0.01)


def some(n, seed=0):
    x = np.random.default_rng(seed).random((n, 5), np.float32)
    return Examples(jax.device_put(x), one_hot_rows(seed, n, 3))


def params_of(net=NET, shape=(5,)):
    return fnn.init(net, jax.random.key(0), shape)


def bits(tree):
    return [np.asarray(leaf).tobytes() for leaf in jax.tree.leaves(tree)]


def test_an_epoch_in_segments_is_the_epoch():
    n, sgd, params, batch_size = 601, MOMENTUM, params_of(), 3  # four turns of fifty steps and a last, shorter one
    examples = some(n)
    args = NET, COST, sgd
    whole = fnn.epoch(*args, params, sgd.init(params), examples, jax.random.fold_in(KEY, 4), batch_size=batch_size)
    order, count = segments.order(KEY, 4, n), segments.count(n, batch_size)
    for stops in ([], [1], range(1, count)):
        carry, first = (params, sgd.init(params)), 0
        for last in (*stops, count):
            settings = {"batch_size": batch_size, "gradient": fnn.backprop}
            if last > first:
                *carry, _, finite = segments.segment(*args, *carry, examples, order, first, last, **settings)
                assert finite
            first = last
        assert bits(carry) == bits(whole)


def test_a_segment_of_none_does_nothing_even_at_the_end_of_an_epoch():
    n, sgd, params = 601, MOMENTUM, params_of()
    order, count = segments.order(KEY, 4, n), segments.count(n, 3)
    same = segments.segment(
        NET, COST, sgd, params, sgd.init(params), some(n), order, count, count, batch_size=3, gradient=fnn.backprop
    )
    assert bits(same[0]) == bits(params)


@pytest.mark.parametrize(("n", "batch_size"), [(700, 3), (255, 3), (3, 3), (30, 4), (1000, 400)])
def test_chunks_begin_where_they_say(n, batch_size):
    count = segments.count(n, batch_size)
    steps = [segments.steps_before(chunk, n, batch_size) for chunk in range(count + 1)]
    assert (steps[0], steps[-1]) == (0, -(-n // batch_size))
    assert sorted(set(steps)) == steps
    assert [segments.chunk_at(k, n, batch_size) for k in steps] == list(range(count + 1))


def test_no_training_goes_on_between_two_chunks():
    with pytest.raises(ValueError, match="mini-batches of 3 cannot go on after 7 steps"):
        segments.chunk_at(7, 700, 3)


TASK = Task(
    NET, COST, MOMENTUM, some(601), KEY, 3, 3, validation=some(90, 1), test=some(50, 2), schedule=HalveOnPlateau(1)
)


@pytest.fixture
def slowly(monkeypatch):
    """Control comes back after every chunk of training and after every ten rows of evaluation."""
    monkeypatch.setattr(fitting, "SLICE", 0.0)
    monkeypatch.setattr("fnn.training.epochs.EVALUATED", 250)


def told(results):
    return [
        (r.epoch, r.factor, *map(bits, (r.train, r.validation, r.test, r.params, r.v)), r.progress) for r in results
    ]


def test_a_training_goes_on_from_any_state_with_the_same_bits(slowly):
    task, states = TASK, []
    whole = told(resumed(task, start(task, params_of()), states.append))
    assert {state.step for state in states} == {0, 50, 100, 150, 200, 201}
    for i in np.random.default_rng(0).permutation(len(states))[:10]:
        state = states[i]
        assert told(resumed(task, state)) == whole[state.epochs :]
    assert states[-1].done
    assert list(resumed(task, states[-1])) == []


def test_control_comes_back_during_the_evaluation(slowly):
    states = []
    next(resumed(TASK, start(TASK, params_of()), states.append))
    # before the first chunk, after each of 5 chunks, after 3 parts of the training set, one of the others each
    assert [state.step for state in states] == [0, 50, 100, 150, 200, 201] + 5 * [201]


@pytest.mark.parametrize(("chunks", "seconds", "then"), [(1, 0.01, 50), (50, 0.5, 50), (50, 1.0, 25), (1, 9.0, 1)])
def test_control_comes_back_after_half_a_second(chunks, seconds, then):
    pace = Pace()
    pace.saw(chunks, seconds)
    assert pace.chunks == then


def test_every_epoch_has_its_own_seconds(monkeypatch):
    ticks = itertools.count()
    monkeypatch.setattr(fitting, "time", SimpleNamespace(perf_counter=lambda: float(next(ticks))))
    one, *others = [result.seconds for result in resumed(TASK, start(TASK, params_of()))]
    assert others == [one, one]


def test_what_is_raised_between_two_parts_ends_the_training():
    def stop(state):
        raise KeyError(state.epochs)

    with pytest.raises(KeyError, match="0"):
        next(resumed(TASK, start(TASK, params_of()), stop))


def diverges(net, optimizer, examples, batch_size=3, cost=COST, shape=(5,)):
    task = Task(net, cost, optimizer, examples, KEY, batch_size, 20)
    with pytest.raises(fnn.DivergedError) as caught:
        list(resumed(task, start(task, params_of(net, shape))))
    return caught.value


@pytest.mark.parametrize("row", [0, 123, 600])
@pytest.mark.parametrize("which", ["x", "y"])
def test_a_hole_in_the_data_is_named_by_its_step(row, which):
    clean = some(601)
    broken = clean._replace(**{which: getattr(clean, which).at[row, 1].set(jnp.nan)})
    error = diverges(NET, MOMENTUM, broken)
    place = permutation(jax.random.fold_in(KEY, 1), 601).tolist().index(row)
    assert (error.epoch, error.step, error.layer) == (1, place // 3 + 1, -1)
    assert ("inputs" if which == "x" else "desired outputs") in str(error)
    assert "remove or replace" in str(error)


LINE = Examples(jnp.linspace(1, 2, 48)[:, None], jnp.linspace(-1, 1, 48)[:, None])


def test_the_step_is_the_first_whose_cost_or_params_are_not_finite():
    net, cost, sgd = (Dense(1),), Quadratic(Identity()), SGD(3.0, mu=0.5)
    error = diverges(net, sgd, LINE, cost=cost, shape=(1,))
    params, step, gradient = params_of(net, (1,)), jax.jit(fnn.step, static_argnums=7), jax.jit(fnn.backprop)
    v = sgd.init(params)
    for e in range(1, error.epoch + 1):
        order = permutation(jax.random.fold_in(KEY, e), 48)
        for i in range(0, 48, 3):
            x, y = LINE.rows(order[i : i + 3])
            value, _ = gradient(net, cost, params, x, y)
            params, v = step(net, cost, sgd, params, v, x, y, fnn.backprop)
            finite = jnp.isfinite(value) and all(jnp.isfinite(leaf).all() for leaf in jax.tree.leaves((params, v)))
            if (e, i // 3 + 1) == (error.epoch, error.step):
                break
            assert finite
    assert not finite
    assert error.layer == 0
    assert "smaller eta" in str(error)


@fnn.static
class Bomb:
    """The identity, but for inputs above a tenth: there its output, or its derivative, is infinite."""

    forwards: bool

    def init(self, key, shape):
        return (), shape

    def forward(self, params, a):
        return jnp.where(abs(a) > 0.1, jnp.inf, a) if self.forwards else a

    def backward(self, params, a, delta):
        return (), delta if self.forwards else jnp.where(abs(a) > 0.1, jnp.inf, delta)


@pytest.mark.parametrize(("forwards", "layer", "words"), [
    (True, 2, "layer 2 (Bomb) gives inf"), (False, 1, "delta entering layer 1 (Identity) holds inf")
], ids=["activation", "delta"])  # fmt: skip
def test_the_layer_is_named(forwards, layer, words):
    error = diverges((Dense(1), Identity(), Bomb(forwards), Dense(1)), SGD(1e-3), LINE, 1, Quadratic(Identity()), (1,))
    assert error.layer == layer
    assert words in str(error)


def test_params_that_overflow_are_named_by_their_layer():
    error = diverges((Dense(1), Dense(1)), SGD(3e38), LINE, 48, Quadratic(Identity()), (1,))
    assert (error.epoch, error.step) == (1, 1)
    assert "the new params of layer" in str(error)


def test_params_that_overflow_by_momentum_alone_are_named():
    params = jax.tree.map(lambda p: jnp.full_like(p, 3e38), params_of())
    x, y = jnp.zeros((1, 5)), jnp.full((1, 3), 1 / 3)
    layer, said = culprit(NET, COST, SGD(1.0, mu=1.0), params, params, x, y, fnn.backprop)
    assert (layer, said) == (0, "the new params of layer 0 (Dense) hold inf")


def test_a_cost_that_overflows_after_the_last_step_is_named():
    # one step: eta is such that the params stay finite and the squares of the outputs do not
    error = diverges((Dense(1),), SGD(1e25), LINE, 48, Quadratic(Identity()), (1,))
    assert (error.epoch, error.step, error.layer) == (1, 0, 0)
    assert "every step was finite" in str(error)


def test_the_error_survives_being_sent():
    import pickle  # noqa: S403 (our own bytes)

    error = pickle.loads(pickle.dumps(fnn.DivergedError("so", 1, 2, 3)))  # noqa: S301 (our own bytes)
    assert (str(error), error.epoch, error.step, error.layer) == ("so", 1, 2, 3)
