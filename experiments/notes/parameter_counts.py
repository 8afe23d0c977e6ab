"""What a network consists of: layers, parameters, epochs and files.

python -m experiments.notes.parameter_counts [FOLDER]      10 s, a picture into FOLDER (runs/parameter_counts)
"""

import pathlib
import tempfile

import jax
import jax.numpy as jnp
import numpy as np

import fnn
from experiments.notes.findings import Finding, judged, main
from fnn import Conv, CrossEntropy, Dense, InputError, Sigmoid
from fnn.config import schema
from fnn.config.reading import load_config, rebuilt
from fnn.layers import DenseParams
from fnn.plots import curves, room

CONFIGS = pathlib.Path(__file__).parents[2] / "configs"


def layers(*widths):
    """A net with these widths and sigmoids between."""
    return tuple(layer for k in widths for layer in (Dense(k), Sigmoid()))[:-1]


def count(*widths):
    """Its parameters; nothing is allocated."""
    net = layers(*widths[1:])
    return fnn.count_params(jax.eval_shape(lambda key: fnn.init(net, key, widths[:1]), jax.random.key(0)))


def graph_of(widths):
    """The number of edges and non-input nodes of the same graph, counted one by one."""
    edges = sum(1 for m, n in zip(widths, widths[1:], strict=False) for _ in range(m) for _ in range(n))
    return edges + sum(widths[1:])


def edges_and_nodes():
    """A net has as many parameters as its graph has edges and non-input nodes (001-14)."""
    rng = np.random.default_rng(0)
    some = [tuple(map(int, rng.integers(1, 30, rng.integers(2, 6)))) for _ in range(100)]
    same = sum(count(*widths) == graph_of(widths) for widths in some)
    return Finding(
        "001-14",
        "A net has as many parameters as its graph has edges and nodes that are not inputs.",
        f"equal to the count over the graph for {same} of 100 random nets; [3,3,1] has {count(3, 3, 1)}, [784,30,10] "
        f"{count(784, 30, 10):,}",
        "100; 16; 23,860",
        judged(same == 100 and count(3, 3, 1) == 16 and count(784, 30, 10) == 23_860),
    )


def three_layers_nine_neurons():
    """The net 3-4-4-1 has three layers, nine neurons and 41 parameters; its inputs are neither (001-30)."""
    p = jax.eval_shape(lambda key: fnn.init(layers(4, 4, 1), key, (3,)), jax.random.key(0))
    weights, biases = (sum(int(np.prod(getattr(q, name).shape)) for q in p if q) for name in "Wb")
    return Finding(
        "001-30",
        "The net 3-4-4-1 has three layers, nine neurons and 41 parameters; its inputs are neither.",
        f"weights {weights}, biases {biases}, together {count(3, 4, 4, 1)}",
        "12 + 16 + 4 = 32, 9, 41",
        judged((weights, biases) == (32, 9)),
    )


def two_ways_to_count_layers():
    """The number of layers includes the input on one slide and not on another, and both are right (001-32)."""
    net = layers(4, 4, 1)
    params = fnn.init(net, jax.random.key(0), (3,))
    x, *after = fnn.activations(net, params, jnp.ones((1, 3)))
    units = [a.shape[1] for a, p in zip(after, params, strict=True) if p]  # a layer of units is one with weights
    with_input = [x.shape[1], *units]
    return Finding(
        "001-32",
        "L counts the layers: with the input on one slide, without it on another. Both are right, by their own rule.",
        f"the activations of 3-4-4-1 have the widths {with_input}: {len(with_input)} layers with the input, "
        f"{len(units)} and {sum(units)} neurons without; here the net is a tuple of {len(net)} values, nonlinearities "
        "apart",
        "4 and 3",
        judged((with_input, len(units), sum(units)) == ([3, 4, 4, 1], 3, 9)),
    )


def acquire_store_utilise():
    """A neural network acquires, stores and uses knowledge in the weights of its links (001-04)."""
    data = fnn.load_data("digits", train=800, test=500)
    net, cost, key = layers(10, 10), CrossEntropy(), jax.random.key(0)
    start = fnn.init(net, key, (64,))
    *_, last = fnn.fit(net, cost, fnn.SGD(0.5), start, data.train, key, batch_size=10, epochs=6)
    x, _ = data.train.rows(slice(50))
    with tempfile.TemporaryDirectory() as folder:
        fnn.save(folder, net, cost, last.params, (64,), data=data)
        loaded = fnn.load(folder)
    before, after = np.asarray(fnn.predict(net, cost, last.params, x)), loaded.predict(data.train.x[:50])
    newborn, schooled = (float(fnn.evaluate(net, cost, p, data.test).accuracy) for p in (start, loaded.params))
    return Finding(
        "001-04",
        "A neural network acquires, stores and uses knowledge, in the weights of its links.",
        f"new digits: {newborn:.0%} right at the start, {schooled:.0%} when trained, saved and loaded again; 50 "
        f"predictions equal to the last bit: {(before == after).all()}; equal nets: {loaded.net == net}",
        "about 10 %; over 60 %; True; True",
        judged(newborn < 0.3 and schooled > 0.6 and (before == after).all() and loaded.net == net),
    )


