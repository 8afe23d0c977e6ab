"""The comparison of the training program with plain steps: right programs pass, and planted bugs are seen."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import fnn
from fnn import SGD, CrossEntropy, Dense, Examples, Flatten, MaxPool, Sigmoid, cli
from fnn.checking.training_loop import check_training_loop
from fnn.data.on_disk import stored
from fnn.training import blocked_steps, mini_batches, order, segments
from fnn.training.augmentation import Shifted
from fnn.training.mini_batches import Rule
from tests.helpers.support import one_hot_rows

pytestmark = pytest.mark.long  # on the newest Python a change has no time for these

KEY, COST, DECAY = jax.random.key(1), CrossEntropy(), SGD(0.5, 0.0, 0.1)
SMALL, WIDE = (Dense(4), Sigmoid(), Dense(3)), (Dense(mini_batches.BLOCK_UNITS), Sigmoid(), Dense(3))


@pytest.fixture(autouse=True)
def fresh(monkeypatch):
    """No program of another test, since a planted bug is read when a program is traced; the choices of a CPU."""
    monkeypatch.setattr(mini_batches, "platform", lambda: "cpu")
    jax.clear_caches()
    yield
    jax.clear_caches()


def images(n, shape):
    x = np.random.default_rng(n).integers(0, 256, (n, *shape), np.uint8)
    return Examples(jax.device_put(x), one_hot_rows(n, n, 3).astype(jnp.uint8), 1 / 255)


def report(net=SMALL, n=601, shape=(5,), batch_size=3, gradient=fnn.backprop, optimizer=DECAY, **held):
    examples = held.get("examples", images(n, shape))
    rule = Rule(net, COST, optimizer, gradient, batch_size)
    return check_training_loop(rule, fnn.init(net, KEY, shape), examples, KEY)


@pytest.mark.parametrize("gradient", [fnn.backprop, pytest.param(fnn.autodiff, marks=pytest.mark.campaign)])
@pytest.mark.parametrize(
    ("net", "n", "shape", "batch_size", "optimizer"),
    [
        (SMALL, 601, (5,), 3, SGD(0.5, 0.9, 0.1)),
        (SMALL, 20, (5,), 20, SGD(0.5)),
        (WIDE, 289, (mini_batches.BLOCK_INPUTS,), 3, SGD(0.5, 0.0, 0.1)),
        ((MaxPool(2), Flatten(), *SMALL), 70, (1, 4, 4), 7, SGD(0.5)),
    ],
    ids=["short-end", "one-step", "blocks", "images"],
)
def test_a_right_program_takes_the_plain_steps(net, n, shape, batch_size, optimizer, gradient):
    found = report(net, n, shape, batch_size, gradient, optimizer)
    assert found.ok, found
    assert found.gap < 1e-10
    assert "the training loop is right" in str(found)


def test_shifted_images_and_examples_in_their_file_are_compared_too(tmp_path):
    net, plain = (Flatten(), *SMALL), images(70, (1, 4, 4))
    assert report(net, shape=(1, 4, 4), examples=Shifted(plain)).steps == 117  # all
    np.save(tmp_path / "x.npy", np.asarray(plain.x))
    in_file = plain._replace(x=stored(tmp_path / "x.npy", 10**5))
    assert report(net, shape=(1, 4, 4), examples=in_file, batch_size=7).ok


def planted(monkeypatch, module, name, bug):
    """The function `name` of a module, with a bug in it."""
    monkeypatch.setattr(module, name, bug(getattr(module, name)))


def lose_weight_decay(block):
    return lambda rule, state, x, y: block(
        Rule(rule.net, rule.cost, SGD(rule.optimizer.eta), rule.gradient, rule.batch_size), state, x, y
    )


def scale_first_weights(block):
    def wrong(rule, state, x, y):
        (first, *others), v = block(rule, state, x, y)
        return (first._replace(W=first.W * (1 + 1e-6)), *others), v

    return wrong


def swap_mini_batches(block):
    def wrong(rule, state, x, y):
        B = rule.batch_size
        order = jnp.concatenate([jnp.arange(B, 2 * B), jnp.arange(B), jnp.arange(2 * B, len(x))])
        return block(rule, state, x[order], y[order])

    return wrong


def gather_wrong_rows(turn):
    return lambda examples, body, carry, rows: turn(examples, body, carry, rows.at[0, 0].set(rows[-1, -1]))


def skip_last_mini_batch(turn):
    return lambda examples, body, carry, rows: turn(examples, body, carry, rows[: max(1, len(rows) - 1)])


def repeat_an_example(of_epochs):
    return lambda *of: np.concatenate([of_epochs(*of)[:, :1], of_epochs(*of)[:, :1], of_epochs(*of)[:, 2:]], axis=1)


def leave_out_the_end(shapes):
    return lambda n, batch_size: (shapes(n, batch_size)[0], shapes(n, batch_size)[1], (1, 1, 0))


def one_turn_late(walk):
    return lambda size, examples, order, first, last, *rest: walk(size, examples, order, first + 1, last + 1, *rest)


BUGS = {
    "blocked_steps: L2 forgotten": (WIDE, blocked_steps, "block", lose_weight_decay),
    "blocked_steps: W scaled by 1.000001": (WIDE, blocked_steps, "block", scale_first_weights),
    "blocked_steps: two mini-batches swapped": (WIDE, blocked_steps, "block", swap_mini_batches),
    "mini_batches: a row gathered twice": (SMALL, segments, "turn", gather_wrong_rows),
    "mini_batches: a turn one mini-batch short": (SMALL, segments, "turn", skip_last_mini_batch),
    "mini_batches: the short mini-batch left out": (SMALL, segments, "shapes", leave_out_the_end),
    "order: an example twice": (SMALL, order, "_of_epochs", repeat_an_example),
    "segments: the turn after the one asked for": (SMALL, segments, "walk", one_turn_late),
}


@pytest.mark.parametrize(
    "bug", [pytest.param(bug, marks=[pytest.mark.campaign] * (k % 2)) for k, bug in enumerate(BUGS)]
)
def test_a_bug_planted_in_the_loop_is_seen(bug, monkeypatch):
    net, module, name, plant = BUGS[bug]
    planted(monkeypatch, module, name, plant)
    found = report(net, 289, (mini_batches.BLOCK_INPUTS,) if net is WIDE else (5,))
    assert not found.ok
    assert "the training loop is WRONG" in str(found)


@pytest.mark.parametrize("command", ["gradcheck", pytest.param("compare", marks=pytest.mark.campaign)])
def test_both_commands_end_with_1_when_the_loop_is_wrong(command, monkeypatch, capsys, tmp_path):
    config = tmp_path / "digits.toml"
    config.write_text(
        'seed = 0\n[data]\nsource = "digits"\n[network]\nlayers = [{ type = "Dense", units = 10 }]\n'
        'cost = "CrossEntropy"\n[training]\nbatch_size = 10\nepochs = 1\noptimizer = { type = "SGD", eta = 0.5 }\n'
    )
    assert cli.main([command, str(config)]) == 0
    assert "the training loop is right" in capsys.readouterr().out
    jax.clear_caches()
    planted(monkeypatch, segments, "turn", gather_wrong_rows)
    assert cli.main([command, str(config)]) == 1
    assert "the training loop is WRONG: after steps 1 to" in capsys.readouterr().out
