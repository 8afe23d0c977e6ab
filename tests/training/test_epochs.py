"""Epochs, shuffling, evaluation, schedules and `fit`, each against a plain account of the same thing."""

import collections
import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from helpers.support import assert_trees_close, one_hot_rows
from hypothesis import given, settings
from hypothesis import strategies as st

import fnn
from fnn import (
    SGD,
    CrossEntropy,
    Dense,
    EarlyStopping,
    Examples,
    HalveOnPlateau,
    Identity,
    LogLikelihood,
    Quadratic,
    ReLU,
)
from fnn.schedules import Progress
from fnn.training import epochs
from fnn.training.order import permutation, permuted

NET, COST, PLAIN = (Dense(4), ReLU(), Dense(3)), LogLikelihood(), SGD(0.1)


def some(n, seed=0, n_in=5, n_out=3):
    x = np.random.default_rng(seed).integers(0, 256, (n, n_in), np.uint8)
    return Examples(jax.device_put(x), one_hot_rows(seed, n, n_out).astype(jnp.uint8), 1 / 255)


def start(sgd=PLAIN, seed=0):
    params = fnn.init(NET, jax.random.key(seed), (5,))
    return params, sgd.init(params)


@pytest.mark.parametrize("n", [1, 2, 3, 4, 5, 7, 64, 1797, 50_000])
def test_a_permutation_visits_everything_once(n):
    order = jax.jit(permutation, static_argnums=1)(jax.random.key(n), n)
    assert sorted(order.tolist()) == list(range(n))


