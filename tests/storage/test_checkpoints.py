"""Checkpoints survive what happens to disks and processes; what does not verify is no checkpoint. No JAX here."""

import errno
import hashlib
import json
import os
import shutil
import stat
import time

import numpy as np
import pytest

from fnn.errors import CorruptFileError
from fnn.storage import checkpoints, files
from fnn.storage.arrays import npz_bytes
from fnn.storage.checkpoints import Checkpoint
from tests.helpers.disks import Disk, Full, Recorder
from tests.helpers.hostile import MIB, memory_below, mutations

TEMPLATE = {"params.0.W": ("<f4", (3, 2)), "v.0.W": ("<f4", (3, 2))}


def checkpoint(step):
    W = np.arange(6, dtype=np.float32).reshape(3, 2) + step
    return Checkpoint(step, {"params.0.W": W, "v.0.W": -W}, {"epochs": step, "best": "-inf"}, b'{"epoch": 1}\n' * step)


def same(got, expected):
    return (
        (got.step, got.state, got.metrics) == (expected.step, expected.state, expected.metrics)
        and got.arrays.keys() == expected.arrays.keys()
        and all((got.arrays[name] == array).all() for name, array in expected.arrays.items())
    )


def latest(folder):
    return checkpoints.latest(folder, TEMPLATE).latest


@pytest.fixture
def saved(tmp_path):
    """A folder with one checkpoint, and the checkpoint's path."""
    checkpoints.save(tmp_path / "checkpoints", checkpoint(7))
    return tmp_path / "checkpoints" / "step-0000000007"


def test_the_latest_is_what_was_saved_last_and_old_ones_go(tmp_path):
    assert latest(tmp_path / "checkpoints") is None
    for step in (0, 1, 2, 30):
        checkpoints.save(tmp_path / "checkpoints", checkpoint(step))
        assert same(latest(tmp_path / "checkpoints"), checkpoint(step))
    assert sorted(os.listdir(tmp_path / "checkpoints")) == ["step-0000000002", "step-0000000030"]


def test_a_copy_is_as_good(saved, tmp_path):
    shutil.copytree(saved, tmp_path / "elsewhere" / saved.name)
    assert same(latest(tmp_path / "elsewhere"), checkpoint(7))


def test_a_damaged_one_is_named_and_passed_over_and_replaced(saved):
    checkpoints.save(saved.parent, checkpoint(9))
    (saved.parent / "step-0000000009" / "state.json").write_bytes(b"{}")
    found = checkpoints.latest(saved.parent, TEMPLATE)
    assert same(found.latest, checkpoint(7))
    assert [error.path for error in found.rejected] == [str(saved.parent / "step-0000000009" / "state.json")]
    checkpoints.save(saved.parent, checkpoint(9))
    assert same(latest(saved.parent), checkpoint(9))


def rejected(path):
    """The one documented error for a checkpoint, at little cost."""
    start = time.perf_counter()
    with memory_below(MIB * 8), pytest.raises(CorruptFileError) as caught:
        checkpoints.load(path, TEMPLATE)
    assert time.perf_counter() - start < 1
    assert str(path) in caught.value.path
    return str(caught.value)


