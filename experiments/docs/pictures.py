"""Draws the pictures of `docs/pictures/` by the commands that the pages show: `python -m experiments.docs.pictures`.

Each is a picture that fnn draws for everybody, with fewer colours, so that it takes less than 60 kB.
"""

import contextlib
import tempfile
from pathlib import Path

from PIL import Image  # matplotlib brings it

from experiments.docs.blocks import blocks
from experiments.docs.page import commands
from experiments.docs.running import Session

PICTURES = Path(__file__).parents[2] / "docs" / "pictures"
MOST_BYTES = 60_000
# a page, a command of it, and which of the command's pictures becomes which of ours
DRAWN = [
    ("index.md", "run digits", {"learning.png": "digits_learning.png", "mistakes.png": "digits_mistakes.png"}),
    ("gradient_check.md", "gradcheck xor", {"gradcheck.png": "gradcheck.png"}),
    ("your_own.md", "run mine.toml", {"fit.png": "own_fit.png"}),
    ("sweeps.md", "sweep rates.toml", {"heat_map.png": "heat_map.png"}),
]


def main() -> None:
    """Draws all pictures anew."""
    for page, start, names in DRAWN:
        with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
            session = Session()
            for block in blocks((PICTURES.parent / page).read_text(encoding="utf-8")):
                if block.title:
                    session.write(block.title, block.text)
                found = commands(block.text) if block.kind == "console" else []
                for command in [command for command, _ in found if command.startswith(f"fnn {start}")]:
                    print(session.fnn(command))
            for theirs, ours in names.items():
                (drawn,) = Path(folder).rglob(theirs)
                keep(drawn, PICTURES / ours)


def keep(drawn: Path, ours: Path) -> None:
    """Writes a picture with at most 64 colours."""
    Image.open(drawn).convert("RGB").quantize(64, dither=Image.Dither.NONE).save(ours, optimize=True)
    size = ours.stat().st_size
    print(f"{ours}: {size:,} bytes")
    if size > MOST_BYTES:
        raise SystemExit(f"{ours}: {size:,} bytes; expected at most {MOST_BYTES:,}: draw it smaller.")


if __name__ == "__main__":
    main()
