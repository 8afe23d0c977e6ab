"""Configs: what is read comes back, and every mistake is one line that says how to mend it."""

import hashlib
import json
import pathlib

import pytest

import fnn
from fnn.config.reading import build_cost, build_net, config_text, full_hash, load_config, rebuilt, short_hash
from fnn.config.schema import describe
from fnn.config.sections import TYPES
from fnn.runs.resuming import config_changes
from tests.helpers.configs import GOOD
from tests.helpers.support import ACTIVATIONS, COSTS, LAYERS, Swish

FOLDER = pathlib.Path(__file__).parents[2] / "configs"
CONFIGS = sorted(FOLDER.rglob("*.toml"))
KNOWN = dict(TYPES) | {"Swish": Swish}


@pytest.fixture
def write(tmp_path):
    def write(text):
        path = tmp_path / "it.toml"
        path.write_text(text)
        return path

    return write


@pytest.mark.parametrize("net", [(layer,) for layer in LAYERS] + [ACTIVATIONS], ids=repr)
def test_a_described_net_is_built_again(net):
    assert build_net(describe(net), KNOWN) == net


@pytest.mark.parametrize("cost", COSTS, ids=repr)
def test_a_described_cost_is_built_again(cost):
    assert build_cost(describe(cost), KNOWN) == cost


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_a_shipped_config_reads_and_says_what_to_expect(path):
    config = load_config(path)
    assert fnn.shape_out(
        config.network.layers, config.data.shape or {"mnist": (784,), "digits": (64,)}.get(config.data.source, (2,))
    )
    header = [line for line in path.read_text().splitlines() if line.startswith("#")]
    assert f"# fnn run configs/{path.relative_to(FOLDER).as_posix()}" in header
    assert any(line.startswith("# Expected: ") for line in header)


def test_a_config_is_frozen_values(write):
    config = load_config(write(GOOD))
    assert config.network.layers == (fnn.Dense(5), fnn.Sigmoid(), fnn.Dense(10))
    assert config.network.cost == fnn.Quadratic(fnn.Sigmoid())
    assert config.training.optimizer == fnn.SGD(3.0)
    assert (config.seed, config.training.gradient) == (0, "backprop")


def test_overrides_win(write):
    overrides = [
        "training.epochs=7",
        "network.layers.0.units=50",
        "training.gradient=autodiff",
        "seed = 3",
        "network.cost=CrossEntropy",
        "data.classes=['1', '2']",
    ]
    config = load_config(write(GOOD), overrides)
    assert (config.training.epochs, config.network.layers[0].units, config.seed) == (7, 50, 3)
    assert (config.training.gradient, config.network.cost) == ("autodiff", fnn.CrossEntropy())
    assert config.data.classes == ("1", "2")


def test_the_hash_is_of_the_values_not_of_the_text(write):
    one = load_config(write(GOOD))
    assert short_hash(one) == short_hash(load_config(write("# a comment\n" + GOOD)))
    assert short_hash(one) != short_hash(load_config(write(GOOD), ["seed=1"]))


def test_a_config_without_later_entries_has_the_hash_of_old(write):
    # the one it had before there were [monitor] and .npy files, and when the default of targets was called one-hot:
    # checkpoints written then are found and accepted
    config, monitored = load_config(write(GOOD)), load_config(write(GOOD), ["monitor.on=true"])
    old = {name: table for name, table in describe(config).items() if name != "monitor"}
    newer = ("y", "memory", "order", "standardise_y", "drop", "onehot", "missing")
    old["data"] = {name: value for name, value in old["data"].items() if name not in newer}
    old["data"]["targets"] = "one-hot"
    old["training"] = {name: value for name, value in old["training"].items() if name != "keep"}
    assert full_hash(config) == hashlib.sha256(json.dumps(old, sort_keys=True).encode()).hexdigest()
    assert full_hash(config) != full_hash(monitored)
    in_files = [load_config(write(GOOD), ["data.y=y.npy", f"data.memory={gib}"]) for gib in (1, 2)]
    assert len({full_hash(c) for c in (config, *in_files)}) == 3


