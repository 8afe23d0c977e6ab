"""The check catches every bug that is planted, and none where there is none."""

import pytest

from fnn import SGD, InputError, autodiff
from fnn.checking import gradcheck
from tests.helpers.mutations import LMBDA, MUTATIONS, SETTINGS, SMOOTH, optimizer
from tests.helpers.support import compiled


def check(mutation):
    net, cost, params, x, y = mutation.setting
    return gradcheck(net, cost, params, x, y, gradient=mutation.gradient, penalised=mutation.penalised, lmbda=LMBDA)


def is_flagged(mutation):
    try:
        return not check(mutation).ok
    except InputError as error:  # a gradient that is not finite is named
        return "gradient" in str(error)


@pytest.mark.long
@pytest.mark.parametrize("mutation", MUTATIONS, ids=[mutation.name for mutation in MUTATIONS])
def test_a_planted_bug_is_flagged(mutation):
    assert is_flagged(mutation)


def test_the_catalogue_is_large_and_each_entry_is_another():
    assert len(MUTATIONS) >= 40
    assert len({mutation.name for mutation in MUTATIONS}) == len(MUTATIONS)


@pytest.mark.parametrize("setting", SETTINGS.values(), ids=SETTINGS)
def test_what_the_bugs_are_planted_in_is_right(setting):
    net, cost, params, x, y = setting
    report = gradcheck(net, cost, params, x, y, lmbda=LMBDA)
    assert report.ok, str(report)
    assert gradcheck(net, cost, params, x, y, lmbda=LMBDA, gradient=compiled(autodiff)).ok


def test_the_step_of_our_own_optimiser_is_right():
    report = check(optimizer("none", SGD.update))
    assert report.ok, str(report)
    assert SMOOTH