@pytest.mark.parametrize("name", ["arrays.npz", "state.json", "metrics.jsonl", "manifest.json"])
def test_every_damaged_byte_and_every_truncation_is_rejected(saved, name):
    file, rng = saved / name, np.random.default_rng(1)
    good = file.read_bytes()
    for i in rng.integers(len(good), size=60):
        file.write_bytes(good[:i] + bytes([good[i] ^ rng.integers(1, 256)]) + good[i + 1 :])
        rejected(saved)
    for data in (good[:-1], good[: len(good) // 2], b"", good + b"\n", good + bytes(1024)):
        file.write_bytes(data)
        rejected(saved)
    file.unlink()
    rejected(saved)


def forged(path, **changes):
    """A manifest whose own digest is right, by someone who knows how it is made."""
    manifest = json.loads((path / "manifest.json").read_bytes()) | changes
    manifest.pop("digest")
    (path / "manifest.json").write_bytes(checkpoints.manifest_bytes(manifest))


def replace(path, name, data):
    """Another file, and the manifest that fits it."""
    listed = json.loads((path / "manifest.json").read_bytes())["files"]
    (path / name).write_bytes(data)
    forged(path, files=listed | {name: {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}})


ATTACKS = [
    ({"arrays": {"params.0.W": ["<f4", [65536, 65536]]}}, "other arrays"),
    ({"arrays": {"params.0.W": ["|O", [3, 2]], "v.0.W": ["<f4", [3, 2]]}}, "other arrays"),
    ({"arrays": {"params.0.W": ["<f4", [3, -2]], "v.0.W": ["<f4", [3, 2]]}}, "other arrays"),
    ({"arrays": [1]}, "other arrays"),
    ({"format": 2}, "of format 1"),
    ({"format": True}, "of format 1"),
    ({"format": [[]]}, "of format 1"),
    ({"step": 8}, "another folder"),
    ({"step": 7.0}, "another folder"),
    ({"step": "7"}, "another folder"),
    ({"extra": 1}, "another folder"),
    ({"files": {}}, "names other files"),
    ({"files": ["arrays.npz", "state.json", "metrics.jsonl"]}, "names other files"),
    ({"files": dict.fromkeys(("arrays.npz", "state.json", "../../../etc/passwd"), {})}, "names other files"),
    ({"files": dict.fromkeys(("arrays.npz", "state.json", "metrics.jsonl"), "f" * 64)}, "not what was written"),
]


@pytest.mark.parametrize(("changes", "reason"), ATTACKS, ids=[str(changes)[:50] for changes, _ in ATTACKS])
def test_a_forged_manifest_is_refused(saved, changes, reason):
    forged(saved, **changes)
    assert reason in rejected(saved)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b'{"format": 1, "format": 1}', "stands twice"),
        (b"[" * 100_000, "plain JSON"),
        (b'{"format": ' + b"[" * 900 + b"]" * 900 + b"}", "levels"),
        (b'{"format": NaN}', "NaN"),
        (b'{"format": 1e999}', "of format 1"),
        (b'{"format": ' + b"9" * 5000 + b"}", "plain JSON"),
        (b'{"format": 1, "a": "\\ud800"}', "digest"),
        (b" " * (MIB + 1), "larger than"),
        (b"\xff\xfe", "plain JSON"),
        (b"[1]", "of format 1"),
    ],
    ids=lambda value: str(value)[:20],
)
def test_json_of_any_kind_is_survived(saved, text, reason):
    (saved / "manifest.json").write_bytes(text)
    assert reason in rejected(saved)


def test_the_arrays_must_be_those_that_are_expected(saved):
    for arrays in (
        {"params.0.W": np.zeros((3, 2), "f4")},
        {"params.0.W": np.zeros(6, "f4"), "v.0.W": np.zeros(6, "f4")},
        {"params.0.W": np.zeros((3, 2), "i4"), "v.0.W": np.zeros((3, 2), "f4")},
    ):
        replace(saved, "arrays.npz", npz_bytes(arrays))
        assert "arrays.npz" in rejected(saved)
    with pytest.raises(CorruptFileError, match="other arrays than this network"):
        checkpoints.load(saved, {"params.0.W": ("<f4", (3, 2))})


def test_a_state_that_is_no_table_is_refused(saved):
    replace(saved, "state.json", b"[]\n")
    assert "is not a table" in rejected(saved)


def test_mutated_archives_with_a_right_hash_are_refused_or_read_as_plain_arrays(saved):
    refused = 0
    for data in mutations((saved / "arrays.npz").read_bytes(), 300):
        replace(saved, "arrays.npz", data)
        try:
            checkpoints.load(saved, TEMPLATE)
        except CorruptFileError:
            refused += 1
    assert refused > 290


def test_a_pipe_or_a_device_in_the_place_of_a_file_is_refused(saved):
    for name in ("manifest.json", "metrics.jsonl"):
        os.rename(saved / name, saved / "kept")
        os.mkfifo(saved / name)
        assert name in rejected(saved)
        os.unlink(saved / name)
        os.symlink("/dev/zero", saved / name)
        assert name in rejected(saved)
        os.unlink(saved / name)
        os.rename(saved / "kept", saved / name)
    assert checkpoints.load(saved, TEMPLATE)


def record(tmp_path, monkeypatch, steps, disk=None):
    """The operations of saving these steps, and after how many of them each save had returned."""
    disk = disk or Recorder()
    monkeypatch.setattr(files, "os", disk)
    returned = []
    for step in steps:
        checkpoints.save(tmp_path / "run" / "checkpoints", checkpoint(step))
        returned.append((len(disk.log), step))
    monkeypatch.setattr(files, "os", os)
    return disk.log, returned


def test_the_order_is_write_sync_manifest_last_sync_rename_sync(tmp_path, monkeypatch):
    (tmp_path / "run").mkdir()
    log, _ = record(tmp_path, monkeypatch, [5])
    kinds = [(kind, os.path.basename(paths[0])) for kind, *paths in log if kind != "write"]
    temporary = kinds[2][1]
    inside = [(kind, name) for name in (*checkpoints.FILES, "manifest.json") for kind in ("create", "sync")]
    first, last = [("mkdir", "checkpoints"), ("sync", "run"), ("mkdir", temporary)], [("rename", temporary)]
    assert kinds == first + inside + [("sync", temporary), *last, ("sync", "checkpoints")]
    assert log[-2][2].endswith("step-0000000005")


