"""Several processes of `fnn` on this machine, joined by --distributed, with which a test may do what it likes."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

COMMAND = "import sys; from fnn.cli import main; sys.exit(main())"


def free_port():
    """A port of this machine that nobody listens at."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


class Ranks:
    """N processes of one training, each with its own stdout and stderr in `folder`."""

    def __init__(
        self,
        folder,
        arguments,
        count=2,
        devices=1,
        environment=(),
        before=(),
        late=(),
        absent=(),
        cwd=(),
        own=(),
        variables=None,
    ):
        """Starts them.

        Args:
            folder: For what they print.
            arguments: Of `fnn`, without --distributed.
            count: N.
            devices: That each of them has.
            environment: Variables for all of them.
            before: By rank, Python code that it runs first: what a process does that goes wrong.
            late: By rank, the seconds after which it starts.
            absent: Ranks that never start.
            cwd: By rank, its working directory.
            own: By rank, arguments that it alone has.
            variables: Those that a launcher would set for a rank, given the rank and a free port; --distributed then
                says nothing.
        """
        before, late, cwd, own = dict(before), dict(late), dict(cwd), dict(own)
        self.folder, self.count, self.port = Path(folder), count, free_port()
        self.folder.mkdir(parents=True, exist_ok=True)
        self.begun, self.ended, self.processes = time.monotonic(), {}, {}
        for i in sorted(set(range(count)) - set(absent), key=lambda i: late.get(i, 0)):
            time.sleep(max(0, self.begun + late.get(i, 0) - time.monotonic()))
            where = ["--distributed", *([] if variables else [f"127.0.0.1:{self.port},{count},{i}"])]
            alone = variables(i, self.port) if variables else {}
            command = [sys.executable, "-c", f"{before.get(i, '')}\n{COMMAND}", *arguments, *own.get(i, ()), *where]
            with (self.folder / f"{i}.out").open("w") as out, (self.folder / f"{i}.err").open("w") as err:
                self.processes[i] = subprocess.Popen(
                    command,
                    stdout=out,
                    stderr=err,
                    env=os.environ
                    | {"JAX_NUM_CPU_DEVICES": str(devices), "JAX_PLATFORMS": "cpu"}
                    | dict(environment)
                    | alone,
                    cwd=cwd.get(i),
                )

    def out(self, i):
        """What rank i has printed so far."""
        return (self.folder / f"{i}.out").read_text()

    def err(self, i):
        """What rank i has said on stderr so far."""
        return (self.folder / f"{i}.err").read_text()

    def until(self, text, seconds=60.0, rank=0):
        """Waits until a rank has printed a text."""
        end = time.monotonic() + seconds
        while text not in self.out(rank) and time.monotonic() < end and self.processes[rank].poll() is None:
            time.sleep(0.05)
        assert text in self.out(rank), (self.out(rank), self.err(rank))

    def send(self, number=signal.SIGKILL, *ranks):
        """Sends a signal to these ranks, or to all; `seconds` counts from now."""
        self.begun = time.monotonic()
        for i in ranks or self.processes:
            self.processes[i].send_signal(number)

    def wait(self, seconds=60.0, but=()):
        """The statuses of all ranks `but` these; whoever is still there after so long is killed, with status -9."""
        end = time.monotonic() + seconds
        waited = {i: process for i, process in self.processes.items() if i not in but}
        while len(self.ended.keys() & waited.keys()) < len(waited) and time.monotonic() < end:
            for i, process in waited.items():
                if i not in self.ended and process.poll() is not None:
                    self.ended[i] = time.monotonic() - self.begun
            time.sleep(0.02)
        for process in self.processes.values():
            if process.poll() is None:
                process.kill()
            process.wait()
        return {i: process.returncode for i, process in waited.items()}
