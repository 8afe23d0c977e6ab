"""Run directories, as tests look at them."""

import json


def only(folder):
    (path,) = folder.iterdir()
    return path


def bytes_of(folder):
    """Params and metrics, without the times."""
    lines = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    return (folder / "params.npz").read_bytes(), [{k: v for k, v in line.items() if k != "seconds"} for line in lines]
