"""The contestants, their cases, and the check before any timing that they compute what `fnn` computes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import NamedTuple

import jax
import numpy as np

from experiments.benchmark.tasks import Data, Layers, Task, Trainer, Unavailable, fnn_order

TOLERANCE = 1e-5  # of the largest entry of an update, leaf by leaf
ROUNDING = 2.0**-22  # of the largest entry of a parameter: float32 rounds when the update is added to it
NETWORKS = 3  # are compared, where there are more
STEPS = 2  # mini-batches are compared: the second one starts from what the first has changed
CHANCES = 3  # pairs of mini-batches: two right updates differ where the last bit decides the maximum of a pool


class Loop:
    """Networks trained one after the other, for contestants that cannot train many at once."""

    def __init__(self, trainers: Sequence[Trainer]) -> None:
        """One trainer per network."""
        self.trainers = trainers

    def epoch(self, seed: int) -> float:
        """The sum of their seconds."""
        return sum(trainer.epoch(seed) for trainer in self.trainers)

    def params(self) -> list[Layers]:
        """Of every network."""
        return [layers for trainer in self.trainers for layers in trainer.params()]


def each(build: Callable[[Task], Trainer], tasks: Sequence[Task]) -> Trainer:
    """A trainer per network, one after the other."""
    return Loop([build(task) for task in tasks])


def together(build: Callable[[Sequence[Task]], Trainer], tasks: Sequence[Task]) -> Trainer:
    """One trainer for all networks."""
    return build(tasks)


class Contestant(NamedTuple):
    """A way to train networks."""

    name: str
    module: str  # of this package; imported late, since it imports a library that may be missing
    builder: str = "Network"
    many: Callable[..., Trainer] = each
    costs: Mapping[str, str] = {}  # the cost it uses instead, where it does not have the task's
    note: str = ""

    def own(self, task: Task) -> Task:
        """The task as this contestant can do it."""
        return task._replace(cost=self.costs.get(task.cost, task.cost))

    def remark(self, task: Task) -> str:
        """Its note, or how it differs from the task."""
        cost = self.own(task).cost
        return self.note if cost == task.cost else f"its cost is the {cost}"

    def trainer(self, tasks: Sequence[Task]) -> Trainer:
        """At the start of training.

        Raises:
            ImportError, Unavailable: it misses something on this machine.
        """
        module = import_module(f"experiments.benchmark.{self.module}")
        return self.many(getattr(module, self.builder), [self.own(task) for task in tasks])


BACKPROP = Contestant("fnn, backprop", "by_fnn", "backprop")
AUTODIFF = Contestant("fnn, autodiff", "by_fnn", "autodiff")
NUMPY = Contestant("NumPy, vectorised", "by_numpy")
TORCH = Contestant("PyTorch, eager", "by_torch", "with_its_threads")
TORCH_1 = Contestant("PyTorch, eager, 1 thread", "by_torch", "with_one_thread")
SKLEARN = Contestant("scikit-learn", "by_sklearn", costs={"quadratic": "cross-entropy"})  # it has no quadratic cost
FLAX = Contestant("Flax nnx + optax", "by_flax", note="a compiled step per call")
EQUINOX = Contestant("Equinox + optax", "by_equinox", note="a compiled step per call")
SCANNED = Contestant("Equinox + optax, scanned", "by_equinox", "Scanned", note="an epoch per call")
TEXTBOOK = Contestant("textbook loop", "by_textbook", note="Python, example by example")
WINDOWS = Contestant("lax, reduce_window", "by_lax", "windows", note="fnn's epoch, JAX's layers, autodiff")
RESHAPED = Contestant("lax, reshape and max", "by_lax", "reshaped", note="fnn's epoch, JAX's layers, autodiff")
FLOOR = Contestant("C floor", "by_c", note="sizes fixed when compiled; one core")
SWEEP = Contestant("fnn.sweep, backprop", "by_fnn", "sweep_by_backprop", together, note="one order for all")
SWEEP_AUTODIFF = Contestant("fnn.sweep, autodiff", "by_fnn", "sweep_by_autodiff", together, note="one order for all")
SWEEP_ORDERS = Contestant("fnn.sweep, own orders", "by_fnn", "sweep_with_own_orders", together, note="an order each")
XLA_PRODUCT = Contestant("matrix product, XLA", "products", "XLA", note="2048 x 2048, per product")
NUMPY_PRODUCT = Contestant("matrix product, NumPy", "products", "NumPy", note="2048 x 2048, per product")

PRODUCTS = XLA_PRODUCT, NUMPY_PRODUCT
PEERS = SKLEARN, EQUINOX, SCANNED, FLAX
STEP = BACKPROP, AUTODIFF, NUMPY, TORCH, TORCH_1, *PEERS, TEXTBOOK, FLOOR
WIDE = BACKPROP, AUTODIFF, NUMPY, TORCH, *PEERS
CONVOLUTION = BACKPROP, AUTODIFF, WINDOWS, RESHAPED, TORCH, TORCH_1
PAIRED = SWEEP, SWEEP_AUTODIFF
SINGLE = SWEEP_ORDERS, BACKPROP, NUMPY, TORCH_1, *PEERS, TEXTBOOK, FLOOR
GROWING = BACKPROP, AUTODIFF, NUMPY


def refusal(contestant: Contestant, tasks: Sequence[Task]) -> str:
    """Why this contestant is not timed on these tasks; nothing if it is here and computes the update of `fnn`."""
    try:
        apart = disagreement(contestant, tasks)
    except (ImportError, Unavailable) as missing:
        return f"not here: {missing}"
    return "" if apart <= 1 else f"computes another update: {apart:.1f} times the tolerance away"


def disagreement(contestant: Contestant, tasks: Sequence[Task]) -> float:
    """The largest difference from `fnn.epoch` by `fnn.backprop` after two mini-batches, in units of the tolerance.

    Every network has the start of the reference and sees the same images in the same order. The tolerance of a leaf
    is `1e-5` of the largest entry of its update, and the rounding of the parameters themselves. Of `CHANCES` pairs of
    mini-batches the one with the smallest difference counts, because a wrong update differs on all of them.
    """
    smallest = float("inf")
    for chance in range(CHANCES):
        short = [_shortened(contestant.own(task), chance) for task in tasks[:NETWORKS]]
        with jax.default_matmul_precision("highest"):
            trained, expected = contestant.trainer(short), BACKPROP.trainer(short)
            trained.epoch(0)
            expected.epoch(0)
        triples = zip(short, trained.params(), expected.params(), strict=True)
        smallest = min(smallest, max(_apart(task.start, got, wanted) for task, got, wanted in triples))
        if smallest <= 1:
            break
    return smallest


def _shortened(task: Task, chance: int) -> Task:
    rows = (chance * STEPS * task.batch_size + np.arange(STEPS * task.batch_size)) % task.data.n
    return task._replace(data=Data(task.data.x[rows], task.data.y[rows]), order=fnn_order)


def _apart(start: Layers, got: Layers, wanted: Layers) -> float:
    leaves = zip(*([leaf for pair in layers for leaf in pair] for layers in (start, got, wanted)), strict=True)
    return max(_leaf_apart(*triple) for triple in leaves)


def _leaf_apart(start: np.ndarray, got: np.ndarray, wanted: np.ndarray) -> float:
    if got.shape != wanted.shape:
        return float("inf")
    tolerated = TOLERANCE * abs(wanted - start).max() + ROUNDING * abs(wanted).max()
    return float(np.nan_to_num(abs(got - wanted).max() / tolerated, nan=np.inf))
