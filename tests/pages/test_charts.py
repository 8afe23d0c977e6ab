"""Curves, heat maps, ticks and tiny pictures: what they are made of, without a browser."""

import base64
import math
import re
import struct
import zlib

import pytest

from fnn.pages import png
from fnn.pages.charts import MOST_POINTS, Curve, chart, legend, thinned
from fnn.pages.gradcheck_page import LARGEST, blocks, sections
from fnn.pages.heat_maps import Axis, heat_map, shade
from fnn.pages.markup import Cell, escaped, page, table
from fnn.pages.ticks import log_ticks, ticks


def drawn(points, **more):
    return chart("cost", "epoch", "cost (nats)", [Curve("a", 0, points)], **more)


def way(figure):
    """The points of the only curve, in tenths of a pixel."""
    path = re.search(r'class="c k0 d0" d="([^"]*)"', figure)[1]
    steps = re.findall(r"([Ml])(-?\d+) (-?\d+)", path)
    return [(kind, int(x), int(y)) for kind, x, y in steps]


def test_a_curve_goes_from_the_left_to_the_right_and_up_where_it_grows():
    steps = way(drawn([(1, 0.0), (2, 5.0), (3, 10.0)]))
    assert [kind for kind, _, _ in steps] == ["M", "l", "l"]
    assert steps[0][1] == 640
    assert 640 + steps[1][1] + steps[2][1] == 3900
    assert steps[1][1:] == steps[2][1:]
    assert steps[1][2] < 0


def test_numbers_that_are_not_finite_leave_a_gap():
    steps = way(drawn([(1, 1.0), (2, 2.0), (3, math.nan), (4, 1.0), (5, 2.0)]))
    assert [kind for kind, _, _ in steps] == ["M", "l", "M", "l"]
    assert drawn([(1, math.nan)]) == drawn([]) == ""


def test_a_point_alone_is_a_dot_and_a_constant_is_drawn():
    assert "<circle" in drawn([(1, 0.5)])
    assert "nan" not in drawn([(1, 0.0), (2, 0.0)])
    assert len({y for _, _, y in way(drawn([(1, 3.0), (2, 3.0)]))[1:]} | {0}) == 1


def test_on_a_log_scale_equal_factors_are_equal_steps():
    steps = way(drawn([(1, 1.0), (2, 0.1), (3, 0.01)], log=True))
    assert steps[1][2] == pytest.approx(steps[2][2], abs=1)
    assert way(drawn([(1, 1.0), (2, 0.0)], log=True))  # 0 has no logarithm: the scale is linear


def test_axes_have_names_ticks_and_words():
    figure = drawn([(k, k / 100) for k in range(1, 31)])
    assert all(f">{text}<" in figure for text in ("epoch", "cost (nats)", "1", "10", "20", "30", "0.1", "0.2", "0.3"))
    assert 'aria-label="cost by epoch; a: last 0.3"' in figure


@pytest.mark.parametrize(("low", "high"), [(0, 1), (0.23, 0.91), (70, 100), (-1, 1), (3, 3), (1e-9, 2e-9), (0, 0)])
def test_ticks_are_round_and_few(low, high):
    marks = ticks(low, high)
    assert 2 <= len(marks) <= 8 or low == high
    assert marks[0] <= low <= high <= marks[-1] or low == high == 0
    assert all(len(f"{mark:.6g}") <= 8 for mark in marks)


@pytest.mark.parametrize(("first", "last"), [(1, 1), (1, 3), (1, 30), (1, 200), (5, 6), (1, 100_000)])
def test_ticks_of_epochs_are_whole_and_begin_at_the_first(first, last):
    marks = ticks(first, last, whole=True)
    assert marks[0] == first
    assert all(mark == int(mark) and first <= mark <= last for mark in marks)
    assert len(marks) <= 7


@pytest.mark.parametrize(("low", "high"), [(0.01, 1), (0.2, 0.9), (1e-9, 10), (0.5, 0.6), (0.51, 0.52)])
def test_a_log_scale_has_two_ticks_at_least(low, high):
    inside = [t for t in log_ticks(low, high) if low * 0.9 <= t <= high * 1.1]
    assert 2 <= len(inside) <= 11


def test_a_long_curve_keeps_its_peaks_and_its_end():
    points = [(k, 1.0 + (k == 4_321) * 9) for k in range(10_000)]
    kept = thinned(points)
    assert len(kept) <= MOST_POINTS + 2
    assert (4_321, 10.0) in kept
    assert kept[-1] == points[-1]
    assert kept == sorted(kept)
    assert thinned(points[:50]) == points[:50]


