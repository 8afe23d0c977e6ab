"""The trainings behind the book's curves, for many seeds: settings from `nielsen_curves.json`, results kept in blocks.

Shape letters: `m` seeds, `e` epochs at which we measure. An epoch of a block of seeds is one compiled program, which
trains a few networks at a time, so that their weights stay in the processor's cache. `fnn.sweep` trains the same
networks, but evaluates the 50,000 training images after every epoch. That takes about as long as training, and few
curves show it.
"""

import json
import pathlib
from functools import cache, partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

import fnn
from fnn import SGD, CrossEntropy, Dense, Normal, Quadratic, ScaledNormal, Sigmoid

BOOK = json.loads(pathlib.Path(__file__).with_name("nielsen_curves.json").read_text(encoding="utf-8"))["experiments"]
CURVES = {e["name"]: e["curves"] for e in BOOK}
LABELS = {e["name"]: e["label"] for e in BOOK}
FIGURES = {e["figure"]: [other["name"] for other in BOOK if other["figure"] == e["figure"]] for e in BOOK}
COSTS = {"quadratic": Quadratic(), "cross-entropy": CrossEntropy()}
STARTS = {"large": Normal(1.0), "scaled": ScaledNormal()}
BLOCK = 8  # seeds that are trained, and kept in a file, together
AT_ONCE = 4  # networks of a block that are in the processor's cache together


class Setting(NamedTuple):
    """One training of the book."""

    name: str
    sizes: tuple[int, ...]
    cost: str
    start: str
    eta: float
    lmbda: float  # the book's: n_train times fnn's
    n_train: int
    batch_size: int
    epochs: int
    best_of: int  # the book's run is the best of so many
    sets: tuple[str, ...]  # on which we measure

    @property
    def examples(self):
        """How many there are in each set; the book divides the penalty by this number."""
        return {"train": self.n_train, "validation": 10_000, "test": 10_000}

    @property
    def measured(self):
        """The epochs after which we measure: all up to 30, then every tenth; for batch descent, before each update."""
        if self.batch_size == self.n_train:
            return np.arange(self.epochs)
        return np.array([e for e in range(1, self.epochs + 1) if e <= 30 or e % 10 == 0])


def _setting(e):
    numbers = {key: e[key] for key in Setting._fields if key not in ("sizes", "sets")}
    return Setting(**numbers, sizes=tuple(e["sizes"]), sets=tuple(sorted({c["set"] for c in e["curves"]})))


SETTINGS = {e["name"]: _setting(e) for e in BOOK}
UNPENALISED = SETTINGS["error_norms_2"]._replace(name="error_norms_2_unpenalised", lmbda=0.0)
SETTINGS[UNPENALISED.name] = UNPENALISED  # not the book's: what its text says, without the λ of its program


def quickened(setting):
    """The same training in a second or two, to see that everything works."""
    batch_size = 200 if setting.batch_size == setting.n_train else setting.batch_size
    return setting._replace(n_train=200, batch_size=batch_size, epochs=3)


def results(setting, blocks, folder):
    """What was measured for the seeds of the first `blocks` blocks, from files; a block that is missing is trained."""
    found = []
    for block in range(blocks):
        path = folder / f"{setting.name}-{block}.npz"
        if not path.exists():
            print(f"{setting.name}: seeds {block * BLOCK} to {block * BLOCK + BLOCK - 1}", flush=True)
            np.savez(path, **trained(setting, range(block * BLOCK, (block + 1) * BLOCK)))
        found.append(dict(np.load(path)))
    return {name: np.concatenate([block[name] for block in found]) for name in (found[0] if found else ())}


def kept(setting, folder):
    """What was measured for the seeds that have been trained, `{}` if none."""
    there = (block for block in range(100) if not (folder / f"{setting.name}-{block}.npz").exists())
    return results(setting, next(there), folder)


@cache
def data(n_train):
    """MNIST as in the book's file: pixels/256, the first n of the 50,000 images to train, by the name of the set."""
    parts = fnn.load_data("mnist", train=n_train, validation=10_000, scale=1 / 256)
    return {name: jax.device_put(getattr(parts, name)) for name in ("train", "validation", "test")}


def net(sizes, initializer):
    """Sigmoid layers, and the last, whose sigmoid is the cost's."""
    return tuple(layer for units in sizes[1:] for layer in (Dense(units, initializer), Sigmoid()))[:-1]


