"""From a config to its data, its initial params and the task of its training.

A config that does not fit its data or this machine is refused here, before anything is compiled.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from fnn.config.schema import describe
from fnn.config.sections import GRADIENTS, Config
from fnn.costs import blocks, check_values
from fnn.data import Dataset, load_data
from fnn.errors import InputError
from fnn.examples import Examples
from fnn.kernels.draws import key_of, split
from fnn.machine.hardware import memory
from fnn.network import activations, count_params, init, shape_out
from fnn.training.augmentation import Shifted
from fnn.training.evaluation import Measure, measure_for
from fnn.training.fitting import resumed, start
from fnn.training.spreading import spread
from fnn.training.streaming import in_file, placed
from fnn.training.tasks import Result, Task
from fnn.training.totals import rows_at_once
from fnn.types import Cost, Key, Params

PARTS = ("training", "validation", "test")
MOST_STANDARDISED_INPUTS = 10**6  # of an example; config.json then has about 50 MB
COPIES_OF_PARAMS = 3  # that a training holds at least: the params, their gradient, the optimiser's state


class Prepared(NamedTuple):
    """A config with its data and its initial params."""

    config: Config
    data: Dataset
    params: Params
    key: Key  # of the training; epoch e uses `fold_in(key, e)`
    own_types: tuple[str, ...] = ()  # what `--type` named; `config.json` remembers those that the net has
    devices: Sequence[jax.Device] | None = None  # that train together; None: one, and nothing is spread


def prepare(config: Config) -> Prepared:
    """The config's data, checked against its network, and the initial params.

    Raises:
        InputError: the config does not fit its data.
        CorruptFileError: a data file is damaged.
    """
    try:
        data = load_data(**describe(config.data))
    except InputError as error:
        raise InputError(f"data: {error}") from None
    _check_choice(data)
    _check_training(config, data)
    _check_outputs(config, data)
    _check_cost(config.network.cost, data)
    _check_size(config, data)
    k_params, k_training = keys(config.seed)
    return Prepared(config, data, init(config.network.layers, k_params, data.shape), k_training)


def keys(seed: int) -> tuple[Key, Key]:
    """The key of the initial params and the key of the training, for a config's seed."""
    k_params, k_training = split(key_of(seed))
    return k_params, k_training


def results(prepared: Prepared, gradient: str) -> Iterator[Result]:
    """The results of `fit` with the config's settings, and with the gradient of this name."""
    whole = task(prepared, gradient)
    return resumed(whole, start(whole, prepared.params))


def training_set(config: Config, data: Dataset) -> Examples | Shifted:
    """The training examples, shifted if the config asks for it."""
    return Shifted(data.train) if config.training.shifts else data.train


def measure(config: Config, data: Dataset) -> Measure:
    """When a row is decided rightly, in all parts: the config or the data say what y is, else its values do."""
    if config.data.targets == "quantity":
        return "none"
    if data.classes:
        return "bits" if config.data.targets == "binary" else "classes"
    return measure_for(config.network.cost, *(part.y for part in data[:3]))


def task(prepared: Prepared, gradient: str) -> Task:
    """The task of the config's training, with the gradient of this name."""
    config, data = prepared.config, prepared.data
    training, train = config.training, training_set(config, data)
    return Task(
        net=config.network.layers,
        cost=config.network.cost,
        optimizer=training.optimizer,
        train=placed(train if prepared.devices is None else spread(train, prepared.devices)),
        key=prepared.key,
        batch_size=training.batch_size,
        epochs=training.epochs,
        gradient=GRADIENTS[gradient],
        validation=data.validation,
        test=data.test,
        schedule=training.schedule,
        target_cost=training.target_cost,
        monitor=config.monitor.on,
        measure=measure(config, data),
        keep=training.keep,
    )


