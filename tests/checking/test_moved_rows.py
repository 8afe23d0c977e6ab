"""The values where one coordinate moves: those of the function itself, computed from little."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from fnn import ConvPool, CrossEntropy, Dense, Flatten, LogLikelihood, Maxout, Quadratic, ReLU, Sigmoid, Softmax, Tanh
from fnn.checking.moved_rows import Moves, values_with_moves
from fnn.checking.point import MeanCost
from tests.helpers.random_functions import BINARY, UNARY, random_function
from tests.helpers.support import compiled, draw, draw_params, one_hot_rows

PROBES = 8
NETS = {
    "narrow": ((Dense(4), Sigmoid(), Dense(3)), CrossEntropy(), (3,)),
    "wide": ((Dense(70), Tanh(), Dense(66), ReLU(), Dense(3)), LogLikelihood(), (5,)),
    "pieces": ((Maxout(4, 2), Maxout(3, 2)), LogLikelihood(), (3,)),
    "softmax": ((Dense(4), Softmax(), Dense(3)), Quadratic(), (3,)),
    "filters": ((ConvPool(3, 3, 2), ReLU(), Flatten(), Dense(3)), LogLikelihood(), (1, 6, 6)),
}

SHAPES = {  # of a matrix (4, 3)
    "a sum of columns": lambda x: x.T.sum(axis=0),
    "the largest of columns": lambda x: x.T.max(axis=0),
    "one axis from two": lambda x: x.ravel(),
    "an axis of the same length elsewhere": lambda x: x.reshape(3, 4),
    "an axis of the same length between": lambda x: x.reshape(1, 4, 1, 3).transpose(3, 2, 1, 0).squeeze(1),
    "one row to several": lambda x: jnp.broadcast_to(x[:1], (4, 3)),
    "more axes": lambda x: x[None, :, None] + jnp.zeros((2, 4, 5, 3)),
    "under each other": lambda x: jnp.concatenate([x, 2 * x]),
    "beside each other": lambda x: jnp.concatenate([x, jnp.ones_like(x), x], axis=1),
    "some rows": lambda x: x[1:3],
    "some columns": lambda x: x[:, ::2],
    "a product with a batch": lambda x: jnp.einsum("ij,ijk->ik", x, jnp.ones((4, 3, 2))),
    "a product on either side": lambda x: jnp.einsum("ijk,kl->lij", jnp.ones((2, 5, 4)), x),
    "a product of one more axis": lambda x: jnp.einsum("ij,jkl->kil", x, jnp.ones((3, 2, 5))),
}


def held(value, tree, constants=(), tolerance=1e-12):
    """Compare the values at some moves along every leaf, large ones too, with those of the function."""
    rng, leaves, structure = np.random.default_rng(0), *jax.tree.flatten(tree)
    f = compiled(lambda *of: value(*of))
    for k, leaf in enumerate(leaves):
        i, moves = rng.integers(leaf.size, size=PROBES), rng.standard_normal(PROBES) * 10.0 ** rng.integers(-6, 1, 8)
        found = compiled(lambda moves: values_with_moves(value, tree, constants, moves))({k: Moves(i, moves, PROBES)})[
            k
        ]
        others = [np.array(leaf) for _ in i]
        for other, entry, move in zip(others, i, moves, strict=True):
            other.reshape(-1)[entry] += move
        right = [f(structure.unflatten([*leaves[:k], other, *leaves[k + 1 :]]), constants) for other in others]
        np.testing.assert_allclose(found, right, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("name", NETS)
def test_the_values_are_those_of_the_net(name):
    net, cost, shape = NETS[name]
    with jax.enable_x64(True):
        (x,) = draw(1, (5, *shape))
        held(MeanCost(net, cost), (*draw_params(net, 0, shape), x), one_hot_rows(2, 5, 3))


@pytest.mark.parametrize("operations", [UNARY, BINARY], ids=["unary", "binary"])
def test_the_values_are_those_of_any_function(operations):
    with jax.enable_x64(True):

        def value(tree, _):
            results = [first(*tree) for first, _ in operations.values()]
            return sum(jnp.sin((k + 1.0) * result).sum() for k, result in enumerate(results))

        held(value, draw(0, (4, 3)) if operations is UNARY else draw(0, (4, 3), (4, 3)))


def test_the_values_are_those_of_any_shape():
    def value(x, _):
        return sum(jnp.sin((k + 1.0) * change(x)).sum() for k, change in enumerate(SHAPES.values()))

    def one_row(x, _):
        return jnp.sin(jnp.broadcast_to(x, (4, 3)) + jnp.arange(12.0).reshape(4, 3)).sum()

    with jax.enable_x64(True):
        held(value, draw(0, (4, 3))[0])
        held(one_row, draw(0, (1, 3))[0])


@pytest.mark.campaign
@pytest.mark.parametrize("seed", range(60))
def test_the_values_are_those_of_a_random_function(seed):
    with jax.enable_x64(True):
        case = random_function(seed)
        tree = jax.tree.map(lambda leaf: jnp.asarray(leaf, float), case.args[0])
        held(lambda tree, _: sum(jnp.sin(out).sum() for out in jax.tree.leaves(case.f(tree))), tree)


def test_the_values_are_those_of_a_function_of_one_number():
    with jax.enable_x64(True):
        held(lambda tree, _: jnp.sin(tree[0]) * tree[1].sum(), (jnp.asarray(2.0), jnp.ones(3)))


def test_the_values_are_those_of_a_function_in_float32():
    with jax.enable_x64(True):
        two = jnp.eye(2, dtype="float32")
        held(lambda tree, c: (tree.astype("float32") @ c).sum().astype(float), draw(0, (3, 2))[0], two, tolerance=1e-6)


@pytest.mark.parametrize(("leaf", "most"), [(0, 30), (1, 30), (2, 100), (4, 100)], ids=["W", "b", "W above", "x"])
def test_a_weight_moves_one_unit_and_an_input_one_example(leaf, most):
    net, n = (Dense(100), ReLU(), Dense(3)), 10
    tree = (*draw_params(net, 0, (20,)), *draw(1, (n, 20)))
    cost, y = MeanCost(net, LogLikelihood()), one_hot_rows(2, n, 3)
    moves = {leaf: Moves(np.zeros(PROBES, int), np.zeros(PROBES), PROBES)}
    program = jax.make_jaxpr(lambda moves: values_with_moves(cost, tree, y, moves))(moves)
    (loop,) = [equation for equation in program.eqns if equation.primitive.name == "while"]
    sizes = [out.aval.size for equation in loop.params["body_jaxpr"].eqns for out in equation.outvars]
    assert max(sizes) <= most  # not the 1,000 activations of the first layer
