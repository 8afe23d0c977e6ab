"""The benchmark's contestants compute one update; what they take for it is no matter of tests."""

import platform
import sys

import numpy as np
import pytest

from experiments.benchmark import by_c, contestants, measuring, report
from experiments.benchmark.cases import PRESETS, cases, with_own_orders
from experiments.benchmark.contestants import disagreement
from experiments.benchmark.tasks import Data, Unavailable, conv_net, small_net, wide_net

pytestmark = pytest.mark.long
WIDTHS = (784, 17, 10)  # not a whole number of vectors
NETWORKS = 2
APART = contestants.SWEEP_ORDERS, contestants.NUMPY, contestants.FLOOR  # the loop over networks is the same for all


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(0)
    x = rng.integers(0, 256, (64, 784), dtype=np.uint8)
    return Data(x, np.eye(10, dtype=np.uint8)[rng.integers(0, 10, 64)])


def agrees(contestant, tasks):
    try:
        apart = disagreement(contestant, tasks)
    except (ImportError, Unavailable) as missing:
        pytest.skip(f"{contestant.name} is not here: {missing}")
    assert apart <= 1


@pytest.fixture
def as_users_run_it():
    """The peers' own code knows nothing of the strict promotion that these tests otherwise run with."""
    import jax

    with jax.numpy_rank_promotion("allow"), jax.numpy_dtype_promotion("standard"):
        yield


@pytest.mark.usefixtures("as_users_run_it")
@pytest.mark.filterwarnings("default")
class TestUpdates:
    """One update, whoever computes it."""

    @pytest.mark.parametrize("contestant", contestants.STEP, ids=lambda contestant: contestant.name)
    def test_of_the_step(self, contestant, data):
        agrees(contestant, [small_net(data, widths=WIDTHS)])

    @pytest.mark.parametrize("contestant", contestants.WIDE, ids=lambda contestant: contestant.name)
    def test_of_the_wide_net(self, contestant, data):
        agrees(contestant, [wide_net(data, widths=(784, 24, 24, 10), batch_size=16)])

    @pytest.mark.parametrize("contestant", contestants.CONVOLUTION[2:], ids=lambda contestant: contestant.name)
    def test_of_two_layers_of_filters(self, contestant, data):
        agrees(contestant, [conv_net(data, (2, 3), batch_size=4, units=5)])

    @pytest.mark.parametrize("contestant", contestants.PAIRED, ids=lambda contestant: contestant.name)
    def test_of_networks_that_share_an_order(self, contestant, data):
        agrees(contestant, [small_net(data, seed, widths=WIDTHS, eta=1.0 + seed) for seed in range(NETWORKS)])

    @pytest.mark.parametrize("contestant", APART, ids=lambda contestant: contestant.name)
    def test_of_networks_with_orders_of_their_own(self, contestant, data):
        tasks = [small_net(data, seed, widths=WIDTHS, eta=1.0 + seed) for seed in range(NETWORKS)]
        agrees(contestant, with_own_orders(tasks))


class Wrong(contestants.Contestant):
    """NumPy with another learning rate."""

    def own(self, task):
        return task

    def trainer(self, tasks):
        return contestants.NUMPY.trainer([task._replace(eta=task.eta * (1 + 1e-4)) for task in tasks])


def test_a_contestant_with_another_update_is_refused(data):
    wrong = Wrong("wrong", "by_numpy")
    assert disagreement(wrong, [small_net(data)]) > 1
    assert "another update" in contestants.refusal(wrong, [small_net(data)])


class Unlucky(contestants.Contestant):
    """Another update on the first mini-batch, as when the last bit decides a pool's winner."""

    def own(self, task):
        return task

    def trainer(self, tasks):
        first = (tasks[0].data.x[0] == self.costs["first"]).all()
        return contestants.NUMPY.trainer([task._replace(eta=task.eta * (1 + 1e-4 * first)) for task in tasks])


def test_two_right_updates_that_differ_on_one_mini_batch_agree_on_another(data):
    assert disagreement(Unlucky("unlucky", "by_numpy", costs={"first": data.x[0]}), [small_net(data)]) <= 1


def test_a_contestant_that_is_not_installed_is_refused_in_one_line(data):
    absent = contestants.Contestant("absent", "by_nothing")
    reason = contestants.refusal(absent, [small_net(data)])
    assert reason.startswith("not here:")
    assert "\n" not in reason


