"""Checkpoints: arrays and plain JSON in a folder, written atomically and verified by hashes.

    checkpoints/step-0000012000/arrays.npz      every array, by name
                                state.json      plain JSON
                                metrics.jsonl   the lines of metrics so far
                                manifest.json   written last: sizes and SHA-256 of the others, names, dtypes and
                                                shapes of the arrays, and a digest of itself

The folder is written under another name, synced, and renamed. The latest checkpoint is the one with the highest step
among those that verify. This is stored nowhere else, so that nothing can contradict it. A copy of a folder is a
checkpoint too. No JAX.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from fnn.errors import CorruptFileError
from fnn.storage.arrays import LARGEST_NPZ, npz_bytes, read_npz
from fnn.storage.files import make_folder, open_plain, remove_folder, write_folder
from fnn.storage.json_files import json_bytes, parse_json, read_bounded, read_json

FORMAT = 1
KEPT = 2  # checkpoints are kept: the latest, and the one before it in case the disk damages the latest
FILES = ("arrays.npz", "state.json", "metrics.jsonl")
LARGEST_MANIFEST = 2**20  # bytes
_STEP = re.compile(r"step-(\d{10,15})", re.ASCII)

Template = Mapping[str, tuple[str, tuple[int, ...]]]  # dtype (`<f4`) and shape of every array, by name


class Checkpoint(NamedTuple):
    """What a checkpoint holds."""

    step: int  # of the whole training; the highest is the latest
    arrays: Mapping[str, np.ndarray]
    state: dict[str, Any]  # plain JSON
    metrics: bytes  # the lines so far


class Found(NamedTuple):
    """The latest checkpoint, if there is one, and why newer ones were passed over."""

    latest: Checkpoint | None
    rejected: tuple[CorruptFileError, ...]


def save(folder: str | os.PathLike[str], checkpoint: Checkpoint) -> None:
    """Adds a checkpoint to `folder` and removes old ones; once this returns, the checkpoint survives a power cut.

    Raises:
        OSError: The checkpoint cannot be written; the older ones are unchanged.
    """
    folder = Path(folder)
    make_folder(folder)
    target = folder / f"step-{checkpoint.step:010}"
    if target.exists():  # a checkpoint of this step that was rejected
        remove_folder(target)
    write_folder(target, _contents(checkpoint))
    for path in _steps(folder)[KEPT:]:
        remove_folder(path)


def latest(folder: str | os.PathLike[str], template: Template) -> Found:
    """The checkpoint with the highest step among those that verify.

    Args:
        folder: Where `save` put them; it need not exist.
        template: The arrays that it must hold.
    """
    rejected: list[CorruptFileError] = []
    for path in _steps(Path(folder)):
        try:
            return Found(load(path, template), tuple(rejected))
        except CorruptFileError as error:
            rejected.append(error)
    return Found(None, tuple(rejected))


def load(path: str | os.PathLike[str], template: Template) -> Checkpoint:
    """One checkpoint, verified: every byte is as it was written.

    Beyond the arrays and the metrics this takes a few MiB of memory, whatever the files declare.

    Raises:
        CorruptFileError: A file is missing, damaged or of another format, or the arrays are not those of `template`.
    """
    path = Path(path)
    manifest = _manifest(path, template)
    for name in FILES:
        _verify(path / name, manifest["files"][name])
    arrays = read_npz(path / "arrays.npz", tuple(template))
    for name, (dtype, shape) in template.items():
        if (arrays[name].dtype.str, arrays[name].shape) != (dtype, shape):
            raise CorruptFileError(path / "arrays.npz", f"{name} is not the {dtype}{shape} that its manifest says")
    state = read_json(path / "state.json")
    if not isinstance(state, dict):
        raise CorruptFileError(path / "state.json", "is not a table")
    return Checkpoint(manifest["step"], arrays, state, (path / "metrics.jsonl").read_bytes())


def _contents(checkpoint: Checkpoint) -> dict[str, bytes]:
    """The files of a checkpoint, the manifest last."""
    files = {
        "arrays.npz": npz_bytes(checkpoint.arrays),
        "state.json": json_bytes(checkpoint.state),
        "metrics.jsonl": checkpoint.metrics,
    }
    manifest = {
        "format": FORMAT,
        "step": checkpoint.step,
        "files": {name: {"bytes": len(data), "sha256": _sha256(data)} for name, data in files.items()},
        "arrays": _table({name: (array.dtype.str, array.shape) for name, array in checkpoint.arrays.items()}),
    }
    return files | {"manifest.json": manifest_bytes(manifest)}


def manifest_bytes(manifest: Mapping[str, Any]) -> bytes:
    """The text of a manifest, with its own digest added."""
    digest = _sha256(json.dumps(manifest, sort_keys=True).encode())
    return json_bytes({**manifest, "digest": digest})


def _table(template: Template) -> dict[str, list[Any]]:
    """A template as JSON can hold it."""
    return {name: [dtype, list(shape)] for name, (dtype, shape) in template.items()}


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _steps(folder: Path) -> list[Path]:
    """The folders that are named like checkpoints, highest step first."""
    if not folder.is_dir():
        return []
    named = [path for path in folder.iterdir() if _STEP.fullmatch(path.name) and path.is_dir()]
    return sorted(named, key=lambda path: int(path.name[5:]), reverse=True)


def _manifest(path: Path, template: Template) -> dict[str, Any]:
    """The manifest of a checkpoint, checked against its digest, its folder and the template."""
    file = path / "manifest.json"
    data = read_bounded(file, LARGEST_MANIFEST)
    manifest = parse_json(data, file)
    if not isinstance(manifest, dict) or repr(manifest.get("format")) != str(FORMAT):  # True and 1.0 equal 1 too
        raise CorruptFileError(file, f"is not the manifest of a checkpoint of format {FORMAT}")
    rest = {key: value for key, value in manifest.items() if key != "digest"}
    if manifest_bytes(rest) != data:  # the bytes, because JSON has many texts for one value
        raise CorruptFileError(file, "does not match its own digest")
    if set(rest) != {"format", "step", "files", "arrays"} or not _is_of(rest["step"], path):
        raise CorruptFileError(file, "is the manifest of another folder")
    if rest["arrays"] != _table(template):
        raise CorruptFileError(file, "has other arrays than this network in this training")
    if not isinstance(rest["files"], dict) or set(rest["files"]) != set(FILES):
        raise CorruptFileError(file, f"names other files than {', '.join(FILES)}")
    return manifest


def _is_of(step: object, path: Path) -> bool:
    return type(step) is int and 0 <= step < 10**15 and path.name == f"step-{step:010}"


def _verify(path: Path, expected: object) -> None:
    """Checks that a file has the size and the hash that its manifest says."""
    try:
        with open_plain(path, LARGEST_NPZ) as file:
            size, digest = os.fstat(file.fileno()).st_size, hashlib.file_digest(file, "sha256")
    except OSError as error:
        raise CorruptFileError(path, f"cannot be read ({error.strerror})") from None
    except ValueError as error:
        raise CorruptFileError(path, str(error)) from None
    if expected != {"bytes": size, "sha256": digest.hexdigest()}:
        raise CorruptFileError(path, "is not what was written: its size or its SHA-256 is not that of its manifest")
