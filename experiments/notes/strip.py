"""Reading a strip of digits: cut it where there is no ink, centre each piece, ask a network; and when cutting fails.

    python -m experiments.notes.strip [FOLDER]      15 s, a picture into FOLDER (runs/strip); needs MNIST

The strips are made of test images at random heights and distances; the network learns from 30,000 training images.
"""

from functools import cache

import jax
import numpy as np
from scipy import ndimage

import fnn
from experiments.notes.findings import Finding, judged, main
from fnn import SGD, Dense, LogLikelihood, ReLU
from fnn.plots import curves, room

NET, COST = (Dense(100), ReLU(), Dense(10)), LogLikelihood()
HEIGHT, SIDE, STRIPS = 36, 28, 200
APART, CROWDED = (3, 10), (-5, -1)  # the least and the most pixels from the ink of one digit to that of the next


@cache
def mnist():
    """30,000 images to learn from, and those of the strips."""
    return fnn.load_data("mnist", train=30_000)


@cache
def reader():
    """The parameters after three epochs."""
    key = jax.random.key(0)
    start = fnn.init(NET, key, (SIDE**2,))
    *_, last = fnn.fit(NET, COST, SGD(0.05, mu=0.9), start, mnist().train, key, batch_size=50, epochs=3)
    return last.params


def strip(rows, distances, rng):
    """The test images `rows` from left to right, as one picture `(HEIGHT, width)` in [0, 1]."""
    picture, left = np.zeros((HEIGHT, SIDE * (len(rows) + 3))), 5
    for image in mnist().test.rows(rows)[0].reshape(-1, SIDE, SIDE):
        ink = np.flatnonzero(image.max(axis=0))
        image = image[:, ink[0] : ink[-1] + 1]
        top, right = rng.integers(0, HEIGHT - SIDE + 1), left + image.shape[1]
        place = picture[top : top + SIDE, left:right]
        np.maximum(place, image, out=place)
        left = right + rng.integers(distances[0], distances[1] + 1)
    return picture[:, : right + 5]


def cuts(picture):
    """The first column of every piece of ink and the one after its last; a narrow gap is within a digit."""
    ink = np.flatnonzero(picture.max(axis=0) > 0)
    gaps = np.flatnonzero(np.diff(ink) > APART[0])
    return list(zip(np.append(ink[0], ink[gaps + 1]), np.append(ink[gaps], ink[-1]) + 1, strict=True))


def centred(piece):
    """A piece with its centre of mass in the middle of an image, as MNIST has it; what does not fit is cut off."""
    canvas = np.zeros((3 * SIDE, 3 * SIDE + piece.shape[1]))
    down, across = (
        np.arange(n) @ piece.sum(axis=axis) / piece.sum() for n, axis in zip(piece.shape, (1, 0), strict=True)
    )
    canvas[SIDE : SIDE + piece.shape[0], SIDE : SIDE + piece.shape[1]] = piece
    top, left = round(SIDE + down - SIDE / 2), round(SIDE + across - SIDE / 2)
    return canvas[top : top + SIDE, left : left + SIDE]


def read(picture, places=None):
    """The digits of a strip, from left to right, in these pieces or where it is cut."""
    pieces = np.array([centred(picture[:, a:b]) for a, b in places or cuts(picture)], np.float32)
    return np.asarray(fnn.forward(NET, reader(), pieces.reshape(-1, SIDE**2))).argmax(axis=1)


def sixths(picture):
    """The ink of a strip in six pieces of one width."""
    ink = np.flatnonzero(picture.max(axis=0) > 0)
    ends = np.linspace(ink[0], ink[-1] + 1, 7).round().astype(int)
    return list(zip(ends[:-1], ends[1:], strict=True))


def strips(distances):
    """Strips of six test images with their digits."""
    rng, labels = np.random.default_rng(0), mnist().test.y.argmax(axis=1)
    for rows in rng.integers(0, len(labels), (STRIPS, 6)):
        yield labels[rows], strip(rows, distances, rng)


@cache
def answers(distances):
    """For every strip: the digits that are on it, and those read."""
    return [(labels, read(picture)) for labels, picture in strips(distances)]


