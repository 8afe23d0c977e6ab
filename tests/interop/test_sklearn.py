"""`fnn.interop.sklearn`: scikit-learn's own checks, its tools with our estimators, the same bits after a pause."""

import pickle

import jax
import numpy as np
import pytest

import fnn
from fnn import SGD, Conv, CrossEntropy, Dense, EarlyStopping, Flatten, HalveOnPlateau, LogLikelihood, Quadratic, ReLU
from tests.conftest import COMPILED
from tests.helpers.support import Swish, assert_trees_close, draw, unoptimised
from tests.helpers.support import compiled as quick

pytest.importorskip("sklearn")
pd = pytest.importorskip("pandas")

import joblib  # noqa: E402 (not before it is known that scikit-learn is here)
from sklearn.base import clone  # noqa: E402
from sklearn.exceptions import NotFittedError  # noqa: E402
from sklearn.model_selection import GridSearchCV, cross_val_score  # noqa: E402
from sklearn.pipeline import make_pipeline  # noqa: E402
from sklearn.preprocessing import MinMaxScaler  # noqa: E402
from sklearn.utils.estimator_checks import parametrize_with_checks  # noqa: E402

from fnn.interop.sklearn import Classifier, Regressor  # noqa: E402
from fnn.interop.sklearn_training import WeightedLogLikelihood, units  # noqa: E402

FULL = {"dtype": "float64", "batch_size": 10**9}  # full batches
NOT_EXACT = {
    "check_sample_weight_equivalence_on_dense_data": "a row of weight 2 is in one mini-batch, two equal rows are in two"
}


@pytest.fixture(autouse=True, scope="module")
def quickly_compiled():
    """Every program here runs for milliseconds."""
    with unoptimised():
        yield


def expected(estimator):
    return NOT_EXACT if isinstance(estimator, Classifier) else {}


@parametrize_with_checks([Regressor(), Classifier()], expected_failed_checks=expected, xfail_strict=True)
def test_scikit_learns_checks(estimator, check):
    check(estimator)


@pytest.mark.long
@parametrize_with_checks([Regressor(**FULL), Classifier(**FULL)])
def test_scikit_learns_checks_in_float64_with_full_batches(estimator, check):
    check(estimator)


X = np.random.default_rng(0).normal(3.0, 2.0, (60, 4))
NAMES = np.array(["red", "green", "blue"])
Y = NAMES[(X[:, :3] + [0, 0.1, 0.2]).argmax(axis=1)]
Z = X[:, 0] * 2 - X[:, 1] ** 2
WEIGHT = np.random.default_rng(0).permutation(60) % 3  # 60 rows in all, 40 of which are others
SMALL = {"hidden": (5,), "epochs": 6, "random_state": 0}
LEARNS = SMALL | {"eta": 0.1, "epochs": 30}


def known(model):
    """All bits that the next epoch depends on."""
    return [np.asarray(leaf).tobytes() for leaf in jax.tree.leaves(tuple(model._known))]


@pytest.fixture
def compiled(programs):
    """How many programs were compiled since the last call."""
    before = [programs[COMPILED]]

    def count():
        before.append(programs[COMPILED])
        return before[-1] - before[-2]

    return count


# what it learns


def test_classes_are_told_by_their_names():
    model = Classifier(**LEARNS).fit(X, Y)
    assert model.classes_.tolist() == ["blue", "green", "red"]
    assert model.score(X, Y) > 0.9
    p = model.predict_proba(X)
    assert p.dtype == np.float64
    np.testing.assert_allclose(p.sum(axis=1), 1, atol=1e-12)
    np.testing.assert_array_equal(model.classes_[p.argmax(axis=1)], model.predict(X))
    assert p[Y == "red", 2].mean() > 0.8


