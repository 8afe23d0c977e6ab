"""What a person sees of a training while it goes on."""

import io
import re

import numpy as np
import pytest

from fnn.cli.progress import shown
from fnn.schedules import Progress
from fnn.training.evaluation import Evaluation
from fnn.training.fitting import Result

ONE = Result(1, 1.0, Evaluation(np.float32(0.5), np.float32(0.75)), None, None, 0.1, (), (), Progress())


@pytest.mark.parametrize(("epochs", "over"), [(1, 1), (30, 30), (59, 59), (60, 60), (1000, 1000), (300, 7)])
def test_in_a_pipe_some_thirty_epochs_are_told_the_first_and_the_last_too(epochs, over):
    results, out = [ONE._replace(epoch=e) for e in range(1, over + 1)], io.StringIO()
    assert list(shown(results, epochs, out)) == results
    told = [int(epoch) for epoch in re.findall(rf"^epoch +(\d+)/{epochs}  cost: ", out.getvalue(), re.MULTILINE)]
    assert (told[0], told[-1]) == (1, over)
    assert told == sorted(set(told))
    assert len(told) <= 32