def trained(setting, seeds):
    """Train one network per seed.

    Returns:
        By name, `(m, e)`: `test_accuracy` (in 0 ... 1) and `test_cost` (without penalty), so for every set that is
        measured, and `squares`, the sum of the squared weights. For batch descent instead `error norm of hidden
        layer 1` and so on.
    """
    keys = jax.vmap(jax.random.split)(jax.vmap(jax.random.key)(jnp.array(seeds)))
    start, same = (net(setting.sizes, init) for init in (STARTS[setting.start], ScaledNormal()))
    params = jax.jit(jax.vmap(lambda key: fnn.init(start, key, setting.sizes[:1])))(keys[:, 0])
    # trained as `same`, so that all starts share one compiled program
    how = same, COSTS[setting.cost], SGD(setting.eta, 0.0, setting.lmbda / setting.n_train)
    parts = data(setting.n_train)
    if setting.batch_size == setting.n_train:
        return jax.tree.map(np.asarray, _error_norms(*how, params, parts["train"], updates=setting.epochs))
    scores = []
    for e in range(1, setting.epochs + 1):
        params = _epoch(*how, params, parts["train"], keys[:, 1], e, batch_size=setting.batch_size)
        if e in setting.measured:
            scores.append(jax.tree.map(np.asarray, _scores(*how[:2], params, {s: parts[s] for s in setting.sets})))
    return {name: np.stack([row[name] for row in scores], axis=1) for name in scores[0]}


@partial(jax.jit, static_argnames="batch_size")
def _epoch(net, cost, optimizer, params, train, keys, e, *, batch_size):
    """One epoch of every network, each in an order of its own."""

    def one(network):
        params, key = network
        key = jax.random.fold_in(key, e)
        return fnn.epoch(net, cost, optimizer, params, (), train, key, batch_size=batch_size)[0]

    return jax.lax.map(one, (params, keys), batch_size=AT_ONCE)


@jax.jit
def _scores(net, cost, params, parts):
    """Cost and accuracy of every network on each of the sets, and its squared weights, all `(m,)`."""

    def one(params):
        scores = {"squares": sum(jnp.square(p.W).sum() for p in params if p)}
        for name, examples in parts.items():
            scores[f"{name}_cost"], scores[f"{name}_accuracy"] = fnn.evaluate(net, cost, params, examples)
        return scores

    return jax.lax.map(one, params, batch_size=AT_ONCE)


@partial(jax.jit, static_argnames="updates")
def _error_norms(net, cost, optimizer, params, train, *, updates):
    """The norm of each hidden layer's mean error before each update of batch descent, `(m, updates)` each."""
    x, y = train.rows(slice(None))

    def update(params, _):
        _, gradient = fnn.backprop(net, cost, params, x, y)
        norms = {f"error norm of hidden layer {k}": jnp.linalg.norm(g.b) for k, g in enumerate(gradient[:-1:2], 1)}
        return optimizer.update(params, (), gradient)[0], norms

    return jax.lax.map(lambda params: jax.lax.scan(update, params, length=updates)[1], params)


def in_book_units(setting, found, curve, examples):
    """Our runs as the book reports them, `(m, e)`: accuracy in percent, cost with its penalty over `examples`."""
    measure, part = curve["measure"], curve["set"]
    if measure == "accuracy":
        return np.round(100 * found[f"{part}_accuracy"].astype(float), 4)  # rounded: 94.12 is 94.12 in both
    if measure == "cost":
        return found[f"{part}_cost"] + setting.lmbda / (2 * examples) * found["squares"]
    return found[measure]


def described(curve):
    """What a curve shows, in words."""
    part = {"train": "training set", "validation": "validation set", "test": "test set"}[curve["set"]]
    return curve["measure"] if curve["measure"].startswith("error norm") else f"{curve['measure']}, {part}"


def ours(setting, found, curve):
    """Our runs in the book's convention: the penalty is divided by the size of the set that is measured on."""
    return in_book_units(setting, found, curve, setting.examples[curve["set"]])


def in_common(setting, curve):
    """Where both measured: indices into our epochs, and the book's values there, `(e,)` both."""
    epochs = curve.get("epochs", range(1, len(curve["values"]) + 1))
    where = {e: i for i, e in enumerate(setting.measured.tolist())}
    pairs = [(where[e], value) for e, value in zip(epochs, curve["values"], strict=True) if e in where]
    at, values = zip(*pairs, strict=True)
    return np.array(at), np.array(values)


def compared(setting, found, curve):
    """Our runs `(m, all epochs)`, the book's values `(e,)`, their epochs among ours; of error norms the logarithms."""
    at, book = in_common(setting, curve)
    curves = ours(setting, found, curve)
    return (np.log(curves), np.log(book), at) if curve["measure"].startswith("error norm") else (curves, book, at)
