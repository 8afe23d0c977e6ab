"""`fnn explain CONFIG`: one training step of a small net, every number shown."""

from __future__ import annotations

from collections.abc import Sequence

from fnn.cli.common import prepared_for, types
from fnn.config.reading import GRADIENTS, load_config
from fnn.errors import InputError
from fnn.lessons.blackboard import explained


def explain(path: str, overrides: Sequence[str], example: int, own: Sequence[str]) -> int:
    """`fnn explain`: the step that training from the config's start would make on one training example."""
    config = load_config(path, overrides, types(own))
    prepared = prepared_for(path, config)
    train, training = prepared.data.train, config.training
    if not 0 <= example < train.n:
        raise InputError(f"--example {example}: expected 0 to {train.n - 1}, a row of the training data.")
    x, y = train.rows(slice(example, example + 1))
    try:
        text = explained(
            *(config.network.layers, config.network.cost, training.optimizer, prepared.params, x, y),
            gradient=GRADIENTS[training.gradient],
        )
    except InputError as error:
        raise InputError(f"{path}: {error}") from None
    print(
        f"{config.name}: one step on training example {example} (of 0 to {train.n - 1}), seed {config.seed}\n\n{text}"
    )
    return 0
