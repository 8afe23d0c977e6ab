"""What has changed since a training began, and whether that alters more than the order of sums."""

import pytest

from fnn.machine.environment import changed, modern, only_rounding

NOW = {"devices": {"kind": "cpu", "number": 1}, "processes": 1, "cores": 2, "data": "a", "versions": {"jax": "0.10.1"}}
FOUR = {"devices": {"kind": "cpu", "number": 4}, "processes": 2, "cores": 2}


def test_another_number_of_devices_and_processes_is_rounding():
    found = changed(NOW | FOUR, NOW)
    assert found == [
        "devices.number was 4, is 1 (equal to 1e-5, not to the bit)",
        "processes was 2, is 1 (equal to 1e-5, not to the bit)",
    ]
    assert only_rounding(found)
    assert only_rounding(changed({"environment": NOW | FOUR, "config": 1}, {"environment": NOW, "config": 1}))
    assert only_rounding([])


@pytest.mark.parametrize(
    "other", [{"data": "b"}, {"versions": {"jax": "0.12.0"}}, {"devices": {"kind": "H200", "number": 4}}, {"cores": 8}]
)
def test_anything_else_is_more_than_rounding(other):
    assert not only_rounding(changed(NOW | other, NOW))
    if other != {"cores": 8}:  # which differ where the hosts do
        assert not only_rounding(changed(NOW | FOUR | other, NOW))
    assert not only_rounding(changed({"environment": NOW | FOUR, "config": 1}, {"environment": NOW, "config": 2}))


def test_an_old_environment_that_lists_all_devices_is_the_same():
    old = NOW | {"devices": ["cpu", "cpu"]}
    assert changed(modern(old), NOW) == []
    assert modern(old, used=None)["devices"] == {"kind": "cpu", "number": 2}
    assert modern(NOW) == NOW
