"""Writes the second half of `docs/command_line.md`: every command with its options, as `fnn COMMAND --help` has them.

`python -m experiments.docs.commands_page` writes it anew from `fnn.cli.command_table`. A test holds the page equal to
what is written.
"""

import textwrap
from collections.abc import Iterator
from pathlib import Path

from fnn.cli.command_table import COMMANDS, Argument, Command

PAGE = Path(__file__).parents[2] / "docs" / "command_line.md"
MARK = "<!-- from here on by python -m experiments.docs.commands_page -->\n"


def main() -> None:
    """Writes the page."""
    PAGE.write_text(written(PAGE.read_text(encoding="utf-8")), encoding="utf-8")


def written(page: str) -> str:
    """The page with all below the mark anew."""
    return page.partition(MARK)[0] + MARK + "\n" + "\n".join([*_overview(), *map(_command, COMMANDS)])


def _overview() -> Iterator[str]:
    yield "## The commands\n"
    yield "| command | what it does |"
    yield "|---|---|"
    for command in COMMANDS:
        yield f"| [`fnn {command.name}`](#fnn-{command.name}) | {_in_cell(command.help)} |"
    yield ""


def _command(command: Command) -> str:
    """A section about one command: what it does, two examples, its arguments, and what else its help says."""
    examples = " or ".join(f"`{example}`" for example in command.examples)
    parts = [
        f"### fnn {command.name}",
        _filled(command.about, ""),
        _filled(f"Examples: {examples}.", ""),
        "\n".join(map(_argument, command.arguments)),
        f"```help\n{command.more}\n```" if command.more else "",
    ]
    return "\n\n".join(filter(None, parts)) + "\n"


def _argument(argument: Argument) -> str:
    name, settings = argument
    shown = str(settings.get("metavar") or "|".join(settings.get("choices", ())))
    spelt = f"{name} {shown}".strip() if name.startswith("-") else shown
    return _filled(f"- **`{spelt}`**: {settings['help'].rstrip('.')}.", "  ")


def _filled(text: str, indent: str) -> str:
    return textwrap.fill(text, 120, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)


def _in_cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    main()
