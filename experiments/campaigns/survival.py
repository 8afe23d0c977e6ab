"""What a run survives: kills, power cuts, full disks, broken and hostile files, signals. Prints the figures.

    python -m experiments.campaigns.survival [kills] [points] [command] [power] [full] [flips] [mutations] [signals]

It takes about 8 minutes. Seen on one core of a busy machine, with Python 3.11 and JAX 0.10.1:

kills      180 kill -9 at random moments of saving, 129 of them in the middle of a save. No checkpoint that was said to
           be safe was lost, none was unreadable, and no temporary file was left after the next start.
points     59 more kills, one before each operation of a save and of the pruning after it (22 kinds): the same.
command    20 kill -9 of `fnn run` itself, resumed each time. It never went back behind the last checkpoint, left no
           temporary file, and ended with the bytes of the undisturbed run.
power      9,678 states that a power cut could leave: every prefix of the operations, with unsynced changes lost, kept
           or zeroed, alone and at random. All had the last checkpoint that was promised. No corrupt one was accepted.
full       212 errors (no space, quota, I/O, read-only) at the n-th operation, and 9 at a real limit on file size. The
           old checkpoint loads each time, and there is no temporary file.
flips      1,000 changed bytes and all 82 truncations at steps of 1 KiB: all are rejected.
mutations  10,010 mutated checkpoints, params, configs, csv, npz and IDX files: none but the documented errors. A file
           takes at most 0.09 s (under 1 s is wanted) and 1.1 MiB beside its bytes (under 64 is wanted). A checkpoint
           is accepted only if its bytes are those that were written. This found one bug: a config.json without
           layers was a bare ValueError.
signals    10 SIGTERMs, all inside an epoch or its evaluation. The run saved, ended with status 143 after at most 3.2 s
           under load (0.1 s alone), and ended with the bytes of the undisturbed run.
"""

import contextlib
import errno
import hashlib
import json
import os
import pathlib
import random
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import tracemalloc

import numpy as np

from fnn.errors import CorruptFileError, InputError
from fnn.storage import checkpoints, files
from fnn.storage.checkpoints import Checkpoint
from tests.helpers.disks import Deadly, Disk, Full, Recorder
from tests.helpers.hostile import mutated

SHAPE = (100, 100)
REHASHED = "checkpoint: arrays.npz under a right hash"
TEMPLATE = {"params.0.W": ("<f4", SHAPE), "v.0.W": ("<f4", SHAPE)}
CONFIG = """name = "survivor"
[data]
source = "digits"
test = 297
[network]
layers = [{ type = "Dense", units = 30 }, { type = "Sigmoid" }, { type = "Dense", units = 10 }]
cost = "CrossEntropy"
[training]
optimizer = { type = "SGD", eta = 0.1, mu = 0.9 }
batch_size = 10
epochs = 400
"""


def must(holds, what=""):
    """End the script if this does not hold."""
    if not holds:
        raise SystemExit(f"does not hold: {what or sys._getframe(1).f_code.co_name}")


def checkpoint(step):
    """The one checkpoint of a step."""
    W = np.random.default_rng(step).random(SHAPE, np.float32)
    return Checkpoint(step, {"params.0.W": W, "v.0.W": -W}, {"epochs": step}, b'{"epoch": 1}\n' * (step % 50))


def latest(folder):
    """The step of the latest checkpoint, -1 if there is none; every bit of it is compared."""
    found = checkpoints.latest(folder, TEMPLATE).latest
    if found is None:
        return -1
    expected = checkpoint(found.step)
    must((found.state, found.metrics) == (expected.state, expected.metrics))
    must(all((found.arrays[name] == a).all() for name, a in expected.arrays.items()))
    return found.step


def child(folder, point):
    """Save one checkpoint after the other and print each that is safe; die at operation `point` of the third."""
    folder = pathlib.Path(folder)
    files.remove_temporaries([folder.parent, folder])
    strays = len(list(folder.parent.rglob("*.tmp-*")))
    print(f"start {strays}", flush=True)
    for step in range(latest(folder) + 1, 10**9):
        if point >= 0 and step % 3 == 2:
            files.os = Deadly(point)
        checkpoints.save(folder, checkpoint(step))
        print(f"saved {step}", flush=True)


