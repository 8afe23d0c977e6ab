"""Trainings on several devices against the same on one: `python -m tests.helpers.spread_cases CASE ... [-- PORT N I]`.

A process compares by itself and prints JSON, `{case: {"difference": ..., "digest": ...}}`: the largest relative
difference to one device in any array, and a hash of all bits, which is to be the same in every process. With `PORT N I`
it is process I of N, joined by `jax.distributed` as a user would do it.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import socket
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

import fnn
from fnn import SGD, Conv, Dense, Examples, Flatten, LogLikelihood, Maxout, MaxPool, ReLU, Shifted, Sigmoid, backprop
from fnn.data.on_disk import Stored, stored
from fnn.training import fitting, mini_batches, segments, streaming
from fnn.training.mini_batches import Rule
from fnn.training.order import of_epoch
from fnn.training.spreading import beside

NET, WIDTH, COST = (Dense(6), Sigmoid(), Dense(3)), 12, LogLikelihood()
SECONDS = 100  # in which the processes of a test have to begin, and to end each of its cases
PROGRAMS: list[str] = []  # that were run by a training whose clocks disagree; part of the digest


def some(n: int, shape: tuple[int, ...] = (WIDTH,)) -> Examples:
    """Examples of 3 classes."""
    rng = np.random.default_rng(0)
    classes = np.eye(3, dtype=np.uint8)[rng.integers(0, 3, n)]
    return Examples(rng.integers(0, 256, (n, *shape), np.uint8), classes, 1 / 255)


def clipped(net, cost, params, x, y):
    """A gradient of a user's own, cut to a norm that no step stays below: it needs the whole mini-batch."""
    value, gradient = backprop(net, cost, params, x, y)
    norm = jnp.sqrt(sum((leaf**2).sum() for leaf in jax.tree.leaves(gradient)))
    return value, jax.tree.map(lambda leaf: leaf * jnp.minimum(1, 0.05 / norm), gradient)


def fitted(train: Any, net: Any = NET, eta: float = 0.5, mu: float = 0.0, **settings: Any) -> list[Any]:
    """Of each epoch what does not depend on a clock."""
    params, optimizer = fnn.init(net, jax.random.key(0), train.shape), SGD(eta, mu, 1e-3)
    results = fnn.fit(
        net, COST, optimizer, params, train, jax.random.key(1), **{"epochs": 2, "batch_size": 10} | settings
    )
    return [(r.params, r.v, r.train, r.validation, r.test, r.monitor) for r in results]


def b_64() -> tuple[Any, Any]:
    """B is a multiple of the devices; momentum, and the test examples are evaluated by all devices too."""
    settings = {"eta": 0.1, "mu": 0.9, "batch_size": 64, "test": some(50)}
    return fitted(some(130), **settings), fitted(fnn.spread(some(130)), **settings)


def b_3() -> tuple[Any, Any]:
    """Fewer rows than devices, a last mini-batch of one, autodiff, and a look inside."""
    settings = {"batch_size": 3, "gradient": fnn.autodiff, "monitor": True}
    return fitted(some(40), **settings), fitted(fnn.spread(some(40)), **settings)


def clipped_gradient() -> tuple[Any, Any]:
    """B that eight devices do not divide, a gradient of the user's own, and validation examples spread by hand."""
    settings = {"batch_size": 33, "gradient": clipped}
    on_one = fitted(some(70), validation=some(20), **settings)
    return on_one, fitted(fnn.spread(some(70)), validation=fnn.spread(some(20)), **settings)


def images() -> tuple[Any, Any]:
    """Shifted images, a convolution, pooling and Maxout; B that eight devices do not divide."""
    net = (Conv(2, 3), ReLU(), MaxPool(2), Flatten(), Maxout(4, 2), Dense(3))
    shifted, settings = Shifted(some(9, (1, 6, 6))), {"validation": some(7, (1, 6, 6)), "epochs": 1}
    return fitted(shifted, net, **settings), fitted(fnn.spread(shifted), net, **settings)


def by_hand() -> tuple[Any, Any]:
    """`epoch` and `evaluate`, called by the user, with params that are nowhere in particular."""
    params = fnn.init(NET, jax.random.key(0), (WIDTH,))

    def trained(train: Any) -> Any:
        after, _ = fnn.epoch(NET, COST, SGD(0.5), params, (), train, jax.random.key(1), batch_size=10)
        return after, fnn.evaluate(NET, COST, after, train), fnn.evaluate(NET, COST, params, train)

    return trained(some(43)), trained(fnn.spread(some(43)))


