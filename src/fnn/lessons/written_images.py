"""How the layers of images are written on the blackboard; see `written`.

A number of an image has three indices from 0: channel, row and column of the pixel, `a[c,y,x]`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import jax.numpy as jnp
import numpy as np

from fnn.convolution import Conv, ConvParams, ConvPool, Flatten, MaxPool
from fnn.lessons.equations import at, lines, listed, product, products, six, summed, total
from fnn.types import Params


@dataclass(frozen=True)
class ConvForm:
    """A `Conv`: the sum at every place of a filter."""

    layer: Conv
    params: ConvParams
    formula = "z[f,y,x] = b[f] + sum over c,i,j of W[f,c,i,j] a[c,y+i,x+j]"
    equation, passed = (
        "BP2's left factor",
        "for each pixel the sum of W[f,c,i,j] delta[f,y,x] over the places that see it",
    )

    def worked(self, a: np.ndarray, out: np.ndarray) -> Iterator[str]:
        """`z[f,y,x] = W[f,0,0,0]*a[0,y,x] + ... + b[f] = `."""
        W, b = map(np.asarray, self.params)
        size = W.shape[2]
        for (f, y, x), value in np.ndenumerate(out):
            terms = products(W[f], a[:, y : y + size, x : x + size])
            yield from lines(at("z", (f, y, x)), total(terms, six(b[f])), value)

    def nabla(self, nabla: ConvParams, a: np.ndarray, delta: np.ndarray) -> Iterator[str]:
        """BP4 and BP3, sums over the rows and all places of a filter."""
        return self.summed(nabla, a, delta, np.ones(delta.shape, bool))

    def summed(self, nabla: ConvParams, a: np.ndarray, delta: np.ndarray, here: np.ndarray) -> Iterator[str]:
        """The same, but only the places `here`, of the shape of delta, are in the sums."""
        over = "all places y,x" if len(a) == 1 else "rows and places"
        yield f"BP4: dC/dW[f,c,i,j] = sum over {over} of delta[f,y,x] a[c,y+i,x+j]"
        for (f, c, i, j), value in np.ndenumerate(np.asarray(nabla.W)):
            places = np.argwhere(here[:, f])
            terms = [product(delta[n, f, y, x], a[n, c, y + i, x + j]) for n, y, x in places]
            yield from lines(f"  {at('dC/dW', (f, c, i, j))}", total(terms), value)
        yield f"BP3: dC/db[f] = sum over {over} of delta[f,y,x]"
        for f, value in enumerate(np.asarray(nabla.b)):
            yield from lines(f"  dC/db[{f}]", summed(delta[:, f][here[:, f]]), value)

    def deltas(self, a: np.ndarray, delta: np.ndarray, passed: np.ndarray) -> Iterator[str]:
        """`delta[c,y,x] = W[f,c,i,j]*delta[f,y-i,x-j] + ... = `."""
        return self.spread(delta, passed, np.ones(delta.shape, bool))

    def spread(self, delta: np.ndarray, passed: np.ndarray, here: np.ndarray) -> Iterator[str]:
        """The same, but only the places `here`, of the shape of delta, are in the sums."""
        W, places = np.asarray(self.params.W), np.argwhere(here)
        size = W.shape[2]
        for (c, y, x), value in np.ndenumerate(passed):
            seen = [(f, u, v) for f, u, v in places if 0 <= y - u < size and 0 <= x - v < size]
            terms = [product(W[f, c, y - u, x - v], delta[f, u, v]) for f, u, v in seen]
            yield from lines(at("delta", (c, y, x)), total(terms), value)


@dataclass(frozen=True)
class MaxPoolForm:
    """A `MaxPool`: which pixel of every square won."""

    layer: MaxPool
    params: tuple[()]
    name: str = "pixel "  # of an input
    formula = "a[c,y,x] = the largest pixel of square y,x"
    equation, passed = "BP2", "delta of a square goes to the pixel that won"

    def worked(self, a: np.ndarray, out: np.ndarray) -> Iterator[str]:
        """`a[c,y,x] = max(...) = `."""
        size = self.layer.size
        for (c, y, x), winner in self.winners(a).items():
            square = a[c, y * size : (y + 1) * size, x * size : (x + 1) * size]
            largest = f"max({', '.join(map(six, square.flat))})"
            yield from lines(at("a", (c, y, x)), largest, out[c, y, x], f", {at(self.name, winner)} wins")

    def nabla(self, nabla: Params, a: np.ndarray, delta: np.ndarray) -> Iterator[str]:
        """No lines."""
        return iter(())

    def deltas(self, a: np.ndarray, delta: np.ndarray, passed: np.ndarray) -> Iterator[str]:
        """`delta[c,y,x] = ` of the pixels that won."""
        for square, winner in self.winners(a).items():
            yield f"{at('delta', winner)} = {six(passed[winner])}, from square {at('', square)}"
        if passed.size > delta.size:
            yield f"the other {passed.size - delta.size} pixels get 0"

    def winners(self, a: np.ndarray) -> dict[tuple[int, ...], tuple[int, ...]]:
        """For the indices of every square those of the pixel that won, in the image."""
        size = self.layer.size
        squares = jnp.ones((1, a.shape[0], a.shape[1] // size, a.shape[2] // size), a.dtype)
        _, mask = self.layer.backward((), jnp.asarray(a)[None], squares)
        pixels = [tuple(map(int, index)) for index in np.argwhere(np.asarray(mask)[0])]
        won = {(c, y // size, x // size): (c, y, x) for c, y, x in pixels}
        return dict(sorted(won.items()))


@dataclass(frozen=True)
class ConvPoolForm:
    """A `ConvPool`: the sums of a `Conv`, and which place won in the square of each pooled pixel."""

    layer: ConvPool
    params: ConvParams
    formula = f"z[f,y,x] = the largest u of square y,x; {ConvForm.formula.replace('z', 'u')}"
    equation, passed = ConvForm.equation, f"{ConvForm.passed} and won"

    def worked(self, a: np.ndarray, out: np.ndarray) -> Iterator[str]:
        """`u[f,y,x] = ... = ` for every place, then `z[f,y,x] = max(...) = `."""
        u = self._responses(a[None])[0]
        yield from (line.replace("z[", "u[", 1) for line in self._conv.worked(a, u))
        yield from (line.replace("a[", "z[", 1) for line in self._pool.worked(u, out))

    def nabla(self, nabla: ConvParams, a: np.ndarray, delta: np.ndarray) -> Iterator[str]:
        """BP4 and BP3, sums over the places that won."""
        return self._conv.summed(nabla, a, *self._routed(a, delta))

    def deltas(self, a: np.ndarray, delta: np.ndarray, passed: np.ndarray) -> Iterator[str]:
        """As `Conv`, over the places that won."""
        routed, won = self._routed(a[None], delta[None])
        return self._conv.spread(routed[0], passed, won[0])

    def _routed(self, a: np.ndarray, delta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Delta at the places that won, 0 elsewhere, and whether a place won: `(n, filters, height, width)`."""
        u, pool = jnp.asarray(self._responses(a)), self._pool.layer
        (_, routed), (_, won) = pool.backward((), u, jnp.asarray(delta)), pool.backward((), u, jnp.ones_like(delta))
        return np.asarray(routed), np.asarray(won) != 0

    def _responses(self, a: np.ndarray) -> np.ndarray:
        return np.asarray(self._conv.layer.forward(self.params, jnp.asarray(a)))

    @property
    def _conv(self) -> ConvForm:
        return ConvForm(Conv(self.layer.filters, self.layer.size), self.params)

    @property
    def _pool(self) -> MaxPoolForm:
        return MaxPoolForm(MaxPool(self.layer.pool), (), "u")


@dataclass(frozen=True)
class FlattenForm:
    """A `Flatten`: the same numbers in one row."""

    layer: Flatten
    params: tuple[()]
    formula = "a = the same numbers, row by row"
    equation, passed = "BP2", "the same numbers in the shape of the image"

    def worked(self, a: np.ndarray, out: np.ndarray) -> Iterator[str]:
        """`a = (...)`."""
        return listed("a", out)

    def nabla(self, nabla: Params, a: np.ndarray, delta: np.ndarray) -> Iterator[str]:
        """No lines."""
        return iter(())

    def deltas(self, a: np.ndarray, delta: np.ndarray, passed: np.ndarray) -> Iterator[str]:
        """`delta[c,y] = (...)`."""
        return listed("delta", passed)