def one_kill(folder, point=-1, seconds=0.0):
    """Start the child and kill it, or let it die at a point: strays at its start, last step told, latest step."""
    command = [sys.executable, "-m", __spec__.name, "--child", str(folder), str(point)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    first = process.stdout.readline()
    if point < 0:
        time.sleep(seconds)
        process.kill()
    said = first + process.stdout.read()
    must(process.wait() == -signal.SIGKILL, process.returncode)
    told = [int(line.split()[1]) for line in said.splitlines(keepends=True)[1:] if line.endswith("\n")]
    return int(first.split()[1]), told[-1] if told else -1, latest(folder)


def kills(folder, number=180):
    """Kill -9 at random moments of the saving."""
    rng, lost, strays, before, interrupted = random.Random(0), 0, 0, -1, 0
    for _ in range(number):
        stray, told, found = one_kill(folder / "checkpoints", seconds=rng.uniform(0, 0.05))
        interrupted += any(folder.rglob("*.tmp-*"))
        strays, lost = strays + stray, lost + (found < max(told, before))
        before = found
    said = f"{number} kills at random: {lost} lost a checkpoint, 0 unreadable, {strays} strays after the next start"
    return f"{said}; {interrupted} hit the middle of a save; {before + 1:,} checkpoints"


def points(folder):
    """Kill -9 before every operation of one save, the pruning of an old checkpoint included."""
    recorder = Recorder()
    (folder / "record").mkdir()
    for step in range(3):
        files.os = recorder if step == 2 else os
        checkpoints.save(folder / "record" / "checkpoints", checkpoint(step))
    files.os = os
    names = [f"{kind} {pathlib.Path(rest[0]).name.split('.tmp-')[0]}" for kind, *rest in recorder.log]
    lost = strays = 0
    for point in range(len(names)):
        home = folder / f"point{point}"
        home.mkdir()
        _, told, found = one_kill(home / "checkpoints", point)
        stray, *_ = one_kill(home / "checkpoints", seconds=0.02)
        lost, strays = lost + (found < told), strays + stray
    different = ", ".join(dict.fromkeys(names))
    return (
        f"{len(names)} kills, one before each operation: {lost} lost a checkpoint, {strays} strays; before {different}"
    )


def fnn(*words, wait=True, **settings):
    """The command line in a process of its own."""
    code = "import sys; from fnn import cli, plots; plots.available = bool; sys.exit(cli.main(sys.argv[1:]))"
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True} | settings
    process = subprocess.Popen([sys.executable, "-c", code, *map(str, words)], **pipes)
    return (process, *process.communicate()) if wait else process


def outcome(folder):
    """A run's params and its metrics without times, once it is finished."""
    (run,) = (path for path in folder.iterdir() if (path / "result.json").exists())
    return (run / "result.json").read_bytes()


def command(folder, number=20):
    """Kill -9 the real command line at random moments, resume it, and compare the end with an undisturbed run."""
    config = folder / "survivor.toml"
    config.write_text(CONFIG, encoding="utf-8")
    words = ["run", config, "--checkpoint", 0, "--resume", "--out"]
    must(fnn(*words, folder / "whole")[0].returncode == 0)
    rng, resumed, killed, back = random.Random(1), 0, 0, 0
    while killed < number:
        process = fnn(*words, folder / "runs", wait=False)
        saved = folder / "runs"
        before = max((path.name for path in saved.rglob("step-*")), default="")
        deadline = time.monotonic() + 60
        while max((p.name for p in saved.rglob("step-*")), default="") <= before and process.poll() is None:
            time.sleep(0.005)
            must(time.monotonic() < deadline)
        time.sleep(rng.uniform(0, 0.1))
        process.kill()
        out, error = process.communicate()
        if process.returncode == 0:
            break
        must(process.returncode == -signal.SIGKILL, error)
        killed += 1
        resumed += "going on after" in out
        back += max((path.name for path in saved.rglob("step-*")), default="") < before
    done, _, error = fnn(*words, folder / "runs")
    must(done.returncode == 0, error)
    strays = len(list((folder / "runs").rglob("*.tmp-*")))
    same = outcome(folder / "runs") == outcome(folder / "whole")
    said = f"{killed} kills of fnn run, {resumed} of them after a resume: {back} went back, {strays} strays at the end"
    return f"{said}, the same bytes at the end: {same}"


def power(folder, seeds=12):
    """Replay a record of saves, cut at every operation, every unsynced change lost, kept or zeroed."""
    recorder, returned = Recorder(), []
    (folder / "run").mkdir()
    files.os = recorder
    for step in range(4):
        checkpoints.save(folder / "run" / "checkpoints", checkpoint(step))
        returned.append(len(recorder.log))
    files.os = os
    rng, states, bad = np.random.default_rng(0), 0, 0
    for length in range(len(recorder.log) + 1):
        disk = Disk(folder / "run", recorder.log[:length])
        n, promised = disk.unsynced(), sum(done <= length for done in returned) - 1
        kinds = ("lost", "kept"), ("zeros", "kept"), ("kept", "lost")
        alone = [[one if k == i else rest for k in range(n)] for i in range(n) for one, rest in kinds]
        chance = [rng.choice(["lost", "kept", "zeros"], n).tolist() for _ in range(seeds)]
        for fates in [["lost"] * n, ["kept"] * n, ["zeros"] * n, *alone, *chance]:
            disk.crash(fates, folder / "crash")
            states, bad = states + 1, bad + (latest(folder / "crash" / "checkpoints") < promised)
            shutil.rmtree(folder / "crash")
    return (
        f"{states:,} states after a power cut: {bad} without the last checkpoint that was promised, 0 corrupt accepted"
    )


