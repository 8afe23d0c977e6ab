"""How fast `fnn` is beside what a user could pick instead, and beside what the machine can do.

    python -m experiments.benchmark                    everything, in about fifteen minutes on two cores
    python -m experiments.benchmark brief FOLDER       fewer rounds and images, more networks at once: for a GPU
    python -m experiments.benchmark quick FOLDER       two minutes, to see that all is there; its numbers are noise
    python -m experiments.benchmark --awake            the same with cores that do not sleep (`fnn.awake`), for everyone

Run it from the root of the checkout, on a quiet machine, in an environment made with `pip install --group bench -e .`.
A contestant that is not installed is left out, and a line says so. Each contestant first proves that it computes the
update of `fnn`. Then all are timed in turns, round after round. The tables are printed and written as `benchmark.md`,
every sample as `benchmark.json`, and a picture as `benchmark.png`, into FOLDER (`results` in this folder, or
`results/awake`). `--cases step wide` measures these cases alone, with a FOLDER of their own. `FNN_DATA_DIR` names the
folder that has MNIST; without it the images are random bytes of the same shape.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import platform
from collections.abc import Iterable, Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import jax

import fnn
from experiments.benchmark import by_c, by_fnn, report
from experiments.benchmark.cases import CASES, PRESETS, Preset, cases
from experiments.benchmark.measuring import measured
from experiments.benchmark.tasks import Data, Task, images, small_net, wide_net
from fnn.machine.hardware import cores, processor
from fnn.plots import curves
from fnn.storage.files import write_atomically
from fnn.storage.json_files import write_json

PACKAGES = ("fnn", "jax", "jaxlib", "numpy", "torch", "scikit-learn", "flax", "equinox", "optax")
RESULTS = Path(__file__).with_name("results")


def main() -> None:
    """Measure, write, print."""
    parser = argparse.ArgumentParser(prog="python -m experiments.benchmark", description=__doc__.splitlines()[0])
    parser.add_argument("preset", nargs="?", choices=PRESETS, default="full", help="how much to measure")
    parser.add_argument("folder", nargs="?", type=Path, help=f"for the results, {RESULTS.name} here")
    parser.add_argument("--awake", action="store_true", help="let no idle core sleep, as fnn run --awake")
    parser.add_argument(
        "--cases", nargs="+", choices=CASES, metavar="CASE", help=f"only these of {', '.join(CASES)}, in this order"
    )
    chosen = parser.parse_args()
    if not chosen.folder and (chosen.preset != "full" or chosen.cases):
        parser.error("a part needs a FOLDER of its own, since the results here are of everything: add one.")
    folder = chosen.folder or (RESULTS / "awake" if chosen.awake else RESULTS)
    jax.config.update("jax_num_cpu_devices", cores())  # as `fnn sweep` does; nothing else here uses several devices
    folder.mkdir(parents=True, exist_ok=True)
    with contextlib.ExitStack() as after:
        if chosen.awake:
            try:
                after.enter_context(fnn.awake())
            except fnn.InputError as error:
                parser.error(str(error))
        for results in run(chosen.preset, chosen.awake, chosen.cases or CASES):  # a stop keeps the cases so far
            write_json(folder / "benchmark.json", results)
            write_atomically(folder / "benchmark.md", (report.page(results) + "\n").encode())
    print("\n" + report.page(results))
    _draw(results, folder / "benchmark.png")


def run(name: str, awake: bool, chosen: Iterable[str]) -> Iterator[dict[str, Any]]:
    """After each case all results so far: what they depend on, the cases measured, and in the end the memory."""
    preset = PRESETS[name]
    data, source = images(max(preset.step_images, 128 * preset.wide_steps))
    results: dict[str, Any] = {
        "preset": name,
        "images": source,
        "machine": machine() | {"awake": awake, "floor": by_c.instruction_set()},
        "versions": {"python": platform.python_version()} | {name: _version(name) for name in PACKAGES},
        "cases": [],
        "memory": [],
    }
    for case in cases(preset, data, chosen):
        results["cases"].append(measured(case))
        yield results
    results["memory"] = memory(preset, data)
    yield results


def machine() -> dict[str, Any]:
    """Where this runs."""
    return {
        "processor": processor() or platform.machine(),
        "system": f"{platform.system()} {platform.machine()}",
        "cores": cores(),
        "devices": sorted({str(device.device_kind) for device in jax.devices()}),
        "load": os.getloadavg(),
        "environment": {name: value for name, value in os.environ.items() if name in ("XLA_FLAGS", "OMP_NUM_THREADS")},
    }


def memory(preset: Preset, data: Data) -> list[dict[str, Any]]:
    """The bytes of the data, and those that an epoch needs by each gradient, as the compiler counts them."""
    small = [_memory("[784, 30, 10]", small_net(data), n) for n in preset.sizes]
    return [*small, _memory("[784, 800, 800, 10]", wide_net(data), 50_000)]


def _memory(name: str, task: Task, n: int) -> dict[str, Any]:
    row = {"net": name, "examples": n, "stored": n * (task.data.x[0].nbytes + task.data.y[0].nbytes)}
    gradients = {"backprop": fnn.backprop, "autodiff": fnn.autodiff}
    return row | {name: by_fnn.working_bytes(task, n, gradient) for name, gradient in gradients.items()}


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "absent"


def _draw(results: dict[str, Any], path: Path) -> None:
    if not curves.available():
        print(f"\n{curves.MISSING}")
        return
    from experiments.benchmark.picture import draw

    draw(results, path)


if __name__ == "__main__":
    main()
