"""`fit`: what it reports and follows, and that it goes on from any state with the same bits."""

import itertools
import pickle
from types import SimpleNamespace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import fnn
from fnn import SGD, CrossEntropy, Dense, EarlyStopping, Examples, HalveOnPlateau, Identity, Quadratic
from fnn.training import fitting
from fnn.training.fitting import Pace, resumed, start
from fnn.training.tasks import Task
from tests.helpers.support import assert_trees_close
from tests.helpers.training import COST, KEY, LINEAR, MOMENTUM, NET, PLAIN, bits, fit, params_of, some, some_reals

TASK = Task(
    LINEAR,
    COST,
    MOMENTUM,
    some_reals(601),
    KEY,
    3,
    3,
    validation=some_reals(90, 1),
    test=some_reals(50, 2),
    schedule=HalveOnPlateau(1),
)


@pytest.fixture
def slowly(monkeypatch):
    """Control comes back after every turn of training and after every ten rows of evaluation."""
    monkeypatch.setattr(fitting, "SEGMENT_SECONDS", 0.0)
    monkeypatch.setattr("fnn.training.totals.ROWS_OF_A_CALL", 250)


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
    # before the first turn, after each of 5 turns, after 3 parts of the training set, one of the others each
    assert [state.step for state in states] == [0, 50, 100, 150, 200, 201] + 5 * [201]


@pytest.mark.parametrize(("turns", "seconds", "then"), [(1, 0.01, 50), (50, 0.5, 50), (50, 1.0, 25), (1, 9.0, 1)])
def test_control_comes_back_after_half_a_second(turns, seconds, then):
    pace = Pace()
    pace.saw(turns, seconds)
    assert pace.turns == then


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


def test_a_second_fit_traces_nothing():
    traces = []

    def counted(*args):
        traces.append(args)
        return fnn.backprop(*args)

    for eta in (0.1, 0.2):
        list(fit(optimizer=SGD(eta), epochs=3, gradient=counted))
    assert len(traces) == 2  # the mini-batches in the scan, and the last short one


def test_training_by_autodiff_is_training_by_backprop():
    by_hand, automatic = (list(fit(gradient=g))[-1] for g in (fnn.backprop, fnn.autodiff))
    assert_trees_close(by_hand.params, automatic.params)


def test_two_runs_give_the_same_bytes():
    one, two = (jax.tree.leaves(list(fit())[-1].params) for _ in range(2))
    assert [a.tobytes() for a in map(np.asarray, one)] == [b.tobytes() for b in map(np.asarray, two)]


def test_fit_reports_what_there_is():
    results = list(fit(validation=some(9, 1), test=some(11, 2)))
    assert [r.epoch for r in results] == [1, 2, 3]
    last = results[-1]
    assert_trees_close(last.test, fnn.evaluate(NET, COST, last.params, some(11, 2)))
    assert last.progress.best == max(float(r.validation.accuracy) for r in results)  # the score, where there is one
    assert all(r.seconds > 0 for r in results)
    assert list(fit(epochs=1))[0].validation is None


@pytest.mark.parametrize("batch_size", [0, 31])
def test_an_impossible_batch_size_is_refused(batch_size):
    with pytest.raises(ValueError, match=f"batch_size={batch_size} for 30 examples: expected 1 to 30"):
        next(fit(batch_size=batch_size))


def test_the_target_cost_ends_the_training():
    costs = [float(r.train.cost) for r in fit(epochs=5)]
    assert costs == sorted(costs, reverse=True)
    assert len(list(fit(epochs=5, target_cost=costs[2]))) == 3


def test_fit_follows_the_schedule():
    flat, sgd = Examples(jnp.zeros((4, 5), jnp.uint8), some(4).y), SGD(1e-30, mu=1e-30)  # v is -eta times a constant
    stopped = list(fit(flat, epochs=50, optimizer=sgd, schedule=EarlyStopping(3)))
    assert len(stopped) == 4
    halved = list(fit(flat, epochs=50, optimizer=sgd, schedule=HalveOnPlateau(2, 8)))
    assert [r.factor for r in halved] == [1, 1, 1, 0.5, 0.5, 0.25, 0.25]
    for r in halved:
        assert_trees_close(r.v[2].b, r.factor * stopped[0].v[2].b)


