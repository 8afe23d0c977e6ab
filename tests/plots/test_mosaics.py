"""Little images side by side: every dot is in its place, and every picture can be drawn."""

import numpy as np
import pytest

from fnn.plots import confusion, curves, fits, images, mosaics

needs_matplotlib = pytest.mark.skipif(not curves.available(), reason="matplotlib is not installed")


@pytest.fixture
def written(monkeypatch):
    """The figures that would be written into files."""
    figures = []
    for module in (curves, fits):
        monkeypatch.setattr(module, "write", lambda fig, path: figures.append(fig))
    return figures


@pytest.fixture
def pages(monkeypatch):
    """The pages that would be written into files."""
    written = []
    monkeypatch.setattr(mosaics.Page, "write", lambda page, path: written.append(page))
    return written


def words(page):
    """All words of a page after its title."""
    return [text.get_text() for text in page.fig.texts[1:]]


def at(page, x, y):
    """The colour at a place of a page."""
    return page.dots[page.corner[1] + y, page.corner[0] + x].tolist()


def test_zero_is_white_and_what_is_below_it_has_a_minus_sign():
    values = np.array([[[0.0, 1.0], [-1.0, -0.5]]])
    (tile,) = images._signed(values, 12)
    zero, above, below, half = (tile[i : i + 12, j : j + 12] for i in (0, 12) for j in (0, 12))
    assert (zero == 255).all()
    assert (above == above[0, 0]).all()
    for part, colour in ((below, images.COLOURS[0]), (half, images.COLOURS[1])):
        signed = (part == 255).all(axis=2)
        assert 0 < signed.sum() < 12 * 12 / 4
        assert (part[~signed] == mosaics.dots(colour)).all()
    assert above[0, 0].tolist() == mosaics.dots(images.COLOURS[-1]).tolist()


@pytest.mark.parametrize("shape", [(3, 3), (28, 28), (5, 40), (300, 2)], ids=str)
def test_a_number_becomes_a_square_of_whole_dots(shape):
    numbers = np.arange(np.prod(shape), dtype=float).reshape(1, *shape)
    large = mosaics.enlarged(numbers)
    size = large.shape[1] // shape[0]
    assert large.shape == (1, size * shape[0], size * shape[1])
    np.testing.assert_array_equal(large[:, ::size, ::size], numbers)


@needs_matplotlib
@pytest.mark.parametrize("k", [1, 9, 11, 40])
def test_every_tile_has_its_place_dot_for_dot(k):
    tiles = np.random.default_rng(0).integers(0, 256, (k, 20, 16, 3), dtype=np.uint8)
    page = mosaics.Mosaic(tiles, "some", caption=2)
    for i in range(k):
        x, y = np.add(page.place(i), page.corner)
        np.testing.assert_array_equal(page.dots[y + 1 : y + 21, x + 1 : x + 17], tiles[i])
        assert (page.dots[y, x : x + 18] == mosaics.FRAME).all()
    assert not page.fig.axes
    assert tuple(page.fig.get_size_inches() * mosaics.DPI) == pytest.approx(page.dots.shape[1::-1])


@needs_matplotlib
def test_what_is_written_are_the_dots_and_the_words_on_them(tmp_path):
    image = pytest.importorskip("PIL.Image")
    page = mosaics.Page(300, 200, "some")
    page.put(10, 20, np.full((100, 150, 3), (9, 99, 199), np.uint8))
    page.text(70, 70, "words", color="white", va="center")
    page.write(tmp_path / "x.png")
    picture = np.asarray(image.open(tmp_path / "x.png"))
    assert picture.shape == page.dots.shape
    changed = (picture != page.dots).any(axis=2)
    rows, columns = np.nonzero(changed[page.corner[1] :, page.corner[0] :])
    assert 55 < rows.min() < rows.max() < 85
    assert 65 < columns.min() < columns.max() < 160
    assert (picture[changed] == 255).any()


@needs_matplotlib
def test_the_captions_say_how_sure_and_which_row(pages, tmp_path):
    rows = [
        {"decided": "8", "class": "3", "sure": 0.7493, "row": 92},
        {"decided": "?", "class": "a very long name", "sure": None, "row": 5},
    ]
    images.mistakes(np.zeros((2, 4, 4)), rows, 7, 100, tmp_path / "x.png", "some")
    assert words(pages[0]) == ["said 8\n74.93 % sure\nis 3\nrow 92", "said ?\n? sure\nis a ver..name\nrow 5"]
    assert pages[0].fig.texts[0].get_text().replace("\n", " ") == "some: 7 of 100 wrong, the 2 surest"


@needs_matplotlib
@pytest.mark.parametrize("k", [1, 6, 40])
def test_the_bar_beside_the_weights_has_their_range_and_its_room(pages, tmp_path, k):
    weights = np.zeros((k, 8, 8))
    weights[0, 0, 0] = -0.65
    images.weights(weights, tmp_path / "x.png", "some")
    assert words(pages[0]) == ["0.65", "0", "-0.65"]
    right = pages[0].dots[:, pages[0].corner[0] + pages[0].width :]
    black = np.nonzero((right == 0).all(axis=2))
    assert black[0].max() - black[0].min() < pages[0].height
    for end, colour in ((black[0].min() + 1, images.COLOURS[-1]), (black[0].max() - 1, images.COLOURS[0])):
        assert right[end, black[1].min() + 1].tolist() == mosaics.dots(colour).tolist()


