"""`fnn sweep`: the networks of a config's grid, trained in turns that fit the memory, and kept in one directory."""

from __future__ import annotations

import csv
import io
import itertools
import math
from collections.abc import Generator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from fnn.config.sections import GRADIENTS, Config
from fnn.data import Dataset
from fnn.errors import InputError
from fnn.machine.hardware import memory
from fnn.network import activations, init
from fnn.optimizers import SGD, is_weight
from fnn.runs import directory, preparing
from fnn.runs.grid import Member, members, widened
from fnn.runs.models import network_table, save_params
from fnn.runs.preparing import Prepared
from fnn.storage.files import write_atomically
from fnn.storage.json_files import write_json
from fnn.training.epochs import at_once
from fnn.training.sweeping import SweepResult, sweep
from fnn.types import Key, Net, Params


class Turn(NamedTuple):
    """Networks of one shape that are trained together."""

    net: Net
    members: tuple[Member, ...]


class Track(NamedTuple):
    """One network and its metrics so far, one table per epoch; a number that is not finite says that it diverged."""

    member: Member
    metrics: list[dict[str, float]]
    diverged: int  # the epoch in which it was first seen to be; 0: it was not


def turns(config: Config, shape: tuple[int, ...]) -> list[Turn]:
    """The grid cut into turns: one shape each, and no more networks than the config's memory holds.

    Raises:
        InputError: a network has no parameters, or does not fit into this machine's memory.
    """
    result = []
    for units, group in itertools.groupby(members(config), key=lambda member: member.point.units):
        net, rest = widened(config.network.layers, units), list(group)
        if not jax.tree.leaves(jax.eval_shape(lambda net=net: init(net, jax.random.key(0), shape))):
            raise InputError("network.layers: no layer has parameters, there is nothing to train; add a Dense.")
        needed = network_bytes(net, shape, config.training.batch_size)
        if needed > memory():
            one = f"sweep.units: a network of {units} units" if units else "network.layers: one network"
            raise InputError(
                f"{one} takes {needed / 2**30:,.0f} GiB, this machine has {memory() / 2**30:,.0f}; use fewer units."
            )
        held = max(1, int(min(len(rest), config.sweep.memory * 2**30 / needed)))
        result += [Turn(net, tuple(rest[i : i + held])) for i in range(0, len(rest), held)]
    return result


def network_bytes(net: Net, shape: tuple[int, ...], batch_size: int) -> int:
    """About the memory that one network takes: five copies of its params, and its activations, twice."""
    template = jax.eval_shape(lambda key: init(net, key, shape), jax.random.key(0))
    params = sum(leaf.size for leaf in jax.tree.leaves(template))
    x = jax.ShapeDtypeStruct((1, *shape), jnp.float32)
    one = jax.eval_shape(activations, net, template, x)
    return 4 * (5 * params + 2 * max(at_once(one), batch_size) * sum(a.size for a in one))


def results(config: Config, data: Dataset, turn: Turn) -> Generator[SweepResult]:
    """`sweep` for one turn."""
    training = config.training
    points = [member.point for member in turn.members]
    optimizer = SGD(*(jnp.array([getattr(p, name) for p in points], jnp.float32) for name in ("eta", "mu", "lmbda")))
    if all(p.mu == 0 for p in points):
        optimizer = SGD(optimizer.eta, 0.0, optimizer.lmbda)  # no velocity
    params, keys = starts(config, data.shape, turn)
    yield from sweep(
        turn.net, config.network.cost, optimizer, params, preparing.training_set(config, data), keys,
        batch_size=training.batch_size, epochs=training.epochs, gradient=GRADIENTS[training.gradient],
        validation=data.validation, test=data.test,
    )  # fmt: skip


def starts(config: Config, shape: tuple[int, ...], turn: Turn) -> tuple[Params, Key]:
    """The initial params, leaves `(m, ...)`, and the key or the keys of the order: those of `fnn run` for the seed."""
    keys = jnp.stack([jnp.stack(preparing.keys(member.seed)) for member in turn.members])
    params = jax.vmap(lambda key: init(turn.net, key, shape))(keys[:, 0])
    scale = jnp.array([member.point.scale for member in turn.members], jnp.float32)
    params = jax.tree.map_with_path(
        lambda path, p: p * scale.reshape(-1, *[1] * (p.ndim - 1)) if is_weight(path) else p, params
    )
    return params, keys[:, 1] if config.sweep.own_orders else preparing.keys(config.seed)[1]


def tracks(turn: Turn, history: Sequence[SweepResult]) -> list[Track]:
    """What became of each network of a turn."""
    columns = [{name: np.asarray(values) for name, values in _columns(result).items()} for result in history]
    return [_track(member, columns, i) for i, member in enumerate(turn.members)]


def _columns(result: SweepResult) -> dict[str, Any]:
    parts = {part: getattr(result, part) for part in ("train", "validation", "test")}
    return {f"{part}_{name}": getattr(scores, name) for part, scores in parts.items() if scores is not None
            for name in scores._fields}  # fmt: skip


def _track(member: Member, columns: list[dict[str, np.ndarray]], i: int) -> Track:
    lines = [{name: directory.shortest(values[i]) for name, values in table.items()} for table in columns]
    bad = [epoch for epoch, line in enumerate(lines, 1) if not math.isfinite(line["train_cost"])]
    return Track(member, lines, bad[0] if bad else 0)


def keep(path: Path, prepared: Prepared, turn: Turn, last: SweepResult, first: int) -> None:
    """Each network of a turn as a folder `networks/0007` that `fnn.load` and `fnn predict` read."""
    description = directory.description(prepared)
    description["network"] = network_table(turn.net, prepared.config.network.cost)
    params = jax.tree.map(np.asarray, last.params)
    for i, member in enumerate(turn.members):
        folder = path / directory.NETWORKS / f"{first + i:04}"
        folder.mkdir(parents=True, exist_ok=True)
        write_json(folder / "config.json", description | {"member": member.point._asdict() | {"seed": member.seed}})
        save_params(folder, jax.tree.map(lambda p, i=i: p[i], params))


def write_table(path: Path, all_tracks: Sequence[Track]) -> None:
    """`sweep.csv`: one row per network, what it is and its last metrics; `curves.csv`: one per network and epoch."""
    names = list(all_tracks[0].metrics[0])
    head = ["network", *all_tracks[0].member.point._fields, "seed"]
    last: list[list[Any]] = [[*head, "epochs", "diverged_in_epoch", *names]]
    curves: list[list[Any]] = [[*head, "epoch", *names]]
    for i, track in enumerate(all_tracks):
        who = [i, *track.member.point, track.member.seed]
        last.append([*who, len(track.metrics), track.diverged or "", *track.metrics[-1].values()])
        curves += [[*who, epoch, *line.values()] for epoch, line in enumerate(track.metrics, 1)]
    write_atomically(path / "sweep.csv", _csv(last))
    write_atomically(path / "curves.csv", _csv(curves))


def _csv(rows: Sequence[Sequence[Any]]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue().encode()
