"""Every claim of the lecture notes with its verdict: writes CLAIMS.md.

    python -m experiments.notes.claims [--check] [--accept]      (`make claims`)

Runs all topics. If a verdict differs from the one in CLAIMS.md, says which, leaves the file as it is and ends with
status 1; `--accept` writes it all the same. `--check` never writes.
"""

import pathlib
import sys
import time
from collections.abc import Mapping, Sequence
from importlib import import_module

from experiments.notes.findings import CORRECTED, FAILS, HOLDS, Finding
from fnn import InputError

PAGE = pathlib.Path(__file__).with_name("CLAIMS.md")
TOPICS = {
    "Nerve cells": "neurons",
    "A unit": "units",
    "Perceptrons": "perceptrons",
    "Layers of perceptrons": "circuits",
    "Loops": "loops",
    "What a network consists of": "parameter_counts",
    "How fast": "speed",
    "Shared filters": "filters",
    "Outputs": "outputs",
    "Activations": "activations",
    "Which activation": "activation_race",
    "Activations in a convolutional net": "conv_race",
    "The chain rule, gate by gate": "chain_rule",
    "The forward pass": "forward_pass",
    "Backpropagation": "backpropagation",
    "Costs": "costs",
    "Cross-entropy": "cross_entropy",
    "Slips in the formulas": "slips",
    "Learning slowdown": "learning_slowdown",
    "Positive inputs": "zigzag",
    "Starts": "symmetry",
    "Taylor and the gradient": "taylor",
    "Gradient descent": "descent",
    "Hyperparameters": "hyperparameters",
    "Local optima": "local_optima",
    "The sample of a step": "sampling",
    "Sums and means": "normalisation",
    "Regression": "regression",
    "Newton's method": "curvature",
    "Overfitting": "overfitting",
    "Regularisation": "regularisation",
    "Vanishing gradients": "vanishing_gradients",
    "Depth": "depth",
    "Layers find features": "features",
    "Pretraining": "pretraining",
    "One hidden layer approximates": "approximation",
    "Rules against learning": "baselines",
    "Reading a strip": "strip",
    "The book": "book",
}  # the title in CLAIMS.md, the module
COUNTS = {"000": 24, "001": 35, "002": 18, "003": 22, "004": 18, "E": 29}  # rows of each note, and errors in them
NUMBERS = [f"E{k}" if note == "E" else f"{note}-{k:02}" for note, count in COUNTS.items() for k in range(1, count + 1)]
OUTSIDE = {
    "E27": "003:37-40 gives the areas of the brain V1 to motion, V2 to stereo, V4 to recognition, MT (V5) to "
    "attention; MT is the area of motion (general knowledge). Nothing to run",
    "E28": "slips of notation: 000:162-168 has θ and L where b and l are meant, 001:163 numbers a second item 3, "
    "004:371 calls the number of examples n, which was m. Nothing to run",
}
WORDS = {  # of the notes, and the claims in which a reader finds what they mean
    "stochastic gradient descent (SGD), mini-batch, online learning": (
        "000-18",
        "000-21",
        "000-22",
        "003-18",
        "004-07",
    ),
    "regularisation, regularization, weight decay, penalty": ("001-19", "001-22", "002-10", "002-18"),
    "multilayer perceptron (MLP)": ("000-06", "000-08", "003-05"),
    "hyperparameter, learning rate (η, α, ε)": ("001-21", "002-01", "004-17"),
    "universal approximation": ("002-11",),
    "universal for computation, NAND": ("000-08", "003-07"),
    "design matrix, rows and columns": ("001-21", "004-06", "004-16"),
    "feedforward and recurrent, loops": ("000-07", "000-24"),
    "non-convex, local optima, global minimiser": ("001-35", "003-20"),
    "spike-initiation zone, axon hillock, shunting": ("000-03",),
    "complex nonlinear computations of one cell (001:74)": ("001-05",),
    "design heuristics for the hidden layers (003:200)": ("001-12", "002-12", "002-13", "002-15"),
    "is there a simple algorithm for intelligence? (003:17)": ("003-01",),
    "what if C(v+Δv) equals C(v)? (003:333)": ("003-22",),
    "proxy loss": ("000-11", "000-18", "000-20"),
}
HEAD = """# The claims of the lecture notes, run

Made by `make claims`; never edited by hand. A number is ours: the note (000 to 004) and the claim in it, E an
error in them; the claims are in our own words. *Holds as corrected*: what the notes say fails, the corrected form
passes, both were run. `python -m experiments.notes.TOPIC` runs one topic and draws its pictures.
"""


