"""Optimisers: from a gradient to new parameters. Their numbers are leaves, so a new value never recompiles."""

from __future__ import annotations

from dataclasses import dataclass, replace

import jax
import jax.numpy as jnp

from fnn.types import Array, Params, zeros_like


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class SGD:
    """Stochastic gradient descent with momentum and L2: `v ← μ v − η (∇C + λ W)`, then `p ← p + v`.

    `eta` is the learning rate η > 0, `mu` the momentum μ in [0, 1) (Polyak's heavy ball, not
    Nesterov's), `lmbda` the strength λ ≥ 0 of the penalty `½ λ Σ W²` added to the *mean* cost. Weights
    are the leaves named `W`; biases, and any other leaf, are never penalised. With μ = 0 this is
    `W ← (1 − ηλ) W − η ∇C`.

    The state is the velocity v. `init` gives zeros like `params`, or `()` if `mu` is the Python number 0: a velocity
    that is never used made a step of [784, 30, 10] take 1.7 times as long (measured). If the state is `()`, a step is
    made without momentum, whatever `mu` is.

    The same λ in other programs, for n training examples in mini-batches of B: Nielsen's `network2` adds
    λ'/(2n) Σ W², so lmbda = λ'/n (his 5.0 at n = 50,000 is 1e-4 here); his `network3` divides by the
    number of mini-batches, lmbda = λ' B/n; scikit-learn's alpha divides by the batch, lmbda = alpha/B;
    a penalty λ' Σ W² without the ½ is lmbda = 2λ'.

    The numbers are traced: `jax.vmap` over an `SGD` of arrays trains with several at once.

    Examples:
        >>> import jax, jax.numpy as jnp
        >>> from fnn import SGD, Dense, init
        >>> params = init((Dense(1),), jax.random.key(0), (2,))
        >>> sgd = SGD(eta=0.5)
        >>> new, v = sgd.update(params, sgd.init(params), params)  # "gradient" equal to the params
        >>> bool(jnp.allclose(new[0].W, 0.5 * params[0].W))
        True
    """

    eta: Array | float  # ()
    mu: Array | float = 0.0  # ()
    lmbda: Array | float = 0.0  # ()

    def init(self, params: Params) -> Params:
        """The velocity before the first step: zeros like `params`, `()` without momentum."""
        without = isinstance(self.mu, (int, float)) and self.mu == 0
        return () if without else jax.tree.map(zeros_like, params)

    def update(self, params: Params, v: Params, gradient: Params) -> tuple[Params, Params]:
        """The parameters and the velocity after one step, in the dtypes that they had."""
        nabla = self.penalised(params, gradient)
        if v == ():
            return jax.tree.map(lambda p, g: (p - self.eta * g).astype(p.dtype), params, nabla), v
        v = jax.tree.map(lambda v, g: (self.mu * v - self.eta * g).astype(v.dtype), v, nabla)
        return jax.tree.map(jnp.add, params, v), v

    def scaled(self, factor: float) -> SGD:
        """The same optimiser with the learning rate `factor · eta`."""
        return replace(self, eta=self.eta * factor)

    def penalised(self, params: Params, gradient: Params) -> Params:
        """The gradient of the mean cost plus `½ λ Σ W²`: `∇C + λ W` at every leaf named `W`."""
        return jax.tree.map_with_path(lambda path, p, g: g + self.lmbda * p if is_weight(path) else g, params, gradient)


def is_weight(path: tuple) -> bool:
    """Whether a leaf of params is penalised: whether it is the field `W` of its layer's NamedTuple."""
    return getattr(path[-1], "name", None) == "W"
