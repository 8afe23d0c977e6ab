"""Whether the compiled training program takes the steps that it should, and no others.

The program gathers the rows of several mini-batches at once, unrolls steps, takes some in blocks and cuts the epoch
into segments. Here some of its segments are run in float64 and compared with plain steps, one mini-batch after the
other, in the order of the epoch. Nothing of the program is used for the plain steps but the gradient, which `gradcheck`
checks, the optimiser's `update`, and the reading of examples by their numbers.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import reduce
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from fnn.checking.programs import QUICKLY
from fnn.examples import Examples
from fnn.training import segments
from fnn.training.augmentation import Shifted
from fnn.training.mini_batches import Rule
from fnn.training.order import of_epoch
from fnn.training.streaming import in_file, windows
from fnn.types import Array, Key, Params, leaf_name

TOLERANCE = 1e-8  # of the change of a leaf; correct programs differ by roundings of float64, some 1e-13
UNCHANGED = 1e-6  # of a leaf's largest entry is added to its change: what hardly moves has no digits to compare


@dataclass(frozen=True)
class LoopReport:
    """What the comparison of the training program with plain steps has shown."""

    steps: int  # that were compared
    segments: int  # in which the program took them
    gap: float  # the largest difference of an entry, over the largest change of its leaf
    wrong: str  # the first difference in words; "" if there is none

    @property
    def ok(self) -> bool:
        """Whether the program takes the right steps."""
        return not self.wrong

    def to_dict(self) -> dict[str, Any]:
        """All fields, and `ok`; None for a gap that is not finite."""
        table = {"ok": self.ok, **dataclasses.asdict(self)}
        return table | {"gap": self.gap if math.isfinite(self.gap) else None}

    def __str__(self) -> str:
        """The verdict, in one line."""
        if self.wrong:
            return f"the training loop is WRONG: {self.wrong}"
        how = f"steps compared with plain ones: {self.steps:,}, in segments: {self.segments}"
        return f"the training loop is right; {how}; largest difference {self.gap:.1e} of the change"


class Doubles(NamedTuple):
    """Examples in float64, so that both ways round alike."""

    examples: Any  # `Examples`, `Shifted` or a `Window`

    def take(self, i: Array) -> Examples:
        """Examples `i` in the units of training."""
        return Examples(*self.rows(i))

    def rows(self, i: Any) -> tuple[Array, Array]:
        """Examples `i` in the units of training, `(x, y)`."""
        x, y = self.examples.rows(i)
        return x.astype(jnp.float64), y.astype(jnp.float64)


def check_training_loop(rule: Rule, params: Params, examples: Examples | Shifted, key: Key) -> LoopReport:
    """Compare the first two turns of the first epoch, and its last one, with plain steps.

    Every turn is a segment of its own. Both ways begin it with the state that the plain steps have reached. The program
    is compiled for float64, which does not train; so LLVM's optimisations are left out, which take half of the time.

    Args:
        rule: How a mini-batch changes the params in this training.
        params: Of the net, where training starts.
        examples: Those to train on, in memory or in their file.
        key: Of the training, as for `fit`.

    Raises:
        ValueError: the batch size is not in 1 … n.
    """
    n, size = examples.n, rule.batch_size
    order = of_epoch(key, 1, n)
    rows, count = np.asarray(order), segments.count(n, size)
    turns = sorted({0, min(1, count - 1), count - 1})
    if not np.array_equal(np.sort(rows), np.arange(n)):
        return LoopReport(0, 0, math.nan, f"the order of the first epoch does not have each of {n:,} examples once")
    with jax.enable_x64(True), jax.default_matmul_precision("highest"):
        plain = jax.tree.map(lambda p: jax.device_put(np.asarray(p, np.float64)), params)  # jnp.asarray would compile
        state, gap, steps = (plain, rule.optimizer.init(plain)), 0.0, 0
        segment, plain_step = jax.jit(segments.segment, compiler_options=QUICKLY), _plain_step(rule)
        for turn in turns:
            span = range(segments.steps_before(turn, n, size), segments.steps_before(turn + 1, n, size))
            window, places = _window(examples, order, turn, size)
            got = segment(rule, *state, Doubles(window), places, turn, turn + 1)
            before, batches = state, [rows[k * size : (k + 1) * size] for k in span]
            state = reduce(lambda state, batch: plain_step(state, *_read(examples, batch)), batches, state)
            leaf, apart = _largest_gap(before, state, got)
            gap, steps = max(gap, apart), steps + len(span)
            if apart > TOLERANCE:
                what = f"after steps {span.start + 1:,} to {span.stop:,} of the first epoch {leaf} differs from that of"
                return LoopReport(steps, len(turns), gap, f"{what} plain steps by {apart:.1e} of its change")
    return LoopReport(steps, len(turns), gap, "")


def _window(examples: Examples | Shifted, order: Any, turn: int, batch_size: int) -> tuple[Any, Any]:
    """The examples for one turn of an epoch and their order, as `fit` gives them to the training program."""
    windows = segments.windowed(examples, order, turn, batch_size)
    return next((window, places) for _, window, places in windows if window is not None)


def _plain_step(rule: Rule) -> Callable[[Any, Array, Array], Any]:
    """The state after one step; for a whole mini-batch the gradient is the program that `gradcheck` has checked."""
    whole, shorter = jax.jit(rule.gradient), jax.jit(rule.gradient, compiler_options=QUICKLY)
    update = jax.jit(rule.optimizer.update, compiler_options=QUICKLY)

    def step(state: Any, x: Array, y: Array) -> Any:
        gradient, (params, v) = whole if len(x) == rule.batch_size else shorter, state
        return update(params, v, gradient(rule.net, rule.cost, params, x, y)[1])

    return step


def _read(examples: Examples | Shifted, rows: np.ndarray) -> tuple[Array, Array]:
    """The examples with these numbers in the units of training, from memory or from their file."""
    if not in_file(examples):
        return Doubles(jax.device_get(examples)).rows(rows)  # NumPy reads them, and compiles nothing
    window = next(filter(None, windows(examples, [(0, rows)], (1, len(rows)))))
    return Doubles(window.examples).rows(slice(None))


def _largest_gap(before: Any, plain: Any, got: Any) -> tuple[str, float]:
    """The leaf in which two states differ most, and how much, over the change of the leaf; infinite beside nan."""
    gaps = {}
    leaves = zip(jax.tree.leaves_with_path(plain), jax.tree.leaves(before), jax.tree.leaves(got), strict=True)
    for ((part, *path), p), b, g in leaves:
        p, b, g = (np.asarray(leaf) for leaf in (p, b, g))
        unit = np.abs(p - b).max(initial=0) + UNCHANGED * np.abs(p).max(initial=0)
        same = (p == g) | (np.isnan(p) & np.isnan(g))
        with np.errstate(invalid="ignore", divide="ignore"):
            apart = np.where(same, 0, np.abs(p - g) / unit).max(initial=0)
        name = leaf_name(path) if part.idx == 0 else "the optimiser's state"
        gaps[name] = max(gaps.get(name, 0.0), float("inf") if np.isnan(apart) else float(apart))
    return max(gaps.items(), key=lambda item: item[1])
