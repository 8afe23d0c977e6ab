"""Training in parts is training in one."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import fnn
from fnn.training import segments
from fnn.training.mini_batches import Rule
from fnn.training.order import of_epoch
from tests.helpers.training import COST, KEY, LINEAR, MOMENTUM, bits, params_of, some_reals


def test_an_epoch_in_segments_is_the_epoch():
    n, sgd, params, batch_size = 601, MOMENTUM, params_of(), 3  # four turns of fifty steps and a last, shorter one
    examples = some_reals(n)
    rule, key = Rule(LINEAR, COST, sgd, fnn.backprop, batch_size), jax.random.fold_in(KEY, 4)
    whole = fnn.epoch(LINEAR, COST, sgd, params, sgd.init(params), examples, key, batch_size=batch_size)
    order, count = of_epoch(KEY, 4, n), segments.count(n, batch_size)
    for stops in ([], [1], range(1, count)):
        carry, first = (params, sgd.init(params)), 0
        for last in (*stops, count):
            if last > first:
                carry = segments.segment(rule, *carry, examples, order, first, last)
            first = last
        assert bits(carry) == bits(whole)


@pytest.mark.parametrize(
    ("numbers", "finite"),
    [([1.0, -2.0], True), ([], True), ([3e38, 3e38, 3e38], True), ([1.0, np.nan], False), ([np.inf, -np.inf], False)],
)
def test_whether_all_numbers_are_finite(numbers, finite):
    tree = {"W": jnp.ones((2, 2)), "b": jnp.asarray(numbers, jnp.float32)}
    assert segments.is_finite(tree) == bool(segments.finite(tree)) == finite


def test_a_segment_of_none_does_nothing_even_at_the_end_of_an_epoch():
    n, sgd, params = 601, MOMENTUM, params_of()
    order, count = of_epoch(KEY, 4, n), segments.count(n, 3)
    rule = Rule(LINEAR, COST, sgd, fnn.backprop, 3)
    same = segments.segment(rule, params, sgd.init(params), some_reals(n), order, count, count)
    assert bits(same[0]) == bits(params)


@pytest.mark.parametrize(("n", "batch_size"), [(700, 3), (255, 3), (3, 3), (30, 4), (1000, 400)])
def test_turns_begin_where_they_say(n, batch_size):
    count = segments.count(n, batch_size)
    steps = [segments.steps_before(turn, n, batch_size) for turn in range(count + 1)]
    assert (steps[0], steps[-1]) == (0, -(-n // batch_size))
    assert sorted(set(steps)) == steps
    assert [segments.turn_after(k, n, batch_size) for k in steps] == list(range(count + 1))


def test_no_training_goes_on_inside_a_turn():
    with pytest.raises(ValueError, match="mini-batches of 3 cannot go on after 7 steps"):
        segments.turn_after(7, 700, 3)
