"""What an estimator does with its arrays: units, first params, training, outputs. No scikit-learn in here.

Shape letters: `n` examples, `d` features, `shape` one example as the net takes it, `n_out` outputs.
"""

from __future__ import annotations

from functools import partial
from typing import Any, NamedTuple

import jax
import numpy as np

from fnn.costs import LogLikelihood
from fnn.examples import Examples
from fnn.kernels.draws import fold_in, key_of
from fnn.network import backprop, forward, init
from fnn.schedules import Schedule, before_the_first
from fnn.training import keeping
from fnn.training.arguments import check_kinds
from fnn.training.evaluation import Measure
from fnn.training.fitting import fit, score
from fnn.training.tasks import Result, Start
from fnn.types import Array, Cost, Net, Optimizer, Params, Shape, static

ROWS_AT_ONCE = 4096  # of one prediction; fewer are filled up to a power of two, so that few programs are compiled
FEWEST_ROWS = 16


@static
class WeightedLogLikelihood:
    """`LogLikelihood` of rows of `y` that sum to the weight of their example, which training else refuses."""

    def output(self, z: Array) -> Array:
        """`a = softmax(z)`."""
        return LogLikelihood().output(z)

    def value(self, z: Array, y: Array) -> Array:
        """`−Σ y ln a`: summed over outputs, mean over rows; a row that sums to w counts w times."""
        return LogLikelihood().value(z, y)

    def delta(self, z: Array, y: Array) -> Array:
        """`(a Σy − y) / n`."""
        return LogLikelihood().delta(z, y)


class Units(NamedTuple):
    """The mean and the deviation of each column: a column in these units is `(column - mean) / sd`."""

    mean: np.ndarray  # (d,), float64
    sd: np.ndarray  # (d,), float64, 1 for a column that never varies

    def of(self, x: np.ndarray) -> np.ndarray:
        """The rows in these units, `(n, d)`, float64."""
        return (x - self.mean) / self.sd

    def back(self, x: np.ndarray) -> np.ndarray:
        """The rows in their own units again, `(n, d)`."""
        return x * self.sd + self.mean


def units(x: np.ndarray, weight: np.ndarray) -> Units:
    """The units in which the columns of `x`, `(n, d)`, have mean 0 and deviation 1 under weights `(n,)`."""
    x, average = x.astype(np.float64), partial(np.average, axis=0, weights=weight)
    mean = np.clip(average(x), x.min(axis=0), x.max(axis=0))  # of a constant column no rounding is left
    reach = np.abs(x - mean).max(axis=0)
    reach = np.where(reach > 0, reach, 1.0)  # divided by it, since squares of very small numbers would be 0
    sd = reach * np.sqrt(average(((x - mean) / reach) ** 2))
    return Units(mean, np.where(sd > 0, sd, 1.0))


def weights(weight: np.ndarray, n: int) -> np.ndarray:
    """How much each row counts, `(n,)`.

    Raises:
        ValueError: they are not `n`, one is below 0, or all are 0.
    """
    if weight.shape not in ((), (n,)):
        raise ValueError(f"sample_weight has shape {weight.shape}; expected one weight for each row of X, ({n},).")
    if weight.min() < 0:
        raise ValueError(f"sample_weight has {weight.min():g}; expected numbers of at least 0.")
    if not weight.any():
        raise ValueError("sample_weight: all weights are zero; expected one above 0.")
    return np.broadcast_to(weight, n)


class Knowledge(NamedTuple):
    """What a training has learnt, in NumPy arrays: it is pickled, and goes on from there to the same bits."""

    key: np.ndarray  # the data of the training's key
    params: Params
    start: Start


def beginning(net: Net, optimizer: Optimizer, schedule: Schedule, seed: int, shape: Shape) -> Knowledge:
    """What is there before the first epoch, drawn from `seed`.

    Raises:
        TypeError: one is of another kind.
        ValueError: a number of an `SGD` is out of its range.
    """
    check_kinds(net, optimizer, (), np.uint32(seed), backprop, schedule)
    key = key_of(seed)
    params = init(net, fold_in(key, 0), shape)  # the epochs are numbered from 1
    start = Start(_arrays(optimizer.init(params)), before_the_first(schedule))
    return Knowledge(np.asarray(jax.random.key_data(key)), _arrays(params), start)


class Task(NamedTuple):
    """How an estimator trains; `fit` documents the fields."""

    net: Net
    cost: Cost
    optimizer: Optimizer
    schedule: Schedule
    batch_size: int  # at most; all examples if there are fewer
    measure: Measure


class Trained(NamedTuple):
    """What came out of some epochs."""

    known: Knowledge
    costs: list[float]  # of the training examples after each epoch
    scores: list[float]  # of the validation examples; empty without any


def trained(task: Task, before: Knowledge, train: Examples, validation: Examples | None, epochs: int) -> Trained:
    """What is known after some more epochs; with validation examples after the best of them, else after the last."""
    key, size = jax.random.wrap_key_data(jax.device_put(before.key)), min(task.batch_size, train.n)
    settings = {"schedule": task.schedule, "measure": task.measure, "validation": validation, "start": before.start}
    best, kept, costs, scores = None, keeping.nothing_yet(before.params), [], []
    described = task.net, task.cost, task.optimizer
    for result in fit(*described, before.params, train, key, batch_size=size, epochs=epochs, **settings):
        costs.append(float(result.train.cost))
        if result.validation is not None:
            scores.append(score(result.validation))
        kept = keeping.after("last" if validation is None else "best", kept, result)
        best = result if best is None or kept.epoch == result.epoch else best
    return Trained(before if best is None else _known(before.key, best), costs, scores)


def _known(key: np.ndarray, result: Result) -> Knowledge:
    start = result.start
    return Knowledge(key, _arrays(result.params), start._replace(v=_arrays(start.v)))


def _arrays(tree: Any) -> Any:
    return jax.tree.map(np.asarray, tree)


def outputs(net: Net, cost: Cost, params: Params, x: np.ndarray) -> np.ndarray:
    """What the net says, `(n, n_out)`, computed in float64 whatever it was trained in."""
    wide = jax.tree.map(lambda leaf: np.asarray(leaf, np.float64), params)
    with jax.enable_x64(True):
        blocks = (x[i : i + ROWS_AT_ONCE] for i in range(0, len(x), ROWS_AT_ONCE))
        return np.concatenate([np.asarray(_outputs(net, cost, wide, _filled(b)))[: len(b)] for b in blocks])


def _filled(x: np.ndarray) -> np.ndarray:
    """The rows, and rows of zeros up to the next power of two."""
    more = max(FEWEST_ROWS, 1 << (len(x) - 1).bit_length()) - len(x)
    return np.concatenate([x, np.zeros((more, *x.shape[1:]))])


@partial(jax.jit, static_argnames=("net", "cost"))
def _outputs(net: Net, cost: Cost, params: Params, x: Array) -> Array:
    return cost.output(forward(net, params, x))
