"""Which epoch is kept."""

import math

import numpy as np
import pytest

from fnn.training import keeping
from fnn.training.evaluation import Evaluation
from fnn.training.tasks import Result

NAN = math.nan


def kept(keep, costs, accuracies):
    """The epoch that is kept of validation results, and the params of it, here its number."""
    so_far = keeping.nothing_yet(0)
    for epoch, (cost, accuracy) in enumerate(zip(costs, accuracies, strict=True), 1):
        validation = Evaluation(np.float32(cost), np.float32(accuracy))
        result = Result(*[None] * len(Result._fields))._replace(epoch=epoch, validation=validation, params=epoch)
        so_far = keeping.after(keep, so_far, result)
    assert so_far.params == so_far.epoch
    return so_far.epoch


@pytest.mark.parametrize(
    ("costs", "accuracies", "best"),
    [
        ([3, 2, 1, 0], [0.5, 0.75, 0.75, 0.25], 3),  # of equal accuracies that of the lowest cost
        ([3, 1, 1, 0], [0.5, 0.75, 0.75, 0.25], 2),  # of equal costs the first
        ([3, math.inf, 2, NAN], [0.5, 0.75, 0.75, 0.75], 3),
        ([3, 1, 1, 2], [NAN] * 4, 2),
        ([NAN, 2, 3, NAN], [NAN] * 4, 2),
        ([math.inf, NAN, math.inf], [NAN] * 3, 3),  # none is finite: the newest
        ([3, math.inf, 1], [0.5, 0.75, 0.5], 2),
        ([1], [0.0], 1),
    ],
    ids=str,
)
def test_the_best_epoch_is_that_of_the_highest_accuracy_and_then_of_the_lowest_cost(costs, accuracies, best):
    assert kept("best", costs, accuracies) == best
    assert kept("last", costs, accuracies) == len(costs)
