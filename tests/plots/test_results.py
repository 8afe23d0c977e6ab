"""`fnn.plots.learning`: a figure from what `fit` yields."""

import io
import subprocess
import sys

import jax.numpy as jnp
import numpy as np
import pytest

import fnn
from fnn import Evaluation, Progress, Result
from fnn.plots import room

NONE = float("nan")


def results(costs, accuracies=None, parts=("train",)):
    accuracies = [NONE] * len(costs) if accuracies is None else accuracies
    for epoch, (cost, accuracy) in enumerate(zip(costs, accuracies, strict=True), 1):
        one = Evaluation(jnp.float32(cost), np.float32(accuracy))
        given = {part: one if part in parts else None for part in ("train", "validation", "test")}
        yield Result(epoch, 1.0, **given, seconds=0.1, params=(), v=(), progress=Progress())


def texts(figure):
    return [text.get_text() for axes in figure.axes for text in axes.get_legend().get_texts()]


def test_one_training_has_a_curve_for_each_part_of_the_data():
    figure = fnn.plots.learning(results([3, 2, 1], [0.5, 0.75, 1.0], ("train", "test")))
    cost, accuracy = figure.axes
    assert (cost.get_xlabel(), cost.get_ylabel()) == ("epoch", "cost (mean per example)")
    assert accuracy.get_ylabel() == "accuracy (%)"
    assert texts(figure) == ["training, last 1", "test, last 1", "training, last 100 %", "test, last 100 %"]
    (drawn, _), (shares, _) = (axes.get_lines() for axes in figure.axes)
    assert (list(drawn.get_xdata()), list(drawn.get_ydata())) == ([1, 2, 3], [3, 2, 1])
    assert list(shares.get_ydata()) == [50, 75, 100]


def test_several_trainings_have_a_curve_each_on_data_that_all_have():
    validated = ("train", "validation")
    both = {"eta 0.1": results([100, 10], parts=validated), "eta 1": results([1, 0.1, 0.01], parts=validated)}
    (axes,) = fnn.plots.learning(both).axes  # quantities have no accuracy
    assert (axes.get_ylabel(), axes.get_yscale()) == ("validation cost (mean per example)", "log")
    looks = {(line.get_color(), line.get_linestyle(), line.get_marker()) for line in axes.get_lines()}
    assert len(looks) == len({marker for _, _, marker in looks}) == 2
    (axes,) = fnn.plots.learning({"a": results([1], parts=validated), "b": results([2])}).axes
    assert axes.get_ylabel() == "training cost (mean per example)"


def test_the_words_are_large_and_a_notebook_gets_a_picture_without_pyplot():
    figure = fnn.plots.learning({f"training {i}": results([1, 2]) for i in range(7)})
    room._refuse_small_words(figure, "")
    assert figure._repr_png_().startswith(b"\x89PNG")
    figure.savefig(io.BytesIO())
    code = "import fnn, sys; fnn.plots.learning; assert not {'jax', 'matplotlib'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


WRONG = {
    "nothing": ([], ValueError, "the training has no results; a generator is empty once it was read"),
    "one of several": ({"a": []}, ValueError, "learning: a has no results"),
    "no training": ({}, ValueError, "0 trainings; expected 1 to 7"),
    "too many": ({i: list(results([1])) for i in range(8)}, ValueError, "8 trainings; expected 1 to 7"),
    "numbers": ([1, 2], TypeError, "learning: got 1; expected results of fit, each of one epoch."),
    "a sweep": (
        [fnn.SweepResult(1, Evaluation(np.zeros(2), np.zeros(2)), None, None, 0.0, (), ())],
        TypeError,
        "learning: got SweepResult(epoch=1",
    ),
}


@pytest.mark.parametrize(("given", "kind", "said"), WRONG.values(), ids=WRONG)
def test_what_cannot_be_drawn_is_one_line(given, kind, said):
    with pytest.raises(kind) as caught:
        fnn.plots.learning(given)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_without_matplotlib_there_is_one_line(no_pictures):
    with pytest.raises(ImportError, match=r"get it with  pip install 'fnn\[plots\]'"):
        fnn.plots.learning(results([1]))
