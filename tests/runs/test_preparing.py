"""What cannot be trained is refused before anything is written."""

import pytest

from tests.helpers.support import fails

MISFITS = [
    ("data.validation=5000", "1,797"),
    ("training.batch_size=5000", "training.batch_size = 5000: expected at most 1397"),
    ("network.layers.0.units=100000000000", "7,500,000,000,010 parameters need 83,819 GiB to train"),
    (
        "network.layers.2.units=4",
        "the last layer gives 4 outputs, the data want 10 for their 10 classes; let the last Dense have units = 10. y: 10 classes",
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
    words = [word for entry in sets for word in ("--set", entry)]
    fails(capsys, 2, said, command, config, "--out", str(tmp_path / "out"), *words)
    assert not (tmp_path / "out").exists()
