"""One epoch in words, and a training that prints a line for each of its epochs."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from typing import TextIO

from fnn.runs import metrics
from fnn.training.tasks import Result

PARTS = ("train", "validation", "test")


def printed(results: Iterable[Result], out: TextIO | None = None) -> Iterator[Result]:
    """The same results; a line about each is printed as it passes: its costs, its accuracies and its seconds.

    `fit` itself prints nothing. The lines are the same in a notebook, on a terminal and in a file.

    Args:
        results: What `fit` yields.
        out: Where to print; None is the standard output.

    Raises:
        TypeError: what passes is no `Result`, for example one of `sweep`.

    Examples:
        >>> import jax, jax.numpy as jnp
        >>> from fnn import SGD, CrossEntropy, Dense, Examples, fit, init, printed
        >>> net, xor = (Dense(1),), Examples(jnp.array([[0.0, 0], [0, 1]]), jnp.array([[0], [1]]))
        >>> params = init(net, jax.random.key(0), (2,))
        >>> training = fit(net, CrossEntropy(), SGD(1.0), params, xor, jax.random.key(1), batch_size=1, epochs=2)
        >>> *_, last = printed(training)  # doctest: +ELLIPSIS
        epoch 1  cost: train 0...  accuracy: train ...%  ... s
        epoch 2  cost: train 0...  accuracy: train ...%  ... s
    """
    for result in results:
        if not isinstance(result, Result):
            raise TypeError(f"printed: got a {type(result).__name__}; expected the results of fit.")
        line = f"epoch {result.epoch}  {words(result, '{:.4g}', '{:.2%}')}  {result.seconds:.2f} s"
        print(line, file=sys.stdout if out is None else out, flush=True)
        yield result


def words(result: Result, cost: str, accuracy: str) -> str:
    """What was measured, first the costs and then the accuracies, with the formats for both."""
    numbers, said = metrics.numbers(result), []
    for measure, form in (("cost", cost), ("accuracy", accuracy)):
        parts = [f"{p} {form.format(numbers[f'{p}_{measure}'])}" for p in PARTS if f"{p}_{measure}" in numbers]
        said += [f"{measure}: {', '.join(parts)}"] if parts else []
    return "  ".join(said)
