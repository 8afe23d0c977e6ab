"""Mini-batches: how an epoch is cut into them."""

from __future__ import annotations


def steps_per_epoch(n: int, batch_size: int) -> int:
    """The number of mini-batches of an epoch of `n` examples, `ceil(n / batch_size)`: the last one may be shorter."""
    return -(-n // batch_size)
