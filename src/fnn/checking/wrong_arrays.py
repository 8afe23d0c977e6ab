"""Known mistakes within one array of derivatives: a factor, a wrong order, a lost example or unit."""

from collections.abc import Iterator, Sequence

import numpy as np

CLOSE = 1e-6  # a mistake fits if no entry differs by more than this part of the largest entry ...
EXPLAINED = 1e-3  # ... and by more than this part of the largest error
Names = Sequence[tuple[float, str]]  # factors, and the mistakes that give them

AXES = {  # what the axes of an array count
    ("delta", 2): ("example", "unit"),
    ("delta", 4): ("example", "channel", "row", "column"),
    ("nabla W", 2): ("unit", "input"),
    ("nabla W", 3): ("piece", "unit", "input"),
    ("nabla W", 4): ("filter", "channel", "row", "column"),
    ("nabla b", 1): ("unit",),
    ("nabla b", 2): ("piece", "unit"),
}
OTHERS = {1: ("entry",), 2: ("row", "column"), 3: ("matrix", "row", "column"), 4: ("block", "matrix", "row", "column")}
PLURALS = {"entry": "entries", "matrix": "matrices"}


def explains(found: np.ndarray, right: np.ndarray, candidate: np.ndarray) -> bool:
    """Whether a mistake, which gives `candidate`, explains why `found` is not `right`; where these are finite."""
    known = np.isfinite(right) & np.isfinite(found)
    with np.errstate(invalid="ignore", over="ignore"):
        left = np.abs(found - candidate)[known].max(initial=0)
        error, size = np.abs(found - right)[known].max(initial=0), np.abs(found)[known].max(initial=0)
    return bool(left <= EXPLAINED * error and left <= CLOSE * max(size, error))


def common_factors(n: int, n_out: int) -> Names:
    """The factors that n examples and `n_out` outputs can put where none belongs."""
    return [
        (-1, "the opposite sign"),
        (0, "zeros: no gradient arrives"),
        (2, "twice the right gradient (a factor 1/2 of the cost is missing)"),
        (1 / 2, "half the right gradient"),
        (n, f"{n} times the right gradient (the 1/n of the mean over {n} examples is missing)"),
        (1 / n, f"1/{n} of the right gradient (the 1/n of the mean over {n} examples is there twice)"),
        (n_out, f"{n_out} times the right gradient (the {n_out} outputs are summed twice)"),
        (1 / n_out, f"1/{n_out} of the right gradient (a mean over the {n_out} outputs in place of their sum)"),
    ]


def meaning(factor: float, names: Names) -> str:
    """The mistake that gives this factor; empty if none is known."""
    return ", or ".join(text for value, text in names if value != 1 and near(factor, value))


def near(a: float, b: float) -> bool:
    """Whether two factors are the same."""
    return abs(a - b) <= CLOSE * max(1, abs(b))


def multiple(found: np.ndarray, base: np.ndarray) -> float:
    """The factor that brings `base` nearest to `found`."""
    largest = np.abs(base).max(initial=0)
    found, base = (found / largest, base / largest) if largest else (found, base)
    return float(found @ base / (base @ base)) if largest else 1.0


def wrong_factor(found: np.ndarray, right: np.ndarray, names: Names) -> Iterator[str]:
    """A constant factor."""
    factor = multiple(found.ravel(), right.ravel())
    known = meaning(factor, names)
    if (known or found.size > 1) and explains(found, right, factor * right):
        yield known or f"{factor:.9g} times the right gradient"


def wrong_order(what: str, found: np.ndarray, right: np.ndarray) -> Iterator[str]:
    """The right numbers at wrong places, or without their signs."""
    yield from (text for text, candidate in _orders(what, right) if explains(found, right, candidate))


