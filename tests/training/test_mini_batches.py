"""How an epoch is cut into mini-batches, and that no cut changes its result."""

import math

import jax
import jax.numpy as jnp
import pytest
from hypothesis import given
from hypothesis import strategies as st

import fnn
from fnn import SGD
from fnn.training import mini_batches
from fnn.training.mini_batches import steps_in_a_body
from tests.helpers.support import assert_trees_close
from tests.helpers.training import COST, NET, loop, some, start


@pytest.mark.long
@pytest.mark.parametrize(("n", "taken"), [(57, 1), (59, 7), (61, 256)])
def test_gathering_many_mini_batches_at_once_changes_nothing(n, taken, monkeypatch):
    # mini-batches of 2 and a last one of 1: each alone, in turns of 3 with 2 left over, all at once
    monkeypatch.setattr(mini_batches, "GATHERED_ROWS", taken)  # read when an epoch is traced, so each n of its own
    examples, key, sgd = some(n), jax.random.key(3), SGD(0.5)
    got = fnn.epoch(NET, COST, sgd, *start(sgd), examples, key, batch_size=2)
    assert_trees_close(got, loop(examples, sgd, key, 2, fnn.backprop))


@pytest.mark.long
@pytest.mark.parametrize(("n", "batch_size"), [(66, 2), (71, 7)])
def test_the_turns_of_a_gpu_change_nothing(n, batch_size, monkeypatch):
    monkeypatch.setattr(mini_batches, "platform", lambda: "gpu")  # read when an epoch is traced, so each n of its own
    examples, key, sgd = some(n), jax.random.key(3), SGD(0.5, mu=0.9)
    got = fnn.epoch(NET, COST, sgd, *start(sgd), examples, key, batch_size=batch_size)
    assert_trees_close(got, loop(examples, sgd, key, batch_size, fnn.backprop))


@pytest.mark.parametrize(
    ("whole", "batch_size", "size"),
    [(5000, 10, 20), (5500, 10, 20), (50_000, 1, 200), (11_000, 5, 40), (2500, 25, 10)]  # the best of the divisors
    + [
        (206, 10, 24),
        (211, 10, 25),
        (26, 10, 26),
        (37, 32, 37),
    ]  # no divisor: some are left, or a small epoch is one turn
    + [(7, 10, 7), (1, 1, 1), (6, 100, 2), (6, 300, 1)],
)
def test_how_many_mini_batches_are_a_turn(whole, batch_size, size):
    assert mini_batches.turn_size(whole, batch_size) == size


@given(n=st.integers(1, 100_000), batch_size=st.integers(1, 300))
def test_an_epoch_is_cut_into_all_of_its_mini_batches(n, batch_size):
    batch_size = min(n, batch_size)
    cut = mini_batches.shapes(n, batch_size)
    assert sum(math.prod(shape) for shape in cut) == n
    (turns, size, B), (_, others, _), (_, _, rest) = cut
    assert (turns * size + others, B) == (n // batch_size, batch_size)
    assert size * B <= max(mini_batches.GATHERED_ROWS, batch_size) or (turns == 1 and n <= mini_batches.SMALL_EPOCH + B)
    assert 0 <= others < size
    assert rest < batch_size


def test_how_many_steps_are_a_body(monkeypatch):
    small, large = jnp.zeros(10), jax.ShapeDtypeStruct((mini_batches.LARGE_NET + 1,), "float32")
    monkeypatch.setattr(mini_batches, "platform", lambda: "cpu")
    assert [steps_in_a_body(large, 20, rows) for rows in (10, mini_batches.MANY_ROWS - 1)] == [1, 1]
    assert [steps_in_a_body(*of, 64) for of in ((small, 20), (large, 20), (large, 25))] == [1, 2, 1]
    monkeypatch.setattr(mini_batches, "platform", lambda: "tpu")
    assert [steps_in_a_body(*of, 10) for of in ((small, 20), (large, 20), (large, 25))] == [1, 2, 1]
    monkeypatch.setattr(mini_batches, "platform", lambda: "gpu")
    assert [steps_in_a_body(small, count, 10) for count in (20, 26, 28, 7, 3)] == [5, 2, 4, 1, 3]
    assert steps_in_a_body(large, 20, 10) == 2


def test_two_steps_in_a_body_change_nothing(monkeypatch):
    monkeypatch.setattr(mini_batches, "steps_in_a_body", lambda carry, count, rows: mini_batches.divisor(count, 2))
    examples, key, sgd = some(65), jax.random.key(3), SGD(0.5, mu=0.9)
    got = fnn.epoch(NET, COST, sgd, *start(sgd), examples, key, batch_size=2)
    assert_trees_close(got, loop(examples, sgd, key, 2, fnn.backprop))
