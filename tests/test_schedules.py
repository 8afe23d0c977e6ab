"""Schedules against a plain account of the same scores."""

from fnn import EarlyStopping, HalveOnPlateau
from fnn.schedules import Progress


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