def test_a_legend_shows_the_styles_that_the_curves_have():
    assert re.findall(r"k(\d) d(\d).*?</svg>(.*?)<", legend({0: "a", 8: "<b>"})) == [
        ("0", "0", "a"),
        ("1", "0", "&lt;b&gt;"),
    ]


def test_a_heat_map_has_its_numbers_in_words_and_in_colours():
    cells = [[(0.1, "10 %"), (0.9, "90 %")], [(math.nan, "diverged"), (0.5, "50 %")]]
    figure = heat_map("accuracy (%)", Axis("eta", ["1", "2"]), Axis("mu", ["0", "0.9"]), cells, (0, 1))
    fills = re.findall(r'fill="([^"]*)"/>', figure)
    assert fills[0] == "#00224e"
    assert fills[1] == "#fee838"
    assert fills[2] == "none"
    assert "eta 2, mu 0: diverged" in figure
    assert figure.count('class="c k1"') == 1
    assert ['"mid light"' in figure, '"mid dark"' in figure] == [True, True]


def test_shades_grow_lighter():
    light = [sum(shade(k / 20)) for k in range(21)]
    assert light == sorted(light)
    assert shade(-1) == shade(0)
    assert shade(2) == shade(1)


def pixels(address):
    """Width, height, bits, kind and the rows of a PNG, unpacked here by hand."""
    data = base64.b64decode(address.removeprefix("data:image/png;base64,"))
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    chunks, at = {}, 8
    while at < len(data):
        (size,) = struct.unpack(">L", data[at : at + 4])
        name, inner, check = data[at + 4 : at + 8], data[at + 8 : at + 8 + size], data[at + 8 + size : at + 12 + size]
        assert struct.unpack(">L", check)[0] == zlib.crc32(name + inner)
        chunks[name], at = inner, at + 12 + size
    width, height, bits, kind, *_ = struct.unpack(">LLBBBBB", chunks[b"IHDR"])
    raw = zlib.decompress(chunks[b"IDAT"])
    length = len(raw) // height
    assert all(raw[i * length] == 0 for i in range(height))
    return width, height, bits, kind, [raw[i * length + 1 : (i + 1) * length] for i in range(height)]


def test_a_small_picture_has_sixteen_greys_and_a_large_one_256():
    assert pixels(png.grey([[0.0, 1.0, 0.5], [2.0, -1.0, 0.0]])) == (3, 2, 4, 0, [b"\xf0\x70", b"\x0f\xf0"])
    width, height, bits, kind, rows = pixels(png.grey([[k / 29 for k in range(30)]] * 30))
    assert (width, height, bits, kind) == (30, 30, 8, 0)
    assert (rows[0][0], rows[29][29]) == (255, 0)
    assert len(png.grey([[k % 3 / 2 for k in range(8)]] * 8)) < 200


@pytest.mark.parametrize(
    ("heat", "said"),
    [
        ([[-15.0, -13.9]], "1 x 2: largest 1.3e-14"),
        ([[0.0], [math.nan]], "2 x 1: largest 1.0e+00"),
        ([[math.nan]], "1 x 1: nothing to compare with"),
    ],
)
def test_the_largest_difference_in_a_picture_of_a_gradient_is_a_plain_number(heat, said):
    page = "".join(sections({"ok": True, "coordinates": 2, "leaves": []}, "", {"0.W": heat}))
    assert f"0.W, {said}<" in page


def test_a_coloured_picture():
    assert pixels(png.coloured([[(1, 2, 3), (4, 5, 6)]])) == (2, 1, 8, 2, [bytes(range(1, 7))])


def test_of_a_large_matrix_the_largest_number_of_each_block_is_shown():
    heat = [[-18.0] * 1000 for _ in range(3)]
    heat[2][700] = -2.0
    heat[0][:7] = [math.nan] * 7
    shown = blocks(heat)
    assert (len(shown), len(shown[0])) == (3, math.ceil(1000 / math.ceil(1000 / LARGEST)))
    assert max(value for row in shown for value in row if value == value) == -2.0
    assert math.isnan(shown[0][0])


def test_texts_are_escaped_and_hidden_characters_are_shown():
    assert escaped("<a href='x'>&\"\x1b\u202e") == "&lt;a href=&#x27;x&#x27;&gt;&amp;&quot;\\x1b\\u202e"
    assert escaped("\ud800") == "\\ud800"
    rows = [[Cell("<b>", link='"x'), Cell("1", 1.5, number=True)]]
    inner = table("<n>", ("<h>", "v"), rows)
    assert '<a href="#&quot;x">&lt;b&gt;</a>' in inner
    assert '<td class=n data-v="1.5">1</td>' in inner
    assert b"<title>&lt;t&gt;</title>" in page("<t>", [])
