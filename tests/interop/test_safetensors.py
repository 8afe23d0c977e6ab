"""Files of safetensors, written by hand: byte for byte those of the library, which reads them."""

import json

import numpy as np
import pytest

import fnn
from fnn import cli
from fnn.interop.safetensors import to_safetensors
from fnn.runs.models import named
from tests.helpers.support import draw_params

library = pytest.importorskip("safetensors.numpy")


def arrays():
    rng = np.random.default_rng(0)
    return {
        "10.W": rng.normal(size=(3, 4)).astype(np.float32),
        "2.W": rng.normal(size=(2, 0)).astype(np.float32),
        "2.b": rng.normal(size=3),
        'ü\n"\x7f\u2028': rng.normal(size=(2, 3, 1)).astype(np.float16),
        "turned": rng.normal(size=(3, 4)).astype(np.float32).T,
        "alone": np.array(1.5, np.float32),
    }


@pytest.mark.parametrize("about", [None, {}, {"fnn": 'é {"a": 1}\t\x01 \u2028 /'}], ids=["none", "empty", "text"])
def test_the_bytes_are_those_of_the_library(about):
    given = arrays()
    whole = {name: np.array(array, order="C") for name, array in given.items()}
    assert to_safetensors(given, about) == library.save(whole, about)
    assert to_safetensors(dict(reversed(given.items())), about) == to_safetensors(given, about)
    for name, array in library.load(to_safetensors(given, about)).items():
        np.testing.assert_array_equal(array, given[name], strict=True)


def test_no_arrays_are_a_file_too():
    assert to_safetensors({}) == library.save({})


def test_a_run_is_read_by_the_library(tmp_path, capsys):
    net = (fnn.Conv(2, 3), fnn.Flatten(), fnn.Dense(4))
    params = draw_params(net, 0, (1, 5, 5))
    fnn.save(tmp_path, net, fnn.LogLikelihood(), params, (1, 5, 5))
    assert cli.main(["export", str(tmp_path), "--to", "safetensors"]) == 0
    capsys.readouterr()
    read = library.load_file(tmp_path / "model.safetensors")
    for name, array in named(params).items():
        np.testing.assert_array_equal(read.pop(name), array, strict=True)
    assert not read
    with library.safe_open(tmp_path / "model.safetensors", "numpy") as file:
        about = json.loads(file.metadata()["fnn"])
    assert (about["fnn_version"], about["layers"][0]["type"], about["shape"]) == (fnn.__version__, "Conv", [1, 5, 5])
