"""Every exported function that computes with arrays is lowered for CPUs, for NVIDIA GPUs and for TPUs."""

import inspect

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import export
from jax.experimental.jet import jet

import fnn
from fnn import (
    SGD,
    ConvPool,
    CrossEntropy,
    Dense,
    Examples,
    Flatten,
    Maxout,
    MaxPool,
    ReLU,
    Sigmoid,
    autodiff,
    backprop,
)
from fnn.training import mini_batches
from tests.helpers.support import assert_trees_close, draw, draw_params

COST, KEY = CrossEntropy(), jax.random.key(0)
NETS = {
    "dense": ((Dense(mini_batches.BLOCK_UNITS), Sigmoid(), Maxout(5), Dense(3)), (500,)),
    "convolutional": ((ConvPool(2, 3, 2), ReLU(), MaxPool(2), Flatten(), Dense(3)), (1, 10, 10)),
}
# on the host: files, generators of Python, tables, circuits of gates, shapes
ON_THE_HOST = {
    *("awake", "circuit", "count_params", "fit", "gradcheck", "layered", "load", "load_data", "perceptron"),
    *("printed", "save"),
    *("check_exactly", "check_vjp", "shape_out", "spread", "static", "sweep", "truth_table", "variable"),
}


def examples(x, y):
    return Examples(x, y, 1 / 255)


def epoch(gradient):
    def one(net, params, x, y):
        return fnn.epoch(
            net, COST, SGD(0.1, 0.0, 0.1), params, (), examples(x, y), KEY, batch_size=3, gradient=gradient
        )

    return one


CALLS = {
    "init": lambda net, params, x, y: fnn.init(net, KEY, x.shape[1:]),
    "forward": lambda net, params, x, y: fnn.forward(net, params, x),
    "activations": lambda net, params, x, y: fnn.activations(net, params, x),
    "predict": lambda net, params, x, y: fnn.predict(net, COST, params, x),
    "backprop": lambda net, params, x, y: fnn.backprop(net, COST, params, x, y),
    "autodiff": lambda net, params, x, y: fnn.autodiff(net, COST, params, x, y),
    "by_hand": lambda net, params, x, y: jax.vjp(fnn.by_hand(net), params, x)[1](y),
    "deltas": lambda net, params, x, y: fnn.deltas(net, COST, params, x, y),
    "per_example": lambda net, params, x, y: fnn.per_example(backprop)(net, COST, params, x, y),
    "per_example_norms": lambda net, params, x, y: fnn.per_example_norms(net, COST, params, x, y),
    "monitor": lambda net, params, x, y: fnn.monitor(net, COST, params, x, y),
    "step": lambda net, params, x, y: fnn.step(net, COST, SGD(0.1), params, (), x, y, backprop),
    "evaluate": lambda net, params, x, y: fnn.evaluate(net, COST, params, examples(x, y)),
    "epoch": epoch(backprop),
    "epoch by autodiff": epoch(autodiff),
}


def test_every_exported_function_is_lowered_or_runs_on_the_host():
    functions = {
        name for name in fnn.__all__ if inspect.isroutine(getattr(fnn, name)) or hasattr(getattr(fnn, name), "lower")
    }
    assert functions == ON_THE_HOST | {name.split(" ")[0] for name in CALLS}


PER_ROW = [name for name in CALLS if name not in ("init", "monitor", "evaluate", "epoch", "epoch by autodiff")]


@pytest.mark.parametrize("net", [pytest.param("dense", marks=pytest.mark.long), "convolutional"])
@pytest.mark.parametrize("name", PER_ROW)
def test_a_function_of_a_batch_is_exported_for_any_number_of_rows_and_kept_in_a_file(name, net):
    layers, shape = NETS[net]
    (n,) = export.symbolic_shape("n")
    shapes = jax.eval_shape(lambda: fnn.init(layers, KEY, shape))
    x, y = jax.ShapeDtypeStruct((n, *shape), np.float32), jax.ShapeDtypeStruct((n, 3), jnp.float32)
    program = jax.jit(lambda params, x, y: CALLS[name](layers, params, x, y))
    kept = export.export(program)(shapes, x, y).serialize()
    params, (x, y) = draw_params(layers, 0, shape), draw(1, (7, *shape), (7, 3))
    assert_trees_close(export.deserialize(kept).call(params, x, y), program(params, x, y))


@pytest.mark.parametrize("net", NETS)
@pytest.mark.parametrize("name", CALLS)
def test_a_function_is_lowered_for_every_kind_of_device(name, net):
    layers, shape = NETS[net]
    params = jax.eval_shape(lambda: fnn.init(layers, KEY, shape))
    x, y = jax.ShapeDtypeStruct((64, *shape), np.float32), jax.ShapeDtypeStruct((64, 3), jnp.float32)
    program = jax.jit(lambda params, x, y: CALLS[name](layers, params, x, y))
    lowered = export.export(program, platforms=("cpu", "cuda", "tpu"))(params, x, y)
    assert set(lowered.platforms) == {"cpu", "cuda", "tpu"}


@pytest.mark.long
@pytest.mark.parametrize("net", NETS)
def test_the_outputs_have_a_taylor_expansion(net):
    layers, shape = NETS[net]
    params, (x, d) = draw_params(layers, 0, shape), draw(1, (3, *shape), (3, *shape))
    value, (first, second) = jet(lambda x: fnn.forward(layers, params, x), (x,), ((d, jnp.zeros_like(d)),))
    expected, slope = jax.jvp(lambda x: fnn.forward(layers, params, x), (x,), (d,))
    assert_trees_close((value, first), (expected, slope))
    curvature = jax.jvp(lambda x: jax.jvp(lambda x: fnn.forward(layers, params, x), (x,), (d,))[1], (x,), (d,))[1]
    np.testing.assert_allclose(second, curvature, atol=1e-4)
