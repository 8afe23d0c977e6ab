"""What is proved of the numbers in a program before it runs: their size, their grid, their degree."""

from fractions import Fraction
from itertools import pairwise

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

from fnn.checking.exact_numbers import NOT_FINITE, Numbers, Rounds, TooLarge, constant, drawn
from fnn.checking.exact_programs import compares, results

pytestmark = pytest.mark.long  # on the newest Python a change has no time for these

A = np.array([[1.0, -2.0, 0.5], [3.0, 0.25, -1.0]])
POLYNOMIALS = {  # a function of x `(4, 3)`, and its degree
    "sum": (lambda x: x + 2 * x - x[:, ::-1], 1),
    "product": (lambda x: x * x[::-1] * 0.5, 2),
    "matrix": (lambda x: x @ A.T, 1),
    "gram": (lambda x: x.T @ x, 2),
    "einsum": (lambda x: jnp.einsum("ni,nj,nk->ijk", x, x, x), 3),
    "power": (lambda x: x**5 - x, 5),
    "total": (lambda x: jnp.square(x).sum(), 2),
    "mean": (lambda x: x.mean(axis=0), 1),
    "running sum": (lambda x: jnp.cumsum(x, axis=0) * x, 2),
    "running product": (lambda x: jnp.cumprod(x, axis=0), 4),
    "product of a row": (lambda x: jnp.prod(x, axis=1), 3),
    "padded": (lambda x: jnp.pad(x, 1, constant_values=3.0), 1),
    "concatenated": (lambda x: jnp.concatenate([x, x * x], axis=1), 2),
    "windows": (lambda x: lax.reduce_window(x, 0.0, lax.add, (2, 2), (1, 1), "VALID"), 1),
    "convolution": (lambda x: lax.conv_general_dilated(x[None, None], x[None, None, :2, :2], (1, 1), "SAME"), 2),
    "scattered": (lambda x: x.at[jnp.array([0, 0, 2, 0])].add(x * x), 2),
    "gathered": (lambda x: x[jnp.array([0, 3, 3])] * x[:3], 2),
    "scan": (lambda x: lax.scan(lambda c, r: (c * r, c + r), jnp.ones(3), x)[1], 3),
    "loop": (lambda x: lax.fori_loop(0, 3, lambda i, c: c * x, x), 4),
    "inner programs": (jax.jit(lambda x: jax.checkpoint(jax.jit(jnp.square))(x) * x), 3),
    "custom": (lambda x: jax.nn.relu(x * 0 + 1) * x, 1),
    "derivative": (jax.grad(lambda x: (x @ A.T @ A @ x.T).sum()), 1),
    "halved": (lambda x: x / 4 - x / 2**10, 1),
    "constant": (lambda x: jnp.full_like(x, 7.5), 0),
}
PIECES = {
    "maximum": lambda x: jnp.maximum(x, x[::-1]) * 2,
    "largest": lambda x: x.max(axis=0),
    "where": lambda x: jnp.where(x > 0, x * x, -x),
    "argmax": lambda x: x.argmax(axis=0).astype(x.dtype) * x[0],
    "sorted": lambda x: jnp.sort(x, axis=0),
    "sign": lambda x: jnp.sign(x) * x,
    "one-hot": lambda x: jax.nn.one_hot(x.argmin(axis=0), 4, axis=0, dtype=x.dtype) * x,
    "clamped": lambda x: jnp.clip(x, -1.5, 2),
    "count": lambda x: (x == x[0]).sum(axis=0).astype(x.dtype),
    "shared": jax.grad(lambda x: (jnp.maximum(x, x[::-1]) * A[0, :3]).sum()),
    "both branches": lambda x: lax.cond(x.sum() > 0, lambda x: x * x, lambda x: x / 2, x),
    "windows": lambda x: lax.reduce_window(x, -jnp.inf, lax.max, (2, 2), (1, 1), "VALID"),
    "windows backwards": jax.grad(lambda x: lax.reduce_window(x, -jnp.inf, lax.max, (2, 2), (1, 1), "VALID").sum()),
}


@pytest.fixture(autouse=True)
def in_float64():
    with jax.enable_x64(True), jax.numpy_rank_promotion("allow"):
        yield


