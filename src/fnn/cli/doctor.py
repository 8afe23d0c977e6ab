"""`fnn doctor`: whether this installation can train on this machine, a line per check and a remedy per failure."""

from __future__ import annotations

import argparse
import hashlib
import os
import platform
import tempfile
from collections.abc import Callable, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from fnn.activation_functions import ReLU, Sigmoid
from fnn.checking import gradcheck
from fnn.cli.commands import why_jax_does_not_start
from fnn.costs import CrossEntropy
from fnn.data import load_data, sources
from fnn.errors import CorruptFileError, InputError
from fnn.layers import Dense, Maxout
from fnn.machine import compile_cache
from fnn.machine.environment import REPEATING, repeats
from fnn.machine.hardware import cores
from fnn.machine.idle_cores import awake, wake_time
from fnn.network import backprop, init
from fnn.optimizers import SGD
from fnn.storage import checkpoints
from fnn.storage.checkpoints import Checkpoint
from fnn.training.epochs import step

OLDEST = {"python": (3, 11), "jax": (0, 10, 1), "jaxlib": (0, 10, 1)}
EXCLUDED = {
    ("jaxlib", "0.10.2"): "returns wrong numbers on CPU (jax-ml/jax#39103)",
    ("jaxlib", "0.11.1"): "makes long scans quadratic (jax-ml/jax#40101)",
}
MISCOMPILED = "this jaxlib is wrong: install another, or set XLA_FLAGS=--xla_cpu_experimental_ynn_fusion_type="
CALLS = 100  # of one training step; all must give the same bits


class Finding(NamedTuple):
    """The result of one check."""

    said: str
    remedy: str = ""  # "": all is well


def command(options: argparse.Namespace) -> int:
    """Make every check and print what it finds; status 0 if all is well, else 1. Or empty the cache of programs."""
    if options.empty_cache:
        print(_emptied())
        return 0
    remedies: dict[str, list[str]] = {}
    for name, check in CHECKS.items():
        finding = _finding(check)
        print(f"{'FAILED' if finding.remedy else 'ok':6}  {name:13}  {finding.said}", flush=True)
        if finding.remedy:
            remedies.setdefault(finding.remedy, []).append(name)
    lines = [f"{', '.join(names)}: {remedy}" for remedy, names in remedies.items()]
    print("\n".join(["", *lines]) if lines else "all is well")
    return 1 if remedies else 0


def _finding(check: Callable[[], Finding]) -> Finding:
    """What a check finds. If it raises, that is the finding."""
    try:
        return check()
    except (InputError, CorruptFileError) as error:  # the data cannot be used, and the message has the remedy
        return Finding("cannot be used", str(error))
    except Exception as error:  # a broken installation may raise anything
        words = " ".join(f"{type(error).__name__}: {error}".split())
        remedy = "this should not fail at all; install fnn anew, in a new virtual environment"
        return Finding(words[:300], why_jax_does_not_start(error) or remedy)


def installed() -> dict[str, str]:
    """The versions that results depend on."""
    return {"python": platform.python_version()} | {name: version(name) for name in ("fnn", "jax", "jaxlib", "numpy")}


def versions(found: Mapping[str, str]) -> Finding:
    """Whether a version is excluded or too old."""
    said = ", ".join(f"{name} {number}" for name, number in found.items())
    wrong = [f"{name} {number} {why}" for (name, number), why in EXCLUDED.items() if found.get(name) == number]
    wrong += [
        f"{name} {found[name]} is older than {'.'.join(map(str, oldest))}"
        for name, oldest in OLDEST.items()
        if _numbers(found[name]) < oldest
    ]
    if not wrong:
        return Finding(said)
    return Finding(said, f"{'; '.join(wrong)}: pip install --upgrade 'jax>=0.10.1' 'jaxlib>=0.10.1,!=0.10.2,!=0.11.1'")


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split(".")[:3] if part.isdecimal())


def devices() -> Finding:
    """The devices that compute, and the number of cores."""
    kinds = [device.device_kind for device in jax.devices()]
    named = ", ".join(f"{kinds.count(kind)} x {kind}" for kind in dict.fromkeys(kinds))
    flags = os.environ.get("XLA_FLAGS")
    return Finding(f"{named}; {cores()} cores" + (f"; XLA_FLAGS={flags}" if flags else ""))


def waking() -> Finding:
    """The time until an idle core has its work, and what `--awake` makes of it."""
    asleep = wake_time()
    if asleep is None:
        return Finding("one core, or no say in which")
    said = f"a message to an idle core takes {1e6 * asleep:.0f} us"
    try:
        with awake():
            return Finding(f"{said}; {1e6 * (wake_time() or 0):.0f} us with fnn run --awake")
    except InputError:
        return Finding(f"{said}; fnn run --awake cannot change that here")


def precision() -> Finding:
    """Whether the settings that change bits are the defaults of JAX."""
    settings = jax.config.values
    matmul, bits = settings["jax_default_matmul_precision"] or "default", 64 if settings["jax_enable_x64"] else 32
    said = f"matmul {matmul}, {bits} bits"
    if settings["jax_threefry_partitionable"]:
        return Finding(said)
    return Finding(f"{said}, random numbers of another kind", "unset JAX_THREEFRY_PARTITIONABLE: it changes every draw")


