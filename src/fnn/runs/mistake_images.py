"""The images that a run decides wrongly, read from its own data if these are still those of its training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from fnn.data import Dataset, load_data, sources
from fnn.data.shapes import FLAT_IMAGES, image_size
from fnn.examples import Examples
from fnn.machine.data_digests import data_digest

LARGEST = 64  # pixels of a side of an image


def images(config: Mapping[str, Any], digest: str, mistakes: Sequence[Mapping[str, Any]]) -> list[list[list[float]]]:
    """The image of each mistake, `(height, width)`, from 0 to 1; [] if the inputs are no images or are not there.

    Args:
        config: The table in the run's config.json.
        digest: The data that it was trained on, by `fnn.machine.data_digests.data_digest`.
        mistakes: Of its result.json.

    Raises:
        InputError: the data are not where they were, or cannot be read.
        CorruptFileError: a file is damaged.
        KeyError, IndexError, TypeError, ValueError: the tables are not those of a run.
    """
    entries = config["data"].items()
    table: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in entries}
    absent = {source.name for source in sources() if not source.present}  # it would be downloaded
    if not mistakes or table["source"] in absent:
        return []
    if table["source"] not in FLAT_IMAGES and len(config["shape"]) != 3:  # it need not be loaded to know that
        return []
    data = load_data(**table)
    size = image_size(table["source"], data.shape)
    if not min(size) or data_digest(data) != digest:
        return []
    found = [_image(data, getattr(data, each["part"]), each["row"], size) for each in mistakes]
    low, high = min(image.min() for image in found), max(image.max() for image in found)
    return [((image - low) / ((high - low) or 1)).tolist() for image in found]


def _image(data: Dataset, part: Examples, row: int, size: tuple[int, int]) -> np.ndarray:
    """The first channel of an example in the units of its source; of a large image every second pixel, or third, ..."""
    x = np.asarray(part.x[row], np.float64) * data.sd + data.mean
    step = -(-max(size) // LARGEST)
    return x.reshape(-1, *size)[0, ::step, ::step]
