"""How long a training step of the convolutional nets of Nielsen's chapter 6 takes, by hand and otherwise.

    python experiments/convolution_timing.py [ROUNDS]

Microseconds per example, medians over ROUNDS (15) epochs on 640 random images, in which the programs take turns, in
one process: ConvPool(20, 5, 2), sigmoid, [the same again with 40 filters,] 100 sigmoid neurons, softmax; forward,
backward and update inside one compiled scan, from bytes. PyTorch, where it is installed, runs eagerly, as most of its
users do. About a minute, most of it compilation. Only figures of one run compare: a neighbour can double them all.
"""

import statistics
import sys
import time

import jax
import jax.numpy as jnp
import numpy as np

import fnn
from fnn import SGD, Conv, ConvPool, Dense, Examples, Flatten, LogLikelihood, MaxPool, Sigmoid, autodiff, backprop

N = 640
BATCHES = (10, 64)


@fnn.static
class WindowPool(ConvPool):
    """The compiler's own convolution and pool."""

    def forward(self, params, a):
        """`conv_general_dilated`, then `reduce_window`."""
        z = jax.lax.conv_general_dilated(a, params.W, (1, 1), "VALID")
        window = (1, 1, self.pool, self.pool)
        pooled = jax.lax.reduce_window(z, -jnp.inf, jax.lax.max, window, window, "VALID")
        return pooled + params.b[None, :, None, None]


@fnn.static
class ReshapePool(ConvPool):
    """The compiler's own convolution, and the maximum over two axes of a reshaped array."""

    def forward(self, params, a):
        """`conv_general_dilated`, then `max`."""
        z = jax.lax.conv_general_dilated(a, params.W, (1, 1), "VALID")
        n, filters, height, width = z.shape
        squares = z.reshape(n, filters, height // self.pool, self.pool, width // self.pool, self.pool)
        return squares.max(axis=(3, 5)) + params.b[None, :, None, None]


def apart(filters, size, pool):
    """The two layers that ConvPool is one of."""
    return Conv(filters, size), MaxPool(pool)


def fused(kind):
    """One layer of `kind` where `apart` has two."""
    return lambda *numbers: (kind(*numbers),)


WAYS = {
    "ConvPool, by hand": (fused(ConvPool), backprop),
    "ConvPool, autodiff": (fused(ConvPool), autodiff),
    "Conv, MaxPool, by hand": (apart, backprop),
    "Conv, MaxPool, autodiff": (apart, autodiff),
    "lax convolution, reduce_window, autodiff": (fused(WindowPool), autodiff),
    "lax convolution, reshape and max, autodiff": (fused(ReshapePool), autodiff),
}


def images():
    """Random images of 8 bits and labels, `(N, 1, 28, 28)` and `(N,)`."""
    rng = np.random.default_rng(0)
    return rng.integers(0, 256, (N, 1, 28, 28), np.uint8), rng.integers(0, 10, N)


def by_fnn(convolve, gradient, filters, batch_size):
    """A function that runs one epoch, compiled."""
    blocks = [(*convolve(f, 5, 2), Sigmoid()) for f in filters]
    net = (*sum(blocks, ()), Flatten(), Dense(100), Sigmoid(), Dense(10))
    x, labels = images()
    examples = jax.device_put(Examples(x, np.eye(10, dtype=np.uint8)[labels], np.float32(1 / 255)))
    params, sgd = fnn.init(net, jax.random.key(0), (1, 28, 28)), SGD(0.1)
    arguments = net, LogLikelihood(), sgd, params, sgd.init(params), examples, jax.random.key(1)
    epoch = fnn.epoch.lower(*arguments, batch_size=batch_size, gradient=gradient).compile()
    return lambda: jax.block_until_ready(epoch(*arguments))


def by_torch(torch, filters, batch_size):
    """A function that runs one epoch, eagerly."""
    nn, channels = torch.nn, (1, *filters)
    blocks = [
        layer
        for before, after in zip(channels, filters, strict=False)
        for layer in (nn.Conv2d(before, after, 5), nn.MaxPool2d(2), nn.Sigmoid())
    ]
    pixels = {1: 12, 2: 4}[len(filters)] ** 2
    net = nn.Sequential(*blocks, nn.Flatten(), nn.Linear(filters[-1] * pixels, 100), nn.Sigmoid(), nn.Linear(100, 10))
    x, labels = map(torch.from_numpy, images())
    sgd = torch.optim.SGD(net.parameters(), lr=0.1)

    def epoch():
        for rows in torch.randperm(N).split(batch_size):
            sgd.zero_grad()
            nn.functional.cross_entropy(net(x[rows].float() / 255), labels[rows]).backward()
            sgd.step()

    return epoch


def contestants(filters, batch_size):
    """A name and a function to time, for every way there is."""
    runs = {name: by_fnn(*way, filters, batch_size) for name, way in WAYS.items()}
    try:
        import torch
    except ImportError:
        return runs
    return runs | {f"PyTorch {torch.__version__}, eager": by_torch(torch, filters, batch_size)}


def medians(runs, rounds):
    """Microseconds per example of every run, the median over rounds in which they take turns."""
    seconds = {name: [] for name in runs}
    for _ in range(rounds + 1):
        for name, run in runs.items():
            start = time.perf_counter()
            run()
            seconds[name].append(time.perf_counter() - start)
    return {name: statistics.median(s[1:]) / N * 1e6 for name, s in seconds.items()}  # the first one warms up


def main(rounds=15):
    """Print one row per way and one column per net and mini-batch."""
    print(f"JAX {jax.__version__}, {jax.local_device_count()} device(s) of kind {jax.devices()[0].platform}")
    cases = [(filters, batch_size) for filters in ((20,), (20, 40)) for batch_size in BATCHES]
    columns = [medians(contestants(*case), rounds) for case in cases]
    titles = [f"{'-'.join(map(str, filters))}, batch {batch_size}" for filters, batch_size in cases]
    print(f"{'us per example':45s}" + "".join(f"{title:>17s}" for title in titles))
    for name in columns[0]:
        print(f"{name:45s}" + "".join(f"{column[name]:17.1f}" for column in columns))
    if not any("PyTorch" in name for name in columns[0]):
        print("PyTorch is not installed; `pip install torch` adds its row.")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
