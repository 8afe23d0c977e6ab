"""The cases: which contestants train what, how often, and the unit of the results."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import product
from typing import NamedTuple

from experiments.benchmark import contestants as who
from experiments.benchmark import products
from experiments.benchmark.contestants import Contestant
from experiments.benchmark.tasks import Data, Task, conv_net, flops, resized, small_net, wide_net


class Preset(NamedTuple):
    """How much to measure; an epoch is long enough for a clock, and short enough for many rounds."""

    rounds: int  # of the step and of the wide net
    fewer_rounds: int  # of the sweep and of growth
    step_images: int
    wide_steps: int  # in an epoch of the wide net
    conv_images: int
    sweep_images: int
    networks: int  # of the sweep
    sizes: tuple[int, ...]  # growth in data: numbers of examples
    widths: tuple[int, ...]  # of the hidden layer
    depths: tuple[int, ...]  # numbers of hidden layers of 30
    crowds: tuple[int, ...]  # numbers of networks trained together
    growth_images: int  # for width, depth and crowds
    budget: float  # seconds after which a case begins no new round
    start_rounds: int  # of whole processes


PRESETS = {
    "full": Preset(
        15, 7, 50_000, 50, 1_280, 3_000, 32, (1_000, 10_000, 100_000, 1_000_000),
        (10, 30, 100, 300, 1000), (1, 2, 4, 8, 16), (1, 4, 16, 64, 256), 2_000, 40.0, 5,
    ),
    "brief": Preset(
        5, 5, 20_000, 100, 1_280, 1_000, 32, (1_000, 10_000, 100_000, 1_000_000),
        (10, 30, 100, 300, 1000), (1, 2, 4, 8, 16), (1, 16, 256, 1024, 4096), 2_000, 5.0, 3,
    ),
    "quick": Preset(
        3, 3, 2_000, 3, 128, 100, 32, (1_000, 10_000),
        (10, 30, 100), (1, 2, 4), (1, 32, 256), 200, 20.0, 1,
    ),
}  # fmt: skip


class Entry(NamedTuple):
    """One thing to time."""

    contestant: Contestant
    tasks: Sequence[Task]
    units: float  # of work in an epoch: steps, steps of all networks, examples
    value: int = 0  # on the axis along which a case grows
    flops: float = 0.0  # per unit
    trains: bool = True  # and must therefore compute what `fnn` computes


class Case(NamedTuple):
    """Entries that are timed in turns."""

    name: str
    title: str
    unit: str
    per_second: float  # how many of the unit's time in a second
    rounds: int
    budget: float  # seconds
    entries: Sequence[Entry]


def step(preset: Preset, data: Data) -> Case:
    """The small net on all images."""
    task = small_net(resized(data, preset.step_images))
    entries = [Entry(c, [task], steps(task)) for c in who.STEP]
    title = f"One step: [784, 30, 10], mini-batch 10, {task.data.n:,} images"
    return Case("step", title, "µs per step", 1e6, preset.rounds, preset.budget, entries)


def wide(preset: Preset, data: Data) -> Case:
    """The wide net, beside bare matrix products."""
    task = wide_net(resized(data, 128 * preset.wide_steps))
    entries = [Entry(c, [task], steps(task), flops=flops(task)) for c in who.WIDE]
    bare = [Entry(c, [task], products.TIMES, flops=products.FLOPS, trains=False) for c in who.PRODUCTS]
    title = "Wide: [784, 800, 800, 10], ReLU, softmax, mini-batch 128"
    return Case("wide", title, "ms per step", 1e3, preset.rounds, preset.budget, [*entries, *bare])


def convolution(preset: Preset, data: Data, *, filters: tuple[int, ...], batch_size: int) -> Case:
    """One or two layers of shared filters in front of 100 sigmoid neurons."""
    images = resized(data, preset.conv_images // batch_size * batch_size)
    task = conv_net(images, filters, batch_size=batch_size)
    entries = [Entry(c, [task], images.n) for c in who.CONVOLUTION]
    title = f"Filters: [{', '.join(map(str, filters))}] of 5 x 5, pools, 100 neurons, mini-batch {batch_size}"
    return Case("convolution", title, "µs per example", 1e6, preset.rounds, preset.budget, entries)


def sweep(preset: Preset, data: Data) -> Case:
    """Many small nets that differ in eta and start."""
    tasks = grid(resized(data, preset.sweep_images), preset.networks)
    work = sum(map(steps, tasks))
    title = f"Sweep: {preset.networks} networks [784, 30, 10] of several eta and starts"
    paired = [Entry(c, tasks, work) for c in who.PAIRED]
    single = [Entry(c, with_own_orders(tasks), work) for c in who.SINGLE]
    return Case("sweep", title, "µs per network and step", 1e6, preset.fewer_rounds, preset.budget, [*paired, *single])


def with_own_orders(tasks: Sequence[Task]) -> list[Task]:
    """The same tasks, each with a stream of its own, so that each network has its own order."""
    return [task._replace(stream=1_000 * i) for i, task in enumerate(tasks)]


def grid(data: Data, networks: int) -> list[Task]:
    """Tasks of four learning rates, each with several starts."""
    points = product(range(-(-networks // 4)), (0.5, 1.0, 2.0, 4.0))
    return [small_net(data, seed, eta=eta) for seed, eta in points][:networks]


def steps(task: Task) -> int:
    """Mini-batches in an epoch."""
    return task.data.n // task.batch_size


def growth_in_data(preset: Preset, data: Data) -> Case:
    """The small net on more and more images; per example, so that linear growth is a level line."""
    tasks = [(n, small_net(resized(data, n))) for n in preset.sizes]
    entries = [Entry(c, [task], n, n) for n, task in tasks for c in (who.BACKPROP, who.AUTODIFF)]
    return Case(
        "data", "Growth: number of examples", "µs per example", 1e6, preset.fewer_rounds, preset.budget, entries
    )


def growth_in_width(preset: Preset, data: Data) -> Case:
    """One hidden layer, wider and wider."""
    images = resized(data, preset.growth_images)
    tasks = [(k, small_net(images, widths=(784, k, 10))) for k in preset.widths]
    entries = [Entry(c, [task], steps(task), k, flops(task)) for k, task in tasks for c in who.GROWING]
    return Case("width", "Growth: hidden units", "µs per step", 1e6, preset.fewer_rounds, preset.budget, entries)


def growth_in_depth(preset: Preset, data: Data) -> Case:
    """More and more hidden layers of 30."""
    images = resized(data, preset.growth_images)
    tasks = [(k, small_net(images, widths=(784, *[30] * k, 10), eta=0.1)) for k in preset.depths]
    entries = [Entry(c, [task], steps(task), k, flops(task)) for k, task in tasks for c in who.GROWING]
    return Case("depth", "Growth: hidden layers of 30", "µs per step", 1e6, preset.fewer_rounds, preset.budget, entries)


def growth_in_networks(preset: Preset, data: Data) -> Case:
    """More and more networks in one program."""
    images = resized(data, preset.growth_images)
    fields = [(m, grid(images, m)) for m in preset.crowds]
    paired = [Entry(c, tasks, sum(map(steps, tasks)), m) for m, tasks in fields for c in who.PAIRED]
    apart = [Entry(who.SWEEP_ORDERS, with_own_orders(e.tasks), e.units, e.value) for e in paired[:: len(who.PAIRED)]]
    entries = sorted([*paired, *apart], key=lambda entry: entry.value)
    title = "Growth: networks trained together"
    return Case("networks", title, "µs per network and step", 1e6, preset.fewer_rounds, preset.budget, entries)


CASES: Mapping[str, Sequence[Callable[[Preset, Data], Case]]] = {
    "step": [step],
    "wide": [wide],
    "convolution": [partial(convolution, filters=f, batch_size=b) for f, b in product(((20,), (20, 40)), (10, 64))],
    "sweep": [sweep],
    "data": [growth_in_data],
    "width": [growth_in_width],
    "depth": [growth_in_depth],
    "networks": [growth_in_networks],
}


def cases(preset: Preset, data: Data, names: Iterable[str]) -> Iterator[Case]:
    """The cases with these names, in the order of the names; each is made when its turn has come."""
    return (make(preset, data) for name in names for make in CASES[name])