def collectives() -> tuple[Any, Any]:
    """Of the programs that train: the kinds of exchange beside all-reduce, and the most and fewest in a mini-batch."""
    net, found = (Dense(mini_batches.BLOCK_UNITS), Sigmoid(), Dense(3)), []  # takes blocks of steps on one device
    for batch_size in (8, 33, 64, 128):
        train = fnn.spread(some(5 * batch_size + 3, (500,)))
        params, key = beside(train, (fnn.init(net, jax.random.key(0), (500,)), jax.random.key(1)))
        order, rule = of_epoch(key, 1, train.n), Rule(net, COST, SGD(0.5), backprop, batch_size)
        if batch_size == 8:
            program = fnn.epoch.lower(net, COST, SGD(0.5), params, (), train, key, batch_size=batch_size)
        else:
            program = segments.segment.lower(rule, params, (), train, order, 0, 1)
        found.append(exchanges(program.compile().as_text()))
    return [np.array([0, 1, 1])] * len(found), found


def exchanges(program: str) -> np.ndarray:
    """How many exchanges are no all-reduce, and the most and fewest all-reduces in a function that has some."""
    kinds = r"= .* (all-reduce|all-gather|all-to-all|collective-permute|reduce-scatter|collective-broadcast)(-start)?\("
    each = [re.findall(kinds, text) for text in program.split("\n}")]
    counts = [len(found) for found in each if found]
    return np.array([sum(kind != "all-reduce" for found in each for kind, _ in found), max(counts), min(counts)])


class Slow(Stored):
    """A file that is read slowly, by the later processes more slowly, and counts the rows that are read."""

    rows = 0

    def blocks(self):
        """As they are, after a while."""
        time.sleep(0.03 * jax.process_index())
        for places, rows in super().blocks():
            Slow.rows += len(rows)
            yield places, rows


def file() -> tuple[Any, Any]:
    """Examples in a file, several windows of several mini-batches, of which a process reads its own rows alone.

    The clocks of the processes say different times, so that `Pace` alone would let them run different segments.
    """
    n, batch_size, streaming.WAIT_SECONDS, timed = 2403, 16, 0.01, fitting._timed

    def disagreeing(*program: Any) -> tuple[float, Any]:
        seconds, outputs = timed(*program)
        PROGRAMS.append(program[0].__name__)
        return seconds + 2 * jax.process_index(), outputs

    with tempfile.TemporaryDirectory() as folder:
        examples, path = some(n), Path(folder) / "x.npy"
        np.save(path, examples.x)
        slow = Slow(**vars(stored(path, 3.0 * 1100 * WIDTH)))
        settings = {"batch_size": batch_size, "eta": 0.1, "mu": 0.9}
        on_one, fitting._timed = fitted(examples, **settings), disagreeing
        found = fitted(fnn.spread(examples._replace(x=slow)), **settings)
        fitting._timed = timed
    # each of two epochs reads all rows twice: to train and to evaluate
    most = 2 * 2 * (n / jax.process_count() + batch_size)
    assert Slow.rows <= most, f"{Slow.rows} rows read, expected at most {most}"
    return on_one, found


def divergence() -> tuple[Any, Any]:
    """The step and the reason are found on one process's own copies."""
    examples = some(40)
    examples = examples._replace(y=examples.y.astype(np.float32))
    examples.y[13, 1] = np.nan
    said = []
    for train in (examples, fnn.spread(examples)):
        try:
            fitted(train)
        except fnn.DivergedError as error:
            said.append(np.frombuffer(str(error).encode(), np.uint8).astype(np.float32))
    return tuple(said)


def swept(train: Any, key: Any, m: int) -> Any:
    """The last result of a sweep of m networks."""
    params = jax.vmap(lambda key: fnn.init(NET, key, (WIDTH,)))(jax.random.split(jax.random.key(0), m))
    optimizer = SGD(jnp.linspace(0.1, 0.5, m), 0.5)
    *_, last = fnn.sweep(NET, COST, optimizer, params, train, key, batch_size=10, epochs=2, validation=some(20))
    return last.params, last.v, last.train, last.validation