def gradient() -> Finding:
    """Whether backprop, autodiff and finite differences agree on a small net."""
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((5, 3)).astype(np.float32), np.eye(2, dtype=np.float32)[rng.integers(0, 2, 5)]
    net = (Dense(4), Sigmoid(), Maxout(3), ReLU(), Dense(2))
    report = gradcheck(net, CrossEntropy(), init(net, jax.random.key(0), (3,)), jnp.asarray(x), jnp.asarray(y))
    if not report.ok:
        return Finding(f"wrong for {net}", "do not train here; fnn gradcheck CONFIG says more. Try another jaxlib")
    return Finding("backprop, autodiff and finite differences agree")


def squared_norms(W: jax.typing.ArrayLike, x: jax.typing.ArrayLike) -> jax.Array:
    """`|W a|²` for every row a of x, in a form that jaxlib 0.10.2 miscompiles (jax-ml/jax#39103)."""
    with jax.default_matmul_precision("highest"):  # by default a GPU keeps only 11 bits of each factor
        return jax.jit(jax.vmap(lambda a: jnp.square(jnp.asarray(W) @ a).sum()))(x)


def canary() -> Finding:
    """Whether compiled code agrees with float64 in NumPy, where a known bug would show.

    The comparison is with NumPy, so that a bug in all of JAX is seen too.
    """
    for n_out, n in ((2, 32_769), (3, 40_001)):
        rng = np.random.default_rng([n_out, n])
        W, x = rng.standard_normal((n_out, 3), np.float32), rng.standard_normal((n, 3), np.float32)
        expected = np.square(x.astype(np.float64) @ W.T.astype(np.float64)).sum(axis=1)
        wrong = int((np.abs(np.asarray(squared_norms(W, x)) - expected) > 1e-3 * (expected + 0.01)).sum())
        if wrong:
            return Finding(f"{wrong:,} of {n:,} rows are wrong", MISCOMPILED)
    return Finding("compiled code agrees with float64 where a compiler once did not")


def repeatability() -> Finding:
    """Whether a compiled training step gives the same bits in each of `CALLS` calls."""
    net, cost, optimizer = (Dense(100), Sigmoid(), Dense(10)), CrossEntropy(), SGD(0.5, 0.9)
    params = init(net, jax.random.key(0), (784,))
    rng = np.random.default_rng(0)
    x, y = rng.random((128, 784), np.float32), np.eye(10, dtype=np.float32)[rng.integers(0, 10, 128)]
    once = jax.jit(step, static_argnums=7)
    hashes = {_hash(once(net, cost, optimizer, params, optimizer.init(params), x, y, backprop)) for _ in range(CALLS)}
    said = f"{CALLS} calls of one step, {len(hashes)} result{'s' * (len(hashes) > 1)}"
    if len(hashes) > 1:
        return Finding(said, f"runs cannot be repeated or resumed bit for bit here; {REPEATING}")
    return Finding(said if repeats() else f"{said}; {REPEATING}")


def _hash(tree: object) -> str:
    return hashlib.sha256(b"".join(np.asarray(leaf).tobytes() for leaf in jax.tree.leaves(tree))).hexdigest()


def round_trip() -> Finding:
    """Whether a checkpoint is read from the disk as it was written."""
    W = np.random.default_rng(0).random((30, 784), np.float32)
    with tempfile.TemporaryDirectory() as folder:
        checkpoints.save(Path(folder, "checkpoints"), Checkpoint(1, {"W": W}, {"epochs": 1}, b""))
        found = checkpoints.latest(Path(folder, "checkpoints"), {"W": (W.dtype.str, W.shape)}).latest
    if found is not None and found.arrays["W"].tobytes() == W.tobytes() and found.state == {"epochs": 1}:
        return Finding(f"written, synced, verified in {tempfile.gettempdir()}")
    return Finding(
        "not as it was written", "the disk or its file system is broken: set TMPDIR to another, and check it"
    )


def data() -> Finding:
    """Whether the data sets with known hashes, if they are on this machine, have these hashes."""
    said = []
    for source in sources():
        if source.checksums and source.present:
            load_data(source.name)  # which compares the hashes
            said.append(f"{source.name} is complete")
        elif source.checksums:
            said.append(f"{source.name} is not here yet")
    return Finding(", ".join(said))


def programs() -> Finding:
    """Where compiled programs are kept, and how large they are."""
    folder = compile_cache.default_folder()
    if folder is None:
        return Finding(f"none are kept: {compile_cache.VARIABLE}={compile_cache.OFF}")
    kept = compile_cache.kept(folder)
    return Finding(
        f"{kept.programs:,} kept in {folder}, {kept.size / 2**20:.1f} of {compile_cache.MOST_BYTES >> 20} MB"
    )


def _emptied() -> str:
    folder = compile_cache.default_folder()
    if folder is None:
        return f"there is no cache to empty: {compile_cache.VARIABLE}={compile_cache.OFF}"
    kept = compile_cache.kept(folder)
    compile_cache.empty(folder)
    return f"{folder}: {kept.programs:,} compiled programs removed, {kept.size / 2**20:.1f} MB"


CHECKS: Mapping[str, Callable[[], Finding]] = {
    "versions": lambda: versions(installed()),
    "devices": devices,
    "waking": waking,
    "precision": precision,
    "gradient": gradient,
    "canary": canary,
    "repeatability": repeatability,
    "checkpoint": round_trip,
    "data": data,
    "programs": programs,
}