def _orders(what: str, right: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
    yield "its numbers have lost their signs", np.abs(right)
    if right.ndim == 2 and right.shape[0] == right.shape[1]:
        yield "the transpose of the right gradient", right.T
    if right.ndim == 4:
        yield "turned by 180 degrees", right[..., ::-1, ::-1]
        if right.shape[2] == right.shape[3]:
            yield "rows and columns are exchanged", right.swapaxes(2, 3)
    for axis in range(right.ndim):
        name = axis_name(what, right.ndim, axis)
        whose = f"its {PLURALS.get(name, f'{name}s')}"
        yield f"{whose} are in the reverse order", np.flip(right, axis)
        shifts = (1, -1) if right.shape[axis] > 2 else ()
        yield from ((f"{whose} are out of step by one", np.roll(right, shift, axis)) for shift in shifts)


def rounded(found: np.ndarray, right: np.ndarray) -> Iterator[str]:
    """The right numbers, with the digits that a smaller type has."""
    for kind in (np.float16, np.float32):
        digits = np.finfo(kind).precision
        with np.errstate(over="ignore"):
            representable = np.array_equal(found, found.astype(kind).astype(found.dtype))
        if representable and np.abs(found - right).max(initial=0) <= 10.0 ** (1 - digits) * np.abs(right).max(
            initial=0
        ):
            yield f"its numbers have {digits} digits: they are computed in {kind.__name__}"
            return


def penalised(found: np.ndarray, right: np.ndarray, p: np.ndarray) -> Iterator[str]:
    """A multiple of the parameter `p` is added."""
    share = multiple((found - right).ravel(), p.ravel())
    if p.size > 1 and explains(found, right, right + share * p):
        yield f"{share:.6g} times the parameter is added: a penalty, which belongs to the optimiser"


def axis_name(what: str, ndim: int, axis: int) -> str:
    """What an axis of an array counts, in the singular."""
    return AXES.get((what, ndim), OTHERS.get(ndim, [f"part of axis {k}" for k in range(ndim)]))[axis]


def place(index: tuple[int, ...]) -> str:
    """`[2, 3]`; nothing for an array of one number."""
    return f"[{', '.join(map(str, index))}]" if index else ""


def lost_examples(weights: np.ndarray) -> Iterator[str]:
    """What it means that the examples count with these weights, `(n,)`, in place of 1 each."""
    out, n = [k for k, w in enumerate(weights) if near(w, 0)], len(weights)
    others = [w for w in weights if not near(w, 0)]
    if not out or not others or not all(near(w, others[0]) for w in others):
        return
    times = "" if near(others[0], 1) else f", {others[0]:.6g} times"
    if len(others) == 1:
        yield f"only example {int(np.argmax(np.abs(weights)))} counts{times}"
    else:
        yield f"{'example' if len(out) == 1 else 'examples'} {', '.join(map(str, out))} of {n} left out{times}"


def where(what: str, found: np.ndarray, right: np.ndarray, wrong: np.ndarray, names: Names) -> Iterator[str]:
    """The one unit, example, ..., that is wrong, and by which factor; or else the worst entry."""
    worst = tuple(int(i) for i in np.unravel_index(np.where(wrong, np.abs(found - right), -1).argmax(), wrong.shape))
    numbers = f"{what}{place(worst)}: by hand {found[worst]:.6g}, autodiff {right[worst]:.6g}"
    parts = [*_parts(what, wrong)]
    if wrong.sum() == 1 or not parts:
        yield f"only one entry is wrong, {numbers}" if wrong.sum() == 1 else f"worst at {numbers}"
        return
    for name, part in parts:
        factors = [f": {text}" for text in wrong_factor(found[part], right[part], names)]
        yield f"only {name} of {what} is wrong{''.join(factors[:1])}"


def _parts(what: str, wrong: np.ndarray) -> Iterator[tuple[str, tuple]]:
    """The unit, the example, ..., to which all wrong entries belong."""
    for axis in range(wrong.ndim):
        (places,) = np.nonzero(wrong.any(axis=tuple(k for k in range(wrong.ndim) if k != axis)))
        if len(places) == 1 < wrong.shape[axis]:
            yield f"{axis_name(what, wrong.ndim, axis)} {places[0]}", (slice(None),) * axis + (int(places[0]),)
