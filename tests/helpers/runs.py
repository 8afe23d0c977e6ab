"""Run directories, as tests look at them."""

import json
import os
import signal
import time


def only(folder):
    (path,) = folder.iterdir()
    return path


def bytes_of(folder):
    """Params and metrics, without the times."""
    lines = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    return (folder / "params.npz").read_bytes(), [{k: v for k, v in line.items() if k != "seconds"} for line in lines]


def stopping(monkeypatch, keeper_class):
    """`stop(k, number)`: the k-th time that a training gives control back it gets the signal; the list of all times."""

    def stop(k, number=signal.SIGTERM):
        calls, call = [], keeper_class.__call__

        def counted(keeper, state):
            calls.append(state)
            if len(calls) == k:
                os.kill(os.getpid(), number)
                deadline = time.monotonic() + 5
                while not keeper.wish.number and time.monotonic() < deadline:
                    time.sleep(0.001)
            call(keeper, state)

        monkeypatch.setattr(keeper_class, "__call__", counted)
        return calls

    return stop
