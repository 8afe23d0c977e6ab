"""How fast `fnn` is beside what a user could pick instead, and beside what the machine can do.

    python -m experiments.benchmark                    everything, in about twenty minutes on two cores
    python -m experiments.benchmark brief FOLDER       fewer rounds and images, more networks at once: for a GPU
    python -m experiments.benchmark quick FOLDER       two minutes, to see that all is there; its numbers are noise
    python -m experiments.benchmark --awake            the same with cores that do not sleep (`fnn.awake`), for everyone
    python -m experiments.benchmark --hold-to-avx2     the same on an emulated AVX2 machine: Linux, a CPU with AVX-512

Run it from the root of the checkout, on a quiet machine, in an environment made with
`pip install --group bench -e .[plots]`. A contestant that is not installed is left out, and a line says so. Each
contestant first proves that it computes the update of `fnn`. Then all are timed in turns, round after round. The case
`start` times whole processes in CPU seconds. The tables are printed and written as `benchmark.md`, every sample as
`benchmark.json`, and a picture as `benchmark.png`, into FOLDER. Without one they go into the folder of this kind of
machine in `results`, such as `results/xeon-avx512` or `results/xeon-avx512/awake`, and `results/README.md` gets a row.
`--cases start step wide` measures these cases alone, with a FOLDER of their own. `FNN_DATA_DIR` names the folder that
has MNIST; without it the images are random bytes of the same shape.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import platform
import sys
from collections.abc import Iterable, Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import jax

import fnn
from experiments.benchmark import by_c, by_fnn, holding, index, report, start
from experiments.benchmark.cases import CASES, PRESETS, Preset, cases
from experiments.benchmark.kinds import kind, vectors
from experiments.benchmark.measuring import measured
from experiments.benchmark.tasks import Data, Task, images, small_net, wide_net
from fnn.machine.hardware import cores, instructions, processor
from fnn.plots import curves
from fnn.storage.files import write_atomically
from fnn.storage.json_files import write_json

PACKAGES = ("fnn", "jax", "jaxlib", "numpy", "torch", "scikit-learn", "flax", "equinox", "optax")
START, MEMORY = "start", "memory"  # whole processes; bytes
PARTS = START, *CASES, MEMORY


def main() -> None:
    """Measure, write, print."""
    parser = argparse.ArgumentParser(prog="python -m experiments.benchmark", description=__doc__.splitlines()[0])
    parser.add_argument("preset", nargs="?", choices=PRESETS, default="full", help="how much to measure")
    parser.add_argument("folder", nargs="?", type=Path, help="for the results; that of this kind of machine, here")
    parser.add_argument("--awake", action="store_true", help="let no idle core sleep, as fnn run --awake")
    parser.add_argument("--hold-to-avx2", action="store_true", help="emulate a machine without AVX-512")
    parser.add_argument(
        "--cases", nargs="+", choices=PARTS, metavar="CASE", help=f"only these of {', '.join(PARTS)}, in this order"
    )
    chosen = parser.parse_args()
    if not chosen.folder and (chosen.preset != "full" or chosen.cases):
        parser.error("a part needs a FOLDER of its own, since the results here are of everything: add one.")
    jax.config.update("jax_num_cpu_devices", cores())  # as `fnn sweep` does; nothing else here uses several devices
    with contextlib.ExitStack() as after:
        try:
            if chosen.hold_to_avx2 and not holding.is_held():
                holding.begin_again_held(sys.argv[1:])
            if chosen.awake:
                after.enter_context(fnn.awake())
        except (fnn.InputError, RuntimeError) as error:
            parser.error(str(error))
        _measure(chosen)


def _measure(chosen: argparse.Namespace) -> None:
    folder = chosen.folder or index.RESULTS / kind(machine()) / ("awake" if chosen.awake else "")
    folder.mkdir(parents=True, exist_ok=True)
    for results in run(chosen.preset, chosen.awake, chosen.cases or PARTS):  # a stop keeps the cases so far
        write_json(folder / "benchmark.json", results)
        write_atomically(folder / "benchmark.md", (report.page(results) + "\n").encode())
    print("\n" + report.page(results))
    if results["cases"]:
        _draw(results, folder / "benchmark.png")
    if index.RESULTS in folder.absolute().parents:
        index.write(index.RESULTS)


def run(name: str, awake: bool, chosen: Iterable[str]) -> Iterator[dict[str, Any]]:
    """After each of the chosen parts all results so far, and what they depend on."""
    preset = PRESETS[name]
    data, source = images(max(preset.step_images, 128 * preset.wide_steps))
    results: dict[str, Any] = {
        "preset": name,
        "images": source,
        "machine": machine() | {"awake": awake, "floor": by_c.instruction_set()},
        "versions": {"python": platform.python_version()} | {name: _version(name) for name in PACKAGES},
        "start": {},
        "cases": [],
        "memory": [],
    }
    for part in chosen:
        if part == START:
            results["start"] = start.measured(preset.start_rounds)
        elif part == MEMORY:
            results["memory"] = memory(preset, data)
        else:
            for case in cases(preset, data, [part]):
                results["cases"].append(measured(case))
                yield results
        yield results


def machine() -> dict[str, Any]:
    """Where this runs."""
    return {
        "processor": processor() or platform.machine(),
        "vectors": vectors(instructions()),
        "held": holding.is_held(),
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
