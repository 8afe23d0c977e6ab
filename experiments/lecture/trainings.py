"""The training of a config, with the params after every epoch."""

import pathlib
import sys
from typing import NamedTuple

from fnn.cli.common import all_types, prepared_for
from fnn.config.reading import load_config
from fnn.runs import preparing
from fnn.runs.preparing import Prepared
from fnn.training.tasks import Result

CONFIGS = pathlib.Path(__file__).parents[2] / "configs"


class Training(NamedTuple):
    """What a config's training went through."""

    prepared: Prepared  # the data, and the params at the start
    results: list[Result]  # one per epoch, each with its params

    @property
    def path(self) -> list:
        """The params at the start, and after every epoch."""
        return [self.prepared.params, *(result.params for result in self.results)]


def trained(name: str) -> Training:
    """The training of `configs/NAME.toml`, with the numbers that `fnn run` gives."""
    path = str(CONFIGS / f"{name}.toml")
    config = load_config(path, [], all_types([]))
    prepared = prepared_for(path, config)
    return Training(prepared, list(preparing.results(prepared, config.training.gradient)))


def folder(default: str = "runs/lecture") -> pathlib.Path:
    """The folder named first on the command line, made if it is not there."""
    path = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else default)
    path.mkdir(parents=True, exist_ok=True)
    return path
