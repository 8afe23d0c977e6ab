"""`fnn data [NAME|FILE]`: the data sets that fnn knows, or what a file of the user holds. This needs no JAX."""

from __future__ import annotations

import argparse
from pathlib import Path

from fnn.cli.data_page import arrays_page, table_page
from fnn.config.schema import nearest
from fnn.data import load_data, sources
from fnn.data.arguments import is_file
from fnn.data.inventory import Source
from fnn.errors import InputError
from fnn.looking.files import ENDINGS, looked_at
from fnn.storage.paths import user_path


def command(options: argparse.Namespace) -> int:
    """Print a line for each source, a page about one and whether its files are complete, or one about a file; status 0.

    Raises:
        InputError: There is no such source or file, or the file holds no data set.
        CorruptFileError: A file of the source does not have its known hash, or a file cannot be read.
    """
    if options.name is None:
        print("\n".join(_line(source) for source in sources()))
        print(
            "\nmore: fnn data NAME; your own: fnn data FILE, a .csv (header line), .parquet, .npz (arrays x, y) or .npy"
        )
        return 0
    named = {source.name: source for source in sources()}
    if options.name in named:
        check_alone(options.name, options.label, options.y or "")
        print(_page(named[options.name]))
    else:
        print(_file_page(options.name, options.label, options.y or "", list(named)))
    return 0


def _file_page(name: str, label: str, y: str, known: list[str]) -> str:
    """What a file holds."""
    path = checked_file(name, known)
    looked = looked_at(path, label, y)
    return table_page(looked) if looked.table else arrays_page(looked)


def check_alone(name: str, label: str, y: str) -> None:
    """Refuses options of files for a source that fnn knows."""
    for option, value in (("--label", label), ("--y", y)):
        if value:
            raise InputError(f"{name}: {option} {value}: it is for a file of yours; drop it.")


def checked_file(name: str, known: list[str]) -> str:
    """The path of a file that the user named.

    Raises:
        InputError: There is no such file and no such source, or the file is of another kind.
    """
    path = user_path(name, "FILE")
    if is_file(path):
        if not Path(path).is_file():
            what = "is a folder" if Path(path).is_dir() else "there is no such file"
            raise InputError(f"{path}: {what if not Path(path).is_fifo() else 'is a pipe'}; expected {ENDINGS}.")
        return path
    if Path(path).exists():
        what = "is a folder" if Path(path).is_dir() else "is another kind of file"
        raise InputError(f"{path}: {what}; expected {ENDINGS}, told by the end of the name.")
    if Path(name).suffix or len(Path(name).parts) > 1:
        raise InputError(f"{path}: there is no such file; expected {ENDINGS}.")
    raise InputError(f"data {name!r}: {nearest(name, known)}")


def _line(source: Source) -> str:
    here = "here" if source.present else "not here yet"
    return f"{source.name:8} {source.rows:6,} examples  {source.outputs:10}  {here:12}  {source.what}"


def _page(source: Source) -> str:
    rows = [
        ("name", source.name),
        ("what", source.what),
        ("examples", f"{source.rows:,}, inputs of shape {source.shape}, {source.outputs}"),
        ("origin", source.origin),
        ("licence", source.licence),
        *[("sha256", f"{digest}  {file}") for file, digest in source.checksums],
        ("where", source.where or "in the program"),
        ("state", _state(source)),
    ]
    return "\n".join(f"{key:9} {value}" for key, value in rows)


def _state(source: Source) -> str:
    if not source.present:
        return "not here yet; it is downloaded when first used"
    data = load_data(source.name)  # which compares the hashes
    return f"complete: {data.train.n:,} for training" + (f", {data.test.n:,} for the test" if data.test.n else "")
