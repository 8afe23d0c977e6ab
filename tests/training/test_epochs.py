"""An epoch: the same steps in a loop, every example once, nothing compiled again."""

import jax
import jax.numpy as jnp
import pytest

import fnn
from fnn import SGD, Dense, Examples, ReLU
from tests.helpers.support import assert_trees_close
from tests.helpers.training import COST, NET, loop, some, start


@pytest.mark.parametrize("gradient", [fnn.backprop, fnn.autodiff], ids=["backprop", "autodiff"])
@pytest.mark.parametrize("sgd", [SGD(0.5), SGD(0.1, mu=0.9, lmbda=0.01)], ids=["plain", "momentum-l2"])
@pytest.mark.parametrize(
    ("n", "batch_size"), [(13, 4), *(pytest.param(*sizes, marks=pytest.mark.long) for sizes in [(5, 1), (7, 7)])]
)
def test_an_epoch_is_the_same_steps_in_a_loop(n, batch_size, sgd, gradient):
    examples, key = some(n), jax.random.key(3)
    params, v = start(sgd)
    got = fnn.epoch(NET, COST, sgd, params, v, examples, key, batch_size=batch_size, gradient=gradient)
    assert_trees_close(got, loop(examples, sgd, key, batch_size, gradient))


@pytest.mark.parametrize("batch_size", [1, 3, 7, 20])
def test_an_epoch_uses_every_example_once(batch_size):
    # a linear unit whose "gradient" is minus the batch's rows: W counts how often each was used
    def count(net, cost, params, x, y):
        return jnp.zeros(()), ({"W": -x.sum(axis=0, keepdims=True)},)

    examples = Examples(jnp.eye(20), jnp.zeros((20, 1)))
    params = ({"W": jnp.zeros((1, 20))},)
    args = (NET, COST, SGD(1.0), params, SGD(1.0).init(params), examples, jax.random.key(5))
    ((counts,), _) = fnn.epoch(*args, batch_size=batch_size, gradient=count)
    assert counts["W"].tolist() == [[1.0] * 20]


def test_neither_numbers_nor_seeds_nor_equal_nets_recompile():
    traces = []

    def counted(*args):
        traces.append(args)
        return fnn.backprop(*args)

    for (eta, mu, lmbda, seed), expected in (
        ((0.1, 0.1, 0.0, 0), 1),
        ((0.2, 0.5, 0.1, 1), 1),
        ((3.0, 0.9, 1e-4, 2), 1),
        ((0.1, 0.0, 0.0, 0), 2),  # without momentum there is no velocity: another program, once
        ((3.0, 0.0, 1e-4, 1), 2),
    ):
        net, sgd = (Dense(4), ReLU(), Dense(3)), SGD(eta, mu, lmbda)
        params, v = start(sgd, seed)
        fnn.epoch(net, COST, sgd, params, v, some(12, seed), jax.random.key(seed), batch_size=4, gradient=counted)
        assert len(traces) == expected


NOT_FITTING = {
    "labels": (lambda y: y.argmax(axis=1), r"y has shape \(\d+,\), the network's .*jax.nn.one_hot\(y, 3\)"),
    "one column": (lambda y: y[:, :1], r"y has shape \(\d+, 1\), the network's output \(\d+, 3\)"),
    "four columns": (lambda y: y[:, [0, 1, 2, 0]], r"y has shape \(\d+, 4\), the network's output \(\d+, 3\)"),
}


@pytest.mark.parametrize(("change", "said"), NOT_FITTING.values(), ids=NOT_FITTING)
def test_desired_outputs_that_do_not_fit_are_refused_not_stretched(change, said):
    examples, key = some(13), jax.random.key(3)
    other, (params, v) = examples._replace(y=change(examples.y)), start(SGD(0.5))
    with pytest.raises(ValueError, match=said):
        fnn.evaluate(NET, COST, params, other)
    with pytest.raises(ValueError, match=said):
        fnn.epoch(NET, COST, SGD(0.5), params, v, other, key, batch_size=4)
    with pytest.raises(ValueError, match=said):
        fnn.step(NET, COST, SGD(0.5), params, v, *other.rows(slice(None)), fnn.backprop)
    one = jax.tree.map(lambda p: p[None], params)
    with pytest.raises(ValueError, match=said):
        next(fnn.sweep(NET, COST, SGD(0.5), one, other, key, batch_size=4, epochs=1))


@pytest.mark.parametrize("change", [lambda params: (), lambda params: params[1:], lambda params: (*params, ())])
@pytest.mark.parametrize("net", [NET, (fnn.Flatten(), *NET)], ids=["net", "flatten"])
def test_params_of_another_net_are_refused(net, change):
    examples, sgd, key = some(13), SGD(0.5), jax.random.key(3)
    params = change(fnn.init(net, key, examples.shape))
    said = rf"net has {len(net)} layers but params has {len(params)} entries"
    with pytest.raises(ValueError, match=said):
        fnn.evaluate(net, COST, params, examples)
    with pytest.raises(ValueError, match=said):
        fnn.epoch(net, COST, sgd, params, sgd.init(params), examples, key, batch_size=4)
    with pytest.raises(ValueError, match=said):
        next(fnn.fit(net, COST, sgd, params, examples, key, batch_size=4, epochs=1))
    one = jax.tree.map(lambda p: p[None], params)
    with pytest.raises(ValueError, match=said):
        next(fnn.sweep(net, COST, sgd, one, examples, key, batch_size=4, epochs=1))


def test_everything_is_a_pure_function_under_vmap():
    examples = some(8)
    params, v = start(SGD(0.1, mu=0.5))
    many = SGD(jnp.array([0.1, 0.5]), jnp.array([0.9, 0.5]), jnp.zeros(2))
    both, _ = jax.vmap(lambda sgd: fnn.epoch(NET, COST, sgd, params, v, examples, jax.random.key(0), batch_size=4))(
        many
    )
    for i, (eta, mu) in enumerate(((0.1, 0.9), (0.5, 0.5))):
        one, _ = fnn.epoch(NET, COST, SGD(eta, mu), params, v, examples, jax.random.key(0), batch_size=4)
        assert_trees_close(jax.tree.map(lambda p, i=i: p[i], both), one)
