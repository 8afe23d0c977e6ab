"""`gradcheck`: a gradient by hand against automatic differentiation and finite differences."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np

from fnn.checking import inputs
from fnn.checking.autodiff import by_autodiff
from fnn.checking.diagnosis import diagnose
from fnn.checking.evidence import Derivatives, Evidence
from fnn.checking.finite_differences import EPS, Point, coordinate_slopes, direction_slopes, random_directions, widths
from fnn.checking.report import Report
from fnn.checking.sampling import sample
from fnn.checking.verdict import as_report
from fnn.errors import InputError
from fnn.network import backprop
from fnn.optimizers import SGD
from fnn.types import Array, Cost, Gradient, Net, Params, leaf_name

BUDGET = 20_000
Penalised = Callable[[Params, Params, float], Params]  # (params, gradient, lmbda) -> gradient with the penalty


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
    """Whether `gradient` is the gradient of the mean cost plus `½ λ Σ W²`, coordinate by coordinate.

    Every coordinate of every leaf is compared with automatic differentiation. Up to `budget` coordinates are also
    compared with a central difference of the cost. A net with more coordinates than that gets a sample, spread evenly
    over its leaves and their units. Central differences along 8 random directions cover all coordinates together.
    Everything is computed in float64 at the highest matmul precision, whatever the types of `params`, `x` and `y` and
    the user's settings are. A coordinate whose central difference would reach over a kink is left out of that
    comparison and counted.

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
        A report: `ok`, one entry per leaf with its worst coordinate, and in `slips` the known mistakes that explain
        a wrong gradient. `print` it.

    Raises:
        InputError: no parameters, integer parameters, no examples, nan or infinity in params, data or a
            gradient, a gradient that is no tree like `params`, or a budget below 0.
        ValueError: what does not fit the net, from the net itself.

    Example:
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
        >>> gradcheck(net, CrossEntropy(), params, x, y, gradient=uphill).slips
        ('everywhere: the opposite sign',)
    """
    if budget < 0:
        raise InputError(f"budget = {budget}: expected a number of finite differences, at least 0.")
    with (
        jax.enable_x64(True),
        jax.default_matmul_precision("highest"),
        np.errstate(over="ignore", invalid="ignore"),  # an overflow in the comparison counts as wrong
    ):
        params, (x, y) = inputs.as_params(params), inputs.as_batch(x, y)
        point = Point(net, cost, params, x, y, jnp.asarray(_strength(lmbda)))
        value, by_hand = gradient(net, cost, params, x, y)
        by_hand = inputs.as_gradient(_rule_name(gradient), by_hand, params)
        by_hand = inputs.as_gradient(_rule_name(penalised), penalised(params, by_hand, float(lmbda)), params)
        evidence = _evidence(point, by_hand, budget)
        return as_report(point, float(value), evidence, diagnose(point, evidence))


def _strength(lmbda: float) -> float:
    inputs.check_finite("lmbda", np.asarray(lmbda, float))
    return float(lmbda)


def _rule_name(rule: Callable) -> str:
    return getattr(rule, "__name__", type(rule).__name__)


def _evidence(point: Point, by_hand: Params, budget: int) -> Evidence:
    """The gradient by hand, by autodiff and by finite differences, as flat arrays."""
    right = by_autodiff(point)
    inputs.check_finite("the cost at these params", np.asarray(right.value))
    for path, leaf in jax.tree.leaves_with_path(right.gradient):
        inputs.check_finite(f"autodiff: gradient {leaf_name(path)}", np.asarray(leaf))
    flat, hand, auto, rounded = (_flat(tree) for tree in (point.params, by_hand, right.gradient, right.rounded))
    sampled = sample([leaf.shape for leaf in jax.tree.leaves(point.params)], budget)
    directions, rounding = random_directions(widths(point.params)), EPS * rounded
    return Evidence(
        flat,
        Derivatives(hand, auto, rounding),
        sampled,
        coordinate_slopes(point, flat, sampled, rounding[sampled]),
        Derivatives(directions @ hand, directions @ auto, np.abs(directions) @ rounding),
        direction_slopes(point, flat, directions, np.abs(directions) @ rounding),
        float(right.value),
        float(right.penalised),
    )


def _flat(tree: Params) -> np.ndarray:
    return np.concatenate([np.asarray(leaf).ravel() for leaf in jax.tree.leaves(tree)])
