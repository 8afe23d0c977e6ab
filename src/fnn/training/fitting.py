"""Training from any state on: `fit`, one result per epoch, and the same in parts that can be saved and resumed.

An epoch depends only on the key, the epoch's number and the state at its start. It can be split between any two turns
(`training.segments`). So a training that is stopped and resumed, however often, gives the same bits.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from fnn.examples import Examples
from fnn.network import backprop
from fnn.schedules import Constant, Progress, Schedule, after_an_epoch, before_the_first
from fnn.training import divergence, monitors, segments
from fnn.training.arguments import check_kinds
from fnn.training.augmentation import Shifted
from fnn.training.evaluation import Evaluation, Measure, check_parts, decided, means
from fnn.training.mini_batches import Rule, number_of_epochs, steps_per_epoch, whole
from fnn.training.order import of_epoch
from fnn.training.spreading import Spread, agreement, beside, local, spread_like, unspread
from fnn.training.streaming import placed
from fnn.training.tasks import Result, Start, State, Task
from fnn.training.totals import Table, sums, tables
from fnn.types import Cost, Gradient, Key, Net, Optimizer, Params

SEGMENT_SECONDS = 0.5  # of training, about, after which control comes back to Python


def fit(
    net: Net,
    cost: Cost,
    optimizer: Optimizer,
    params: Params,
    train: Examples | Shifted | Spread,
    key: Key,
    *,
    batch_size: int,
    epochs: int,
    start: Start | None = None,
    gradient: Gradient = backprop,
    validation: Examples | Spread | None = None,
    test: Examples | Spread | None = None,
    schedule: Schedule = Constant(),
    target_cost: float = -math.inf,
    monitor: bool = False,
    measure: Measure | None = None,
) -> Iterator[Result]:
    """Train, and yield one `Result` after each epoch. Training stops when the caller asks for no more results.

    Each result has the params of its epoch. Which of them to keep, for example the best ones, is up to the caller.

    Args:
        net: The layers.
        cost: The cost.
        optimizer: Its learning rate is what the schedule scales.
        params: Those to begin with, from `init` or from an earlier training.
        train: The examples to train on, as they are or `Shifted`. Examples that `load_data` has left in their file
            are read while others are trained on; the results are the same as for examples in memory. Examples that are
            `spread` are trained on by several devices, and `validation` and `test` are then evaluated by the same ones.
        key: Epoch e uses `jax.random.fold_in(key, e)`, e from 1.
        batch_size: Mini-batch size B; see `epoch` for a last short one.
        epochs: The number of epochs at most; with a `start` the number of further ones.
        start: What an earlier training remembers, `last.start` of its last `Result`: its optimiser's v, its schedule's
            memory and the number of its epochs. With `last.params` that training goes on: with the same other
            arguments, 3 epochs and then 3 more are 6 epochs, bit for bit. `Start(v, progress)` makes one of parts that
            you have kept. None: a new training begins.
        gradient: `backprop` or `autodiff`.
        validation: Examples to choose settings by, if there are any.
        test: Examples to report results on; nothing here depends on them.
        schedule: `Constant()`, `EarlyStopping(patience)`, `HalveOnPlateau(patience)`, or a `Schedule` of your own. Its
            score is the validation accuracy, else minus the validation cost, else the same of the training set.
        target_cost: Stop after the first epoch whose training cost is at most this.
        monitor: Whether to look inside: `Result.monitor` then has a `Reading` of each layer, see
            `fnn.training.monitors`. The training takes the same steps, one at a time. The last bits differ from those
            of a training that is not monitored in two cases: where that takes steps in blocks, and for mini-batches of
            one example, which XLA fuses differently.
        measure: When a row is decided rightly, in all parts alike; see `evaluate`. None: `measure_for` decides, once,
            from the desired outputs of all parts together.

    Raises:
        DivergedError: a cost or a parameter is nan or infinite; the error names the step and the layer.
        CorruptFileError: a file of examples cannot be read any more, or has changed.
        TypeError: An argument is of another kind: a class in place of a layer, a text in place of a gradient, ...
        ValueError: B is not in 1 … n, `epochs` is below 0, a number of an `SGD` is out of its range, `target_cost` is
            nan, `net` and `params` differ in length, `x` and `y` have different numbers of rows, `y` does not fit the
            output, the cost does not take such `y`, examples left in their file are to be shifted, or a part is
            `spread` over other devices than `train`, or the v of `start` is not the optimiser's for these params.

    Examples:
        >>> import jax, jax.numpy as jnp
        >>> from fnn import SGD, CrossEntropy, Dense, Examples, fit, init
        >>> net, xor = (Dense(1),), Examples(jnp.array([[0.0, 0], [0, 1]]), jnp.array([[0], [1]]))
        >>> params, settings = init(net, jax.random.key(0), (2,)), {"batch_size": 1, "epochs": 50}
        >>> *_, last = fit(net, CrossEntropy(), SGD(1.0), params, xor, jax.random.key(1), **settings)
        >>> last.epoch, float(last.train.accuracy)
        (50, 1.0)
        >>> settings |= {"start": last.start, "epochs": 5}
        >>> *_, last = fit(net, CrossEntropy(), SGD(1.0), last.params, xor, jax.random.key(1), **settings)
        >>> last.epoch
        55
    """
    batch_size, epochs = whole("fit", "batch_size", batch_size), number_of_epochs("fit", epochs)
    check_kinds(net, optimizer, params, key, gradient, schedule, target_cost, monitor)
    settings = gradient, validation, test, schedule, target_cost, monitor, measure
    first = _epochs_before(start)
    task = Task(net, cost, optimizer, train, key, batch_size, first + epochs, *settings)
    yield from resumed(task, _beginning(task, params, start))


def _epochs_before(start: Any) -> int:
    """The number of epochs before a start.

    Raises:
        TypeError: it is something else.
    """
    if start is not None and not isinstance(start, Start):
        hint = "its start, start=last.start" if isinstance(start, Result) else "a Start, or None for a new training"
        raise TypeError(f"fit: start is a {type(start).__name__}; expected {hint}.")
    return start.progress.epoch if start else 0


def _beginning(task: Task, params: Params, memory: Start | None) -> State:
    return start(task, params) if memory is None else after(task, params, memory)


def start(task: Task, params: Params) -> State:
    """The state before the first step, from `params`."""
    return after(task, params, Start(task.optimizer.init(params), before_the_first(task.schedule)))


def after(task: Task, params: Params, memory: Start) -> State:
    """The state between two epochs, from which a training goes on.

    Raises:
        ValueError: the v is not what the task's optimiser has for its params.
    """
    v, progress, cost = memory
    if jax.tree.map(jnp.shape, jax.eval_shape(task.optimizer.init, params)) != jax.tree.map(jnp.shape, v):
        raise ValueError(
            f"fit: the start after epoch {progress.epoch} has no v of {type(task.optimizer).__name__} for these "
            "params; go on with the optimiser that they were trained by, or begin anew, without a start."
        )
    tally = monitors.zeros(task.net, params, task.train.shape, task.gradient) if task.monitor else ()
    done = _is_done(task, progress.epoch, progress, cost)
    return State(progress.epoch, 0, params, v, progress, done=done, tally=tally)


def _is_done(task: Task, epochs: int, progress: Progress, cost: float) -> bool:
    """Whether no epoch follows so many epochs, after which the training cost is `cost`."""
    return epochs >= task.epochs or progress.factor == 0 or cost <= task.target_cost


def resumed(task: Task, state: State, between: Callable[[State], None] = lambda state: None) -> Iterator[Result]:
    """The results of the epochs that follow `state`.

    Args:
        task: What to train.
        state: Where to begin: `start(task, params)`, or one that `between` has seen, or the same from a file.
        between: Called about every `SEGMENT_SECONDS` with the present state, between parts of the evaluations too, and
            after each result. It may save the state. An exception that it raises ends the training.

    Raises:
        DivergedError: as `fit`.
        ValueError: as `fit`, or `state` is at a step where no turn begins.
    """
    task = spread_out(checked(task, state.params))
    state, pace = beside(task.train, state), Pace(agreement(task.train))
    evaluated = [table._replace(examples=placed(table.examples)) for table in tables(*task.parts)]
    between(state)
    if not state.done:
        _compile(task, state)
    while not state.done:
        began = state
        for state in _trained(task, began, pace):
            between(state)
        scores = _evaluations(task, evaluated, state, between)
        on_train = next(scores)
        if not math.isfinite(on_train.cost):
            raise _diverged(task, began, segments.count(task.train.n, task.batch_size), float(on_train.cost))
        on_validation, on_test = (next(scores) if part is not None and part.n else None for part in task.parts[1:])
        progress, e = after_an_epoch(task.schedule, state.progress, score(on_validation or on_train)), state.epochs + 1
        seen = monitors.readings(state.tally) if task.monitor else ()
        yield Result(
            *(e, state.progress.factor, on_train, on_validation, on_test, state.seconds),
            *(state.params, state.v, progress, seen),
        )
        done = _is_done(task, e, progress, float(on_train.cost))
        tally = jax.tree.map(jnp.zeros_like, state.tally)
        state = State(e, 0, state.params, state.v, progress, done=done, tally=tally)
        between(state)


def spread_out(task: Task) -> Task:
    """The task with all its arrays on the devices that train, except examples in a file.

    Raises:
        ValueError: a part is spread over other devices than `train`, or examples left in their file are to be shifted.
    """
    parts = {"train": task.train, "validation": task.validation, "test": task.test}
    parts = {name: placed(spread_like(task.train, name, part)) for name, part in parts.items()}
    optimizer, key = beside(task.train, (task.optimizer, task.key))
    return task._replace(optimizer=optimizer, key=key, **parts)


def checked(task: Task, params: Params) -> Task:
    """The task with its measure decided, once for all parts of the data.

    Args:
        task: Of `fit` or `sweep`.
        params: Of one network, or their shapes.

    Raises:
        TypeError, ValueError: a part of the data does not fit the net or the cost, or there is no such measure.
    """
    parts = {"train": task.train, "validation": task.validation, "test": task.test}
    check_parts(task.net, task.cost, params, parts)
    desired = [part.y for part in parts.values() if part is not None]
    return task._replace(measure=decided(task.measure, task.cost, *desired))


class Pace:
    """How many turns to run at once, from the time that the last ones took. The results do not depend on it."""

    def __init__(self, agreed: Callable[..., tuple[float, ...]] = lambda *numbers: numbers) -> None:
        """One turn, since nothing is known yet; `agreed` gives the largest of a number over all processes."""
        self.turns, self.agreed = 1, agreed

    def saw(self, turns: int, seconds: float) -> None:
        """Remember that so many turns took so long, for the slowest process: all run the same number of turns."""
        (seconds,) = self.agreed(seconds)
        self.turns = max(1, int(SEGMENT_SECONDS * turns / max(seconds, 1e-9)))


def _compile(task: Task, state: State) -> None:
    """Compile the segment by running no turns, so that the measured time is that of training alone."""
    _, order = _timed(of_epoch, task.key, state.epochs + 1, task.train.n)
    end = segments.count(task.train.n, task.batch_size)
    _, window, order = next(_ready(segments.windowed(task.train, order, end, task.batch_size)))
    _segment(task, state, window, order, 0, 0)


def _trained(task: Task, state: State, pace: Pace) -> Iterator[State]:
    """The state after each segment of an epoch, from `state` to the end of the epoch."""
    n, began = task.train.n, state
    first = segments.turn_after(state.step, n, task.batch_size)
    seconds, order = _timed(of_epoch, task.key, state.epochs + 1, n)
    clock = time.perf_counter() - seconds
    for stop, window, places in segments.windowed(task.train, order, first, task.batch_size):
        waited = time.perf_counter() - clock  # for the order of the examples, or for a file
        state = state._replace(seconds=state.seconds + waited)
        if first == stop:  # the file is being read
            yield state
        while first < stop:
            last = min(stop, first + pace.turns)
            seconds, (params, v, *tally) = _timed(_segment, task, state, window, places, first, last)
            pace.saw(last - first, seconds)
            if not segments.is_finite((params, v)):
                raise _diverged(task, began, last, math.nan)
            step = segments.steps_before(last, n, task.batch_size)
            state = State(state.epochs, step, params, v, state.progress, state.seconds + seconds, False, *tally)
            first = last
            yield state
        clock = time.perf_counter()


def _ready(windows: Iterator[tuple[Any, ...]]) -> Iterator[tuple[Any, ...]]:
    """The windows that have been read."""
    return (window for window in windows if window[1] is not None)


def _segment(task: Task, state: State, examples: Any, order: Any, first: int, last: int) -> tuple[Any, ...]:
    """The params, the optimiser's state, and, when the task is monitored, the tally."""
    inputs = _rule(task, state), state.params, state.v, examples, order, first, last
    if task.monitor:
        return segments.monitored_segment(*inputs, state.tally)
    return segments.segment(*inputs)


