"""The table of claims: a verdict that flips fails, and the quick topics find what the table says."""

import sys
from importlib import import_module

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import fnn
from experiments.notes import baselines, claims, depth, features, findings, seeds, strip
from experiments.notes.findings import CORRECTED, FAILS, HOLDS, Finding

ROWS = [
    Finding("000-05", "A tie is a 0.", "a | b", "0", HOLDS),
    Finding("E16", "A threshold is forgotten.", "01111111", "00001111", CORRECTED),
]
QUICK = ("neurons", "zigzag", "book")
pytestmark = pytest.mark.long


@pytest.fixture(autouse=True)
def lenient(strict):
    """Experiments are written as a user writes, who has not asked JAX to be strict."""
    with jax.numpy_rank_promotion("allow"), jax.numpy_dtype_promotion("standard"):
        yield


def page(rows):
    return claims.page({"Topic": rows}, {"Topic": "topic"})


def alone(topic, tmp_path, monkeypatch):
    """The table has this topic alone, and its page is elsewhere."""
    monkeypatch.setattr(claims, "PAGE", tmp_path / "CLAIMS.md")
    monkeypatch.setattr(claims, "TOPICS", {"Topic": "topic"})
    monkeypatch.setitem(sys.modules, "experiments.notes.topic", topic)


def test_a_page_says_its_verdicts():
    assert claims.verdicts(page(ROWS)) == {"000-05": HOLDS, "E16": CORRECTED}
    assert f"2 of {len(claims.NUMBERS)} were run: 1 holds, 1 holds as corrected, 0 does not hold." in page(ROWS)
    assert "\n- 000-01, not yet: " in page(ROWS)


@pytest.mark.parametrize(
    ("new", "said"),
    [
        (ROWS, []),
        ([ROWS[0], ROWS[1]._replace(verdict=HOLDS)], ["E16: was 'holds as corrected', is now 'holds'"]),
        ([ROWS[0]._replace(verdict=FAILS), ROWS[1]], ["000-05: was 'holds', is now 'does not hold'"]),
        ([ROWS[0]], ["E16: was 'holds as corrected', is now 'gone'"]),
        ([*ROWS, Finding("E17", "c", "m", "e", HOLDS)], []),
    ],
)
def test_a_flip_is_named(new, said):
    assert claims.flips(claims.verdicts(page(ROWS)), claims.verdicts(page(new))) == said


def test_a_flipped_verdict_fails_and_leaves_the_page(tmp_path, monkeypatch, capsys):
    class Topic:
        CLAIMS = (lambda: ROWS[0]._replace(verdict=Topic.verdict),)

    alone(Topic, tmp_path, monkeypatch)
    Topic.verdict = HOLDS
    assert claims.main(["--check"]) == 0
    assert not claims.PAGE.exists()
    assert claims.main([]) == 0
    before = claims.PAGE.read_text()
    Topic.verdict = FAILS
    capsys.readouterr()
    assert claims.main([]) == 1
    assert "000-05: was 'holds', is now 'does not hold'" in capsys.readouterr().out
    assert claims.PAGE.read_text() == before
    assert claims.main(["--accept"]) == 0
    assert claims.verdicts(claims.PAGE.read_text()) == {"000-05": FAILS}


def test_without_the_data_there_is_no_table_and_no_traceback(tmp_path, monkeypatch, capsys):
    class Topic:
        CLAIMS = (lambda: fnn.load_data("no-such-source"),)

    alone(Topic, tmp_path, monkeypatch)
    monkeypatch.setattr(sys, "argv", ["topic.py", str(tmp_path)])
    assert claims.main([]) == 2
    findings.main(Topic.CLAIMS, lambda folder: ())
    said = capsys.readouterr().out
    assert "no table: source = 'no-such-source'" in said
    assert "not run: source = 'no-such-source'" in said
    assert not claims.PAGE.exists()


def test_what_is_no_row_is_named():
    bad = [*ROWS, ROWS[0], Finding("000-99", "c", "", "e", "maybe")]
    said = ["000-99: no such claim", "000-05: twice", "000-99: verdict 'maybe'", "000-99: an empty cell"]
    assert claims.malformed(bad) == said


