"""The arguments of `load_data` are refused by name if they are of another kind."""

from pathlib import Path

import numpy as np
import pytest

from fnn import InputError, load_data
from tests.helpers.data_files import saved, written

TABLE = "u,v,y\n" + "".join(f"{k},{k % 3},{'ab'[k % 2]}\n" for k in range(12))
WRONG = [
    *(("shape", value) for value in (2, "2", None, (2.0,), (True, 2), [[2]], (1, "2"))),
    *(("classes", value) for value in ("ab", None, 2)),
    *(("label", value) for value in (None, 2, ["y"], b"y")),
    *(("y", value) for value in (None, 3, b"y.npy")),
    *(("targets", value) for value in (None, True, "onehot")),
    *(("scale", value) for value in ("1", None, True, 1j, 10**400, np.array([0.5]))),
    *(("standardise", value) for value in ("no", "false", None, 1, 0.0)),
    *(("memory", value) for value in ("4", None, True)),
    *(("noise", value) for value in ("x", None, True)),
    *((name, value) for name in ("train", "validation", "test", "split_seed", "size", "seed") for value in (None, "1")),
]


@pytest.mark.parametrize(("name", "value"), WRONG, ids=str)
def test_another_kind_is_refused_by_name(name, value, tmp_path):
    with pytest.raises(InputError, match=rf"^{name}( = |: )") as error:
        load_data(written(tmp_path, TABLE), **{name: value})
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("source", [None, 3, b"t.csv", ["t.csv"]])
def test_a_source_is_a_text_or_a_path(source):
    with pytest.raises(InputError, match=r"^source = .*: expected a text"):
        load_data(source)


def test_paths_and_numbers_of_numpy_are_taken(tmp_path):
    path = Path(written(tmp_path, TABLE))
    data = load_data(
        path, shape=np.array([1, 2]), scale=np.float32(0.5), standardise=np.bool_(False), test=np.uint8(2), label="y"
    )
    assert (data.shape, data.train.scale, data.test.n) == ((1, 2), 0.5, 2)
    np.save(tmp_path / "x.npy", np.ones((4, 2)))
    np.save(tmp_path / "y.npy", np.arange(4) % 2)
    assert load_data(tmp_path / "x.npy", y=tmp_path / "y.npy", memory=1).train.n == 4


@pytest.mark.parametrize("noise", [-0.1, float("nan"), float("inf"), 1e38, 1e300])
def test_points_within_float32_are_generated(noise):
    with pytest.raises(InputError, match=r"^noise = .*: expected a standard deviation, 0 or more and at most 1e\+30"):
        load_data("moons", noise=noise)
    assert np.isfinite(load_data("spirals", noise=1e30).train.x).all()


def test_a_user_who_does_not_exist_is_named(tmp_path):
    x = saved(tmp_path, x=np.ones((4, 2)), y=np.arange(4) % 2)
    for name, given in {"source": ("~nobody-here/a.csv", {}), "y": (x[:-1] + "y", {"y": "~nobody-here/y.npy"})}.items():
        with pytest.raises(InputError, match=rf"^{name} = ~nobody-here/.*: there is no such user"):
            load_data(given[0], **given[1])


@pytest.mark.parametrize("hidden", ["\n", "\r", "\0"])
def test_a_path_with_an_invisible_character_is_shown_in_one_line(hidden):
    with pytest.raises(InputError, match=r"^source = 'a\\.*b\.csv': holds .*, a character that cannot be seen"):
        load_data(f"a{hidden}b.csv")