NEWER = ("order", "standardise_y", "drop", "onehot", "missing")


@pytest.mark.parametrize("name", NEWER)
def test_a_config_json_without_later_entries_differs_in_none_of_them(write, tmp_path, name):
    config = load_config(write(GOOD))
    old = json.loads(json.dumps(describe(config), default=str))
    del old["data"][name], old["training"]["keep"]
    (tmp_path / "config.json").write_text(json.dumps(old).replace("-Infinity", '"-inf"'))
    assert config_changes(tmp_path, config, "") == []  # --resume with more epochs goes on after it
    assert rebuilt(old) == config
    used = {"order": "as stored", "missing": "drop", "standardise_y": True}.get(name, ["a"])
    changed = config_changes(tmp_path, load_config(write(GOOD), [f"data.{name}={json.dumps(used)}"]), "")
    assert len(changed) == 1
    assert changed[0].startswith(f"data.{name}")


def test_an_older_config_json_keeps_the_meaning_of_its_targets(write):
    table = describe(load_config(write(GOOD), ["data.targets=one-hot"]))
    assert rebuilt(table).data.targets == ""  # then the default: one-hot where the data hold classes
    assert rebuilt(table | {"read_as": "y: 10 classes"}).data.targets == "one-hot"
    assert rebuilt(describe(load_config(write(GOOD), ["data.targets=binary"]))).data.targets == "binary"


@pytest.mark.parametrize("name", ["own.csv", "OWN.CSV"])
def test_a_path_to_data_is_relative_to_the_config(write, tmp_path, name):
    config = load_config(write(GOOD.replace("digits", name)))
    assert config.data.source == str(tmp_path / name)


def test_a_layer_of_ones_own(write):
    config = load_config(write(GOOD.replace('"Sigmoid" },', '"Swish" },')), types=KNOWN)
    assert config.network.layers[1] == Swish()


