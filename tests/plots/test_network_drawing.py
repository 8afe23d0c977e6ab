"""A drawn network shows each number at its place, in few characters."""

import numpy as np
import pytest

from fnn.plots import curves
from fnn.plots.network_drawing import SHOWN, Column, _three, draw

pytestmark = pytest.mark.skipif(not curves.available(), reason="matplotlib is not installed")


def layer(units, before, name="Dense"):
    """A column with numbers that differ from each other."""
    W = 0.1 + np.arange(units * before).reshape(units, before) / 100
    a, delta, b = (start + np.arange(units) / 100 for start in (3, 4, 5))
    return Column(name, a, -delta, b, np.ones_like(W, bool), W)


@pytest.fixture
def drawn(monkeypatch):
    """The axes on which columns are drawn."""

    def drawing(*columns, title="A title", y=None):
        found = []
        monkeypatch.setattr(curves, "write", lambda fig, path: found.append(fig))
        draw(columns, np.ones(len(columns[-1].a)) if y is None else y, "x.png", title)
        return found[0].axes[0]

    return drawing


def texts(axes):
    return [text.get_text() for text in axes.texts]


def test_every_number_is_at_its_circle_or_line(drawn):
    column = layer(3, 2)
    axes = drawn(Column("inputs", np.array([0.25, -7])), column, y=np.array([1, 0, 0.5]))
    at = {text.get_text(): text.get_position() for text in axes.texts}
    circles = [patch.center for patch in axes.patches]
    assert len(circles) == 5
    assert (at["0.250"], at["−7"]) == (circles[0], circles[1])
    for unit, (x, y) in enumerate(circles[2:]):
        for number, side in ((column.a[unit], 1), (column.delta[unit], -1)):
            assert at[_three(number)] == pytest.approx((x, y + 0.19 * side))
        assert at[f"b {_three(column.b[unit])}"][1] > y
    for (j, i), w in np.ndenumerate(column.W):
        (x, y), (left, right) = at[_three(w)], (np.array(circles[i]), np.array(circles[2 + j]))
        share = (x - left[0]) / (right[0] - left[0])
        assert 0 < share < 1
        assert y == pytest.approx(left[1] + share * (right[1] - left[1]))
    assert [text for text in texts(axes) if text.startswith("y = ")] == ["y = 1", "y = 0", "y = 0.500"]


def test_the_larger_a_weight_the_thicker_its_line_and_a_negative_one_is_dashed(drawn):
    W = np.array([[0.5, -1.0]])
    axes = drawn(Column("inputs", np.ones(2)), layer(1, 2)._replace(W=W))
    lines = axes.get_lines()
    assert [line.get_linewidth() for line in lines] == [3, 5]
    assert [line.get_linestyle() for line in lines] == ["-", "--"]
    assert lines[0].get_color() != lines[1].get_color()


def test_of_a_long_column_the_first_and_the_last_units_are_drawn(drawn):
    axes = drawn(Column("inputs", np.arange(784.0)), layer(2, 784))
    assert {"0", "1", "2", "783", "... 780 more ..."} <= set(texts(axes))
    assert len(axes.patches) == 4 + 2
    assert len(axes.get_lines()) == 4 * 2
    assert len(drawn(Column("inputs", np.arange(float(SHOWN))), layer(2, SHOWN)).patches) == SHOWN + 2


def test_where_too_many_lines_meet_their_numbers_are_left_out(drawn):
    axes = drawn(Column("inputs", np.ones(5)), layer(5, 5), layer(5, 5), layer(5, 5))
    assert len(axes.get_lines()) == 75
    assert "0.100" not in texts(axes)
    box = [text.get_window_extent() for text in drawn(Column("x", np.ones(4)), layer(3, 4)).texts]
    assert not any(a.overlaps(b) for i, a in enumerate(box) for b in box[:i])


def test_a_layer_without_weights_has_lines_without_numbers(drawn):
    joined = np.array([[True, False], [True, True]])
    axes = drawn(Column("inputs", np.ones(2)), layer(2, 2)._replace(W=None, joined=joined))
    assert len(axes.get_lines()) == 3


def test_a_long_title_stands_above_the_names_of_the_columns(drawn):
    axes = drawn(Column("inputs", np.ones(2)), layer(2, 2), title="A title of two lines " * 4)
    title = axes.figure._suptitle.get_window_extent()
    assert not any(text.get_window_extent().overlaps(title) for text in axes.texts)


@pytest.mark.parametrize(
    ("number", "text"),
    [
        *[(0, "0"), (-0.0, "0"), (1, "1"), (-12, "−12"), (0.77, "0.770"), (-0.064634, "−0.065"), (1.23456, "1.23")],
        *[(98.76, "98.8"), (-998.7, "−999"), (12345, "1e+04"), (-0.0001234, "−1e−04")],
        *[(np.inf, "inf"), (-np.inf, "−inf"), (np.nan, "nan")],
    ],
)
def test_a_number_has_about_three_digits(number, text):
    assert _three(number) == text
