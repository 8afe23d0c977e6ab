"""The UCI optical digits test set, which comes with the package: 1,797 images of 8 x 8 pixels from 0 to 16."""

from importlib.resources import as_file, files

from fnn.data.dataset import Raw
from fnn.storage.arrays import read_npz

SHA256 = "84c4f8d6246e8e78714ee79f8e5181a43c949f8cbea04a868aa2bf76ca864f0a"  # of resources/digits.npz
CLASSES = tuple("0123456789")


def load() -> Raw:
    """All 1,797 images, `(1797, 64)` bytes, in the order of the source."""
    with as_file(files("fnn.data") / "resources" / "digits.npz") as path:
        arrays = read_npz(path, ("x", "y"))
    return Raw(arrays["x"], arrays["y"].astype(int), CLASSES, 1 / 16)
