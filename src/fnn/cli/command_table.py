"""The commands of the command line: their arguments, and what their help says."""

from __future__ import annotations

from typing import Any, NamedTuple

Argument = tuple[str, dict[str, Any]]  # for `ArgumentParser.add_argument`: the name and the keyword arguments


class Command(NamedTuple):
    """One row of the table of commands."""

    name: str  # of the command and of its module
    help: str  # a line of `fnn --help`
    arguments: tuple[Argument, ...] = ()
    about: str = ""  # what it does, in a sentence
    examples: tuple[str, ...] = ()  # two that work in a copy of this project
    more: str = ""  # what else its help says, in lines of its own


# Arguments of several commands
CONFIG = (
    "config",
    dict(metavar="CONFIG", help="a TOML file, or the name of one that comes with fnn (digits, xor, ...)"),
)
SET = (
    "--set",
    dict(
        action="append",
        default=[],
        metavar="KEY=VALUE",
        dest="overrides",
        help="override an entry: training.epochs=3, network.layers.0.units=50, data.source=~/own.csv; may be repeated",
    ),
)
TYPE = (
    "--type",
    dict(
        action="append",
        default=[],
        metavar="MODULE:CLASS",
        help="a layer, cost, ... of your own that the config names, or FILE.py:CLASS; may be repeated",
    ),
)
OUT = ("--out", dict(default="runs", metavar="DIR", help="the folder in which run directories are made (runs)"))
AWAKE = ("--awake", dict(action="store_true", help="let no idle core sleep meanwhile (Linux, root): same bits, sooner"))
GRADIENT = ("--gradient", dict(choices=("backprop", "autodiff"), help="short for --set training.gradient=..."))
RUN = ("run", dict(metavar="RUN", help="a run directory"))
RESUME = ("--resume", dict(action="store_true", help="go on with the newest unfinished run of this config there"))

CACHE = (
    "--cache",
    dict(metavar="DIR", help="keep compiled programs there, not in your cache folder; they are executed, so trust it"),
)
NO_CACHE = ("--no-cache", dict(action="store_true", help="keep no compiled programs and use none that are kept"))
KEPT = (CACHE, NO_CACHE)

DEVICES = (
    "--devices",
    dict(
        metavar="N|all",
        help="share each mini-batch among so many devices of this machine (1), or with --distributed of each process "
        "(all)",
    ),
)
SWEEP_DEVICES = (
    "--devices",
    dict(metavar="N|all", help="spread the networks over so many devices of this machine or of each process (all)"),
)
DISTRIBUTED = (
    "--distributed",
    dict(
        nargs="?",
        const="",
        metavar="HOST:PORT,N,I",
        help="train one run by N processes, of which this is number I, from 0; process 0 listens at HOST:PORT. Without "
        "a value SLURM, Open MPI, Kubernetes, TPU or torchrun says it",
    ),
)

# Arguments of one command
CHECKPOINT = (
    "--checkpoint",
    dict(type=float, default=30.0, metavar="SECONDS", help="time between two checkpoints, at least (30)"),
)
ACCEPT_CHANGES = (
    "--accept-changes",
    dict(action="store_true", help="resume although versions, devices or data have changed"),
)
CHECKED = (
    "config",
    dict(
        metavar="CONFIG|MODULE:FUNCTION",
        help="a config, as for fnn run, or a function that returns (f, *args) for fnn.check_vjp",
    ),
)
EXAMPLES = ("--examples", dict(type=int, metavar="N", help="training examples to check on (the config's batch_size)"))
PREDICT_OUT = ("--out", dict(metavar="FILE", help="write the csv there, and only say how right it is"))
PAGE_OUT = ("--out", dict(metavar="FILE", help="write the page there (page.html in RUN)"))
TO = (
    "--to",
    dict(required=True, choices=("onnx", "safetensors"), help="a graph that runs elsewhere, or the params alone"),
)
EXPORT_OUT = ("--out", dict(metavar="FILE", help="write it there (model.onnx or model.safetensors in RUN)"))
COMPARE_OUT = ("--out", dict(metavar="DIR", help="write the whole table, compare.csv, and compare.png there"))
CHECK_OUT = ("--out", dict(metavar="DIR", help="write gradcheck.json, report.html and gradcheck.png there"))
EXPLAIN_OUT = ("--out", dict(metavar="DIR", help="write explain.txt and network.png, the net drawn, there"))
EXAMPLE = (
    "--example",
    dict(metavar="K", help="the training example, from 0, or several: 0,3 or 0-3 (the first that is not all zeros)"),
)
FILE = (
    "file",
    dict(metavar="FILE", nargs="?", help="a .csv, .parquet, .npz (x) or .npy file; default: the run's own test data"),
)
EMPTY_CACHE = ("--empty-cache", dict(action="store_true", help="remove the compiled programs that fnn has kept"))
RUNS = ("runs", dict(metavar="DIR", nargs="+", help="a run, a sweep, or a folder of them"))
REPORT_OUT = ("--out", dict(default="report", metavar="DIR", help="the folder for report.html (report)"))
FOLDER = ("folder", dict(metavar="DIR", nargs="?", default="runs", help="a folder of run directories (runs)"))
NAME = ("name", dict(metavar="NAME|FILE", nargs="?", help="a source that fnn knows, or a file of yours"))
SOURCE = ("file", dict(metavar="FILE", help="a .csv, .parquet, .npz or .npy file, or a source that fnn knows"))
LABEL = ("--label", dict(default="", metavar="COLUMN", help="the column of a table to predict (the last one)"))
Y = ("--y", dict(metavar="FILE", help="the .npy file of the desired outputs, for inputs in an .npy file"))

