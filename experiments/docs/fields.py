"""An extension of griffe, which reads the sources for the pages of the API: fields, constants and their comments.

`epoch: int  # from 1` is how the sources say what a field of a NamedTuple, a dataclass or a `static` class is. Griffe
reads docstrings alone, and knows no `static`. Without this the pages would not say what the fields are, nor how such a
class is called.
"""

import ast
import re
from typing import Any

import griffe

SECTIONS = re.compile(r"^(Raises|Examples):$", re.M)  # of a docstring, before which the fields are listed
HAVE_FIELDS = ("NamedTuple", "static", "dataclass")  # bases and decorators of such classes


class Fields(griffe.Extension):
    """Lists the fields of a class in its docstring, with the comments behind them, and adds its signature."""

    def on_class_members(self, *, node: ast.AST | griffe.ObjectNode, cls: griffe.Class, **_: Any) -> None:
        """Called by griffe when it has read a class."""
        if not isinstance(node, ast.ClassDef) or not has_fields(node):
            return
        lines = cls.lines_collection[cls.filepath]
        fields = [each for each in node.body if isinstance(each, ast.AnnAssign) and isinstance(each.target, ast.Name)]
        texts = {each.target.id: comment(lines[each.end_lineno - 1]) for each in fields}
        said = {name: text for name, text in texts.items() if text}
        if cls.docstring and said:
            cls.docstring.value = listed(cls.docstring.value, said)
        if fields and "__init__" not in cls.members:
            cls.set_member("__init__", signature(cls, fields))

    def on_attribute_instance(self, *, node: ast.AST | griffe.ObjectNode, attr: griffe.Attribute, **_: Any) -> None:
        """Called by griffe for every name that is given a value: a constant of a module gets its comment as text."""
        if attr.docstring is None and isinstance(node, ast.Assign) and attr.parent and attr.parent.is_module:
            text = comment(attr.lines_collection[attr.filepath][node.end_lineno - 1])
            attr.docstring = griffe.Docstring(text, lineno=node.lineno, parent=attr) if text else None


def has_fields(node: ast.ClassDef) -> bool:
    """Whether the annotations of a class are its fields."""
    return any(ast.unparse(each).split("(")[0] in HAVE_FIELDS for each in (*node.bases, *node.decorator_list))


def comment(line: str) -> str:
    """The comment behind a statement that ends in this line; "" if there is none."""
    return line.partition("  # ")[2].strip()


def listed(docstring: str, texts: dict[str, str]) -> str:
    """The docstring with a section about the fields."""
    section = "\n".join(["Attributes:", *(f"    {name}: {text}" for name, text in texts.items())])
    first = SECTIONS.search(docstring)
    at = first.start() if first else len(docstring)
    return f"{docstring[:at].rstrip()}\n\n{section}\n\n{docstring[at:]}".rstrip()


def signature(cls: griffe.Class, fields: list[ast.AnnAssign]) -> griffe.Function:
    """What one writes to make a value of the class."""
    kind = griffe.ParameterKind.positional_or_keyword
    parameters = [griffe.Parameter("self", kind=kind)]
    for field in fields:
        name = ast.unparse(field.target)
        annotation = cls.members[name].annotation
        parameters.append(griffe.Parameter(name, annotation=annotation, kind=kind, default=default(field)))
    return griffe.Function("__init__", parameters=griffe.Parameters(*parameters), parent=cls)


def default(field: ast.AnnAssign) -> str | None:
    """The value of a field that is not given; of `field(default=0.0, repr=False)` it is 0.0."""
    value: ast.expr | None = field.value
    if isinstance(value, ast.Call) and ast.unparse(value.func) == "field":
        value = next((each.value for each in value.keywords if each.arg == "default"), None)
    return None if value is None else ast.unparse(value)
