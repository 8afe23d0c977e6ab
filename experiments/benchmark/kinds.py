"""The kind of a machine, by which the folder of its results is named: processor and instruction set, or its GPU."""

from __future__ import annotations

import re
from typing import Any

MAKERS = {"intel", "amd", "cpu", "processor", "with"}  # words that tell no kind
VECTORS = {"avx512f": "AVX-512", "avx2": "AVX2", "avx": "AVX", "asimd": "NEON", "neon": "NEON"}


def vectors(instructions: str) -> str:
    """The widest of the vector instructions that a processor lists; "" where it lists none of them."""
    listed = instructions.split()
    return next((name for flag, name in VECTORS.items() if flag in listed), "")


def kind(machine: dict[str, Any]) -> str:
    """A short name for a folder, such as `xeon-avx512`, `epyc-7763-avx2`, `xeon-avx512-held-to-avx2`, `nvidia-h200`."""
    accelerators = [device for device in machine["devices"] if device != "cpu"]
    if accelerators:
        return slug(accelerators[0])
    held = "held-to-avx2" if machine["held"] else ""
    parts = slug(machine["processor"]), machine["vectors"].replace("-", "").lower(), held
    return "-".join(filter(None, parts)) or "unknown"


def slug(name: str) -> str:
    """The words of a name that tell a kind, in small letters, joined by hyphens."""
    plain = re.sub(r"\((r|tm)\)|@.*|\d+-core", " ", name.lower())
    return "-".join(word for word in re.findall(r"[a-z0-9]+", plain) if word not in MAKERS)
