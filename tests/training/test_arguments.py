"""Arguments of `fit` and `sweep` of another kind are one plain line, before anything is compiled."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import fnn
from fnn import SGD, Dense, EarlyStopping, Sigmoid
from fnn.training.arguments import check_kinds
from tests.helpers.training import COST, KEY, LINEAR, NET, params_of, some


class OfOptax(NamedTuple):
    """As `optax.GradientTransformation` is, whose `update` takes other arguments."""

    init: Any
    update: Any


class Unscaled:
    def init(self, params):
        return ()

    def update(self, params, v, gradient):
        return params, v


SLIPS = {
    "a class in a net": ({"net": (Dense,)}, TypeError, "net[0] is the class Dense; a layer is a value of one"),
    "a class behind a layer": ({"net": (Dense(3), Sigmoid)}, TypeError, "net[1] is the class Sigmoid"),
    "the name of a layer": ({"net": ("Dense",)}, TypeError, "net[0] is 'Dense'; expected a layer, such as Dense(10)"),
    "a layer alone": ({"net": Dense(3)}, TypeError, "net is a Dense; a net is a tuple of layers"),
    "a learning rate": ({"optimizer": 0.1}, TypeError, "optimizer is 0.1; expected an optimiser, such as SGD(0.1)."),
    "the name of an optimiser": ({"optimizer": "SGD"}, TypeError, "optimizer is 'SGD'; expected an optimiser"),
    "an object of optax": (
        {"optimizer": OfOptax(print, print)},
        TypeError,
        "optimizer is the OfOptax of optax, whose num",
    ),
    "an optimiser that no schedule can scale": (
        {"optimizer": Unscaled()},
        TypeError,
        "One of your own has the methods",
    ),
    "the class of an optimiser": ({"optimizer": SGD}, TypeError, "expected an optimiser, such as SGD(0.1)."),
    "eta below 0": ({"optimizer": SGD(-1)}, ValueError, "optimizer: SGD(eta=-1): expected at least 0."),
    "eta nan": ({"optimizer": SGD(float("nan"))}, ValueError, "SGD(eta=nan): expected at least 0."),
    "eta a text": ({"optimizer": SGD("0.1")}, TypeError, "SGD(eta='0.1'): expected a number."),
    "eta nothing": ({"optimizer": SGD(None)}, TypeError, "SGD(eta=None): expected a number."),
    "mu 1": ({"optimizer": SGD(0.1, mu=1.0)}, ValueError, "SGD(mu=1.0): expected at least 0 and below 1."),
    "lmbda below 0": ({"optimizer": SGD(0.1, lmbda=-1)}, ValueError, "SGD(lmbda=-1): expected at least 0."),
    "the name of a gradient": (
        {"gradient": "backprop"},
        TypeError,
        "gradient is 'backprop'; expected a function, fnn.b",
    ),
    "no gradient": ({"gradient": None}, TypeError, "gradient is None; expected a function"),
    "a number for a key": ({"key": 0}, TypeError, "key is 0; expected a key, such as jax.random.key(0)."),
    "no params": ({"params": None}, TypeError, "params is None; expected what init(net, key, shape) gives"),
    "the name of a schedule": ({"schedule": "x"}, TypeError, "schedule is 'x'; expected a schedule, such as EarlyStop"),
    "the class of a schedule": (
        {"schedule": EarlyStopping},
        TypeError,
        "expected a schedule, such as EarlyStopping(10).",
    ),
    "a word for the monitor": ({"monitor": "no"}, TypeError, "monitor is 'no'; expected True or False."),
    "a text as target": ({"target_cost": "0.1"}, TypeError, "target_cost is '0.1'; expected a number."),
    "no target": ({"target_cost": None}, TypeError, "target_cost is None; expected a number."),
    "nan as target": ({"target_cost": float("nan")}, ValueError, "target_cost is nan; expected a number."),
}
OF_FIT_ALONE = ("schedule", "monitor", "target_cost")


@pytest.mark.parametrize(("given", "kind", "said"), SLIPS.values(), ids=SLIPS)
def test_an_argument_of_another_kind(given, kind, said):
    right = {"net": LINEAR, "optimizer": SGD(0.1), "params": params_of(), "train": some(6), "key": KEY}
    for train in (fnn.fit, fnn.sweep):
        if train is fnn.sweep and set(given) & set(OF_FIT_ALONE):
            continue
        with pytest.raises(kind) as caught:
            next(train(cost=COST, batch_size=2, epochs=1, **(right | given)))
        assert said in str(caught.value)
        assert "\n" not in str(caught.value)


def test_gradcheck_takes_no_name_of_a_gradient_either():
    with pytest.raises(TypeError, match="gradient is 'autodiff'; expected a function, fnn.backprop or fnn.autodiff"):
        fnn.gradcheck(LINEAR, COST, params_of(), jnp.zeros((2, 5)), jnp.zeros((2, 3)), gradient="autodiff")


@pytest.mark.parametrize("use", [fnn.forward, fnn.backprop, fnn.autodiff, fnn.predict], ids=lambda use: use.__name__)
def test_a_class_in_a_net_is_named_wherever_a_net_is_used(use):
    params, x, y = params_of(), jnp.zeros((2, 5)), jnp.zeros((2, 3))
    more = {fnn.forward: (params, x), fnn.predict: (COST, params, x)}.get(use, (COST, params, x, y))
    with pytest.raises(TypeError, match=r"net\[0\] is the class Dense; a layer is a value of one"):
        use((Dense,), *more)


def test_whatever_is_a_number_is_taken():
    for number in (1, 0.5, 0, np.float32(0.5), jnp.float32(0.5), jnp.bfloat16(0.5), np.array([0.1, 0.2])):
        check_kinds(NET, SGD(number, lmbda=number), params_of(NET), KEY, fnn.backprop)
    for target in (0, np.float32(0.5), jnp.float32(0.5), -np.inf):
        check_kinds(NET, SGD(0.1), params_of(NET), KEY, fnn.autodiff, EarlyStopping(3), target, np.True_)
    jax.jit(lambda eta: check_kinds(NET, SGD(eta), (), KEY, fnn.backprop))(0.1)
