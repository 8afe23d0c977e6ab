"""Every kernel is its definition: values, derivatives, batching and export, on both sides of every threshold."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import export

from fnn.kernels import definitions, im2col, pooling, products
from tests.helpers.support import assert_trees_close, compiled, draw

OFTEN, SELDOM = pytest.mark.long, pytest.mark.campaign
ROWS = (10, *(pytest.param(n, marks=OFTEN) for n in (1, 65)), *(pytest.param(n, marks=SELDOM) for n in (8, 9, 11, 64)))
FEW, MANY = products.FEW_UNITS, products.FEW_UNITS + 1

# name: definition, tuned form, the shapes of the arguments; "n" is the number of rows.
# Of the images, 5 x 5 pixels and three channels make one group of all images, 9 x 9 and one channel a group of each.
KERNELS = {
    "affine": (
        definitions.affine,
        products.affine,
        [((units, 3), (units,), ("n", 3)) for units in (5, FEW, MANY)],
    ),
    "outer_sum": (
        definitions.outer_sum,
        products.outer_sum,
        [(("n", units), ("n", 3)) for units in (5, FEW, MANY)],
    ),
    "row_sums": (definitions.row_sums, products.row_sums, [(("n", 7),)]),
    "convolution": (
        definitions.convolution,
        products.convolution,
        [((2, 3, 3, 3), (2,), ("n", 3, 5, 5)), ((2, 1, 2, 2), (2,), ("n", 1, 9, 9))],
    ),
    "convolution_backward": (
        definitions.convolution_backward,
        products.convolution_backward,
        [((2, 3, 3, 3), ("n", 3, 5, 5), ("n", 2, 3, 3)), ((2, 1, 2, 2), ("n", 1, 9, 9), ("n", 2, 8, 8))],
    ),
    "max_pool": (
        partial(definitions.max_pool, size=2),
        partial(pooling.max_pool, size=2),
        [(("n", 3, 4, 4),), (("n", 1, 6, 6),)],
    ),
    "max_pool_backward": (
        lambda a, delta: definitions.max_pool_backward(a, 2, delta),
        lambda a, delta: pooling.max_pool_backward(a, 2, delta),
        [(("n", 3, 4, 4), ("n", 3, 2, 2)), (("n", 1, 6, 6), ("n", 1, 3, 3))],
    ),
    "pooled_convolution": (
        partial(definitions.pooled_convolution, pool=2),
        partial(pooling.pooled_convolution, pool=2),
        [((2, 3, 2, 2), (2,), ("n", 3, 5, 5)), ((2, 1, 2, 2), (2,), ("n", 1, 9, 9))],
    ),
    "pooled_convolution_backward": (
        lambda W, a, delta: definitions.pooled_convolution_backward(W, a, 2, delta),
        lambda W, a, delta: pooling.pooled_convolution_backward(W, a, 2, delta),
        [((2, 3, 2, 2), ("n", 3, 5, 5), ("n", 2, 2, 2)), ((2, 1, 2, 2), ("n", 1, 9, 9), ("n", 2, 4, 4))],
    ),
}
CASES = [
    pytest.param(definition, tuned, shapes, id=f"{name}-{i}")
    for name, (definition, tuned, several) in KERNELS.items()
    for i, shapes in enumerate(several)
]
each_kernel = pytest.mark.parametrize(("definition", "tuned", "shapes"), CASES)


def with_rows(shapes, n):
    return [tuple(n if k == "n" else k for k in shape) for shape in shapes]


def all_of(f, arguments, tangents, delta):
    """The value of `f`, its derivatives forwards, backwards and backwards again, and its values for a batch of two."""
    value, forwards = jax.jvp(f, arguments, tangents)

    def backwards(*arguments):
        return jax.vjp(f, *arguments)[1](delta)

    second = jax.vjp(backwards, *arguments)[1](tangents)
    several = jax.vmap(f)(*(jnp.stack(pair) for pair in zip(arguments, tangents, strict=True)))
    return value, forwards, backwards(*arguments), second, several


@pytest.mark.parametrize("n", ROWS)
@each_kernel
def test_a_kernel_is_its_definition_with_all_its_derivatives(definition, tuned, shapes, n):
    def both(single, *inputs):  # in one program, single precision too: most of the time goes into compiling
        doubles = [all_of(f, *inputs) for f in (tuned, definition)]
        return doubles, [f(*single) for f in (tuned, definition)]

    with jax.enable_x64(True):
        shapes = with_rows(shapes, n)
        arguments, tangents = draw(n, *shapes), draw(n + 1, *shapes)
        single = [argument.astype(jnp.float32) for argument in arguments]
        out = jax.eval_shape(definition, *arguments)
        delta = jax.tree.unflatten(jax.tree.structure(out), draw(n + 2, *(leaf.shape for leaf in jax.tree.leaves(out))))
        doubles, singles = compiled(both)(single, arguments, tangents, delta)
        assert_trees_close(*doubles)
        assert_trees_close(*singles)


@each_kernel
def test_a_kernel_is_exported_for_any_number_of_rows(definition, tuned, shapes):
    with jax.enable_x64(True):
        (n,) = export.symbolic_shape("n")
        of_any = export.export(jax.jit(tuned))(*(jax.ShapeDtypeStruct(s, float) for s in with_rows(shapes, n)))
        arguments = draw(10, *with_rows(shapes, 10))
        assert_trees_close(of_any.call(*arguments), compiled(definition)(*arguments))


@pytest.mark.parametrize("name", [name for name in KERNELS if f"{name}_backward" in KERNELS])
def test_a_backward_definition_is_the_derivative_of_its_forward(name):
    backward, _, several = KERNELS[f"{name}_backward"]
    with jax.enable_x64(True):
        for shapes in several:
            *arguments, delta = draw(7, *with_rows(shapes, 4))
            at = arguments if name == "max_pool" else [arguments[0], jnp.ones(len(arguments[0])), arguments[1]]
            derivatives = compiled(lambda at, delta, f=KERNELS[name][0]: jax.vjp(f, *at)[1](delta))(at, delta)
            by_hand = compiled(backward)(*arguments, delta)
            assert_trees_close(by_hand, derivatives[0] if name == "max_pool" else derivatives)


def test_the_shapes_stand_on_both_sides_of_the_choice_of_groups():
    assert im2col.groups((8, 3, 5, 5), 3) == im2col.groups((8, 3, 5, 5), 3, 2) == (1, 8)
    assert im2col.groups((8, 1, 9, 9), 2) == im2col.groups((8, 1, 9, 9), 3, 2) == (8, 1)


@pytest.mark.long
@pytest.mark.parametrize("n", [11, 14])
def test_pixels_are_repeated_until_they_leave_the_cache(n):
    W, b, a = draw(3, (2, 20, 5, 5), (2,), (n, 20, 12, 12))
    assert pooling.repeats_pixels(a.shape, 5, 2) == (n == 11)

    def value_and_slopes(f):
        return compiled(
            lambda W, b, a: (f(W, b, a, 2), *jax.grad(lambda *p: (f(*p, 2) ** 2).sum(), (0, 1, 2))(W, b, a))
        )

    with jax.enable_x64(True):
        wide = [jnp.asarray(np.asarray(p), float) for p in (W, b, a)]
        assert_trees_close(
            *(value_and_slopes(f)(*wide) for f in (pooling.pooled_convolution, definitions.pooled_convolution))
        )
        delta = draw(4, (n, 2, 4, 4))[0]
        W, _, a = wide
        assert_trees_close(
            pooling.pooled_convolution_backward(W, a, 2, delta), definitions.pooled_convolution_backward(W, a, 2, delta)
        )


@pytest.mark.long
def test_ties_go_to_the_first_in_both_forms():
    a, delta = jnp.zeros((2, 1, 4, 4)), jnp.ones((2, 1, 2, 2))
    first = jnp.zeros((4, 4)).at[::2, ::2].set(1)
    for module in (definitions, pooling):
        np.testing.assert_array_equal(module.max_pool_backward(a, 2, delta)[0, 0], first)
        np.testing.assert_array_equal(jax.grad(lambda a, m=module: m.max_pool(a, 2).sum())(a)[0, 0], first)
