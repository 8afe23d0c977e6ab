"""Random numbers: functions of `jax.random`, and the same bits without a compilation.

JAX compiles a loop for each array that it draws. For the params of two layers this takes longer than to train them
on a thousand digits. So the bits of a small array are computed by NumPy. Inside of a program, for large
arrays, for keys of another kind and for keys on devices of their own it is `jax.random` that draws. The definition of
`split`, `fold_in`, `normal` and `uniform` is the function of that name in `jax.random`; the tests compare every bit.

The generator is Threefry-2x32 with 20 rounds: Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", 2011,
section 4.1. A key is two words of 32 bits.
"""

from __future__ import annotations

import math

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from fnn.types import Array, Key, Shape

Words = NDArray[np.uint32]

LARGEST = 2**20  # numbers drawn by NumPy at once, at most; their bits take 0.1 s
SMALLEST = 2**14  # numbers that become normal at once; all sizes between two powers of 2 share a program
ROTATIONS = (13, 15, 26, 6), (17, 29, 16, 24)  # of four rounds, in turn
PARITY = 0x1BD11BDA  # of the key schedule


def key_of(seed: int) -> Key:
    """`jax.random.key(seed)` for a seed in 0 … 2³² − 1."""
    return _keys(np.array([[0, seed]], np.uint32))[0] if _is_usual() else jax.random.key(seed)


def split(key: Key, number: int = 2) -> tuple[Key, ...]:
    """`number` independent keys, those of `jax.random.split`."""
    words = words_of(key)
    return tuple(jax.random.split(key, number)) if words is None else _keys(folded(words, np.arange(number)))


def fold_in(key: Key, number: int) -> Key:
    """The key of this number, in 0 … 2³² − 1, of those that belong to `key`."""
    words = words_of(key)
    return jax.random.fold_in(key, number) if words is None else _keys(folded(words, np.array([number])))[0]


def uniform(key: Key, shape: Shape) -> Array | NDArray[np.float32]:
    """Numbers from U(−1, 1), `shape`; an array of NumPy if NumPy has drawn them."""
    words = words_of(key)
    if words is None or not _is_small(shape):
        return jax.random.uniform(key, shape, minval=-1.0, maxval=1.0)
    return _between(np.float32(-1), integers(words, math.prod(shape))).reshape(shape)


def normal(key: Key, shape: Shape) -> Array | NDArray[np.float32]:
    """Numbers from N(0, 1), `shape`; an array of NumPy if NumPy has drawn their bits.

    They are drawn in a row, and in a program behind a barrier: XLA would fold a factor into the draw. For the shape
    (3, 4, 5), or with the factor, it would round some of them otherwise.
    """
    words, n = words_of(key), math.prod(shape)
    if words is None or not _is_small(shape):
        return jax.lax.optimization_barrier(jax.random.normal(key, (n,))).reshape(shape)
    u = np.zeros(max(SMALLEST, 1 << (n - 1).bit_length()), np.float32)
    u[:n] = _between(np.nextafter(np.float32(-1), np.float32(0)), integers(words, n))
    with jax.ensure_compile_time_eval():
        return jax.device_get(_normal(jax.device_put(u)))[:n].reshape(shape)


@jax.jit
def _normal(u: Array) -> Array:
    """N(0, 1) from U(−1, 1), by the inverse of the distribution function."""
    return np.float32(np.sqrt(2)) * jax.lax.erf_inv(u)


def _between(lowest: np.float32, integers: Words) -> NDArray[np.float32]:
    """U(lowest, 1) from the upper 23 bits: they are the fraction of a number in [1, 2)."""
    fraction = ((integers >> np.uint32(9)) | np.uint32(0x3F800000)).view(np.float32) - np.float32(1)
    return np.maximum(lowest, fraction * (np.float32(1) - lowest) + lowest)


def words_of(key: Key) -> Words | None:
    """The two words of a key; None where JAX is to draw."""
    if not isinstance(key, jax.Array) or isinstance(key, jax.core.Tracer) or key.shape or key.committed:
        return None
    if not _is_usual() or str(jax.random.key_impl(key)) != "threefry2x32":
        return None
    with jax.ensure_compile_time_eval():
        return jax.device_get(jax.random.key_data(key))


def folded(words: Words, numbers: NDArray[np.integer]) -> Words:
    """The words of the keys `fold_in(key, number)`, `(m, 2)`; those of `split` have the numbers 0, 1, ..."""
    return np.stack(_threefry(words, numbers.astype(np.uint32)), axis=1)


def integers(words: Words, n: int) -> Words:
    """`n` random integers of 32 bits for the words of each key, `(..., 2)` -> `(..., n)`: `jax.random.bits`."""
    x, y = _threefry(words, np.arange(n, dtype=np.uint32))
    return x ^ y


def _threefry(words: Words, counts: Words) -> tuple[Words, Words]:
    """Two random words for each count and key: 20 rounds, and a part of the key added after every four."""
    first, second = words[..., :1], words[..., 1:]
    keys = first, second, first ^ second ^ np.uint32(PARITY)
    x, y = np.broadcast_to(keys[0], (*words.shape[:-1], len(counts))).copy(), counts + keys[1]
    for i in range(5):
        for r in ROTATIONS[i % 2]:
            x += y
            y = (y << np.uint32(r) | y >> np.uint32(32 - r)) ^ x
        x += keys[(i + 1) % 3]
        y += keys[(i + 2) % 3] + np.uint32(i + 1)
    return x, y


def _is_usual() -> bool:
    """Whether new keys are those of Threefry, and a bit depends on its place alone: JAX's defaults."""
    kind, partitionable = "jax_default_prng_impl", "jax_threefry_partitionable"
    return getattr(jax.config, kind, "") == "threefry2x32" and getattr(jax.config, partitionable, False)


def _is_small(shape: Shape) -> bool:
    return 0 < math.prod(shape) <= LARGEST and jnp.result_type(float) == jnp.float32


def _keys(words: Words) -> tuple[Key, ...]:
    with jax.ensure_compile_time_eval():
        return tuple(jax.random.wrap_key_data(pair) for pair in words)
