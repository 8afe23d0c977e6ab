"""Signals: a wish that is heard, a second one that ends at once, and everything as it was afterwards."""

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from fnn.errors import StoppedError
from fnn.machine.signals import stopped, wishes


def test_no_signal_is_lost_while_handlers_change(monkeypatch):
    order, wakeup, handler = [], signal.set_wakeup_fd, signal.signal
    monkeypatch.setattr(
        signal, "set_wakeup_fd", lambda *args, **options: order.append("fd") or wakeup(*args, **options)
    )
    monkeypatch.setattr(signal, "signal", lambda *args: order.append("handler") or handler(*args))
    with wishes():
        pass
    assert order == ["fd", "handler", "handler", "handler", "handler", "fd"]


@stopped("it is kept")
def stopped_twice(ended):
    """The second signal comes while the first one's error is on its way."""
    try:
        os.kill(os.getpid(), signal.SIGINT)
    finally:
        assert not ended
        os.kill(os.getpid(), signal.SIGTERM)


def test_a_second_signal_ends_at_once_what_the_first_one_is_being_saved_by(monkeypatch, capfd):
    ended = []
    monkeypatch.setattr(os, "_exit", ended.append)
    with pytest.raises(StoppedError, match="stopped by SIGINT; it is kept"):
        stopped_twice(ended)
    assert ended == [143]
    assert "ended at once" in capfd.readouterr().err


TWICE = """
import hashlib, os, sys, threading, time
from fnn.machine.signals import wishes
def send():
    for number in (15, 15):
        os.kill(os.getpid(), number)
        time.sleep(0.2)
with wishes() as wish:
    threading.Timer(0.1, send).start()
    hashlib.pbkdf2_hmac("sha256", b"", b"", 200_000_000)  # minutes in compiled code
"""


def test_a_second_signal_ends_the_process_at_once():
    start = time.monotonic()
    command = [sys.executable, "-c", TWICE]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=30)
    assert ended.returncode == 143
    assert "ended at once" in ended.stderr
    assert time.monotonic() - start < 5


AT_ONCE = """
import hashlib, os, sys, threading
from fnn.machine.signals import end_at_once, stopped
end_at_once()
print("what was printed is written")
threading.Timer(0.1, os.kill, (os.getpid(), int(sys.argv[1]))).start()
def compute():
    hashlib.pbkdf2_hmac("sha256", b"", b"", 200_000_000)  # minutes in compiled code
if sys.argv[2]:
    with stopped(sys.argv[2]):
        compute()
compute()
"""


@pytest.mark.parametrize(
    ("number", "kept"), [(signal.SIGINT, ""), (signal.SIGTERM, ""), (signal.SIGTERM, "it is kept")]
)
def test_a_signal_ends_a_process_at_once_that_has_nothing_to_save(number, kept):
    command = [sys.executable, "-c", AT_ONCE, str(int(number)), kept]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=30)
    assert ended.returncode == 128 + number
    assert ended.stdout == "what was printed is written\n"
    assert ended.stderr == f"fnn: stopped by {number.name}{'; ' * bool(kept)}{kept}\n"


STUCK = """
import os, threading
from fnn.machine.signals import end_at_once
end_at_once()
threading.Timer(0.1, os.kill, (os.getpid(), 15)).start()
while True:
    print("nobody reads this")
"""


def test_a_signal_ends_a_process_whose_reader_is_stuck():
    reader, writer = os.pipe()
    try:
        process = subprocess.Popen([sys.executable, "-c", STUCK], stdout=writer, stderr=subprocess.DEVNULL)
        assert process.wait(30) == 143
    finally:
        os.close(reader)
        os.close(writer)


AT_THE_END = """
import os, sys, time
from fnn.machine import signals
said = signals._say
signals._say = lambda line: (time.sleep(0.3), said(line))
signals.end_at_once()
if sys.argv[1] == "before":
    os.kill(os.getpid(), 15)
signals.command_done()
os.kill(os.getpid(), 15)
os.kill(os.getpid(), 2)
"""


@pytest.mark.parametrize(("moment", "status", "said"), [("before", 143, "fnn: stopped by SIGTERM\n"), ("after", 0, "")])
def test_a_signal_at_the_end_of_a_command_decides_its_status_or_is_ignored(moment, status, said):
    ended = subprocess.run([sys.executable, "-c", AT_THE_END, moment], capture_output=True, text=True, timeout=30)
    assert (ended.returncode, ended.stderr) == (status, said)


def test_afterwards_signals_and_open_files_are_as_they_were():
    before, opened = (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)), os.listdir("/dev/fd")
    with wishes() as wish:
        assert signal.getsignal(signal.SIGTERM) != before[1]
        assert not wish.number
    assert signal.set_wakeup_fd(-1) == -1
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before
    assert set(os.listdir("/dev/fd")) <= set(opened)


def test_signals_are_for_the_main_thread_alone():
    def number():
        with wishes() as wish:
            return wish.number

    with ThreadPoolExecutor() as pool:
        assert pool.submit(number).result() == 0
