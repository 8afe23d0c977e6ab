"""MNIST: found, checked, downloaded once; against a server on this machine only."""

import contextlib
import gzip
import hashlib
import http.server
import os
import socket
import threading
import time

import numpy as np
import pytest

from fnn.data import load_data, mnist, sources
from fnn.data.mnist import IdxFile
from fnn.errors import CorruptFileError, InputError
from tests.helpers.hostile import MIB, memory_below, mutations

needs_mnist = pytest.mark.skipif(
    not any(source.name == "mnist" and source.present for source in sources()),
    reason="MNIST is not here; set FNN_DATA_DIR to the folder that has it",
)


def idx_bytes(array):
    return bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">u4").tobytes() + array.tobytes()


CONTENT = {  # a very small MNIST
    "train-images": idx_bytes(np.arange(600, dtype=np.uint8).reshape(6, 10, 10)),
    "train-labels": idx_bytes(np.arange(6, dtype=np.uint8)),
    "test-images": idx_bytes(np.arange(200, dtype=np.uint8).reshape(2, 10, 10)),
    "test-labels": idx_bytes(np.arange(2, dtype=np.uint8)),
}
BOMB = gzip.compress(bytes(20 * MIB))
SHAPES = ((6, 10, 10), (6,), (2, 10, 10), (2,))
FILES = tuple(
    IdxFile(name, shape, hashlib.sha256(data).hexdigest())
    for (name, data), shape in zip(CONTENT.items(), SHAPES, strict=True)
)
IMAGES = CONTENT["train-images"]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty `FNN_DATA_DIR`, and no proxy between the test and its server."""
    monkeypatch.setenv("FNN_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    return tmp_path


class Handler(http.server.BaseHTTPRequestHandler):
    """Answers every request as the server's `answer` says."""

    def do_GET(self):
        with contextlib.suppress(OSError):  # the client may hang up, that is the point
            self.server.answer(self)

    def log_message(self, format, *args):
        """Says nothing."""


