"""The command line: one file per command, named like it. May import: everything."""

from fnn.cli.commands import main, parser

__all__ = ["main", "parser"]
