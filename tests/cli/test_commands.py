"""What the commands make of a user's mistakes, and of files that somebody has changed."""

import csv
import io
import json
import os
import signal
import sys

import jax
import numpy as np
import pytest
from test_config import GOOD

from fnn import cli
from fnn.cli import compare, sweep
from fnn.config.reading import load_config
from fnn.errors import StoppedError
from fnn.machine import signals
from fnn.plots import curves
from fnn.runs import directory, keeper, preparing
from tests.helpers.support import fails


@pytest.fixture(autouse=True)
def no_pictures(monkeypatch):
    monkeypatch.setattr(curves, "available", lambda: False)
    jax.devices()  # in use, so `fnn sweep` does not change their number for the tests that follow


@pytest.fixture
def config(tmp_path):
    path = tmp_path / "good.toml"
    path.write_text(GOOD.replace("epochs = 2", "epochs = 1"))
    return str(path)


TYPES = {
    "json:dumps": "is no class with fields; expected one under @fnn.static",
    "own:Bare": "is no class with fields",
    "own:Hidden": "Hidden: the types of its fields are not there (name 'Fraction' is not defined)",
    "own:Either": "layers[1].inner: a field of type fnn.types.Layer | None cannot be said in a config",
    "broken:Layer": "expected MODULE:CLASS that can be imported from here",
}
OWN = """
from __future__ import annotations
import typing
import fnn
from fnn.types import Layer
if typing.TYPE_CHECKING:
    from fractions import Fraction
class Bare:
    init = forward = backward = None
@fnn.static
class Hidden(fnn.Sigmoid):
    part: Fraction = 1
@fnn.static
class Either(fnn.Sigmoid):
    inner: Layer | None = None
"""


@pytest.mark.parametrize(("name", "said"), TYPES.items(), ids=TYPES)
def test_a_class_that_no_config_can_name_is_one_line(name, said, config, tmp_path, capsys, monkeypatch):
    (tmp_path / "own.py").write_text(OWN)
    (tmp_path / "broken.py").write_text("class Layer(\n")
    monkeypatch.chdir(tmp_path)
    layer = f"network.layers.1={{type='{name.partition(':')[2]}'{', inner=3' * name.endswith('Either')}}}"
    fails(capsys, 2, said, "gradcheck", config, "--type", name, "--set", layer)
    sys.modules.pop("own", None)


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


def test_seeds_end_where_keys_would_begin_again(config, capsys):
    options = ["--set", f"seed={2**32 - 2}", "--set", "sweep.seeds=3"]
    fails(capsys, 2, "the last seed would be 4,294,967,296", "sweep", config, *options)
    assert load_config(config, [f"seed={2**32 - 2}", "sweep.seeds=2"]).sweep.seeds == 2


def test_a_gradient_is_chosen_where_one_is_used(config, capsys):
    for command in ("compare", "gradcheck"):
        with pytest.raises(SystemExit):
            cli.main([command, config, "--gradient", "autodiff"])
        assert "unrecognized arguments: --gradient" in capsys.readouterr().err


