"""A shape splits or joins axes; it never puts the numbers of an example in other places."""

import itertools

import numpy as np
import pytest

import fnn
from fnn import InputError, load_data
from fnn.data import load_inputs
from fnn.data.shapes import image_size, keeps_order

KEPT = [
    ((784,), (1, 28, 28)),
    ((28, 28), (1, 28, 28)),
    ((28, 28, 1), (1, 28, 28)),
    ((1, 28, 28), (784,)),
    ((3, 1024), (3, 32, 32)),  # as CIFAR's own files have it
    ((3072,), (3, 32, 32)),
    ((32, 32, 3), (3072,)),
    ((3, 32, 32), (3, 32, 32)),
    ((1,), (1, 1, 1)),
]
MIXED = {
    ((32, 32, 3), (3, 32, 32)): r"store the channels first: np\.moveaxis\(x, -1, 1\)",
    ((32, 24, 3), (3, 32, 24)): r"np\.moveaxis\(x, -1, 1\)",
    ((3, 32, 32), (32, 32, 3)): r"store them in that order of axes, by np\.transpose",
    ((24, 32), (32, 24)): r"np\.transpose|np\.moveaxis",
    ((28, 28), (14, 56)): "store them in that shape, or flat",
    ((4, 6, 2), (2, 4, 6)): "np.moveaxis",
}


@pytest.fixture
def data(tmp_path, monkeypatch):
    """`data(stored, form)` writes ten examples of that shape; the name of the file and its numbers."""
    monkeypatch.chdir(tmp_path)

    def write(stored, form):
        x = np.arange(10 * np.prod(stored), dtype=np.float32).reshape(10, *stored)
        if form == "npz":
            np.savez("x.npz", x=x, y=np.arange(10) % 2)
        np.save("x.npy", x)
        np.save("y.npy", np.arange(10) % 2)
        return f"x.{form}", {"y": "y.npy"} if form == "npy" else {}, x

    return write


@pytest.mark.parametrize("form", ["npz", "npy"])
@pytest.mark.parametrize(("stored", "shape"), KEPT, ids=str)
def test_axes_are_split_and_joined(stored, shape, form, data):
    source, options, x = data(stored, form)
    np.testing.assert_array_equal(load_data(source, shape=shape, **options).train.x, x.reshape(10, *shape))
    np.testing.assert_array_equal(np.asarray(load_inputs(source, shape)), x.reshape(10, *shape))


@pytest.mark.parametrize("form", ["npz", "npy"])
@pytest.mark.parametrize(("axes", "remedy"), MIXED.items(), ids=str)
def test_numbers_are_never_mixed_up(axes, remedy, form, data):
    (stored, shape), (source, options, x) = axes, data(axes[0], form)
    said = rf"an example is stored as \[{', '.join(map(str, stored))}\], whose numbers would be mixed up; .*{remedy}"
    with pytest.raises(InputError, match=rf"^shape = \[{shape[0]}, .*{said}"):
        load_data(source, shape=shape, **options)
    with pytest.raises(InputError, match=rf"{source}: the network takes \[{shape[0]}, .*{said}"):
        load_inputs(source, shape)
    model = fnn.Model((fnn.Flatten(), fnn.Dense(1)), fnn.CrossEntropy(), (), shape)
    with pytest.raises(ValueError, match="the inputs have shape"):
        model.predict(x)


def test_a_shape_is_kept_exactly_if_neighbours_stay_neighbours():
    shapes = [s for k in (1, 2, 3) for s in itertools.product((1, 2, 3, 4, 6, 12), repeat=k) if np.prod(s) == 12]
    for stored, shape in itertools.product(shapes, repeat=2):
        assert keeps_order(stored, shape) == (_joins(stored, shape) or _joins(shape, stored))


def _joins(fine, coarse):
    """Whether the axes of `coarse` are products of runs of neighbouring axes of `fine`: tried in all ways."""
    fine, coarse = (tuple(k for k in axes if k != 1) for axes in (fine, coarse))
    cuts = itertools.combinations(range(1, len(fine)), len(coarse) - 1) if coarse else [()]
    return any(
        tuple(int(np.prod(fine[a:b])) for a, b in itertools.pairwise((0, *cut, len(fine)))) == coarse for cut in cuts
    )


@pytest.mark.parametrize(
    ("source", "shape", "size"),
    [
        ("x.npz", (3, 8, 6), (8, 6)),
        ("digits", (64,), (8, 8)),
        ("mnist", (1, 28, 28), (28, 28)),
        ("x.npz", (64,), (0, 0)),
        ("digits", (8, 8), (0, 0)),
    ],
)
def test_an_image_has_channels_first_or_is_a_digit(source, shape, size):
    assert image_size(source, shape) == size
