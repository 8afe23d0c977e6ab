"""The user's own layers, costs and others: `--type MODULE:CLASS` or `FILE.py:CLASS` names one, and a run remembers it.

What the user names on the command line is imported, and so are the classes of its default values. What a file names is
never imported: a run remembers the names alone. A command that reads the run without them says which `--type` to give.
"""

from __future__ import annotations

import contextlib
import dataclasses
import importlib
import importlib.util
import sys
from collections.abc import Generator, Iterable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

from fnn.config.schema import nearest
from fnn.config.sections import TYPES
from fnn.errors import CorruptFileError, InputError
from fnn.runs.model_tables import OWN_TYPES
from fnn.storage.json_files import read_json
from fnn.storage.paths import check_visible, typed, user_path

LONGEST_REASON = 300  # characters of what a library says
KNOWN = (ImportError, AttributeError, TypeError, ValueError, SyntaxError)  # say by themselves that a class is not there
EXPECTED = "expected MODULE:CLASS that can be imported from here, or FILE.py:CLASS"


def own_types(names: Iterable[str], runs: Iterable[str | Path] = ()) -> dict[str, type]:
    """The classes that `--type` names, with those of their default values, by their names.

    Args:
        names: As `MODULE:CLASS` or `FILE.py:CLASS`. A module is imported from the folder in which the command runs.
        runs: The run directories that are read with these types.

    Raises:
        InputError: There is no such module, file or class, two classes have one name, or a run remembers a type that is
            not among the names.
    """
    own: dict[str, type] = {}
    for name in names:
        cls = _named(name)
        for each in dict.fromkeys((cls, *_of_defaults(cls))):
            if own.get(each.__name__, each) is not each or (each is not cls and each.__name__ in TYPES):
                raise InputError(
                    f"--type {name}: there are two classes {each.__name__!r}, a config could not tell them apart; "
                    "give one of them another name."
                )
            own[each.__name__] = each
    for run in runs:
        if missing := _missing(_remembered(Path(run)), own):
            raise InputError(f"{run}: was trained with a class of your own; name it again: {_options(missing)}.")
    return own


def _named(name: str) -> type:
    """The class that a `--type` names."""
    check_visible(name, "--type")
    module_name, colon, cls_name = name.rpartition(":")
    if not (colon and module_name and cls_name):
        raise InputError(f"--type {name}: {EXPECTED}.")
    try:
        module = _of_file(module_name) if module_name.endswith(".py") else _of_module(module_name)
    except InputError as error:
        raise InputError(f"--type {name}: {error}; {EXPECTED}.") from None
    except (Exception, SystemExit) as error:  # the user's module may raise anything
        kind = "" if isinstance(error, KNOWN) else f"importing it raised {type(error).__name__}: "
        words = " ".join(f"{kind}{error}".split())[:LONGEST_REASON]
        extra = getattr(error, "name", "") == "optax" and isinstance(error, ImportError)
        remedy = "get it with  pip install 'fnn[optax]'" if extra else f"{EXPECTED}."
        raise InputError(f"--type {name}: {words}; {remedy}") from None
    found = getattr(module, cls_name, None)
    if found is None:
        classes = [key for key, value in vars(module).items() if _has_fields(value) and value not in TYPES.values()]
        hint = nearest(cls_name, classes) if classes else "it has no class under @fnn.static."
        raise InputError(f"--type {name}: {module_name} has no {cls_name!r}; {hint}")
    if not _has_fields(found):
        raise InputError(f"--type {name}: {found!r} is no class with fields; expected one under @fnn.static.")
    if found.__name__ != cls_name:
        raise InputError(f"--type {name}: is the class {found.__name__!r}; expected its own name, as configs have it.")
    return found


def _has_fields(value: Any) -> bool:
    return isinstance(value, type) and dataclasses.is_dataclass(value)


def _of_module(name: str) -> ModuleType:
    with importing_from(""):
        return importlib.import_module(name)


def _of_file(name: str) -> ModuleType:
    """The module in a Python file, which may import the others in its folder."""
    path = Path(user_path(name, "the file")).resolve()
    called = str(path)  # the name of the module: a file named json.py must not replace the module json
    if called in sys.modules:
        return sys.modules[called]
    spec = importlib.util.spec_from_file_location(called, path)
    if not path.is_file() or spec is None or spec.loader is None:
        raise InputError(f"there is no file {path}")
    module = sys.modules[called] = importlib.util.module_from_spec(spec)  # where the types of fields are looked up
    try:
        with importing_from(str(path.parent)):
            spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[called]
        raise
    return module


@contextlib.contextmanager
def importing_from(folder: str) -> Generator[None]:
    """A block in which the modules of a folder can be imported; "" is the current one."""
    sys.path.insert(0, folder)
    try:
        yield
    finally:
        with contextlib.suppress(ValueError):  # the user's module may have changed sys.path
            sys.path.remove(folder)


def _of_defaults(cls: type) -> Iterator[type]:
    """The user's classes among the default values of a class; a `config.json` names them too."""
    for field in dataclasses.fields(cls):
        makes = field.default_factory
        yield from _within(field.default if makes is dataclasses.MISSING else makes())


def _within(value: Any) -> Iterator[type]:
    """The user's classes in the value of a field."""
    if isinstance(value, tuple):
        for each in value:
            yield from _within(each)
    elif dataclasses.is_dataclass(value) and not isinstance(value, type):
        if TYPES.get(type(value).__name__) is not type(value):
            yield type(value)
        for field in dataclasses.fields(value):
            yield from _within(getattr(value, field.name))


def forgotten(error: InputError, out: str, names: Iterable[str]) -> InputError:
    """An error of a config, with the `--type` that a run in the folder `out` remembers for the unknown class."""
    given = set(map(_class, names))
    for run in sorted(Path(out).glob("*/config.json"), key=lambda path: path.stat().st_mtime, reverse=True):
        missing = [name for name in _missing(_remembered(run.parent), given) if f"{_class(name)!r}" in str(error)]
        if missing:
            unknown = str(error).partition("; ")[0]
            return InputError(f"{unknown}; {run.parent} was trained with it; name it again: {_options(missing)}.")
    return error


def _missing(names: Iterable[str], given: Iterable[str]) -> list[str]:
    return [name for name in names if _class(name) not in set(given)]


def _class(name: str) -> str:
    return name.rpartition(":")[2]


def _options(names: Iterable[str]) -> str:
    return typed(word for name in names for word in ("--type", name))


def _remembered(run: Path) -> list[str]:
    """The `--type`s that a run was trained with; none if it does not tell."""
    try:
        table = read_json(run / "config.json")
    except CorruptFileError:  # the command says so when it reads the run
        return []
    names = table.get(OWN_TYPES, []) if isinstance(table, dict) else []
    return [name for name in names if isinstance(name, str)] if isinstance(names, list) else []
