"""`fnn export`, without the libraries whose files it writes."""

import json
import sys

import numpy as np
import pytest

import fnn
from fnn import cli
from fnn.interop.safetensors import to_safetensors
from tests.helpers.support import draw_params, fails


@pytest.fixture
def saved(tmp_path):
    net = (fnn.Dense(2),)
    fnn.save(tmp_path / "net", net, fnn.LogLikelihood(), draw_params(net, 0, (3,)), (3,))
    return tmp_path / "net"


def test_a_file_of_safetensors_has_the_params_and_what_the_network_is(saved, capsys):
    assert cli.main(["export", str(saved), "--to", "safetensors"]) == 0
    said = capsys.readouterr().out.splitlines()
    data = (saved / "model.safetensors").read_bytes()
    assert said[:3] == [
        f"safetensors: {saved / 'model.safetensors'} ({len(data)} bytes)",
        "0.W float32[2, 3]",
        "0.b float32[2]",
    ]
    size = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + size])
    begin, end = (8 + size + k for k in header["0.W"]["data_offsets"])
    params = fnn.load(saved).params
    np.testing.assert_array_equal(np.frombuffer(data[begin:end], "<f4").reshape(2, 3), params[0].W)
    assert json.loads(header["__metadata__"]["fnn"])["layers"][0]["type"] == "Dense"


@pytest.mark.parametrize("name", ["params.npz", "config.json", "x.safetensors", "model"])
def test_another_ending_is_refused_so_that_no_file_of_the_run_is_lost(saved, capsys, name):
    fails(capsys, 2, "ends in .onnx", "export", str(saved), "--to", "onnx", "--out", str(saved / name))
    assert fnn.load(saved)


def test_a_folder_that_is_not_there_is_refused(saved, capsys):
    out = str(saved / "no" / "x.onnx")
    fails(capsys, 2, "make it, or name another file", "export", str(saved), "--to", "onnx", "--out", out)
    (saved / "x.onnx").mkdir()
    fails(capsys, 2, "ends in .onnx", "export", str(saved), "--to", "onnx", "--out", str(saved / "x.onnx"))


def test_without_onnx_a_line_says_how_to_get_it(saved, capsys, monkeypatch):
    for name in [name for name in sys.modules if name.partition(".")[0] == "onnx"] + ["onnx"]:
        monkeypatch.setitem(sys.modules, name, None)
    fails(capsys, 2, "not installed; get it with  pip install 'fnn[onnx]'", "export", str(saved), "--to", "onnx")
    assert not (saved / "model.onnx").exists()


def test_what_is_no_trained_run_is_refused(tmp_path, capsys):
    fails(capsys, 2, "there is no such folder", "export", str(tmp_path / "none"), "--to", "safetensors")
    fails(capsys, 2, "has no config.json", "export", str(tmp_path), "--to", "safetensors")


@pytest.mark.parametrize("kind", [int, bool, complex])
def test_arrays_of_other_numbers_are_refused(kind):
    with pytest.raises(TypeError, match="W is an array of .*; expected one of float64, float32, float16"):
        to_safetensors({"W": np.zeros(2, kind)})
