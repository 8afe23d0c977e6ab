"""Animations as GIF files, by Pillow, which matplotlib brings. A frame has the size of half a slide's pixels."""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from fnn.storage.files import write_atomically

DPI = 72  # 958 x 540 pixels for 13.3 x 7.5 inches
COLOURS = 128  # of a frame
REST = 2500  # milliseconds of the last frame


def write(
    fig: Any, frames: Iterable[Any], draw: Callable[[Any], None], path: str | os.PathLike[str], milliseconds: int = 150
) -> int:
    """Draw the frames on the figure, one by one, and write them as a GIF that is repeated for ever.

    Args:
        fig: The figure, laid out; its layout stays as it is with the first frame.
        frames: What `draw` takes, one for each frame.
        draw: Changes what is on the figure.
        path: The GIF to write.
        milliseconds: Of each frame; the last one rests for 2.5 seconds.

    Returns:
        The number of frames.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from PIL import Image

    fig.set_dpi(DPI)
    canvas, images = FigureCanvasAgg(fig), []
    for frame in frames:
        draw(frame)
        canvas.draw()
        fig.set_layout_engine("none")  # nothing shakes
        image = Image.fromarray(np.asarray(canvas.buffer_rgba())[..., :3])
        images.append(image.quantize(COLOURS, Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE))
    buffer = io.BytesIO()
    durations = [milliseconds] * (len(images) - 1) + [REST]
    images[0].save(buffer, "GIF", save_all=True, append_images=images[1:], duration=durations, loop=0, optimize=False)
    write_atomically(path, buffer.getvalue())
    return len(images)
