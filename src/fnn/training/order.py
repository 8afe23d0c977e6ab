"""The order of the examples in an epoch: a keyed permutation computed entry by entry, without a sort.

Position `i` of an epoch holds example `permuted(key, i, n)`, so the rows of any mini-batch of any epoch can be computed
by themselves. A run can resume in the middle of an epoch from two numbers, and the reader of a file knows which rows
come next. The order is computed by arithmetic on 32-bit integers, hence it is the same on every device. Its cost grows
linearly with n.

The permutation is a generalised Feistel network on a rectangle of a x b cells, the smallest near-square one with
a·b ≥ n. A cell that is not below n is permuted again until it is below n (cycle walking: Black and Rogaway, "Ciphers
with arbitrary finite domains", 2002). The order is as random as training needs, which the tests measure. It is no
cipher.
"""

from __future__ import annotations

import math
from functools import lru_cache, partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from fnn.kernels import draws
from fnn.types import Array, Key

# Two chi-square tests, per degree of freedom; a perfect shuffle has 1. Tested are the 24 orders of 4 examples (24,000
# keys) and the distances of neighbours among 50 (50,000 keys). 6 rounds: 3.3 and 6.1. 8 rounds: 1.4 and 0.9.
# 12 rounds: 1.0 and 1.0.
ROUNDS = 12
SHORT = 2**14  # positions that NumPy permutes at once, in 2 to 4 ms: those of one short epoch, or of several
EPOCHS = 64  # at once, at most


def of_epoch(key: Key, epoch: int, n: int) -> Array | np.ndarray:
    """The order of an epoch of a training, `permutation(jax.random.fold_in(key, epoch), n)`, int32 `(n,)`.

    Short orders are computed by NumPy, for some epochs at once, and are its arrays: no program is compiled for them.

    Args:
        key: Of the training.
        epoch: Its number, from 1.
        n: The number of examples, a Python integer.

    Raises:
        ValueError: `n` is not in 1 … 2³¹ − 1.
    """
    words = draws.words_of(key) if 1 <= n <= SHORT and isinstance(epoch, int) else None
    if words is None:
        return _of_epoch(key, epoch, n)
    several = min(EPOCHS, SHORT // n)
    return _of_epochs(*words.tolist(), epoch // several * several, several, n)[epoch % several]


@partial(jax.jit, static_argnames="n")
def _of_epoch(key: Key, epoch: int, n: int) -> Array:
    return permutation(jax.random.fold_in(key, epoch), n)


@lru_cache(maxsize=4)
def _of_epochs(word: int, second_word: int, first: int, several: int, n: int) -> np.ndarray:
    """The orders of epochs `first`, `first + 1`, ... by NumPy, int32 `(several, n)`."""
    keys = draws.folded(np.array([word, second_word], np.uint32), np.arange(first, first + several))
    round_keys = draws.integers(keys, ROUNDS).T.reshape(-1, 2, several, 1)
    i = _feistel(round_keys, np.arange(n, dtype=np.uint32), n)
    while (beyond := i >= n).any():
        i[beyond] = _feistel(round_keys[:, :, np.nonzero(beyond)[0], 0], i[beyond], n)
    orders = i.astype(np.int32)
    orders.flags.writeable = False  # all who ask share them
    return orders


def permutation(key: Key, n: int) -> Array:
    """A random order of `0 … n − 1`, int32 `(n,)`; the same for the same key on every device.

    Raises:
        ValueError: `n` is not in 1 … 2³¹ − 1.

    Examples:
        >>> import jax
        >>> sorted(permutation(jax.random.key(0), 5).tolist())
        [0, 1, 2, 3, 4]
    """
    return permuted(key, jnp.arange(n, dtype=jnp.int32), n)


def permuted(key: Key, positions: Array, n: int) -> Array:
    """The examples at `positions` of the order `permutation(key, n)`, int32 of the same shape.

    Args:
        key: Of one epoch: `jax.random.fold_in(key, epoch)`.
        positions: Integers in `0 … n − 1`.
        n: The number of examples, a Python integer.

    Raises:
        ValueError: `n` is not in 1 … 2³¹ − 1.
    """
    if not 1 <= n < 2**31:
        raise ValueError(f"an order of n={n} examples: expected 1 to 2,147,483,647.")
    round_keys = jax.random.bits(key, (ROUNDS,), jnp.uint32).reshape(-1, 2)

    # one loop for the first permutation of all positions and for the later ones of those that are not below n; so the
    # permutation is compiled once

    def unfinished(state: tuple[Array, Array]) -> Array:
        i, begun = state
        return ~begun | (i >= n).any()

    def walk(state: tuple[Array, Array]) -> tuple[Array, Array]:
        i, begun = state
        return jnp.where(begun & (i < n), i, _feistel(round_keys, i, n)), jnp.asarray(True)

    i, _ = jax.lax.while_loop(unfinished, walk, (positions.astype(jnp.uint32), jnp.asarray(False)))
    return i.astype(jnp.int32)


def _feistel(round_keys: Any, i: Any, n: int) -> Any:
    """A permutation of the a·b cells `i`; each round adds a hash of one coordinate to the other.

    Args:
        round_keys: A pair for each two rounds, in arrays of JAX, or of NumPy: then they broadcast against `i`.
        i: Cells.
        n: The number of examples.
    """
    a = math.isqrt(n - 1) + 1
    b = -(-n // a)

    def two_rounds(cell: tuple[Any, Any], keys: Any) -> tuple[tuple[Any, Any], None]:
        left, right = cell
        left = _sum(left, _hash(keys[0], right) % a, a)
        right = _sum(right, _hash(keys[1], left) % b, b)
        return (left, right), None

    cell = i // b, i % b
    if isinstance(i, np.ndarray):
        for keys in round_keys:
            cell, _ = two_rounds(cell, keys)
    else:  # a loop, because XLA makes one long kernel of twelve rounds in a row, which takes three times as long
        cell, _ = jax.lax.scan(two_rounds, cell, round_keys)
    left, right = cell
    return left * b + right


def _sum(i: Any, j: Any, m: int) -> Any:
    """`(i + j) mod m` for `i` and `j` below m, whose sum is below 2³²."""
    return i + j - np.uint32(m) * (i + j >= m).astype(np.uint32)


def _hash(k: Any, i: Any) -> Any:
    """32 well-mixed bits of `(k, i)`: the finaliser of MurmurHash3 (Appleby, public domain)."""
    h = (i + k) * np.uint32(0x9E3779B1)
    h = (h ^ (h >> 16)) * np.uint32(0x85EBCA6B)
    h = (h ^ (h >> 13)) * np.uint32(0xC2B2AE35)
    return h ^ (h >> 16)
