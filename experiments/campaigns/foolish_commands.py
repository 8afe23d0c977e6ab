"""Foolish configs, settings and tables on the command line."""

from __future__ import annotations

import contextlib
import io
import pathlib
from collections.abc import Callable, Iterator
from typing import Any

from experiments.campaigns.foolish_files import FLOWERS, Case
from fnn import InputError, cli

CONFIG = """seed = 0
[data]
source = "t.csv"
[network]
layers = [{ type = "Dense", units = UNITS }]
cost = "LogLikelihood"
[training]
batch_size = 2
epochs = 1
optimizer = { type = "SGD", eta = 0.1 }
"""


def command_on(
    text: str, command: str, *overrides: str, units: int = 2, config: bytes | None = None
) -> Callable[[], Any]:
    """`fnn COMMAND` of a small config, on a table with this text."""

    def attempt() -> Any:
        pathlib.Path("t.csv").write_text(text, encoding="utf-8", newline="")
        pathlib.Path("c.toml").write_bytes(config or CONFIG.replace("UNITS", str(units)).encode())
        sets = [word for override in overrides for word in ("--set", override)]
        return said(
            "run" if command == "run" else command, "c.toml", *sets, *(["--out", "runs"] if command == "run" else [])
        )

    return attempt


def said(*words: str) -> int:
    """The exit status of a command; a status of 1 or 2 becomes the error that was said, which must be one line."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            status = cli.main(list(words))
        except SystemExit as error:
            status = int(error.code or 0)
    lines = err.getvalue().strip().splitlines()
    if status in (2, 3) and (len(lines) == 1 or (lines and lines[0].startswith("usage"))):
        raise InputError(lines[-1])
    if status:
        raise RuntimeError(f"status {status}, {len(lines)} lines: {lines[:2]}")
    return status


def settings() -> Iterator[Case]:
    """Overrides that say nothing, or something else than they seem to."""
    wrong = [
        "epochs=3",
        "training.epoch=3",
        "training.epochs",
        "=3",
        "training.epochs=",
        "training.epochs=1.5",
        "training.epochs=-1",
    ]
    wrong += [
        "training.epochs=3\r",
        "training.epochs\r=3",
        "data.source=t.csv\r",
        "training.batch_size=0",
    ]
    wrong += [
        "training.batch_size=true",
        "training.optimizer.eta=nan",
        "training.optimizer.eta=-1",
        "training.optimizer.eta=inf",
    ]
    wrong += [
        "training.optimizer.eta='x'",
        "network.cost=Crossentropy",
        "network.layers=[]",
        "network.layers.0.units=0",
        "seed=-1",
    ]
    wrong += [
        "network.layers.7.units=3",
        "data.train=1e3",
        "data.test=12",
        "data.scale=nan",
        "data.shape=[3]",
        "data.label=w",
        "seed=1.5",
    ]
    wrong += [
        "data.shape=[2,2]",
        "data.scale=1e-300",
        "data.standardise='no'",
        "network.cost={type='Quadratic', activation='Sigmoid', units=2}",
        "network.layers.0.type='De\\nse'",
        '"se\\ned"=1',
    ]
    wrong += [
        "data.classes=['a']",
        "data.classes=['a','z']",
        "data.targets=onehot",
        "training.schedule=Stop",
        "training.lr=0.1",
        "x.y.z=1",
    ]
    for override in wrong:
        yield Case("settings", f"--set {override!r}", command_on(FLOWERS, "run", override))
    for axis in (
        "eta=[nan]",
        "eta=['a']",
        "eta=0.1",
        "eta=[0.1, 0.1]",
        "units=[2.5]",
        "units=[3, 3]",
        "seeds=0",
        "mu=[1]",
    ):
        yield Case("settings", f"sweep: {axis}", command_on(FLOWERS, "sweep", f"sweep.{axis}"))
    for override in ("training.epochs=3\n", " training.epochs = 3 ", "training.optimizer.eta=1e-1", "data.label=y"):
        attempt = command_on(FLOWERS, "gradcheck", override)
        yield Case("settings", f"harmless: {override!r}", attempt, lambda status: status == 0)


def config_texts() -> Iterator[Case]:
    """Configs in other encodings, and texts that are no config."""
    good = CONFIG.replace("UNITS", "2")
    for name, text in {
        "UTF-16": good.encode("utf-16"),
        "UTF-16, big-endian": good.encode("utf-16-be"),
        "Latin-1": (good + "# é\n").encode("latin-1"),
        "a zero byte": good.replace("seed", "\0seed").encode(),
        "empty": b"\n",
        "JSON": b'{"seed": 0}',
        "half": good.encode()[:90],
        "twice": (good + good).encode(),
        "tab in a key": good.replace("seed", "se\ted").encode(),
        "a lone \\r": good.replace("\n", "\r").encode(),
    }.items():
        yield Case("config texts", name, command_on(FLOWERS, "run", config=text))
    for name, text in {
        "BOM": good.encode("utf-8-sig"),
        "CRLF": good.replace("\n", "\r\n").encode(),
        "plain": good.encode(),
    }.items():
        yield Case(
            "config texts",
            f"harmless: {name}",
            command_on(FLOWERS, "gradcheck", config=text),
            lambda status: status == 0,
        )


def predictions() -> Iterator[Case]:
    """Tables whose columns are not those of the training."""

    def attempt(text: str) -> Callable[[], Any]:
        def predicted() -> Any:
            if not pathlib.Path("trained").is_dir():
                command_on(FLOWERS, "gradcheck")()
                said("run", "c.toml", "--out", "trained")
            (run,) = (path for path in pathlib.Path("trained").iterdir() if path.is_dir())
            pathlib.Path("new.csv").write_text(text, encoding="utf-8", newline="")
            return said("predict", str(run), "new.csv")

        return predicted

    for name, text in {
        "other names": "p,q\n1,2\n",
        "one missing": "u\n1\n",
        "one unknown": "u,v,w\n1,2,3\n",
        "unknown and label": "u,v,w,y\n1,2,3,a\n",
        "renamed": "u,V\n1,2\n",
        "no header": "1,2\n3,4\n",
        "twice": "u,u\n1,2\n",
        "text": "u,v\n1,x\n",
        "missing value": "u,v\n1,\n",
        "nan": "u,v\nnan,2\n",
        "no rows": "u,v\n",
        "empty": "",
        "blank name": "u,v,\n1,2,3\n",
        "only the label": "y\na\n",
        "1_000": "u,v\n1_000,2\n",
        "digits of another script": "u,v\n\uff11,2\n",
        "a decimal comma": 'u,v\n"0,5",2\n',
        "hexadecimal digits": "u,v\n0x1,2\n",
        "a percentage": "u,v\n5%,2\n",
        "infinite": "u,v\ninf,2\n",
        "beyond float32": "u,v\n1e39,2\n",
        "a mark of a missing value": "u,v\n1.#IND,2\n",
        "semicolons": "u;v\n1;2\n",
        "tabs": "u\tv\n1\t2\n",
        "an index": ",u,v\n0,1,2\n",
        "commas at the ends": "u,v,\n1,2,\n",
    }.items():
        yield Case("predictions", name, attempt(text))
    for name, text in {
        "as trained": "u,v\n1,2\n",
        "other order": "v,u\n2,1\n",
        "with the label": "u,v,y\n1,2,a\n",
    }.items():
        yield Case("predictions", f"harmless: {name}", attempt(text), lambda status: status == 0)
