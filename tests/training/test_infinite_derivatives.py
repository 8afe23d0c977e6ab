"""A gradient that is not finite has a culprit: the layer or the cost, the way, and what the other way says."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import fnn
from fnn import SGD, Dense, Examples, Flatten, Identity, LogLikelihood, Quadratic, Sigmoid, Tanh
from fnn.training.divergence import culprit
from fnn.training.infinite_derivatives import REMEDY, Batch, in_gradient
from fnn.training.mini_batches import Rule
from fnn.training.ways import BY_AUTODIFF, automatic_deltas, way_of
from tests.helpers.support import assert_trees_close, draw, draw_params
from tests.helpers.training import KEY

pytestmark = pytest.mark.long  # on the newest Python a change has no time for these

BRANCHES = "so that no infinite derivative is met (both branches of jnp.where are differentiated)"


class Plain:
    """A layer without params that keeps the shape."""

    def init(self, key, shape):
        return (), shape


def positive(a):
    return jnp.where(a > 0, a, 1.0)


def norm(a):
    return jnp.sqrt(jnp.square(a).sum(axis=1, keepdims=True))


@fnn.static
class Root(Plain):
    def forward(self, params, a):
        return jnp.where(a > 0, jnp.sqrt(a), 0.0)

    def backward(self, params, a, delta):
        return (), jnp.where(a > 0, delta / (2 * jnp.sqrt(positive(a))), 0.0)


@fnn.static
class Log(Plain):
    def forward(self, params, a):
        return jnp.where(a > 0, jnp.log(a), 0.0)

    def backward(self, params, a, delta):
        return (), jnp.where(a > 0, delta / positive(a), 0.0)


@fnn.static
class Power(Plain):
    def forward(self, params, a):
        return jnp.where(a > 0, a**0.3, 0.0)

    def backward(self, params, a, delta):
        return (), jnp.where(a > 0, 0.3 * delta * positive(a) ** -0.7, 0.0)


@fnn.static
class Direction(Plain):
    def forward(self, params, a):
        return jnp.where(norm(a) > 0, a / norm(a), 0.0)

    def backward(self, params, a, delta):
        size = positive(norm(a))
        across = delta - (delta * a).sum(axis=1, keepdims=True) * a / size**2
        return (), jnp.where(norm(a) > 0, across / size, 0.0)


@fnn.static
class Angle(Plain):
    def forward(self, params, a):
        return jnp.where(abs(a) < 1, jnp.arccos(a), 0.0)

    def backward(self, params, a, delta):
        inside = abs(a) < 1
        return (), jnp.where(inside, -delta / jnp.sqrt(1 - jnp.where(inside, a, 0.0) ** 2), 0.0)


@fnn.static
class Product(Plain):
    """0 * inf: a log(a)."""

    def forward(self, params, a):
        return jnp.where(a > 0, a * jnp.log(a), 0.0)

    def backward(self, params, a, delta):
        return (), jnp.where(a > 0, delta * (1 + jnp.log(positive(a))), 0.0)


@fnn.static
class Softplus(Plain):
    def forward(self, params, a):
        return jnp.where(a < 20, jnp.log1p(jnp.exp(a)), a)

    def backward(self, params, a, delta):
        return (), delta * jax.nn.sigmoid(a)


@fnn.static
class Overflows(Softplus):
    """Softplus whose derivative by hand is inf/inf for large inputs, and whose forward is safe."""

    def forward(self, params, a):
        return jax.nn.softplus(a)

    def backward(self, params, a, delta):
        return (), delta * jnp.exp(a) / (1 + jnp.exp(a))


@fnn.static
class Scale:
    """A layer with params, (1 + sqrt(s)) a; the derivative by s is infinite at 0, by hand it is said to be 0 there."""

    def init(self, key, shape):
        return {"s": jnp.zeros(())}, shape

    def forward(self, params, a):
        return a * (1 + jnp.where(params["s"] > 0, jnp.sqrt(params["s"]), 0.0))

    def backward(self, params, a, delta):
        s = params["s"]
        slope = jnp.where(s > 0, (delta * a).sum() / (2 * jnp.sqrt(positive(s))), 0.0)
        return {"s": slope}, delta * (1 + jnp.sqrt(s))


REALS = Quadratic(Identity())


def batch(net, cost=REALS, largest=1.0):
    """Four examples whose first is all 0 and whose last is `largest`; biases are 0."""
    x = jnp.array([[0.0, 0.0], [1.0, 0.5], [-1.0, 0.25], [largest, largest]])
    params = fnn.init(net, jax.random.key(0), (2,))
    return Batch(net, cost, params, x, jnp.array([[0.0, 1.0], [1.0, 0.0]] * 2))


def dense(units=2):
    """An identity, if two units have two inputs, so that a test knows what the next layer is given."""
    return Dense(units, Eye(), fnn.Zeros())


@fnn.static
class Eye:
    def draw(self, key, shape, n_in, n_out):
        return jnp.eye(*shape)


def judged(gradient, batch):
    return in_gradient(gradient, batch, gradient(*batch)[1])


def automatic(layer, number="nan", by="input"):
    where = f"of layer {layer[0]} ({layer[1]}) with respect to its {by} is {number}"
    return f"the derivative by jax.grad {where} where the one by hand is finite"


def handwritten(layer, number="nan"):
    where = f"of layer {layer[0]} ({layer[1]}) with respect to its input is {number}"
    return f"the derivative by hand {where} where the one by jax.grad is finite"


TRAPS = [Root(), Log(), Power(), Direction(), Angle(), Product(), Softplus()]


@pytest.mark.parametrize("layer", TRAPS, ids=repr)
def test_an_infinite_branch_is_named_with_its_layer_and_its_way(layer):
    given = batch((dense(), layer, dense()), largest=100.0)
    assert judged(fnn.backprop, given) is None
    found = judged(fnn.autodiff, given)
    assert found.layer == 1
    assert found.what == automatic((1, type(layer).__name__))
    assert found.remedy == f'write its forward {BRANCHES}, or train with gradient = "backprop"'


def test_the_layer_is_named_wherever_it_stands():
    assert judged(fnn.autodiff, batch((dense(), Root()))).what == automatic((1, "Root"))
    assert judged(fnn.autodiff, batch((dense(), Tanh(), dense(), Root(), dense()))).what == automatic((3, "Root"))
    assert judged(fnn.autodiff, batch((Scale(), dense()))).what == automatic((0, "Scale"), by="params")
    assert judged(fnn.autodiff, batch((dense(), Scale()))).layer == 1


def test_a_derivative_that_no_training_needs_is_no_culprit():
    assert judged(fnn.autodiff, batch((Root(), dense()))) is None
    assert judged(fnn.autodiff, batch((Flatten(), Root(), dense()))) is None
    found = judged(fnn.autodiff, batch((Flatten(), Root(), dense(), Root(), dense())))
    assert (found.layer, found.what) == (3, automatic((3, "Root")))


def test_all_layers_are_named_that_do_the_same():
    found = judged(fnn.autodiff, batch((dense(), Log(), dense(), Root(), dense())))
    assert (found.layer, found.what) == (3, f"{automatic((3, 'Root'))}, and so in layer 1 (Log)")


def test_a_backward_that_is_not_finite_is_named():
    given = batch((dense(), Overflows(), dense()), largest=100.0)
    assert judged(fnn.autodiff, given) is None
    found = judged(fnn.backprop, given)
    assert (found.layer, found.what) == (1, handwritten((1, "Overflows")))
    assert found.remedy == 'mend its backward, or train with gradient = "autodiff"'


@pytest.mark.parametrize("gradient", [fnn.backprop, fnn.autodiff])
def test_where_each_way_has_its_own_trap_no_other_way_is_advised(gradient):
    found = judged(gradient, batch((dense(), Root(), dense(), Overflows(), dense()), largest=1e5))
    what = {fnn.backprop: handwritten((3, "Overflows")), fnn.autodiff: automatic((1, "Root"))}[gradient]
    assert found.what == what
    assert "train with" not in found.remedy
    assert REMEDY not in found.remedy


@fnn.static
class Steep(Plain):
    """sqrt, whose derivative at 0 is infinite by both ways."""

    def forward(self, params, a):
        return jnp.sqrt(a)

    def backward(self, params, a, delta):
        return (), delta / (2 * jnp.sqrt(a))


@pytest.mark.parametrize("gradient", [fnn.backprop, fnn.autodiff])
def test_where_both_ways_are_infinite_a_smaller_step_is_the_remedy(gradient):
    given = batch((dense(), Steep(), dense()))
    found = judged(gradient, given._replace(x=abs(given.x), y=given.y + 1))
    assert found == (0, "the delta entering layer 0 (Dense) holds -inf, from layer 1 (Steep)", REMEDY)


@fnn.static
class Masked(Plain):
    """max(a, 0), whose `backward` multiplies by 0 what autodiff leaves out."""

    def forward(self, params, a):
        return jnp.where(a > 0, a, 0.0)

    def backward(self, params, a, delta):
        return (), delta * jnp.where(a > 0, 1.0, 0.0)


def test_an_infinite_derivative_that_the_other_way_leaves_out_is_said():
    given = batch((dense(), Masked(), Steep(), dense()))
    assert judged(fnn.autodiff, given) is None
    found = judged(fnn.backprop, given)
    assert found.what.endswith("holds nan, from layer 2 (Steep); the gradient by autodiff is finite")
    assert found.remedy == f'{REMEDY}, or train with gradient = "autodiff"'


def test_an_overflow_shows_no_wrong_derivative():
    """One way may overflow a little before the other, only because it multiplies in another order."""

    @fnn.static
    class Steeper(Plain):
        def forward(self, params, a):
            return a * 3e37

        def backward(self, params, a, delta):
            return (), delta * 20 * 3e37 / 20

    given = batch((dense(), Steeper()))._replace(x=jnp.full((4, 2), 1e-37), y=jnp.full((4, 2), -1.0))
    assert judged(fnn.autodiff, given) is None
    found = judged(fnn.backprop, given)
    assert found == (0, "the delta entering layer 0 (Dense) holds inf, from layer 1 (Steeper)", REMEDY)


@fnn.static
class TrapCost(LogLikelihood):
    def value(self, z, y):
        return LogLikelihood.value(self, z, y) + jnp.where(z > 0, 0 * jnp.sqrt(z), 0.0).sum()


@fnn.static
class HandCost(LogLikelihood):
    def delta(self, z, y):
        return LogLikelihood.delta(self, z, y) / jnp.where(z == 0, 0.0, 1.0)


def test_the_cost_is_named():
    found = judged(fnn.autodiff, batch((dense(),), TrapCost()))
    said = "of the cost ({}) with respect to its input is {} where the one by {} is finite"
    assert found.what == f"the derivative by jax.grad {said.format('TrapCost', 'nan', 'hand')}"
    assert found.remedy == f'write its value {BRANCHES}, or train with gradient = "backprop"'
    assert judged(fnn.backprop, batch((dense(),), TrapCost())) is None
    found = judged(fnn.backprop, batch((dense(),), HandCost()))
    assert found.what == f"the derivative by hand {said.format('HandCost', 'inf', 'jax.grad')}"
    assert (found.layer, found.remedy) == (0, 'mend its delta, or train with gradient = "autodiff"')


def clipped(*inputs):
    value, gradient = fnn.autodiff(*inputs)
    return value, jax.tree.map(lambda g: jnp.clip(g, -1, 1), gradient)


def broken(*inputs):
    value, gradient = fnn.backprop(*inputs)
    return value, jax.tree.map(lambda g: g / 0, gradient)


def test_of_a_gradient_of_ones_own_it_is_said_what_is_known():
    given = batch((dense(), Root(), dense()))
    found = judged(clipped, given)
    own = "the gradient of layer 0 (Dense) holds nan by clipped, as by autodiff"
    assert (found.layer, found.what) == (1, f"{own}: {automatic((1, 'Root'))}")
    both = batch((dense(), Steep(), dense()))
    assert judged(clipped, both._replace(x=abs(both.x))) == (0, "the gradient of layer 0 (Dense) holds nan", REMEDY)
    found = judged(broken, batch((dense(), Tanh(), dense())))
    assert found.what.endswith("by broken, where backprop and autodiff are finite")
    assert found.remedy == "look at broken"


def test_a_compiled_gradient_is_the_same_way():
    assert way_of(jax.jit(fnn.autodiff)) is BY_AUTODIFF
    assert way_of(jax.jit(clipped)) is way_of(clipped) is None


@fnn.static
class Unwritten(Root):
    def backward(self, params, a, delta):
        raise NotImplementedError


@fnn.static
class Rounded(Plain):
    """Whole numbers, which have no derivative."""

    def forward(self, params, a):
        return jnp.round(a).astype(jnp.int32)

    def backward(self, params, a, delta):
        return (), 0 * delta


@fnn.static
class Outside(Plain):
    """tanh by NumPy, which JAX cannot differentiate, and a `backward` that divides by 0."""

    def forward(self, params, a):
        return jax.pure_callback(np.tanh, jax.ShapeDtypeStruct(a.shape, a.dtype), a)

    def backward(self, params, a, delta):
        return (), delta / (0 * a)


def test_a_layer_that_has_one_way_alone_is_named_with_both_remedies():
    found = judged(fnn.autodiff, batch((dense(), Unwritten(), dense())))
    assert found.what == "the delta entering layer 0 (Dense) holds nan, from layer 1 (Unwritten)"
    assert found.remedy == f"write its forward {BRANCHES}, or {REMEDY}"
    found = judged(fnn.backprop, batch((dense(), Outside(), dense())))
    assert found.what.startswith("the delta entering layer 0 (Dense) holds ")
    assert found.remedy == f"mend its backward, or {REMEDY}"


def test_a_layer_without_a_derivative_breaks_no_search():
    with jax.numpy_dtype_promotion("standard"):
        found = judged(fnn.autodiff, batch((dense(), Rounded(), dense(), Root(), dense())))
    assert found == (2, "the gradient of layer 2 (Dense) holds nan", REMEDY)


@pytest.mark.parametrize("cost", [LogLikelihood(), Quadratic(Sigmoid())], ids=repr)
def test_automatic_deltas_are_the_handwritten_ones(cost):
    net, y = (Dense(3), Tanh(), Dense(2), Sigmoid()), jnp.eye(2)[jnp.array([0, 1, 1])]
    params, (x,) = draw_params(net, 0, (4,)), draw(1, (3, 4))
    assert_trees_close(automatic_deltas(net, cost, params, x, y), fnn.deltas(net, cost, params, x, y))


def test_nan_that_comes_in_a_later_epoch_has_its_culprit():
    """The only weight moves from 1 to 0.4 in the first epoch; below 0.5 the derivative by autodiff is nan."""

    @fnn.static
    class Late(Plain):
        def forward(self, params, a):
            return a + jnp.where(a > 0.5, 0 * jnp.sqrt(a - 0.5), 0.0)

        def backward(self, params, a, delta):
            return (), delta

    net, line = (Dense(1, Eye(), fnn.Zeros()), Late()), Examples(jnp.ones((2, 1)), jnp.zeros((2, 1)))
    settings = {"batch_size": 2, "epochs": 3}
    params = fnn.init(net, KEY, (1,))
    with pytest.raises(fnn.DivergedError) as caught:
        list(fnn.fit(net, REALS, SGD(0.3), params, line, KEY, gradient=fnn.autodiff, **settings))
    assert (caught.value.epoch, caught.value.step, caught.value.layer) == (2, 1, 1)
    assert str(caught.value).startswith(f"epoch 2, step 1 of 1: {automatic((1, 'Late'))}; write its forward")
    list(fnn.fit(net, REALS, SGD(0.3), params, line, KEY, **settings))


@fnn.static
class NoCost(Quadratic):
    """-sum of y log(max(z, 0)): 0 * inf where y and z are 0."""

    def value(self, z, y):
        return -(y * jnp.log(jnp.where(z > 0, z, 0.0))).sum(axis=1).mean()


@pytest.mark.parametrize("gradient", [fnn.backprop, fnn.autodiff])
def test_the_value_of_a_cost_that_is_nan_is_named(gradient):
    net, rows = (dense(),), jnp.eye(2)
    found = culprit(Rule(net, NoCost(), SGD(0.1), gradient, 2), fnn.init(net, KEY, (2,)), (), rows, rows)
    assert found.what == "the cost of the mini-batch is nan, from the outputs of layer 0 (Dense), which are finite"
    assert found.remedy.startswith("write NoCost.value without 0 * log(0)")


def test_large_weights_of_our_own_layers_show_no_wrong_derivative():
    """An overflow in a training with a long step is no fault of a layer, whichever way overflows first."""
    rng, activations = np.random.default_rng(0), (Sigmoid(), Tanh(), fnn.ReLU(), fnn.Softmax(), Identity())
    for _ in range(60):
        net = (Dense(2), activations[rng.integers(5)], Dense(2))
        params = jax.tree.map(lambda p: p * np.float32(10 ** rng.uniform(0, 38)), draw_params(net, 0, (2,)))
        given = batch(net, (LogLikelihood(), fnn.CrossEntropy())[rng.integers(2)])._replace(params=params)
        for gradient in (fnn.backprop, fnn.autodiff):
            found = judged(gradient, given)
            assert found is None or REMEDY in found.remedy
