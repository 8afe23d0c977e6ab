"""The curves of Nielsen's book, single runs, in the band of many seeds: pictures, and the page NIELSEN_CURVES.md.

    python -m experiments.nielsen.curves [--blocks 4] [--quick] [NAME ...]        (needs MNIST)

Trains what is not yet in runs/nielsen_curves, in blocks of 8 seeds: it can be stopped, and goes on when it is started
again. Then it draws the figures NAME (or all) and writes the page, from everything in that folder. The 4 blocks take
about an hour of one core, a third of it for the 100 hidden neurons. `--blocks 0` trains nothing. `--quick` trains 8
networks of each kind for 3 epochs on 200 images into runs/nielsen_curves_quick, to see that everything works; its
numbers mean nothing.
"""

import argparse
import pathlib

from experiments.nielsen import page, pictures
from experiments.nielsen.training import FIGURES, SETTINGS, UNPENALISED, kept, quickened, results
from fnn.storage.files import write_atomically

HERE = pathlib.Path(__file__).parent


def main(arguments=None):
    """Train, draw, write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of a figure: {', '.join(FIGURES)}")
    parser.add_argument("--blocks", type=int, default=4, help="of 8 seeds each, to be trained (4)")
    parser.add_argument("--quick", action="store_true", help="only to see that all is there")
    asked = parser.parse_args(arguments)
    if wrong := set(asked.names) - set(FIGURES):
        parser.error(f"no figure {', '.join(sorted(wrong))}; there are {', '.join(FIGURES)}")
    names = asked.names or list(FIGURES)
    if asked.quick:
        quick = {name: quickened(setting) for name, setting in SETTINGS.items()}
        write(names, quick, 1, pathlib.Path("runs/nielsen_curves_quick"), pathlib.Path("runs/nielsen_curves_quick"))
    else:
        write(names, SETTINGS, asked.blocks, pathlib.Path("runs/nielsen_curves"), HERE)


def write(figures, settings, blocks, folder, to):
    """Train into `folder` what is not there; write the pictures and the page, of all that is there, into `to`."""
    (to / "nielsen_curves").mkdir(parents=True, exist_ok=True)
    folder.mkdir(parents=True, exist_ok=True)
    for figure in figures:
        for name in [*FIGURES[figure], *([UNPENALISED.name] if figure == "error_norms" else [])]:
            results(settings[name], blocks, folder)
        found = {name: there for name in FIGURES[figure] if (there := kept(settings[name], folder))}
        if found:
            picture = to / "nielsen_curves" / f"{figure}.png"
            pictures.draw(figure, settings, found, picture)
            print(f"picture: {picture}", flush=True)
    path = to / "NIELSEN_CURVES.md"
    write_atomically(path, page.page(settings, folder).encode())
    print(f"page: {path}")


if __name__ == "__main__":
    main()
