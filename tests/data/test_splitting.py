"""Every row is in one part, and the split follows its own seed."""

import math

from hypothesis import given, settings
from hypothesis import strategies as st

from fnn.data import load_data
from tests.helpers.data_files import digest


def rows_of(examples):
    return {bytes(x) + bytes(y) for x, y in zip(examples.x, examples.y, strict=True)}


@settings(deadline=None, derandomize=True, max_examples=50)
@given(counts=st.tuples(*[st.integers(0, 30)] * 3), seed=st.integers(0, 2**63 - 1))
def test_every_row_is_in_one_part_in_the_order_of_the_source(counts, seed):
    train, validation, test = counts
    source = load_data("moons", size=90).train
    data = load_data("moons", size=90, train=train, validation=validation, test=test, split_seed=seed)
    assert [part.n for part in data[:3]] == [train or 90 - validation - test, validation, test]
    index = {bytes(x): i for i, x in enumerate(source.x)}
    rows = [[index[bytes(x)] for x in part.x] for part in data[:3]]
    assert all(part == sorted(part) for part in rows)
    assert len(set(sum(rows, []))) == sum(map(len, rows))


def test_the_split_follows_its_seed_and_nothing_else():
    first = load_data("digits", validation=200, test=300)
    assert digest(first) == "29f3566cc6ac7b94ffa611902af60f1583771273b60ad100feeb53e73b000abf"
    assert digest(first) == digest(load_data("digits", validation=200, test=300))
    assert digest(first) != digest(load_data("digits", validation=200, test=300, split_seed=1))
    kept = load_data("digits", validation=200, test=300, train=50)
    assert rows_of(kept.train) <= rows_of(first.train)
    assert digest(kept._replace(train=first.train)) == digest(first)
    assert len(set(kept.train.y.argmax(axis=1))) == 10  # drawn, not the first rows of a sorted file


def test_the_split_is_independent_of_the_points_that_the_same_seed_draws():
    for seed in range(5):
        parts = load_data("sine", size=4000, test=1000, split_seed=seed, seed=seed)
        apart = abs(parts.train.x.mean() - parts.test.x.mean())
        assert apart < 4 * math.pi / math.sqrt(3) * math.sqrt(1 / 3000 + 1 / 1000)
