"""How processes begin: what JAX is given, and what is said where it would abort this process."""

import threading

import jax
import pytest

from fnn.errors import InputError
from fnn.machine import starting
from fnn.machine.launchers import Place


@pytest.fixture
def ended(monkeypatch):
    """The statuses with which this process would end."""
    statuses = []
    monkeypatch.setattr(starting.signals, "end", statuses.append)
    return statuses


def test_a_process_that_jax_does_not_join_in_time_ends_with_a_line(monkeypatch, capfd, ended):
    monkeypatch.setenv("FNN_START_SECONDS", "0.1")
    monkeypatch.setattr(jax.config, "update", lambda *_: None)
    monkeypatch.setattr(jax.distributed, "initialize", lambda **_: threading.Event().wait(1))
    starting._initialize()
    assert ended == [2]
    assert capfd.readouterr().err == (
        "fnn: --distributed: JAX has not joined all processes within 0 s; start all of them, and look whether process "
        "0 has ended.\n"
    )


def test_a_process_that_is_joined_goes_on(monkeypatch, ended):
    monkeypatch.setenv("FNN_START_SECONDS", "0.1")
    monkeypatch.setattr(jax.config, "update", lambda *_: None)
    given = {}
    monkeypatch.setattr(jax.distributed, "initialize", lambda **how: given.update(how))
    starting._initialize(num_processes=2)
    threading.Event().wait(0.3)
    assert ended == []
    assert (given["num_processes"], given["initialization_timeout"]) == (2, starting.LATER)


def test_no_scheduler_is_an_error_at_once(monkeypatch, ended):
    def nothing_found(**_):
        raise ValueError("coordinator_address should be defined.")

    monkeypatch.setattr(jax.config, "update", lambda *_: None)
    monkeypatch.setattr(jax.distributed, "initialize", nothing_found)
    with pytest.raises(InputError, match="there is no scheduler that JAX knows .* coordinator_address should"):
        starting._found_by_jax()


@pytest.mark.parametrize("text", ["host 123", "10.0.0.7 65535", "n" * 253 + ".example 1"])
def test_what_process_0_says_is_what_all_hear(text):
    assert starting._said_by_first(text) == text


def test_an_address_of_ipv6_is_written_in_brackets(monkeypatch):
    given = {}
    monkeypatch.setattr(starting, "meet", lambda place, about: (None, 7))
    monkeypatch.setattr(starting, "_initialize", lambda **how: given.update(how))
    starting._found_at(Place("::1", 5, 2, 1, 3))
    assert given["coordinator_address"] == given["coordinator_bind_address"] == "[::1]:7"
    assert given["local_device_ids"] == [3]
