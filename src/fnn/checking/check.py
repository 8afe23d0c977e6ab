"""`gradcheck`: a gradient by hand against automatic differentiation and finite differences."""

from __future__ import annotations

import contextlib
import inspect
import math
from collections.abc import Callable, Generator, Iterator

import jax
import jax.numpy as jnp
import numpy as np

from fnn.checking import inputs
from fnn.checking.autodiff import by_autodiff
from fnn.checking.backward_pass import BackwardPass, backward_pass
from fnn.checking.diagnosis import diagnose, without_autodiff
from fnn.checking.evidence import Derivatives, Evidence
from fnn.checking.finite_differences import (
    EPS,
    coordinate_slopes,
    direction_slopes,
    random_directions,
    value_noise,
    widths,
)
from fnn.checking.in_numpy import in_numpy
from fnn.checking.layers import broken_layer, layer_verdicts
from fnn.checking.point import MeanCost, Point, flat_leaves, is_W
from fnn.checking.probes import Function, laid_flat
from fnn.checking.report import Report
from fnn.checking.resolution import resolution
from fnn.checking.sampling import sample
from fnn.checking.verdict import Leaf, directions, leaf_reports, same_value
from fnn.errors import InputError
from fnn.network import autodiff, backprop, deltas, forward
from fnn.optimizers import SGD
from fnn.training.arguments import check_gradient
from fnn.types import Array, Cost, Gradient, Net, Params

BUDGET = 20_000
COARSE = 64 * EPS  # what resolves its coordinates less finely than this does not compute in float64
Penalised = Callable[[Params, Params, float], Params]  # (params, gradient, lmbda) -> gradient with the penalty


@jax.jit
def l2(params: Params, gradient: Params, lmbda: float) -> Params:
    """The gradient with the penalty that training adds: `∇C + λ W`, by `SGD.penalised`."""
    return SGD(eta=1.0, lmbda=lmbda).penalised(params, gradient)


def included(params: Params, gradient: Params, lmbda: float) -> Params:
    """`gradient` itself: for a rule that adds its own penalty."""
    return gradient


def gradcheck(
    net: Net,
    cost: Cost,
    params: Params,
    x: Array,
    y: Array,
    *,
    gradient: Gradient = backprop,
    lmbda: float = 0.0,
    penalised: Penalised = l2,
    budget: int = BUDGET,
) -> Report:
    """Whether `gradient` is the gradient of the mean cost plus `½ λ Σ W²`, and every layer right, entry by entry.

    The coordinates are the params and the inputs: dC/dx, the delta that leaves the first layer, is checked with the
    gradient, so that a net without params is checked too. Each coordinate is compared with automatic differentiation.
    Up to `budget` coordinates are also compared with a central difference of the cost: a sample, spread evenly over the
    leaves and their units, where there are more. Central differences along 8 random directions cover all of them
    together. A central difference that would reach over a kink is left out and counted. So is autodiff where it is not
    finite: there it is no opinion. A gradient under test that is not finite is wrong.

    Besides, the `backward` of each layer and the `delta` of the cost are compared with autodiff of their own forward at
    the right delta, so that the report names the layer that is wrong. `gradient=autodiff` does not ask them, and
    neither does its check.

    Everything is computed in float64 at the highest matmul precision, whatever the types of `params`, `x` and `y` and
    the user's settings are. How many digits the cost has is measured: a layer that computes in float32 inside gets the
    tolerance of float32.

    Args:
        net: The layers; their `backward` is under test.
        cost: The cost; its `delta` is under test.
        params: Of `net`, floating point of any width.
        x: Inputs `(n, *shape)` as the network sees them, of any type.
        y: Desired outputs `(n, n_out)`.
        gradient: The rule under test, called as it is: `jax.jit(backprop)` checks the compiled program.
            Any function with the contract of `backprop`, NumPy included.
        lmbda: The L2 strength λ; weights are the leaves named `W`.
        penalised: The rule under test that adds the penalty to the gradient: `l2`, the optimiser's;
            `included` for a `gradient` that has it already; or any function of `(params, gradient, lmbda)`.
        budget: The largest number of coordinates with a finite difference.

    Returns:
        A report: `ok`, one entry per leaf with its worst coordinate, one per layer, and in `slips` the layers that are
        wrong and the known mistakes that explain it. `print` it.

    Raises:
        InputError: integer parameters, no examples, nan or infinity in params, data or the cost, a gradient that is no
            tree like `params`, a layer whose derivatives have other shapes than its arguments, or a budget below 0.
        TypeError: `gradient` is no function.
        ValueError: what does not fit the net, from the net itself.

    Examples:
        >>> import jax, jax.numpy as jnp
        >>> from fnn import CrossEntropy, Dense, Sigmoid, backprop, init
        >>> from fnn.checking import gradcheck
        >>> net = (Dense(4), Sigmoid(), Dense(2))
        >>> params, x, y = init(net, jax.random.key(0), (3,)), jnp.ones((5, 3)), jnp.ones((5, 2))
        >>> gradcheck(net, CrossEntropy(), params, x, y, lmbda=0.1).ok
        True
        >>> def uphill(*arguments):
        ...     value, gradient = backprop(*arguments)
        ...     return value, jax.tree.map(lambda g: -g, gradient)
        >>> gradcheck(net, CrossEntropy(), params, x, y, gradient=uphill).slips[-1]
        'everywhere: the opposite sign'
    """
    if budget < 0:
        raise InputError(f"budget = {budget}: expected a number of finite differences, at least 0.")
    check_gradient(gradient)
    with in_float64():
        params, (x, y) = inputs.as_params(params), inputs.as_batch(x, y)
        point = Point(net, cost, params, x, y, jnp.asarray(_strength(lmbda)))
        with _the_layer_named(point):
            value, by_hand = gradient(net, cost, params, x, y)
            by_hand = inputs.as_gradient(_rule_name(gradient), by_hand, params)
            by_hand = inputs.as_gradient(_rule_name(penalised), penalised(params, by_hand, float(lmbda)), params)
            by_hand_x = inputs.as_gradient("the net's backward", _by_inputs(point, gradient), x)
        function = Function(MeanCost(net, cost), point.coordinates, point.y)
        fine = resolution(function)
        right = backward_pass(point)
        evidence = _evidence(point, right, function, fine, laid_flat((by_hand, by_hand_x)), budget)
        verdicts = () if inspect.unwrap(gradient) is autodiff else layer_verdicts(point, right)
        return Report(
            about={"net": repr(net), "cost": repr(cost), "examples": len(x), "lmbda": float(lmbda)},
            value=float(value),
            value_expected=evidence.value,
            value_ok=same_value(float(value), evidence.value, evidence.penalised),
            leaves=leaf_reports(_leaves(point), evidence),
            **directions(evidence),
            layers=verdicts,
            slips=diagnose(point, evidence, verdicts, _rule_name(gradient), _penalty_name(penalised, lmbda)),
            notes=(*digits(fine), *without_autodiff(verdicts)),
        )


