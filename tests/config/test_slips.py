"""Keys that are none: what was meant is said, for every entry of a config and for the names of other libraries."""

import difflib

import pytest

import fnn
from fnn.config.other_names import ADVICE, CLASSES, KEYS, plain
from fnn.config.reading import load_config
from fnn.config.schema import describe
from fnn.config.sections import TYPES
from tests.helpers.configs import GOOD

WHOLE = GOOD + "[sweep]\n[monitor]\non = false\n"


@pytest.fixture
def said(tmp_path):
    """What is said about a `--set`."""
    path = tmp_path / "it.toml"
    path.write_text(GOOD)

    def said(override):
        with pytest.raises(fnn.InputError) as caught:
            load_config(path, [override])
        assert "\n" not in str(caught.value)
        assert str(caught.value).startswith(f"{path}: ")
        return str(caught.value).removeprefix(f"{path}: ")

    return said


def paths(value, where=""):
    """The paths of all entries of a described config but the tables, with the layers as one entry."""
    for key, inner in value.items():
        path = f"{where}{key}"
        if isinstance(inner, dict) and "type" not in inner:
            yield from paths(inner, f"{path}.")
        else:
            yield path
            yield from (f"{path}.{name}" for name in inner if name != "type") if isinstance(inner, dict) else ()


def config_of(tmp_path_factory):
    path = tmp_path_factory.mktemp("whole") / "whole.toml"
    path.write_text(WHOLE)
    return load_config(path, ["training.schedule={type='EarlyStopping'}"])


@pytest.fixture(scope="module")
def leaves(tmp_path_factory):
    return list(paths(describe(config_of(tmp_path_factory))))


def test_every_entry_that_stands_alone_is_told_its_place(leaves, said):
    assert len(leaves) > 40
    for path in leaves:
        name = path.rpartition(".")[2]
        if name in leaves:  # it is an entry of its own at the top too
            continue
        hint = said(f"{name}=3")
        assert path in hint
        if plain(name) in ADVICE:
            continue
        hint = hint.partition("did you mean ")[2]
        assert {word.strip("?,") for word in hint.split() if word != "or"} >= {
            p for p in leaves if p.endswith(f".{name}")
        }


def test_every_entry_that_is_misspelt_in_its_place_or_alone_is_told(leaves, said):
    for path in leaves:
        section, _, name = path.rpartition(".")
        if len(name) < 4:
            continue
        slip = name[:1] + name[2:]  # a letter is missing
        if section not in ("training.schedule", "network.cost"):  # of these the config has other classes
            assert f"did you mean {name!r}?" in said(f"{section}.{slip}=3" if section else f"{slip}=3"), path
        alone = said(f"{slip}=3")
        near = difflib.get_close_matches(slip, [p.rpartition(".")[2] for p in leaves], 5, 0.6)
        assert any(other in alone for other in near), path


@pytest.mark.parametrize(
    ("override", "hint"),
    [
        ("epochs=3", "--set epochs=3: epochs: unknown key; did you mean training.epochs?"),
        ("data.epochs=3", "data.epochs: unknown key; did you mean training.epochs?"),
        ("Batch-Size=3", "did you mean training.batch_size?"),
        ("training.Epochs=3", "did you mean 'epochs'?"),
        ("memory=3", "did you mean data.memory or sweep.memory?"),
        ("training.seed=3", "did you mean data.seed or seed?"),
        ("units=3", "did you mean network.layers.0.units or sweep.units?"),
        ("training.optimizer.epochs=3", "did you mean training.epochs?"),
        ("train.epochs=3", "--set train.epochs=3: train: unknown key; did you mean 'training'?"),
        ("optimiser.eta=3", "--set optimiser.eta=3: optimiser: unknown key; did you mean training.optimizer?"),
        ("layers.0.units=3", "did you mean network.layers?"),
        ("model.layers=3", "here it is called 'network'."),
        ("network.layers.0.size=3", "expected one of units, initializer, bias_initializer."),
        ("xyz=3", "expected one of data, network, training, sweep, monitor, name, seed."),
        ("lr=3", "lr: unknown key; here it is called training.optimizer.eta."),
        ("learning_rate=3", "learning_rate: unknown key; here it is called training.optimizer.eta."),
        ("training.learningRate=3", "training.learningRate: unknown key; here it is called training.optimizer.eta."),
        ("training.optimizer.lr=3", "training.optimizer.lr: unknown key; here it is called 'eta'."),
        ("learning_rte=3", "here it is called training.optimizer.eta."),
        ("sweep.lr=[3]", "here it is called 'eta'."),
        ("momentum=0.9", "here it is called training.optimizer.mu."),
        ("training.optimizer.momentum=0.9", "here it is called 'mu'."),
        ("weight_decay=1", "here it is called training.optimizer.lmbda."),
        ("l2=1", "here it is called training.optimizer.lmbda."),
        ("alpha=1", "for the L2 strength say training.optimizer.lmbda (scikit-learn's alpha / batch_size), for the"),
        ("network.layers.1={type='LeakyReLU', alpha=1}", "here it is called 'slope'."),
        ("dropout=0.5", "there is no dropout here"),
        ("network.layers.0.activation='relu'", "an activation is a layer of its own"),
        ("loss='mse'", "here it is called network.cost."),
        ("training.optimizer='adam'", "unknown optimizer 'adam'; there is one optimiser here, { type = 'SGD'"),
        ("network.cost='mse'", "unknown cost 'mse'; say { type = 'Quadratic', activation = 'Identity' }"),
        ("network.cost='CrossEntropyLoss'", "for one class of several say 'LogLikelihood', which has softmax outputs"),
        ("network.layers.0.type=Linear", "a layer of weights is { type = 'Dense', units = 30 }"),
        ("network.layers.1.type=relu", "did you mean 'ReLU'?"),
        ("validation_split=0.2", "say data.validation = 200, the number of examples; it is no share."),
        ("random_state=3", "here it is called 'seed'."),
        (
            "data.validation=0.2",
            "data.validation = 0.2: expected a whole number, got a number: the number of examples,",
        ),
        (
            "network.layers=[30, 10]",
            "network.layers[0] = 30: expected a table, such as { type = 'Dense', units = 30 }.",
        ),
        ("network.layers[0].units=3", "expected the number of an entry between dots: network.layers.0.units=3."),
        ("training..epochs=3", "expected key=value, such as training.epochs=3."),
        ("network.layers.1.slope=3", "network.layers[1].slope: unknown key; expected none."),
        (
            "network.cost.activation.slope=3",
            "no entries; say --set \"network.cost.activation={ type = 'Sigmoid', slope",
        ),
        (
            "training.schedule.patience=3",
            "--set training.schedule.patience=3: training.schedule: expected a table with a type, one of Constant, "
            "EarlyStopping, HalveOnPlateau, such as { type = 'EarlyStopping', patience = 3 }.",
        ),
        ("training.schedule.wait=3", "one of Constant, EarlyStopping, HalveOnPlateau."),
        ("tol=1e-4", "there is no smallest improvement here; training.target_cost ends the training"),
        ("training.tol=1e-4", "there is no smallest improvement here"),
        ("activation='relu'", "an activation is a layer of its own"),
        ("network.activation='relu'", "an activation is a layer of its own"),
        ("patience=3", "did you mean training.schedule.patience?"),
    ],
)
def test_what_was_meant(override, hint, said):
    assert hint in said(override)


