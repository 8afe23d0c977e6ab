"""One training on several devices, of one process and of many, is that on one device."""

import ast
import pathlib

import jax
import numpy as np
import pytest

import fnn
from fnn import SGD, Dense, Examples, LogLikelihood, Shifted, Sigmoid
from fnn.training import mini_batches, spreading, streaming
from tests.helpers.spread_cases import CASES, bits, some, together

SOURCE = pathlib.Path(fnn.__file__).parent
ROUNDING = 1e-5  # the largest relative difference; about 4e-7 is usual


def holds(ranks, names):
    """All processes have the same bits, which are those of one device up to rounding."""
    for name in names:
        assert len({rank[name]["digest"] for rank in ranks}) == 1, name
        assert all(rank[name]["difference"] < ROUNDING for rank in ranks), (name, ranks)


@pytest.mark.long
def test_two_processes_train_on_a_file_of_which_each_reads_its_own_rows():
    holds(together(2, 2, ["file"]), ["file"])


@pytest.mark.long
def test_eight_devices_train_as_one_does():
    names = ["images", "sweep", "collectives"]
    holds(together(1, 8, names), names)


@pytest.mark.campaign
@pytest.mark.parametrize(("processes", "devices"), [(1, 8), (2, 2), (4, 2)])
@pytest.mark.parametrize("name", CASES)
def test_all_cases(name, processes, devices):
    holds(together(processes, devices, [name]), [name])


@pytest.mark.long
def test_a_mesh_of_one_device_gives_the_bits_of_none():
    net = Dense(mini_batches.BLOCK_UNITS), Sigmoid(), Dense(3)  # in blocks of steps
    examples, here = some(40, (500,)), jax.devices()[:1]
    params = fnn.init(net, jax.random.key(0), (500,))

    def trained(train):
        found = fnn.fit(net, LogLikelihood(), SGD(0.5), params, train, jax.random.key(1), batch_size=8, epochs=1)
        return [bits((result.params, result.train)) for result in found]

    assert trained(fnn.spread(examples, here)) == trained(examples)


def test_who_names_a_mesh_a_sharding_or_a_process():
    words = ("mesh", "sharding", "process_", "psum")
    naming = set()
    for path in SOURCE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [getattr(node, field, None) for field in ("id", "attr", "arg", "name")]
            if any(isinstance(name, str) and word in name.lower() for name in names for word in words):
                naming.add(path.relative_to(SOURCE).as_posix())
    training = {"training/spreading.py", "training/streaming.py", "training/sweeping.py"}
    machine = {f"machine/{name}.py" for name in ("devices", "environment", "processes", "starting")}
    assert training | machine == naming


def test_a_process_by_itself_agrees_with_itself_and_asks_no_device(programs):
    before = dict(programs)
    mesh = spreading.mesh_of(jax.devices()[:1])
    assert spreading.agreed(mesh, 0.1, 3) == (0.1, 3)  # in float64
    assert spreading.agreement(some(4))(0.1) == (0.1,)
    assert dict(programs) == before


def test_rows_that_the_devices_do_not_divide_are_filled_up():
    mesh = spreading.mesh_of(jax.devices()[:1])
    rows = np.arange(6).reshape(2, 3)
    assert streaming._own(rows, mesh).tolist() == rows.tolist()
    window = streaming._joined(rows, 3, mesh)
    assert np.asarray(window).tolist() == rows.tolist()


def test_rows_of_spread_examples_are_the_rows():
    shifted = Shifted(Examples(np.arange(18, dtype=np.uint8).reshape(2, 1, 3, 3), np.eye(2, dtype=np.uint8)))
    for examples in (some(7), shifted):
        found = fnn.spread(examples, jax.devices()[:1])
        assert (found.n, found.shape, found.dtype) == (examples.n, examples.shape, examples.dtype)
        i = np.array([3, 1, 6])
        assert bits((found.take(i), found.rows(i), found.y)) == bits((examples.take(i), examples.rows(i), examples.y))
        assert bits(found.rows(slice(1, 5))) == bits(examples.rows(np.arange(1, 5)))


@pytest.mark.parametrize(
    ("examples", "devices", "error", "message"),
    [
        (np.ones(3), None, TypeError, r"spread got a ndarray; expected Examples\(x, y\) or Shifted\(examples\)\."),
        (some(4), 2, TypeError, r"devices=2: expected a list of devices, such as jax.devices\(\)\[:2\]\."),
        (some(4), [], ValueError, r"devices=\[\]: expected at least one device, and each of them once\."),
    ],
)
def test_what_cannot_be_spread(examples, devices, error, message):
    with pytest.raises(error, match=message):
        fnn.spread(examples, devices)


def test_a_device_is_named_once():
    with pytest.raises(ValueError, match="each of them once"):
        fnn.spread(some(4), jax.devices()[:1] * 2)


def test_examples_are_shifted_first_and_spread_then():
    images = fnn.spread(Examples(np.ones((4, 1, 3, 3), np.uint8), np.eye(4, dtype=np.uint8)), jax.devices()[:1])
    with pytest.raises(TypeError, match=r"expected spread\(Shifted\(...\)\)"):
        fnn.evaluate((Dense(4),), LogLikelihood(), (), Shifted(images))


def test_a_part_is_not_spread_elsewhere_than_the_examples_to_train_on():
    net, part = (Dense(3),), fnn.spread(some(4), jax.devices()[:1])
    params = fnn.init(net, jax.random.key(0), (12,))
    with pytest.raises(ValueError, match="validation is spread over other devices than train; spread train alone"):
        list(
            fnn.fit(
                *(net, LogLikelihood(), SGD(0.5), params, some(4), jax.random.key(1)),
                **{"batch_size": 2, "epochs": 1, "validation": part},
            )
        )
