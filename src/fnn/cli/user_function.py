"""A function of the user's that the command line names, `MODULE:FUNCTION`: imported, called, its errors in one line.

The user names the module on the command line, so it is executed, as that of `--type` is. A config never names one.
"""

from __future__ import annotations

import difflib
import importlib
import inspect
import os
import re
import traceback
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar

from fnn.cli.user_types import LONGEST_REASON, importing_from
from fnn.errors import InputError

T = TypeVar("T")
EXPECTED = "expected MODULE:FUNCTION, a function of no arguments in a module that can be imported from here"


def is_function(text: str) -> bool:
    r"""Whether `text` means `MODULE:FUNCTION` and not the path of a config.

    What exists is a path, and so is what ends in `.toml` or begins with a drive of Windows, as `C:\xor` does.
    """
    path = os.path.lexists(text) or text.lower().endswith(".toml") or re.match(r"[A-Za-z]:[\\/]", text)
    return ":" in text and not path


def called(name: str, then: Callable[[Any], T]) -> T:
    """`then(result)` of the result of the function that `name` names; both run with the current folder importable.

    Raises:
        InputError: There is no such function, it needs arguments, or the user's code raises. The message is one line,
            with the type and the words of the user's exception, and the file and line where it was raised.
    """
    with importing_from(""):
        function = _found(name)
        try:
            return then(function())
        except InputError as error:
            raise InputError(f"{name}: {str(error).rstrip('.')}{_where(error.__cause__)}.") from None
        except (Exception, SystemExit) as error:
            raise InputError(f"{name} raised {_said(error)}.") from None


def _found(name: str) -> Callable[[], Any]:
    """The function that `name` names."""
    module_name, _, attribute = name.partition(":")
    if not all(part.isidentifier() for part in (*module_name.split("."), attribute)) or module_name.endswith(".py"):
        raise InputError(f"{name}: {EXPECTED}: for check in rules/swish.py write rules.swish:check.")
    module = _module(name, module_name)
    if not hasattr(module, attribute):
        near = difflib.get_close_matches(attribute, vars(module), n=1)
        hint = f"; did you mean {near[0]!r}?" if near else f"; {EXPECTED}."
        raise InputError(f"{name}: {getattr(module, '__file__', module_name)} has no {attribute!r}{hint}")
    function = getattr(module, attribute)
    if not callable(function):
        raise InputError(f"{name} is a {type(function).__name__}; {EXPECTED}.")
    if needed := _needed(function):
        raise InputError(f"{name} needs {', '.join(needed)}; expected a function of no arguments.")
    return function


def _module(name: str, module_name: str) -> ModuleType:
    try:
        return importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        if error.name and f"{module_name}.".startswith(f"{error.name}."):
            raise InputError(f"{name}: there is no module {error.name!r}; {EXPECTED}.") from None
        raise InputError(f"{name}: importing {module_name} raised {_said(error)}.") from None
    except (Exception, SystemExit) as error:
        raise InputError(f"{name}: importing {module_name} raised {_said(error)}.") from None


def _needed(function: Callable) -> list[str]:
    """The names of the arguments that have no default; none for a function that does not tell."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return []
    return [p.name for p in parameters if p.default is p.empty and p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]


def _said(error: BaseException) -> str:
    """The type and the words of an exception, and where it was raised."""
    words = " ".join(f"{type(error).__name__}: {error}".split()).rstrip(".:")
    return f"{words[:LONGEST_REASON]}{_where(error)}"


def _where(error: BaseException | None) -> str:
    """The last line of the user's own code on the way of an exception, ` (rules.py:3)`; empty if there is none."""
    lines = traceback.extract_tb(error.__traceback__) if error else ()
    own = [line for line in lines if _is_own(Path(line.filename))]
    return f" ({os.path.relpath(own[-1].filename)}:{own[-1].lineno})" if own else ""


def _is_own(file: Path) -> bool:
    """Whether a file is the user's: in the current folder, neither of an installed package nor of fnn."""
    here = file.is_relative_to(Path.cwd()) and "site-packages" not in file.parts
    return here and not file.is_relative_to(Path(__file__).parents[1])
