"""The verdict of a comparison: one sentence, which says no more than was seen."""

import math

import numpy as np
import pytest

from fnn import Dense, Sigmoid
from fnn.checking.agreement import state, verdict
from fnn.checking.comparison import Comparison, Difference, Training
from fnn.errors import DivergedError
from fnn.training.evaluation import Evaluation
from fnn.training.tasks import Result

pytestmark = pytest.mark.long  # on the newest Python a change has no time for these

NET = (Dense(3), Sigmoid(), Dense(2))
ERROR = DivergedError("epoch 3, step 1 of 20: so.", 3, 1, 2)


def result(epoch, accuracy=0.5, cost=0.25, **parts):
    scores = {"train": (cost, accuracy)} | parts
    scores = {part: Evaluation(np.float32(c), np.float32(a)) for part, (c, a) in scores.items()}
    return Result(*[None] * len(Result._fields))._replace(epoch=epoch, **scores)


def row(layer, gradient=1e-7, params=1e-7, errors=(1e-7, 1e-7)):
    return Difference(layer, gradient, 1.0, *errors, params)


def compared(*epochs, **numbers):
    """Comparisons whose rows these are, an epoch each."""
    return [Comparison(result(e, **numbers), result(e, **numbers), tuple(rows), "") for e, rows in enumerate(epochs, 1)]


def training(epochs, diverged=None):
    ended = Training(iter(()))
    ended.last, ended.diverged = (result(epochs) if epochs else None), diverged
    return ended


def said(epochs, asked=None, wrong=(), net=NET, **ends):
    """The verdict on trainings that have ended with the last of these epochs, unless `ends` says otherwise."""
    trainings = {"backprop": training(len(epochs)), "autodiff": training(len(epochs))} | ends
    return verdict(net, epochs, trainings, asked or len(epochs), wrong)


def test_the_largest_differences_are_told():
    epochs = compared([row(0, 2.1e-5), row(2)], [row(0, params=9e-3), row(2)], [row(0, 1e-8, 4.4e-6), row(2)])
    assert said(epochs) == (
        "by hand and automatic gradients agree to 2e-5 of the largest entry at worst, "
        "the parameters after 3 epochs to 4e-6, accuracies equal"
    )


def test_one_epoch_and_equal_bits():
    assert said(compared([row(0, 0.0, 0.0), row(2, 0.0, 0.0)])) == (
        "by hand and automatic gradients are equal, the parameters after 1 epoch are equal, accuracies equal"
    )
    assert "are equal, the parameters after 1 epoch agree to 3e-7," in said(compared([row(0, 0.0, 3e-7)]))
    assert "agree to 1e-7 of the largest entry at worst, the parameters after 1 epoch are equal," in said(
        compared([row(0, 1e-7, 0.0)])
    )


def test_parameters_that_went_apart_are_said_to_differ():
    sentence = said(compared([row(0, params=0.31), row(2)]))
    assert "agree to 1e-7 of the largest entry at worst, the parameters after 1 epoch differ by 0.31," in sentence


@pytest.mark.parametrize(("errors", "nearer"), [((0.96, 1e-7), "autodiff"), ((1e-7, 0.96), "backprop")])
def test_a_wrong_gradient_is_told_by_its_layer_and_by_which_is_nearer(errors, nearer):
    epochs = compared([row(0), row(2)], [row(0), row(2, 0.96, errors=errors)])
    where = f"(in layer 2 (Dense), epoch 2; nearer to float64: {nearer}; fnn gradcheck tells more)"
    assert f"gradients differ by 0.96 of the largest entry at worst {where}, the parameters" in said(epochs)


def test_a_gradient_that_is_a_little_wrong_is_no_rounding():
    small = said(compared([row(2, 5e-3, errors=(5e-3, 1e-7))]))
    assert "agree to 5e-3 of the largest entry at worst (in layer 2 (Dense), epoch 1; nearer to float64: auto" in small
    assert "(in layer" not in said(compared([row(2, 5e-3, errors=(3e-3, 4e-3))]))  # hardly a gradient is left


