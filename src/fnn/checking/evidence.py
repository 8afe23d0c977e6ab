"""The evidence about a gradient: by hand, by autodiff, by finite differences; and their relative differences.

All arrays are flat: `P` parameters, `k` of them with a finite difference, `d` random directions.
"""

from typing import NamedTuple

import numpy as np

from fnn.checking.finite_differences import Slopes

AUTODIFF = 1e-10  # the allowed relative difference to autodiff, in float64; typical is 1e-15
DIFFERENCE = 1e-5  # the allowed relative difference to a finite difference; typical is 1e-9
ROUNDINGS = 128  # a rounding error is never larger than this multiple of its expected size
TINY = 1e-290  # smaller numbers lose digits


class Derivatives(NamedTuple):
    """The derivatives by every coordinate, or along every direction, by hand and by autodiff."""

    by_hand: np.ndarray
    autodiff: np.ndarray
    rounding: np.ndarray  # the expected size of the rounding errors of each

    def relative(self) -> np.ndarray:
        """`|by hand − autodiff| / |autodiff|`; the divisor is larger where autodiff is lost in rounding errors."""
        scale = np.abs(self.autodiff) + ROUNDINGS / AUTODIFF * self.rounding + TINY
        return np.abs(self.by_hand - self.autodiff) / scale


class Evidence(NamedTuple):
    """Everything that is known about a gradient at one point."""

    flat: np.ndarray  # (P,), the parameters
    coordinates: Derivatives  # (P,)
    sampled: np.ndarray  # (k,), the coordinates with a finite difference, ascending
    coordinate_slopes: Slopes  # (k,)
    directions: Derivatives  # (d,)
    direction_slopes: Slopes  # (d,)
    value: float  # the cost without the penalty
    penalised: float  # the cost with the penalty

    def difference(self) -> np.ndarray:
        """The finite differences, `(P,)`; nan where there is none."""
        return self._at_all_coordinates(self.coordinate_slopes.slope)

    def relative_to_difference(self) -> np.ndarray:
        """The relative difference between by hand and the finite difference, `(P,)`; nan where there is none."""
        return self._at_all_coordinates(relative_to(self.coordinate_slopes, self.coordinates.by_hand[self.sampled]))

    def left_out(self) -> np.ndarray:
        """Where a finite difference was tried and did not settle, bool `(P,)`."""
        out = np.zeros(self.flat.size, bool)
        out[self.sampled] = ~self.coordinate_slopes.settled
        return out

    def _at_all_coordinates(self, values: np.ndarray) -> np.ndarray:
        """`values`, `(k,)`, at their coordinates, `(P,)`; nan where a probe is not settled and everywhere else."""
        spread = np.full(self.flat.size, np.nan)
        spread[self.sampled] = np.where(self.coordinate_slopes.settled, values, np.nan)
        return spread


def relative_to(slopes: Slopes, derivative: np.ndarray) -> np.ndarray:
    """`|derivative − slope| / |slope|`; the divisor is larger where the slope is lost in its noise."""
    scale = np.abs(slopes.slope) + ROUNDINGS / DIFFERENCE * slopes.noise + TINY
    return np.abs(derivative - slopes.slope) / scale
