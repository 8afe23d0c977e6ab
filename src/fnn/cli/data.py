"""`fnn data [NAME]`: the data sets that fnn knows. This needs no JAX."""

from __future__ import annotations

import argparse

from fnn.config.schema import nearest
from fnn.data import load_data, sources
from fnn.data.inventory import Source
from fnn.errors import InputError


def command(options: argparse.Namespace) -> int:
    """Print a line for each source, or a page about one and whether its files are complete; status 0.

    Raises:
        InputError: There is no such source.
        CorruptFileError: A file of the source does not have its known hash.
    """
    if options.name is None:
        print("\n".join(_line(source) for source in sources()))
        print("\nmore: fnn data NAME; your own: an .npz (arrays x, y), a .csv (header line, label column), or two .npy")
        return 0
    named = {source.name: source for source in sources()}
    if options.name not in named:
        raise InputError(f"data {options.name!r}: {nearest(options.name, named)}")
    print(_page(named[options.name]))
    return 0


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