def proved(f, numbers=None, shape=(4, 3)):
    program = jax.make_jaxpr(f)(jnp.zeros(shape))
    return results(program, [numbers or drawn(8)])[0]


def is_in(values, numbers):
    """Every value is a whole multiple of the grid, of the size that was proved."""
    for value in np.unique(np.asarray(values)):
        count = Fraction(float(value)) / Fraction(2) ** numbers.grid
        assert count.denominator == 1
        assert abs(count) <= numbers.units


@pytest.mark.parametrize("inputs", [drawn(8), drawn(6, -2), drawn(3, 2)], ids=["whole", "quarters", "fours"])
@pytest.mark.parametrize("f", [*(f for f, _ in POLYNOMIALS.values()), *PIECES.values()], ids=[*POLYNOMIALS, *PIECES])
def test_numbers_are_of_the_size_and_on_the_grid_that_were_proved(f, inputs):
    numbers, run = proved(f, inputs), jax.jit(f)
    for seed in range(20):
        counts = np.random.default_rng(seed).integers(-inputs.units, inputs.units + 1, (4, 3))
        is_in(run(counts * 2.0**inputs.grid), numbers)
    for sign in (1, -1):
        is_in(run(jnp.full((4, 3), sign * inputs.units * 2.0**inputs.grid)), numbers)


@pytest.mark.parametrize("f", [f for f, _ in POLYNOMIALS.values()], ids=[*POLYNOMIALS])
def test_nothing_is_rounded_where_that_was_proved(f):
    """In float64 and in whole numbers of Python, by the differences along a line: those of order d + 1 are all 0."""
    numbers, run, rng = proved(f), jax.jit(f), np.random.default_rng(0)
    at, along = rng.integers(-2, 3, (4, 3)), rng.integers(-1, 2, (4, 3))
    values = [np.asarray(run((at + k * along) * 1.0)).ravel() for k in range(numbers.degree + 2)]
    lines = [[Fraction(float(v)) for v in line] for line in zip(*values, strict=True)]
    for line in lines:
        for _ in range(numbers.degree + 1):
            line = [b - a for a, b in pairwise(line)]
        assert line == [0]


@pytest.mark.parametrize("name", POLYNOMIALS)
def test_the_degree_is_that_of_the_polynomial(name):
    f, degree = POLYNOMIALS[name]
    assert proved(f).degree == degree


@pytest.mark.parametrize(("f", "chooses"), [(f, True) for f in PIECES.values()] + [(lambda x: x @ x.T, False)])
def test_a_program_that_compares_is_known(f, chooses):
    assert compares(jax.make_jaxpr(f)(jnp.zeros((4, 3))).jaxpr) == chooses


def test_float64_holds_whole_numbers_to_2_to_the_53_and_no_further():
    def f(x):
        return x * (2.0**53 - 1)

    assert proved(f, drawn(1)).units == 2**53 - 1
    with pytest.raises(TooLarge, match="`mul` of up to 54 bits, where float64 has 53"):
        proved(f, drawn(2))
    assert proved(lambda x: x * 2.0**200, drawn(2**50)) == Numbers(2**50, 200, 1)  # a grid of its own
    with pytest.raises(TooLarge, match="`add` of up to 54 bits"):
        proved(lambda x: (x + 2.0**53) - 2.0**53, drawn(1))  # whole numbers on both ends, and rounded between
    with pytest.raises(TooLarge):
        proved(lambda x: x * 2.0**1000 * 2.0**20, drawn(16))
    with pytest.raises(TooLarge):
        proved(lambda x: x * 2.0**-1000 * 2.0**-60, drawn(1))


@pytest.mark.parametrize(("dtype", "bits"), [(jnp.float32, 24), (jnp.bfloat16, 8), (jnp.float16, 11)])
def test_a_narrower_type_has_fewer_bits(dtype, bits):
    def f(x):
        return x.astype(dtype).astype(float)

    assert proved(f, drawn(2**bits)).units == 2**bits
    with pytest.raises(TooLarge, match=f"of up to {bits + 1} bits, where {np.dtype(dtype)} has {bits}"):
        proved(f, drawn(2**bits + 1))