def test_quantities_are_scored_by_minus_their_cost():
    pair = Examples(jnp.array([[0.9, 0.1]]), jnp.array([[0.7, 0.2]]))
    (only,) = fit(pair, net=(Dense(2),), cost=Quadratic(Identity()), batch_size=1, epochs=1)
    assert only.progress.best == -float(only.train.cost) < 0


def test_sigmoid_neurons_learn_nand_for_every_seed():
    nand = Examples(jnp.array([[0.0, 0], [0, 1], [1, 0], [1, 1]]), jnp.array([[1.0], [1], [1], [0]]))
    for seed in range(5):
        params = fnn.init((Dense(1),), jax.random.key(seed), (2,))
        run = fnn.fit(
            (Dense(1),), CrossEntropy(), SGD(2.0), params, nand, jax.random.key(seed), batch_size=4, epochs=99
        )
        assert list(run)[-1].train.accuracy == 1


SETTINGS = {
    "momentum": {},
    "a schedule": {"schedule": HalveOnPlateau(1), "validation": some(9, 1)},
    "early stopping": {"schedule": EarlyStopping(2), "optimizer": SGD(1e-30)},
    "monitored": {"monitor": True},
    "plain": {"optimizer": SGD(0.3)},
}


def on(last):
    """To go on after a result."""
    return {"params": last.params, "start": last.start}


@pytest.mark.parametrize("settings", SETTINGS.values(), ids=SETTINGS)
def test_three_epochs_and_three_more_are_six(settings):
    whole = list(fit(**{"optimizer": MOMENTUM, "epochs": 6} | settings))
    first = list(fit(**{"optimizer": MOMENTUM, "epochs": 3} | settings))
    then = list(fit(**{"optimizer": MOMENTUM, "epochs": 3} | settings | on(first[-1])))
    assert told(first + then) == told(whole)
    assert [repr(r.monitor) for r in first + then] == [repr(r.monitor) for r in whole]  # nan is not equal to itself
    assert [r.epoch for r in then] == [4, 5, 6][: len(then)]


def test_a_training_that_has_reached_its_end_does_not_go_on():
    *_, last = fit(epochs=3)
    assert list(fit(**on(last), epochs=0)) == []
    assert list(fit(**on(last), epochs=3, target_cost=float(last.train.cost))) == []
    *_, stopped = fit(epochs=50, optimizer=SGD(1e-30), schedule=EarlyStopping(2))
    assert list(fit(**on(stopped), epochs=3, optimizer=SGD(1e-30), schedule=EarlyStopping(2))) == []


def test_a_velocity_and_a_progress_that_were_kept_as_numpy_arrays_are_a_start():
    *_, last = fit(epochs=6, optimizer=MOMENTUM)
    *_, third = fit(epochs=3, optimizer=MOMENTUM)
    params, v, progress = pickle.loads(
        pickle.dumps((*jax.tree.map(np.asarray, (third.params, third.v)), third.progress))
    )
    *_, again = fit(epochs=3, optimizer=MOMENTUM, params=params, start=fnn.Start(v, progress))
    assert bits((again.params, again.v, again.train)) == bits((last.params, last.v, last.train))
    assert again.epoch == 6


def test_a_velocity_of_another_optimiser_is_refused():
    *_, plain = fit(epochs=1)
    with pytest.raises(ValueError, match="the start after epoch 1 has no v of SGD for these params; go on with"):
        next(fit(**on(plain), epochs=1, optimizer=MOMENTUM))


def test_a_result_in_place_of_its_params_or_its_start_is_refused():
    *_, last = fit(epochs=1)
    with pytest.raises(
        TypeError, match=r"params is a Result; expected its params, last.params \(fit goes on with start="
    ):
        next(fit(params=last, epochs=1))
    with pytest.raises(TypeError, match="start is a Result; expected its start, start=last.start"):
        next(fit(start=last, epochs=1))
    with pytest.raises(TypeError, match="start is a tuple; expected a Start, or None for a new training"):
        next(fit(start=(last.v, last.progress), epochs=1))


NO_NUMBERS = [True, False, 2.0, 1.5, "2", None, np.float32(2), np.array([2]), jnp.asarray(2.0)]


