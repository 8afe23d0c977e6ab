"""`fnn sweep`: the networks of a config's grid, trained in groups that fit into memory, and kept in one directory."""

from __future__ import annotations

import csv
import io
import itertools
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from fnn.config.sections import GRADIENTS, Config
from fnn.errors import InputError
from fnn.machine.hardware import memory
from fnn.network import activations, init
from fnn.optimizers import SGD, is_weight
from fnn.runs import directory, metrics, preparing
from fnn.runs.file_names import NETWORKS
from fnn.runs.grid import Member, members, widened
from fnn.runs.model_tables import network_table
from fnn.runs.models import save_params
from fnn.runs.preparing import Prepared
from fnn.runs.sweep_keeper import Columns
from fnn.storage.files import write_atomically
from fnn.storage.json_files import write_json
from fnn.training.spreading import spread
from fnn.training.sweeping import SweepResult
from fnn.training.tasks import Task
from fnn.training.totals import rows_at_once
from fnn.types import Key, Net, Params


class Group(NamedTuple):
    """Networks of one shape that are trained together."""

    net: Net
    members: tuple[Member, ...]


class Track(NamedTuple):
    """One network and its metrics of each epoch so far; after it has diverged they are not finite."""

    member: Member
    metrics: list[dict[str, float]]
    diverged: int  # the first epoch after which the training cost is not finite; 0 if there is none


def groups(config: Config, shape: tuple[int, ...]) -> list[Group]:
    """The grid cut into groups, each of one shape and of no more networks than fit into `sweep.memory`.

    Raises:
        InputError: a network has no parameters, or does not fit into this machine's memory.
    """
    result = []
    for units, same_width in itertools.groupby(members(config), key=lambda member: member.point.units):
        net, rest = widened(config.network.layers, units), list(same_width)
        if not jax.tree.leaves(jax.eval_shape(lambda net=net: init(net, jax.random.key(0), shape))):
            raise InputError("network.layers: no layer has parameters, there is nothing to train; add a Dense.")
        needed = network_bytes(net, shape, config.training.batch_size)
        if needed > memory():
            one = f"sweep.units: a network of {units} units" if units else "network.layers: one network"
            raise InputError(
                f"{one} takes {needed / 2**30:,.0f} GiB, this machine has {memory() / 2**30:,.0f}; use fewer units."
            )
        held = max(1, int(min(len(rest), config.sweep.memory * 2**30 / needed)))
        result += [Group(net, tuple(rest[i : i + held])) for i in range(0, len(rest), held)]
    return result


def network_bytes(net: Net, shape: tuple[int, ...], batch_size: int) -> int:
    """About the memory that one network takes: five copies of its params and two of its activations."""
    template = jax.eval_shape(lambda: init(net, jax.random.key(0), shape))
    params = sum(leaf.size for leaf in jax.tree.leaves(template))
    x = jax.ShapeDtypeStruct((1, *shape), jnp.float32)
    one = jax.eval_shape(activations, net, template, x)
    return 4 * (5 * params + 2 * max(rows_at_once(one), batch_size) * sum(a.size for a in one))


def task(prepared: Prepared, group: Group) -> tuple[Task, Params]:
    """What to train for one group, and the initial params."""
    config, data, training = prepared.config, prepared.data, prepared.config.training
    train = preparing.training_set(config, data)
    points = [member.point for member in group.members]
    numbers = np.array([(p.eta, p.mu, p.lmbda) for p in points], np.float32).T
    optimizer = SGD(*map(jax.device_put, numbers))
    if all(p.mu == 0 for p in points):
        optimizer = SGD(optimizer.eta, 0.0, optimizer.lmbda)  # with the number 0 it keeps no velocity
    params, keys = starts(config, data.shape, group)
    return Task(
        net=group.net,
        cost=config.network.cost,
        optimizer=optimizer,
        train=train if prepared.devices is None else spread(train, prepared.devices),
        key=keys,
        batch_size=training.batch_size,
        epochs=training.epochs,
        gradient=GRADIENTS[training.gradient],
        validation=data.validation,
        test=data.test,
        measure=preparing.measure(config, data),
    ), params


def starts(config: Config, shape: tuple[int, ...], group: Group) -> tuple[Params, Key]:
    """The initial params of m networks, leaves `(m, ...)`, and the key of the order, or m keys for `own_orders`.

    They are those of `fnn run` with the seed of each network; one order for all is that of the config's seed.
    """
    drawn = [_start(group.net, shape, member) for member in group.members]
    params = jax.tree.map(lambda *leaves: np.stack(leaves), *[params for params, _ in drawn])
    keys = jax.random.wrap_key_data(jax.device_put(np.stack([jax.random.key_data(key) for _, key in drawn])))
    return params, keys if config.sweep.own_orders else preparing.keys(config.seed)[1]


def _start(net: Net, shape: tuple[int, ...], member: Member) -> tuple[Params, Key]:
    """The initial params of one network, in NumPy, and the key of its training."""
    k_params, k_training = preparing.keys(member.seed)
    scale = np.float32(member.point.scale)
    params = jax.tree.map_with_path(
        lambda path, p: np.asarray(p) * scale if is_weight(path) else np.asarray(p), init(net, k_params, shape)
    )
    return params, k_training


def columns(result: SweepResult) -> Columns:
    """The measures of all networks after an epoch, by their names in `metrics.jsonl`."""
    parts = {part: getattr(result, part) for part in ("train", "validation", "test")}
    measured = [(part, scores) for part, scores in parts.items() if scores is not None]
    return {
        f"{part}_{name}": [metrics.shortest(x) for x in np.asarray(getattr(scores, name))]
        for part, scores in measured
        for name in scores._fields
    }


def tracks(group: Group, history: Sequence[Columns]) -> list[Track]:
    """The track of each network of a group, from the `columns` of its epochs."""
    return [
        _track(member, [{name: numbers[i] for name, numbers in table.items()} for table in history])
        for i, member in enumerate(group.members)
    ]


def _track(member: Member, lines: list[dict[str, float]]) -> Track:
    bad = [epoch for epoch, line in enumerate(lines, 1) if not math.isfinite(line["train_cost"])]
    return Track(member, lines, bad[0] if bad else 0)


def write_networks(path: Path, prepared: Prepared, group: Group, params: Params, first: int) -> None:
    """Write each network of a group into a folder `networks/0007`, which `fnn.load` and `fnn predict` read.

    Args:
        path: The directory of the sweep.
        prepared: The sweep's config with its data.
        group: The networks.
        params: After their last epoch, leaves `(m, ...)`.
        first: The number of the group's first network in the sweep.
    """
    description = directory.description(prepared)
    description["network"] = network_table(group.net, prepared.config.network.cost)
    params = jax.tree.map(np.asarray, params)
    for i, member in enumerate(group.members):
        folder = path / NETWORKS / f"{first + i:04}"
        folder.mkdir(parents=True, exist_ok=True)
        write_json(folder / "config.json", description | {"member": member.point._asdict() | {"seed": member.seed}})
        save_params(folder, jax.tree.map(lambda p, i=i: p[i], params))


def write_table(path: Path, all_tracks: Sequence[Track]) -> None:
    """Write `sweep.csv`, a row per network with its last metrics, and `curves.csv`, a row per network and epoch."""
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
