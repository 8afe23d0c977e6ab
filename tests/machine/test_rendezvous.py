"""How processes meet, compare and notice a loss; threads with connections of their own stand for them."""

import queue
import socket
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from fnn.errors import InputError
from fnn.machine import peers
from fnn.machine.launchers import Place
from fnn.machine.rendezvous import meet, seconds_of
from tests.helpers.several_processes import free_port

SAME = {"jax": "0.10.1"}


@pytest.fixture
def threads():
    with ThreadPoolExecutor(4) as pool:
        yield pool


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setenv("FNN_START_SECONDS", "5")
    monkeypatch.setattr(peers, "AT_ONCE", 0.01)
    monkeypatch.setattr(peers, "BEAT", 0.05)


def places(count, port=None):
    port = port or free_port()
    return [Place("127.0.0.1", port, count, i) for i in range(count)]


def met(threads, count):
    """The connections of each of so many processes, and a queue of what each hears of a loss."""
    found = [future.result()[0] for future in [threads.submit(meet, place, SAME) for place in places(count)]]
    heard = [queue.Queue() for _ in found]
    for one, told in zip(found, heard, strict=True):
        one.watch(told.put)
    return found, heard


def close(found):
    for one in found:
        one._closed.set()
        for peer in one._peers.values():
            peer.close()


def test_values_are_exchanged_by_rank(threads):
    found, _ = met(threads, 3)
    for values in ([0, 10, 20], [None, {"a": [1]}, "é"]):
        futures = [threads.submit(one.exchange, value) for one, value in zip(found, values, strict=True)]
        assert [future.result(5) for future in futures] == 3 * [values]
    assert found[1].name(2) == f"process 2 of 3 ({socket.gethostname()})"
    for future in [threads.submit(one.close) for one in found]:
        future.result(5)


def test_one_process_needs_no_other():
    alone, _ = meet(places(1)[0], SAME)
    assert alone.exchange(7) == [7]


def test_a_process_whose_connection_ends_is_named_to_all(threads):
    found, heard = met(threads, 3)
    found[2]._closed.set()
    found[2]._peers[0].shutdown(socket.SHUT_RDWR)
    assert [told.get(timeout=5)[:2] for told in heard[:2]] == 2 * [(2, "was lost")]
    close(found)


def test_a_process_without_a_sign_of_life_is_lost(threads, monkeypatch):
    monkeypatch.setattr(peers, "SILENT", 0.5)
    place, port = places(2)
    future = threads.submit(meet, place, SAME)
    mute, _ = meet(port, SAME)  # it never watches, so it sends no beats
    one, heard = future.result()[0], queue.Queue()
    one.watch(heard.put)
    index, why, _ = heard.get(timeout=5)
    assert (index, why) == (1, "has given no sign of life for 0 s")
    close([one, mute])


def test_beats_are_signs_of_life(threads, monkeypatch):
    monkeypatch.setattr(peers, "SILENT", 0.4)
    found, heard = met(threads, 2)
    time.sleep(1)
    assert all(told.empty() for told in heard)
    close(found)


def test_who_waits_for_one_that_ends_with_an_error_of_its_input_hears_it(threads):
    found, _ = met(threads, 3)
    waiting = [threads.submit(found[i].exchange, None) for i in (0, 2)]
    found[1].say_goodbye(2, "no such file: x.csv.")
    for future in waiting:
        with pytest.raises(InputError, match=r"process 1 of 3 \(.*\) ended with status 2: no such file: x.csv$"):
            future.result(5)
    close(found)


def test_a_process_that_was_stopped_says_its_status(threads):
    found, heard = met(threads, 2)
    found[0].say_goodbye(143, "stopped by SIGTERM")
    lost = heard[1].get(timeout=5)
    assert (lost.index, lost.status) == (0, 143)
    close(found)


def test_missing_processes_are_named_to_those_that_came(threads, monkeypatch):
    monkeypatch.setenv("FNN_START_SECONDS", "0.7")
    four = places(4)
    for future in [threads.submit(meet, four[i], SAME) for i in (0, 2)]:
        with pytest.raises(
            InputError, match=rf"127.0.0.1:{four[0].port}: processes 1 and 3 of 4 did not come within 1 s"
        ):
            future.result(10)


def test_a_process_0_that_never_starts_is_named_with_its_address(monkeypatch):
    monkeypatch.setenv("FNN_START_SECONDS", "0.5")
    place = places(2)[1]
    with pytest.raises(InputError, match=rf"127.0.0.1:{place.port}: process 0 of 2 does not answer there .*refused"):
        meet(place, SAME)


@pytest.mark.parametrize("accepted", [True, False])
def test_a_process_0_that_ends_while_it_waits_ends_those_that_have_come_at_once(accepted, threads, monkeypatch):
    monkeypatch.setenv("FNN_START_SECONDS", "60")
    place = places(2)[1]
    with socket.create_server(("127.0.0.1", place.port)) as server:
        future = threads.submit(meet, place, SAME)
        if accepted:
            server.accept()[0].close()
        time.sleep(0.3)
    with pytest.raises(InputError, match="process 0 of 2 answered there, but ended before all had come"):
        future.result(5)


def test_a_late_process_0_is_waited_for(threads):
    first, second = places(2)
    future = threads.submit(meet, second, SAME)
    time.sleep(0.5)
    found = [meet(first, SAME)[0], future.result(5)[0]]
    assert [one.hosts for one in found] == 2 * [2 * [socket.gethostname()]]
    close(found)


@pytest.mark.parametrize(
    ("wrong", "about", "said"),
    [
        ({}, {"jax": "0.12.0"}, r"process 1 of 2 \(.*\) has jax 0.12.0, process 0 \(.*\) has 0.10.1"),
        ({"count": 3}, SAME, "process 1 .* expects 3 processes, process 0 2"),
    ],
)
def test_what_does_not_fit_is_said_to_both(threads, wrong, about, said):
    first, second = places(2)
    for future in [threads.submit(meet, first, SAME), threads.submit(meet, second._replace(**wrong), about)]:
        with pytest.raises(InputError, match=said):
            future.result(10)


def test_two_processes_of_one_number_are_told_so(threads):
    first, second, _ = places(3)
    futures = [threads.submit(meet, place, SAME) for place in (first, second, second)]
    for future in futures:
        with pytest.raises(InputError, match="there are two processes 1"):
            future.result(10)


def test_a_stranger_does_no_harm(threads):
    first, second = places(2)
    future = threads.submit(meet, first, SAME)
    time.sleep(0.2)
    with socket.create_connection((first.host, first.port)) as stranger:
        stranger.sendall(b"GET / HTTP/1.1\r\n\n")
    found = [meet(second, SAME)[0], future.result(5)[0]]
    assert [one.hosts for one in found] == 2 * [2 * [socket.gethostname()]]
    close(found)


def test_a_port_that_is_taken_is_said(threads):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        place = Place("127.0.0.1", taken.getsockname()[1], 2, 0)
        with pytest.raises(InputError, match="process 0 cannot listen there .* choose another port"):
            meet(place, SAME)


@pytest.mark.parametrize("text", ["0", "-1", "nan", "soon"])
def test_seconds_that_are_none_are_refused(text, monkeypatch):
    monkeypatch.setenv("FNN_WATCHDOG_SECONDS", text)
    with pytest.raises(InputError, match="FNN_WATCHDOG_SECONDS='.*': expected a number of seconds above 0"):
        seconds_of("FNN_WATCHDOG_SECONDS", 600.0)