def full(folder):
    """An error at the n-th operation, for every n; then a real limit on the size of files."""
    home, tried = folder / "checkpoints", 0
    checkpoints.save(home, checkpoint(0))
    for error in (errno.ENOSPC, errno.EIO, errno.EROFS, errno.EDQUOT):
        for n in range(100):
            files.os = Full(n, error)
            with contextlib.suppress(OSError):
                checkpoints.save(home, checkpoint(1))
                break
            files.os = os
            must(latest(home) in (0, 1), (error, n))
            must(not list(home.glob("*tmp*")))
            tried += 1
        files.os = os
        shutil.rmtree(home / "step-0000000001", ignore_errors=True)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    limited = 0
    for size in range(0, 90_000, 10_000):
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
        try:
            checkpoints.save(home, checkpoint(1))
        except OSError:
            limited += 1
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        must(latest(home) in (0, 1))
        shutil.rmtree(home / "step-0000000001", ignore_errors=True)
    return (
        f"{tried} errors at the n-th operation, {limited} at a limit on file size: the old checkpoint loads each time"
    )


def flips(folder):
    """Single bytes changed and truncations at every KiB, anywhere in a checkpoint."""
    checkpoints.save(folder / "checkpoints", checkpoint(7))
    (path,), rng, accepted, cut = (folder / "checkpoints").iterdir(), np.random.default_rng(0), 0, 0
    sizes = {file: file.stat().st_size for file in path.iterdir()}
    for i in range(1000):
        file = list(sizes)[i % 4]
        good = file.read_bytes()
        at = int(rng.integers(len(good)))
        file.write_bytes(good[:at] + bytes([good[at] ^ int(rng.integers(1, 256))]) + good[at + 1 :])
        accepted += latest(folder / "checkpoints") >= 0
        file.write_bytes(good)
    for file, size in sizes.items():
        good = file.read_bytes()
        for length in range(0, size, 1024):
            file.write_bytes(good[:length])
            accepted, cut = accepted + (latest(folder / "checkpoints") >= 0), cut + 1
        file.write_bytes(good)
    must(latest(folder / "checkpoints") == 7)
    return f"1,000 changed bytes and {cut} truncations: {accepted} accepted"


def readers(folder):
    """Each kind of file that fnn reads, by name: a good file, and a function that reads it."""
    import jax

    from fnn import Dense, LogLikelihood, init, load, load_data, save
    from fnn.config.reading import load_config
    from fnn.data.mnist import parse_idx
    from fnn.storage.arrays import npz_bytes

    net = (Dense(10),)
    save(folder / "net", net, LogLikelihood(), init(net, jax.random.key(0), (64,)), (64,))
    checkpoints.save(folder / "checkpoints", checkpoint(3))
    (step,) = (folder / "checkpoints").iterdir()
    rng = np.random.default_rng(0)
    table = "a,b,label\n" + "".join(f"{a:.3f},{b:.3f},{'xy'[int(a > b)]}\n" for a, b in rng.random((60, 2)))
    (folder / "t.csv").write_text(table, encoding="utf-8")
    (folder / "t.npz").write_bytes(npz_bytes({"x": rng.random((60, 4), np.float32), "y": np.arange(60) % 3}))
    (folder / "c.toml").write_text(CONFIG, encoding="utf-8")
    idx = b"\0\0\x08\x03" + b"".join(k.to_bytes(4, "big") for k in (30, 8, 8)) + rng.bytes(30 * 64)
    (folder / "i.idx").write_bytes(idx)
    parts = (*checkpoints.FILES, "manifest.json")
    return {
        **{f"checkpoint: {name}": (step / name, lambda: checkpoints.load(step, TEMPLATE)) for name in parts},
        REHASHED: (step / "arrays.npz", lambda: checkpoints.load(rehashed(step), TEMPLATE)),
        "params.npz": (folder / "net" / "params.npz", lambda: load(folder / "net")),
        "config.json": (folder / "net" / "config.json", lambda: load(folder / "net")),
        "csv": (folder / "t.csv", lambda: load_data(str(folder / "t.csv"), label="label")),
        "npz": (folder / "t.npz", lambda: load_data(str(folder / "t.npz"))),
        "toml": (folder / "c.toml", lambda: load_config(folder / "c.toml")),
        "idx": (folder / "i.idx", lambda: parse_idx((folder / "i.idx").read_bytes(), (30, 8, 8))),
    }