@contextlib.contextmanager
def serving(answer):
    """The address of a server on loopback."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.answer, server.daemon_threads, server.block_on_close = answer, True, False
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/"
        finally:
            server.shutdown()
            thread.join()


def send(handler, body, status=200, length=None, **headers):
    handler.send_response(status)
    handler.send_header("Content-Length", str(len(body) if length is None else length))
    for name, value in headers.items():
        handler.send_header(name, value)
    handler.end_headers()
    handler.wfile.write(body)


def right(handler):
    send(handler, gzip.compress(CONTENT[handler.path.strip("/").removesuffix(".gz")]))


def stalled(handler):
    send(handler, b"\x1f\x8b", length=1000)
    time.sleep(1)


def dripping(handler):
    send(handler, b"", length=10**6)
    for _ in range(100):
        handler.wfile.write(b"\0")
        time.sleep(0.02)


def endless(handler):
    send(handler, b"", length=10**12)
    while True:
        handler.wfile.write(bytes(MIB))


WRONG = {
    "wrong hash": (lambda handler: send(handler, gzip.compress(IMAGES[:-1] + b"x")), "has the SHA-256"),
    "wrong magic": (lambda handler: send(handler, gzip.compress(b"\1" + IMAGES[1:])), "has the SHA-256"),
    "too long": (lambda handler: send(handler, gzip.compress(IMAGES + b"x")), "more than the 616 bytes"),
    "too short": (lambda handler: send(handler, gzip.compress(IMAGES[:-1])), "fewer than the 616 bytes"),
    "cut short": (lambda handler: send(handler, gzip.compress(IMAGES)[:-9]), "cut short"),
    "hung up": (lambda handler: send(handler, gzip.compress(IMAGES)[:99], length=5000), "cut short"),
    "two in one": (lambda handler: send(handler, gzip.compress(IMAGES) * 2), "goes on after its end"),
    "an HTML page": (lambda handler: send(handler, b"<html>sorry</html>"), "is not a gzip file.*<html>"),
    "not found": (lambda handler: send(handler, b"", 404), "HTTP Error 404"),
    "a redirect loop": (lambda handler: send(handler, b"", 302, Location=handler.path), "infinite loop"),
    "a redirect to http": (lambda handler: send(handler, b"", 302, Location="http://example.org/a"), "not an https"),
    "a redirect to a file": (lambda handler: send(handler, b"", 302, Location="file:///etc/passwd"), "not allowed"),
    "a bomb": (lambda handler: send(handler, BOMB), "more than the 616 bytes"),
    "endless": (endless, "more than the 66,152 bytes"),
    "stalled": (stalled, "timed out"),
    "dripping": (dripping, "not done after 1 s|timed out"),  # the second on a busy machine
    "not HTTP": (lambda handler: handler.wfile.write(b"hello\r\n\r\n"), "hello"),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_answer_leaves_nothing_and_says_why(folder, case):
    answer, message = WRONG[case]
    timeout = 0.04 if case == "dripping" else 0.3
    # the bomb has 20 MiB; the first answer of a process also imports modules, which once took 3.9
    with serving(answer) as host, memory_below(8 * MIB), pytest.raises(InputError, match=message) as caught:
        mnist.load(files=FILES, hosts=[host], timeout=timeout)
    assert [path for path in folder.rglob("*") if path.is_file()] == []
    assert all(file.name in str(caught.value) and file.sha256 in str(caught.value) for file in FILES)
    assert str(folder / "mnist") in str(caught.value)


def test_a_download_is_kept_and_not_repeated(folder):
    with serving(right) as host:
        train, test = mnist.load(files=FILES, hosts=[host])
    assert train.x.shape == (6, 100)
    assert train.y.tolist() == list(range(6))
    assert sorted(os.listdir(folder / "mnist")) == sorted(CONTENT)
    again, _ = mnist.load(files=FILES, hosts=[])
    assert np.array_equal(again.x, train.x)


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("case", ["not found", "wrong hash"])
def test_the_next_host_is_asked(case):
    with serving(WRONG[case][0]) as dead, serving(right) as alive:
        assert len(mnist.load(files=FILES, hosts=[dead, alive])[1].x) == 2


@pytest.mark.usefixtures("folder")
def test_every_dead_host_is_named():
    with socket.socket() as unused:  # bound, not listening: nobody answers there
        unused.bind(("127.0.0.1", 0))
        hosts = [f"http://127.0.0.1:{unused.getsockname()[1]}/{i}/" for i in range(2)]
        with pytest.raises(InputError, match=r"/0/.*refused.*/1/.*refused"):
            mnist.load(files=FILES, hosts=hosts)


@pytest.mark.parametrize("place", ["", "mnist"])
@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_files_are_found_where_the_user_put_them_even_read_only(folder, place, suffix):
    (folder / place).mkdir(exist_ok=True)
    for name, data in CONTENT.items():
        (folder / place / (name + suffix)).write_bytes(gzip.compress(data) if suffix else data)
    (folder / place).chmod(0o500)
    assert mnist.load(files=FILES, hosts=[])[0].x.shape == (6, 100)
    (folder / place).chmod(0o700)


@pytest.mark.parametrize("suffix", ["", ".gz"])
@pytest.mark.parametrize("place", ["", "mnist"])
def test_names_with_a_dot_are_found(folder, monkeypatch, suffix, place):
    (folder / place).mkdir(exist_ok=True)
    files = [file._replace(name=f"{file.name}-idx{len(file.shape)}-ubyte") for file in FILES]
    for file, data in zip(files, CONTENT.values(), strict=True):
        content = gzip.compress(data) if suffix else data
        (folder / place / (file.name.replace("-idx", ".idx") + suffix)).write_bytes(content)
    monkeypatch.setenv("HOME", str(folder))
    for home in (str(folder), "~"):
        monkeypatch.setenv("FNN_DATA_DIR", home)
        assert mnist.load(files=files, hosts=[])[0].x.shape == (6, 100)


@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_another_set_with_the_same_names_is_not_to_be_removed(folder, suffix):
    for name, data in CONTENT.items():
        (folder / (name + suffix)).write_bytes(gzip.compress(data) if suffix else data)
    other = IMAGES[:-1] + b"x"
    (folder / ("train-images" + suffix)).write_bytes(gzip.compress(other) if suffix else other)
    with pytest.raises(
        CorruptFileError, match=r"SHA-256 .*Fashion-MNIST. Move it or set FNN_DATA_DIR.*\.npz"
    ) as caught:
        mnist.load(files=FILES, hosts=[])
    assert "remove" not in str(caught.value)


def test_a_folder_that_cannot_be_made_or_written_is_named(folder, monkeypatch):
    monkeypatch.setattr(os, "access", lambda *_: False)  # root may write everywhere
    with pytest.raises(InputError, match=r"mnist: is read-only.*\n.*FNN_DATA_DIR"):
        mnist.load(files=FILES, hosts=[])
    (folder / "mnist").rmdir()
    (folder / "mnist").write_text("not a folder")
    with pytest.raises(InputError, match=r"mnist: File exists.*\n.*FNN_DATA_DIR"):
        mnist.load(files=FILES, hosts=[])


def test_a_full_disk_is_named_and_leaves_nothing(folder, monkeypatch):
    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with serving(right) as host, pytest.raises(InputError, match=r"train-images: No space left on device"):
        mnist.load(files=FILES, hosts=[host])
    assert os.listdir(folder / "mnist") == []


@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_mutated_files_are_corrupt_and_named(folder, suffix):
    for name, data in CONTENT.items():
        (folder / name).write_bytes(data)
    path = folder / ("train-images" + suffix)
    (folder / "train-images").unlink()
    good = gzip.compress(IMAGES, mtime=0) if suffix else IMAGES
    refused = 0
    with memory_below(MIB):
        for data in mutations(good, 300):
            path.write_bytes(data)
            try:
                train, _ = mnist.load(files=FILES, hosts=[])
            except CorruptFileError as error:
                refused += str(path) in str(error)
            else:  # a gzip header holds a time and a system, which change no content
                refused += suffix == ".gz" and train.x.tobytes() == IMAGES[-600:]
    assert refused == 300


@pytest.mark.parametrize(
    ("name", "data"), [("train-images", bytes(20 * MIB)), ("train-images.gz", BOMB)], ids=["plain", "gz"]
)
def test_a_file_that_is_much_too_large_is_not_read_whole(folder, name, data):
    (folder / name).write_bytes(data)
    with memory_below(2 * MIB), pytest.raises(CorruptFileError, match="more than the 616 bytes"):
        mnist.load(files=FILES, hosts=[])


def test_an_idx_file_of_another_length_is_refused():
    with pytest.raises(ValueError, match="has 617 bytes; expected 616"):
        mnist.parse_idx(IMAGES + b"x", (6, 10, 10))


@pytest.mark.parametrize("shape", [(6, 10), (6, 10, 11), (600,), (3, 2, 10, 10)])
def test_an_idx_file_of_another_shape_is_refused(shape):
    with pytest.raises(ValueError, match="does not start as an IDX file"):
        mnist.parse_idx(IMAGES, shape)


def test_the_cache_is_where_each_system_keeps_it(monkeypatch):
    monkeypatch.setenv("HOME", "/home/me")
    home = mnist.Path.home()
    assert mnist.cache_folder({"FNN_DATA_DIR": "/data"}, "linux").as_posix() == "/data/mnist"
    assert mnist.cache_folder({"XDG_CACHE_HOME": "/cache"}, "linux").as_posix() == "/cache/fnn/mnist"
    assert mnist.cache_folder({}, "linux") == home / ".cache/fnn/mnist"
    assert mnist.cache_folder({}, "darwin") == home / "Library/Caches/fnn/mnist"
    assert mnist.cache_folder({"LOCALAPPDATA": "/local"}, "win32").as_posix() == "/local/fnn/mnist"
    assert mnist.cache_folder({"FNN_DATA_DIR": "~"}, "linux") == home / "mnist"
    assert mnist.cache_folder({"FNN_DATA_DIR": "~/data"}, "darwin") == home / "data/mnist"
    assert mnist.cache_folder({"XDG_CACHE_HOME": "~/cache"}, "linux") == home / "cache/fnn/mnist"


def test_a_data_folder_that_can_be_none_is_refused_in_one_line(folder, monkeypatch):
    (folder / "file").write_text("")
    wrong = {
        str(folder / "file"): r"FNN_DATA_DIR .*file: is a file; expected the folder that has the four files of MNIST",
        "~no-such-user/data": "FNN_DATA_DIR ~no-such-user/data: there is no such user",
        "/data\r": r"FNN_DATA_DIR '/data\\r': holds '\\r', a character that cannot be seen",
    }
    for name, message in wrong.items():
        monkeypatch.setenv("FNN_DATA_DIR", name)
        for asked in (mnist.cache_folder, lambda: mnist.find("train-images"), lambda: mnist.load(files=FILES)):
            with pytest.raises(InputError, match=message) as caught:
                asked()
            assert "\n" not in str(caught.value)


def test_a_process_without_a_home_folder_is_told_of_the_variable(monkeypatch):
    monkeypatch.setattr(os.path, "expanduser", lambda path: path)  # as where neither HOME nor the user is known
    with pytest.raises(InputError, match=r"the cache folder \(FNN_DATA_DIR names another one\) ~/.cache: .*no home"):
        mnist.cache_folder({}, "linux")


@needs_mnist
def test_mnist_is_mnist_and_splits_as_in_the_book():
    data = load_data("mnist", validation=10_000)
    counts = [part.y.sum(axis=0).tolist() for part in data[:3]]
    assert counts == [
        [4932, 5678, 4968, 5101, 4859, 4506, 4951, 5175, 4842, 4988],
        [991, 1064, 990, 1030, 983, 915, 967, 1090, 1009, 961],
        [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009],
    ]
    assert data.train.y[:10].argmax(axis=1).tolist() == [5, 0, 4, 1, 9, 2, 1, 3, 1, 4]
    assert data.test.y[:10].argmax(axis=1).tolist() == [7, 2, 1, 0, 4, 1, 4, 9, 5, 9]
    assert data.train.x.mean(dtype=np.float64) == pytest.approx(33.39512885204082, rel=1e-12)
    assert (data.train.x.dtype, data.train.scale, data.shape) == (np.uint8, 1 / 255, (784,))


@needs_mnist
def test_parts_of_mnist_are_its_first_and_last_rows():
    data = load_data("mnist", train=1000, validation=100, test=500, scale=1 / 256, shape=(28, 28))
    assert data.train.y.sum(axis=0).tolist() == [97, 116, 99, 93, 105, 92, 94, 117, 87, 100]
    assert (data.validation.n, data.test.x.shape, data.test.scale) == (100, (500, 28, 28), 1 / 256)
    last = load_data("mnist", validation=10_000).validation
    assert np.array_equal(data.validation.x.reshape(100, -1), last.x[-100:])
    assert last.y[:100].sum(axis=0).tolist() == [10, 11, 6, 9, 11, 7, 14, 9, 12, 11]
    pair = load_data("mnist", classes=("0", "1"), targets="binary")
    assert (pair.train.n, pair.train.y.sum(), pair.test.n) == (5923 + 6742, 6742, 980 + 1135)


@needs_mnist
@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"validation": 60_000}, r"validation = 60000: the source has 60,000 rows"),
        ({"train": 50_001, "validation": 10_000}, r"train = 50001: 50,000 rows are left of 60,000"),
        ({"test": 10_001}, r"test = 10001: the source has 10,000 test rows"),
    ],
)
def test_more_than_mnist_has_is_refused(options, message):
    with pytest.raises(InputError, match=message):
        load_data("mnist", **options)