def _rule(task: Task, state: State) -> Rule:
    """How a mini-batch of this epoch changes the params; the schedule scales the learning rate."""
    optimizer = task.optimizer.scaled(state.progress.factor)
    return Rule(task.net, task.cost, optimizer, task.gradient, task.batch_size)


def _timed(program: Callable[..., Any], *inputs: Any) -> tuple[float, Any]:
    start = time.perf_counter()
    outputs = jax.block_until_ready(program(*inputs))
    return time.perf_counter() - start, outputs


def _evaluations(
    task: Task, evaluated: Sequence[Table], state: State, between: Callable[[State], None]
) -> Iterator[Evaluation]:
    """The evaluation of each part that has examples, in order."""
    for table in evaluated:
        parts = []
        for part in sums(task.net, task.cost, state.params, table, task.measure == "classes"):
            parts.append(jax.block_until_ready(part))  # so that it is not in the time of the next epoch
            # a training cost that is not finite is an error: such a state must not be saved
            if np.isfinite(part[0]).all():
                between(state)
        yield from means(parts, table.sizes, task.measure != "none")


def _diverged(task: Task, state: State, last: int, value: float) -> Exception:
    """The error for an epoch that went wrong before turn `last`, found by running it again from `state`."""
    n, e, rule = task.train.n, state.epochs + 1, _rule(task, state)
    first, step = segments.turn_after(state.step, n, task.batch_size), state.step
    order, params, v = of_epoch(task.key, e, n), state.params, state.v
    for stop, window, places in _ready(segments.windowed(task.train, order, first, task.batch_size)):
        params, v, count = segments.finite_steps(rule, params, v, window, places, first, min(stop, last))
        step, first = step + int(count), stop
        if stop >= last or step < segments.steps_before(stop, n, task.batch_size):
            break
    if step == segments.steps_before(last, n, task.batch_size):
        return divergence.after_epoch(task.net, e, value)
    # on copies of this process's own: the search looks at every number of an array
    rule, params, v, order, train = local((rule, params, v, order, unspread(task.train)))
    rows = order[step * task.batch_size : (step + 1) * task.batch_size]
    wrong = divergence.culprit(rule, params, v, *train.rows(rows))
    return divergence.in_step(wrong, e, step + 1, steps_per_epoch(n, task.batch_size))


def score(evaluation: Evaluation) -> float:
    """The accuracy where it applies, else minus the cost."""
    accuracy = float(evaluation.accuracy)
    return -float(evaluation.cost) if math.isnan(accuracy) else accuracy
