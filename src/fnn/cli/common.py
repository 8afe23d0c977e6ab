"""What several commands need."""

from __future__ import annotations

import contextlib
import importlib
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import is_dataclass
from pathlib import Path

from fnn.config.reading import TYPES, Config
from fnn.errors import InputError
from fnn.runs import preparing
from fnn.runs.preparing import Prepared


def types(names: Iterable[str]) -> Mapping[str, type]:
    """The table of types with the user's own `module:Class`, imported from where the command runs.

    Raises:
        InputError: there is no such module or class.
    """
    known = dict(TYPES)
    for name in names:
        module, _, cls = name.partition(":")
        sys.path.insert(0, "")
        try:
            known[cls] = getattr(importlib.import_module(module), cls)
        except (ImportError, AttributeError, TypeError, ValueError, SyntaxError) as error:
            raise InputError(f"--type {name}: {error}; expected MODULE:CLASS that can be imported from here.") from None
        finally:
            sys.path.remove("")
        if not (isinstance(known[cls], type) and is_dataclass(known[cls])):
            raise InputError(f"--type {name}: {known[cls]!r} is no class with fields; expected one under @fnn.static.")
    return known


def prepared_for(path: str, config: Config) -> Prepared:
    """`prepare`, with the config's file in front of what does not fit.

    Raises:
        InputError: the config does not fit its data.
    """
    try:
        return preparing.prepare(config)
    except InputError as error:
        raise InputError(f"{path}: {error}") from None


@contextlib.contextmanager
def written(folder: Path, remedy: str) -> Iterator[None]:
    """Inside, a file in `folder` that cannot be written is the user's to mend."""
    try:
        yield
    except BrokenPipeError:  # of stdout, which is no file in there
        raise
    except OSError as error:
        raise InputError(f"{folder}: cannot be written ({error.strerror}); {remedy}.") from None