def test_a_long_sum_needs_more_bits_than_its_terms():
    assert proved(lambda x: x.sum(), drawn(2**40), (64, 64)).units == 2**52
    for f in (lambda x: x.sum(), lambda x: x.ravel() @ jnp.ones(2**14), lambda x: jnp.cumsum(x.ravel())):
        with pytest.raises(TooLarge):
            proved(f, drawn(2**40), (128, 128))


@pytest.mark.parametrize(
    ("f", "message"),
    [
        (jnp.exp, "`exp`, which is not known to be exact"),
        (jax.jit(jnp.sin), "`sin`"),
        (lambda x: x / 3, "`div` by 3"),
        (lambda x: x / (1 + x * x), "`div` by numbers that vary"),
        (lambda x: x / (x > 0).astype(float).sum(), "`div` by numbers that vary"),
        (lambda x: x**-1, "`integer_pow` with exponent -1"),
        (lambda x: x * jnp.inf, "of nan or infinity"),
        (lambda x: jnp.where(x > 0, jnp.nan, x), "a result of nan or infinity"),
        (lambda x: (x / 2).astype(int), "a conversion to int64, which cuts off fractions"),
        (lambda x: jnp.floor(x / 2), "`floor`"),
        (lambda x: x.astype(int) // 2, "of drawn numbers"),
        (lambda x: x.astype(int) & 3, "`and` of whole numbers"),
        (lambda x: lax.while_loop(lambda c: c.sum() < 9, lambda c: c + 1, x), "`while`"),
        (lambda x: (x > 0).astype("uint8") - jnp.uint8(1), "`sub` of numbers without a sign"),
        (
            lambda x: x[jnp.clip(x[0, 0].astype("int8"), 0, 3) * jnp.int8(100)],
            "`mul` of up to \\d+ bits, where int8 has 7",
        ),
        (lambda x: lax.stop_gradient(x), "`stop_gradient`"),
        (lambda x: x.at[0].multiply(2), "`scatter-mul`|`scatter_mul`"),
    ],
)
def test_what_may_round_is_refused(f, message):
    with pytest.raises(Rounds, match=message):
        proved(f)


def test_what_no_result_depends_on_may_be_anything():
    def f(x):
        _ = jnp.exp(x).sum()
        return 2 * x

    assert proved(f) == Numbers(8, 1, 1)


def test_questions_about_nan_are_answered():
    assert proved(lambda x: jnp.where(jnp.isnan(x), jnp.nan, x)) == drawn(8)
    assert proved(lambda x: jnp.where(jnp.isfinite(x) & ~jnp.isnan(x), x, jnp.inf)) == drawn(8)
    assert proved(lambda x: jnp.where(~jnp.isnan(x) ^ jnp.isnan(x), x, jnp.inf)) == drawn(8)
    with pytest.raises(Rounds, match="nan or infinity"):
        proved(lambda x: jnp.where(jnp.isnan(y := jnp.where(x > 0, jnp.nan, x)), 0, y))
    with pytest.raises(Rounds, match="nan or infinity"):
        proved(lambda x: jnp.where(jnp.isfinite(y := jnp.where(x > 0, jnp.inf, x)), y, 0))


@pytest.mark.parametrize(
    ("value", "numbers"),
    [
        (0.5, Numbers(1, -1, 0, 0.5, (-1, -1))),
        (-4, Numbers(1, 2, 0, -4.0, (2, 2))),
        (6.0, Numbers(3, 1, 0, 6.0)),
        (0.0, Numbers(0, 0, 0, 0.0)),
        (np.array([1.0, -8.0]), Numbers(8, 0, 0, None, (0, 3))),
        (np.array([1.5, 0.0]), Numbers(3, -1)),
        (True, Numbers(1, 0, 0, 1.0, (0, 0))),
        (np.zeros((0, 3)), Numbers(0, 0, 0, 0.0)),
        (np.array([1.0, np.nan]), NOT_FINITE),
        (np.inf, NOT_FINITE),
    ],
)
def test_a_constant_is_known_exactly(value, numbers):
    assert constant(value) == numbers
