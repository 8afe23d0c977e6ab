"""What cannot be trained is refused before anything is written."""

import numpy as np
import pytest

import fnn
from fnn import CrossEntropy, Quadratic
from fnn.config.reading import resolved
from fnn.config.sections import TYPES
from fnn.runs import preparing
from fnn.training.evaluation import measure_for
from tests.helpers.support import fails

GRID = {"sweep": ("sweep.seeds=2",)}  # a sweep needs one
MISFITS = [
    ("data.validation=5000", "1,797"),
    ("training.batch_size=5000", "training.batch_size = 5000: expected at most 1397"),
    ("network.layers.0.units=100000000000", "7,500,000,000,010 parameters need 83,819 GiB to train"),
    (
        "network.layers.2.units=4",
        "the last layer gives 4 outputs, the data want 10 for their 10 classes; "
        "let the last Dense have units = 10. y: 10 classes",
    ),
    ("network.layers=[]", "0 layers"),
    ("data.shape=[8, 8]", "rows of shape (8, 8)"),
    ("data.source=digitz", "did you mean 'digits'"),
    ("data.targets=binary", "gives 10 outputs, the data want 4"),
    ("data.classes=['1']", "classes"),
    ("data.noise=0.5", "noise"),
    ("data.source=gone.csv", "gone.csv"),
]


@pytest.mark.parametrize(("override", "message"), MISFITS, ids=[o for o, _ in MISFITS])
def test_a_config_that_does_not_fit_its_data_is_refused(config, tmp_path, capsys, override, message):
    out = tmp_path / "never"
    fails(capsys, 2, message, "run", config, "--out", str(out), "--set", override)
    assert not out.exists()


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ("network.layers.0.initializer={type='Normal', std=nan}", "Normal(std=nan)"),
        ("network.layers.0.initializer={type='Normal', std=inf}", "Normal(std=inf)"),
        ("network.layers.1={type='LeakyReLU', slope=nan}", "LeakyReLU(slope=nan)"),
    ],
)
def test_numbers_that_are_none_are_refused_where_they_stand(entry, said, config, tmp_path, capsys):
    fails(capsys, 2, said, "run", config, "--out", str(tmp_path / "runs"), "--set", entry)


TWO = ["data.source='xor'", "data.validation=0", "data.test=0", "training.batch_size=4"]
ONE = ["network.layers=[{type='Dense', units=1}]", "data.targets='binary'"]
CONV = "[{type='Conv', filters=9999999, size=1}, {type='MaxPool', size=8}, {type='Flatten'}, {type='Dense', units=10}]"
WRONG = {
    "no hidden layer": ("sweep", ["network.layers=[{type='Dense', units=10}]", "sweep.units=[5]"], "no hidden layer"),
    "no parameters": ("sweep", [*TWO, "network.layers=['Sigmoid']"], "no layer has parameters"),
    "too many": ("sweep", ["sweep.seeds=1000", f"sweep.eta={[1.0] * 101}"], "101000: expected at most 100,000"),
    "one softmax": ("run", [*TWO, *ONE, "network.cost='LogLikelihood'"], "the softmax of one output is always 1"),
    "quantities": (
        "run",
        [*ONE, "data.source='sine'", "data.targets='one-hot'", "network.cost='CrossEntropy'"],
        "CrossEntropy is for desired outputs from 0 to 1",
    ),
    "Dense": ("run", ["network.cost={type='Quadratic', activation={type='Dense', units=9}}"], "Dense has parameters"),
    "Conv": ("run", ["network.cost={type='Quadratic', activation={type='Conv', filters=1, size=1}}"], "Conv(filters=1"),
    "axes": ("run", [f"data.shape={[1] * 70 + [64]}"], "at most 32 axes"),
    "activations": ("run", ["data.shape=[1, 8, 8]", f"network.layers={CONV}"], "fewer units or filters"),
    "zero byte": ("run", ['data.source="a\\u0000.csv"'], "a path, which has no zero byte"),
    "long name": ("run", [f"data.source='{'a' * 300}.csv'"], "File name too long"),
    "two lines": ("run", ["training.epochs=3\ntraining.batch_size=1"], "say --set once more"),
}


@pytest.mark.parametrize(("command", "sets", "said"), WRONG.values(), ids=WRONG)
def test_what_cannot_be_trained_is_refused_at_once(command, sets, said, config, tmp_path, capsys):
    words = [word for entry in [*GRID.get(command, ()), *sets] for word in ("--set", entry)]
    fails(capsys, 2, said, command, config, "--out", str(tmp_path / "out"), *words)
    assert not (tmp_path / "out").exists()


def table(tmp_path, name, *rows):
    path = tmp_path / name
    path.write_text("\n".join(rows) + "\n")
    return f"data.source='{path}'"


ONE_CLASS = {
    "cats": (["a,b,kind", "1,2,cat", "2,1,cat", "3,4,cat"], "every row has the label 'cat'"),
    "a single cat": (["a,b,kind", "1,2,cat"], "every row has the label 'cat'"),
    "the class 0": (["a,b,kind", "1,2,0", "2,1,0", "3,4,0"], "every row has the label '0'"),
    "a constant": (["a,b,kind", "1,2,0.5", "2,1,0.5", "3,4,0.5"], "all 3 training examples have the same y, [0.5]"),
}


