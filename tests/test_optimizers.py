"""The optimiser in numbers that a reader can redo."""

import jax.numpy as jnp
import pytest

from fnn import SGD, Dense, Examples, HalveOnPlateau, Identity, Quadratic, fit
from fnn.layers import DenseParams


def test_momentum_accumulates():
    # g = 1 throughout, η = 1, μ = ½: v = −1, −3/2, −7/4, and p their running sum
    sgd, p, v = SGD(eta=1.0, mu=0.5), (jnp.zeros(1),), (jnp.zeros(1),)
    path = []
    for _ in range(3):
        p, v = sgd.update(p, v, (jnp.ones(1),))
        path.append(float(p[0][0]))
    assert path == [-1, -2.5, -4.25]


def test_weights_decay_and_biases_do_not():
    # η = ½, λ = 0.1: W ← 2 − ½ (1 + 0.1 · 2) = 1.4, and b ← 4 − ½ · 1 = 3.5 without a penalty
    sgd, params, ones = SGD(eta=0.5, lmbda=0.1), (DenseParams(jnp.full((1, 1), 2.0), jnp.full(1, 4.0)),), jnp.ones
    ((W, b),), _ = sgd.update(params, (), (DenseParams(ones((1, 1)), ones(1)),))
    assert (float(W[0, 0]), float(b[0])) == (pytest.approx(1.4), 3.5)


def test_a_step_with_decay_by_hand():
    # w = 1, b = 3, x = 2, y = 0, the identity and the quadratic cost: a = 5, ∇w = 10, ∇b = 5; η = 0.1, λ = 0.5
    params = (DenseParams(jnp.ones((1, 1)), jnp.full(1, 3.0)),)
    point = Examples(jnp.full((1, 1), 2.0), jnp.zeros((1, 1)))
    sgd, net, cost = SGD(0.1, lmbda=0.5), (Dense(1),), Quadratic(Identity())
    (result,) = fit(net, cost, sgd, params, point, jnp.array([0, 1], "uint32"), batch_size=1, epochs=1)
    assert float(result.params[0].W[0, 0]) == pytest.approx(1 - 0.1 * (10 + 0.5 * 1))
    assert float(result.params[0].b[0]) == pytest.approx(3 - 0.1 * 5)


def test_a_schedule_scales_the_learning_rate_alone():
    assert SGD(0.5, mu=0.75, lmbda=0.125).scaled(0.5) == SGD(0.25, mu=0.75, lmbda=0.125)


def test_decay_goes_on_at_its_strength_when_the_learning_rate_is_halved():
    # x = 0 and b = y: the gradient is 0, so every epoch is W ← (1 − ηλ) W, with η halved after each
    params, sgd = (DenseParams(jnp.ones((1, 1)), jnp.zeros(1)),), SGD(0.5, lmbda=0.5)
    flat = Examples(jnp.zeros((1, 1)), jnp.zeros((1, 1)))
    results = fit(
        *((Dense(1),), Quadratic(Identity()), sgd, params, flat, jnp.array([0, 1], "uint32")),
        **{"batch_size": 1, "epochs": 3, "schedule": HalveOnPlateau(1)},
    )
    assert [(r.factor, float(r.params[0].W[0, 0])) for r in results] == [
        (1.0, 0.75),
        (1.0, 0.75**2),
        (0.5, 0.75**2 * 0.875),
    ]