def test_compare_counts_the_steps_of_shifted_images(config, capsys, monkeypatch):
    seen = []
    monkeypatch.setattr(compare.comparison, "compare", lambda *_: ())
    monkeypatch.setattr(compare, "_way", lambda way, results, steps: seen.append(steps) or "")
    sets = ["data.shape=[1, 8, 8]", "network.layers=[{type='Flatten'}, {type='Dense', units=10}]"]
    words = [word for entry in (*sets, "training.shifts=true") for word in ("--set", entry)]
    assert cli.main(["compare", config, *words]) == 0
    data = preparing.prepare(load_config(config, sets)).data.train
    assert seen == [-(-5 * data.n // load_config(config).training.batch_size)] * 2


def test_predictions_quote_what_a_class_is_called(finished, capsys):
    about = json.loads((finished / "config.json").read_text())
    about["classes"] = [f'a "{k}", or so' for k in about["classes"]]
    (finished / "config.json").write_text(json.dumps(about))
    assert cli.main(["predict", str(finished)]) == 0
    header, *rows = csv.reader(capsys.readouterr().out.splitlines())
    assert {len(row) for row in rows} == {len(header)}
    assert {row[1] for row in rows} <= set(about["classes"])


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes in folders here")
@pytest.mark.parametrize("name", ["metrics.jsonl", "params.npz"])
def test_a_pipe_in_the_place_of_a_file_is_not_waited_for(finished, name, capsys):
    (finished / name).unlink()
    os.mkfifo(finished / name)
    for command in ("verify", "report"):
        fails(capsys, 3, f"{name}: is not a plain file", command, str(finished))


def test_verify_takes_times_that_are_no_numbers(finished, capsys):
    lines = [json.loads(line) | {"seconds": "long"} for line in (finished / "metrics.jsonl").read_text().splitlines()]
    (finished / "metrics.jsonl").write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    assert cli.main(["verify", str(finished)]) == 0
    table = json.loads((finished / "environment.json").read_text())
    (finished / "environment.json").write_text(json.dumps(table | {"changes": {"jax": "newer"}}))
    fails(capsys, 2, "it went on under changes", "verify", str(finished))


def test_a_new_run_has_the_highest_number(config, tmp_path):
    made = [directory.create(tmp_path / "runs", "good", load_config(config)) for _ in range(3)]
    made[0].rmdir()
    last = directory.create(tmp_path / "runs", "good", load_config(config))
    assert last.name == made[0].name + "-4"
    assert [number for number, _ in directory.numbered(tmp_path / "runs", made[0].name)] == [4, 3, 2]


def test_no_signal_is_lost_while_handlers_change(monkeypatch):
    order, wakeup, handler = [], signal.set_wakeup_fd, signal.signal
    monkeypatch.setattr(
        signal, "set_wakeup_fd", lambda *args, **options: order.append("fd") or wakeup(*args, **options)
    )
    monkeypatch.setattr(signal, "signal", lambda *args: order.append("handler") or handler(*args))
    with signals.wishes():
        pass
    assert order == ["fd", "handler", "handler", "handler", "handler", "fd"]


@signals.raised("it is kept")
def stopped_twice(ended):
    """The second signal comes while the first one's error is on its way."""
    try:
        os.kill(os.getpid(), signal.SIGINT)
    finally:
        assert not ended
        os.kill(os.getpid(), signal.SIGTERM)


def test_a_second_signal_ends_at_once_what_the_first_one_is_being_saved_by(monkeypatch, capfd):
    ended = []
    monkeypatch.setattr(os, "_exit", ended.append)
    with pytest.raises(StoppedError, match="stopped by SIGINT; it is kept"):
        stopped_twice(ended)
    assert ended == [143]
    assert "ended at once" in capfd.readouterr().err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_sweep_that_is_stopped_keeps_what_is_done(config, tmp_path, capsys, monkeypatch, number):
    told, line = [], sweep.line

    def then_terminated(*args):
        told.append(args)
        if len(told) == 2:
            os.kill(os.getpid(), number)
        return line(*args)

    monkeypatch.setattr(sweep, "line", then_terminated)
    before = signal.getsignal(number)
    sets = ("--set", "sweep.seeds=2", "--set", "training.epochs=50")
    fails(
        capsys,
        128 + number,
        f"stopped by {number.name}; what was done is in {tmp_path}",
        "sweep",
        config,
        "--out",
        str(tmp_path / "out"),
        *sets,
    )
    assert signal.getsignal(number) == before
    (folder,) = (tmp_path / "out").iterdir()
    assert (folder / "sweep.csv").exists()
    assert len(list((folder / "networks").iterdir())) == 2


TWO = ["data.source='xor'", "data.validation=0", "data.test=0", "training.batch_size=4"]
ONE = ["network.layers=[{type='Dense', units=1}]", "data.targets='binary'"]
CONV = "[{type='Conv', filters=9999999, size=1}, {type='MaxPool', size=8}, {type='Flatten'}, {type='Dense', units=10}]"
WRONG = {
    "no hidden layer": ("sweep", ["network.layers=[{type='Dense', units=10}]", "sweep.units=[5]"], "no hidden layer"),
    "no parameters": ("sweep", [*TWO, "network.layers=['Sigmoid']"], "no layer has parameters"),
    "too many": ("sweep", ["sweep.seeds=1000", f"sweep.eta={[1.0] * 101}"], "101000: expected at most 100,000"),
    "one softmax": ("run", [*TWO, *ONE, "network.cost='LogLikelihood'"], "the softmax of one output is always 1"),
    "quantities": ("run", [*ONE, "data.source='sine'", "data.targets='one-hot'", "network.cost='CrossEntropy'"],
                   "CrossEntropy is for desired outputs from 0 to 1"),
    "Dense": ("run", ["network.cost={type='Quadratic', activation={type='Dense', units=9}}"], "Dense has parameters"),
    "Conv": ("run", ["network.cost={type='Quadratic', activation={type='Conv', filters=1, size=1}}"], "Conv(filters=1"),
    "axes": ("run", [f"data.shape={[1] * 70 + [64]}"], "at most 32 axes"),
    "activations": ("run", ["data.shape=[1, 8, 8]", f"network.layers={CONV}"], "fewer units or filters"),
    "zero byte": ("run", ['data.source="a\\u0000.csv"'], "a path, which has no zero byte"),
    "long name": ("run", [f"data.source='{'a' * 300}.csv'"], "File name too long"),
    "two lines": ("run", ["training.epochs=3\ntraining.batch_size=1"], "say --set once more"),
}  # fmt: skip


@pytest.mark.parametrize(("command", "sets", "said"), WRONG.values(), ids=WRONG)
def test_what_cannot_be_trained_is_refused_at_once(command, sets, said, config, tmp_path, capsys):
    words = [word for entry in sets for word in ("--set", entry)]
    fails(capsys, 2, said, command, config, "--out", str(tmp_path / "out"), *words)
    assert not (tmp_path / "out").exists()


def test_a_sweep_may_have_all_the_memory(config, tmp_path):
    sets = ("--set", "sweep.memory=1e300", "--set", "sweep.seeds=2")
    assert cli.main(["sweep", config, "--out", str(tmp_path / "out"), *sets]) == 0


def test_a_run_without_its_description_does_not_go_on_in_vain(config, tmp_path, capsys, monkeypatch):
    call = keeper.Keeper.__call__

    def stopped_after_an_epoch(keeper, state):
        keeper.wish.number = signal.SIGTERM if state.epochs else 0
        call(keeper, state)

    monkeypatch.setattr(keeper.Keeper, "__call__", stopped_after_an_epoch)
    words = ["run", config, "--out", str(tmp_path / "out"), "--set", "training.epochs=4"]
    assert cli.main(words) == 143
    monkeypatch.undo()
    monkeypatch.setattr(curves, "available", lambda: False)
    (folder,) = (tmp_path / "out").iterdir()
    (folder / "config.json").unlink()
    capsys.readouterr()
    fails(capsys, 3, "config.json", *words, "--resume")
    assert not (folder / "result.json").exists()


def test_many_standardised_inputs_can_be_read_again(tmp_path, capsys):
    x = np.random.default_rng(0).random((6, 24_000), np.float32)
    np.savez(tmp_path / "wide.npz", x=x, y=np.arange(6) % 2)
    config = tmp_path / "wide.toml"
    config.write_text(
        "[data]\nsource = 'wide.npz'\nstandardise = true\n[network]\nlayers = [{ type = 'Dense', units = 2 }]\n"
        "cost = 'LogLikelihood'\n[training]\noptimizer = { type = 'SGD', eta = 0.001 }\nbatch_size = 6\nepochs = 1\n"
    )
    assert cli.main(["run", str(config), "--out", str(tmp_path / "out")]) == 0
    assert cli.main(["verify", str(next((tmp_path / "out").iterdir()))]) == 0
    capsys.readouterr()


@pytest.mark.parametrize("streams", [{"stdout": None}, {"encoding": "ascii"}], ids=["closed", "ascii"])
def test_a_run_does_not_depend_on_what_can_be_told(streams, config, tmp_path, monkeypatch):
    out = io.TextIOWrapper(io.BytesIO(), streams["encoding"]) if "encoding" in streams else None
    monkeypatch.setattr(sys, "stdout", out)
    folder = tmp_path / "é"
    assert cli.main(["run", config, "--out", str(folder)]) == 0
    assert (next(folder.iterdir()) / "result.json").exists()
    if out is not None:
        out.seek(0)
        assert "\\xe9" in out.read()