def test_nan_is_no_agreement(data):
    task = small_net(data)
    lost = [(np.full_like(W, np.nan), b) for W, b in task.start]
    assert contestants._apart(task.start, lost, task.start) == np.inf


@pytest.mark.parametrize("arguments", [["quick"], ["full", "--cases", "step"]])
def test_a_part_does_not_take_the_place_of_the_whole(arguments, monkeypatch, capsys):
    from experiments.benchmark.__main__ import main

    monkeypatch.setattr(sys, "argv", ["benchmark", *arguments])
    with pytest.raises(SystemExit):
        main()
    assert "needs a FOLDER of its own" in capsys.readouterr().err


def test_cases_come_in_the_order_of_their_names(data):
    named = [case.name for case in cases(PRESETS["quick"], data, ["wide", "convolution", "step"])]
    assert named == ["wide", *["convolution"] * 4, "step"]


@pytest.mark.parametrize("names", [["step"], ["width", "convolution"], ["step", "convolution", "networks"]])
def test_some_of_the_cases_have_a_page_and_a_picture(names, data, tmp_path):
    rng = np.random.default_rng(0)
    measured = [case._asdict() for case in cases(PRESETS["quick"]._replace(crowds=(1, 4)), data, names)]
    for case in measured:
        case["rows"] = [
            {"contestant": e.contestant.name, "value": e.value, "flops": e.flops, "trains": e.trains, "note": ""}
            | {"refusal": "", "samples": rng.uniform(1, 2, 3).tolist()}
            for e in case["entries"]
        ]
    machine = {"processor": "abacus", "cores": 2, "awake": False, "devices": ["A100"], "floor": "AVX2", "held": False}
    results = {"start": {}, "cases": measured, "memory": [], "machine": machine}
    results |= {"versions": {}, "images": "", "preset": "quick"}
    assert report.page(results).count("**") == 2 * len(measured)
    assert "the C floor uses AVX2; " in report.page(results)
    pytest.importorskip("matplotlib")
    from experiments.benchmark.picture import draw

    draw(results, tmp_path / "picture.png")
    assert (tmp_path / "picture.png").stat().st_size > 10_000


def test_ratios_are_taken_within_a_round():
    slow, fast = {"samples": [2.0, 20.0, 6.0]}, {"samples": [1.0, 10.0, 2.0]}
    assert report.ratio(slow, fast) == 2.0


def timings(*rows):
    """Rows of one case; the first of a pair is the contestant."""
    return [
        {"contestant": name, "value": 0, "trains": name != "product", "note": "one core", "samples": samples}
        for name, samples in rows
    ]


def test_what_is_slower_than_a_contestant_is_no_floor():
    rows = timings(("fnn, backprop", [2.0, 2.0]), ("NumPy", [5.0, 5.0]), (contestants.FLOOR.name, [3.0, 4.0]))
    measuring.rename_floors(rows)
    assert [row["contestant"] for row in rows] == ["fnn, backprop", "NumPy", "C, no floor"]
    assert rows[-1]["note"] == "one core; slower than fnn, backprop"


def test_a_floor_is_the_fastest_of_those_that_train():
    rows = timings(("fnn, backprop", [2.0, 2.0]), ("product", [0.1, 0.1]), (contestants.FLOOR.name, [1.0, 1.0]))
    rows.append(rows[0] | {"value": 30, "samples": [0.5, 0.5]})  # another size
    measuring.rename_floors(rows)
    assert rows[2]["contestant"] == contestants.FLOOR.name


@pytest.mark.parametrize("flags", [["-mno-avx512f"], ["-mno-avx512f", "-mno-avx2", "-mno-avx"]], ids=str)
def test_the_floor_for_shorter_vectors_computes_the_same_update(flags, data, monkeypatch):
    if platform.machine() != "x86_64":
        pytest.skip("flags of x86")
    run = by_c._run
    monkeypatch.setattr(by_c, "_run", lambda cc, *words: run(cc, *words[:1], *flags * ("-c" in words), *words[1:]))
    by_c.compiled.cache_clear()
    try:
        assert by_c.instruction_set() in ("AVX2", "AVX", "vectors of 4 numbers")
        agrees(contestants.FLOOR, [small_net(data, widths=WIDTHS)])
        agrees(contestants.FLOOR, [small_net(data, widths=(784, 30, 10))])
        agrees(contestants.FLOOR, [small_net(data, widths=(784, 37, 10))])
    finally:
        by_c.compiled.cache_clear()
