"""Which rows are for training, validation and test. The three parts never share a row."""

import numpy as np

from fnn.data.dataset import Raw
from fnn.errors import InputError

Parts = tuple[Raw, Raw, Raw]  # train, validation, test


def drawn_order(n: int, seed: int) -> np.ndarray:
    """The numbers `0..n-1` in an order that depends on `seed` alone.

    The order is that of raw bits of PCG64. NumPy promises never to change these; `Generator.permutation` it may change.
    """
    # a stream of its own: the bits of a generated set would sort its rows by their coordinates
    return np.argsort(np.random.PCG64([seed, 0x5917]).random_raw(n), kind="stable")


def split(raw: Raw, train: int, validation: int, test: int, seed: int) -> Parts:
    """Draws the rows of each part by `seed`; within a part they stay in the order of the source.

    Args:
        raw: All rows.
        train: How many of the other rows to train on; 0 for all of them.
        validation: How many rows to hold out for validation.
        test: How many rows to hold out for the test.
        seed: Decides alone which row goes into which part.
    """
    n, held = len(raw.x), validation + test
    train = _checked(n, train, held, f"validation = {validation} and test = {test}")
    order = drawn_order(n, seed)
    parts = order[held : held + train], order[test:held], order[:test]
    first, second, third = (raw.rows(np.sort(part)) if len(part) < n else raw for part in parts)
    return first, second, third


def as_stored(raw: Raw, train: int, validation: int, test: int) -> Parts:
    """The first rows are for training, the next for validation, the last for the test: for a series in time.

    Args:
        raw: All rows.
        train: How many rows to train on; 0 for all that are not held out.
        validation: How many rows to hold out for validation, those after the training.
        test: How many rows to hold out for the test, the last ones.
    """
    n = len(raw.x)
    train = _checked(n, train, validation + test, f"validation = {validation} and test = {test}")
    parts = slice(train), slice(train, train + validation), slice(n - test, None)
    first, second, third = (raw.rows(part) for part in parts)
    return first, second, third


def split_in_order(raw: Raw, own_test: Raw, train: int, validation: int, test: int) -> Parts:
    """For a source with a test set of its own: the last rows are for validation, as in Nielsen's book.

    Args:
        raw: The rows for training and validation.
        own_test: The source's test rows.
        train: How many rows to train on, the first ones; 0 for all that are left.
        validation: How many rows to hold out, the last ones.
        test: How many test rows to use, the first ones; 0 for all.
    """
    rest = len(raw.x) - validation
    train = _checked(len(raw.x), train, validation, f"validation = {validation}")
    if test > len(own_test.x):
        raise InputError(
            f"test = {test}: the source has {len(own_test.x):,} test rows; use at most these, or 0 for all"
        )
    return raw.rows(slice(train)), raw.rows(slice(rest, None)), own_test.rows(slice(test or None))


def _checked(n: int, train: int, held: int, what: str) -> int:
    """How many rows to train on, when `held` of `n` are held out."""
    if held >= n:
        raise InputError(f"{what}: the source has {n:,} rows; hold out fewer, so that some are left to train on")
    if train > n - held:
        raise InputError(f"train = {train}: {n - held:,} rows are left of {n:,}; use at most these, or 0 for all")
    return train or n - held
