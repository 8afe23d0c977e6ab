"""Run directories and sweeps made by hand, so that no test of a list or of a page has to train."""

import copy
import json
import math

CONFIG = {
    "name": "digits",
    "seed": 0,
    "data": {"source": "digits", "validation": 100, "test": 300, "classes": []},
    "network": {
        "cost": {"type": "LogLikelihood"},
        "layers": [
            {"type": "Dense", "units": 20, "initializer": {"type": "He"}},
            {"type": "ReLU"},
            {"type": "Dense", "units": 3, "initializer": {"type": "He"}},
        ],
    },
    "training": {
        "batch_size": 10,
        "epochs": 3,
        "keep": "last",
        "optimizer": {"type": "SGD", "eta": 0.5, "mu": 0.0, "lmbda": 0.0},
        "target_cost": "-inf",
    },
    "sweep": {"eta": [], "lmbda": [], "mu": [], "scale": [], "units": [], "seeds": 1},
    "monitor": {"on": False},
    "classes": ["0", "1", "2"],
}
ENVIRONMENT = {"data": "d1", "versions": {"jax": "0.10.1"}}


def config(**changes):
    """The config of a run with other entries, by their dotted names with __ for the dot."""
    table = copy.deepcopy(CONFIG)
    for name, value in changes.items():
        *way, last = name.split("__")
        inner = table
        for step in way:
            inner = inner[int(step)] if isinstance(inner, list) else inner.setdefault(step, {})
        inner[last] = value
    return table


def lines(count, worse=0.0):
    """Lines of metrics.jsonl, from a net that learns."""
    costs = [round(1 / (epoch + 1) + worse, 4) for epoch in range(1, count + 1)]
    return [
        {"epoch": epoch, "eta_factor": 1.0, "seconds": 0.5}
        | {f"{part}_cost": cost + i / 100 for i, part in enumerate(("train", "validation", "test"))}
        | {
            f"{part}_accuracy": round(1 - cost / 2 - i / 100, 4)
            for i, part in enumerate(("train", "validation", "test"))
        }
        for epoch, cost in enumerate(costs, 1)
    ]


def part(cost, confusion):
    """One part of the results of a classifier, from its confusion matrix."""
    n = sum(map(sum, confusion))
    columns = [sum(row[i] for row in confusion) for i in range(len(confusion))]
    classes = [
        {
            "class": str(i),
            "n": sum(row),
            "recall": row[i] / sum(row) if sum(row) else None,
            "precision": row[i] / columns[i] if columns[i] else None,
        }
        for i, row in enumerate(confusion)
    ]
    most = max(range(len(confusion)), key=lambda i: sum(confusion[i]))
    return {
        "n": n,
        "cost": cost,
        "accuracy": sum(row[i] for i, row in enumerate(confusion)) / n,
        "majority": {"class": str(most), "share": sum(confusion[most]) / n},
        "classes": classes,
        "confusion": confusion,
    }


def results(count=3, **changes):
    """The entry "results" of a result.json."""
    confusions = {"train": [[9, 1, 0], [0, 8, 2], [0, 0, 10]], "validation": [[5, 0, 0], [1, 4, 0], [0, 2, 3]]}
    confusions["test"] = [[7, 1, 0], [2, 8, 0], [0, 0, 0]]
    return {
        "stopped": f"all {count} epochs are trained",
        "epochs": count,
        "best_epoch": 2,
        "kept_epoch": count,
        "task": "classes",
        "parts": {name: part(0.3, confusion) for name, confusion in confusions.items()},
        "mistakes": [
            {"part": "test", "row": 17, "class": "1", "decided": "0", "sure": 0.9993},
            {"part": "test", "row": 4, "class": "0", "decided": "1", "sure": 0.81},
        ],
        **changes,
    }


def write(path, value):
    path.write_text(value if isinstance(value, str) else json.dumps(value))


def run(folder, table=None, metrics=None, result=None):
    """A finished run in `folder`, or one that is not finished if `result` is False."""
    folder.mkdir(parents=True)
    table = table or config()
    metrics = lines(table["training"]["epochs"]) if metrics is None else metrics
    write(folder / "config.toml", 'name = "digits"\n')
    write(folder / "config.json", table)
    write(folder / "environment.json", ENVIRONMENT)
    if metrics:
        write(folder / "metrics.jsonl", "".join(f"{json.dumps(line)}\n" for line in metrics))
    if result is not False:
        write(folder / "result.json", result or {})
    return folder


def sweep(folder, etas=(0.1, 1.0), lmbdas=(0.0,), seeds=2, diverged=()):
    """A finished sweep in `folder`; the networks in `diverged` did so in epoch 1."""
    run(folder, config(sweep__eta=list(etas), sweep__lmbda=list(lmbdas), sweep__seeds=seeds), [], False)
    (folder / "networks").mkdir()
    points = [(eta, lmbda, seed) for eta in etas for lmbda in lmbdas for seed in range(seeds)]
    who = "network,units,eta,mu,lmbda,scale,seed"
    measures = "train_cost,train_accuracy,validation_cost,validation_accuracy,test_cost,test_accuracy"
    last, curves = [f"{who},epochs,diverged_in_epoch,{measures}"], [f"{who},epoch,{measures}"]
    for i, (eta, lmbda, seed) in enumerate(points):
        place = f"{i},0,{eta},0.0,{lmbda},1.0,{seed}"
        for epoch in (1, 2, 3):
            right = round(0.9 - abs(math.log10(eta)) / 10 - lmbda - seed / 100 - 0.1 / epoch, 4)
            numbers = "nan,nan,nan,nan,nan,nan" if i in diverged else f"0.1,0.95,0.2,{right},0.3,{right - 0.01:.4f}"
            curves.append(f"{place},{epoch},{numbers}")
        last.append(f"{place},3,{1 if i in diverged else ''},{numbers}")
    write(folder / "sweep.csv", "\n".join(last) + "\n")
    write(folder / "curves.csv", "\n".join(curves) + "\n")
    return folder


def gradcheck(text):
    """The report of a gradient check in gradcheck.json and as it is printed, and its heat maps; `text` is in all."""
    gap = {"absolute": 1e-9, "relative": 1e-8}
    leaf = {"name": text, "owner": f"{text}(units=3)", "shape": [3, 4], "compared": 12, "left_out": 0, "wrong": 0}
    leaf |= {"ok": True, "to_autodiff": gap, "to_difference": {"absolute": None, "relative": None}}
    layer = {"name": text, "entries": 12, "ok": False, "faults": [text], "slips": [], "broken": ""}
    report = {"ok": False, "coordinates": 24, "slips": [text], "notes": [], "value_ok": False, "value": 1.0}
    report |= {"value_expected": 2.0, "leaves": [leaf, leaf | {"name": "0.b", "wrong": 2}], "layers": [layer]}
    report |= {"training_loop": {"ok": True}}
    return report, f"{text}\nas printed", {text: [[-18.0, -8.0, math.nan]] * 3, "0.b": [[0.0]] * 3}