def digits(resolution: np.ndarray) -> Iterator[str]:
    """A sentence where a function computes in less than float64."""
    if (coarsest := resolution.max()) > COARSE:
        yield f"the value is computed to {-math.log10(coarsest):.0f} digits only: more are not asked of the gradient"


@contextlib.contextmanager
def in_float64() -> Generator[None]:
    """A block in float64 at the highest matmul precision; an overflow in a comparison counts as wrong."""
    with (
        jax.enable_x64(True),
        jax.default_matmul_precision("highest"),
        np.errstate(over="ignore", invalid="ignore"),
    ):
        yield


@contextlib.contextmanager
def _the_layer_named(point: Point) -> Generator[None]:
    """A block whose errors are told of the layer that makes them, if its `backward` raises or returns other shapes."""
    try:
        yield
    except Exception as error:
        if broken := broken_layer(point):
            raise InputError(f"{broken}.") from error
        raise


def _strength(lmbda: float) -> float:
    inputs.check_finite("lmbda", np.asarray(lmbda, float))
    return float(lmbda)


def _rule_name(rule: Callable) -> str:
    return getattr(rule, "__name__", type(rule).__name__)


def _penalty_name(penalised: Penalised, lmbda: float) -> str:
    """The rule that adds the penalty; "" if there is none, or the gradient has it already."""
    return _rule_name(penalised) if lmbda and penalised is not included else ""


def _by_inputs(point: Point, gradient: Gradient) -> Array:
    """dC/dx as the layers hand it back; in a check of `autodiff`, which does not ask them, the automatic one."""
    found = _automatic_by_inputs if inspect.unwrap(gradient) is autodiff else _handed_back
    try:
        return in_numpy(found, point)
    except Exception:  # JAX cannot follow a layer of NumPy; or an error, which is raised again
        return found(point)


def _automatic_by_inputs(point: Point) -> Array:
    net, cost, params, x, y, _ = point
    return jax.grad(lambda x: cost.value(forward(net, params, x), y))(x)


def _handed_back(point: Point) -> Array:
    net, cost, params, x, y, _ = point
    return net[0].backward(params[0], x, deltas(net, cost, params, x, y)[0])[1]


def _leaves(point: Point) -> Iterator[Leaf]:
    for path, leaf, part in flat_leaves(point):
        k = path[0].idx
        yield Leaf(point.name(path), repr(point.net[k]) if k < len(point.net) else "", leaf.shape, part)


def _evidence(
    point: Point, right: BackwardPass, function: Function, fine: np.ndarray, hand: np.ndarray, budget: int
) -> Evidence:
    """The gradient by hand, by autodiff and by finite differences of the mean cost, as flat arrays."""
    found = by_autodiff(point, right)
    inputs.check_finite("the cost at these params", np.asarray(found.value))
    auto, rounding = laid_flat(found.gradient), fine * np.nan_to_num(laid_flat(found.rounded))
    sampled = sample([np.shape(leaf) for leaf in jax.tree.leaves(point.coordinates)], budget)
    h, noise = widths(point.coordinates, fine), value_noise(function, fine)
    moves = random_directions(h)
    decay = _decay(point)  # the difference of a parabola is exact
    return Evidence(
        function.flat,
        Derivatives(hand, auto, rounding),
        sampled,
        coordinate_slopes(function, h, sampled, noise, rounding[sampled]).plus(decay[sampled]),
        Derivatives(moves @ hand, moves @ auto, np.abs(moves) @ rounding),
        direction_slopes(function, moves, noise, np.abs(moves) @ rounding).plus(moves @ decay),
        float(found.value),
        float(found.penalised),
        np.full(hand.shape, np.nan),  # a layer documents its side of a tie; another one is wrong
    )


def _decay(point: Point) -> np.ndarray:
    """The slope of the penalty `½ λ Σ W²` along every coordinate, `(P,)`."""
    return laid_flat([float(point.lmbda) * is_W(path) * np.asarray(leaf) for path, leaf, _ in flat_leaves(point)])