@pytest.mark.parametrize("cost", ["CrossEntropy", "LogLikelihood", "Quadratic"])
@pytest.mark.parametrize("command", ["run", "sweep"])
@pytest.mark.parametrize(("rows", "said"), ONE_CLASS.values(), ids=ONE_CLASS)
def test_data_without_a_choice_are_refused(rows, said, command, cost, config, tmp_path, capsys):
    sets = [table(tmp_path, "one.csv", *rows), "data.validation=0", "data.test=0", "training.batch_size=1"]
    sets += ["network.layers=[{type='Dense', units=1}]", f"network.cost='{cost}'"]
    words = [word for entry in [*GRID.get(command, ()), *sets] for word in ("--set", entry)]
    fails(capsys, 2, said, command, config, "--out", str(tmp_path / "out"), *words)
    assert not (tmp_path / "out").exists()


def test_a_training_part_without_a_choice_is_refused(config, tmp_path, capsys):
    rows = table(tmp_path, "few.csv", "a,b,kind", *["1,2,cat"] * 30, "2,1,dog")
    sets = [rows, "data.validation=0", "data.test=0", "data.train=2", "training.batch_size=1"]
    words = [word for entry in [*sets, "network.layers=[{type='Dense', units=2}]"] for word in ("--set", entry)]
    said = "all 2 training examples are of one class, 'cat'"
    fails(capsys, 2, said, "run", config, "--out", str(tmp_path / "out"), *words)


def arrays(tmp_path, y, **parts):
    """The overrides for the data `y`, with inputs that do not matter."""
    np.savez(tmp_path / "data.npz", x=np.random.default_rng(0).normal(size=(len(y), 3)), y=y)
    parts = {"validation": 0, "test": 0, "train": 0} | parts
    return [f"data.source='{tmp_path / 'data.npz'}'", *(f"data.{name}={value}" for name, value in parts.items())]


QUANTITIES = np.linspace(-5.5, 8.5, 40).reshape(20, 2).astype(np.float32)
TAGS = np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 0]] * 20, np.uint8)[np.random.default_rng(1).permutation(80)]
COSTS = {
    "quantities": (
        QUANTITIES,
        "LogLikelihood",
        "training examples: LogLikelihood is for desired outputs of at least 0",
    ),
    "shares beyond 1": (
        QUANTITIES,
        "CrossEntropy",
        "training examples: CrossEntropy is for desired outputs from 0 to 1",
    ),
    "tags": (TAGS, "LogLikelihood", "use CrossEntropy, whose outputs are sigmoids"),
    "signs": (np.where(QUANTITIES[:, :1] > 0, 1.0, -1.0), "LogLikelihood", "always 1; use Quadratic(Identity())"),
    "somebody's own": (QUANTITIES, "Whole", "training examples: Whole is for whole numbers"),
}


@fnn.static
class Whole(Quadratic):
    """A user's own cost, which says what it takes."""

    def targets(self, y):
        return "" if (y == y.round()).all() else "Whole is for whole numbers."


@pytest.mark.parametrize("command", ["run", "sweep", "gradcheck", "compare"])
@pytest.mark.parametrize(("y", "cost", "said"), COSTS.values(), ids=COSTS)
def test_a_cost_that_does_not_take_these_targets_is_refused(y, cost, said, command, config, tmp_path, capsys):
    sets = [*arrays(tmp_path, y), f"network.layers=[{{type='Dense', units={y.shape[1]}}}]", f"network.cost='{cost}'"]
    words = [word for entry in [*GRID.get(command, ()), *sets] for word in ("--set", entry)]
    out = [] if command == "compare" else ["--out", str(tmp_path / "out")]
    own = ["--type", "tests.runs.test_preparing:Whole"]
    fails(capsys, 2, said, command, config, *out, *own, *words, "--set", "training.batch_size=4")
    assert not (tmp_path / "out").exists()


def prepared(sets, layers, cost, *more):
    base = ["[data]", "[network]", f"layers = [{layers}]", f"cost = {cost}", "[training]"]
    text = "\n".join([*base, "optimizer = { type = 'SGD', eta = 0.1 }", "batch_size = 4", "epochs = 1"])
    return preparing.prepare(resolved("config.toml", text, [*sets, *more], TYPES))


@pytest.mark.parametrize("seed", range(4))
def test_every_split_has_one_measure(tmp_path, seed):
    sets = arrays(tmp_path, TAGS, validation=8, test=8, split_seed=seed)
    bits = prepared(sets, "{ type = 'Dense', units = 3 }", "'CrossEntropy'")
    assert preparing.measure(bits.config, bits.data) == preparing.task(bits, "backprop").measure == "bits"
    counts = np.where(np.arange(80) < 2, 3, np.arange(80) % 2).astype(np.float32) + 0.0
    sets = arrays(tmp_path, counts[:, None], validation=8, test=8, split_seed=seed)
    none = prepared(sets, "{ type = 'Dense', units = 1 }", "{ type = 'Quadratic', activation = 'Identity' }")
    assert preparing.measure(none.config, none.data) == "none"


def test_the_data_say_what_they_hold(tmp_path):
    xor, two = ["data.source='xor'"], "{ type = 'Dense', units = 2 }"
    classes = prepared(xor, two, "'CrossEntropy'")
    assert preparing.measure(classes.config, classes.data) == "classes"
    bits = prepared(xor, "{ type = 'Dense', units = 1 }", "'CrossEntropy'", "data.targets='binary'")
    assert preparing.measure(bits.config, bits.data) == "bits"
    # of three classes in two bits, two are left: every row sums to 1, and is two bits all the same
    left = prepared(
        ["data.source='digits'", "data.classes=['0', '1', '2']"], two, "'CrossEntropy'", "data.targets='binary'"
    )
    rows = left.data.train.y.sum(axis=1) == 1
    assert measure_for(CrossEntropy(), left.data.train.y[rows]) == "classes"
    assert preparing.measure(left.config, left.data) == "bits"