@pytest.mark.parametrize("name", ["batch_size", "epochs"])
@pytest.mark.parametrize("value", NO_NUMBERS, ids=repr)
def test_what_is_no_whole_number_is_refused_by_name(name, value):
    many, settings = jax.tree.map(lambda p: p[None], params_of()), {"batch_size": 2, "epochs": 1} | {name: value}
    for way, params in (("fit", params_of()), ("sweep", many)):
        with pytest.raises(TypeError, match=rf"{way}\({name}=.*expected a whole number, got a {type(value).__name__}"):
            next(getattr(fnn, way)(LINEAR, COST, PLAIN, params, some(4), KEY, **settings))
    if name == "batch_size" and not isinstance(value, np.ndarray | jax.Array):  # JAX itself refuses those
        fnn.epoch(LINEAR, COST, PLAIN, params_of(), (), some(4), KEY, batch_size=2)
        fnn.epoch(LINEAR, COST, PLAIN, params_of(), (), some(4), KEY, batch_size=1)
        with pytest.raises(TypeError, match=r"epoch\(batch_size=.*expected a whole number"):
            fnn.epoch(LINEAR, COST, PLAIN, params_of(), (), some(4), KEY, batch_size=value)


@pytest.mark.parametrize("kind", [np.int64, np.int32, np.uint8])
def test_whole_numbers_of_numpy_are_taken(kind):
    expected = bits(list(fit(epochs=2))[-1].params)
    assert bits(list(fit(epochs=kind(2), batch_size=kind(4)))[-1].params) == expected
    one = fnn.epoch(LINEAR, COST, PLAIN, params_of(), (), some(9), KEY, batch_size=kind(4))
    assert bits(one) == bits(fnn.epoch(LINEAR, COST, PLAIN, params_of(), (), some(9), KEY, batch_size=4))


@pytest.mark.parametrize("way", ["fit", "sweep"])
def test_fewer_epochs_than_none_are_refused(way):
    params = params_of() if way == "fit" else jax.tree.map(lambda p: p[None], params_of())
    train = getattr(fnn, way)
    assert list(train(LINEAR, COST, PLAIN, params, some(4), KEY, batch_size=2, epochs=0)) == []
    with pytest.raises(ValueError, match=rf"{way}\(epochs=-1\): expected at least 0"):
        next(train(LINEAR, COST, PLAIN, params, some(4), KEY, batch_size=2, epochs=-1))


TAGS = Examples(some(6).x, np.array([[1, 0, 0]] * 5 + [[1, 1, 0]], np.uint8), 1 / 255)  # one row of two labels


@pytest.mark.long
@pytest.mark.parametrize("way", ["fit", "sweep"])
@pytest.mark.parametrize("other", ["train", "validation", "test"])
def test_the_measure_is_decided_once_for_all_parts(way, other):
    # outputs in the right order, all below 1/2: as classes they are right, as bits every row with a label is wrong
    W, b = np.zeros((3, 5), np.float32), np.array([-1.0, -2.0, -3.0], np.float32)
    parts = {name: TAGS if name == other else TAGS.take(slice(5)) for name in ("train", "validation", "test")}
    params = (fnn.layers.DenseParams(*(a if way == "fit" else a[None] for a in (W, b))),)
    settings = {name: parts[name] for name in ("validation", "test")}
    (last,) = getattr(fnn, way)(
        LINEAR, CrossEntropy(), SGD(1e-9), params, parts["train"], KEY, batch_size=2, epochs=1, **settings
    )
    assert [float(np.ravel(part.accuracy)[0]) for part in (last.train, last.validation, last.test)] == [0, 0, 0]
    (last,) = getattr(fnn, way)(
        LINEAR, CrossEntropy(), SGD(1e-9), params, TAGS, KEY, batch_size=2, epochs=1, measure="classes", **settings
    )
    assert [float(np.ravel(part.accuracy)[0]) for part in (last.train, last.validation, last.test)] == [1, 1, 1]


@pytest.mark.parametrize("way", ["fit", "sweep"])
def test_a_validation_set_of_other_columns_is_refused_before_the_training(way):
    params = params_of() if way == "fit" else jax.tree.map(lambda p: p[None], params_of())
    with pytest.raises(ValueError, match=r"^validation: LogLikelihood: y has shape \(4, 2\), the network's output"):
        next(
            getattr(fnn, way)(
                *(LINEAR, COST, PLAIN, params, some(9), KEY),
                **{"batch_size": 2, "epochs": 1, "validation": some(4, n_out=2)},
            )
        )
