"""The class of docs/lecture.md: its commands make the pictures that it shows, and what the pictures show is so."""

import glob
import re
import runpy
import sys
from pathlib import Path

import jax
import numpy as np
import pytest

from experiments.lecture import boundaries, surface
from experiments.lecture.trainings import Training, trained
from experiments.notes.claims import NUMBERS
from fnn import cli
from fnn.plots import animation, curves, room

ROOT = Path(__file__).parents[2]
pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(not curves.available(), reason="matplotlib is not installed"),
]


@pytest.fixture(autouse=True)
def lenient(strict):
    """Experiments are written as a user writes, who has not asked JAX to be strict."""
    with jax.numpy_rank_promotion("allow"), jax.numpy_dtype_promotion("standard"):
        yield


@pytest.fixture(scope="module")
def lecture():
    return (ROOT / "docs" / "lecture.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def xor():
    with jax.numpy_rank_promotion("allow"), jax.numpy_dtype_promotion("standard"):
        return trained("xor")


def stops(lecture):
    """The text of each stop."""
    return re.split(r"^## \d+\. ", lecture.split("\n# Exercises")[0], flags=re.M)[1:]


def commands(stop):
    return re.findall(r"^\$ (.*)", stop, re.M)


def test_the_nine_stops_take_90_minutes(lecture):
    rows = re.findall(r"^\| (\d) \| (\d+) \| (.*?) \|", lecture, re.M)
    titles = re.findall(r"^## (\d)\. (.*) \((\d+) minutes\)$", lecture, re.M)
    assert [(number, name, minutes) for number, minutes, name in rows] == titles
    assert len(titles) == 9
    assert sum(int(minutes) for *_, minutes in titles) == 90


def test_every_stop_has_a_command_a_question_a_picture_lines_and_rows(lecture):
    for stop in stops(lecture):
        assert commands(stop)
        assert all(word in stop for word in ("**Ask first.**", "**Show**", "**Notes**", "**Rows**"))
        assert re.search(r"00[0-4]:\d+", stop.split("**Notes**")[1])
        assert re.search(r"00[0-4]-\d\d", stop.split("**Rows**")[1])


def test_the_rows_and_files_that_are_named_exist(lecture):
    words = (ROOT / "docs" / "words.md").read_text(encoding="utf-8")
    for page in (lecture, words):
        assert set(re.findall(r"\b00[0-4]-\d\d\b|\bE\d+\b", page)) <= set(NUMBERS)
        assert all((ROOT / path).exists() for path in re.findall(r"(?:configs|experiments)/[\w/.]*\.\w+", page))
        assert all((ROOT / "docs" / path).exists() for path in re.findall(r"\]\(([^)]*)\)", page))


@pytest.mark.campaign
def test_the_commands_of_the_stops_make_their_pictures(lecture, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "configs").symlink_to(ROOT / "configs")
    for stop in stops(lecture):
        for line in commands(stop):
            capsys.readouterr()
            program, *words = [path for word in line.split() for path in (glob.glob(word) or [word])]
            if program == "fnn":
                assert cli.main(words) == 0
            else:
                monkeypatch.setattr(sys, "argv", words[1:])
                monkeypatch.delitem(sys.modules, words[1], raising=False)
                runpy.run_module(words[1], run_name="__main__")
            printed = iter(capsys.readouterr().out.splitlines())
            shown = re.search(rf"^\$ {re.escape(line)}\n((?:[^$`].*\n)*)", stop, re.M)[1].splitlines()
            assert all(any(line == one for one in printed) for line in shown)
        for picture in re.findall(r"`([\w/]+\.(?:png|gif))`", stop.split("**Show**")[1].split("**Notes**")[0]):
            assert (tmp_path / "runs" / "lecture" / Path(picture).name).exists(), picture


def test_exchanged_units_are_the_same_function_at_another_place(xor):
    end = xor.path[-1]
    other = surface.exchanged(end)
    assert not np.allclose(end[0].W, other[0].W)
    assert jax.tree.all(jax.tree.map(lambda a, b: bool((a == b).all()), surface.exchanged(other), end))
    profile = surface.straight(xor)
    assert profile[0] == pytest.approx(float(xor.results[-1].train.cost), rel=1e-4)
    assert profile[-1] == pytest.approx(float(profile[0]), rel=1e-4)
    assert profile.max() > np.log(2) > 10 * profile[0]


def test_the_plane_goes_through_the_start_and_both_solutions(xor):
    middle, directions = surface.plane(xor)
    assert directions @ directions.T == pytest.approx(np.eye(2), abs=1e-9)
    for params in (xor.path[0], xor.path[-1], surface.exchanged(xor.path[-1])):
        point = np.concatenate([np.ravel(leaf) for leaf in jax.tree.leaves(params)]) - middle
        assert (point @ directions.T) @ directions == pytest.approx(point, abs=1e-5)


def test_the_surface_is_drawn_with_its_three_costs(xor, tmp_path, monkeypatch):
    figures = []
    monkeypatch.setattr(curves, "write", lambda fig, path: figures.append(fig))
    surface.picture(xor, tmp_path / "surface.png")
    profile = surface.straight(xor)
    title = " ".join(figures[0].get_suptitle().split())
    assert f"{profile[0]:.3f} and {profile[-1]:.3f}, with a hill of {profile.max():.2f}" in title


def test_the_shares_are_those_of_the_training(xor):
    share = boundaries.right(xor)
    assert len(share) == len(xor.results) + 1
    assert share[1:].tolist() == [100 * result.train.accuracy for result in xor.results]


def test_the_border_is_where_the_net_says_one_half(xor):
    with room.settings():
        border = boundaries.Map(curves.figure(5, 5).subplots(), xor)
        border.show(xor.path[-1])
        border.show(xor.path[-1])
    (lines,) = [c for c in border.axes.collections if c is border.border]
    points = np.concatenate([path.vertices for path in lines.get_paths()])
    assert boundaries.outputs(xor, points)(xor.path[-1]) == pytest.approx(0.5, abs=0.01)


def test_an_animation_has_a_frame_for_each_stop(xor, tmp_path):
    from PIL import Image

    few = Training(xor.prepared, xor.results[:5])
    n = boundaries.film(few, boundaries.right(few), tmp_path / "xor.gif")
    with Image.open(tmp_path / "xor.gif") as gif:
        assert (gif.n_frames, gif.size) == (n, (957, 540))
        assert gif.info["loop"] == 0
        gif.seek(n - 1)
        assert gif.info["duration"] == animation.REST
    assert boundaries.stops(5, boundaries.FRAMES) == [0, 1, 2, 3, 4, 5]
    assert boundaries.stops(500, 32)[-1] == 500