def _check_training(config: Config, data: Dataset) -> None:
    """Refuse settings that these data do not allow."""
    n, n_in = data.train.n, math.prod(data.shape)
    if config.training.shifts and len(data.shape) != 3:
        raise InputError(
            f"training.shifts: only images of shape (channels, height, width) can be shifted, got {data.shape}; "
            "set data.shape = [1, 28, 28], or drop it."
        )
    if config.training.shifts and in_file(data.train):
        raise InputError(
            f"training.shifts: images that do not fit into data.memory = {config.data.memory} GiB cannot be shifted; "
            "raise it, or drop training.shifts."
        )
    if config.training.batch_size > n:
        raise InputError(
            f"training.batch_size = {config.training.batch_size}: expected at most {n}, the number of training "
            "examples; that many is batch gradient descent."
        )
    if config.data.standardise and n_in > MOST_STANDARDISED_INPUTS:
        raise InputError(
            f"data.standardise: of at most {MOST_STANDARDISED_INPUTS:,} inputs, got {n_in:,}; config.json keeps a "
            "mean and a deviation for each. Set data.scale instead."
        )


def _check_outputs(config: Config, data: Dataset) -> None:
    """Refuse a net that does not take these inputs, or has another number of outputs than `y`."""
    n_out = data.train.y.shape[1]
    try:
        out = shape_out(config.network.layers, data.shape)
    except (TypeError, ValueError) as error:
        raise InputError(f"network.layers: {error}") from None
    if out != (n_out,):
        raise InputError(
            f"network.layers: the last layer gives {_outputs(out)}, the data want {n_out}"
            f"{_meaning(data)}; let the last Dense have units = {n_out}. {data.read_as}."
        )


def _check_cost(cost: Cost, data: Dataset) -> None:
    """Refuse a cost that does not take the desired outputs of every part."""
    for name, part in zip(PARTS, data[:3], strict=True):
        try:
            check_values(cost, part.y)
        except ValueError as error:
            units = ", in the units of standardise_y" if np.ndim(data.y_sd) else ""
            raise InputError(f"network.cost: the {name} examples{units}: {error}") from None


def _check_choice(data: Dataset) -> None:
    """Refuse several training examples that all want the same output: a net learns that from its biases alone."""
    y = data.train.y
    if len(y) < 2 or not all((rows == y[0]).all() for _, rows in blocks(y)):
        return
    one_hot = y.shape[1] == len(data.classes)
    own = (y[0] * data.y_sd + data.y_mean).tolist()
    only = f"are of one class, {data.classes[int(y[0].argmax())]!r}" if one_hot else f"have the same y, {own}"
    raise InputError(
        f"data: all {len(y):,} training examples {only}; expected two or more different ones to learn from. Look at "
        "the column or array of y, or choose other examples by data.classes, data.train or data.split_seed."
    )


def _check_size(config: Config, data: Dataset) -> None:
    """Refuse a net whose training needs more memory than this machine has."""
    net = config.network.layers
    params = jax.eval_shape(lambda: init(net, jax.random.key(0), data.shape))
    bytes_needed = COPIES_OF_PARAMS * sum(leaf.size * leaf.dtype.itemsize for leaf in jax.tree.leaves(params))
    if bytes_needed > memory():
        raise InputError(
            f"network.layers: {count_params(params):,} parameters need {bytes_needed / 2**30:,.0f} GiB to train, "
            f"this machine has {memory() / 2**30:,.0f}; use fewer units."
        )
    one = jax.eval_shape(activations, net, params, jax.ShapeDtypeStruct((1, *data.shape), jnp.float32))
    rows, numbers = max(rows_at_once(one), config.training.batch_size), sum(a.size for a in one)
    if 4 * rows * numbers > memory():
        raise InputError(
            f"network.layers: {rows:,} examples of {numbers:,} numbers at once are {4 * rows * numbers / 2**30:,.0f} "
            f"GiB, this machine has {memory() / 2**30:,.0f}; use fewer units or filters, or a smaller batch_size."
        )


def _outputs(shape: tuple[int, ...]) -> str:
    return f"{shape[0]} outputs" if len(shape) == 1 else f"outputs of shape {shape}"


def _meaning(data: Dataset) -> str:
    return f" for their {len(data.classes)} classes" if data.classes else ""
