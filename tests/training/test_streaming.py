"""Training from a file is training in memory, bit for bit; a thread that reads ends with what it reads for."""

import math
import threading
import time
from dataclasses import dataclass

import jax
import numpy as np
import pytest

import fnn
from fnn import SGD, Dense, Examples, LogLikelihood
from fnn.data.on_disk import stored
from fnn.training import fitting, streaming
from fnn.training.fitting import resumed, start
from fnn.training.streaming import windows
from fnn.training.tasks import Task

NET, COST, KEY, SHAPE = (Dense(3),), LogLikelihood(), jax.random.key(1), (5,)
MOMENTUM, ROW = SGD(0.1, mu=0.9, lmbda=0.01), 5  # bytes of one input


def some(n, seed=0):
    rng = np.random.default_rng(seed)
    return Examples(
        rng.integers(0, 256, (n, *SHAPE), np.uint8), np.eye(3, dtype=np.uint8)[rng.integers(0, 3, n)], 1 / 255
    )


def streamed(tmp_path, examples, rows):
    """The same examples from a file, with memory for windows of so many rows."""
    path = tmp_path / f"{len(list(tmp_path.iterdir()))}.npy"
    np.save(path, examples.x)
    return examples._replace(x=stored(path, 3 * rows * ROW))


def params_of(net=NET):
    return fnn.init(net, jax.random.key(0), SHAPE)


def bits(tree):
    return [np.asarray(leaf).tobytes() for leaf in jax.tree.leaves(tree)]


def told(results):
    return [(r.epoch, *map(bits, (r.train, r.params, r.v)), r.progress) for r in results]


@pytest.fixture(autouse=True)
def no_thread_stays():
    before = threading.active_count()
    yield
    assert threading.active_count() == before


@pytest.mark.parametrize(
    ("n", "batch_size", "gradient", "budgets"),
    [
        # four turns of fifty mini-batches, and one left: windows of one turn, and of two
        (601, 3, fnn.backprop, [0, 400]),
        # mini-batches larger than a window should be, and a last, shorter one
        (700, 300, fnn.autodiff, [1]),
    ],
)
def test_the_same_bits_at_any_budget(tmp_path, monkeypatch, n, batch_size, gradient, budgets):
    monkeypatch.setattr("fnn.training.totals.ROWS_OF_A_CALL", 250)
    settings = {"batch_size": batch_size, "epochs": 2, "gradient": gradient}

    def trained(train):
        return told(fnn.fit(NET, COST, MOMENTUM, params_of(), train, KEY, **settings))

    whole = trained(some(n))
    for rows in budgets:
        assert trained(streamed(tmp_path, some(n), rows)) == whole


def test_a_training_goes_on_from_any_state_with_the_same_bits(tmp_path, monkeypatch):
    monkeypatch.setattr(fitting, "SEGMENT_SECONDS", 0.0)
    monkeypatch.setattr("fnn.training.totals.ROWS_OF_A_CALL", 250)
    in_memory = Task(NET, COST, MOMENTUM, some(601), KEY, 3, 2)
    from_file, states = in_memory._replace(train=streamed(tmp_path, some(601), 320)), []
    whole = told(resumed(in_memory, start(in_memory, params_of()), states.append))
    assert told(resumed(from_file, start(from_file, params_of()))) == whole
    assert {state.step for state in states} == {0, 50, 100, 150, 200, 201}
    for state in states[1::4]:  # windows of two turns begin wherever the training does
        assert told(resumed(from_file, state)) == whole[state.epochs :]


def test_evaluation_is_the_same_sum(tmp_path):
    examples, params = some(10_003), params_of()  # two whole parts, and a third
    assert bits(fnn.evaluate(NET, COST, params, streamed(tmp_path, examples, 1))) == bits(
        fnn.evaluate(NET, COST, params, examples)
    )


@pytest.mark.long
def test_a_divergence_is_the_same_one(tmp_path):
    clean = some(601)
    broken = clean._replace(y=clean.y.astype(np.float32))
    broken.y[123, 1] = np.nan
    said = []
    for train in (broken, streamed(tmp_path, broken, 320)):
        with pytest.raises(fnn.DivergedError) as caught:
            list(fnn.fit(NET, COST, MOMENTUM, params_of(), train, KEY, batch_size=3, epochs=2))
        said.append(str(caught.value))
    assert said[0] == said[1]


