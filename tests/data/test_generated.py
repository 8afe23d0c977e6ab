"""Truth tables, and points that lie on their curves and follow their seed."""

import hashlib

import numpy as np
import pytest

from fnn.data import load_data
from tests.helpers.data_files import digest


@pytest.mark.parametrize(("name", "column"), [("and", "0001"), ("or", "0111"), ("nand", "1110"), ("xor", "0110")])
def test_truth_tables(name, column):
    data = load_data(name, targets="binary")
    assert data.train.x.tolist() == [[0, 0], [0, 1], [1, 0], [1, 1]]
    assert data.train.y.tolist() == [[int(bit)] for bit in column]
    assert (data.validation.n, data.test.n, data.classes, data.shape) == (0, 0, ("0", "1"), (2,))
    assert load_data(name).train.y.tolist() == [[1 - int(bit), int(bit)] for bit in column]


GENERATED = {  # as first made: a change of NumPy, or of ours, would show
    "moons": "f4988c914ee51f8a",
    "spirals": "5fe0251a253c09de",
    "sine": "6c077190eb36e37f",
}


@pytest.mark.parametrize("name", GENERATED)
def test_generated_sets_stay_the_same_and_follow_their_seed(name):
    data = load_data(name, size=100, noise=0.25)
    rounded = b"".join(np.round(a.astype(float) * 1000).astype("<i4").tobytes() for a in data.train[:2])
    assert hashlib.sha256(rounded).hexdigest()[:16] == GENERATED[name]
    assert digest(data) != digest(load_data(name, size=100, noise=0.25, seed=1))
    assert load_data(name).train.n == 1000


def test_generated_sets_lie_on_their_curves():
    sine = load_data("sine", noise=0.0).train
    np.testing.assert_allclose(sine.y, np.sin(sine.x), atol=1e-6)
    assert np.abs(sine.x).max() <= np.pi
    moons = load_data("moons", noise=0.0).train
    centre = np.where(moons.y[:, :1] == 1, [[0, 0]], [[1, 0.5]])
    np.testing.assert_allclose(np.linalg.norm(moons.x - centre, axis=1), 1, atol=1e-6)
    spirals = load_data("spirals", noise=0.0).train
    r = np.linalg.norm(spirals.x, axis=1)
    turn = np.arctan2(spirals.x[:, 1], spirals.x[:, 0]) - np.pi * (r + spirals.y[:, 1])
    np.testing.assert_allclose(np.cos(turn), 1, atol=1e-5)


def test_noise_has_the_deviation_asked_for():
    sine = load_data("sine", size=20_000, noise=0.5).train
    assert np.std(sine.y - np.sin(sine.x)) == pytest.approx(0.5, rel=0.02)
    assert np.mean(sine.y - np.sin(sine.x)) == pytest.approx(0, abs=0.02)
