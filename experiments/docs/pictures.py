"""Draws the pictures of `docs/pictures/` by the commands that the pages show: `python -m experiments.docs.pictures`.

Each is a picture that fnn draws for everybody, with fewer colours, so that it takes less than 60 kB.
"""

from pathlib import Path

from PIL import Image  # matplotlib brings it

from experiments.docs.blocks import Block, blocks
from experiments.docs.page import commands, readers_folder
from experiments.docs.running import Session

PICTURES = Path(__file__).parents[2] / "docs" / "pictures"
MOST_BYTES = 60_000
# a page, the command of it that draws, and which of the command's pictures becomes which of ours
DRAWN = [
    ("index.md", "fnn run digits", {"learning.png": "digits_learning.png", "mistakes.png": "digits_mistakes.png"}),
    ("your_data.md", "fnn run mine.toml", {"confusion.png": "customers.png"}),
    ("gradient_check.md", "fnn gradcheck xor", {"gradcheck.png": "gradcheck.png"}),
    ("your_own.md", "fnn run mine.toml", {"fit.png": "own_fit.png"}),
    ("sweeps.md", "fnn sweep rates.toml", {"heat_map.png": "heat_map.png"}),
]


def main() -> None:
    """Draws all pictures anew."""
    for page, drawing, names in DRAWN:
        with readers_folder() as folder:
            run(blocks((PICTURES.parent / page).read_text(encoding="utf-8")), drawing)
            for theirs, ours in names.items():
                (drawn,) = folder.rglob(theirs)
                keep(drawn, PICTURES / ours)


def run(every: list[Block], last: str) -> None:
    """Writes the files of a page and runs its commands, up to the first that begins so."""
    session = Session()
    for block in every:
        if block.title:
            session.write(block.title, block.text)
        for command, _ in commands(block.text) if block.kind == "console" else []:
            session.command(command)
            if command.startswith(last):
                return


def keep(drawn: Path, ours: Path) -> None:
    """Writes a picture with at most 64 colours."""
    Image.open(drawn).convert("RGB").quantize(64, dither=Image.Dither.NONE).save(ours, optimize=True)
    size = ours.stat().st_size
    print(f"{ours}: {size:,} bytes")
    if size > MOST_BYTES:
        raise SystemExit(f"{ours}: {size:,} bytes; expected at most {MOST_BYTES:,}: draw it smaller.")


if __name__ == "__main__":
    main()