@dataclass
class Ones:
    """Inputs of somebody's own: all ones, noting what is read; from read number `bad` on it fails, or does not end."""

    shape: tuple[int, ...]
    log: list
    bad: float = math.inf
    error: type = LookupError
    memory: float = 3.0 * 150 * 4 * ROW
    dtype = np.dtype(np.float32)

    def __getitem__(self, i):
        rows = np.arange(self.shape[0])[i]
        self.log.append(len(rows))
        return Ones((len(rows), *SHAPE), self.log, self.bad, self.error)

    def blocks(self):
        if len(self.log) >= self.bad and self.error is not TimeoutError:
            raise self.error("the disk is gone")
        while len(self.log) >= self.bad:
            assert len(self.log) < 3000, "nobody has stopped this read"
            self.log.append(0)
            time.sleep(0.001)
            yield np.arange(0), np.ones((0, *SHAPE), self.dtype)
        yield np.arange(self.shape[0]), np.ones(self.shape, self.dtype)


def ones(n, **fields):
    return Examples(Ones((n, *SHAPE), [], **fields), np.eye(3, dtype=np.uint8)[np.arange(n) % 3])


def test_the_memory_holds_all_copies_of_a_window():
    assert streaming.capacity(ones(601, memory=3.0 * 150 * 4 * ROW).x) == 150


def test_the_next_window_is_read_while_one_is_used():
    examples = ones(30)
    for k, window in enumerate(windows(examples, ((i, slice(i, i + 10)) for i in (0, 10, 20)), (1, 10))):
        for _ in range(1000):
            if len(examples.x.log) == min(3, k + 2):
                break
            time.sleep(0.001)
        assert len(examples.x.log) == min(3, k + 2)  # one ahead, and never two
        assert bits(window.take(np.arange(10 * k, 10 * k + 10)).y) == bits(examples.y[10 * k : 10 * k + 10])


def test_what_the_thread_raises_arrives():
    with pytest.raises(LookupError, match="the disk is gone"):
        list(fnn.fit(NET, COST, MOMENTUM, params_of(), ones(601, bad=3), KEY, batch_size=3, epochs=1))


@pytest.mark.parametrize("error", [KeyError, KeyboardInterrupt])
def test_whoever_ends_the_training_waits_for_no_read(error):
    def stop(state):
        if state.step:
            raise error

    task = Task(NET, COST, MOMENTUM, ones(601, bad=3, error=TimeoutError), KEY, 3, 1)
    with pytest.raises(error):  # while the thread is in a read that does not end
        next(resumed(task, start(task, params_of()), stop))
    assert len(task.train.x.log) < 3000


def test_whoever_waits_for_a_read_can_stop(monkeypatch):
    monkeypatch.setattr(streaming, "WAIT_SECONDS", 0.01)
    seen = []

    def stop(state):
        seen.append(state)
        if len(seen) == 5:
            raise KeyError

    task = Task(NET, COST, MOMENTUM, ones(601, bad=2, error=TimeoutError), KEY, 3, 1)
    with pytest.raises(KeyError):
        next(resumed(task, start(task, params_of()), stop))
    assert [state.step for state in seen] == 5 * [0]
    assert len(task.train.x.log) < 3000


@pytest.mark.parametrize("kind", ["train", "validation", "test", "shifted"])
def test_where_examples_must_be_in_memory_that_is_said(tmp_path, kind):
    here = some(20)
    there = streamed(tmp_path, here, 5)
    if kind == "shifted":
        began = fnn.fit(NET, COST, MOMENTUM, params_of(), fnn.Shifted(there), KEY, batch_size=4, epochs=1)
    else:
        train, validation, test = (there if kind == part else here for part in ("train", "validation", "test"))
        params = jax.tree.map(lambda leaf: leaf[None], params_of())
        began = fnn.sweep(
            NET, COST, MOMENTUM, params, train, KEY, batch_size=4, epochs=1, validation=validation, test=test
        )
    with pytest.raises(ValueError, match="examples in memory, got some left in their file; give load_data more memory"):
        next(began)
