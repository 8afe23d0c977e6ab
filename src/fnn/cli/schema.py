"""`fnn schema`: the JSON schema of a config, which tells an editor what it may say."""

from __future__ import annotations

import argparse

from fnn.cli.common import all_types
from fnn.config.json_schema import text


def command(options: argparse.Namespace) -> int:
    """Print the schema; status 0."""
    print(text(all_types(options.type)), end="")
    return 0
