"""A picture for a room has large words, and titles that fit."""

import pytest

from fnn.plots import curves, room

pytestmark = pytest.mark.skipif(not curves.available(), reason="matplotlib is not installed")
LONG = "A sentence that says what the picture shows is too long for one line on a slide"


@pytest.fixture
def figures(monkeypatch):
    """The figures that are written."""
    found = []
    monkeypatch.setattr(curves, "write", lambda fig, path: found.append(fig))
    return found


def test_every_word_has_18_points_and_every_title_fits(figures):
    with room.picture("x.png", LONG) as fig:
        for axes in fig.subplots(1, 2):
            axes.semilogy([1, 2], [1, 1000], label="a line")
            axes.set(xlabel="epoch", ylabel="cost", title=LONG)
            axes.legend()
    (fig,) = figures
    assert fig.get_figwidth() == 13.3
    assert fig.get_suptitle().split() == LONG.split()
    fig.draw_without_rendering()
    titles = [fig._suptitle, *(axes.title for axes in fig.axes)]
    assert all(title.get_text().count("\n") for title in titles)
    for title, place in zip(titles, (fig, *fig.axes), strict=True):
        assert title.get_window_extent().width <= 1.1 * place.bbox.width
    assert titles[0].get_window_extent().width <= fig.bbox.width
    assert min(text.get_fontsize() for axes in fig.axes for text in axes.get_xticklabels()) == 18


def test_small_words_and_narrow_pictures_are_refused(figures):
    small = r"x.png: 'small' has 12 points; a picture for a room has 18 or more: leave out its fontsize"
    with pytest.raises(ValueError, match=small), room.picture("x.png", "A title") as fig:
        fig.text(0.5, 0.5, "small", fontsize=12)
    narrow = r"x.png: 8 inches; a picture for a room is 13.3 inches wide or more"
    with pytest.raises(ValueError, match=narrow), room.picture("x.png", "A title", width=8):
        pass
    assert figures == []


@pytest.mark.parametrize("title", ["$\\alpha", "a$b$c", "one\ntwo", "Donaudampfschifffahrt" * 4])
def test_a_title_is_shown_as_it_is_written(figures, title):
    with room.picture("x.png", title):
        pass
    assert figures[0].get_suptitle() == title
    assert not figures[0]._suptitle.get_parse_math()


def test_lines_are_of_about_one_length():
    (first, second) = room._lines("one two three four five six seven", 200, 18)
    assert abs(len(first) - len(second)) <= 5
