"""`fnn report DIR [DIR ...]`: runs and sweeps side by side, in a list and on a page."""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from fnn.cli.runs import SHOWN_ALREADY, lines, state_of
from fnn.cli.sweep_page import shown as shown_sweep
from fnn.cli.writing import written
from fnn.errors import CorruptFileError, InputError
from fnn.pages import png, runs_page, sweep_page
from fnn.pages.markup import PAGE, page, paragraph
from fnn.pages.runs_table import Shown, ranked
from fnn.pages.sweep_page import Sweep
from fnn.runs import reading
from fnn.runs.listing import Entry, Problem, found, name_of
from fnn.runs.reading import Reading
from fnn.runs.settings import Settings, differing, short_names, shorter_paths, text
from fnn.storage.files import write_atomically


def command(options: argparse.Namespace) -> int:
    """Print the list, write the page, and return status 0.

    Raises:
        InputError: Nothing in the folders can be shown, or the page cannot be written.
        CorruptFileError: The only run that was named is damaged.
    """
    readings, sweeps, skipped = _read(_listed(options.runs))
    if not readings and not sweeps:
        raise skipped[0] if len(skipped) == 1 else InputError(_nothing(options.runs, skipped))
    for error in skipped:
        print(f"fnn: skipped: {text(str(error))}", file=sys.stderr, flush=True)
    entries = [*(each.entry for each in readings), *(entry for entry, _ in sweeps)]
    print("\n".join(lines(entries, shutil.get_terminal_size().columns)))
    folder = Path(options.out)
    with written(folder, "make room or name another by --out"):
        folder.mkdir(parents=True, exist_ok=True)
        write_atomically(folder / PAGE, whole(readings, [sweep for _, sweep in sweeps], skipped))
    print(f"page: {folder / PAGE}")
    return 0


def _listed(paths: Sequence[str]) -> list[Entry | Problem]:
    """The runs and sweeps in all folders, each once."""
    listed = [each for path in paths for each in found(Path(path))]
    return list({each.folder.resolve(): each for each in listed}.values())


def _read(
    listed: Sequence[Entry | Problem],
) -> tuple[list[Reading], list[tuple[Entry, Sweep]], list[InputError | CorruptFileError]]:
    """The runs, the sweeps, and why each of the others cannot be shown."""
    readings, sweeps, skipped = [], [], []
    for each in listed:
        try:
            if isinstance(each, Problem):
                raise each.error
            if each.is_sweep:
                sweeps.append((each, shown_sweep(each)))
            else:
                readings.append(reading.read(each))
        except (InputError, CorruptFileError) as error:
            skipped.append(error)
    return readings, sweeps, skipped


def _nothing(paths: Sequence[str], skipped: Sequence[Exception]) -> str:
    """What is said if nothing can be shown."""
    if not skipped:
        return f"{', '.join(paths)}: there is no run; expected run directories, or folders of them."
    return f"{', '.join(paths)}: none of {len(skipped)} folders can be shown; the first: {skipped[0]}"


def whole(readings: Sequence[Reading], sweeps: Sequence[Sweep], skipped: Sequence[Exception] = ()) -> bytes:
    """The page of these runs and sweeps; at its end it says what was skipped."""
    body = list(runs_page.sections(shown(readings), _same(readings), warnings(readings))) if readings else []
    body += [section for sweep in sweeps for section in sweep_page.sections(sweep)]
    if skipped:
        body += ["<h2>Not on this page</h2>", *(paragraph(str(error)) for error in skipped)]
    return page(_title(readings, sweeps), body)


def _title(readings: Sequence[Reading], sweeps: Sequence[Sweep]) -> str:
    """The names of what is on the page; of more than two their number."""
    names = [*titles(readings), *(sweep.name for sweep in sweeps)]
    if len(names) > 2:
        numbers = (("run", len(readings)), ("sweep", len(sweeps)))
        names = [f"{number} {noun}{'s' * (number > 1)}" for noun, number in numbers if number]
    return " and ".join(names)


def titles(readings: Sequence[Reading]) -> list[str]:
    """The names of the runs' folders; where two are the same, their paths."""
    names = [name_of(each.entry.folder) for each in readings]
    paths = [str(each.entry.folder) for each in readings]
    return [name if names.count(name) == 1 else path for name, path in zip(names, paths, strict=True)]


def _settings(readings: Sequence[Reading]) -> list[Settings]:
    return [each.entry.settings | each.environment for each in readings]


def _same(readings: Sequence[Reading]) -> Settings:
    """The settings that all runs have."""
    first, *others = _settings(readings)
    return {name: value for name, value in first.items() if all(other.get(name) == value for other in others)}


def warnings(readings: Sequence[Reading]) -> list[str]:
    """What makes the numbers of some of the runs unfit to be compared."""
    differ = differing(_settings(readings))
    data, cost = "environment.data" in differ, "network.cost" in differ
    return [
        *["The runs differ in their data, or in the parts of it: their results are of different tasks."] * data,
        *["The runs differ in their cost: its numbers are not comparable between them."] * cost,
    ]


def shown(readings: Sequence[Reading]) -> list[Shown]:
    """The runs as the page shows them, the best by validation first."""
    settings = _settings(readings)
    keys = [key for key in differing(settings) if key != SHOWN_ALREADY]
    called = short_names(keys)
    columns = [shorter_paths([each.get(key, "") for each in settings]) for key in keys]
    runs = [
        Shown(
            name,
            state_of(each.entry),
            {called[key]: column[i] for key, column in zip(keys, columns, strict=True)},
            each.entry.epoch,
            each.entry.epochs,
            each.seconds,
            each.parameters,
            each.entry.scores,
            each.lines,
            each.results,
        )
        for i, (name, each) in enumerate(zip(titles(readings), readings, strict=True))
    ]
    places = {run.name: each for run, each in zip(runs, readings, strict=True)}
    most = runs_page.MISTAKES if len(runs) == 1 else runs_page.OF_SEVERAL
    return [
        run._replace(images=tuple(_images(places[run.name], most))) if i < runs_page.IN_DETAIL else run
        for i, run in enumerate(ranked(runs))
    ]


def _images(each: Reading, most: int) -> Iterator[str]:
    """The address of a picture for each of the mistakes; nothing if the inputs are not images, or are gone."""
    mistakes = each.results.get("mistakes")
    if not isinstance(mistakes, list) or not mistakes:
        return
    from fnn.runs.mistake_images import images  # which imports JAX

    try:
        found_images = images(each.config, each.data, mistakes[:most])
    except (InputError, CorruptFileError, AttributeError, LookupError, TypeError, ValueError, OSError) as error:
        words = " ".join(f"{error}".split())
        print(f"fnn: {each.entry.folder}: no images of its mistakes: {words}", file=sys.stderr, flush=True)
        return
    yield from map(png.grey, found_images)