def findings_of(topics: Mapping[str, str]) -> dict[str, list[Finding]]:
    """What each topic found, by title; prints the time of each."""
    found = {}
    for title, name in topics.items():
        topic = import_module(f"experiments.notes.{name}")
        start = time.perf_counter()
        found[title] = [claim() for claim in topic.CLAIMS]
        print(f"{time.perf_counter() - start:6.1f} s  {title}", flush=True)
    return found


def page(found: Mapping[str, list[Finding]], topics: Mapping[str, str]) -> str:
    """CLAIMS.md."""
    every = [finding for rows in found.values() for finding in rows]
    counts = ", ".join(f"{sum(f.verdict == v for f in every)} {v}" for v in (HOLDS, CORRECTED, FAILS))
    waiting = [number for number in NUMBERS if number not in {f.number for f in every} | set(OUTSIDE)]
    parts = [HEAD, f"{len(every)} of {len(NUMBERS)} were run: {counts}.\n"]
    for title, rows in found.items():
        parts += [f"## {title}\n\n`python -m experiments.notes.{topics[title]}`\n"]
        parts += ["| number | claim | measured | expected | verdict |\n|---|---|---|---|---|"]
        parts += [*map(_row, sorted(rows, key=lambda f: NUMBERS.index(f.number))), ""]
    parts += ["## Not run\n", *(f"- {number}: {why}" for number, why in OUTSIDE.items())]
    parts += [f"- {number}, not yet: no function for it" for number in waiting]
    parts += ["\n## The notes' words\n", *(f"- {word}: {', '.join(numbers)}" for word, numbers in WORDS.items())]
    return "\n".join(parts) + "\n"


def _row(finding: Finding) -> str:
    cells = [cell.replace("|", "\\|") for cell in finding]
    return f"| {' | '.join([*cells[:4], f'**{cells[4]}**'])} |"


def verdicts(text: str) -> dict[str, str]:
    """The verdict of each number in a page."""
    rows = [line.strip("| ").replace("\\|", "").split(" | ") for line in text.splitlines() if line.startswith("| ")]
    return {row[0]: row[-1].strip("*") for row in rows if row[0] != "number"}


def flips(old: dict[str, str], new: dict[str, str]) -> list[str]:
    """What was said of a claim and is said no more, a line each; a new claim is no flip."""
    return [f"{n}: was '{v}', is now '{new.get(n, 'gone')}'" for n, v in old.items() if new.get(n) != v]


def malformed(found: Sequence[Finding]) -> list[str]:
    """What is wrong with findings as rows: an unknown or repeated number, an empty cell, a verdict of its own."""
    numbers = [f.number for f in found]
    wrong = [f"{f.number}: no such claim" for f in found if f.number not in NUMBERS]
    wrong += [f"{n}: twice" for n in sorted(set(numbers)) if numbers.count(n) > 1]
    wrong += [f"{f.number}: verdict '{f.verdict}'" for f in found if f.verdict not in (HOLDS, CORRECTED, FAILS)]
    return wrong + [f"{f.number}: an empty cell" for f in found if not all(cell.strip() for cell in f)]


def main(options: Sequence[str]) -> int:
    """Run all, compare, write."""
    try:
        found = findings_of(TOPICS)
    except InputError as error:  # MNIST is neither here nor to be had
        print(f"no table: {error}")
        return 2
    text = page(found, TOPICS)
    wrong = malformed([finding for rows in found.values() for finding in rows])
    if PAGE.exists() and "--accept" not in options:
        wrong += flips(verdicts(PAGE.read_text(encoding="utf-8")), verdicts(text))
    print("\n".join(wrong) or next(line for line in text.splitlines() if " were run: " in line))
    if wrong:
        print("CLAIMS.md is left as it was; if the new verdicts are right: python -m experiments.notes.claims --accept")
    elif "--check" not in options:
        PAGE.write_text(text, encoding="utf-8")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
