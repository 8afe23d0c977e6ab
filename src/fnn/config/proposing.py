"""A first config for a data set, as TOML text in which each line says why. No JAX is needed.

The sizes follow from the number of training rows and of inputs. They are starting points that train well on tables of a
hundred to a million rows, not the best possible ones.
"""

from __future__ import annotations

import json
import os
import textwrap
from collections.abc import Iterable
from math import prod
from typing import Any, NamedTuple

from fnn.looking.array_plans import is_image
from fnn.looking.plans import Plan

WIDTH, BEHIND = 80, 100  # columns of a line, and of one with its reason behind it
MANY_INPUTS = 100  # with more of them a step in their weights has to be shorter
FEW_INPUTS = 3  # up to which a smooth curve is fitted


class Line(NamedTuple):
    """An entry of a table, or of a list of layers."""

    text: str
    why: str


class Sizes(NamedTuple):
    """How large the net and the steps are."""

    train: int  # rows
    units: int
    batch_size: int
    epochs: int
    eta: float
    lmbda: float


def proposal(plan: Plan, source: str, name: str, header: Iterable[str]) -> str:
    """The text of a config.

    Args:
        plan: What `load_data` is told.
        source: The path of the data as the config shall have it.
        name: The name of the run, which names its folder.
        header: The first lines, comments.
    """
    sizes = _sizes(plan)
    data = [Line(f"source = {toml(source)}", _relative(source)), *_data(plan)]
    blocks = [
        [text for line in header for text in _comment(line)],
        [
            *_written(Line(f"name = {toml(name)}", "the name of the run's folder begins with it")),
            *_written(Line("seed = 0", "draws the first weights and the order of the mini-batches")),
        ],
        ["[data]", *(text for line in data for text in _written(line)), *_no_parts(plan), *_notes(plan)],
        ["[network]", *_network(plan, sizes)],
        ["[training]", *(text for line in _training(plan, sizes) for text in _written(line))],
    ]
    return "\n\n".join("\n".join(block) for block in blocks) + "\n"


def _relative(source: str) -> str:
    return "as seen from the folder of this file" if "." in source and not os.path.isabs(source) else ""


def _data(plan: Plan) -> list[Line]:
    return [Line(_assigned(key, entry.value), entry.why) for key, entry in plan.entries.items()]


def _no_parts(plan: Plan) -> list[str]:
    """Why no rows are held out."""
    if "validation" in plan.entries:
        return []
    return _comment(f"All {plan.rows:,} rows are for training: they are too few to hold some out.")


def _notes(plan: Plan) -> list[str]:
    """What somebody who knows the data may decide otherwise."""
    return [line for note in plan.notes for line in _comment(f"To think about: {note}.")]


def _sizes(plan: Plan) -> Sizes:
    held = sum(plan.entries[key].value for key in ("validation", "test") if key in plan.entries)
    train, inputs = plan.rows - held, prod(plan.shape)
    units = 16 if train < 200 else 32 if train < 2_000 else 64 if train < 20_000 else 128
    batch_size = 10 if train < 1_000 else 20 if train < 10_000 else 50 if train < 100_000 else 100
    epochs = 1000 if not held else 200 if train < 1_000 else 100 if train < 10_000 else 40 if train < 100_000 else 20
    eta, lmbda = 0.03, 1e-3 if train < 10_000 else 1e-4
    if held and "standardise" in plan.entries:
        eta = 0.005 if plan.task == "quantity" else 0.01
        eta = eta if inputs <= MANY_INPUTS else eta / 5
        lmbda = 0.03 if train < 10 * inputs else 0.01 if train < 30 * inputs else lmbda
    return Sizes(train, units, min(batch_size, train), epochs, eta, lmbda)


def _network(plan: Plan, sizes: Sizes) -> list[str]:
    """The layers and the cost."""
    layers = [*_first_layers(plan, sizes), *_last_layer(plan)]
    cost, why = {
        "classes": ('"LogLikelihood"', "softmax outputs: a probability for each class"),
        "binary": ('"CrossEntropy"', "a sigmoid output: the probability of the second class"),
        "quantity": ('{ type = "Quadratic", activation = "Identity" }', "half the squared error"),
    }[plan.task]
    rows = [text for line in layers for text in _written(line._replace(text=f"{line.text},"), indent="  ")]
    return ["layers = [                         # first to last", *rows, "]", *_written(Line(f"cost = {cost}", why))]


