"""Round numbers for the ticks of an axis."""

from __future__ import annotations

import math


def ticks(low: float, high: float, *, whole: bool = False) -> list[float]:
    """Three to six round numbers about the range; `whole` ones within it for epochs."""
    step = (high - low) / 4 or abs(high) / 4 or 1
    power = 10.0 ** math.floor(math.log10(step))
    step = next(k * power for k in (1, 2, 2.5, 5, 10) if k * power >= step * 0.999)
    if whole:
        step = max(1, math.ceil(step))
        inside = [step * k for k in range(math.ceil(low / step), math.floor(high / step) + 1)]
        return [low, *(k for k in inside if k - low > step / 2)]
    return [step * k for k in range(math.floor(low / step), math.ceil(high / step) + 1)]


def log_ticks(low: float, high: float) -> list[float]:
    """Round numbers in the range, by decades, or where it is shorter by 1, 2, 5."""
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    every = max(1, len(decades) // 6)
    tens = [10.0**k for k in decades if k % every == 0]
    if sum(low <= t <= high for t in tens) >= 3:
        return tens
    fine = [k * 10.0**d for d in decades for k in ((1, 2, 5) if high / low > 3 else (1, 1.5, 2, 3, 4, 5, 6, 7, 8, 9))]
    inside = [t for t in fine if low <= t <= high]
    return inside if len(inside) > 1 else [float(f"{low:.2g}"), float(f"{high:.2g}")]
