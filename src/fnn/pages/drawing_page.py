"""The page on which a person draws and a trained network answers: its params are inside, and its script is the network.

The script is `network.js`, the forward pass, `strokes.js`, from a drawing to the image that the network sees, and
`drawing.js`, the page itself. `drawable.py` of `fnn.runs` makes what the page is told.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from fnn.pages.markup import escaped, folded, paragraph

STYLES = ("page.css", "drawing.css")
SCRIPTS = ("network.js", "strokes.js", "drawing.js")
DIGITS = set("0123456789")
LISTED = 20  # classes that are named
KEYS = (
    '<p id="keys">Keys, once the paper or a button has the focus: c to clear, z to undo a stroke, n for the next image '
    "of the data.</p>"
)
HOW = {  # how a drawing becomes an image
    "counts": "It is made as the 8x8 digits were made: the drawing is sheared until it stands upright and stretched to "
    "a box of 20 x 32 dots, its lines are made so thick that it has the usual amount of ink, and the black dots are "
    "counted in blocks of 4 x 4.",
    "mass": "It is made as the images of MNIST were made: the drawing is fitted into a box of {box} x {box} pixels, in "
    "its own proportions, and its centre of mass is put into the middle. Lines that are much thinner or thicker than "
    "those of the training are drawn as the thinnest or thickest of them.",
    "middle": "It is made as the images of the training are: the drawing is fitted into a box of {box} x {box} pixels, "
    "in its own proportions, and put into the middle. Lines that are very thin or very thick are drawn less so.",
}


def sections(about: Sequence[str], told: Mapping[str, Any], names: Sequence[str]) -> Iterator[str]:
    """The parts of the page.

    Args:
        about: What the network is and where it comes from, a paragraph each.
        told: What the script is told, as `fnn.runs.drawable` makes it.
        names: What the outputs are called.
    """
    yield "<noscript><p class='bad'>This page needs JavaScript: the network is computed in it.</p></noscript>"
    yield paragraph(f"{_wanted(told['classes'])} with a mouse, a finger or a pen: the network answers while you draw.")
    yield f'<section id="draw" aria-label="Drawing"><div>{_paper()}</div><div>{_answer(names)}</div>{KEYS}</section>'
    yield "<h2>What the network sees</h2>"
    yield paragraph(_how(told["frame"]))
    yield from _check(len(told["examples"]["y"]))
    yield folded("The network", "".join(map(paragraph, about)))
    # a script of this type is never run; "<" would end it
    yield f'<script type="application/json" id="network">{json.dumps(told).replace("<", chr(92) + "u003c")}</script>'


def title(run: str, classes: Sequence[str]) -> str:
    """What the page is called."""
    return f"{'Draw a digit' if set(classes) <= DIGITS else 'Draw'}: {run}"


def _wanted(classes: Sequence[str]) -> str:
    if set(classes) == DIGITS:
        return "Draw a digit"
    more = ", ..." if len(classes) > LISTED else ""
    return f"Draw one of {', '.join(classes[:LISTED])}{more}"


def _how(frame: Mapping[str, Any]) -> str:
    size = f"{frame['width']} x {frame['height']}"
    return (
        f"The network does not see the drawing, but an image of {size} pixels. {HOW[frame['centre']].format(**frame)}"
    )


def _paper() -> str:
    return (
        '<canvas id="paper" tabindex="0" role="img" aria-label="Paper to draw on" aria-describedby="keys">'
        "This browser has no canvas.</canvas>"
        '<div class="tools"><button type="button" id="clear" aria-keyshortcuts="c">Clear</button>'
        '<button type="button" id="undo" aria-keyshortcuts="z">Undo</button>'
        '<button type="button" id="next" aria-keyshortcuts="n">Next image</button>'
        '<label>Pen <input type="range" id="pen" min="3" max="12" value="7"></label></div>'
    )


def _answer(names: Sequence[str]) -> str:
    rows = "".join(
        f'<tr><th scope="row">{escaped(name)}</th><td><div class="track"><div class="bar"></div></div></td>'
        '<td class="value"></td></tr>'
        for name in names
    )
    return (
        '<div class="seen"><figure><canvas id="sight" role="img" aria-label="The image that the network sees"></canvas>'
        '<figcaption>what it sees</figcaption></figure><p id="answer" role="status"></p></div>'
        '<table id="bars"><thead><tr><th scope="col">output</th><td></td><th scope="col" class="n">value</th></tr>'
        f"</thead><tbody>{rows}</tbody></table>"
    )


def _check(count: int) -> Iterator[str]:
    if not count:
        yield paragraph("The page has no images of the data.")
        return
    yield (
        f"<p>The page has {count} images of the run's data, which Next image shows. Its outputs for them differ from "
        'those of fnn predict by <span id="check">?</span> at most.</p>'
    )
