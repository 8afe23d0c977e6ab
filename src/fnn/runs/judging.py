"""How right a net is on a part of the data, in counts: by class, by label, or by quantity.

Shape letters: `n` examples, `n_out` outputs, `k` classes.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from fnn.data import Dataset
from fnn.runs.metrics import shortest
from fnn.training.evaluation import Measure

MOST_CLASSES = 50  # of a confusion matrix
NO_CLASS = "?"  # bits that are the number of no class, and outputs that are nan


class Decisions(NamedTuple):
    """What a net decides for each row, and what is desired: the number of a class, or the bits of several labels."""

    names: tuple[str, ...]  # of the k classes or labels
    desired: np.ndarray  # (n,) numbers of classes, or (n, k) true and false
    decided: np.ndarray  # the same; -1 is no class
    sure: np.ndarray  # (n,), how sure the net is of its decision

    @property
    def right(self) -> np.ndarray:
        """Whether each row is decided rightly, (n,)."""
        same = self.desired == self.decided
        return same if same.ndim == 1 else same.all(axis=1)

    def text(self, which: np.ndarray) -> str:
        """A row of `desired` or `decided` in words: a class, or the bits of the labels."""
        if which.ndim:
            return " ".join(map(str, which.astype(int)))
        return self.names[which] if which >= 0 else NO_CLASS


def decisions(data: Dataset, measure: Measure, a: np.ndarray, y: np.ndarray) -> Decisions:
    """What outputs `a`, `(n, n_out)`, decide, and what `y` desires.

    Of classes the largest output decides, and the net is as sure as that output says. Bits are 1 above 1/2, and the net
    is as sure as the product over the bits, of a where the bit is 1 and of 1 - a where it is 0.
    """
    lost, n_out = np.isnan(a).any(axis=1), a.shape[1]
    if measure == "classes":
        names = data.classes or tuple(map(str, range(n_out)))
        decided, sure = np.where(lost, -1, a.argmax(axis=1)), a.max(axis=1)
        return Decisions(names, y.argmax(axis=1), decided, sure)
    said, wanted = a > 0.5, y > 0.5
    sure = np.where(said, a, 1 - a).prod(axis=1)
    if n_out > 1 and not data.classes:
        return Decisions(tuple(map(str, range(n_out))), wanted, said, sure)
    names, weights = data.classes or ("0", "1"), 2 ** np.arange(n_out)[::-1]
    number = said @ weights
    decided = np.where(lost | (number >= len(names)), -1, number)
    return Decisions(names, wanted @ weights, decided, sure)


def counts(rows: Decisions) -> dict[str, Any]:
    """The share of the most frequent class, and by class the number of rows, recall and precision.

    Of at most `MOST_CLASSES` classes the confusion matrix too: a row for each desired class, a column for each that is
    decided for, and one column more if some rows are decided for no class. Recall and precision are None where they are
    0 of 0.
    """
    if rows.desired.ndim == 2:
        return _of_labels(rows)
    k, wanted = len(rows.names), rows.desired
    n = np.bincount(wanted, minlength=k)
    found = np.bincount(wanted[rows.right], minlength=k)
    said = np.bincount(rows.decided[rows.decided >= 0], minlength=k)
    most = int(n.argmax())
    table: dict[str, Any] = {
        "majority": {"class": rows.names[most], "share": int(n[most]) / len(wanted)},
        "classes": _by_class(rows.names, n, found, said),
    }
    if k <= MOST_CLASSES:
        confusion = np.zeros((k, k + 1), int)
        np.add.at(confusion, (wanted, rows.decided), 1)  # the place -1 is the last column
        table["confusion"] = confusion[:, : k + bool(confusion[:, k].any())].tolist()
    return table


def _of_labels(rows: Decisions) -> dict[str, Any]:
    """The same for labels of which each row may have several; the majority is the most frequent set of labels."""
    different, n = np.unique(rows.desired, axis=0, return_counts=True)
    by_label = (both.sum(axis=0) for both in (rows.desired, rows.desired & rows.decided, rows.decided))
    return {
        "majority": {"class": rows.text(different[n.argmax()]), "share": int(n.max()) / len(rows.desired)},
        "classes": _by_class(rows.names, *by_label),
    }


def _by_class(names: tuple[str, ...], n: np.ndarray, found: np.ndarray, said: np.ndarray) -> list[dict[str, Any]]:
    return [
        {"class": name, "n": int(n[k]), "recall": _share(found[k], n[k]), "precision": _share(found[k], said[k])}
        for k, name in enumerate(names)
    ]


def _share(part: np.integer, whole: np.integer) -> float | None:
    return int(part) / int(whole) if whole else None


def errors(names: tuple[str, ...], a: np.ndarray, y: np.ndarray) -> list[dict[str, Any]]:
    """By output the root of the mean squared error, R², and the standard deviation of what is desired.

    R² is 1 minus the squared error over that of the mean of these rows; None where `y` does not vary. A number that is
    not finite is None too.
    """
    a, y = a.astype(np.float64), y.astype(np.float64)
    squares, spread = np.mean((a - y) ** 2, axis=0), y.var(axis=0)
    return [
        {
            "name": name,
            "rmse": _finite(mse**0.5),
            "r2": _finite(1 - mse / var) if var else None,
            "sd": float(var**0.5),
        }
        for name, mse, var in zip(names, squares, spread, strict=True)
    ]


def _finite(number: np.floating) -> float | None:
    return float(number) if np.isfinite(number) else None


def mistakes(rows: Decisions, part: str, most: int) -> list[dict[str, Any]]:
    """The rows that are decided wrongly, at most `most`: the surest first, of equally sure ones the first row."""
    (wrong,) = np.nonzero(~rows.right)
    order = wrong[np.argsort(-rows.sure[wrong], kind="stable")][:most]  # nan comes last
    return [
        {
            "part": part,
            "row": int(i),
            "class": rows.text(rows.desired[i]),
            "decided": rows.text(rows.decided[i]),
            "sure": shortest(rows.sure[i].astype(np.float32)) if np.isfinite(rows.sure[i]) else None,
        }
        for i in order
    ]
