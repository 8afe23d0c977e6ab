"""The direction of the imports, and what importing does."""

import ast
import pathlib
import re
import subprocess
import sys

import pytest

import fnn

SOURCE = pathlib.Path(fnn.__file__).parent

MATHEMATICS = (
    *("initializers", "layers", "activation_functions", "convolution", "costs", "network", "optimizers", "schedules"),
    *("examples", "per_example_gradients", "handwritten_gradient"),
)
# The house: each row's places, and the rows that it may import besides itself; all of them stand above it.
ROWS = {
    "types": (),
    "errors": (),
    "kernels": ("types",),
    "mathematics": ("types", "errors", "kernels"),
    "storage": ("errors",),
    "data": ("errors", "examples", "storage"),
    "looking": ("errors", "storage", "data"),
    "training": ("types", "errors", "kernels", "mathematics"),
    "checking": ("types", "errors", "mathematics", "training"),
    "lessons": ("types", "errors", "mathematics", "training"),
    "machine": ("errors", "storage", "data"),
    "config": ("types", "errors", "mathematics", "storage", "data", "looking", "training"),
    "runs": (
        *("types", "errors", "kernels", "mathematics", "storage", "data", "looking", "training", "checking"),
        *("lessons", "machine", "config"),
    ),
    "plots": ("types", "storage", "checking"),
    "pages": ("storage",),
    "interop": (
        *("types", "errors", "kernels", "mathematics", "storage", "data", "looking", "training", "checking"),
        *("lessons", "machine", "config", "runs", "plots", "pages"),
    ),
    "cli": (
        *("types", "errors", "kernels", "mathematics", "storage", "data", "looking", "training", "checking"),
        *("lessons", "machine", "config", "runs", "plots", "pages", "interop"),
    ),
}
FILES = sorted(path.relative_to(SOURCE) for path in SOURCE.rglob("*.py") if path != SOURCE / "__init__.py")


def row(place):
    """The row of a file or folder that stands at the door."""
    return "mathematics" if place in MATHEMATICS else place


def modules(path):
    """The modules that a file imports, lazily too."""
    for node in ast.walk(ast.parse((SOURCE / path).read_text())):
        if isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path}, line {node.lineno}: imports within fnn are written from fnn on"
            yield from [f"fnn.{alias.name}" for alias in node.names] if node.module == "fnn" else [node.module]
        elif isinstance(node, ast.Import):
            yield from [alias.name for alias in node.names]


def imports(path):
    """The places at the door that a file imports."""
    return {name.split(".")[1] for name in modules(path) if name.split(".")[0] == "fnn"}


def test_a_row_may_import_only_rows_above_it():
    above = []
    for name, may in ROWS.items():
        assert {row(place) for place in may} <= set(above), name
        above.append(name)


def test_the_drawing_in_the_docs_is_this_table():
    text = (SOURCE.parents[1] / "docs" / "house.md").read_text(encoding="utf-8")
    drawing = text.split("```text\n")[1].split("```")[0]
    rows = re.findall(r"^(\S.*?)(?:\n)? {2,}\S.*?<- (.*)$", drawing, re.MULTILINE)
    assert " ".join(names for names, _ in rows).replace("/", "").split() == [
        *("types", "errors", "kernels", *MATHEMATICS),
        *("storage", "data", "looking", "training", "checking", "lessons", "machine"),
        *("config", "runs", "plots", "pages", "interop"),
        "cli",
    ]
    above = set()
    for names, arrow in rows:
        said = {"nothing": set(), "all above": above}.get(arrow, set(arrow.split()))
        said |= {"types", "errors"} if "mathematics" in said else set()
        places = {row(name) for name in names.replace("/", "").split()}
        assert all(set(ROWS[place]) == said for place in places), places
        above = above | places


def test_the_device_is_asked_in_one_place():
    asking = [str(path) for path in FILES if "default_backend" in (SOURCE / path).read_text(encoding="utf-8")]
    assert asking == ["training/mini_batches.py"]


def test_no_folder_has_folders():
    assert {len(path.parts) for path in FILES} == {1, 2}


@pytest.mark.parametrize("path", FILES, ids=str)
def test_a_file_stands_in_a_row_and_imports_what_the_row_may(path):
    here = path.parts[0].removesuffix(".py")
    assert row(here) in ROWS
    for place in imports(path):
        assert place == "__version__" or row(place) == row(here) or {place, row(place)} & set(ROWS[row(here)]), place


def test_storage_data_and_looking_import_no_jax_not_even_lazily():
    numpy_alone = [path for path in FILES if path.parts[0] in ("storage", "data", "looking")]
    assert not [path for path in numpy_alone if "jax" in {name.split(".")[0] for name in modules(path)}]
    names = [".".join(("fnn", *path.with_suffix("").parts)) for path in numpy_alone]
    code = f"import sys, fnn.machine.signals, fnn.config.schema, {', '.join(names)}; assert 'jax' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_importing_everything_changes_no_setting_and_touches_no_device():
    code = (
        "import jax; before = dict(jax.config.values)\n"
        "import fnn; [getattr(fnn, name) for name in fnn.__all__]\n"
        "assert dict(jax.config.values) == before\n"
        "from jax._src import xla_bridge; assert not xla_bridge._backends, 'a device was touched'"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("command", ["run", "sweep", "predict"])
def test_a_command_that_checks_no_gradient_imports_no_check_and_before_it_draws_no_matplotlib(command):
    code = (
        f"import sys, fnn.cli.{command}; found = {{'.'.join(name.split('.')[:2]) for name in sys.modules}}\n"
        "assert not found & {'matplotlib', 'fnn.checking'}, found"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
