"""A PNG holds the picture that it was made of."""

import io

import numpy as np
import pytest

from fnn.storage import png


def test_the_picture_is_the_one_that_was_given():
    image = pytest.importorskip("PIL.Image")
    pixels = np.random.default_rng(0).integers(0, 256, (5, 7, 3), dtype=np.uint8)
    read = image.open(io.BytesIO(png.of_colours(pixels, 144)))
    np.testing.assert_array_equal(np.asarray(read), pixels)
    assert read.info["dpi"] == pytest.approx((144, 144), abs=0.01)
    assert "Software" not in read.info


@pytest.mark.parametrize(("bits", "row"), [(8, b"\x00\x80\xff"), (4, b"\x08\xf0")], ids=["8 bits", "4 bits"])
def test_greys_are_read_back(bits, row):
    image = pytest.importorskip("PIL.Image")
    read = np.asarray(image.open(io.BytesIO(png.of_rows([row, row], 3, bits, png.GREY))).convert("L"))
    assert read.shape == (2, 3)
    assert (read == [0, 0x80 if bits == 8 else 0x88, 255]).all()
