"""Counts, lists and texts of the user in the words of messages."""

from collections.abc import Sequence


def counted(n: int, one: str, more: str) -> str:
    """A number with its noun."""
    return f"{n:,} {one if n == 1 else more}"


def listed(words: Sequence[str], most: int) -> str:
    """The first words of a list, and how many more there are."""
    more = f" and {len(words) - most:,} more" if len(words) > most else ""
    return f"{', '.join(words[:most])}{more}"


def short(text: str) -> str:
    """A text in quotes, cut if it is long."""
    return repr(text if len(text) <= 40 else f"{text[:37]}...")
