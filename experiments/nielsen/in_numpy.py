"""Chapter 1 of Nielsen's book in plain NumPy: a second opinion that shares nothing with fnn but the data.

    python -m experiments.nielsen.in_numpy HIDDEN SEEDS     (30 9: about 2 minutes; needs MNIST)

Prints for each seed the test accuracy after the last of 30 epochs and the digits that the network never says.
"""

import sys

import numpy as np

import fnn


def sigmoid(z):
    """`1/(1 + e⁻ᶻ)`, clipped where float32 would overflow."""
    return 1 / (1 + np.exp(-np.clip(z, -80, 80)))


def train(hidden, seed, x, y, eta=3.0, batch=10, epochs=30):
    """The weights and biases of a [784, hidden, 10] net after SGD on the quadratic cost."""
    rng = np.random.default_rng(seed)
    shapes = (hidden, x.shape[1]), (hidden,), (y.shape[1], hidden), (y.shape[1],)
    W1, b1, W2, b2 = (rng.standard_normal(shape).astype(np.float32) for shape in shapes)
    step = np.float32(eta / batch)
    for _ in range(epochs):
        order = rng.permutation(len(x))
        for rows in order.reshape(-1, batch):
            a0 = x[rows]
            a1 = sigmoid(a0 @ W1.T + b1)
            a2 = sigmoid(a1 @ W2.T + b2)
            delta2 = (a2 - y[rows]) * a2 * (1 - a2)
            delta1 = (delta2 @ W2) * a1 * (1 - a1)
            W2 -= step * (delta2.T @ a1)
            b2 -= step * delta2.sum(axis=0)
            W1 -= step * (delta1.T @ a0)
            b1 -= step * delta1.sum(axis=0)
    return W1, b1, W2, b2


def main(hidden, seeds):
    """Train once per seed and print what comes out."""
    data = fnn.load_data("mnist", validation=10_000, scale=1 / 256)
    (x, y), (x_test, y_test) = (part.rows(slice(None)) for part in (data.train, data.test))
    x, x_test = x.astype(np.float32), x_test.astype(np.float32)
    for seed in range(seeds):
        W1, b1, W2, b2 = train(hidden, seed, x, y)
        said = (sigmoid(x_test @ W1.T + b1) @ W2.T + b2).argmax(axis=1)
        never = sorted(set(range(10)) - set(said.tolist()))
        print(
            f"seed {seed}  test {np.mean(said == y_test.argmax(axis=1)):.2%}  never said: {never or 'none'}", flush=True
        )


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
