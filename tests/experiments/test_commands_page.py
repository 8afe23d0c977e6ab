"""The page about the command line has every command and every option."""

from experiments.docs import commands_page
from fnn.cli.command_table import COMMANDS


def test_the_page_is_written_from_the_commands():
    page = commands_page.PAGE.read_text(encoding="utf-8")
    assert commands_page.written(page) == page, "run python -m experiments.docs.commands_page"


def test_every_command_and_option_is_there():
    page = commands_page.PAGE.read_text(encoding="utf-8")
    for command in COMMANDS:
        section = page.partition(f"### fnn {command.name}\n")[2].partition("\n### ")[0]
        assert command.help in page.replace("\\|", "|")
        assert all(name in section for name, _ in command.arguments if name.startswith("-"))
