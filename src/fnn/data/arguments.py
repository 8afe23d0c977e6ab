"""The arguments of `load_data`: of which kind each is, which values it has, and on which sources it has an effect.

What is refused raises an `InputError` that names the argument, its value, and what is expected.
"""

import os
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from math import isfinite

import numpy as np

from fnn.data import generated, tables
from fnn.data.spelling import canonical
from fnn.data.table_files import Choice
from fnn.errors import InputError

GENERATED = ("moons", "spirals", "sine")
NAMES = ("digits", "mnist", *generated.TRUTH_TABLES, *GENERATED)
TARGETS = ("", "one-hot", "binary", "quantity")
MISSING = ("refuse", "drop", "mean")
ORDERS = ("random", "as stored")
FILES = (".npz", ".npy", *tables.ENDINGS)
MEMORY = 4.0  # GiB


def is_file(source: str) -> bool:
    """Whether a source is the path of a file of data, told by its end, and not the name of a data set."""
    return source.lower().endswith(FILES)


def text(name: str, value: str | os.PathLike[str]) -> str:
    """A text, or a path as one; é is one character in it, as in the names of a table."""
    value = os.fspath(value) if isinstance(value, os.PathLike) else value
    if not isinstance(value, str):
        more = ", or columns by name: a dict or a data frame" if name == "source" else ""
        raise InputError(f"{name} = {' '.join(repr(value).split())[:80]}: expected a text{more}")
    return value if name in ("source", "y") else canonical(value)


def texts(name: str, values: Iterable[str]) -> tuple[str, ...]:
    """Several texts, which a config has as a list."""
    if isinstance(values, str) or not isinstance(values, Iterable):
        raise InputError(f"{name} = {values!r}: expected a list of texts, such as ['a', 'b']")
    return tuple(canonical(value) if isinstance(value, str) else value for value in values)


def whole_numbers(name: str, values: Iterable[int]) -> tuple[int, ...]:
    """Several whole numbers, NumPy's too."""
    if isinstance(values, str) or not isinstance(values, Iterable) or not all(map(_is_whole, values)):
        raise InputError(f"{name} = {values!r}: expected a list of whole numbers, such as [1, 28, 28]")
    return tuple(int(value) for value in values)


def number(name: str, value: float) -> float:
    """A number, NumPy's too."""
    if not isinstance(value, int | float | np.integer | np.floating) or isinstance(value, bool):
        raise InputError(f"{name} = {value!r}: expected a number")
    try:
        return float(value)
    except OverflowError:
        raise InputError(f"{name}: a number of more than 300 digits; expected a smaller one") from None


def check_truth(name: str, value: bool) -> None:
    """Refuses anything but True and False; of a text even "no" would count as True."""
    if not isinstance(value, bool | np.bool_):
        raise InputError(f"{name} = {value!r}: expected True or False")


def check_targets(targets: str) -> None:
    """Refuses unknown targets."""
    if targets not in TARGETS:
        raise InputError(
            f"targets = {targets!r}: expected 'one-hot', 'binary', 'quantity', or '' for what the data say"
        )


def check_word(name: str, word: str, words: tuple[str, ...]) -> None:
    """Refuses a word that is none of these."""
    if word not in words:
        near = get_close_matches(str(word), words, 1)
        meant = f"; did you mean {near[0]!r}?" if near else ""
        raise InputError(f"{name} = {word!r}: expected {', '.join(map(repr, words[:-1]))} or {words[-1]!r}{meant}")


def counts(given: Mapping[str, int]) -> dict[str, int]:
    """The counts in Python's numbers; NumPy's whole numbers are whole numbers."""
    for name, count in given.items():
        if not _is_whole(count) or not 0 <= count < 2**63:
            raise InputError(f"{name} = {count!r}: expected a whole number, 0 or more")
    return {name: int(count) for name, count in given.items()}


def _is_whole(value: object) -> bool:
    return isinstance(value, int | np.integer) and not isinstance(value, bool)


def check_source(source: object) -> None:
    """Refuses what is no source: neither a name, nor the path of a file, nor a frame."""
    if isinstance(source, str) and source not in NAMES and not is_file(source):
        near = get_close_matches(source, NAMES, 1)
        meant = f"; did you mean {near[0]!r}?" if near else ""
        raise InputError(
            f"source = {source!r}: expected a path to an .npz, .npy, .csv or .parquet file, or "
            f"{', '.join(NAMES)}{meant}"
        )


def check_columns(source: object, choice: Choice) -> None:
    """Refuses options of named columns for a source that has none."""
    given = {"label": choice.label, "drop": choice.drop, "onehot": choice.onehot}
    given["missing"] = choice.missing if choice.missing != "refuse" else ""
    for name, value in given.items():
        if name in ("drop", "onehot") and not all(isinstance(each, str) for each in value):
            raise InputError(f"{name} = {list(value)!r}: expected a list of texts, such as ['a', 'b']")
        if value and not tables.is_table(source):
            value = list(value) if isinstance(value, tuple) else value
            raise InputError(
                f"{name} = {value!r}: only a .csv or .parquet file or a data frame has named columns, {source!r} has "
                "none; drop it"
            )


def check_use(source: object, split_seed: int, order: str, generation: tuple[int, float, int]) -> None:
    """Refuses an option that would have no effect on this source."""
    named = isinstance(source, str) and source in NAMES
    shown = repr(source) if isinstance(source, str) else tables.IN_MEMORY
    if generation != (0, generated.NOISE, 0) and not (named and source in GENERATED):
        raise InputError(f"size, noise, seed: they describe {', '.join(GENERATED)}, not {shown}; drop them")
    if split_seed and named and source == "mnist":
        raise InputError(f"split_seed = {split_seed}: 'mnist' is split in its own order; drop it")
    if order != "random" and named and source == "mnist":
        raise InputError(f"order = {order!r}: 'mnist' is split in its own order; drop it")
    if split_seed and order != "random":
        raise InputError(f"split_seed = {split_seed}: order = {order!r} draws no rows; drop one of the two")


def check_files(source: object, y: str, memory: float) -> None:
    """Refuses an `.npy` file without the one of its outputs, and the options of `.npy` files for other sources."""
    alone = isinstance(source, str) and source.lower().endswith(".npy")
    shown = repr(source) if isinstance(source, str) else tables.IN_MEMORY
    if alone and not y.lower().endswith(".npy"):
        raise InputError(f"y = {y!r}: {source!r} holds the inputs alone; name the .npy file of the desired outputs")
    if (y or memory != MEMORY) and not alone:
        raise InputError(f"y, memory: they are for inputs in an .npy file, not for {shown}; drop them")
    if not (isfinite(memory) and memory > 0):
        raise InputError(f"memory = {memory}: expected a number of GiB above 0")
