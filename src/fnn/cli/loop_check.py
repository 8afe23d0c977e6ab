"""Whether the training program of a config takes the right steps, for the commands that check it.

It stands alone because `fnn run`, which checks nothing, would otherwise import all of `fnn.checking`.
"""

from __future__ import annotations

from fnn.checking.training_loop import LoopReport, check_training_loop
from fnn.runs import preparing
from fnn.runs.preparing import Prepared
from fnn.training.mini_batches import Rule
from fnn.training.streaming import placed


def training_loop(prepared: Prepared, gradient: str) -> LoopReport:
    """Whether the training program of a config takes the right steps with the gradient of this name."""
    task = preparing.task(prepared, gradient)
    rule = Rule(task.net, task.cost, task.optimizer, task.gradient, task.batch_size)
    train = placed(preparing.training_set(prepared.config, prepared.data))
    return check_training_loop(rule, prepared.params, train, task.key)
