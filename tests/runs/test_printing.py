"""A training that prints a line for each of its epochs."""

import io

import numpy as np
import pytest

import fnn
from fnn import Evaluation, Progress, Result, SweepResult, printed

BOTH, COST = Evaluation(np.float32(0.5), np.float32(0.75)), Evaluation(np.float32(0.5), np.float32(np.nan))
RESULTS = [Result(e, 1.0, BOTH, None, BOTH, 0.125, (), (), Progress()) for e in (9, 10)]
LINE = "epoch 9  cost: train 0.5, test 0.5  accuracy: train 75.00%, test 75.00%  0.12 s\n"


def test_each_epoch_is_a_line_and_passes_unchanged(capsys):
    passed = list(printed(iter(RESULTS)))
    assert all(one is other for one, other in zip(passed, RESULTS, strict=True))
    assert capsys.readouterr().out == LINE + LINE.replace("epoch 9", "epoch 10")


def test_a_file_gets_the_same_lines_one_by_one():
    out = io.StringIO()
    results = printed(iter(RESULTS), out)
    next(results)
    assert out.getvalue() == LINE
    next(results)
    assert out.getvalue().count("\n") == 2


def test_quantities_have_no_accuracy(capsys):
    list(printed([RESULTS[0]._replace(train=COST, test=None)]))
    assert capsys.readouterr().out == "epoch 9  cost: train 0.5  0.12 s\n"


def test_a_sweep_is_refused():
    swept = SweepResult(1, BOTH, None, None, 0.1, (), ())
    with pytest.raises(TypeError, match="printed: got a SweepResult; expected the results of fit."):
        list(fnn.printed([swept]))
