"""One process that trains an epoch on a file, for `trainings.file`: FOLDER N GIB [PORT PROCESSES RANK]. Prints JSON."""

import json
import resource
import sys

import jax
import numpy as np

import fnn
from fnn.data.on_disk import Stored

B = 1000
read = []  # the numbers of rows


def counted(self, file, rows, as_ever=Stored._read):
    """As ever, and the rows are counted."""
    read.append(len(rows))
    return as_ever(self, file, rows)


def main(folder, n, memory, *where):
    """Train, and print the peak of the memory in bytes, the rows read for each of the two passes, and the params."""
    if where:
        port, count, index = where
        jax.config.update("jax_enable_preemption_service", False)
        jax.distributed.initialize(f"127.0.0.1:{port}", int(count), int(index))
    Stored._read = counted
    net, cost = (fnn.Dense(30), fnn.Sigmoid(), fnn.Dense(10)), fnn.Quadratic()
    data = fnn.load_data(f"{folder}/x{n}.npy", y=f"{folder}/y{n}.npy", memory=float(memory), scale=1 / 255)
    read.clear()
    params = fnn.init(net, jax.random.key(0), data.shape)
    train = fnn.spread(data.train) if where else data.train
    (last,) = fnn.fit(net, cost, fnn.SGD(0.1), params, train, jax.random.key(1), batch_size=B, epochs=1)
    peak = 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    leaves = [np.asarray(leaf).tolist() for leaf in jax.tree.leaves(last.params)]
    print(json.dumps({"peak": peak, "rows": sum(read) / 2, "params": leaves}), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