def rehashed(path):
    """The checkpoint with a manifest that agrees with its files, as an attacker would write it."""
    data = {name: (path / name).read_bytes() for name in checkpoints.FILES}
    manifest = {
        "format": 1,
        "step": int(path.name[5:]),
        "files": {name: {"bytes": len(d), "sha256": hashlib.sha256(d).hexdigest()} for name, d in data.items()},
        "arrays": {name: [dtype, list(shape)] for name, (dtype, shape) in TEMPLATE.items()},
    }
    (path / "manifest.json").write_bytes(checkpoints.manifest_bytes(manifest))
    return path


def mutations(folder, number=10_000):
    """Mutations of every kind of file: each gives a documented error or a value, soon and in little memory."""
    rng, slowest, most, counts = np.random.default_rng(0), 0.0, 0, []
    kinds = readers(folder)
    each = -(-number // len(kinds))
    tracemalloc.start()
    for name, (path, read) in kinds.items():
        good = path.read_bytes()
        read()  # once before, so that imports and compilation are not measured
        refused = 0
        for _ in range(each):
            data = mutated(good, rng)
            path.write_bytes(data)
            tracemalloc.reset_peak()
            before, start = tracemalloc.get_traced_memory()[0], time.perf_counter()
            try:
                read()
                must(data == good or not name.startswith("checkpoint"), (name, data))
            except (CorruptFileError, InputError):
                refused += 1
            except ValueError:
                must(name == "idx", (name, data))  # its caller adds the name of the file
                refused += 1
            slowest = max(slowest, time.perf_counter() - start)
            most = max(most, tracemalloc.get_traced_memory()[1] - before - len(data))
        path.write_bytes(good)
        counts.append(f"{name} {refused}/{each}")
        if name == REHASHED:
            rehashed(path.parent)
    tracemalloc.stop()
    said = f"{each * len(kinds):,} mutated files: nothing but the documented errors; slowest {slowest:.2f} s"
    return f"{said}; at most {most / 2**20:.1f} MiB beside the file; refused: {', '.join(counts)}"


def signals(folder, number=10):
    """SIGTERM at random moments, most of them in an evaluation: the time to the exit, and the bytes at the end."""
    mnist = "FNN_DATA_DIR" in os.environ
    config = folder / "survivor.toml"
    text = CONFIG.replace("batch_size = 10", "batch_size = 1000").replace(
        "epochs = 400", "epochs = 40" if mnist else "epochs = 4000"
    )
    text = text.replace('"digits"', '"mnist"').replace("test = 297", "") if mnist else text
    config.write_text(text, encoding="utf-8")
    words = ["run", config, "--resume", "--out"]
    must(fnn(*words, folder / "whole")[0].returncode == 0)
    rng, waits, inside = random.Random(2), [], []
    for _ in range(number):
        process = fnn(*words, folder / "runs", wait=False)
        while "epoch" not in process.stdout.readline() and process.poll() is None:
            pass
        time.sleep(rng.uniform(0, 0.3))
        start = time.perf_counter()
        process.send_signal(signal.SIGTERM)
        _, error = process.communicate()
        if process.returncode == 0:
            break
        waits.append(time.perf_counter() - start)
        must(process.returncode == 143, (process.returncode, error))
        state = max((folder / "runs").rglob("state.json"), key=lambda path: path.parent.name)
        inside.append(json.loads(state.read_text(encoding="utf-8"))["step"] > 0)
    must(fnn(*words, folder / "runs")[0].returncode == 0)
    same = outcome(folder / "runs") == outcome(folder / "whole")
    said = f"{len(waits)} SIGTERMs, {sum(inside)} inside an epoch or its evaluation: saved, status 143"
    return f"{said}, gone after at most {max(waits):.2f} s; the same bytes at the end: {same}"


CAMPAIGNS = (kills, points, command, power, full, flips, mutations, signals)


def main(names):
    """Run the campaigns of these names, or all."""
    for campaign in CAMPAIGNS:
        if campaign.__name__ in names or not names:
            start = time.perf_counter()
            with tempfile.TemporaryDirectory() as folder:
                print(
                    f"{campaign.__name__}: {campaign(pathlib.Path(folder))} ({time.perf_counter() - start:.0f} s)",
                    flush=True,
                )


if __name__ == "__main__":
    if sys.argv[1:2] == ["--child"]:
        child(sys.argv[2], int(sys.argv[3]))
    else:
        main(sys.argv[1:])