@needs_matplotlib
@pytest.mark.parametrize("k", [2, 20, 21, 50])
def test_a_confusion_matrix_has_its_counts_and_names(pages, tmp_path, k):
    matrix = np.eye(k, k + 1, dtype=int) * 3
    matrix[0, 1] = 1200
    confusion.confusion(matrix.tolist(), [f"class {i}" for i in range(k)], tmp_path / "x.png", "some")
    (page,) = pages
    counts = ["3", "1,200", *["3"] * (k - 1)] if k < 20 else []
    names, every = [*(f"class {i}" for i in range(k)), "none"], 2 if k == 50 else 1
    assert words(page) == [*counts, *names[::every], *names[:k:every], "decided", "desired"]
    cell = page.width // (k + 1)
    right, wrong, mistake, nothing = (at(page, 2 + cell * i, 2 + cell * j) for i, j in ((1, 1), (0, 0), (1, 0), (0, 1)))
    assert nothing == [255, 255, 255]
    assert mistake[2] < mistake[0]  # orange
    assert right[0] < right[2]  # blue
    assert wrong[0] > right[0]  # only 3 of 1203
    lines = at(page, cell, cell - 3), at(page, cell - 3, cell)
    assert lines == ([confusion.BETWEEN] * 3,) * 2


@needs_matplotlib
def test_the_best_epoch_is_marked_and_the_test_data_stand_behind(written, tmp_path):
    lines = [
        {
            "epoch": e,
            "train_cost": 1 / e,
            "validation_cost": (e - 2) ** 2 + 0.5,
            "test_cost": 1.0,
            "train_accuracy": 0.5,
        }
        | {"validation_accuracy": 1 - abs(e - 2) / 10, "test_accuracy": 0.5}
        for e in (1, 2, 3)
    ]
    curves.learning(lines, tmp_path / "x.png", "some", "cross-entropy cost", 2)
    for axes, value in zip(written[0].axes, (0.5, 100.0), strict=True):
        by_name = {line.get_label(): line for line in axes.get_lines()}
        mark = by_name["best by validation, epoch 2"]
        assert (list(mark.get_xdata()), list(mark.get_ydata())) == ([2], [value])
        test, validation = (next(by_name[n] for n in by_name if n.startswith(p)) for p in ("test, ", "validation, "))
        assert test.get_linewidth() < validation.get_linewidth()
        assert test.get_zorder() < validation.get_zorder()
        assert test.get_color() == curves.BEHIND
    assert written[0].axes[0].get_ylabel() == "cross-entropy cost (mean per example)"
    curves.learning(lines, tmp_path / "x.png", "some")
    assert not any("best" in line.get_label() for line in written[1].axes[0].get_lines())


@needs_matplotlib
@pytest.mark.parametrize("outputs", [1, 3, 8])
def test_a_fit_has_a_panel_for_each_output(written, tmp_path, outputs):
    rng = np.random.default_rng(0)
    x, y = rng.random((5, 1)), rng.random((5, outputs))
    part, names = fits.Part("test", "test", x, y, y + 1), [f"y[{k}]" for k in range(outputs)]
    fits.predictions([part], names, tmp_path / "x.png", "some")
    fits.curve([part], part._replace(said="the net"), "height (m)", names, tmp_path / "x.png", "some")
    for fig in written:
        panels = [axes for axes in fig.axes if axes.axison]
        assert len(panels) == min(outputs, fits.MOST_PANELS)
    last = written[1].axes[-1]
    assert (last.get_xlabel(), last.get_ylabel()) == ("height (m)", names[min(outputs, fits.MOST_PANELS) - 1])
    assert written[0].axes[0].get_xlabel() == "y[0], desired"


@needs_matplotlib
@pytest.mark.parametrize(
    ("outputs", "y", "ticks"), [(1, 1e6, ("1,000,000",)), (3, 1e-3, ("0.0005", "0.001"))], ids=["price", "small"]
)
def test_the_ticks_of_a_fit_are_plain_and_have_room(written, tmp_path, outputs, y, ticks):
    desired = np.linspace(-1, 1, 9)[:, None] * np.full(outputs, y)
    part = fits.Part("test", "test", desired, desired, desired)
    fits.predictions([part], [f"y[{k}]" for k in range(outputs)], tmp_path / "x.png", "some")
    fig = written[0]
    fig.draw_without_rendering()
    shown = [tick.label1 for tick in fig.axes[-1].xaxis.get_major_ticks()]
    assert set(ticks) & {label.get_text() for label in shown}
    boxes = [label.get_window_extent() for label in shown if label.get_text()]
    assert all(a.x1 < b.x0 for a, b in zip(boxes, boxes[1:], strict=False))
    assert fig.axes[0].xaxis.get_offset_text().get_text() == ""
    assert len(fig.legends) == (outputs > 1)  # one for all panels, since one above each has no room
    assert [axes.get_legend() is not None for axes in fig.axes] == [outputs == 1] * outputs


@needs_matplotlib
def test_a_single_epoch_has_one_tick(written, tmp_path):
    curves.learning([{"epoch": 1, "train_cost": 1.0}], tmp_path / "x.png", "some")
    low, high = written[0].axes[0].get_xlim()
    assert [x for x in written[0].axes[0].get_xticks() if low <= x <= high] == [1]
