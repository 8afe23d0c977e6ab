"""`fnn data`: what there is, as text. No JAX."""

from __future__ import annotations

from fnn.config.schema import nearest
from fnn.data import load_data, sources
from fnn.data.inventory import Source
from fnn.errors import InputError


def show(name: str | None) -> int:
    """Print all sources, a line each, or one in full, for which its files are checked too."""
    if name is None:
        print("\n".join(_line(source) for source in sources()))
        print("\nmore: fnn data NAME; your own: an .npz (arrays x, y), a .csv (header line, label column), or two .npy")
        return 0
    named = {source.name: source for source in sources()}
    if name not in named:
        raise InputError(f"data {name!r}: {nearest(name, named)}")
    print(_page(named[name]))
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
    data = load_data(source.name)  # compares the hashes
    return f"complete: {data.train.n:,} for training" + (f", {data.test.n:,} for the test" if data.test.n else "")
