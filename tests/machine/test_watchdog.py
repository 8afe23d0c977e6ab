"""A training that is stuck."""

import contextlib
import queue
import time

from fnn.machine.watchdog import Watchdog


def test_a_training_without_parts_is_stuck_and_its_threads_are_shown(monkeypatch, capfd):
    monkeypatch.setenv("FNN_WATCHDOG_SECONDS", "0.2")
    said = queue.Queue()
    with contextlib.closing(Watchdog(said.put)) as dog:
        dog()
        assert said.get(timeout=5).startswith("nothing went on for 0 s; above is where each thread")
    assert "test_watchdog.py" in capfd.readouterr().err


def test_a_training_with_parts_is_left_alone(monkeypatch):
    monkeypatch.setenv("FNN_WATCHDOG_SECONDS", "0.4")
    said = queue.Queue()
    with contextlib.closing(Watchdog(said.put)) as dog:
        for _ in range(8):
            time.sleep(0.1)
            dog()
    assert said.empty()


def test_no_part_is_stuck_before_twenty_times_the_longest_so_far(monkeypatch):
    monkeypatch.setenv("FNN_WATCHDOG_SECONDS", "0.1")
    said = queue.Queue()
    with contextlib.closing(Watchdog(said.put)) as dog:
        dog()
        dog()
        time.sleep(0.07)
        dog()
        time.sleep(0.5)
    assert said.empty()