def in_six(found):
    """The strips that were cut into six pieces."""
    return [(true, said) for true, said in found if len(said) == 6]


def reads_a_strip():
    """A row of handwritten digits such as 504192 can be cut up and read (003-02)."""
    found = answers(APART)
    six = in_six(found)
    digits = np.mean([true == said for true, said in six])
    whole = sum(bool((true == said).all()) for true, said in six)
    spelled = "".join(map(str, read(shown(APART))))
    return Finding(
        "003-02",
        "A row of handwritten digits such as 504192, which people read without effort, can be cut up and read.",
        f"504192 made of test images is read {spelled}; {len(six)} of {STRIPS} strips of six are cut into six pieces, "
        f"of which {digits:.1%} are read rightly, all six on {whole} strips "
        f"(of digits that go wrong independently: {len(six) * digits**6:.0f})",
        "504192; six pieces on at least 95 % of the strips, more than 90 % of the digits",
        judged(spelled == "504192" and len(six) >= 0.95 * STRIPS and digits > 0.9),
    )


def a_problem_of_its_own():
    """Reading is segmentation and classification, and the notes treat only classification (003-10)."""
    apart = answers(APART)
    digits = np.mean([true == said for true, said in in_six(apart)])
    forced, pieces = [], []
    for true, picture in strips(CROWDED):
        forced.append(true == read(picture, sixths(picture)))
        pieces.append(ndimage.label(picture > 0, np.ones((3, 3)))[1])
    pieces = np.array(pieces)
    return Finding(
        "003-10",
        "Reading is segmentation and classification; only the classification is treated in the notes.",
        f"white between the digits: {len(in_six(apart))} of {STRIPS} strips fall into six pieces where there is no "
        f"ink, {digits:.1%} of these are read rightly; digits crowded so that no column is white: connected ink gives "
        f"one piece on {(pieces == 1).sum()} strips, 2 to {pieces.max()} on {(pieces > 1).sum()}, six on "
        f"{(pieces == 6).sum()}; cut into six of one width, {np.mean(forced):.1%} are read rightly by the same net",
        "nearly all; hardly ever six; far fewer: telling pieces apart has to be learned too",
        judged(
            len(in_six(apart)) >= 0.95 * STRIPS
            and digits > 0.9
            and (pieces == 6).mean() <= 0.05
            and np.mean(forced) < digits - 0.2
        ),
    )


CLAIMS = (reads_a_strip, a_problem_of_its_own)


def shown(distances):
    """504192, of the second test image of each digit."""
    labels = mnist().test.y.argmax(axis=1)
    return strip(
        np.array([np.flatnonzero(labels == k)[1] for k in (5, 0, 4, 1, 9, 2)]), distances, np.random.default_rng(1)
    )


def pictures(folder):
    """504192 with white between the digits and crowded, cut and read."""
    message = "Reading is cutting and classifying: without white between the digits, cutting fails"
    with room.picture(folder / "strip.png", message) as fig:
        kinds = (APART, "white between the digits"), (CROWDED, "crowded")
        for axes, (distances, name) in zip(fig.subplots(2, 1), kinds, strict=True):
            picture = shown(distances)
            axes.imshow(picture, cmap="gray_r", vmin=0, vmax=1)
            for (a, b), digit in zip(cuts(picture), read(picture), strict=True):
                across, down = (a - 0.5, a - 0.5, b - 0.5, b - 0.5, a - 0.5), (1, HEIGHT - 2, HEIGHT - 2, 1, 1)
                axes.plot(across, down, color=curves.PALETTE[1], lw=2.5)
                axes.text((a + b) / 2, 0, digit, ha="center", color=curves.PALETTE[1], fontsize=26, weight="bold")
            number = len(cuts(picture))
            axes.set(xticks=[], yticks=[], xlabel=f"{name}: {number} piece{'s' if number > 1 else ''}, read as above")
            axes.set_ylim(HEIGHT, -9)
    return ("strip.png",)


if __name__ == "__main__":
    main(CLAIMS, pictures)
