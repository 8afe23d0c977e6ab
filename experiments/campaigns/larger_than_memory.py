"""How time and memory grow with the number of examples, in memory and from a file.

    python -m experiments.campaigns.larger_than_memory [EXAMPLES]

The net is [784,30,10] with sigmoids and mini-batches of 10; an example is 784 random bytes in an `.npy` file in a
temporary folder. Each line is a process of its own. The time per example is that of the second epoch with its
evaluation of the training set. The memory is the peak of the process minus that of the first line, over the bytes of
all inputs.

Seen on two cores of a shared virtual machine with Python 3.11, JAX 0.10.1, 1,000,000 examples, 1.2 GB of disk; in
brackets on one core (`taskset -c 0`). The params of the last three lines are the same:

                                           µs of the processor   µs of the clock      memory
    in memory, 1,000 examples                       9.1 (6.4)          8.6 (6.4)           0
    in memory, 10,000 examples                      4.8 (3.3)          4.6 (3.3)    0.015 (0.012)
    in memory, 100,000 examples                     4.5 (3.0)          4.0 (3.0)    0.109 (0.105)
    in memory, 1,000,000 examples                   4.3 (3.2)          3.7 (3.2)    1.061 (1.048)   0.03: labels, order
    from the file, memory = 1/2 of it               9.0 (6.3)          6.4 (6.3)    0.599 (0.575)
    from the file, memory = 1/8 of it               8.8 (6.0)          5.6 (6.0)    0.446 (0.303)   and freed windows

For small sets the start of each part of an epoch takes a large share; from 100,000 examples on, the time is linear.
Reading from the page cache and copying take about as much processor time again as this small net. The second core
hides a part of it: by the clock it takes 1.5 to 1.7 times as long as in memory, on one core 1.9 to 2.0 times.
"""

import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

ROW, GIB = 784, 2**30


def write(folder, n):
    """`n` random inputs and labels, a part at a time."""
    rng = np.random.default_rng(0)
    header = {"descr": "|u1", "fortran_order": False, "shape": (n, ROW)}
    with open(folder / f"x{n}.npy", "wb") as file:
        np.lib.format.write_array_header_1_0(file, header)
        for i in range(0, n, 10_000):
            file.write(rng.bytes(ROW * min(10_000, n - i)))
    np.save(folder / f"y{n}.npy", rng.integers(0, 10, n).astype(np.uint8))


def child(folder, n, memory):
    """Train two epochs; print the two times of the second, the peak of the memory, and a sum of the params."""
    import jax

    import fnn

    net, cost = (fnn.Dense(30), fnn.Sigmoid(), fnn.Dense(10)), fnn.Quadratic()
    data = fnn.load_data(f"{folder}/x{n}.npy", y=f"{folder}/y{n}.npy", memory=memory, scale=1 / 255)
    params = fnn.init(net, jax.random.key(0), data.shape)
    clock = []
    for result in fnn.fit(net, cost, fnn.SGD(0.1), params, data.train, jax.random.key(1), batch_size=10, epochs=2):
        params = result.params
        clock.append((time.process_time(), time.perf_counter()))
    peak = 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(json.dumps([*np.subtract(clock[1], clock[0]), peak, float(np.asarray(params[0].W, np.float64).sum())]))


def main(n):
    """Print a Markdown table."""
    sizes, parts = (n // 1000, n // 100, n // 10, n), (2, 8)
    lines = {f"in memory, {k:,} examples": (k, 1e3) for k in sizes}
    lines |= {f"from the file, memory = 1/{part} of it": (n, n * ROW / GIB / part) for part in parts}
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        for k in sizes:
            write(Path(folder), k)
        for name, words in lines.items():
            command = [sys.executable, "-m", __spec__.name, "--child", folder, *map(str, words)]
            found[name] = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
    same = len({found[name][3] for name, (k, _) in lines.items() if k == n}) == 1
    print(f"the same params in memory and from the file: {same}")
    print("| | µs of the processor | µs of the clock | peak memory |\n|---|---|---|---|")
    floor = found[next(iter(lines))][2]
    for name, (k, _) in lines.items():
        processor, clock, peak, _ = found[name]
        print(f"| {name} | {processor / k * 1e6:.1f} | {clock / k * 1e6:.1f} | {(peak - floor) / (n * ROW):.3f} |")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--child"]:
        child(sys.argv[2], int(sys.argv[3]), float(sys.argv[4]))
    else:
        main(int(sys.argv[1]) if sys.argv[1:] else 1_000_000)