MISTAKES = [
    ("epochs = 2", "epoch = 2", r"training\.epoch: unknown key; did you mean 'epochs'\?"),
    ("epochs = 2", "", r"training\.epochs: missing"),
    ("epochs = 2", "epochs = 0", r"epochs = 0: expected at least 1"),
    ("epochs = 2", "epochs = 2.5", r"training\.epochs = 2\.5: expected a whole number"),
    ("epochs = 2", "epochs = true", r"training\.epochs = True: expected a whole number, got true or false"),
    ("epochs = 2", 'epochs = "2"', r"training\.epochs = '2': expected a whole number, got a text"),
    ("eta = 3.0", "eta = 0", r"optimizer\.eta = 0\.0: expected a number from 1\.18e-38 to 3\.4e\+38"),
    ("eta = 3.0", "eta = 1e-39", r"optimizer\.eta = 1e-39: expected a number from"),
    ("eta = 3.0", "eta = 1e39", r"optimizer\.eta = 1e\+39: expected a number from"),
    ("eta = 3.0", "eta = 3.0, lmbda = 1e39", r"optimizer\.lmbda = 1e\+39: expected a number from 0 to"),
    ("eta = 3.0", "eta = -1", r"optimizer\.eta = -1\.0"),
    ("eta = 3.0", "eta = nan", r"optimizer\.eta = nan"),
    ("eta = 3.0", "eta = 1" + "0" * 400, r"optimizer\.eta = 10+: too large for a number"),
    ("eta = 3.0", "eta = 3.0, mu = 1.0", r"optimizer\.mu = 1\.0: expected at least 0 and below 1"),
    ("eta = 3.0", "eta = 3.0, mu = 0.99999999", r"optimizer\.mu = 0\.99999999: expected at least 0 and below 1"),
    ("[training]", "[sweep]\nmu = [0.99999999]\n[training]", r"sweep: mu = \[0\.99999999\]: expected numbers"),
    ("[training]", "[sweep]\nlmbda = [1e39]\n[training]", r"sweep: lmbda = \[1e\+39\]: expected numbers from 0 to"),
    ("eta = 3.0", "eta = 3.0, lmbda = -1", r"optimizer\.lmbda = -1\.0"),
    ("eta = 3.0", "rate = 3.0", r"training\.optimizer\.rate: unknown key"),
    ("units = 5", "units = -5", r"network\.layers\[0\]: Dense\(units=-5\): expected at least 1"),
    ("units = 5", "unit = 5", r"network\.layers\[0\]\.unit: unknown key; did you mean 'units'\?"),
    ("units = 5", "units = 5, initializer = 'Hee'", r"initializer: unknown initializer 'Hee'; did you mean 'He'\?"),
    ('"Sigmoid" },', '"Sigmiod" },', r"layers\[1\]: unknown layer 'Sigmiod'; did you mean 'Sigmoid'\?.*--type"),
    ('"Sigmoid" },', '"sigmoid" },', r"did you mean 'Sigmoid'"),
    ('"SGD"', '"sgd"', r"unknown optimizer 'sgd'; did you mean 'SGD'\?"),
    ('"Sigmoid" },', '"CrossEntropy" },', r"layers\[1\]: unknown layer 'CrossEntropy'"),
    ("layers = [", "layers = [3, ", r"network\.layers\[0\] = 3: expected a table"),
    ("[training]", "[training]\ngradient = 'manual'", r"gradient = 'manual': expected one of backprop, autodiff"),
    ("epochs = 2", '"epo\\nchs" = 2', r"training\.'epo\\nchs': unknown key; did you mean 'epochs'\?"),
    ('"Sigmoid" },', '"Sig\\nmoid" },', r"unknown layer 'Sig\\nmoid'; .*--type module:Class on the command line"),
    ("[training]", "[trainig]", r"trainig: unknown key; did you mean 'training'\?"),
    ('name = "good"', 'name = "../../etc"', r"name = '\.\./\.\./etc': expected .* letters"),
    ("[training]", "[monitor]\n[training]", r"monitor\.on: missing"),
    ("[training]", "[monitor]\non = 1\n[training]", r"monitor\.on = 1: expected true or false, got a whole number"),
    ("[training]", "[monitor]\non_ = true\n[training]", r"monitor\.on_: unknown key; did you mean 'on'\?"),
    ("[training]", "[sweep]\neta = [1, 0]\n[training]", r"sweep: eta = \[1\.0, 0\.0\]: expected numbers from 1\.18e"),
    ("[training]", "[sweep]\neta = [1e39]\n[training]", r"sweep: eta = \[1e\+39\]: expected numbers from 1\.18e"),
    ("[training]", "[sweep]\nmu = [0, 1]\n[training]", r"sweep: mu = \[0\.0, 1\.0\]: expected numbers .* below 1"),
    ("[training]", "[sweep]\nlmbda = [-1]\n[training]", r"sweep: lmbda = \[-1\.0\]: expected numbers from 0 to"),
    ("[training]", "[sweep]\nscale = [inf]\n[training]", r"sweep: scale = \[inf\]: expected numbers from 0 to"),
    ("[training]", "[sweep]\neta = [0.1, 0.1]\n[training]", r"sweep: eta = \[0\.1, 0\.1\]: expected different numbers"),
    ("[training]", "[sweep]\nunits = [3, 3]\n[training]", r"sweep: units = \[3, 3\]: expected different numbers"),
    ("[training]", "[sweep]\nunits = [0]\n[training]", r"sweep: units = \[0\]: expected whole numbers of at least 1"),
    ('name = "good"', "seed = -1", r"seed = -1: expected 0 to"),
    ('name = "good"', "seed = 4294967296", r"seed = 4294967296: expected 0 to 4,294,967,295"),
    ('name = "good"', "name = ", r"not valid TOML.*line 2"),
    ('name = "good"', "x = " + "[" * 5000, r"it\.toml: is not"),
    ('name = "good"', "seed = " + "1" * 5000, r"it\.toml: is not a config|seed = 1"),
]


