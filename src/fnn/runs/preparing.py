"""A config made real: its data, its starting point and what is trained, refused before anything is compiled."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NamedTuple

import jax
import jax.numpy as jnp

from fnn.config.schema import describe
from fnn.config.sections import GRADIENTS, Config
from fnn.costs import CrossEntropy, LogLikelihood, Quadratic
from fnn.data import Dataset, load_data
from fnn.errors import InputError
from fnn.examples import Examples
from fnn.machine.environment import memory
from fnn.network import activations, count_params, init, shape_out
from fnn.training.augmentation import Shifted
from fnn.training.epochs import at_once
from fnn.training.fitting import Result, Task, resumed, start
from fnn.training.streaming import in_file, placed
from fnn.types import Cost, Key, Params

STANDARDISED = 10**6  # inputs: a file of some 50 MB
COPIES = 3  # of the params while they are trained, at least: themselves, their gradient, the optimiser's state


class Prepared(NamedTuple):
    """A config with its data and its starting point."""

    config: Config
    data: Dataset
    params: Params
    key: Key  # of the training; epoch e folds e in


def prepare(config: Config) -> Prepared:
    """Load the data, check that the network fits them, draw the parameters; nothing is compiled before it fits.

    Raises:
        InputError: the config does not fit its data.
        CorruptFileError: a data file is damaged.
    """
    try:
        data = load_data(**describe(config.data))
    except InputError as error:
        raise InputError(f"data: {error}") from None
    _check_fit(config, data)
    k_params, k_training = keys(config.seed)
    return Prepared(config, data, init(config.network.layers, k_params, data.shape), k_training)


def keys(seed: int) -> tuple[Key, Key]:
    """The key of the initial params and the key of the training, for a config's seed."""
    k_params, k_training = jax.random.split(jax.random.key(seed))
    return k_params, k_training


def results(prepared: Prepared, gradient: str) -> Iterator[Result]:
    """`fit` as the config says, with the gradient of this name."""
    whole = task(prepared, gradient)
    return resumed(whole, start(whole, prepared.params))


def training_set(config: Config, data: Dataset) -> Examples | Shifted:
    """The examples to train on, as they are or shifted."""
    return Shifted(data.train) if config.training.shifts else data.train


def task(prepared: Prepared, gradient: str) -> Task:
    """What the config says is to be trained, with the gradient of this name."""
    config, data = prepared.config, prepared.data
    training = config.training
    return Task(
        config.network.layers,
        config.network.cost,
        training.optimizer,
        placed(training_set(config, data)),
        prepared.key,
        training.batch_size,
        training.epochs,
        GRADIENTS[gradient],
        data.validation,
        data.test,
        training.schedule,
        training.target_cost,
        config.monitor.on,
    )


def _check_fit(config: Config, data: Dataset) -> None:
    n, n_out = data.train.n, data.train.y.shape[1]
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
    if config.data.standardise and math.prod(data.shape) > STANDARDISED:
        raise InputError(
            f"data.standardise: of at most {STANDARDISED:,} inputs, got {math.prod(data.shape):,}; config.json keeps a "
            "mean and a deviation for each. Set data.scale instead."
        )
    try:
        out = shape_out(config.network.layers, data.shape)
    except (TypeError, ValueError) as error:
        raise InputError(f"network.layers: {error}") from None
    if out != (n_out,):
        raise InputError(
            f"network.layers: the last layer gives {_outputs(out)}, the data want {n_out}"
            f"{_meaning(data)}; let the last Dense have units = {n_out}."
        )
    _check_cost(config.network.cost, data)
    _check_size(config, data)


def _check_cost(cost: Cost, data: Dataset) -> None:
    """Refuse a cost that has no minimum for such desired outputs, or nothing to learn from them."""
    y = data.train.y
    if isinstance(cost, LogLikelihood) and y.shape[1] == 1:
        raise InputError(
            "network.cost: the softmax of one output is always 1; use CrossEntropy, whose output is a sigmoid."
        )
    if isinstance(cost, CrossEntropy) and (y.min() < 0 or y.max() > 1):
        raise InputError(
            f"network.cost: CrossEntropy is for desired outputs from 0 to 1, got {y.min():g} to {y.max():g}; "
            'use { type = "Quadratic", activation = "Identity" }.'
        )
    if isinstance(cost, Quadratic):
        try:
            params, _ = jax.eval_shape(lambda: cost.activation.init(jax.random.key(0), y.shape[1:]))
        except (TypeError, ValueError) as error:
            raise InputError(f"network.cost.activation: {error}") from None
        if jax.tree.leaves(params):
            name = type(cost.activation).__name__
            raise InputError(f"network.cost.activation: {name} has parameters; make it the last of network.layers.")


def _check_size(config: Config, data: Dataset) -> None:
    """Refuse a net whose training would not fit into the memory that there is."""
    net = config.network.layers
    params = jax.eval_shape(lambda: init(net, jax.random.key(0), data.shape))
    bytes_needed = COPIES * sum(math.prod(leaf.shape) * leaf.dtype.itemsize for leaf in jax.tree.leaves(params))
    if bytes_needed > memory():
        raise InputError(
            f"network.layers: {count_params(params):,} parameters need {bytes_needed / 2**30:,.0f} GiB to train, "
            f"this machine has {memory() / 2**30:,.0f}; use fewer units."
        )
    one = jax.eval_shape(activations, net, params, jax.ShapeDtypeStruct((1, *data.shape), jnp.float32))
    rows, numbers = max(at_once(one), config.training.batch_size), sum(a.size for a in one)
    if 4 * rows * numbers > memory():
        raise InputError(
            f"network.layers: {rows:,} examples of {numbers:,} numbers at once are {4 * rows * numbers / 2**30:,.0f} "
            f"GiB, this machine has {memory() / 2**30:,.0f}; use fewer units or filters, or a smaller batch_size."
        )


def _outputs(shape: tuple[int, ...]) -> str:
    return f"{shape[0]} outputs" if len(shape) == 1 else f"outputs of shape {shape}"


def _meaning(data: Dataset) -> str:
    return f" for their {len(data.classes)} classes" if data.classes else ""