def test_quantities_are_told_in_their_own_units():
    model = Regressor(**LEARNS).fit(X, Z)
    assert model.score(X, Z) > 0.9
    assert model.predict(X).dtype == np.float64
    other = Regressor(**LEARNS).fit(X * 1000 + 5, Z * 1e6 - 7e6)
    np.testing.assert_allclose(other.predict(X * 1000 + 5), model.predict(X) * 1e6 - 7e6, atol=1e4)
    assert other.y_units_.sd.shape == (1,)


def test_several_quantities_each_have_their_units():
    model = Regressor(**LEARNS).fit(X, np.stack([Z, 1e9 - X[:, 2]], axis=1))
    told = model.predict(X)
    assert told.shape == (60, 2)
    assert np.corrcoef(told[:, 1], X[:, 2])[0, 1] < -0.9
    assert abs(told[:, 1].mean() - 1e9) < 10


def test_units_are_those_of_weighted_rows_and_of_columns_that_never_vary():
    x, weight = np.random.default_rng(1).normal(1e6, 1e-3, (7, 2)), np.array([1, 2, 0, 1, 3, 1, 2])
    x = np.concatenate([x, np.full((7, 1), 0.1)], axis=1)
    got, repeated = units(x, weight), np.repeat(x, weight, axis=0)
    np.testing.assert_allclose(got.mean[:2], repeated[:, :2].mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(got.sd[:2], repeated[:, :2].std(axis=0), rtol=1e-6)
    assert (got.mean[2], got.sd[2]) == (0.1, 1.0)
    np.testing.assert_allclose(got.back(got.of(x)), x)
    assert units(x * 1e-200, weight).sd[0] > 0  # whose squares are 0


# scikit-learn's tools


def test_it_goes_through_a_pipeline_a_grid_and_a_cross_validation():
    frame, labels = pd.DataFrame(X, columns=list("abcd")), pd.Series(Y)
    nets = [(Dense(3),), (Dense(5), Swish(), Dense(3))]
    model = make_pipeline(MinMaxScaler().set_output(transform="pandas"), Classifier(epochs=20, random_state=0))
    grid = GridSearchCV(model, {"classifier__eta": [1e-4, 0.1], "classifier__net": nets}, cv=2).fit(frame, labels)
    assert grid.best_params_["classifier__eta"] == 0.1
    assert grid.best_score_ > 0.7
    assert grid.best_estimator_[-1].feature_names_in_.tolist() == list("abcd")
    assert clone(grid.best_estimator_)[-1].net == grid.best_params_["classifier__net"]
    assert cross_val_score(Regressor(**LEARNS), frame, Z, cv=2).mean() > 0.3


def test_threads_of_joblib_train_side_by_side_in_their_own_precision():
    before = jax.config.jax_enable_x64
    alone = [Classifier(**SMALL, dtype=dtype).fit(X, Y) for dtype in ["float32", "float64"]]
    with joblib.parallel_backend("threading"):
        side_by_side = joblib.Parallel(n_jobs=4)(
            joblib.delayed(Classifier(**SMALL, dtype=dtype).fit)(X, Y) for dtype in 2 * ["float32", "float64"]
        )
    assert list(map(known, side_by_side)) == 2 * list(map(known, alone))
    assert [m.params_[0].W.dtype for m in alone] == ["float32", "float64"]
    assert jax.config.jax_enable_x64 == before


# the same bits


@pytest.mark.parametrize(("dtype", "mu"), [("float32", 0.9), ("float64", 0.9), ("float32", 0)], ids=str)
def test_partial_fit_goes_on_to_the_same_bits(dtype, mu):
    settings = SMALL | {"dtype": dtype, "mu": mu, "schedule": HalveOnPlateau(2)}
    whole = Classifier(**settings).fit(X, Y)
    little_by_little = Classifier(**settings)
    half = Classifier(**settings | {"epochs": 3}).fit(X, Y)
    for i in range(6):
        little_by_little.partial_fit(X, Y, classes=NAMES if i == 0 else None)
        little_by_little = pickle.loads(pickle.dumps(little_by_little))
        if i >= 3:
            half.partial_fit(X, Y)
    assert known(little_by_little) == known(half) == known(whole)
    assert half.n_iter_ == 6
    assert little_by_little.loss_curve_ == half.loss_curve_ == whole.loss_curve_
    assert half.predict_proba(X).tobytes() == whole.predict_proba(X).tobytes()


def test_a_model_in_a_file_of_joblib_goes_on_to_the_same_bits(tmp_path):
    half = Regressor(**SMALL | {"epochs": 3}).fit(X, Z)
    joblib.dump(half, tmp_path / "model")
    loaded = joblib.load(tmp_path / "model", mmap_mode="r")
    assert loaded.predict(X).tobytes() == half.predict(X).tobytes()
    assert known(loaded.partial_fit(X, Z).partial_fit(X, Z)) == known(Regressor(**SMALL | {"epochs": 5}).fit(X, Z))


def test_a_seed_is_a_training_and_the_state_of_a_generator_goes_on():
    assert known(Regressor(**SMALL).fit(X, Z)) == known(Regressor(**SMALL).fit(X, Z))
    random = np.random.RandomState(0)
    one, two = (Regressor(**SMALL | {"random_state": random}).fit(X, Z) for _ in range(2))
    assert known(one) == known(Regressor(**SMALL).fit(X, Z)) != known(two)


def test_a_shape_seen_before_compiles_nothing_and_a_new_one_two_programs(compiled):
    for model, y in ((Classifier(**SMALL), Y), (Regressor(**SMALL), Z)):
        model.fit(X, y).predict(X)
        compiled()
        clone(model).set_params(eta=0.02, mu=0.5, lmbda=0.01, random_state=1).fit(X * 2, y[::-1]).predict(X[:50])
        assert compiled() == 0
    model.fit(X[:57, :3], y[:57])
    assert compiled() == 2  # training, evaluation
    model.fit(X[:57, 1:], y[:57])
    assert compiled() == 0


# weights


def test_a_weight_of_two_is_two_rows_and_a_weight_of_0_is_none():
    again = np.repeat(np.arange(60), WEIGHT)
    weighted, repeated = (
        Classifier(**SMALL | FULL).fit(X, Y, WEIGHT),
        Classifier(**SMALL | FULL).fit(X[again], Y[again]),
    )
    np.testing.assert_allclose(weighted.predict_proba(X), repeated.predict_proba(X), rtol=1e-10)
    plain = Classifier(**SMALL | FULL).fit(X, Y)
    assert abs(weighted.predict_proba(X) - plain.predict_proba(X)).max() > 1e-3
    kept = WEIGHT > 0  # in mini-batches too
    assert known(Classifier(**SMALL).fit(X, Y, kept)) == known(Classifier(**SMALL).fit(X[kept], Y[kept]))


def test_only_ratios_of_weights_count_and_ones_are_none():
    one, two = (Classifier(**SMALL | FULL).fit(X, Y, k * WEIGHT) for k in (1, 1000))
    np.testing.assert_allclose(one.predict_proba(X), two.predict_proba(X), rtol=1e-10)
    assert known(Classifier(**SMALL).fit(X, Y, np.ones(60))) == known(Classifier(**SMALL).fit(X, Y))


def test_weighted_rows_have_the_exact_gradient():
    net = (Dense(3),)
    with jax.enable_x64(True):
        x, y = draw(0, (5, 4), (5, 3))
        params = fnn.init(net, jax.random.key(0), (4,))
        gradients = (quick(f)(net, WeightedLogLikelihood(), params, x, y) for f in (fnn.backprop, fnn.autodiff))
        assert_trees_close(*gradients)


@pytest.mark.parametrize("cost", [CrossEntropy(), Quadratic()], ids=repr)
def test_weights_that_would_not_be_exact_are_refused(cost):
    with pytest.raises(
        ValueError, match=r"sample_weight is exact for LogLikelihood\(\) alone, and cost=" + type(cost).__name__
    ):
        Classifier(cost=cost).fit(X, Y, np.ones(60))
    with pytest.raises(TypeError, match="sample_weight"):
        Regressor().fit(X, Z, sample_weight=np.ones(60))


# early stopping


NOISE = np.random.default_rng(2).normal(size=60)  # nothing to learn
EARLY = LEARNS | {"epochs": 200, "validation_fraction": 0.3}


def test_the_best_epoch_on_the_validation_part_is_kept():
    model = Regressor(**EARLY, schedule=EarlyStopping(4)).fit(X, NOISE)
    assert len(model.validation_scores_) == len(model.loss_curve_) == model.n_iter_ < 200
    best = model._known.start.progress.epoch
    assert best < model.n_iter_
    assert model.validation_scores_[best - 1] == max(model.validation_scores_)
    assert known(Regressor(**EARLY | {"epochs": best}).fit(X, NOISE)) == known(model)


def test_a_validation_part_alone_stops_early_and_its_rows_are_not_trained_on():
    model = Regressor(**EARLY).fit(X, NOISE)
    assert 10 < model.n_iter_ < 200
    assert not np.allclose(model.x_units_.mean, X.mean(axis=0))


def test_every_class_has_its_share_of_the_validation_part():
    model = Classifier(**SMALL, validation_fraction=0.5)
    drawn = []
    model._train = lambda X, y, weight, epochs, validation: drawn.append((y, validation.y))
    model.fit(X[:24], np.repeat(NAMES, [4, 8, 12]))
    (train, validation), *_ = drawn
    assert np.bincount(train).tolist() == validation.sum(axis=0).tolist() == [6, 4, 2]


# a net, a cost, an optimiser of the user's


def test_a_net_with_filters_takes_examples_of_its_shape():
    net = (Conv(2, 2), ReLU(), Flatten(), Dense(3))
    model = Classifier(net=net, shape=(1, 2, 2), **{k: v for k, v in SMALL.items() if k != "hidden"}).fit(X, Y)
    assert model.net_ == net
    assert set(model.predict(X)) <= set(NAMES)


def test_a_cost_and_a_layer_of_the_users_are_taken():
    model = Classifier(**SMALL, activation=Swish(), cost=CrossEntropy(), optimizer=SGD(0.1)).fit(X, Y)
    assert model.net_[1] == Swish()
    assert model.predict(X).shape == (60,)
    with pytest.raises(ValueError, match=r"outputs of CrossEntropy\(\) are no probabilities; those of LogLikelihood"):
        model.predict_proba(X)


def test_what_it_has_learnt_is_a_net_of_fnn():
    model = Classifier(**SMALL).fit(X, Y)
    z = fnn.predict(model.net_, model.cost_, model.params_, model.x_units_.of(X).astype(np.float32))
    np.testing.assert_allclose(z, model.predict_proba(X), atol=1e-6)


# errors

WRONG = {
    "net and hidden": ({"net": (Dense(3),), "hidden": (4,)}, ValueError, "net and hidden are both given"),
    "optimizer and eta": ({"optimizer": SGD(1.0), "eta": 0.1}, ValueError, "optimizer and eta are both given"),
    "a number": ({"hidden": 30}, TypeError, r"Classifier\(hidden=30\): expected a tuple of widths"),
    "an activation": ({"activation": "relu"}, ValueError, r"activation='relu'\): expected 'ReLU', 'LeakyReLU'"),
    "outputs": ({"net": (Dense(4),)}, ValueError, r"outputs of shape \(4,\), y has 3 classes; .* Dense\(3\)"),
    "a shape": ({"shape": (2, 3)}, ValueError, r"shape=\(2, 3\)\): an example has 6 numbers, X has 4 features"),
    "a dtype": ({"dtype": "float16"}, ValueError, r"dtype='float16'\): expected 'float32' or 'float64'"),
    "a part": ({"validation_fraction": 2}, ValueError, r"validation_fraction=2\): expected a part of the rows"),
    "a batch": ({"batch_size": 0}, ValueError, r"Classifier\(batch_size=0\): expected at least 1"),
    "no whole batch": ({"batch_size": "32"}, TypeError, r"batch_size='32'\): expected a whole number, got a str"),
    "epochs": ({"epochs": -1}, ValueError, r"Classifier\(epochs=-1\): expected at least 0"),
    "a rate": ({"eta": -0.1}, ValueError, r"SGD\(eta=-0.1\): expected at least 0"),
    "the class of a cost": ({"cost": LogLikelihood}, TypeError, "expected a cost, such as LogLikelihood"),
    "a schedule": ({"schedule": "early"}, TypeError, "expected a schedule, such as"),
}


@pytest.mark.parametrize(("given", "kind", "said"), WRONG.values(), ids=WRONG)
def test_a_wrong_parameter_is_told_in_one_line(given, kind, said):
    with pytest.raises(kind, match=said) as caught:
        Classifier(**given).fit(X, Y)
    assert "\n" not in str(caught.value)


def test_a_regressor_says_in_which_units_its_cost_is():
    with pytest.raises(ValueError, match="y is trained on in units of its deviation, and CrossEntropy is for desired"):
        Regressor(cost=CrossEntropy()).fit(X, np.linspace(0, 1, 60))


def test_what_is_not_fitted_and_other_columns_are_told_as_scikit_learn_does():
    frame = pd.DataFrame(X, columns=list("abcd"))
    for model, y in ((Classifier(**SMALL), Y), (Regressor(**SMALL), Z)):
        with pytest.raises(NotFittedError):
            model.predict(X)
        model.fit(frame, y)
        assert model.n_features_in_ == 4
        with pytest.raises(ValueError, match="feature names should match"):
            model.predict(frame[list("dcba")])
        with pytest.raises(ValueError, match="X has 3 features, but .* is expecting 4 features as input"):
            model.fit(X, y).predict(X[:, :3])


def test_a_training_that_failed_leaves_nothing_fitted():
    model = Regressor(**SMALL).fit(X, Z)
    with pytest.raises(ValueError, match="float16"):
        model.set_params(dtype="float16").fit(X, Z)
    with pytest.raises(NotFittedError):
        model.predict(X)


def test_partial_fit_needs_to_know_the_classes():
    with pytest.raises(ValueError, match="the first call of partial_fit needs classes"):
        Classifier().partial_fit(X, Y)
    with pytest.raises(ValueError, match="is one class only"):
        Classifier().partial_fit(X, Y, classes=["red"])
    model = Classifier(**SMALL).partial_fit(X[:30], Y[:30], classes=NAMES)
    with pytest.raises(ValueError, match="differ from those of the first call"):
        model.partial_fit(X, Y, classes=["red", "blue"])
    with pytest.raises(ValueError, match="y has the label 'pink', which is not in classes"):
        model.partial_fit(X, np.where(Y == "red", "pink", Y))
    with pytest.raises(ValueError, match="partial_fit has no validation part; set validation_fraction=None"):
        model.set_params(validation_fraction=0.1).partial_fit(X, Y)


def test_partial_fit_does_not_pretend_to_train_after_the_schedules_end():
    model = Regressor(**SMALL | {"epochs": 50, "schedule": EarlyStopping(1), "eta": 1e-30}).fit(X, Z)
    with pytest.raises(ValueError, match=r"EarlyStopping\(patience=1\) has ended this training after 2 epochs"):
        model.partial_fit(X, Z)


def test_partial_fit_keeps_the_units_and_the_outputs_of_the_first_call():
    model = Regressor(**SMALL).partial_fit(X, Z)
    first = model.x_units_, model.y_units_
    model.partial_fit(X[:7] + 100, Z[:7] * 9)
    assert (model.x_units_, model.y_units_) == first
    with pytest.raises(ValueError, match=r"y has shape \(60, 2\); expected 1 columns, as before"):
        model.partial_fit(X, np.stack([Z, Z], axis=1))
