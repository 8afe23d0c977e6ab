"""What a notebook or an interpreter shows of a value: a line, whatever its size, and never an error."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import fnn
from fnn import Dense, Evaluation, Examples, LogLikelihood, Model
from fnn.training.monitors import Reading
from fnn.types import brief
from tests.helpers.support import draw_params
from tests.helpers.training import COST, LINEAR, fit, params_of


def shapes(net, shape):
    return jax.eval_shape(lambda: fnn.init(net, jax.random.key(0), shape))


PARAMS, SEVEN = draw_params(LINEAR, 0, (5,)), jax.device_put(np.zeros(7, np.float32))
EVALUATION = Evaluation(jnp.float32(0.25), np.float32(0.9542))
DATA = fnn.load_data("digits", test=397)
SHORT = {
    "params of Dense": (
        shapes((Dense(300),), (784,)),
        "(DenseParams(W=float32(300, 784), b=float32(300,)),)",
    ),
    "params of Maxout": (
        shapes((fnn.Maxout(3, 2),), (4,)),
        "(MaxoutParams(W=float32(2, 3, 4), b=float32(2, 3)),)",
    ),
    "params of Conv": (
        shapes((fnn.Conv(2, 3), fnn.Flatten()), (1, 5, 5)),
        "(ConvParams(W=float32(2, 1, 3, 3), b=float32(2,)), ())",
    ),
    "shapes of params": (jax.eval_shape(params_of), "(DenseParams(W=float32(3, 5), b=float32(3,)),)"),
    "an evaluation": (EVALUATION, "Evaluation(cost=0.25, accuracy=0.9542)"),
    "of networks": (Evaluation(SEVEN, SEVEN), "Evaluation(cost=float32(7,), accuracy=float32(7,))"),
    "a reading": (Reading(*map(np.float32, range(5))), "Reading(dead=0, saturated=1, delta=2, update=3, coherence=4)"),
    "examples": (DATA.test, "Examples(x=uint8(397, 64), y=uint8(397, 10), scale=0.0625)"),
    "a data set": (
        DATA,
        "Dataset(train=Examples(x=uint8(1400, 64), y=uint8(1400, 10), scale=0.0625), test=Examples(x=uint8(397, 64), "
        "y=uint8(397, 10), scale=0.0625), shape=(64,), classes=('0', '1', ..., '9'))",
    ),
    "a table": (
        DATA._replace(test=DATA.test.take(slice(0)), columns=tuple("abcdefg"), label="y", classes=("no",)),
        "Dataset(train=Examples(x=uint8(1400, 64), y=uint8(1400, 10), scale=0.0625), shape=(64,), "
        "columns=('a', 'b', ..., 'g'), classes=('no',), label='y')",
    ),
    "a model": (
        Model(LINEAR, COST, PARAMS, (5,), columns=tuple(map(str, range(100))), classes=("a", "b", "c")),
        "Model(net=(Dense(units=3, initializer=ScaledNormal(), bias_initializer=Normal(std=1.0)),), "
        "cost=LogLikelihood(), params=18 numbers, shape=(5,), columns=('0', '1', ..., '99'), classes=('a', 'b', 'c'))",
    ),
}


@pytest.mark.parametrize(("value", "said"), SHORT.values(), ids=SHORT)
def test_a_repr_is_a_line(value, said):
    assert repr(value) == said


def test_a_result_is_a_line():
    (result,) = fit(epochs=1)
    result = result._replace(train=EVALUATION, test=EVALUATION, seconds=0.12345678)
    assert repr(result) == (
        "Result(epoch=1, factor=1, train=Evaluation(cost=0.25, accuracy=0.9542), "
        "test=Evaluation(cost=0.25, accuracy=0.9542), seconds=0.123457, params=39 numbers)"
    )
    many = jax.tree.map(lambda p: jnp.stack([p, p]), params_of())
    swept = fnn.SweepResult(1, Evaluation(jnp.zeros(2), jnp.zeros(2)), None, None, 0.5, many, ())
    assert repr(swept) == (
        "SweepResult(epoch=1, train=Evaluation(cost=float32(2,), accuracy=float32(2,)), seconds=0.5, params=36 numbers)"
    )


def test_a_report_is_its_verdict():
    x, y = jnp.ones((2, 5)), jax.nn.one_hot(jnp.arange(2), 3)
    said = repr(fnn.gradcheck(LINEAR, LogLikelihood(), params_of(), x, y))
    assert said == "Report(ok=True, coordinates=28, compared=28, left_out=0): the gradient is right"


def test_what_is_traced_or_a_key_has_a_repr_too():
    seen = []

    @jax.jit
    def traced(evaluation, params):
        seen.extend(map(repr, (evaluation, params)))

    traced(EVALUATION, params_of())
    assert seen[0] == "Evaluation(cost=float32(), accuracy=float32())"
    assert brief(jax.random.key(0)) == "key<fry>()"
    assert repr(Examples(object, 3)).startswith("Examples(x=<class 'object'>, y=3")
