"""Planting bugs: everybody who has the function has the bug, and afterwards nobody has it."""

import sys

import jax
import jax.numpy as jnp
import pytest

import fnn
from experiments.campaigns import claims_that_fail
from experiments.campaigns.planting import Bug, fresh, planted, scaled
from experiments.notes import descent, findings
from fnn import backprop
from fnn.optimizers import SGD

NET, COST, PARAMS = (
    (fnn.Dense(1),),
    fnn.Quadratic(fnn.Identity()),
    (fnn.layers.DenseParams(jnp.ones((1, 2)), jnp.ones(1)),),
)
X, Y = jnp.ones((3, 2)), jnp.zeros((3, 1))


def compiled(rule=backprop):
    return float(jax.jit(rule)(NET, COST, PARAMS, X, Y)[0])


@pytest.mark.parametrize("ask", [compiled, lambda: float(fnn.backprop(NET, COST, PARAMS, X, Y)[0])])
def test_who_imported_or_compiled_a_function_has_its_bug(ask):
    assert ask() == 4.5
    with planted(Bug("fnn.network:backprop", scaled(2.0), "doubled")):
        assert ask() == 9.0
    assert ask() == 4.5


def test_a_method_has_its_bug_in_an_epoch_that_was_compiled():
    def W():
        examples = fnn.Examples(X, Y)
        params, _ = fnn.epoch(NET, COST, SGD(0.1), PARAMS, (), examples, jax.random.key(0), batch_size=3)
        return float(params[0].W[0, 0])

    sound = W()
    with planted(Bug("fnn.optimizers:SGD.penalised", lambda right: lambda *args: PARAMS, "no gradient")):
        assert W() == pytest.approx(0.9)
    assert W() == sound


def test_a_bug_is_taken_away_when_a_row_ends_in_an_error():
    with pytest.raises(ZeroDivisionError), planted(Bug("fnn.network:backprop", scaled(2.0), "doubled")):
        raise ZeroDivisionError
    assert compiled() == 4.5


def test_a_constant_is_exchanged_under_its_name():
    with planted(Bug("experiments.notes.findings:HOLDS", lambda right: "stands", "another word")):
        assert findings.judged(True) == "stands"
    assert findings.judged(True) == "holds"


def test_what_a_topic_remembers_is_forgotten():
    first = descent.start()
    assert descent.start() is first
    fresh()
    assert descent.start() is not first


def test_the_rows_of_a_topic_are_run_with_their_bugs_and_told(tmp_path, monkeypatch, capsys):
    class Topic:
        CLAIMS = (lambda: findings.Finding("003-01", "c", "m", "e", findings.judged(compiled() == 4.5)),)
        BUGS = {"003-01": Bug("fnn.costs:Quadratic.value", scaled(2.0), "doubled")}
        UNFLIPPED = {}

    monkeypatch.setattr(claims_that_fail, "PAGE", tmp_path / "page.md")
    monkeypatch.setitem(sys.modules, "experiments.notes.book", Topic)
    monkeypatch.setitem(sys.modules, "experiments.campaigns.planted.book", Topic)
    assert claims_that_fail.main(["book"]) == 0
    text = claims_that_fail.PAGE.read_text()
    assert "1 of 1 rows flip." in text
    assert "| 003-01 | `fnn.costs:Quadratic.value`: doubled | holds | does not hold | **flips** |" in text
    Topic.BUGS = {"003-01": Bug("fnn.network:init", lambda right: right, "none")}
    assert claims_that_fail.main(["book"]) == 1
    assert "003-01: its bug survives: holds" in capsys.readouterr().out
    Topic.BUGS, Topic.UNFLIPPED = {}, {"003-01": "a reason"}
    assert claims_that_fail.main(["book"]) == 0
    assert "| 003-01 | a reason | holds |  | **not flipped** |" in claims_that_fail.PAGE.read_text()
