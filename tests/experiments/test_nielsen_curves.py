"""The book's curves: the data file, the bands, the conventions, and once through everything, quickly."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import fnn
from experiments.nielsen import chance_deviations, curves, other_conventions, page, shared_seeds, training
from experiments.nielsen.bands import best_of, inside, left_out, place
from fnn.data import sources
from tests.helpers.support import assert_trees_close, draw, draw_params, one_hot_rows

pytestmark = pytest.mark.long
needs_mnist = pytest.mark.skipif(
    not any(source.name == "mnist" and source.present for source in sources()),
    reason="MNIST is not here; set FNN_DATA_DIR to the folder that has it",
)


@pytest.fixture(autouse=True)
def lenient(strict):
    """Experiments are written as a user writes, who has not asked JAX to be strict."""
    with jax.numpy_rank_promotion("allow"), jax.numpy_dtype_promotion("standard"):
        yield


def curve(name, part, measure):
    return next(c for c in training.CURVES[name] if (c["set"], c["measure"]) == (part, measure))


@pytest.mark.parametrize(
    ("name", "part", "measure", "at", "value"),
    [
        ("overfitting", "test", "accuracy", 374, 82.27),
        ("overfitting", "test", "cost", 14, 1.20284),
        ("overfitting_full", "train", "accuracy", 29, 97.864),
        ("regularized", "train", "cost", 399, 0.115391),
        ("regularized_full", "test", "cost", 0, 4.30728),
        ("weight_initialization_30_new", "validation", "accuracy", 0, 92.7),
        ("weight_initialization_100_old", "validation", "accuracy", 29, 97.42),
        ("multiple_eta_2.5", "train", "cost", 5, 1.13659),
        ("error_norms_4", "train", "error norm of hidden layer 4", 0, 0.285139),
    ],
)
def test_the_data_file_has_the_landmarks(name, part, measure, at, value):
    assert curve(name, part, measure)["values"][at] == value


def test_every_curve_is_as_long_as_its_training():
    for name, shown in training.CURVES.items():
        for c in shown:
            assert len(c["values"]) == len(c.get("epochs", c["values"])) <= training.SETTINGS[name].epochs
            assert max(c.get("epochs", [len(c["values"])])) in (
                training.SETTINGS[name].epochs,
                training.SETTINGS[name].measured[-1],
            )


def test_a_run_in_the_middle_is_inside_and_a_far_one_is_not():
    curves = np.arange(32.0)[:, None] + np.zeros((32, 5))
    assert inside(curves, curves[16]) == 1
    assert inside(curves, curves[31]) == inside(curves, curves[0]) == 0
    assert inside(curves, np.array([16, 16, 16, 40, 40.0])) == 0.6


def test_our_own_runs_lie_in_their_band_as_often_as_chance_has_it():
    curves = np.random.default_rng(0).standard_normal((32, 2000))
    # a new draw lies between the interpolated 5th and 95th percentile of m: (0.9 (m - 1) + ...)/(m + 1), m = 31
    assert np.mean(left_out(curves, np.arange(2000))) == pytest.approx(0.9 * 30 / 32, abs=0.01)


def test_a_run_from_elsewhere_is_a_deviation_and_one_of_ours_is_not():
    curves = np.random.default_rng(0).standard_normal((33, 30))
    there = np.arange(30)
    assert place(curves[1:], curves[0] + 5, there).rank == 1 / 33
    assert place(curves[1:], curves[0] + 5, there).difference == pytest.approx(5, abs=0.5)
    assert place(curves[1:], curves[0], there).rank > page.RARE


def test_the_best_of_three_is_the_one_with_the_highest_peak():
    curves = np.array([[1.0, 5], [4, 2], [3, 3], [0, 6]])
    assert best_of(curves, 1).tolist() == curves.tolist()
    assert sorted(best_of(curves, 3)[:, 1].tolist()) == [5, 6, 6, 6]


def test_the_penalty_is_divided_by_the_size_of_the_set_measured_on():
    setting = training.SETTINGS["regularized_full"]
    found = {"test_cost": np.zeros((1, 30)), "train_cost": np.zeros((1, 30)), "squares": np.full((1, 30), 2.0)}
    on_test, on_train = (training.ours(setting, found, curve("regularized_full", s, "cost")) for s in ("test", "train"))
    assert on_test[0, 0] == 5 / 10_000
    assert on_train[0, 0] == 5 / 50_000


def test_accuracies_are_compared_as_the_decimals_they_are():
    found = {"test_accuracy": np.array([[0.9412]], np.float32)}
    ours = training.ours(training.SETTINGS["chapter1_30"], found, curve("chapter1_30", "test", "accuracy"))
    assert ours.item() == 94.12


def test_the_books_epochs_are_found_among_ours():
    at, values = training.in_common(training.SETTINGS["overfitting"], curve("overfitting", "test", "cost"))
    assert values[14] == 1.20284
    assert training.SETTINGS["overfitting"].measured[at[[14, 30, -1]]].tolist() == [15, 40, 400]
    setting = training.SETTINGS["error_norms_2"]
    at, values = training.in_common(setting, training.CURVES["error_norms_2"][0])
    assert setting.measured[at[[0, -1]]].tolist() == [0, 499]  # before the first update, before the last
    assert len(values) == 99


def test_runs_of_one_seed_are_told_from_others():
    rng, names = np.random.default_rng(0), ("overfitting", "regularized")
    luck = rng.standard_normal((8, 67))
    found = {
        name: {
            "test_accuracy": luck + 0.1 * rng.standard_normal((8, 67)),
            "train_accuracy": luck + 0.1 * rng.standard_normal((8, 67)),
            "test_cost": luck,
            "train_cost": rng.standard_normal((8, 67)),
            "squares": np.zeros((8, 67)),
        }
        for name in names
    }
    same = [row[3] for row in shared_seeds.rows({name: training.SETTINGS[name] for name in names}, found)]
    others = [row[4] for row in shared_seeds.rows({name: training.SETTINGS[name] for name in names}, found)]
    assert [float(text.split()[0]) > 0.9 for text in same] == [True, True, True, False]
    assert all(abs(float(text.split()[0])) < 0.3 for text in others)


def test_every_trap_names_a_curve():
    for trap in other_conventions.TRAPS:
        assert training.CURVES[trap.name][trap.curve]


def small(seeds):
    """Networks [4,3,2,2] of that many seeds, with 20 examples."""
    net = training.net((4, 3, 2, 2), fnn.Normal(1.0))
    singles = [draw_params(net, seed, (4,)) for seed in range(seeds)]
    (x,) = draw(1, (20, 4))
    return net, singles, jax.tree.map(lambda *p: jnp.stack(p), *singles), fnn.Examples(x, one_hot_rows(2, 20, 2))


def test_each_seed_is_trained_as_fnn_trains_it():
    net, singles, params, examples = small(8)
    keys, sgd = jax.random.split(jax.random.key(1), 8), fnn.SGD(0.5, 0.0, 0.01)
    together = training._epoch(net, fnn.CrossEntropy(), sgd, params, examples, keys, 7, batch_size=5)
    for i in (0, 7):
        key = jax.random.fold_in(keys[i], 7)
        alone, _ = fnn.epoch(net, fnn.CrossEntropy(), sgd, singles[i], (), examples, key, batch_size=5)
        assert_trees_close(jax.tree.map(lambda p, i=i: p[i], together), alone)


def test_error_norms_are_those_before_each_update():
    net, (_, one), params, examples = small(2)
    sgd, cost, by_jax = fnn.SGD(0.5, 0.0, 0.01), fnn.CrossEntropy(), jax.jit(fnn.autodiff)
    norms = training._error_norms(net, cost, sgd, params, examples, updates=2)
    for step in range(2):
        _, gradient = by_jax(net, cost, one, examples.x, examples.y)
        for k, layer in ((1, 0), (2, 2)):
            found = norms[f"error norm of hidden layer {k}"][1, step]
            assert found == pytest.approx(np.linalg.norm(gradient[layer].b), rel=1e-4)
        one, _ = sgd.update(one, (), gradient)


@needs_mnist
def test_a_figure_from_training_to_page(tmp_path):
    settings = {name: training.quickened(setting) for name, setting in training.SETTINGS.items()}
    curves.write(["chapter1"], settings, 1, tmp_path, tmp_path)
    text = (tmp_path / "NIELSEN_CURVES.md").read_text(encoding="utf-8")
    assert text.count("| chapter1_30 | accuracy, test set |") == 2  # its place, and its trap
    assert (tmp_path / "nielsen_curves" / "chapter1.png").stat().st_size > 10_000
    before = (tmp_path / "chapter1_30-0.npz").stat()
    assert training.kept(settings["chapter1_30"], tmp_path)["test_accuracy"].shape == (8, 3)
    assert (tmp_path / "chapter1_30-0.npz").stat() == before


@pytest.mark.parametrize(("shift", "book", "as_many"), [(0.0, 0, "100%"), (100.0, 2, "0%")])
def test_deviations_by_chance_are_those_of_our_own_seeds(monkeypatch, shift, book, as_many):
    rng = np.random.default_rng(0)
    runs = iter(rng.standard_normal((2, 40, 9)) + rng.standard_normal((2, 40, 1)))
    monkeypatch.setattr(chance_deviations, "compared", lambda *_: (next(runs), np.full(9, shift), np.arange(9)))
    found = {name: {"any": np.zeros(40)} for name in ("weight_initialization_30_new", "weight_initialization_30_old")}
    ((curves, seeds, deviations, mean, most, share),) = chance_deviations.rows(training.SETTINGS, found)
    assert (curves, seeds, deviations, share) == (2, 40, book, as_many)
    assert 0 < float(mean) <= most <= 2
    assert list(chance_deviations.rows(training.SETTINGS, {"weight_initialization_30_new": {"any": np.zeros(8)}})) == []
