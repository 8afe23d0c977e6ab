"""Numbers of NumPy are numbers: where a value is built they become Python's, and what is none is refused by name."""

import jax
import numpy as np
import pytest

import fnn
from fnn import Conv, ConvPool, Dense, EarlyStopping, HalveOnPlateau, LeakyReLU, Maxout, MaxPool, Normal, backprop

KEY = jax.random.key(0)
COUNTS = {
    "Dense": (Dense, "units"),
    "Maxout": (lambda k: Maxout(k, k), "units"),
    "pieces": (lambda k: Maxout(2, k), "pieces"),
    "Conv": (lambda k: Conv(k, k), "filters"),
    "MaxPool": (MaxPool, "size"),
    "ConvPool": (lambda k: ConvPool(k, k, k), "filters"),
    "EarlyStopping": (EarlyStopping, "patience"),
    "HalveOnPlateau": (HalveOnPlateau, "patience"),
}


@pytest.mark.parametrize("kind", [np.int64, np.int32, np.uint8, np.array([3]).dtype.type])
@pytest.mark.parametrize("name", COUNTS)
def test_a_whole_number_of_numpy_is_one_and_becomes_python_s(name, kind):
    build, _ = COUNTS[name]
    assert build(kind(3)) == build(3)
    assert repr(build(kind(3))) == repr(build(3))
    assert hash(build(kind(3))) == hash(build(3))


@pytest.mark.parametrize("wrong", [True, np.True_, 2.0, np.float32(2.0), "2", None, np.array(2.0)], ids=repr)
@pytest.mark.parametrize("name", COUNTS)
def test_what_is_no_whole_number_is_refused_by_name(name, wrong):
    build, field = COUNTS[name]
    with pytest.raises(TypeError, match=field):
        build(wrong)


@pytest.mark.parametrize("build", [LeakyReLU, Normal], ids=repr)
def test_a_real_number_of_numpy_can_be_saved(build, tmp_path):
    layer = build(np.float32(0.25))
    assert layer == build(0.25)
    net = (Dense(2, initializer=layer),) if build is Normal else (Dense(2), layer)
    fnn.save(tmp_path / "net", net, fnn.LogLikelihood(), fnn.init(net, KEY, (3,)), (3,))


def test_a_shape_may_have_numpy_s_numbers_and_no_others():
    net = (Dense(2),)
    assert fnn.init(net, KEY, (np.prod((28, 28)),))[0].W.shape == (2, 784)
    assert fnn.shape_out(net, (np.int32(5),)) == (2,)
    for wrong in ((True,), (2.0,), ("2",), (None,)):
        with pytest.raises(TypeError, match="expected the whole numbers"):
            fnn.init(net, KEY, wrong)


def test_bytes_as_they_are_stored_are_noticed():
    data, net, cost = fnn.load_data("digits"), (Dense(10),), fnn.LogLikelihood()
    params = fnn.init(net, KEY, data.shape)
    raw, y = data.train.x[:9].astype(np.uint8), data.train.y[:9].astype(np.float32)
    for gradient in (backprop, fnn.autodiff, fnn.deltas):
        with pytest.raises(TypeError, match="x holds bytes up to 16, .* examples.rows"):
            gradient(net, cost, params, raw, y)
    with pytest.raises(TypeError, match="in the units of training"):
        fnn.predict(net, cost, params, raw)
    with pytest.raises(ValueError, match="x holds bytes up to 16, .* examples.rows"):
        fnn.gradcheck(net, cost, params, raw, y)


def test_truth_tables_in_bytes_are_no_raw_images():
    xor, net, cost = fnn.load_data("xor", targets="binary"), (Dense(1),), fnn.CrossEntropy()
    params = fnn.init(net, KEY, xor.shape)
    with jax.numpy_dtype_promotion("standard"):  # conftest asks for the strict one
        value, _ = backprop(net, cost, params, xor.train.x.astype(np.uint8), xor.train.y.astype(np.float32))
    assert np.isfinite(value)
    assert fnn.gradcheck(net, cost, params, xor.train.x.astype(np.uint8), xor.train.y).ok


def test_counts_of_examples_may_be_numpy_s_numbers():
    data = fnn.load_data("digits", train=np.int64(100), test=np.uint8(20), split_seed=np.int32(3))
    again = fnn.load_data("digits", train=100, test=20, split_seed=3)
    np.testing.assert_array_equal(data.train.x, again.train.x)
    assert (data.train.n, data.test.n) == (100, 20)
