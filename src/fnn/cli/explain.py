"""`fnn explain CONFIG`: one training step of a small net, every number shown."""

from __future__ import annotations

import argparse

from fnn.cli.common import all_types, overrides, prepared_for
from fnn.config.reading import load_config
from fnn.config.sections import GRADIENTS
from fnn.errors import InputError
from fnn.lessons.blackboard import explained


def command(options: argparse.Namespace) -> int:
    """Print the step that training would make from the config's start on one training example; status 0.

    Raises:
        InputError: There is no such example, or the net is too large to be shown.
    """
    config = load_config(options.config, overrides(options), all_types(options.type))
    prepared = prepared_for(options.config, config)
    train, training = prepared.data.train, config.training
    row = options.example
    if not 0 <= row < train.n:
        raise InputError(f"--example {row}: expected 0 to {train.n - 1}, a row of the training data.")
    x, y = train.rows(slice(row, row + 1))
    try:
        text = explained(
            *(config.network.layers, config.network.cost, training.optimizer, prepared.params, x, y),
            gradient=GRADIENTS[training.gradient],
        )
    except InputError as error:
        raise InputError(f"{options.config}: {error}") from None
    print(f"{config.name}: one step on training example {row} (of 0 to {train.n - 1}), seed {config.seed}\n\n{text}")
    return 0
