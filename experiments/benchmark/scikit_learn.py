"""Our estimators beside scikit-learn's, both with their defaults, on its four small tables: scores and CPU seconds.

`python -m experiments.benchmark.scikit_learn` prints the table of `docs/scikit_learn.md`. scikit-learn's networks get
standardised features by a `StandardScaler`; ours standardise by themselves. Needs scikit-learn.
"""

import time
import warnings

from sklearn import datasets
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from fnn.interop.sklearn import Classifier, Regressor

SPLITS = 5


def measured(estimator, theirs, name):
    """The mean score on the test rows of all splits, the seconds of the first fit and of a further one."""
    x, y = getattr(datasets, f"load_{name}")(return_X_y=True)
    scores, seconds = [], []
    for seed in range(SPLITS):
        parts = train_test_split(x, y, random_state=seed, stratify=None if name == "diabetes" else y)
        model = estimator(random_state=seed)
        model = make_pipeline(StandardScaler(), model) if theirs else model
        began = time.process_time()
        model.fit(parts[0], parts[2])
        seconds.append(time.process_time() - began)
        scores.append(model.score(parts[1], parts[3]))
    return sum(scores) / SPLITS, seconds[0], sorted(seconds[1:])[(SPLITS - 1) // 2]


def main():
    """Print the table."""
    warnings.simplefilter("ignore", ConvergenceWarning)  # its default of 200 epochs is often not enough for it
    print(
        "| table | score: fnn | MLP | first fit: fnn | MLP | a further fit: fnn | MLP |\n|---|---|---|---|---|---|---|"
    )
    for name in ("digits", "iris", "wine", "diabetes"):
        pair = (Regressor, MLPRegressor) if name == "diabetes" else (Classifier, MLPClassifier)
        ours, theirs = (measured(estimator, i == 1, name) for i, estimator in enumerate(pair))
        cells = [f"{a:.{digits}f} | {b:.{digits}f}" for a, b, digits in zip(ours, theirs, (3, 2, 2), strict=True)]
        print(f"| {name} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
