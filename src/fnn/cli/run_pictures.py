"""The pictures of a finished run: the learning curves, the monitor, and for images the weights and the mistakes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import jax
import numpy as np

from fnn.network import predict
from fnn.plots import curves, images, monitors
from fnn.runs.preparing import Prepared
from fnn.types import Params

IMAGES_AT_ONCE = 500  # that the network predicts


def draw(folder: Path, prepared: Prepared, params: Params, history: Sequence[dict[str, Any]]) -> list[str]:
    """Write the pictures that apply, and return their names.

    Raises:
        ImportError: matplotlib is not installed.
    """
    name = prepared.config.name
    curves.learning(history, folder / "learning.png", name)
    made = ["learning.png"]
    if prepared.config.monitor.on:
        names = [f"{i} {type(layer).__name__}" for i, layer in enumerate(prepared.config.network.layers)]
        monitors.monitor(history, names, folder / "monitor.png", name)
        made.append("monitor.png")
    if not _shows_images(prepared):
        return made
    weights = images.first_weights(params, prepared.data.shape)
    if len(weights):
        images.weights(weights, folder / "weights.png", name)
        made.append("weights.png")
    if _mistakes(folder, prepared, params):
        made.append("mistakes.png")
    return made


def _shows_images(prepared: Prepared) -> bool:
    """Whether the examples are images: digits, or examples to which the config gives channels, height and width."""
    data, source = prepared.data, prepared.config.data.source
    return min(images.image_shape(data.shape)) > 0 and (source in ("digits", "mnist") or len(data.shape) == 3)


def _mistakes(folder: Path, prepared: Prepared, params: Params) -> bool:
    """Draw the test images that the net classifies wrongly; False if there are none, or if it does not classify."""
    net, cost, data = prepared.config.network.layers, prepared.config.network.cost, prepared.data
    if not data.test.n or data.test.y.shape[1] != len(data.classes):
        return False
    batches = (data.test.rows(slice(i, i + IMAGES_AT_ONCE))[0] for i in range(0, data.test.n, IMAGES_AT_ONCE))
    outputs = np.concatenate([jax.jit(predict)(net, cost, params, x) for x in batches])
    said = outputs.argmax(axis=1)
    meant = data.test.y.argmax(axis=1)
    (wrong,) = np.nonzero(said != meant)
    if not len(wrong):
        return False
    shown = np.asarray(data.test.x[wrong]).reshape(len(wrong), -1, *images.image_shape(data.shape))[:, 0]
    wrongly, rightly = ([data.classes[k] for k in which[wrong]] for which in (said, meant))
    title = f"{prepared.config.name}: test images"
    images.mistakes(shown, wrongly, rightly, data.test.n, folder / "mistakes.png", title)
    return True
