"""The configs that come with fnn, by name: `fnn run digits` needs no file. No JAX."""

from __future__ import annotations

import os
from difflib import get_close_matches
from pathlib import Path

from fnn.errors import InputError


def folder() -> Path:
    """Where they are: in an installed package beside its code, in a checkout beside `src`."""
    package = Path(__file__).parents[1]
    installed = package / "configs"
    return installed if installed.is_dir() else package.parents[1] / "configs"


def names() -> list[str]:
    """What they are called: `digits`, ..., `nielsen/ch1_30`, ..."""
    found = [path.relative_to(folder()).with_suffix("").as_posix() for path in folder().rglob("*.toml")]
    return sorted(found, key=lambda name: (name.count("/"), name))


def located(config: str) -> str:
    """The path of a config: of the file, if there is one of this name, else of the config that comes with fnn.

    Raises:
        InputError: There is neither. What has a folder, an ending or a colon, and is no file, is for others to refuse.
    """
    path, own = Path(config), names()
    if path.is_dir() and config not in own or os.path.lexists(config) and not path.is_dir():
        return config
    if config in own:
        return str(folder() / f"{config}.toml")
    stem = path.with_suffix("").as_posix().removeprefix("configs/")
    if stem in own:
        raise InputError(f"{config}: there is no such file; the config that comes with fnn is called {stem!r}.")
    if path.suffix or path.name != config or ":" in config:
        return config
    near = get_close_matches(config, own, 1)
    meant = f"; did you mean {near[0]!r}?" if near else "."
    raise InputError(f"{config}: expected a TOML file, or a config that comes with fnn: {', '.join(own)}{meant}")


def named(path: str) -> str:
    """What `located` takes for this path, in one word: the name of a config that comes with fnn, else the path."""
    name = {str(folder() / f"{name}.toml"): name for name in names()}.get(path, path)
    return name if located(name) == path else path