def _first_layers(plan: Plan, sizes: Sizes) -> list[Line]:
    why = f"hidden units: some for {sizes.train:,} training rows"
    smooth = plan.task == "quantity" and prod(plan.shape) <= FEW_INPUTS
    hidden = [
        Line(_table(type="Dense", units=sizes.units, **({} if smooth else {"initializer": "He"})), why),
        Line(_table(type="Tanh"), "smooth, for a curve of few inputs")
        if smooth
        else Line(_table(type="ReLU"), "each unit gives max(0, z)"),
    ]
    if is_image(plan.shape) and (size := _filter_size(plan.shape)):
        filters = _table(type="ConvPool", filters=16, size=size, pool=2, initializer="He", bias_initializer="Zeros")
        return [
            Line(filters, f"16 shared filters of {size} x {size} pixels, then the largest of each 2 x 2"),
            Line(_table(type="ReLU"), ""),
            Line(_table(type="Flatten"), "one row of numbers for each image"),
            *hidden,
        ]
    flat = [Line(_table(type="Flatten"), "one row of numbers for each example")] if len(plan.shape) > 1 else []
    return [*flat, *hidden]


def _last_layer(plan: Plan) -> list[Line]:
    why = {
        "classes": f"an output for each of the {plan.n_out} classes",
        "binary": "one output",
        "quantity": "one output for each quantity" if plan.n_out > 1 else "one output",
    }[plan.task]
    return [Line(_table(type="Dense", units=plan.n_out), why)]


def _filter_size(shape: tuple[int, ...]) -> int:
    """The side of filters after which squares of 2 x 2 divide the image; 0 if there is none."""
    return next((k for k in (3, 4) if all((side - k + 1) % 2 == 0 for side in shape[1:])), 0)


def _training(plan: Plan, sizes: Sizes) -> list[Line]:
    rows = f"{sizes.train:,} rows for {prod(plan.shape):,} inputs"
    optimizer = f'{{ type = "SGD", eta = {sizes.eta}, mu = 0.9, lmbda = {sizes.lmbda} }}'
    lines = [
        Line(f"optimizer = {optimizer}", f"a third of eta if the cost jumps up; lmbda holds the weights back: {rows}"),
        Line(f"batch_size = {sizes.batch_size}", f"training rows in a step, of {sizes.train:,}"),
    ]
    if "validation" not in plan.entries:
        return [*lines, Line(f"epochs = {sizes.epochs}", "in each, all training rows are seen once")]
    patience = max(5, sizes.epochs // 4)
    stop = f'{{ type = "EarlyStopping", patience = {patience} }}'
    return [
        *lines,
        Line(f"epochs = {sizes.epochs}", "at most; in each, all training rows are seen once"),
        Line(f"schedule = {stop}", f"when the validation rows are not done better for {patience} epochs"),
        Line('keep = "best"', "the weights of the epoch that does the validation rows best"),
    ]


def _table(**entries: Any) -> str:
    return f"{{ {', '.join(f'{key} = {toml(value)}' for key, value in entries.items())} }}"


def _assigned(key: str, value: Any) -> str:
    """An entry; a long list has several lines."""
    text = f"{key} = {toml(value)}"
    if len(text) <= WIDTH or not isinstance(value, list):
        return text
    words = textwrap.wrap(", ".join(map(toml, value)), WIDTH - 2, break_long_words=False, break_on_hyphens=False)
    return "\n".join([f"{key} = [", *(f"  {line}" for line in words), "]"])


def toml(value: Any) -> str:
    """A value as TOML has it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, list):
        return f"[{', '.join(map(toml, value))}]"
    return repr(value)


def _written(line: Line, indent: str = "") -> list[str]:
    """A line with its reason: behind it if there is room, else above it."""
    text = f"{indent}{line.text}"
    behind = f"{text:<33}  # {line.why}"
    if not line.why or ("\n" not in text and len(behind) <= BEHIND):
        return [behind if line.why else text]
    return [*_comment(line.why, indent), *text.split("\n")]


def _comment(text: str, indent: str = "") -> list[str]:
    return textwrap.wrap(text, WIDTH, initial_indent=f"{indent}# ", subsequent_indent=f"{indent}# ")