def cuts(disk, rng):
    """Fates of the unsynced changes: the same for all, for each alone, and at random; `survival.py` tries more."""
    n = disk.unsynced()
    yield from (["lost"] * n, ["kept"] * n, ["zeros"] * n)
    for i in range(n if n > 1 else 0):
        yield [rng.choice(["lost", "zeros"]) if k == i else "kept" for k in range(n)]
    yield rng.choice(["kept", "lost", "zeros"], n).tolist()


def crashes(tmp_path, log, returned):
    """After every prefix of the record and every cut: the step of the latest, and the last one that was promised."""
    rng, number = np.random.default_rng(2), 0
    for length in range(len(log) + 1):
        disk = Disk(tmp_path / "run", log[:length])
        promised = max((step for done, step in returned if done <= length), default=-1)
        for fates in cuts(disk, rng):
            into = tmp_path / f"crash{number}"
            number += 1
            disk.crash(fates, into)
            found = latest(into / "checkpoints")
            shutil.rmtree(into)
            assert found is None or same(found, checkpoint(found.step)), (length, fates)
            yield (-1 if found is None else found.step), promised


def test_a_power_cut_at_any_moment_leaves_the_last_checkpoint(tmp_path, monkeypatch):
    (tmp_path / "run").mkdir()
    monkeypatch.setattr(checkpoints, "KEPT", 1)  # so that the second one prunes the first
    log, returned = record(tmp_path, monkeypatch, [1, 2])
    assert any(kind == "remove" for kind, *_ in log)
    states = list(crashes(tmp_path, log, returned))
    assert len(states) > 200
    assert all(found >= promised for found, promised in states)


@pytest.mark.long
@pytest.mark.parametrize("forgotten", ["arrays.npz", "manifest.json", ".tmp-", "checkpoints"])
def test_the_replay_sees_a_sync_that_is_forgotten(tmp_path, monkeypatch, forgotten):
    (tmp_path / "run").mkdir()
    log, returned = record(tmp_path, monkeypatch, [1, 2])
    at = [i for i, (kind, *rest) in enumerate(log) if kind == "sync" and forgotten in rest[0].rsplit("/", 1)[1]]
    assert at
    without = [operation for i, operation in enumerate(log) if i not in at]
    returned = [(done - sum(i < done for i in at), step) for done, step in returned]
    assert any(found < promised for found, promised in crashes(tmp_path, without, returned))


@pytest.mark.parametrize("error", [errno.ENOSPC, errno.EIO, errno.EROFS], ids=["full", "I/O error", "read-only"])
def test_whatever_fails_the_old_checkpoint_loads_and_nothing_is_left(tmp_path, monkeypatch, error):
    (tmp_path / "run").mkdir()
    folder = tmp_path / "run" / "checkpoints"
    checkpoints.save(folder, checkpoint(1))
    log, _ = record(tmp_path, monkeypatch, [2])
    shutil.rmtree(folder / "step-0000000002")
    for n in range(len(log) - 1):  # but the last sync, after which the new one is there, whole
        disk = Full(n, error)
        with pytest.raises(OSError, match=os.strerror(error)):
            record(tmp_path, monkeypatch, [2], disk)
        monkeypatch.setattr(files, "os", os)
        assert same(latest(folder), checkpoint(1))
        assert os.listdir(folder) == ["step-0000000001"]
    checkpoints.save(folder, checkpoint(2))


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write anywhere")
def test_a_read_only_folder_is_an_error(saved):
    saved.parent.chmod(stat.S_IRUSR | stat.S_IXUSR)
    with pytest.raises(PermissionError):
        checkpoints.save(saved.parent, checkpoint(8))
    saved.parent.chmod(stat.S_IRWXU)
    assert same(latest(saved.parent), checkpoint(7))


def test_temporaries_of_the_dead_are_removed(saved):
    (saved.parent / ".step-0000000009.tmp-1-abcd").mkdir()
    (saved.parent / ".step-0000000009.tmp-1-abcd" / "arrays.npz").write_bytes(b"half")
    (saved.parent.parent / ".metrics.jsonl.tmp-1-abcd").write_bytes(b"half")
    (saved.parent.parent / ".hidden").write_bytes(b"the user's")
    files.remove_temporaries([saved.parent, saved.parent.parent])
    assert os.listdir(saved.parent) == [saved.name]
    assert sorted(os.listdir(saved.parent.parent)) == [".hidden", "checkpoints"]