# The options that are paths, with what messages call them
PATHS = {
    "config": "CONFIG",
    "run": "RUN",
    "runs": "DIR",
    "file": "FILE",
    "folder": "DIR",
    "out": "--out",
    "cache": "--cache",
    "y": "--y",
}
VARIABLES = ("MPLCONFIGDIR", "JAX_COMPILATION_CACHE_DIR", "XDG_CACHE_HOME", "XDG_CONFIG_HOME")  # of libraries: paths
# Commands whose only result is what they print, without --out
PRINTED = ("predict", "data", "new", "schema", "explain", "compare", "runs", "watch")

# What the help says of several processes
PROCESSES = """\
Several processes (--distributed): process 0 prints and writes the files; when
one is lost all end (exit status 5); the same command with --resume goes on.
  FNN_START_SECONDS=60       in which all of them have to come
  FNN_WATCHDOG_SECONDS=600   after which one that is stuck is ended"""

# The keys of a config's [sweep]
GRID = """\
[sweep] in CONFIG, or --set sweep.KEY=VALUE; the grid is every combination:
  eta = [0.1, 0.5]           learning rates of SGD
  mu = [0.0, 0.9]            its momentum
  lmbda = [0.0, 1e-4]        its L2 strength
  scale = [0.5, 1]           factors on the initial weights
  units = [30, 100]          widths; each is given to every hidden layer
  seeds = 5                  networks at each point: seed, seed + 1, ...
  own_orders = true          each seed has its own order of mini-batches
  memory = 4.0               GiB for the networks that are trained together"""

