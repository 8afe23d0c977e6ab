"""The evidence about a gradient: under test, by autodiff, by finite differences; and their relative differences.

All arrays are flat: `P` coordinates, `k` of them with a finite difference, `d` random directions. Where autodiff is not
finite, or the finite difference does not settle, there is no second opinion from it.
"""

from __future__ import annotations

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
    autodiff: np.ndarray  # nan where there is none
    rounding: np.ndarray  # the expected size of the rounding errors of each

    def relative(self) -> np.ndarray:
        """`|by hand − autodiff| / |autodiff|`, nan without autodiff, infinite where by hand is not finite.

        The divisor is larger where autodiff is lost in rounding errors.
        """
        scale = np.abs(self.autodiff) + ROUNDINGS / AUTODIFF * self.rounding + TINY
        return _judged(self.by_hand, np.abs(self.by_hand - self.autodiff) / scale, np.isfinite(self.autodiff))


class Evidence(NamedTuple):
    """Everything that is known about a gradient at one point."""

    flat: np.ndarray  # (P,), the coordinates
    coordinates: Derivatives  # (P,)
    sampled: np.ndarray  # (k,), the coordinates with a finite difference, ascending
    coordinate_slopes: Slopes  # (k,)
    directions: Derivatives  # (d,)
    direction_slopes: Slopes  # (d,)
    value: float  # of the function, the penalty not included
    penalised: float  # with the penalty
    at_ties: np.ndarray  # (P,), 0 where a tie makes it right, infinite where it does not; nan elsewhere

    def difference(self) -> np.ndarray:
        """The finite differences, `(P,)`; nan where there is none."""
        return self._at_all_coordinates(self.coordinate_slopes.slope, self.coordinate_slopes.settled)

    def relative_to_difference(self) -> np.ndarray:
        """The relative difference between by hand and the finite difference, `(P,)`; nan where there is none."""
        found = relative_to(self.coordinate_slopes, self.coordinates.by_hand[self.sampled])
        return self._at_all_coordinates(found, np.ones(len(found), bool))

    def left_out(self) -> np.ndarray:
        """Where a finite difference was tried and did not settle, bool `(P,)`."""
        out = np.zeros(self.flat.size, bool)
        out[self.sampled] = ~self.coordinate_slopes.settled
        return out

    def excess(self) -> np.ndarray:
        """The larger of the relative differences, as a multiple of what is allowed, `(P,)`; nan without any."""
        with np.errstate(over="ignore"):
            found = np.fmax(self.coordinates.relative() / AUTODIFF, self.relative_to_difference() / DIFFERENCE)
        return np.where(np.isnan(self.at_ties), found, self.at_ties)

    def wrong(self) -> np.ndarray:
        """Where the gradient by hand differs from another by more than is allowed, bool `(P,)`."""
        return self.excess() > 1

    def unseen(self) -> np.ndarray:
        """Where there is nothing to compare with, bool `(P,)`."""
        return np.isnan(self.excess())

    def _at_all_coordinates(self, values: np.ndarray, where: np.ndarray) -> np.ndarray:
        """`values`, `(k,)`, at their coordinates, `(P,)`; nan elsewhere."""
        spread = np.full(self.flat.size, np.nan)
        spread[self.sampled[where]] = values[where]
        return spread


def relative_to(slopes: Slopes, derivative: np.ndarray) -> np.ndarray:
    """`|derivative − slope| / |slope|`; nan where it did not settle, less where it is lost in noise."""
    scale = np.abs(slopes.slope) + ROUNDINGS / DIFFERENCE * slopes.noise + TINY
    return _judged(derivative, np.abs(derivative - slopes.slope) / scale, slopes.settled)


def _judged(derivative: np.ndarray, relative: np.ndarray, known: np.ndarray) -> np.ndarray:
    """`relative` where the other opinion is `known`, nan elsewhere; infinite where a derivative is not finite."""
    lost = ~np.isfinite(derivative) | (known & np.isnan(relative))  # nan: from an overflow in the comparison
    return np.where(lost, np.inf, np.where(known, relative, np.nan))
