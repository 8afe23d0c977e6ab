"""Texts that are one name in several spellings: accents, blanks, upper case, characters that cannot be seen."""

import unicodedata
from collections.abc import Callable, Iterable

TRUTH = {"true": 1, "false": 0}


def canonical(text: str) -> str:
    """The text with é as one character: some systems write an e and an accent, which is the same text (NFC)."""
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def alike(text: str) -> str:
    """The same for all texts that look the same: with other blanks, invisible characters or full-width letters."""
    plain = unicodedata.normalize("NFKC", text)
    return " ".join("".join(c for c in plain if unicodedata.category(c) != "Cf").split())


def same_word(text: str) -> str | int:
    """The same for all spellings of a word: upper case, quotes and what `alike` says count as nothing; true is 1."""
    word = alike(text).casefold().strip("\"'`\N{LEFT DOUBLE QUOTATION MARK}\N{RIGHT DOUBLE QUOTATION MARK}")
    return TRUTH.get(word, word)


def hidden(text: str) -> str:
    """The first control character or byte order mark in a text, for a message; "" if there is none."""
    if text.isprintable():
        return ""
    return next((repr(c) for c in text if unicodedata.category(c) == "Cc" or c == "\ufeff"), "")


def spelled_twice(
    names: Iterable[str], value: Callable[[str], float | None], words: bool
) -> tuple[str, str, bool] | None:
    """The first name that stands for the same as an earlier one, the earlier one, and whether both are numbers.

    Args:
        names: Different names.
        value: The number that a name is, None for a word.
        words: Whether words are compared, by `same_word`; numbers always are, by their values.
    """
    first: dict[float | str, str] = {}
    for name in names:
        number = value(name)
        other = first.setdefault(same_word(name) if number is None else number, name)
        numbers = number is not None and value(other) is not None
        if other != name and (words or numbers):
            return name, other, numbers
    return None