def test_the_same_is_said_about_a_config(tmp_path):
    path = tmp_path / "it.toml"
    path.write_text(GOOD.replace("[training]", "[training]\nlearning_rate = 3"))
    with pytest.raises(fnn.InputError, match=r"it\.toml: training\.learning_rate: unknown key; here it is called trai"):
        load_config(path, ["seed=3"])


@pytest.mark.parametrize(
    ("override", "is_blamed"),
    [
        ("training.epochs=0", True),
        ("training.epochs=x", True),
        ("network.layers.0.units=-3", True),
        ("network.layers.0={type='Dens'}", True),
        ("training={epochs=3}", True),
        ("seed=-1", True),
        ("training.eta=x", True),
        ("name=fine", False),
        ("training.batch_size=3", False),
    ],
)
def test_a_message_begins_with_the_set_that_it_is_about(override, is_blamed, tmp_path):
    path = tmp_path / "it.toml"
    path.write_text(GOOD if is_blamed else GOOD.replace("epochs = 2", "epochs = 0"))
    with pytest.raises(fnn.InputError) as caught:
        load_config(path, ["data.test=5", override, "data.train=6"])
    assert str(caught.value).startswith(f"{path}: --set {override}: ") == is_blamed


def test_the_names_of_other_libraries_are_no_names_of_ours_and_lead_to_names_that_are(leaves, said):
    names = {path.rpartition(".")[2] for path in leaves} | {"sweep", "network", "training"}
    assert {plain(name) for name in names} & (set(KEYS) | set(ADVICE)) == {"activation"}  # which says both
    fields = {name for cls in TYPES.values() for name in cls.__dataclass_fields__}
    assert set(KEYS.values()) <= names | fields
    assert all(word == plain(word) for word in (*KEYS, *ADVICE, *CLASSES))
    assert not {plain(name) for name in TYPES} & set(CLASSES) - {"crossentropy", "softmax"}
    for word in (*KEYS, *ADVICE):
        assert "expected one of" not in said(f"{word}=3"), word


def test_a_path_in_set_is_the_shells_and_one_in_the_config_is_the_configs(tmp_path, monkeypatch):
    (tmp_path / "configs").mkdir()
    (tmp_path / "here").mkdir()
    path = tmp_path / "configs" / "it.toml"
    path.write_text(GOOD.replace('"digits"', '"x.npy"\ny = "y.npy"'))
    monkeypatch.chdir(tmp_path / "here")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))

    def data(*overrides):
        return [load_config("../configs/it.toml", overrides).data.source, load_config(path, overrides).data.y]

    beside, here = tmp_path / "configs", tmp_path / "here"
    assert data() == [str(beside / "x.npy"), str(beside / "y.npy")]
    assert data("data.source=a.npy") == [str(here / "a.npy"), str(beside / "y.npy")]
    assert data("data.source=../a.npy", "data.y=b/y.npy") == [str(tmp_path / "a.npy"), str(here / "b/y.npy")]
    assert data("data.source=~/a.npy") == [str(tmp_path / "home/a.npy"), str(beside / "y.npy")]
    assert data("data={source='a.npy', y='b.npy'}") == [str(here / "a.npy"), str(here / "b.npy")]
    assert data("seed=3", "data.source=digits", "data.y=")[0] == "digits"
    (beside / "only.npy").touch()
    with pytest.raises(fnn.InputError, match=r"only\.npy: there is no file .*here/only\.npy; a path in --set is relat"):
        data("data.source=only.npy")
