"""What an evaluation adds up over the rows of each part: the cost, and the number of rows decided rightly.

A few rows of several parts are one table, so one compiled program evaluates training, validation and test examples.
Shape letters: `n` examples in a table, `k` parts of it, `n_out` outputs.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import repeat
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from fnn.examples import Examples
from fnn.network import activations, check_targets, forward
from fnn.training.spreading import SpreadWindow, number_of_devices
from fnn.training.streaming import Readable, Source, in_file, windows
from fnn.types import Array, Cost, Net, Params

ROWS_OF_A_CALL = 5000  # evaluated by one call: between two calls an interrupted run can save itself
CACHED_NUMBERS = 400_000  # in the widest layer, at most, for all rows evaluated at once; more do not fit into the cache
JOINED_BYTES = 2**25  # of parts that are copied into one table, at most


class Table(NamedTuple):
    """Examples that are evaluated together, and how many consecutive rows of them each part has."""

    examples: Any
    sizes: tuple[int, ...]


def tables(*parts: Any) -> tuple[Table, ...]:
    """The parts that have examples, in order: as one table if they are few and of one kind, else a table each.

    Parts that lie in a file are joined as those in memory are, so that both give the same bits.
    """
    parts = tuple(part for part in parts if part is not None and part.n)
    if len(parts) > 1 and _are_joined(parts):
        x, y = np.concatenate(list(map(_inputs, parts))), np.concatenate([np.asarray(part.y) for part in parts])
        return (Table(Examples(x, y, parts[0].scale), tuple(part.n for part in parts)),)
    return tuple(Table(part, (part.n,)) for part in parts)


def _are_joined(parts: tuple[Any, ...]) -> bool:
    n = sum(part.n for part in parts)
    if n > ROWS_OF_A_CALL or any(type(part) is not Examples for part in parts):
        return False
    alike = {(p.x.dtype, p.y.dtype, p.shape, p.y.shape[1:], np.asarray(p.scale).tobytes()) for p in parts}
    return len(alike) == 1 and n * math.prod(parts[0].shape) * parts[0].x.dtype.itemsize <= JOINED_BYTES


def _inputs(part: Examples) -> np.ndarray:
    if not isinstance(part.x, Readable):
        return np.asarray(part.x)
    x = np.zeros((part.n, *part.shape), part.x.dtype)
    for places, block in part.x.blocks():
        x[places] = block
    return x


def sums(
    net: Net,
    cost: Cost,
    params: Params,
    table: Table,
    classes: Any = False,
    of_networks: Callable[..., Any] | None = None,
) -> Iterator[tuple[Array, Array]]:
    """The summed cost and the number of rows decided rightly, of each part, `(k,)`, for some rows after others.

    A table of several parts is evaluated by one call, a longer one by a call for every `ROWS_OF_A_CALL` examples and
    those left. The number of right rows is nan if one of their outputs is.

    Args:
        net: The layers.
        cost: The cost.
        params: Of `net`.
        table: The examples and the sizes of its parts.
        classes: Whether rows are decided as classes; if not, as bits.
        of_networks: What evaluates the rows of a call, `sums_of_rows` or the same for the params of several networks.
    """
    examples, sizes = table
    n = sum(sizes)
    starts, size = range(0, n, ROWS_OF_A_CALL), min(ROWS_OF_A_CALL, n)
    rows: Iterable[Source] = repeat(examples)
    if in_file(examples):
        spans = ((first, slice(first, first + size)) for first in starts)
        rows = filter(None, windows(examples, spans, _shape_of_window(net, params, examples, size)))
    for first, part in zip(starts, rows, strict=False):
        counts = sizes if len(sizes) > 1 else (min(ROWS_OF_A_CALL, n - first),)
        yield (of_networks or sums_of_rows)(net, cost, params, part, classes, first, counts=counts)


def _shape_of_window(net: Net, params: Params, examples: Any, size: int) -> tuple[int, int]:
    """How `size` rows are laid out to be evaluated: for several devices those that are evaluated at once are one."""
    devices = number_of_devices(examples)
    if devices == 1:
        return 1, size
    x = jax.ShapeDtypeStruct((1, *examples.shape), examples.dtype)
    rows = rows_of_a_block(jax.eval_shape(partial(activations, net), params, x), size, devices)
    return -(-size // rows), rows


@partial(jax.jit, static_argnames="counts")
def sums_of_rows(net, cost, params, examples, classes, first, *, counts) -> tuple[Array, Array]:
    """The cost summed over the first `counts[0]` rows from `first` on, the next `counts[1]`, ...; and those right.

    The rows are evaluated in blocks of one size. The last row fills up the last block and is not counted again.
    """

    def block(rows):
        x, y = examples.rows(rows)
        z = forward(net, params, x)
        check_targets(cost, z, y)
        a = cost.output(z)
        same_bits = ((a > 0.5) == (y > 0.5)).all(axis=1)
        right = jnp.where(classes, a.argmax(axis=1) == y.argmax(axis=1), same_bits)
        values = jax.vmap(lambda z, y: cost.value(z[None], y[None]))(z, y)
        if values.dtype.itemsize < 4:  # half precision is too small for a sum of thousands
            values = values.astype(jnp.float32)
        return values, jnp.where(jnp.isnan(a).any(axis=1), jnp.nan, right.astype(values.dtype))

    count = sum(counts)
    one = jax.eval_shape(lambda: activations(net, params, examples.rows(first + jnp.arange(1))[0]))
    if isinstance(examples, SpreadWindow):
        size = min(count, examples.batch_size)  # whose rows are on all devices
    else:
        size = rows_of_a_block(one, count, number_of_devices(examples))
    i = jnp.minimum(jnp.arange(-(-count // size) * size), count - 1).reshape(-1, size)
    values, right = (rows.ravel()[:count] for rows in jax.lax.map(block, first + i))
    parts = np.repeat(np.arange(len(counts)), counts) == np.arange(len(counts))[:, None]  # (k, count)
    total, number = (jnp.where(parts, rows, 0).sum(axis=1) for rows in (values, right))
    return total, number


def rows_of_a_block(one: Iterable[Array], count: int, devices: int) -> int:
    """How many of `count` rows are evaluated at once by so many devices together, for the activations of one row."""
    most = max(1, min(count, devices * rows_at_once(one)))
    return -(-count // -(-count // most))


def rows_at_once(one: Iterable[Array]) -> int:
    """How many rows a device evaluates at once, for the activations `one` of one row.

    The bound keeps the memory small; a result depends on it only through the order of a sum. At least a hundred rows
    are taken, because all weights are read once for every block.
    """
    return min(ROWS_OF_A_CALL, max(100, CACHED_NUMBERS // max(a.size for a in one)))