@pytest.mark.parametrize(("right", "wrong", "message"), MISTAKES, ids=[f"{w[:40]!r}" for _, w, _ in MISTAKES])
def test_a_mistake_is_one_line_with_its_place(write, right, wrong, message):
    assert right in GOOD
    path = write(GOOD.replace(right, wrong))
    with pytest.raises(fnn.InputError, match=message) as caught:
        load_config(path)
    assert str(caught.value).startswith(str(path))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("epochs", "expected key=value"),
        ("training.epoch=3", "training.epoch: unknown key"),
        ("network.layers.9.units=3", "no entry '9' here; the entries are 0 to "),
        ("training.target_cost=nan", "target_cost = nan: expected a number"),
        ("name.first=3", "name is 'good', which has no entries"),
    ],
)
def test_a_wrong_override_is_named(write, override, message):
    with pytest.raises(fnn.InputError, match=message):
        load_config(write(GOOD), [override])


def test_files_that_are_no_configs(tmp_path, write):
    with pytest.raises(fnn.InputError, match="cannot be read"):
        load_config(tmp_path / "missing.toml")
    with pytest.raises(fnn.InputError, match="cannot be read"):
        load_config(tmp_path)
    (tmp_path / "bytes.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(fnn.InputError, match="UTF-8"):
        load_config(tmp_path / "bytes.toml")
    with pytest.raises(fnn.InputError, match="larger than"):
        load_config(write("#" * 2**21))


@pytest.mark.parametrize("text", [GOOD, GOOD.replace("\n", "\r\n")], ids=["lf", "crlf"])
def test_a_config_with_the_mark_of_windows_is_read_and_kept_as_it_is(tmp_path, write, text):
    path = tmp_path / "marked.toml"
    path.write_bytes(b"\xef\xbb\xbf" + text.encode())
    assert load_config(path) == load_config(write(GOOD))
    assert config_text(path).encode() == path.read_bytes()


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-be"])
def test_utf_16_is_refused_in_plain_words(tmp_path, encoding):
    path = tmp_path / "wide.toml"
    path.write_bytes(GOOD.encode(encoding))
    with pytest.raises(fnn.InputError, match=r"wide\.toml: is UTF-16 text, .*; save it as UTF-8\.$"):
        load_config(path)


HIDDEN = ["training.epochs=3\r", "training.epochs=3\r\n", "training.epochs\r=3", "data.source=a.csv\r", "name=a\x1b[2J"]


@pytest.mark.parametrize("override", HIDDEN, ids=ascii)
def test_an_invisible_character_is_shown(write, override):
    with pytest.raises(fnn.InputError, match=r"--set '.*\\(r|x1b).*': holds '\\(r|x1b)'.*; remove it\.") as caught:
        load_config(write(GOOD), [override])
    assert str(caught.value).isprintable()


def test_a_value_with_spaces_and_a_line_end_is_a_value(write):
    assert load_config(write(GOOD), ["training.epochs =\t3 \n"]).training.epochs == 3


def test_a_tilde_in_the_paths_to_data_is_the_home_folder(write, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    data = load_config(write(GOOD.replace('"digits"', '"~/x.npy"\ny = "~/d/y.npy"')), []).data
    assert (data.source, data.y) == (str(tmp_path / "home/x.npy"), str(tmp_path / "home/d/y.npy"))
    assert load_config(write(GOOD), ["data.source=~/a.csv"]).data.source == str(tmp_path / "home/a.csv")
    assert load_config(write(GOOD), ["data.source=./~/a.csv"]).data.source == str(tmp_path / "~/a.csv")
    (tmp_path / "home").mkdir()
    (tmp_path / "home/own.toml").write_text(GOOD.replace("digits", "a.csv"))
    assert load_config("~/own.toml").data.source == str(tmp_path / "home/a.csv")
    with pytest.raises(
        fnn.InputError, match=r"it\.toml: --set data\.source ~no-such-user/a\.csv: there is no such user"
    ):
        load_config(write(GOOD), ["data.source=~no-such-user/a.csv"])


def test_a_key_of_two_thousand_parts_is_one_line(write):
    path = write(GOOD.replace('source = "digits"', f"source{'.a' * 2000} = 3"))
    # newer Pythons read such a key, and the value is then no text
    with pytest.raises(
        fnn.InputError, match=r"it\.toml: (is not a config: nested too deeply|data\.source = \{)"
    ) as error:
        load_config(path)
    assert len(str(error.value)) < 600
