"""Data sets in files, and what tells one set from another."""

import hashlib

import numpy as np

CSV = "width,height,kind\n1,2,cat\n3,4.5,dog\n-5e-1,0,cat\n"


def written(tmp_path, text, name="a.csv"):
    (tmp_path / name).write_bytes(text.encode() if isinstance(text, str) else text)
    return str(tmp_path / name)


def saved(tmp_path, **arrays):
    np.savez(tmp_path / "a.npz", **arrays)
    return str(tmp_path / "a.npz")


def digest(dataset):
    return hashlib.sha256(b"".join(a.tobytes() for part in dataset[:3] for a in part[:2])).hexdigest()