def usual_choices():
    """A network is set up by its layers, a cost, mini-batches and a number of epochs (002-01)."""
    config = load_config(CONFIGS / "nielsen" / "ch1_30.toml")
    again = rebuilt(schema.describe(config))
    try:
        load_config(CONFIGS / "xor.toml", ["training.batchsize=3"])
        refused = "nothing"
    except InputError as error:
        refused = str(error).split("; ")[-1]
    return Finding(
        "002-01",
        "A network is set up by its hyperparameters: layers and sizes, a cost, mini-batches, a number of epochs.",
        f"a config comes back from its plain table as it was: {again == config}; an unknown entry is refused: "
        f"'{refused}'",
        "True; refused with the nearest name. Whether the usual choices are good: see the slowdown",
        judged(again == config and "batch_size" in refused),
    )


def counted(n, batch_size):
    """The updates of one epoch, and how often it uses each of `n` examples, `(n,)`."""

    def tally(net, cost, params, x, y):
        """A gradient that counts: -1 for b in every update, -1 for the weight of every example used."""
        return 0.0, (DenseParams(jnp.zeros((1, n)).at[0, x[:, 0].astype(int)].add(-1), jnp.full(1, -1.0)),)

    zeros, rows = (DenseParams(jnp.zeros((1, n)), jnp.zeros(1)),), np.arange(n, dtype=np.float32)[:, None]
    args = (Dense(1),), CrossEntropy(), fnn.SGD(1.0), zeros, (), fnn.Examples(rows, rows), jax.random.key(0)
    ((W, b),), _ = fnn.epoch(*args, batch_size=batch_size, gradient=tally)
    return int(b[0]), np.asarray(W)[0]


def epoch_is_one_pass():
    """An epoch is one pass over the whole training set (002-16)."""
    (updates, used), (short, few) = (counted(n, 10) for n in (50_000, 64))
    once = (used == 1).all() and (few == 1).all()
    return Finding(
        "002-16",
        "An epoch is one pass over the whole training set.",
        f"counted in training: each of 50,000 and each of 64 examples used once: {once}; mini-batches of 10 make "
        f"{updates:,} and {short} updates",
        "True; 5,000 and 7, the last one shorter",
        judged(once and (updates, short) == (5000, 7)),
    )


def pixels_and_labels():
    """Inputs are scaled to [0, 1], and the label 6 becomes a vector with its one at place 6 (003-14)."""
    six = fnn.load_data("digits").train
    row = int(np.flatnonzero(np.asarray(six.y)[:, 6])[0])
    x, y = six.rows(slice(None))
    return Finding(
        "003-14",
        "Inputs are scaled to [0, 1]; the label 6 becomes a vector with its one at place 6.",
        f"inputs from {x.min():g} to {x.max():g}; a six: {''.join(str(int(v)) for v in np.asarray(y)[row])} (the scale "
        "is an argument: 1/255 for MNIST, 1/256 in the book's file)",
        "0 to 1; 0000001000",
        judged((x.min(), x.max()) == (0, 1) and np.asarray(y)[row].tolist() == np.eye(10)[6].tolist()),
    )


CLAIMS = (
    *(acquire_store_utilise, edges_and_nodes, three_layers_nine_neurons, two_ways_to_count_layers, usual_choices),
    *(epoch_is_one_pass, pixels_and_labels),
)


def pictures(folder):
    """Parameters against the width of a hidden layer, and those of filters."""
    filters = fnn.count_params(jax.eval_shape(lambda k: Conv(20, 5).init(k, (1, 28, 28))[0], jax.random.key(0)))
    h = np.array([1, 3, 10, 30, 100, 300, 1000])
    title = "Full layers have parameters by the million, shared filters by the hundred"
    with room.picture(folder / "parameters.png", title) as fig:
        axes = fig.subplots()
        for i, depth in enumerate((1, 2, 3)):
            numbers = [count(784, *[int(k)] * depth, 10) for k in h]
            name = f"{depth} hidden layer{'s' if depth > 1 else ''}"
            axes.plot(h, numbers, curves.DASHES[i], marker="os^"[i], color=curves.PALETTE[i], label=name)
        axes.axhline(filters, color="black", lw=2)
        axes.text(1000, filters * 1.15, f"20 filters of 5x5 pixels: {filters}", ha="right")
        axes.set(xscale="log", yscale="log", xlabel="units in each hidden layer", ylabel="parameters")
        axes.set_title("784 inputs, 10 outputs")
        axes.grid()
        axes.legend()
    return ("parameters.png",)


if __name__ == "__main__":
    main(CLAIMS, pictures)
