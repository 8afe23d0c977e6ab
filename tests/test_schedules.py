"""Schedules against a plain account of the same scores, and schedules of a user's own."""

import math
import re
from pathlib import Path

import numpy as np
import pytest

import fnn
from fnn import Constant, EarlyStopping, HalveOnPlateau, Progress, Schedule
from fnn.schedules import after_an_epoch, before_the_first
from tests.helpers.training import bits, fit


def factors(schedule, scores):
    progress = Progress()
    for score in scores:
        progress = schedule.after(progress, score)
        yield progress.factor


def test_early_stopping_waits_for_k_epochs_without_improvement():
    assert list(factors(EarlyStopping(2), [1, 2, 2, 3, 3, 1])) == [1, 1, 1, 1, 1, 0]  # a tie is none


def test_eta_is_halved_until_it_would_be_a_128th():
    path = list(factors(HalveOnPlateau(1), [5] * 8))
    assert path == [1, 1 / 2, 1 / 4, 1 / 8, 1 / 16, 1 / 32, 1 / 64, 0]


@fnn.static
class WarmUp:
    epochs: int = 4

    def init(self):
        return Progress(factor=1 / self.epochs)

    def after(self, progress, score):
        return progress.seen(score)._replace(factor=min(1.0, (progress.epoch + 1) / self.epochs))


def test_the_first_epoch_has_a_factor_too_and_a_schedule_knows_the_epoch():
    results = list(fit(optimizer=fnn.SGD(0.8), schedule=WarmUp(), epochs=5))
    assert [r.factor for r in results] == [0.25, 0.5, 0.75, 1.0, 1.0]
    assert [r.progress.epoch for r in results] == [1, 2, 3, 4, 5]
    (first,) = fit(optimizer=fnn.SGD(0.2), epochs=1)
    assert bits(results[0].params) == bits(first.params)


def test_a_training_that_goes_on_goes_on_with_the_epochs_of_its_schedule():
    *_, whole = fit(schedule=WarmUp(), epochs=5)
    *_, half = fit(schedule=WarmUp(), epochs=2)
    *_, last = fit(params=half.params, start=half.start, schedule=WarmUp(), epochs=3)
    assert (last.epoch, last.factor, last.progress) == (5, 1.0, whole.progress)
    assert bits(last.params) == bits(whole.params)


@fnn.static
class Given:
    """A schedule whose two answers are the fields."""

    first: object = Progress()
    then: object = Progress()

    def init(self):
        return self.first

    def after(self, progress, score):
        return self.then


def test_the_epochs_are_counted_whatever_a_schedule_makes_of_them():
    assert [r.progress.epoch for r in fit(schedule=Given(then=Progress(epoch=9)))] == [1, 2, 3]


WRONG = {
    "none": (Given(None), TypeError, "Given.init: gave None; expected a Progress, such as progress.seen(score)."),
    "a number": (Given(then=0.5), TypeError, "Given.after: gave 0.5; expected a Progress"),
    "0 at first": (Given(Progress(factor=0.0)), ValueError, "Given.init: factor = 0 for epoch 1; expected a number ab"),
    "below 0": (
        Given(Progress(factor=-1.0)),
        ValueError,
        "Given.init: factor = -1.0 for epoch 1; expected a number of",
    ),
    "nan": (Given(then=Progress(factor=math.nan)), ValueError, "Given.after: factor = nan for epoch 2; expected a num"),
    "infinite": (Given(then=Progress(factor=math.inf)), ValueError, "Given.after: factor = inf for epoch 2"),
}


@pytest.mark.parametrize(("schedule", "kind", "said"), WRONG.values(), ids=WRONG)
def test_a_factor_that_no_learning_rate_can_have_is_refused(schedule, kind, said):
    with pytest.raises(kind, match=re.escape(said)):
        list(fit(schedule=schedule, epochs=2))


def test_a_factor_of_numpy_becomes_a_number_that_json_knows():
    progress = after_an_epoch(Given(then=Progress(factor=np.float32(0.5))), Progress(), 1.0)
    assert (type(progress.factor), progress.factor) == (float, 0.5)


@pytest.mark.parametrize("schedule", [Constant(), EarlyStopping(), HalveOnPlateau(), WarmUp()], ids=repr)
def test_a_schedule_is_what_has_the_two_methods(schedule):
    assert isinstance(schedule, Schedule)
    assert before_the_first(schedule).epoch == 0


def test_the_page_has_what_is_said_of_it():
    page = (Path(__file__).parents[1] / "docs" / "schedules.md").read_text(encoding="utf-8")
    code = re.search(r"@fnn.static\nclass WarmUpAndCosine.*?\n\n\n", page, re.DOTALL)[0]
    assert len(code.split("def init")[1].strip().splitlines()) <= 10
    names = {"fnn": fnn, "math": math}
    exec(code, names)  # noqa: S102 (our own page)
    rule = names["WarmUpAndCosine"](3, 12)
    progress, factors = before_the_first(rule), []
    while progress.factor:
        factors.append(f"{progress.factor:.2f}")
        progress = after_an_epoch(rule, progress, 0.5)
    assert " ".join(factors) in page
    assert len(factors) == 12
