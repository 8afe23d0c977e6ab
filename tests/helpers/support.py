"""What several test files share: seeded draws, one table of tolerances, every layer and every cost."""

import contextlib

import jax
import jax.numpy as jnp
import numpy as np

import fnn
from fnn import (
    CrossEntropy,
    Dense,
    Identity,
    LeakyReLU,
    LogLikelihood,
    Maxout,
    Quadratic,
    ReLU,
    Sigmoid,
    Softmax,
    Step,
    Tanh,
    cli,
)

TOLERANCE = {np.dtype("float32"): 1e-5, np.dtype("float64"): 1e-12}  # one table, by dtype; no others


@fnn.static
class Swish:
    """A layer from outside the package: `z σ(z)`."""

    def init(self, key, shape):
        return (), shape

    def forward(self, params, a):
        return a * jax.nn.sigmoid(a)

    def backward(self, params, a, delta):
        s = jax.nn.sigmoid(a)
        return (), delta * (s + a * s * (1 - s))


ACTIVATIONS = (Sigmoid(), Tanh(), ReLU(), LeakyReLU(), LeakyReLU(0.3), Identity(), Step(), Softmax(), Swish())
LAYERS = (Dense(4), Maxout(3, 2), Maxout(2, 5), *ACTIVATIONS)
COSTS = (CrossEntropy(), LogLikelihood(), *(Quadratic(activation) for activation in ACTIVATIONS))


QUICK = {"xla_backend_optimization_level": 0}  # LLVM's
if jax.__version_info__ <= (0, 10, 1):
    QUICK["xla_cpu_use_fusion_emitters"] = False  # the plain ones compile faster; newer jaxlibs have the others alone


def compiled(f):
    """`f` compiled in half the time, without optimisations: to be right, and to run once."""
    return jax.jit(f, compiler_options=QUICK)


@contextlib.contextmanager
def unoptimised():
    """A block in which every program is compiled quickly: each runs once."""
    before = jax.config.values["jax_disable_most_optimizations"]
    jax.config.update("jax_disable_most_optimizations", True)
    try:
        yield
    finally:
        jax.config.update("jax_disable_most_optimizations", before)


def draw(seed, *shapes):
    """Standard normal arrays, in the float type of the scope; by NumPy: JAX compiles for each shape, even `asarray`."""
    rng = np.random.default_rng(seed)
    return tuple(jax.device_put(rng.standard_normal(shape).astype(jnp.result_type(float))) for shape in shapes)


def draw_params(net, seed, shape):
    """Standard normal parameters of the structure that `init` promises."""
    leaves, structure = jax.tree.flatten(jax.eval_shape(lambda key: fnn.init(net, key, shape), jax.random.key(0)))
    return jax.tree.unflatten(structure, draw(seed, *(leaf.shape for leaf in leaves)))


def one_hot_rows(seed, n, n_out):
    classes = np.random.default_rng(seed).integers(0, n_out, n)
    return jax.device_put(np.eye(n_out)[classes].astype(jnp.result_type(float)))


def assert_trees_close(got, expected):
    """The same structure, shapes and dtypes, and every coordinate within the tolerance of its dtype.

    The difference is relative to the largest entry of its leaf: a sum of n rounded terms is right to
    that scale, not to its own, which may be 0.
    """
    assert jax.tree.structure(got) == jax.tree.structure(expected)
    for (path, g), e in zip(jax.tree.leaves_with_path(got), jax.tree.leaves(expected), strict=True):
        where = jax.tree_util.keystr(path)
        g, e = np.asarray(g), np.asarray(e)
        assert (g.shape, g.dtype) == (e.shape, e.dtype), where
        scale = np.abs(e).max(initial=0)
        np.testing.assert_allclose(g, e, rtol=0, atol=TOLERANCE[g.dtype] * scale, err_msg=where)


def fails(capsys, status, message, *arguments):
    """The command ends with this status and one line on stderr."""
    assert cli.main(list(arguments)) == status
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert message in error
