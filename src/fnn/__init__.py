"""Feedforward neural networks as pure JAX functions, every gradient written by hand and proved."""

import importlib

__version__ = "0.1.0"

# A name is imported with its room at first use, so that the command line answers before JAX is loaded.
# `__init__.pyi` says the same to type checkers; a test holds the two together.
_ROOMS = {
    "checking": ("Report", "gradcheck"),
    "convolution": ("Conv", "ConvPool", "Flatten", "MaxPool"),
    "costs": ("CrossEntropy", "LogLikelihood", "Quadratic"),
    "data": ("Dataset", "load_data"),
    "errors": ("CorruptFileError", "DivergedError", "InputError"),
    "examples": ("Examples",),
    "examplewise": ("per_example", "per_example_norms"),
    "fitting": ("Result", "fit"),
    "gates": ("Gate",),
    "graphs": ("Node", "variable"),
    "initializers": ("Glorot", "He", "Normal", "ScaledNormal", "Zeros"),
    "layers": (
        *("Dense", "Identity", "LeakyReLU", "Maxout", "ReLU"),
        *("Sigmoid", "Softmax", "Step", "Tanh"),
    ),
    "logic": ("Circuit", "circuit", "layered"),
    "models": ("load", "save"),
    "monitors": ("Reading", "monitor"),
    "network": (
        *("activations", "autodiff", "backprop", "count_params", "deltas"),
        *("forward", "init", "predict", "shape_out"),
    ),
    "optimizers": ("SGD",),
    "schedules": ("Constant", "EarlyStopping", "HalveOnPlateau"),
    "sweeping": ("SweepResult", "sweep"),
    "shifting": ("Shifted",),
    "training": ("Evaluation", "epoch", "evaluate", "step"),
    "truth_tables": ("perceptron", "truth_table"),
    "types": ("Array", "Cost", "Initializer", "Key", "Layer", "Net", "Optimizer", "Params", "Shape", "static"),
    "waking": ("awake",),
}
_HOME = {name: room for room, names in _ROOMS.items() for name in names}

__all__ = sorted(_HOME)  # pyright: ignore (computed on purpose: the stub lists the names)


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module 'fnn' has no attribute {name!r}")
    value = getattr(importlib.import_module(f".{_HOME[name]}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