def sweep() -> tuple[Any, Any]:
    """Networks that the devices do not divide, with an order each."""
    keys, one = jax.random.split(jax.random.key(1), 3), fnn.spread(some(43), jax.local_devices()[:1])
    return swept(one, keys, 3), swept(some(43), keys, 3)


def seven() -> tuple[Any, Any]:
    """Seven networks, with an order each and with one for all."""
    keys, one = jax.random.split(jax.random.key(1), 7), fnn.spread(some(43), jax.local_devices()[:1])
    on_one, found = ([swept(train, key, 7) for key in (keys, keys[0])] for train in (one, some(43)))
    return on_one, found


def continued() -> tuple[Any, Any]:
    """A training goes on from a result, on other devices than it began."""
    params, train = fnn.init(NET, jax.random.key(0), (WIDTH,)), some(43)
    settings = {"batch_size": 10, "epochs": 1}
    mine = [device for device in jax.devices() if device.id % 2 == 0]  # of every process

    def trained(first: Any, second: Any) -> Any:
        *_, result = fnn.fit(NET, COST, SGD(0.1, 0.9), params, first, jax.random.key(1), **settings)
        *_, result = fnn.fit(
            NET, COST, SGD(0.1, 0.9), result.params, second, jax.random.key(1), start=result.start, **settings
        )
        return result.params, result.v, result.train

    return trained(train, train), trained(fnn.spread(train), fnn.spread(train, mine))


CASES: dict[str, Callable[[], tuple[Any, Any]]] = {
    case.__name__: case
    for case in (b_64, b_3, clipped_gradient, images, by_hand, collectives, file, divergence, sweep, seven, continued)
}


def bits(tree: Any) -> list[bytes]:
    """The bytes of every array."""
    return [np.asarray(leaf).tobytes() for leaf in jax.tree.leaves(tree)]


def difference(expected: Any, found: Any) -> float:
    """The largest difference in any array, relative to the largest number in it; nan only where both are."""
    largest = 0.0
    for a, b in zip(jax.tree.leaves(expected), jax.tree.leaves(found), strict=True):
        a, b = np.asarray(a, np.float64), np.asarray(b, np.float64)
        assert a.shape == b.shape
        assert (np.isnan(a) == np.isnan(b)).all()
        a, b = np.nan_to_num(a), np.nan_to_num(b)
        largest = max(largest, abs(a - b).max(initial=0.0) / (abs(a).max(initial=0.0) or 1.0))
    return float(largest)


def together(processes: int, devices: int, names: Sequence[str]) -> list[dict[str, dict[str, Any]]]:
    """What each of so many processes prints, of so many devices each."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = os.environ | {"JAX_NUM_CPU_DEVICES": str(devices), "JAX_PLATFORMS": "cpu"}
    command = [sys.executable, "-m", "tests.helpers.spread_cases", *names]
    commands = [[*command, "--", str(port), str(processes), str(i)] for i in range(processes)]
    commands = [command] if processes == 1 else commands
    started = [subprocess.Popen(c, env=environment, stdout=-1, stderr=-1, text=True) for c in commands]
    with contextlib.ExitStack() as stack:
        for process in started:
            stack.enter_context(process)
            stack.callback(process.kill)
        said = [process.communicate(timeout=SECONDS * (1 + len(names))) for process in started]
    for process, (_, errors) in zip(started, said, strict=True):
        assert process.returncode == 0, errors[-3000:]
    return [json.loads(out.splitlines()[-1]) for out, _ in said]  # before it, gloo has its say


def main(arguments: Sequence[str]) -> None:
    """Run the cases that are named; all without a name."""
    names, where = (list(part.split()) for part in (" ".join(arguments) + " ").partition("--")[::2])
    if where:
        port, count, index = where
        jax.config.update("jax_enable_preemption_service", False)
        jax.distributed.initialize(f"127.0.0.1:{port}", int(count), int(index), initialization_timeout=60)
    try:
        found = {name: compared(*CASES[name]()) for name in names or CASES}
    except BaseException:
        traceback.print_exc()
        sys.stderr.flush()
        os._exit(1)  # Python's exit would wait for the others, and they for this one
    print(json.dumps(found))


def compared(on_one: Any, on_several: Any) -> dict[str, Any]:
    """What is printed of a case."""
    digest = hashlib.sha256(b"".join(bits(on_several)) + repr(PROGRAMS).encode()).hexdigest()
    return {"difference": difference(on_one, on_several), "digest": digest}


if __name__ == "__main__":
    main(sys.argv[1:])