@pytest.mark.parametrize(
    ("written", "right", "said"),
    [(True, True, HOLDS), (True, False, HOLDS), (False, True, CORRECTED), (False, False, FAILS)],
)
def test_an_error_in_the_notes_must_fail_as_written(written, right, said):
    assert findings.corrected(written, right) == said


def test_the_quick_topics_find_what_the_table_says():
    table = claims.verdicts(claims.PAGE.read_text())
    found = [finding for rows in claims.findings_of({name: name for name in QUICK}).values() for finding in rows]
    assert not claims.malformed(found)
    assert {f.number: f.verdict for f in found} == {f.number: table.get(f.number) for f in found}


def test_the_table_has_every_claim_that_can_be_run():
    said = list(claims.verdicts(claims.PAGE.read_text()))
    assert sorted([*said, *claims.OUTSIDE]) == sorted(claims.NUMBERS)


def test_the_words_of_the_notes_lead_to_claims():
    assert {number for numbers in claims.WORDS.values() for number in numbers} <= set(claims.NUMBERS)
    assert "- universal approximation: 002-11" in page(ROWS)


def test_an_interval_is_that_of_the_t_distribution():
    mean, low, high = seeds.interval(np.arange(10.0))
    assert (mean, round(low, 3), round(high, 3)) == (4.5, 2.334, 6.666)  # 4.5 ∓ 2.262 · 3.028/√10


def test_networks_compared_by_pairs_start_alike_and_see_the_same_order():
    data, net = fnn.load_data("digits", train=40, validation=30), (fnn.Dense(10),)
    optimizer = fnn.SGD(jnp.array([0.5, 0.5, 2.0]))
    results = seeds.grid(net, fnn.LogLikelihood(), optimizer, data, epochs=1, seeds=2)
    assert seeds.accuracies(results, seeds=2).shape == (3, 2, 1)
    first, same, other = (np.asarray(seeds.of(results, i, seeds=2)[0].W) for i in range(3))
    assert (first == same).all()
    assert (first != other).any()
    assert (first[0] != first[1]).any()


def test_a_strip_is_cut_between_digits_and_not_within_one():
    picture = np.zeros((4, 20))
    picture[1, [2, 3, 5, 9, 10, 17]] = 1  # one empty column within a digit, three and six between digits
    assert strip.cuts(picture) == [(2, 6), (9, 11), (17, 18)]
    piece = np.zeros((36, 3))
    piece[30:33] = 1
    down, across = (strip.centred(piece).sum(axis=axis) @ np.arange(28) / 9 for axis in (1, 0))
    assert (down, across) == (14, 14)


def test_a_stack_of_layers_passes_errors_back_as_jax_does():
    stack = depth.Stack(fnn.Dense(4), fnn.Sigmoid(), 3)
    params, _ = stack.init(jax.random.key(0), (4,))
    a, delta = jax.random.normal(jax.random.key(1), (2, 3, 4))
    by_hand, auto = stack.backward(params, a, delta), jax.vjp(stack.forward, params, a)[1](delta)
    assert jax.tree.structure(by_hand) == jax.tree.structure(auto)
    for one, other in zip(jax.tree.leaves(by_hand), jax.tree.leaves(auto), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-7)


def test_an_edge_is_like_an_edge_and_noise_is_not():
    noise = np.random.default_rng(0).standard_normal((200, 5, 5))
    assert 0.3 < features.likeness(noise).mean() < 0.4
    assert features.likeness(np.stack([features.EDGE, -features.EDGE.T])).min() > 0.9


def test_a_nine_has_a_loop_at_the_top_and_a_stroke_at_the_bottom_right():
    nine = np.zeros((28, 28), bool)
    nine[4:13, [8, 16]] = nine[[4, 12], 8:17] = nine[4:24, 16] = True
    six = nine[::-1, ::-1]
    assert (baselines.loop_at_the_top(nine), baselines.loop_at_the_top(six)) == (True, False)
    assert (baselines.stroke_at_the_bottom_right(nine), baselines.stroke_at_the_bottom_right(nine[:, ::-1])) == (
        True,
        False,
    )


@pytest.mark.parametrize("topic", QUICK)
def test_a_topic_draws_its_pictures(topic, tmp_path):
    pytest.importorskip("matplotlib")
    for name in import_module(f"experiments.notes.{topic}").pictures(tmp_path):
        assert (tmp_path / name).read_bytes()[:4] == b"\x89PNG"
