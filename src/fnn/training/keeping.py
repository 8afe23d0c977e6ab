"""Which params a training keeps: those of its best epoch by validation, or those of its last."""

from __future__ import annotations

import math
from typing import NamedTuple

from fnn.training.fitting import score
from fnn.training.tasks import Result
from fnn.types import Params

KEEPS = ("best", "last")  # what a config may ask for


Rank = tuple[float, float]  # how good an epoch is: its score and minus its cost on the validation data
UNRANKED: Rank = (-math.inf, -math.inf)


class Kept(NamedTuple):
    """What is kept of the epochs so far."""

    epoch: int  # from 1; 0 before the first
    rank: Rank  # of that epoch
    params: Params


def nothing_yet(params: Params) -> Kept:
    """Before the first epoch: the params that the training starts from."""
    return Kept(0, UNRANKED, params)


def rank(score: float, cost: float) -> Rank:
    """By the score; of equal ones, as accuracies of few rows often are, by the cost. -inf for what is not finite."""
    return (score if math.isfinite(score) else -math.inf, -cost if math.isfinite(cost) else -math.inf)


def after(keep: str, kept: Kept, result: Result) -> Kept:
    """What is kept after one more epoch.

    For `"best"` it changes if the epoch's rank is above that of all before it: of equal ones the first counts. Until a
    score is finite, the newest epoch is kept.
    """
    seen = result.validation
    new = UNRANKED if seen is None else rank(score(seen), float(seen.cost))
    if keep == "best" and new <= kept.rank and kept.rank[0] > -math.inf:
        return kept
    return Kept(result.epoch, new, result.params)
