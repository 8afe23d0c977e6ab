"""`fnn export RUN --to onnx|safetensors`: a trained network as a file that other programs read."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from fnn.cli.common import all_types
from fnn.cli.writing import written
from fnn.errors import InputError
from fnn.interop.metadata import metadata
from fnn.interop.onnx import to_onnx
from fnn.interop.safetensors import to_safetensors
from fnn.runs import directory
from fnn.runs.models import load, named
from fnn.runs.prediction import Model
from fnn.storage.files import write_atomically


def command(options: argparse.Namespace) -> int:
    """Write the file, say where it is and what it takes and gives, and return status 0."""
    run, types = Path(options.run), all_types(options.type, [options.run])
    directory.check_no_sweep(run)
    directory.check_has_params(run)
    model = load(run, types)
    out = _file(run / f"model.{options.to}" if options.out is None else Path(options.out), options.to)
    try:
        data, told = WAYS[options.to](model)
    except InputError as error:
        raise InputError(f"{run}: {error}") from None
    with written(out.parent, "make room or name another file by --out"):
        write_atomically(out, data)
    print(f"{options.to}: {out} ({len(data):,} bytes)", *told, sep="\n")
    return 0


def _file(out: Path, ending: str) -> Path:
    """The file to write, which may be there already; its ending keeps it apart from the files of the run.

    Raises:
        InputError: it has another ending, is a folder, or its folder is missing.
    """
    if out.suffix != f".{ending}" or out.is_dir():
        raise InputError(f"--out {out}: expected the name of a file that ends in .{ending}.")
    if not out.parent.is_dir():
        raise InputError(f"--out {out}: there is no folder {out.parent}; make it, or name another file.")
    return out


def _onnx(model: Model) -> tuple[bytes, list[str]]:
    """The bytes of the file, and what it takes and gives."""
    proto = to_onnx(model)
    return proto.SerializeToString(deterministic=True), proto.doc_string.splitlines()


def _safetensors(model: Model) -> tuple[bytes, list[str]]:
    """The bytes of the file, and which arrays it has."""
    arrays = named(model.params)
    shapes = [f"{name} {array.dtype}{list(array.shape)}" for name, array in arrays.items()]
    told = "What the network is, the scaling of its inputs and its classes are a text of JSON in the metadata: fnn."
    return to_safetensors(arrays, {"fnn": json.dumps(metadata(model))}), [*shapes, told]


WAYS = {"onnx": _onnx, "safetensors": _safetensors}
