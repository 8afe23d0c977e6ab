"""What both estimators have in common: their parameters, and what `fit` and `partial_fit` do. Needs scikit-learn.

Shape letters: `n` examples, `d` features, `n_out` outputs.
"""

from __future__ import annotations

from typing import Any, Self

import jax
import numpy as np
from sklearn.base import BaseEstimator
from sklearn.model_selection import train_test_split
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from fnn.examples import Examples
from fnn.interop import sklearn_settings as settings
from fnn.interop import sklearn_training as training
from fnn.schedules import Constant, EarlyStopping, Schedule
from fnn.training.evaluation import Measure
from fnn.training.mini_batches import number_of_epochs
from fnn.types import Cost, Layer, Net, Optimizer, Shape, positive

FLOATS = (np.float64, np.float32)


class Network(BaseEstimator):
    """A network as an estimator; `Classifier` documents the parameters.

    A subclass says what `y` is to the network, by the five names below.
    """

    _usual_cost: Cost
    _decides: Measure  # when a row is decided rightly

    def _measure(self, y: np.ndarray) -> tuple[int, str]:
        """The number of outputs for `y`, and what they are; its units are measured here, if it has any."""
        raise NotImplementedError

    def _desired(self, y: np.ndarray, weight: np.ndarray) -> np.ndarray:
        """The desired outputs `(n, n_out)`."""
        raise NotImplementedError

    def _strata(self, y: np.ndarray) -> np.ndarray | None:
        """Of what a validation part gets its share."""
        raise NotImplementedError

    def __init__(
        self,
        hidden: tuple[int, ...] | None = None,
        *,
        activation: str | Layer | None = None,
        net: Net | None = None,
        shape: Shape | None = None,
        cost: Cost | None = None,
        eta: float | None = None,
        mu: float | None = None,
        lmbda: float | None = None,
        optimizer: Optimizer | None = None,
        schedule: Schedule | None = None,
        epochs: int = 50,
        batch_size: int = 32,
        validation_fraction: float | None = None,
        dtype: str = "float32",
        random_state: Any = None,
    ) -> None:
        """Keeps the parameters as they are; `fit` checks them."""
        self.hidden = hidden
        self.activation = activation
        self.net = net
        self.shape = shape
        self.cost = cost
        self.eta = eta
        self.mu = mu
        self.lmbda = lmbda
        self.optimizer = optimizer
        self.schedule = schedule
        self.epochs = epochs
        self.batch_size = batch_size
        self.validation_fraction = validation_fraction
        self.dtype = dtype
        self.random_state = random_state

    def _fit(self, X: np.ndarray, y: np.ndarray, weight: np.ndarray) -> Self:
        """A new training; `y` are class numbers `(n,)` or quantities `(n, n_out)`."""
        if hasattr(self, "params_"):
            del self.params_  # a training that fails leaves no params of another one behind
        random = check_random_state(self.random_state)
        train, rest = np.arange(len(X)), None
        if self.validation_fraction is not None:
            part = settings.fraction(self._name, self.validation_fraction)
            train, rest = train_test_split(train, test_size=part, random_state=random, stratify=self._strata(y))
        self._begin(X[train], y[train], weight[train], random)
        validation = None if rest is None else self._examples(X[rest], y[rest], np.ones(len(rest)))
        return self._train(X[train], y[train], weight[train], number_of_epochs(self._name, self.epochs), validation)

    def _partial_fit(self, X: np.ndarray, y: np.ndarray, weight: np.ndarray) -> Self:
        """One more epoch, on these rows."""
        if self.validation_fraction is not None:
            raise ValueError(f"{self._name}: partial_fit has no validation part; set validation_fraction=None.")
        if not hasattr(self, "params_"):
            self._begin(X, y, weight, check_random_state(self.random_state))
        if self._known.start.progress.factor == 0:
            raise ValueError(
                f"{self._name}: {self.schedule!r} has ended this training after {self.n_iter_} epochs, and partial_fit "
                "would train nothing; fit anew with another schedule."
            )
        return self._train(X, y, weight, 1, None)

    def _begin(self, X: np.ndarray, y: np.ndarray, weight: np.ndarray, random: np.random.RandomState) -> None:
        """What the first rows decide, and the params before the first epoch."""
        n_out, what = self._measure(y)
        self._dtype = settings.checked_dtype(self._name, self.dtype)
        self._shape = settings.example_shape(self._name, self.shape, X.shape[1])
        self.net_ = settings.layers(self._name, self.net, self.hidden, self.activation, n_out)
        settings.check_outputs(self._name, self.net_, self._shape, n_out, what)
        self.cost_ = self._usual_cost if self.cost is None else self.cost
        self.x_units_ = training.units(X, weight)
        self.n_iter_, self.loss_curve_, self.validation_scores_ = 0, [], []
        with jax.enable_x64(self._dtype == "float64"):
            seed = random.randint(2**31 - 1)
            self._known = training.beginning(self.net_, self._rule(), self._plan(), seed, self._shape)

    def _train(
        self, X: np.ndarray, y: np.ndarray, weight: np.ndarray, epochs: int, validation: Examples | None
    ) -> Self:
        cost = self.cost_ if (weight == 1).all() else training.WeightedLogLikelihood()
        positive(self._name, "batch_size", self.batch_size)
        task = training.Task(self.net_, cost, self._rule(), self._plan(), self.batch_size, self._decides)
        with jax.enable_x64(self._dtype == "float64"):
            out = training.trained(task, self._known, self._examples(X, y, weight), validation, epochs)
        self._known, self.params_ = out.known, out.known.params
        self.n_iter_ += len(out.costs)
        self.loss_curve_ = self.loss_curve_ + out.costs
        self.validation_scores_ = self.validation_scores_ + out.scores
        return self

    def _examples(self, X: np.ndarray, y: np.ndarray, weight: np.ndarray) -> Examples:
        """Rows as the net is trained on them."""
        desired = self._desired(y, weight)
        desired = desired if desired.dtype == np.uint8 else desired.astype(self._dtype)
        return Examples(self._inputs(X).astype(self._dtype), desired)

    def _inputs(self, X: np.ndarray) -> np.ndarray:
        return self.x_units_.of(X).reshape(len(X), *self._shape)

    def _outputs(self, X: Any) -> np.ndarray:
        """What the net says, `(n, n_out)`, float64."""
        check_is_fitted(self, "params_")
        X = validate_data(self, X, reset=False, dtype=FLOATS)
        return training.outputs(self.net_, self.cost_, self.params_, self._inputs(X))

    def _rule(self) -> Optimizer:
        return settings.rule(self._name, self.optimizer, self.eta, self.mu, self.lmbda)

    def _plan(self) -> Schedule:
        if self.schedule is None:
            return Constant() if self.validation_fraction is None else EarlyStopping(10)
        return self.schedule

    @property
    def _name(self) -> str:
        return type(self).__name__
