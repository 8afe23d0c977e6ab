"""What is said when a command cannot write its files. This needs no JAX."""

from __future__ import annotations

import contextlib
from collections.abc import Generator
from pathlib import Path

from fnn.errors import InputError


@contextlib.contextmanager
def written(folder: Path, remedy: str) -> Generator[None]:
    """A block that writes files in `folder`.

    Raises:
        InputError: A file cannot be written. The message ends with the `remedy`.
    """
    try:
        yield
    except BrokenPipeError:  # this is stdout, and no file in the folder
        raise
    except OSError as error:
        raise InputError(f"{folder}: cannot be written ({error.strerror}); {remedy}.") from None
