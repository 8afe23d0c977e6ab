"""`fnn.predict` leaves by `jax.export`: any number of rows, the params an argument or part of the program."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import export

import fnn
from tests.helpers.own_layers import Swish
from tests.helpers.support import assert_trees_close, draw, draw_params, unoptimised

NETS = {  # every layer, the output of every cost, and a layer of the user's own
    "flat": (
        (fnn.Maxout(6, 3), fnn.Tanh(), fnn.Dense(5), fnn.LeakyReLU(0.3), Swish(), fnn.Softmax(), fnn.Dense(4)),
        fnn.CrossEntropy(),
        (7,),
    ),
    "filters": (
        (
            *(fnn.ConvPool(4, 4, 2), fnn.ReLU(), fnn.Conv(3, 2), fnn.Step(), fnn.MaxPool(3), fnn.Flatten()),
            *(fnn.Identity(), fnn.Sigmoid(), fnn.Dense(5)),
        ),
        fnn.LogLikelihood(),
        (2, 11, 11),
    ),
    "regression": ((fnn.Dense(2),), fnn.Quadratic(fnn.Identity()), (3,)),
}


@pytest.mark.parametrize("name", [pytest.param("flat", marks=pytest.mark.long), "filters", "regression"])
def test_predictions_for_any_number_of_rows_leave_by_jax_export(name):
    net, cost, shape = NETS[name]
    params, (x,) = draw_params(net, 0, shape), draw(1, (5, *shape))
    program = jax.jit(lambda params, x: fnn.predict(net, cost, params, x))
    rows = jax.ShapeDtypeStruct((*export.symbolic_shape("n"), *shape), jnp.float32)
    of_params = export.export(program)(jax.eval_shape(lambda: params), rows)
    alone = export.export(jax.jit(lambda x: program(params, x)))(rows)
    assert str(of_params.out_avals[0].shape[0]) == str(alone.out_avals[0].shape[0]) == "n"
    kept = [export.deserialize(exported.serialize()) for exported in (of_params, alone)]
    with unoptimised():
        expected = program(params, x)
        assert_trees_close(kept[0].call(params, x), expected)
        assert_trees_close(kept[1].call(x), expected)
    assert np.isfinite(expected).all()
