"""A block of steps is the same steps, one after the other."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import fnn
from fnn import SGD, CrossEntropy, Dense, Examples, Flatten, Identity, LogLikelihood, Maxout, Quadratic, ReLU, Sigmoid
from fnn.data.on_disk import stored
from fnn.training import blocked_steps, mini_batches
from fnn.training.mini_batches import Rule, block_size
from fnn.training.order import permutation
from tests.helpers.support import ACTIVATIONS, Swish, assert_trees_close, draw, one_hot_rows

KEY = jax.random.key(3)
INPUTS = mini_batches.BLOCK_INPUTS
STEP = jax.jit(fnn.step, static_argnums=(0, 1, 7))
NETS = [
    ((Dense(3),), LogLikelihood()),
    ((Dense(4), Sigmoid(), Dense(3)), CrossEntropy()),
    ((Flatten(), Dense(4), Sigmoid(), Dense(3)), CrossEntropy()),
    ((Dense(4), ReLU(), Maxout(5, 2), Swish(), Dense(3)), Quadratic(Identity())),
]


@pytest.mark.long
@pytest.mark.parametrize("optimizer", [pytest.param(SGD(0.5), marks=pytest.mark.long), SGD(0.5, 0.0, 0.1)])
@pytest.mark.parametrize(("net", "cost"), NETS)
def test_a_block_is_the_same_steps(net, cost, optimizer):
    with jax.enable_x64(True):
        shape = (2, 3) if net[0] == Flatten() else (6,)
        params = fnn.init(net, KEY, shape)
        (x,), y = draw(1, (11, *shape)), one_hot_rows(1, 11, 3)
        got, _ = blocked_steps.block(Rule(net, cost, optimizer, fnn.backprop, 3), (params, ()), x, y)
        for first in range(0, 11, 3):  # the last mini-batch has two rows
            rows = slice(first, first + 3)
            params, _ = fnn.step(net, cost, optimizer, params, (), x[rows], y[rows], fnn.backprop)
        assert_trees_close(got, params)


def images(n, n_in=INPUTS):
    x = np.random.default_rng(n).integers(0, 256, (n, n_in), np.uint8)
    return Examples(jax.device_put(x), one_hot_rows(n, n, 3).astype(jnp.uint8), 1 / 255)


NET, COST = (Dense(20), Sigmoid(), Dense(3)), CrossEntropy()
WIDE = (Dense(mini_batches.BLOCK_UNITS), *NET)
STARTS = jax.vmap(lambda key: fnn.init(NET, key, (INPUTS,)))


@pytest.fixture(autouse=True)
def as_on_a_cpu(monkeypatch):
    """With its limits, wherever the tests run."""
    monkeypatch.setattr(mini_batches, "platform", lambda: "cpu")


@pytest.fixture
def taken(monkeypatch):
    """How many mini-batches each block had that was traced so far."""
    calls, real = [], blocked_steps.block

    def counted(rule, state, x, y):
        calls.append(-(-len(x) // rule.batch_size))
        return real(rule, state, x, y)

    monkeypatch.setattr(blocked_steps, "block", counted)
    return calls


@pytest.mark.long
@pytest.mark.parametrize(
    ("n", "batch_size", "gradient", "many"),
    [
        (12, 4, fnn.backprop, 3),
        pytest.param(120, 3, fnn.backprop, 8, marks=pytest.mark.campaign),
        (96, 1, fnn.backprop, 8),
        pytest.param(5, 4, fnn.backprop, 1, marks=pytest.mark.campaign),
        (120, 3, fnn.autodiff, 1),
    ],
)
def test_a_sweep_in_blocks_trains_each_network_as_if_alone(n, batch_size, gradient, many, taken):
    etas, starts, examples = (0.01, 0.05, 0.1, 0.2), STARTS(jax.random.split(KEY, 4)), images(n)
    settings = {"batch_size": batch_size, "epochs": 2, "gradient": gradient}
    *_, last = fnn.sweep(NET, COST, SGD(jnp.array(etas)), starts, examples, KEY, **settings)
    assert max(taken, default=1) == many
    for i, eta in enumerate(etas):
        params = jax.tree.map(lambda p, i=i: p[i], starts)
        *_, alone = fnn.fit(NET, COST, SGD(eta), params, examples, KEY, **settings)
        assert_trees_close(jax.tree.map(lambda p, i=i: p[i], last.params), alone.params)


@pytest.mark.campaign
@pytest.mark.long
def test_with_orders_of_their_own_each_network_has_to_be_worth_it(taken):
    settings = {"batch_size": 3, "epochs": 1}
    for net, many in ((NET, 1), (WIDE, 8)):
        taken.clear()
        starts = jax.vmap(lambda key, net=net: fnn.init(net, key, (INPUTS,)))(jax.random.split(KEY, 3))
        keys, examples = jax.random.split(jax.random.key(5), 3), images(120)
        *_, last = fnn.sweep(net, COST, SGD(jnp.array([0.01, 0.05, 0.1])), starts, examples, keys, **settings)
        assert max(taken, default=1) == many
        for i, eta in enumerate((0.01, 0.05, 0.1)):
            params = jax.tree.map(lambda p, i=i: p[i], starts)
            *_, alone = fnn.fit(net, COST, SGD(eta), params, examples, keys[i], **settings)
            assert_trees_close(jax.tree.map(lambda p, i=i: p[i], last.params), alone.params)


@pytest.mark.long
def test_one_that_diverges_leaves_the_others_alone():
    starts = STARTS(jax.random.split(KEY, 3))
    etas = SGD(jnp.array([0.1, jnp.inf, 1.0])), SGD(jnp.array([0.1, 0.5, 1.0]))
    bad, good = (list(fnn.sweep(NET, COST, sgd, starts, images(100), KEY, batch_size=4, epochs=1))[-1] for sgd in etas)
    assert np.isfinite(np.asarray(bad.train.cost)).tolist() == [True, False, True]
    assert_trees_close(*(jax.tree.map(lambda p: p[::2], result.params) for result in (bad, good)))


def wide(n):
    """A state of a net so wide that one alone is worth it, and examples whose epoch leaves one row."""
    return fnn.init(WIDE, KEY, (INPUTS,)), (), images(n)


@pytest.mark.long
@pytest.mark.parametrize(
    ("gradient", "many"), [(fnn.backprop, 8), pytest.param(fnn.autodiff, 1, marks=pytest.mark.long)]
)
def test_an_epoch_is_the_same_steps_in_a_loop(taken, gradient, many):
    with jax.enable_x64(True):
        params, v, stored_as = wide(289)
        examples = Examples(*(rows.astype(float) for rows in stored_as.rows(slice(None))))
        got = fnn.epoch(WIDE, COST, SGD(0.5, 0.0, 0.01), params, v, examples, KEY, batch_size=3, gradient=gradient)
        assert max(taken, default=1) == many
        order = permutation(KEY, 289)
        for first in range(0, 289, 3):
            batch = examples.rows(order[first : first + 3])
            params, v = STEP(WIDE, COST, SGD(0.5, 0.0, 0.01), params, v, *batch, gradient)
        assert_trees_close(got, (params, v))


@pytest.mark.campaign
@pytest.mark.long
def test_a_training_is_its_epochs_whether_it_is_monitored_or_in_a_file(taken, tmp_path):
    params, v, examples = wide(289)
    np.save(tmp_path / "x.npy", np.asarray(examples.x))
    in_file = examples._replace(x=stored(tmp_path / "x.npy", 3 * 144 * INPUTS))
    settings = {"batch_size": 3, "epochs": 1}
    plain, monitored, streamed = (
        list(fnn.fit(WIDE, COST, SGD(0.05), params, train, KEY, **settings, monitor=monitor))[-1]
        for train, monitor in [(examples, False), (examples, True), (in_file, False)]
    )
    assert max(taken) == 8
    key = jax.random.fold_in(KEY, 1)
    assert_trees_close(plain.params, fnn.epoch(WIDE, COST, SGD(0.05), params, v, examples, key, batch_size=3)[0])
    assert_trees_close(plain.params, monitored.params)
    jax.tree.map(np.testing.assert_array_equal, plain.params, streamed.params)


@pytest.mark.long
@pytest.mark.parametrize("eta", [np.inf, 1e20])
def test_a_divergence_is_found_in_its_step(eta):
    params, _, examples = wide(289)
    with pytest.raises(fnn.DivergedError, match="epoch 1, step [12] of 97: ") as error:
        list(fnn.fit(WIDE, Quadratic(Identity()), SGD(eta), params, examples, KEY, batch_size=3, epochs=1))
    assert error.value.layer >= 0


PLAIN = SGD(0.1)


def size_of(net=NET, optimizer=PLAIN, m=4, n=50_000, n_in=784, gradient=fnn.backprop, batch_size=10):
    params = jax.eval_shape(jax.vmap(lambda key: fnn.init(net, key, (n_in,))), jax.random.split(KEY, m))
    return block_size(Rule(net, COST, optimizer, gradient, batch_size), params, optimizer.init(params), n)


def test_blocks_are_taken_where_that_is_right_and_pays():
    assert size_of() == 4
    assert size_of(gradient=fnn.autodiff) == 1  # it would not differentiate by the first W
    assert size_of(batch_size=1) == 8
    assert size_of(n=35) == 3
    assert size_of(batch_size=14) == size_of(n_in=INPUTS - 1) == size_of(n=25) == size_of(n=5) == 1
    assert size_of(m=3) == size_of(optimizer=SGD(0.1, 0.9)) == 1  # 60 units; a velocity
    assert size_of(net=(Flatten(), *NET)) == size_of(net=(Flatten(), Flatten(), *NET)) == 4
    assert all(size_of(net=(layer, *NET)) == 1 for layer in (Maxout(3), *ACTIVATIONS))
    assert size_of(net=(Flatten(),)) == size_of(net=(Flatten(), Maxout(80))) == 1


def test_a_gpu_needs_a_crowd(monkeypatch):
    monkeypatch.setattr(mini_batches, "platform", lambda: "gpu")
    assert size_of(m=mini_batches.BLOCK_UNITS_ON_GPU // 20 - 1) == 1
    assert size_of(m=mini_batches.BLOCK_UNITS_ON_GPU // 20) == 4


@pytest.mark.long
def test_what_a_user_wrote_sees_everything():
    class Clipped(SGD):
        pass

    def clipped(*args):
        value, nabla = fnn.backprop(*args)
        return value, jax.tree.map(lambda g: g.clip(-1e-3, 1e-3), nabla)

    assert size_of(gradient=clipped) == size_of(optimizer=Clipped(0.1)) == 1
    starts = STARTS(jax.random.split(KEY, 3))
    settings = {"batch_size": 4, "epochs": 1, "gradient": clipped}
    *_, last = fnn.sweep(NET, COST, SGD(1.0), starts, images(100), KEY, **settings)
    first = jax.tree.map(lambda p: p[0], starts)
    *_, alone = fnn.fit(NET, COST, SGD(1.0), first, images(100), KEY, **settings)
    assert_trees_close(jax.tree.map(lambda p: p[0], last.params), alone.params)
