"""A training that diverges says where."""

import jax
import jax.numpy as jnp
import pytest

import fnn
from fnn import SGD, Dense, Examples, Identity, Quadratic
from fnn.training.divergence import REMEDY, culprit
from fnn.training.fitting import resumed, start
from fnn.training.mini_batches import Rule
from fnn.training.order import permutation
from fnn.training.tasks import Task
from tests.helpers.training import COST, KEY, LINEAR, MOMENTUM, fit, params_of, some_reals


def test_divergence_is_an_error():
    line = Examples(jnp.linspace(1, 2, 20)[:, None], jnp.ones((20, 1)))
    with pytest.raises(fnn.DivergedError, match="epoch .* eta"):
        list(fit(line, net=(Dense(1),), cost=Quadratic(Identity()), optimizer=SGD(1e6), epochs=20))


def diverges(net, optimizer, examples, batch_size=3, cost=COST, shape=(5,)):
    task = Task(net, cost, optimizer, examples, KEY, batch_size, 20)
    with pytest.raises(fnn.DivergedError) as caught:
        list(resumed(task, start(task, params_of(net, shape))))
    return caught.value


@pytest.mark.long
@pytest.mark.parametrize("row", [0, 123, 600])
@pytest.mark.parametrize("which", ["x", "y"])
def test_a_hole_in_the_data_is_named_by_its_step(row, which):
    clean = some_reals(601)
    broken = clean._replace(**{which: getattr(clean, which).at[row, 1].set(jnp.nan)})
    error = diverges(LINEAR, MOMENTUM, broken)
    place = permutation(jax.random.fold_in(KEY, 1), 601).tolist().index(row)
    assert (error.epoch, error.step, error.layer) == (1, place // 3 + 1, -1)
    assert ("inputs" if which == "x" else "desired outputs") in str(error)
    assert "remove or replace" in str(error)


LINE = Examples(jnp.linspace(1, 2, 48)[:, None], jnp.linspace(-1, 1, 48)[:, None])


def test_the_step_is_the_first_whose_cost_or_params_are_not_finite():
    net, cost, sgd = (Dense(1),), Quadratic(Identity()), SGD(3.0, mu=0.5)
    error = diverges(net, sgd, LINE, cost=cost, shape=(1,))
    params, step, gradient = params_of(net, (1,)), jax.jit(fnn.step, static_argnums=7), jax.jit(fnn.backprop)
    v = sgd.init(params)
    for e in range(1, error.epoch + 1):
        order = permutation(jax.random.fold_in(KEY, e), 48)
        for i in range(0, 48, 3):
            x, y = LINE.rows(order[i : i + 3])
            value, _ = gradient(net, cost, params, x, y)
            params, v = step(net, cost, sgd, params, v, x, y, fnn.backprop)
            finite = jnp.isfinite(value) and all(jnp.isfinite(leaf).all() for leaf in jax.tree.leaves((params, v)))
            if (e, i // 3 + 1) == (error.epoch, error.step):
                break
            assert finite
    assert not finite
    assert error.layer == 0
    assert "smaller eta" in str(error)


@fnn.static
class Bomb:
    """The identity, but for inputs above a tenth: there its output, or its derivative, is infinite."""

    forwards: bool

    def init(self, key, shape):
        return (), shape

    def forward(self, params, a):
        return jnp.where(abs(a) > 0.1, jnp.inf, a) if self.forwards else a

    def backward(self, params, a, delta):
        return (), delta if self.forwards else jnp.where(abs(a) > 0.1, jnp.inf, delta)


@pytest.mark.parametrize(
    ("forwards", "layer", "words"),
    [
        (True, 2, "layer 2 (Bomb) gives inf; a smaller eta"),
        (False, 2, "the derivative by hand of layer 2 (Bomb) with respect to its input is inf where"),
    ],
    ids=["activation", "delta"],
)
def test_the_layer_is_named(forwards, layer, words):
    error = diverges((Dense(1), Identity(), Bomb(forwards), Dense(1)), SGD(1e-3), LINE, 1, Quadratic(Identity()), (1,))
    assert error.layer == layer
    assert words in str(error)


def test_params_that_overflow_are_named_by_their_layer():
    error = diverges((Dense(1), Dense(1)), SGD(3e38), LINE, 48, Quadratic(Identity()), (1,))
    assert (error.epoch, error.step) == (1, 1)
    assert "the new params of layer" in str(error)


def test_params_that_overflow_by_momentum_alone_are_named():
    params = jax.tree.map(lambda p: jnp.full_like(p, 3e38), params_of())
    x, y = jnp.zeros((1, 5)), jnp.full((1, 3), 1 / 3)
    found = culprit(Rule(LINEAR, COST, SGD(1.0, mu=1.0), fnn.backprop, 1), params, params, x, y)
    assert found == (0, "the new params of layer 0 (Dense) hold inf", REMEDY)


def test_a_cost_that_overflows_after_the_last_step_is_named():
    # one step: eta is such that the params stay finite and the squares of the outputs do not
    error = diverges((Dense(1),), SGD(1e25), LINE, 48, Quadratic(Identity()), (1,))
    assert (error.epoch, error.step, error.layer) == (1, 0, 0)
    assert "every step was finite" in str(error)


def test_the_error_survives_being_sent():
    import pickle

    error = pickle.loads(pickle.dumps(fnn.DivergedError("so", 1, 2, 3)))
    assert (str(error), error.epoch, error.step, error.layer) == ("so", 1, 2, 3)
