"""The command line: `fnn COMMAND ...`. JAX is imported only by the commands that compute.

Exit status: 0 done, 1 a check did not hold, 2 the user's input is wrong, 3 a file is corrupt, 4 training
diverged, 130 and 143 stopped by Ctrl-C and SIGTERM, when a training is saved before, 141 the reader of a pipe has left.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import sys
from collections.abc import Callable, Sequence

from fnn import __version__
from fnn.errors import CorruptFileError, DivergedError, InputError, StoppedError

Command = Callable[[argparse.Namespace], int]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the result is the exit status."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a name that a terminal's encoding lacks is told all the same
            stream.reconfigure(errors="backslashreplace")
    try:
        options = parser().parse_args(arguments)
        return options.command(options)
    except (InputError, CorruptFileError, DivergedError) as error:
        print(f"fnn: {error}", file=sys.stderr)
        return {InputError: 2, CorruptFileError: 3, DivergedError: 4}[type(error)]
    except StoppedError as error:
        print(f"fnn: {error}", file=sys.stderr)
        return 128 + error.number
    except KeyboardInterrupt:
        print("fnn: interrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:  # `fnn data | head`: the reader has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except OSError as error:  # a name too long, links in a circle, a disk that fails
        print(f"fnn: {error.filename or 'a file'}: {error.strerror or error}.", file=sys.stderr)
        return 2


def parser() -> argparse.ArgumentParser:
    """All commands and their options."""
    top = argparse.ArgumentParser(
        prog="fnn",
        description="Feedforward neural networks, every gradient written by hand and proved.",
        epilog="exit status: 0 done, 1 a check failed, 2 wrong input, 3 corrupt file, 4 diverged, 130/141/143 stopped",
    )
    top.add_argument("--version", action="version", version=f"fnn {__version__}")
    commands = top.add_subparsers(required=True, metavar="COMMAND")

    run = _config_command(commands, "run", _run, "train a config, evaluate it, write its run directory")
    run.add_argument("--out", default="runs", metavar="DIR", help="the folder in which run directories are made (runs)")
    run.add_argument("--resume", action="store_true", help="go on with the newest unfinished run of this config there")
    run.add_argument(
        "--checkpoint", type=float, default=30.0, metavar="SECONDS", help="time between two checkpoints, at least (30)"
    )
    run.add_argument(
        "--accept-changes", action="store_true", help="resume although versions, devices or data have changed"
    )
    run.add_argument(
        "--cache", metavar="DIR", help="keep compiled programs there for the next run; they are executed, so trust it"
    )
    sweep = _config_command(commands, "sweep", _sweep, "train the grid of a config's [sweep] in one program")
    sweep.add_argument(
        "--out", default="runs", metavar="DIR", help="the folder in which run directories are made (runs)"
    )
    compare = _config_command(commands, "compare", _compare, "train by backprop and by autodiff: agreement and time")
    for training in (run, sweep, compare):
        training.add_argument(
            "--awake", action="store_true", help="let no idle core sleep meanwhile (Linux, root): same bits, sooner"
        )

    check = _config_command(commands, "gradcheck", _gradcheck, "backprop, autodiff and differences, one by one")
    check.add_argument("--examples", type=int, default=32, metavar="N", help="training examples to check on (32)")
    check.add_argument("--out", metavar="DIR", help="write gradcheck.json and gradcheck.png there")

    explain = _config_command(commands, "explain", _explain, "one training step of a small net, every number shown")
    explain.add_argument("--example", type=int, default=0, metavar="K", help="the training example, from 0 (0)")
    for one_gradient in (run, sweep, explain):  # the others take both
        one_gradient.add_argument(
            "--gradient", choices=("backprop", "autodiff"), help="short for --set training.gradient=..."
        )

    predict = commands.add_parser("predict", help="outputs of a trained run for new inputs")
    predict.add_argument("run", metavar="RUN", help="a run directory")
    predict.add_argument(
        "file", metavar="FILE", nargs="?", help=".npz with x, .npy, or .csv; default: the run's own test data"
    )
    _type_option(predict)
    predict.set_defaults(command=_predict)

    report = commands.add_parser("report", help="finished runs side by side: a table, curves, a page")
    report.add_argument("runs", metavar="RUN", nargs="+", help="a run directory")
    report.add_argument(
        "--out", default="report", metavar="DIR", help="the folder for report.md and curves.png (report)"
    )
    _type_option(report)
    report.set_defaults(command=_report)

    verify = commands.add_parser("verify", help="train a finished run again and compare the bytes")
    verify.add_argument("run", metavar="RUN", help="a run directory")
    _type_option(verify)
    verify.set_defaults(command=_verify)

    doctor = commands.add_parser("doctor", help="is this installation fit to train? versions, gradients, known bugs")
    doctor.set_defaults(command=_doctor)

    data = commands.add_parser("data", help="what data there is, where it comes from, checksums")
    data.add_argument("name", metavar="NAME", nargs="?", help="one source, in full; its files are checked")
    data.set_defaults(command=_data)
    return top


def _config_command(
    commands: argparse._SubParsersAction, name: str, command: Command, help: str
) -> argparse.ArgumentParser:
    parser = commands.add_parser(name, help=help, description=help)
    parser.add_argument("config", metavar="CONFIG", help="a TOML file")
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        dest="overrides",
        help="override an entry: training.epochs=3, network.layers.0.units=50; may be repeated",
    )
    _type_option(parser)
    parser.set_defaults(command=command, gradient=None)
    return parser


def _type_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--type",
        action="append",
        default=[],
        metavar="MODULE:CLASS",
        dest="types",
        help="a layer, cost, ... of your own that the config names; may be repeated",
    )


def _run(options: argparse.Namespace) -> int:
    if options.cache is not None:
        from fnn.machine.compile_cache import keep

        keep(options.cache)
    from fnn.cli.run import Options, run

    beside = Options(options.out, options.resume, options.accept_changes, options.checkpoint)
    with _cores(options):
        return run(options.config, _overrides(options), options.types, beside)


def _report(options: argparse.Namespace) -> int:
    from fnn.cli.report import report

    return report(options.runs, options.out, options.types)


def _verify(options: argparse.Namespace) -> int:
    from fnn.cli.verify import verify

    return verify(options.run, options.types)


def _doctor(options: argparse.Namespace) -> int:
    from fnn.cli.doctor import examine

    return examine()


def _sweep(options: argparse.Namespace) -> int:
    from fnn.cli.sweep import sweep

    with _cores(options):
        return sweep(options.config, _overrides(options), options.out, options.types)


def _compare(options: argparse.Namespace) -> int:
    from fnn.cli.compare import compare

    with _cores(options):
        return compare(options.config, _overrides(options), options.types)


def _gradcheck(options: argparse.Namespace) -> int:
    from fnn.cli.gradcheck import check

    return check(options.config, _overrides(options), options.examples, options.out, options.types)


def _explain(options: argparse.Namespace) -> int:
    from fnn.cli.explain import explain

    return explain(options.config, _overrides(options), options.example, options.types)


def _predict(options: argparse.Namespace) -> int:
    from fnn.cli.predict import predict

    return predict(options.run, options.file, options.types)


def _data(options: argparse.Namespace) -> int:
    from fnn.cli.data import show

    return show(options.name)


def _cores(options: argparse.Namespace) -> contextlib.AbstractContextManager[None]:
    from fnn.machine.idle_cores import awake

    return awake() if options.awake else contextlib.nullcontext()


def _overrides(options: argparse.Namespace) -> list[str]:
    return options.overrides + ([f"training.gradient={options.gradient}"] if options.gradient else [])