COMMANDS = (
    Command(
        "run",
        "train a config, evaluate it, write its run directory",
        (
            *(CONFIG, SET, TYPE, OUT, RESUME, CHECKPOINT, ACCEPT_CHANGES, *KEPT, AWAKE, GRADIENT),
            *(DEVICES, DISTRIBUTED),
        ),
        "Train the network of a config and evaluate it; a run directory keeps all that is needed to use it, to go on "
        "with it and to repeat it.",
        ("fnn run xor", "fnn run digits --set training.epochs=5 --resume"),
        PROCESSES,
    ),
    Command(
        "sweep",
        "train the grid of a config's [sweep] in one program",
        (CONFIG, SET, TYPE, OUT, RESUME, *KEPT, AWAKE, GRADIENT, SWEEP_DEVICES, DISTRIBUTED),
        "Train one network for each point of a grid and each seed, and tell which point is best by validation.",
        ("fnn sweep sweep", "fnn sweep xor --set 'sweep.eta=[0.1, 0.5]' --set sweep.seeds=5"),
        f"{GRID}\n\n{PROCESSES}",
    ),
    Command(
        "compare",
        "train by backprop and by autodiff: agreement and time",
        (CONFIG, SET, TYPE, COMPARE_OUT, *KEPT, AWAKE),
        "Train a config by the gradients written by hand and by automatic ones, step by step, and show how far they "
        "agree and how long each takes.",
        ("fnn compare xor", "fnn compare digits --set training.epochs=2 --out compared"),
    ),
    Command(
        "gradcheck",
        "is the gradient right, every number of it, and the training loop?",
        (CHECKED, SET, TYPE, EXAMPLES, CHECK_OUT, *KEPT),
        "Compare each number of the gradient by hand with automatic differentiation and with finite differences, and "
        "check the steps of the training loop.",
        ("fnn gradcheck xor", "fnn gradcheck digits --examples 3 --out checked"),
    ),
    Command(
        "explain",
        "one training step of a small net, every number shown",
        (CONFIG, SET, TYPE, EXAMPLE, GRADIENT, EXPLAIN_OUT, *KEPT),
        "Show one training step as on a blackboard: every number of the forward pass, of the backward pass and of the "
        "update.",
        ("fnn explain xor --out board", "fnn explain xor --example 0-3"),
    ),
    Command(
        "predict",
        "outputs of a trained run for new inputs, as a csv",
        (RUN, FILE, TYPE, PREDICT_OUT, *KEPT),
        "Print what a trained network says about each row of a file, or of its own test data, as a csv; if the data "
        "hold what is desired, stderr says how right it is.",
        ("fnn predict runs/xor-c8be7c4d", "fnn predict runs/digits-6a4845ac --out predictions.csv"),
    ),
    Command(
        "export",
        "a trained run as a file for other programs: onnx, safetensors",
        (RUN, TO, TYPE, EXPORT_OUT),
        "Write a trained network for other programs: as an ONNX graph that takes inputs in their own units, as fnn "
        "predict does, or its params as safetensors.",
        (
            "fnn export runs/digits-6a4845ac --to onnx",
            "fnn export runs/digits-6a4845ac --to safetensors --out digits.safetensors",
        ),
    ),
    Command(
        "page",
        "draw a digit in a browser, and a trained network answers",
        (RUN, TYPE, PAGE_OUT),
        "Write a page, one file for any browser, in which one draws a digit with a mouse or a finger; the trained "
        "network is inside and answers while one draws, offline.",
        ("fnn page runs/digits-6a4845ac", "fnn page runs/digits-6a4845ac --out digits.html"),
    ),
    Command(
        "runs",
        "a line per run and sweep of a folder: what differs, results, state",
        (FOLDER,),
        "List the runs and sweeps of a folder, newest first: the settings that differ, the results, and whether each "
        "is finished, going on, stopped or diverged.",
        ("fnn runs", "fnn runs runs/digits-6a4845ac"),
    ),
    Command(
        "watch",
        "follow a training: its epochs as they come, until it ends",
        (RUN,),
        "Print the epochs of a run that is trained by another process, as they come, until it is finished, diverges or "
        "is stopped. Ctrl-C ends the watching alone.",
        ("fnn watch runs/digits-6a4845ac", "fnn watch runs/xor-c8be7c4d"),
    ),
    Command(
        "report",
        "runs and sweeps side by side on a page: results, settings, curves",
        (RUNS, REPORT_OUT),
        "Compare runs and sweeps on a page, report.html, that is one file for any browser: results, the settings in "
        "which they differ, curves, confusion matrices, the surest mistakes. What cannot be compared is skipped and "
        "named.",
        ("fnn report runs", "fnn report runs/digits-6a4845ac runs/xor-c8be7c4d --out compared"),
    ),
    Command(
        "verify",
        "train a finished run again and compare the bytes",
        (RUN, TYPE, *KEPT),
        "Train a finished run again, in memory, and say whether its metrics and parameters come out the same, to the "
        "last bit.",
        ("fnn verify runs/xor-c8be7c4d", "fnn verify runs/digits-6a4845ac"),
    ),
    Command(
        "doctor",
        "is this installation fit to train? versions, gradients, bugs",
        (EMPTY_CACHE,),
        about="Tell the versions and devices, check the gradients of a small net, and look for the known bugs of "
        "compilers on this machine.",
        examples=("fnn doctor", "fnn doctor --empty-cache"),
    ),
    Command(
        "data",
        "the data sets that fnn knows, or what a file of yours holds",
        (NAME, LABEL, Y),
        "List the data sets that a config can name in data.source, show one in full and check its files, or look at a "
        "file of your own: what each column is read as, and what stands in the way.",
        ("fnn data digits", "fnn data docs/customers.csv"),
    ),
    Command(
        "new",
        "write a config for a file of yours that runs as it is",
        (SOURCE, LABEL, Y),
        "Print a config for a file, each line with its reason: the columns, the sizes of the parts and of the net are "
        "chosen from the data.",
        ("fnn new docs/customers.csv > mine.toml", "fnn new docs/customers.csv --label contract > new.toml"),
    ),
    Command(
        "schema",
        "the JSON schema of a config, for editors",
        (TYPE,),
        "Print the JSON schema of a config: an editor completes keys by it, shows what they mean, and marks what no "
        "config may say.",
        ("fnn schema > fnn.schema.json", "fnn schema --type own.py:Swish > own.schema.json"),
    ),
)
