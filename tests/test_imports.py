"""The direction of the imports, what importing does, and what the public names promise."""

import ast
import inspect
import pathlib
import subprocess
import sys

import jax
import pytest

import fnn

SOURCE = pathlib.Path(fnn.__file__).parent

# Room: what it may import. A room below may not be imported by one above it.
ROOMS = {
    "errors": (),
    "files": (),
    "waking": ("errors",),
    "examples": (),
    "zips": ("errors",),
    "arrays": ("errors", "files", "zips"),
    "plain": ("errors", "files"),
    "locks": ("errors",),
    "checkpoints": ("errors", "files", "plain", "arrays"),
    "tables": ("errors",),
    "types": (),
    "initializers": ("types",),
    "layers": ("types", "initializers"),
    "logic": ("types", "layers"),
    "truth_tables": ("types", "layers", "logic"),
    "gates": (),
    "graphs": ("gates",),
    "costs": ("types", "layers"),  # for the default of Quadratic.activation
    "network": ("types",),
    "optimizers": ("types",),
    "shuffling": ("types",),
    "schedules": ("types", "layers"),  # `positive`
    "streaming": ("types", "examples", "shifting"),
    "patching": ("types",),
    "convolution": ("types", "initializers", "layers", "patching"),
    "deferring": ("types", "layers", "convolution", "network", "optimizers"),
    "training": ("types", "network", "examples", "shuffling", "shifting", "streaming", "deferring"),
    "monitors": ("types", "network"),
    "segments": ("types", "examples", "shuffling", "shifting", "streaming", "training", "monitors", "deferring"),
    "divergence": ("types", "errors", "network"),
    "fitting": (
        *("types", "network", "examples", "schedules", "shifting", "streaming", "training", "segments", "divergence"),
        "monitors",
    ),
    "comparison": ("types", "network", "fitting", "examples"),
    "sweeping": ("types", "network", "training", "examples", "shifting", "streaming", "deferring"),
    "checking": ("types", "network", "errors", "optimizers"),
    "examplewise": ("types", "layers", "network"),
    "blackboard": ("types", "errors", "layers", "network", "optimizers", "training"),
    "stored": ("errors", "arrays"),
    "data": ("errors", "files", "examples", "arrays", "stored"),
    "plots": ("files",),
    "image_plots": ("types", "plots"),
    "shifting": ("types", "examples"),
    "listing": ("errors", "tables", "data"),
    "config": (
        *("types", "errors", "tables", "layers", "convolution", "costs", "initializers", "optimizers", "schedules"),
        *("network",),
    ),
    "models": ("types", "errors", "tables", "plain", "arrays", "network", "config"),
    "environments": ("data",),
    "stopping": ("errors",),
    "saving": (
        *("types", "errors", "plain", "checkpoints", "environments", "models", "schedules", "stopping", "training"),
        *("segments", "fitting"),
    ),
    "doctor": (
        *("types", "errors", "data", "environments", "checkpoints", "checking", "costs", "layers", "network"),
        *("optimizers", "training", "waking"),
    ),
    "grids": ("types", "errors", "optimizers", "config"),
}
CORE = {"types", "initializers", "layers", "convolution", "costs", "network", "optimizers", "shuffling", "schedules"}
CORE |= {
    "deferring",
    "patching",
    "training",
    "monitors",
    "segments",
    "divergence",
    "fitting",
    "sweeping",
    "comparison",
    "checking",
    "examplewise",
    "examples",
    "errors",
    "shifting",
    "streaming",
}
CORE |= {"logic", "truth_tables", "gates", "graphs", "blackboard"}
EDGE = {path.stem for path in SOURCE.iterdir() if path.stem not in {"__init__", "__pycache__", "py"}} - set(ROOMS)


def imports(path):
    """The rooms that a file imports from its own package, lazily too."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.level:
            yield from [node.module.split(".")[0]] if node.module else [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "fnn":
            parts = node.module.split(".")
            yield from [parts[1]] if len(parts) > 1 else [alias.name for alias in node.names]


@pytest.mark.parametrize("room", ROOMS)
def test_imports_point_one_way(room):
    files = [SOURCE / f"{room}.py"] if (SOURCE / f"{room}.py").exists() else list((SOURCE / room).glob("*.py"))
    assert files
    for file in files:
        assert set(imports(file)) <= {*ROOMS[room], room}, file


def test_the_mathematics_know_nothing_of_the_edge():
    assert {"cli", "commands", "runs", "progress"} <= EDGE
    for room in CORE & set(ROOMS):
        assert not set(ROOMS[room]) - CORE, room


def test_no_room_of_numpy_alone_imports_jax():
    rooms = "fnn.data, fnn.stored, fnn.checkpoints, fnn.locks, fnn.stopping, fnn.tables"
    code = f"import sys, {rooms}; assert 'jax' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)  # noqa: S603 (our own interpreter)


def test_importing_everything_changes_no_setting_and_touches_no_device():
    code = (
        "import jax; before = dict(jax.config.values)\n"
        "import fnn; [getattr(fnn, name) for name in fnn.__all__]\n"
        "assert dict(jax.config.values) == before\n"
        "from jax._src import xla_bridge; assert not xla_bridge._backends, 'a device was touched'"
    )
    subprocess.run([sys.executable, "-c", code], check=True)  # noqa: S603 (our own interpreter)


def test_no_module_hides_behind_an_exported_function():
    modules = {path.stem for path in SOURCE.iterdir()}
    assert not modules & set(fnn.__all__)


def test_the_stub_says_what_the_package_exports():
    stub = ast.parse((SOURCE / "__init__.pyi").read_text())
    said = {
        (node.module, alias.asname) for node in stub.body if isinstance(node, ast.ImportFrom) for alias in node.names
    }
    assert said == {(room, name) for room, names in fnn._ROOMS.items() for name in names}


@pytest.mark.parametrize("name", fnn.__all__)
def test_public_names_have_docstrings(name):
    value = getattr(fnn, name)
    if inspect.isclass(value) or inspect.isfunction(value):
        assert inspect.getdoc(value)
        for method in (m for k, m in vars(value).items() if inspect.isfunction(m) and not k.startswith("_")):
            assert inspect.getdoc(method), method


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'Dens'"):
        fnn.Dens  # noqa: B018 (the access is the test)
    assert "Dense" in dir(fnn)
    assert jax is not None
