"""Which params a training keeps: those of its best epoch by validation, or those of its last."""

from __future__ import annotations

import math
from typing import NamedTuple

from fnn.training.fitting import Result, score
from fnn.types import Params

KEEPS = ("best", "last")  # what a config may ask for


class Kept(NamedTuple):
    """What is kept of the epochs so far."""

    epoch: int  # from 1; 0 before the first
    score: float  # of that epoch on the validation data; -inf where that is not finite
    params: Params


def nothing_yet(params: Params) -> Kept:
    """Before the first epoch: the params that the training starts from."""
    return Kept(0, -math.inf, params)


def after(keep: str, kept: Kept, result: Result) -> Kept:
    """What is kept after one more epoch.

    For `"best"` it changes if the epoch's validation score is above all before it: of equal scores the first counts.
    Until a score is finite, the newest epoch is kept.
    """
    number = math.nan if result.validation is None else score(result.validation)
    number = number if math.isfinite(number) else -math.inf
    if keep == "best" and number <= kept.score and kept.score > -math.inf:
        return kept
    return Kept(result.epoch, number, result.params)
