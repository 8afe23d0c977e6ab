"""Networks as scikit-learn's estimators: `Classifier` and `Regressor`, trained by `fnn.fit`.

Each feature, and each output of a `Regressor`, is standardised: `fit` and the first `partial_fit` measure mean and
deviation, which later calls keep. Outputs are computed in float64. Errors about X, y and what is not fitted yet are
scikit-learn's own. Shape letters: `n` examples, `d` features, `n_out` outputs.

Get scikit-learn with  pip install 'fnn[sklearn]'.
"""

from __future__ import annotations

from typing import Any, Self

import numpy as np

from fnn.activation_functions import Identity
from fnn.costs import LogLikelihood, Quadratic, check_values
from fnn.interop import sklearn_training as training

try:
    from sklearn.base import ClassifierMixin, RegressorMixin
    from sklearn.utils import Tags, check_array
    from sklearn.utils.multiclass import check_classification_targets
    from sklearn.utils.validation import validate_data

    from fnn.interop.sklearn_network import FLOATS, Network
except ImportError as error:
    raise ImportError(
        f"fnn.interop.sklearn needs scikit-learn 1.6 or newer ({error}); get it with  pip install 'fnn[sklearn]'"
    ) from None


class Classifier(ClassifierMixin, Network):
    """A network that tells classes, whose names may be any text or number.

    Args:
        hidden: The widths of the hidden layers; (100,) by default, and () for none.
        activation: Of each hidden layer: "ReLU" (by default), "LeakyReLU", "Sigmoid", "Tanh", "Identity", or a layer.
        net: All layers, in place of `hidden` and `activation`; the last has one unit per class.
        shape: Of one example as the net takes it, such as (1, 8, 8) for filters; by default `(d,)`.
        cost: `LogLikelihood()` by default, whose outputs are probabilities.
        eta: The learning rate, 0.01 by default.
        mu: The momentum, 0.9 by default.
        lmbda: The strength of L2, 0 by default.
        optimizer: In place of `SGD(eta, mu, lmbda)`.
        schedule: `Constant()` by default; with a validation part `EarlyStopping(10)`.
        epochs: At most so many.
        batch_size: Rows of a mini-batch, all rows if there are fewer: a very large number gives full batches.
        validation_fraction: The part of the rows by which the schedule judges, such as 0.1. The params of the epoch
            that is best on it are kept.
        dtype: "float32" or "float64", in which the net is trained.
        random_state: Decides the first params, the order of the examples and the validation part.

    After `fit` there are `classes_`, `n_features_in_`, `feature_names_in_` (if X has names), `net_`, `cost_`, `params_`
    (of `net_`, for standardised features), `x_units_` (`mean`, `sd`), `n_iter_` (epochs), `loss_curve_` (the training
    cost after each) and `validation_scores_`.

    Examples:
        >>> import numpy as np
        >>> from fnn.interop.sklearn import Classifier
        >>> X, y = np.array([[0, 0], [0, 1], [1, 0], [1, 1]]), ["even", "odd", "odd", "even"]
        >>> Classifier((8,), eta=0.1, random_state=0).fit(X, y).predict(X).tolist()
        ['even', 'odd', 'odd', 'even']
    """

    _usual_cost, _decides = LogLikelihood(), "classes"

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Train anew on rows of features `(n, d)` with labels `(n,)`.

        Args:
            X: An array or a DataFrame of finite numbers.
            y: The name of each row's class.
            sample_weight: How much each row counts, `(n,)`, at least 0; only their ratios matter. Rows of weight 0 are
                left out. The validation score counts all its rows equally.

        Raises:
            ValueError: X, y or a parameter cannot be, there is one class only, or there are weights and the cost is not
                `LogLikelihood()`.
            DivergedError: the numbers became infinite; a smaller eta helps.
        """
        X, y, weight = self._checked(X, y, sample_weight, reset=True)
        self.classes_, codes = np.unique(y, return_inverse=True)
        if len(self.classes_) < 2:
            raise ValueError(
                f"Classifier: y has one class only, {self.classes_.tolist()[0]!r}; expected two or more classes."
            )
        kept = weight > 0
        return self._fit(X[kept], codes[kept], weight[kept])

    def partial_fit(self, X: Any, y: Any, classes: Any = None, sample_weight: Any = None) -> Self:
        """Train one more epoch, on these rows alone; after `fit` too.

        With the same rows k calls are `fit` with `epochs=k`, to the same bits. What the first call has decided stays:
        units, net, cost, dtype. Weights count within these rows.

        Args:
            X: As for `fit`.
            y: As for `fit`.
            classes: All classes; the first call needs them.
            sample_weight: As for `fit`.

        Raises:
            ValueError: as `fit`, or `classes` are missing or others, or there is a validation part.
        """
        first = not hasattr(self, "params_")
        X, y, weight = self._checked(X, y, sample_weight, reset=first)
        if first:
            self._name_classes(classes)
        elif classes is not None and not np.array_equal(np.unique(classes), self.classes_):
            raise ValueError(
                f"Classifier: classes={classes!r} differ from those of the first call, {self.classes_.tolist()}."
            )
        unknown = np.setdiff1d(y, self.classes_).tolist()
        if unknown:
            known = self.classes_.tolist()
            raise ValueError(f"Classifier: y has the label {unknown[0]!r}, which is not in classes, {known}.")
        kept = weight > 0
        return self._partial_fit(X[kept], np.searchsorted(self.classes_, y)[kept], weight[kept])

    def predict(self, X: Any) -> np.ndarray:
        """The class with the largest output, `(n,)`; of equal ones the first."""
        a = self._outputs(X)
        return self.classes_[a.argmax(axis=1)]

    def predict_proba(self, X: Any) -> np.ndarray:
        """The probability of each class, `(n, n_classes)`, in the order of `classes_`.

        Raises:
            ValueError: the outputs of the cost do not sum to 1.
        """
        a = self._outputs(X)
        if a.min() < 0 or abs(a.sum(axis=1) - 1).max() > 1e-6:
            raise ValueError(
                f"Classifier: the outputs of {self.cost_!r} are no probabilities; those of LogLikelihood() are."
            )
        return a

    def _checked(self, X: Any, y: Any, sample_weight: Any, reset: bool) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        X, y = validate_data(self, X, y, reset=reset, dtype=FLOATS)
        check_classification_targets(y)
        if sample_weight is None:
            return X, y, np.ones(len(X))
        cost = self._usual_cost if self.cost is None else self.cost
        if not isinstance(cost, LogLikelihood):
            raise ValueError(
                f"Classifier: sample_weight is exact for LogLikelihood() alone, and cost={cost!r}; drop one of the two."
            )
        return X, y, training.weights(check_array(sample_weight, ensure_2d=False, dtype=np.float64), len(X))

    def _name_classes(self, classes: Any) -> None:
        if classes is None:
            raise ValueError("Classifier: the first call of partial_fit needs classes, the names of all classes.")
        self.classes_ = np.unique(classes)
        if len(self.classes_) < 2:
            raise ValueError(f"Classifier: classes={classes!r} is one class only; expected two or more.")

    def _measure(self, y: np.ndarray) -> tuple[int, str]:
        return len(self.classes_), "classes"

    def _desired(self, y: np.ndarray, weight: np.ndarray) -> np.ndarray:
        rows = np.eye(len(self.classes_), dtype=np.uint8)[y]
        return rows if (weight == 1).all() else rows * (weight / weight.mean())[:, None]

    def _strata(self, y: np.ndarray) -> np.ndarray | None:
        return y


class Regressor(RegressorMixin, Network):
    """A network that tells quantities, one `(n,)` or several `(n, n_out)`.

    Its parameters are those of `Classifier`, but for the cost, which is `Quadratic(Identity())` by default: half the
    squared error, in units of each output's deviation over the training rows. A `net` has one last unit per output.

    After `fit` there is `y_units_` (`mean`, `sd`) too; there are no classes.

    Examples:
        >>> import numpy as np
        >>> from fnn.interop.sklearn import Regressor
        >>> X = np.linspace(0, 1, 50)[:, None]
        >>> model = Regressor((20,), epochs=50, random_state=0).fit(X, 7 + X[:, 0] ** 2)
        >>> model.predict([[0.5]]).round(1)
        array([7.2])
    """

    _usual_cost, _decides = Quadratic(Identity()), "none"

    def fit(self, X: Any, y: Any) -> Self:
        """Train anew on rows of features `(n, d)` with quantities `(n,)` or `(n, n_out)`.

        Raises:
            ValueError: X, y or a parameter cannot be, or the cost does not take y in units of its deviation.
            DivergedError: the numbers became infinite; a smaller eta helps.
        """
        X, y = self._checked(X, y, reset=True)
        return self._fit(X, y, np.ones(len(X)))

    def partial_fit(self, X: Any, y: Any) -> Self:
        """Train one more epoch, on these rows alone; after `fit` too.

        With the same rows k calls are `fit` with `epochs=k`, to the same bits. What the first call has decided stays:
        units, net, cost, dtype.

        Raises:
            ValueError: as `fit`, or there is a validation part.
        """
        X, y = self._checked(X, y, reset=not hasattr(self, "params_"))
        return self._partial_fit(X, y, np.ones(len(X)))

    def predict(self, X: Any) -> np.ndarray:
        """The quantities, in their own units, `(n,)` or `(n, n_out)` as `y` was."""
        a = self._outputs(X)
        y = self.y_units_.back(a)
        return y[:, 0] if self._one else y

    def _checked(self, X: Any, y: Any, reset: bool) -> tuple[np.ndarray, np.ndarray]:
        X, y = validate_data(self, X, y, reset=reset, dtype=FLOATS, multi_output=True, y_numeric=True)
        if reset:
            self._one = y.ndim == 1
        elif y.reshape(len(y), -1).shape[1] != len(self.y_units_.mean):
            raise ValueError(
                f"Regressor: y has shape {y.shape}; expected {len(self.y_units_.mean)} columns, as before."
            )
        return X, y.reshape(len(y), -1)

    def _measure(self, y: np.ndarray) -> tuple[int, str]:
        self.y_units_ = training.units(y, np.ones(len(y)))
        return y.shape[1], "outputs"

    def _desired(self, y: np.ndarray, weight: np.ndarray) -> np.ndarray:
        rows = self.y_units_.of(y)
        try:
            check_values(self.cost_, rows)
        except ValueError as error:
            raise ValueError(f"Regressor: y is trained on in units of its deviation, and {error}") from None
        return rows

    def _strata(self, y: np.ndarray) -> np.ndarray | None:
        return None

    def __sklearn_tags__(self) -> Tags:
        """scikit-learn's description of an estimator: several outputs are fine."""
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags
