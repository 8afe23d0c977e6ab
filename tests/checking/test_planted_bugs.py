"""The check catches every planted bug, names the layer in which it sits, and raises no alarm where there is none."""

import itertools

import jax
import pytest

from fnn import SGD, autodiff
from fnn.checking import gradcheck
from tests.helpers.layer_bugs import LAYER_BUGS, RIGHT
from tests.helpers.mutations import LMBDA, MUTATIONS, SETTINGS, SMOOTH, optimizer
from tests.helpers.support import compiled

pytestmark = pytest.mark.long  # on the newest Python a change has no time for these

BUGS = (*MUTATIONS, *LAYER_BUGS)
CHECKS = itertools.count()


def check(mutation):
    if next(CHECKS) % 20 == 19:
        jax.clear_caches()  # a process can map 65,530 pieces of memory on Linux; programs take several each
    net, cost, params, x, y = mutation.setting
    return gradcheck(net, cost, params, x, y, gradient=mutation.gradient, penalised=mutation.penalised, lmbda=LMBDA)


def every(number, bugs):
    """All bugs as parameters; the first of every so many is in each run of the tests, the others are a campaign."""
    marks = [pytest.mark.long if k % number == 0 else pytest.mark.campaign for k in range(len(bugs))]
    return [pytest.param(bug, id=bug.name, marks=mark) for bug, mark in zip(bugs, marks, strict=True)]


@pytest.mark.parametrize("mutation", every(40, BUGS))
def test_a_planted_bug_is_flagged_and_its_layer_is_named_alone(mutation):
    report = check(mutation)
    assert not report.ok
    wrong = [k for k, verdict in enumerate(report.layers) if not verdict.ok]
    if mutation.guilty is None:
        assert wrong == []
        assert "every layer's backward and the cost's delta are right: the fault is in " in report.slips[0]
    else:
        assert wrong == [mutation.guilty]
        assert report.slips[0].startswith(report.layers[mutation.guilty].name)
        assert "besides" not in " ".join(report.slips)


def test_the_catalogue_is_large_and_each_entry_is_another():
    assert len(BUGS) >= 170
    assert sum(mutation.guilty is not None for mutation in BUGS) >= 140
    assert len({mutation.name for mutation in BUGS}) == len(BUGS)


@pytest.mark.parametrize(
    "setting",
    [
        pytest.param(setting, id=name, marks=[pytest.mark.campaign] if k % 12 else [])
        for k, (name, setting) in enumerate({**SETTINGS, **RIGHT}.items())
    ],
)
def test_what_the_bugs_are_planted_in_is_right(setting):
    net, cost, params, x, y = setting
    report = gradcheck(net, cost, params, x, y, lmbda=LMBDA)
    assert report.ok, str(report)
    assert gradcheck(net, cost, params, x, y, lmbda=LMBDA, gradient=compiled(autodiff)).ok


def test_the_step_of_our_own_optimiser_is_right():
    report = check(optimizer("none", SGD.update))
    assert report.ok, str(report)
    assert SMOOTH