def test_a_gradient_of_zeros_beside_another_differs():
    assert "gradients differ by inf of the largest entry at worst" in said(compared([row(0, math.inf)]))


def test_nan_in_a_gradient_is_told_with_its_fault():
    lost = compared([row(0)], [row(0, math.nan), row(2)])
    lost[1] = lost[1]._replace(fault="the derivative by jax.grad of layer 1 is nan")
    fault = "after epoch 2: the derivative by jax.grad of layer 1 is nan"
    assert f"agree to 1e-7 of the largest entry at worst, but not {fault}, the parameters" in said(lost)
    assert f"gradients cannot be compared {fault}" in said(
        [Comparison(result(2), result(2), (row(0, math.nan),), lost[1].fault)]
    )
    assert "cannot be compared after epoch 1: both are nan, " in said(compared([row(0, math.nan)]))


def test_accuracies_that_differ_are_told_by_part():
    hand = result(1, 0.5, validation=(0.1, 0.96), test=(0.1, 0.75))
    auto = result(1, 0.5, validation=(0.1, 0.9625), test=(0.1, 0.5))
    assert said([Comparison(hand, auto, (row(0),))]).endswith(
        "accuracies differ (validation 96.00% by hand and 96.25% automatic, test 75.00% by hand and 50.00% automatic)"
    )
    lost = result(1, 0.5, validation=(math.nan, math.nan))
    assert said([Comparison(lost, lost, (row(0),))]).endswith("accuracies equal")
    assert "(validation 96.00% by hand and nan% automatic" in said(
        [Comparison(hand, auto._replace(validation=lost.validation), (row(0),))]
    )


def test_quantities_have_costs_instead():
    hand, auto = (result(1, math.nan, 0.5, test=(cost, math.nan)) for cost in (1.0, 1.0 + 2**-20))
    assert said([Comparison(hand, auto, (row(0),))]).endswith(", costs agree to 1e-6")
    assert said([Comparison(hand, hand, (row(0),))]).endswith(", costs are equal")
    far = result(1, math.nan, 0.5, test=(math.inf, math.nan))
    assert said([Comparison(far, far, (row(0),))]).endswith(", costs are equal")
    assert said([Comparison(hand, far, (row(0),))]).endswith(", costs differ by nan")


def test_trainings_that_stop_early_are_told():
    epochs = compared([row(0)], [row(0)])
    assert said(epochs, 60).endswith("; both trainings stopped there, before epoch 60")
    assert said(epochs, 60, autodiff=training(3)).endswith(
        "; the training by backprop stopped there, before epoch 60, that by autodiff went on"
    )
    assert ";" not in said(epochs)


def test_a_training_that_diverged_is_told_with_the_state_of_the_other():
    epochs = compared([row(0)], [row(0)])
    ends = {"backprop": training(3), "autodiff": training(2, ERROR)}
    end = "the training by autodiff diverged in epoch 3, that by backprop did not"
    assert said(epochs, 60, **ends).endswith(f"accuracies equal; {end}")
    assert said([], 60, **ends) == f"no epoch could be compared; {end}"
    both = {"backprop": training(2, ERROR), "autodiff": training(2, ERROR)}
    assert said(epochs, 60, **both).endswith("; both trainings diverged in epoch 3")
    stopped = {"backprop": training(2), "autodiff": training(2, ERROR)}
    assert said(epochs, 60, **stopped).endswith("; the training by autodiff diverged in epoch 3")
    assert state("autodiff", ends["autodiff"]) == "autodiff: epoch 3, step 1 of 20: so."
    assert state("backprop", ends["backprop"]) == "backprop: epoch 3 is finite, training cost 0.25."
    assert state("backprop", training(0)) == "backprop: no epoch."


def test_a_wrong_loop_and_a_net_without_parameters():
    assert said(compared([row(0)]), wrong=["autodiff"]).endswith("; the training loop of autodiff is WRONG")
    assert said(compared([]), net=(Sigmoid(),)) == "no layer has parameters, so there is no gradient, accuracies equal"
