"""A trained network is saved and loaded bit for bit, or refused by name."""

import json

import jax
import numpy as np
import pytest

import fnn
from fnn.config.reading import load_config
from fnn.config.sections import TYPES
from fnn.runs import preparing
from tests.helpers.support import Swish, fails


def test_a_run_loads_bit_for_bit(finished, config):
    model = fnn.load(finished)
    prepared = preparing.prepare(load_config(config))
    assert (model.net, model.cost) == (prepared.config.network.layers, prepared.config.network.cost)
    *_, last = preparing.results(prepared, "backprop")
    assert [np.asarray(p).tobytes() for p in jax.tree.leaves(model.params)] == [
        np.asarray(p).tobytes() for p in jax.tree.leaves(last.params)
    ]
    lines = (finished / "metrics.jsonl").read_text().splitlines()
    assert float(fnn.evaluate(model.net, model.cost, model.params, prepared.data.test).cost) == pytest.approx(
        json.loads(lines[-1])["test_cost"], rel=1e-6
    )


@pytest.mark.parametrize("name", ["params.npz", "config.json"])
def test_a_damaged_run_ends_with_status_3(finished, capsys, name):
    data = bytearray((finished / name).read_bytes())
    (finished / name).write_bytes(data[: len(data) // 2])
    fails(capsys, 3, name, "predict", str(finished))
    (finished / name).unlink()
    fails(capsys, 3, name, "predict", str(finished))


def test_params_of_another_shape_are_refused(finished):
    about = json.loads((finished / "config.json").read_text())
    about["network"]["layers"][0]["units"] = 10**9
    (finished / "config.json").write_text(json.dumps(about))
    with pytest.raises(fnn.CorruptFileError, match="the net needs floats"):
        fnn.load(finished)


@pytest.mark.parametrize("layers", [[], [{"type": "Flatten"}, {"type": "MaxPool", "size": 3}]], ids=["none", "misfit"])
def test_a_net_that_cannot_be_is_a_corrupt_file(finished, layers):
    about = json.loads((finished / "config.json").read_text())
    about["network"]["layers"] = layers
    (finished / "config.json").write_text(json.dumps(about))
    with pytest.raises(fnn.CorruptFileError, match="config.json: has a net that cannot be"):
        fnn.load(finished)


def test_save_and_load_of_a_net_of_ones_own(tmp_path):
    net, cost = (fnn.Dense(3), Swish(), fnn.Maxout(2)), fnn.LogLikelihood()
    params = fnn.init(net, jax.random.key(0), (4,))
    fnn.save(tmp_path / "net", net, cost, params, (4,))
    model = fnn.load(tmp_path / "net", dict(TYPES) | {"Swish": Swish})
    assert (model.net, model.cost) == (net, cost)
    x = np.random.default_rng(0).random((5, 4))
    np.testing.assert_array_equal(model.predict(x), fnn.predict(net, cost, params, x.astype(np.float32)))
    with pytest.raises(fnn.InputError, match="unknown layer 'Swish'"):
        fnn.load(tmp_path / "net")
    with pytest.raises(ValueError, match="params do not fit"):
        fnn.save(tmp_path / "net", net, cost, params, (5,))


@pytest.mark.parametrize("sd", [[], [1.0, 1.0]])
def test_units_of_another_number_of_inputs_are_a_corrupt_file(finished, capsys, sd):
    about = json.loads((finished / "config.json").read_text())
    about["inputs"]["sd"] = sd
    (finished / "config.json").write_text(json.dumps(about))
    fails(capsys, 3, "inputs.mean and inputs.sd have shapes", "predict", str(finished))