@settings(deadline=None, derandomize=True, max_examples=8)
@given(n=st.sampled_from([1, 9, 397]), seed=st.integers(0, 2**32 - 1))
def test_any_position_can_be_computed_alone(n, seed):
    key = jax.random.key(seed)
    positions = jnp.arange(n)[:: max(1, n // 7)]
    assert permuted(key, positions, n).tolist() == permutation(key, n)[positions].tolist()


def test_the_orders_of_four_are_equally_likely():
    keys = jax.random.split(jax.random.key(1), 24_000)
    orders = np.asarray(jax.jit(jax.vmap(lambda key: permutation(key, 4)))(keys))
    counts = collections.Counter(map(tuple, orders.tolist()))
    chi_square = sum((count - 1000) ** 2 / 1000 for count in counts.values())
    assert len(counts) == 24
    assert chi_square < 49.7  # 23 degrees of freedom; a fair shuffle exceeds this once in 1,000 keys


def test_places_and_neighbours_are_independent():
    keys = jax.random.split(jax.random.key(2), 20_000)
    orders = np.asarray(jax.jit(jax.vmap(lambda key: permutation(key, 50)))(keys))
    places = np.stack([np.bincount(column, minlength=50) for column in orders.T])
    distances = np.bincount(((orders[:, 1:] - orders[:, :-1]) % 50).ravel(), minlength=50)[1:]
    for counts, freedom in ((places, 49 * 49), (distances, 48)):
        chi_square = ((counts - counts.mean()) ** 2 / counts.mean()).sum()
        assert abs(chi_square - freedom) < 4 * math.sqrt(2 * freedom)


@pytest.mark.parametrize("n", [0, -1, 2**31])
def test_an_order_of_nothing_is_refused(n):
    with pytest.raises(ValueError, match=f"n={n}.*1 to"):
        permuted(jax.random.key(0), jnp.arange(3), n)


def loop(examples, sgd, key, batch_size, gradient):
    """An epoch as a plain Python loop of jitted steps."""
    step = jax.jit(fnn.step, static_argnums=7)
    params, v = start(sgd)
    order = np.asarray(permutation(key, examples.n))
    x, y = np.asarray(examples.x, np.float32) * np.float32(examples.scale), np.asarray(examples.y, np.float32)
    for i in range(0, examples.n, batch_size):
        rows = order[i : i + batch_size]
        params, v = step(NET, COST, sgd, params, v, x[rows], y[rows], gradient)
    return params, v


@pytest.mark.parametrize("gradient", [fnn.backprop, fnn.autodiff], ids=["backprop", "autodiff"])
@pytest.mark.parametrize("sgd", [SGD(0.5), SGD(0.1, mu=0.9, lmbda=0.01)], ids=["plain", "momentum-l2"])
@pytest.mark.parametrize(("n", "batch_size"), [(13, 4), (5, 1), (7, 7)])
def test_an_epoch_is_the_same_steps_in_a_loop(n, batch_size, sgd, gradient):
    examples, key = some(n), jax.random.key(3)
    params, v = start(sgd)
    got = fnn.epoch(NET, COST, sgd, params, v, examples, key, batch_size=batch_size, gradient=gradient)
    assert_trees_close(got, loop(examples, sgd, key, batch_size, gradient))


@pytest.mark.parametrize(("n", "taken"), [(57, 1), (59, 7), (61, 256)])
def test_gathering_many_mini_batches_at_once_changes_nothing(n, taken, monkeypatch):
    # mini-batches of 2 and a last one of 1: each alone, in turns of 3 with 2 left over, all at once
    monkeypatch.setattr(epochs, "GATHERED", taken)  # read when an epoch is traced, so each n of its own
    examples, key, sgd = some(n), jax.random.key(3), SGD(0.5)
    got = fnn.epoch(NET, COST, sgd, *start(sgd), examples, key, batch_size=2)
    assert_trees_close(got, loop(examples, sgd, key, 2, fnn.backprop))


@pytest.mark.parametrize(("n", "batch_size"), [(66, 2), (71, 7)])
def test_the_turns_of_a_gpu_change_nothing(n, batch_size, monkeypatch):
    monkeypatch.setattr(jax, "default_backend", lambda: "gpu")  # read when an epoch is traced, so each n of its own
    examples, key, sgd = some(n), jax.random.key(3), SGD(0.5, mu=0.9)
    got = fnn.epoch(NET, COST, sgd, *start(sgd), examples, key, batch_size=batch_size)
    assert_trees_close(got, loop(examples, sgd, key, batch_size, fnn.backprop))


@pytest.mark.parametrize(
    ("whole", "batch_size", "size"),
    [(5000, 10, 20), (5500, 10, 20), (50_000, 1, 200), (11_000, 5, 40), (2500, 25, 10)]  # the best of the divisors
    + [(26, 10, 24), (27, 10, 25), (7, 10, 7), (1, 1, 1), (6, 100, 2), (6, 300, 1)],
)
def test_how_many_mini_batches_are_a_turn(whole, batch_size, size):
    assert epochs.in_a_turn(whole, batch_size) == size


@given(n=st.integers(1, 100_000), batch_size=st.integers(1, 300))
def test_an_epoch_is_cut_into_all_of_its_mini_batches(n, batch_size):
    batch_size = min(n, batch_size)
    cut = epochs.shapes(n, batch_size)
    assert sum(math.prod(shape) for shape in cut) == n
    (turns, size, B), (_, others, _), (_, _, rest) = cut
    assert (turns * size + others, B) == (n // batch_size, batch_size)
    assert size * B <= max(epochs.GATHERED, batch_size)
    assert 0 <= others < size
    assert rest < batch_size


def test_how_many_steps_are_a_body(monkeypatch):
    small, large = jnp.zeros(10), jax.ShapeDtypeStruct((epochs.LARGE + 1,), "float32")
    monkeypatch.setattr(jax, "default_backend", lambda: "cpu")
    assert [epochs.in_a_body(small, 20), epochs.in_a_body(large, 20), epochs.in_a_body(large, 25)] == [1, 2, 1]
    monkeypatch.setattr(jax, "default_backend", lambda: "gpu")
    assert [epochs.in_a_body(small, count) for count in (20, 26, 28, 7, 3)] == [5, 2, 4, 1, 3]
    assert epochs.in_a_body(large, 20) == 2


def test_two_steps_in_a_body_change_nothing(monkeypatch):
    monkeypatch.setattr(epochs, "LARGE", 0)  # as if these few parameters were many
    examples, key, sgd = some(65), jax.random.key(3), SGD(0.5, mu=0.9)
    got = fnn.epoch(NET, COST, sgd, *start(sgd), examples, key, batch_size=2)
    assert_trees_close(got, loop(examples, sgd, key, 2, fnn.backprop))


@pytest.mark.parametrize("batch_size", [1, 3, 7, 20])
def test_an_epoch_uses_every_example_once(batch_size):
    # a linear unit whose "gradient" is minus the batch's rows: W counts how often each was used
    def count(net, cost, params, x, y):
        return jnp.zeros(()), ({"W": -x.sum(axis=0, keepdims=True)},)

    examples = Examples(jnp.eye(20), jnp.zeros((20, 1)))
    params = ({"W": jnp.zeros((1, 20))},)
    args = (NET, COST, SGD(1.0), params, SGD(1.0).init(params), examples, jax.random.key(5))
    ((counts,), _) = fnn.epoch(*args, batch_size=batch_size, gradient=count)
    assert counts["W"].tolist() == [[1.0] * 20]


def test_neither_numbers_nor_seeds_nor_equal_nets_recompile():
    traces = []

    def counted(*args):
        traces.append(args)
        return fnn.backprop(*args)

    for (eta, mu, lmbda, seed), expected in (
        ((0.1, 0.1, 0.0, 0), 1),
        ((0.2, 0.5, 0.1, 1), 1),
        ((3.0, 0.9, 1e-4, 2), 1),
        ((0.1, 0.0, 0.0, 0), 2),  # without momentum there is no velocity: another program, once
        ((3.0, 0.0, 1e-4, 1), 2),
    ):
        net, sgd = (Dense(4), ReLU(), Dense(3)), SGD(eta, mu, lmbda)
        params, v = start(sgd, seed)
        fnn.epoch(net, COST, sgd, params, v, some(12, seed), jax.random.key(seed), batch_size=4, gradient=counted)
        assert len(traces) == expected


def test_a_second_fit_traces_nothing():
    traces = []

    def counted(*args):
        traces.append(args)
        return fnn.backprop(*args)

    for eta in (0.1, 0.2):
        list(fit(optimizer=SGD(eta), epochs=3, gradient=counted))
    assert len(traces) == 2  # the mini-batches in the scan, and the last short one


def fit(examples=None, *, cost=COST, net=NET, optimizer=PLAIN, epochs=3, batch_size=4, **settings):
    examples = some(30) if examples is None else examples
    params = fnn.init(net, jax.random.key(0), examples.shape)
    return fnn.fit(
        net, cost, optimizer, params, examples, jax.random.key(1), batch_size=batch_size, epochs=epochs, **settings
    )


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


@pytest.mark.parametrize(
    ("n", "n_in"),
    [(1, 5), (5000, 5), (5001, 5), (100, 4000), (211, 4000)],  # 211 inputs of 4,000: a hundred, another, and eleven
)
def test_evaluation_is_exact_for_any_number(n, n_in):
    examples, params = some(n, n_in=n_in), fnn.init(NET, jax.random.key(0), (n_in,))
    x, y = np.asarray(examples.x, np.float32) / 255, np.asarray(examples.y)
    a = np.asarray(fnn.predict(NET, COST, params, jnp.asarray(x)))
    cost, accuracy = fnn.evaluate(NET, COST, params, examples)
    assert float(accuracy) == pytest.approx((a.argmax(axis=1) == y.argmax(axis=1)).mean(), abs=1e-7)
    assert float(cost) == pytest.approx(-np.log(a[y == 1]).mean(), rel=1e-5)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_sums_over_many_examples_do_not_need_to_fit_into_half_precision(dtype):
    examples, net = some(60_000), (Dense(3),)
    params = fnn.init(net, jax.random.key(0), examples.shape)
    wanted = fnn.evaluate(net, COST, params, examples)
    half = examples._replace(x=examples.x.astype(dtype)), jax.tree.map(lambda leaf: leaf.astype(dtype), params)
    got = fnn.evaluate(net, COST, half[1], half[0])
    assert float(got.cost) == pytest.approx(float(wanted.cost), rel=0.01)
    assert float(got.accuracy) == pytest.approx(float(wanted.accuracy), abs=0.002)


def test_rows_have_one_dtype_whatever_the_scale():
    x, y = np.ones((3, 2), np.uint8), np.ones((3, 1), np.uint8)
    for scale in (1 / 255, np.float64(1 / 255), np.float32(1 / 255)):
        assert {part.dtype.name for part in Examples(x, y, scale).rows(slice(2))} == {"float32"}
        half = Examples(jnp.asarray(x, "bfloat16"), y, scale)
        with jax.numpy_dtype_promotion("standard"):
            assert {part.dtype.name for part in half.rows(slice(2))} == {"bfloat16"}


NOT_FITTING = {
    "labels": (lambda y: y.argmax(axis=1), r"y has shape \(\d+,\), the network's .*jax.nn.one_hot\(y, 3\)"),
    "one column": (lambda y: y[:, :1], r"y has shape \(\d+, 1\), the network's output \(\d+, 3\)"),
    "four columns": (lambda y: y[:, [0, 1, 2, 0]], r"y has shape \(\d+, 4\), the network's output \(\d+, 3\)"),
}


@pytest.mark.parametrize(("change", "said"), NOT_FITTING.values(), ids=NOT_FITTING)
def test_desired_outputs_that_do_not_fit_are_refused_not_stretched(change, said):
    examples, key = some(13), jax.random.key(3)
    other, (params, v) = examples._replace(y=change(examples.y)), start(SGD(0.5))
    with pytest.raises(ValueError, match=said):
        fnn.evaluate(NET, COST, params, other)
    with pytest.raises(ValueError, match=said):
        fnn.epoch(NET, COST, SGD(0.5), params, v, other, key, batch_size=4)
    with pytest.raises(ValueError, match=said):
        fnn.step(NET, COST, SGD(0.5), params, v, *other.rows(slice(None)), fnn.backprop)
    one = jax.tree.map(lambda p: p[None], params)
    with pytest.raises(ValueError, match=said):
        next(fnn.sweep(NET, COST, SGD(0.5), one, other, key, batch_size=4, epochs=1))


@pytest.mark.parametrize("change", [lambda params: (), lambda params: params[1:], lambda params: (*params, ())])
@pytest.mark.parametrize("net", [NET, (fnn.Flatten(), *NET)], ids=["net", "flatten"])
def test_params_of_another_net_are_refused(net, change):
    examples, sgd, key = some(13), SGD(0.5), jax.random.key(3)
    params = change(fnn.init(net, key, examples.shape))
    said = rf"net has {len(net)} layers but params has {len(params)} entries"
    with pytest.raises(ValueError, match=said):
        fnn.evaluate(net, COST, params, examples)
    with pytest.raises(ValueError, match=said):
        fnn.epoch(net, COST, sgd, params, sgd.init(params), examples, key, batch_size=4)
    with pytest.raises(ValueError, match=said):
        next(fnn.fit(net, COST, sgd, params, examples, key, batch_size=4, epochs=1))
    one = jax.tree.map(lambda p: p[None], params)
    with pytest.raises(ValueError, match=said):
        next(fnn.sweep(net, COST, sgd, one, examples, key, batch_size=4, epochs=1))


@pytest.mark.parametrize(
    ("z", "y", "accuracy"),
    [
        ([[2, 1], [1, 2]], [[1, 0], [1, 0]], 0.5),  # classes: the largest output
        ([[1, 1], [1, 1]], [[1, 0], [0, 1]], 0.5),  # of equal outputs the first one counts
        ([[0.6], [0.5]], [[1], [1]], 0.5),  # one output: above 1/2, strictly
        ([[0.9, 0.9], [0.9, 0.1]], [[1, 1], [1, 1]], 0.5),  # a code: all of its bits
        ([[0.9, 0.1]], [[0.7, 0.2]], math.nan),  # quantities
        ([[0.9, 0.1]], [[0.7, 0.3]], 1.0),  # soft classes
        ([[0.9, 0.1]], [[0.7, 0.2999]], 1.0),  # sums are taken to a thousandth
    ],
)
def test_what_counts_as_right(z, y, accuracy):
    identity = fnn.layers.DenseParams(jnp.eye(len(z[0])), jnp.zeros(len(z[0])))
    examples = Examples(jnp.array(z, jnp.float32), jnp.array(y, jnp.float32))
    got = fnn.evaluate((Dense(len(z[0])),), Quadratic(Identity()), (identity,), examples).accuracy
    assert float(got) == pytest.approx(accuracy, nan_ok=True)


def test_divergence_is_an_error():
    line = Examples(jnp.linspace(1, 2, 20)[:, None], jnp.ones((20, 1)))
    with pytest.raises(fnn.DivergedError, match="epoch .* eta"):
        list(fit(line, net=(Dense(1),), cost=Quadratic(Identity()), optimizer=SGD(1e6), epochs=20))


@pytest.mark.parametrize("batch_size", [0, 31])
def test_an_impossible_batch_size_is_refused(batch_size):
    with pytest.raises(ValueError, match=f"batch_size={batch_size} for 30 examples: expected 1 to 30"):
        next(fit(batch_size=batch_size))


def test_the_target_cost_ends_the_training():
    costs = [float(r.train.cost) for r in fit(epochs=5)]
    assert costs == sorted(costs, reverse=True)
    assert len(list(fit(epochs=5, target_cost=costs[2]))) == 3


def factors(schedule, scores):
    progress = Progress()
    for score in scores:
        progress = schedule.after(progress, score)
        yield progress.factor


def test_early_stopping_waits_for_k_epochs_without_improvement():
    assert list(factors(EarlyStopping(2), [1, 2, 2, 3, 3, 1])) == [1, 1, 1, 1, 1, 0]  # a tie is none


def test_eta_is_halved_until_it_would_be_a_128th():
    path = list(factors(HalveOnPlateau(1), [5] * 8))
    assert path == [1, 1 / 2, 1 / 4, 1 / 8, 1 / 16, 1 / 32, 1 / 64, 0]


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


def test_everything_is_a_pure_function_under_vmap():
    examples = some(8)
    params, v = start(SGD(0.1, mu=0.5))
    many = SGD(jnp.array([0.1, 0.5]), jnp.array([0.9, 0.5]), jnp.zeros(2))
    both, _ = jax.vmap(lambda sgd: fnn.epoch(NET, COST, sgd, params, v, examples, jax.random.key(0), batch_size=4))(
        many
    )
    for i, (eta, mu) in enumerate(((0.1, 0.9), (0.5, 0.5))):
        one, _ = fnn.epoch(NET, COST, SGD(eta, mu), params, v, examples, jax.random.key(0), batch_size=4)
        assert_trees_close(jax.tree.map(lambda p, i=i: p[i], both), one)
