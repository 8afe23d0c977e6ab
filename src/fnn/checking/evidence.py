"""The three opinions about every coordinate, and when two of them differ.

Flat arrays: `P` parameters, `k` of them with a finite difference, `d` directions through all.
"""

from typing import NamedTuple

import numpy as np

from fnn.checking.finite_differences import Slopes

AUTODIFF = 1e-10  # the relative difference up to which two exact rules agree in float64; typical is 1e-15
DIFFERENCE = 1e-5  # the same for a rule and a finite difference; typical is 1e-9
ROUNDINGS = 128  # of the size that is expected, which no rounding error exceeds
TINY = 1e-290  # below, numbers lose their digits


class Along(NamedTuple):
    """Two derivatives along the same lines."""

    by_hand: np.ndarray
    autodiff: np.ndarray
    rounding: np.ndarray  # the expected size of the rounding errors of each

    def relative(self) -> np.ndarray:
        """Their difference relative to a scale: |autodiff|, or more where that is lost in rounding."""
        scale = np.abs(self.autodiff) + ROUNDINGS / AUTODIFF * self.rounding + TINY
        return np.abs(self.by_hand - self.autodiff) / scale

    def at(self, i: np.ndarray) -> "Along":
        """The same along some of the lines."""
        return Along(*(values[i] for values in self))


class Opinions(NamedTuple):
    """Everything that is known about a gradient at one point."""

    flat: np.ndarray  # (P,), the parameters
    along: Along  # (P,)
    i: np.ndarray  # (k,), the coordinates with a finite difference, ascending
    slopes: Slopes  # (k,)
    directions: Along  # (d,)
    direction_slopes: Slopes  # (d,)
    value: float  # the cost without the penalty
    penalised: float  # and with it

    def difference(self) -> np.ndarray:
        """The finite differences, `(P,)`, nan where there is none."""
        return self._spread(self.slopes.slope)

    def relative_to_difference(self) -> np.ndarray:
        """The difference between the rule and the finite difference relative to its scale, `(P,)`, else nan."""
        return self._spread(relative_to(self.slopes, self.along.by_hand[self.i]))

    def left_out(self) -> np.ndarray:
        """Where a finite difference did not settle, bool `(P,)`."""
        out = np.zeros(self.flat.size, bool)
        out[self.i] = ~self.slopes.settled
        return out

    def _spread(self, values: np.ndarray) -> np.ndarray:
        spread = np.full(self.flat.size, np.nan)
        spread[self.i] = np.where(self.slopes.settled, values, np.nan)
        return spread


def relative_to(slopes: Slopes, by_hand: np.ndarray) -> np.ndarray:
    """|by hand − slope| relative to |slope|, or to more where the slope is lost in noise."""
    scale = np.abs(slopes.slope) + ROUNDINGS / DIFFERENCE * slopes.noise + TINY
    return np.abs(by_hand - slopes.slope) / scale
