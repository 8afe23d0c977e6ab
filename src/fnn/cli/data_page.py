"""What `fnn data FILE` prints: a table's columns or a file's arrays, what a net would get, and what is in the way."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from fnn.cli.text_width import WIDTH, cut, in_lines, padded, width, wrapped
from fnn.config.proposing import toml
from fnn.data.hints import hints
from fnn.data.wording import counted, short
from fnn.looking.arrays import Arrays
from fnn.looking.columns import Looked, amount
from fnn.looking.files import Found
from fnn.looking.plans import Plan
from fnn.looking.roles import Role
from fnn.looking.tables import MOST_CELLS, LookedTable
from fnn.storage.paths import typed

MOST_LINES = 40  # of columns; more are counted by their use
FEW_COLUMNS = 30  # that are all told; of more, neighbours of numbers are one line
NAME, USE = 20, 17  # columns of the terminal
MOST_FAULTS = 20
TOLD = ("targets", "drop", "onehot", "missing", "order", "split_seed", "shape", "scale", "standardise", "standardise_y")
LONGEST_VALUE = 60  # columns

Cells = tuple[str, str, str]  # the name of a column, its use, what it holds


def table_page(found: Found) -> str:
    """The page of a table."""
    table, plan = found.table, found.plan
    if table is None:
        raise TypeError("a page about arrays is made by arrays_page")
    cut_short = table.rows * len(table.columns) > MOST_CELLS
    seen = f" (the first {table.looked_at:,} were looked at)" if cut_short else ""
    columns = counted(len(table.columns), "column", "columns")
    title = f"{table.path}: {counted(table.rows, 'row', 'rows')}{seen}, {columns}, {_bytes(table.size)}"
    return _page(title, _columns(table, plan), found)


def arrays_page(found: Found) -> str:
    """The page of arrays."""
    arrays = found.arrays
    if arrays is None:
        raise TypeError("a page about a table is made by table_page")
    title = f"{arrays.path}: {counted(arrays.x.n, 'example', 'examples')}, {_bytes(arrays.size)}"
    return _page(title, _arrays(arrays, found.plan), found)


def _page(title: str, rows: list[str], found: Found) -> str:
    blocks = [wrapped([title]), rows]
    if found.plan:
        blocks.append(wrapped(_given(found, found.plan)))
        blocks.append(["A config should say (fnn new writes it):", *wrapped(_told(found.plan), "- ")])
    if found.faults:
        more = len(found.faults) - MOST_FAULTS
        blocks.append(
            [
                "In the way (these columns are left out):" if found.data else "In the way:",
                *wrapped(found.faults[:MOST_FAULTS], "- "),
                *([f"- and {more:,} more"] if more > 0 else []),
            ]
        )
    notes = [*(found.plan.notes if found.plan else ()), *(hints(found.data) if found.data else ())]
    if notes:
        blocks.append(["To think about:", *wrapped(notes, "- ")])
    blocks.append(wrapped([_next(found)]))
    return "\n\n".join("\n".join(block) for block in blocks)


def _columns(table: LookedTable, plan: Plan | None) -> list[str]:
    """The columns, a line each; of many, neighbours alike are one line, and those behind the first are counted."""
    cells = [_cells(column, plan) for column in table.columns]
    groups = _grouped(table.columns, cells) if len(cells) > FEW_COLUMNS else cells
    lines = _lined([("column", "read as", "what it holds"), *groups[:MOST_LINES]])
    rest = Counter(use for _, use, _ in groups[MOST_LINES:])
    if rest:
        lines += wrapped([f"and {counted(sum(rest.values()), 'line', 'lines')} more: {_counts(rest)}"])
    return lines


def _counts(rest: Counter[str]) -> str:
    return ", ".join(f"{n:,} {use}" for use, n in rest.most_common())


def _cells(column: Looked, plan: Plan | None) -> Cells:
    role = plan.roles.get(column.name) if plan else Role("", "")
    blanks = f"; {counted(column.blanks, 'blank', 'blanks')}" if column.blanks and column.filled else ""
    held = f"{column.described()}{blanks}"
    if role is None and plan:
        return column.name, _predicted(plan), f"{plan.entries['label'].why}{blanks}"
    role = role or Role("", "")
    if role.use == "drop":
        why = role.why if not column.faults else "it cannot be read as it is, see below"
        return column.name or "(no name)", "left out", f"{why} ({held})" if column.kind == "dates" else why
    if role.use == "onehot":
        return column.name, f"{column.different} inputs", f"text: {held}"
    return column.name, "a number" if plan and column.kind == "numbers" else column.kind, held


def _predicted(plan: Plan) -> str:
    return {"classes": f"{plan.n_out} classes", "binary": "2 classes", "quantity": "a quantity"}[plan.task]


def _grouped(columns: Iterable[Looked], cells: list[Cells]) -> list[Cells]:
    """Neighbours that hold numbers without a blank in one line."""
    groups: list[tuple[list[Looked], Cells]] = []
    for column, row in zip(columns, cells, strict=True):
        alike = row[1] == "a number" and not column.blanks
        last = groups[-1] if groups else None
        if last and alike and last[1][1] == "a number" and not last[0][-1].blanks:
            last[0].append(column)
        else:
            groups.append(([column], row))
    return [row if len(group) == 1 else _together(group) for group, row in groups]


def _together(group: list[Looked]) -> Cells:
    low, high = min(column.low for column in group), max(column.high for column in group)
    whole = "whole numbers " if all(column.is_whole for column in group) else ""
    names = f"{cut(group[0].name, NAME // 2 - 2)}...{cut(group[-1].name, NAME // 2 - 2)}"
    return names, f"{len(group):,} numbers", f"{whole}{amount(low)} to {amount(high)}"


def _lined(cells: list[Cells]) -> list[str]:
    """The cells in columns; what a column holds may take several lines."""
    names = min(NAME, max(width(name) for name, _, _ in cells))
    lines = []
    for name, use, held in cells:
        first, *more = in_lines(held, WIDTH - names - USE - 2) or [""]
        lines.append(f"{padded(cut(name, names), names)}  {padded(use, USE - 2)}  {first}".rstrip())
        lines += [" " * (names + USE + 2) + each for each in more]
    return lines


def _arrays(arrays: Arrays, plan: Plan | None) -> list[str]:
    x = arrays.x
    seen = "" if x.looked_at == x.n else f", in the first {x.looked_at:,}"
    held = f"{x.n:,} examples of shape {_shape(x.shape)}, {x.dtype}: {amount(x.low)} to {amount(x.high)}, mean "
    cells = [("array", "read as", "what it holds"), ("x", "inputs", f"{held}{amount(x.mean)}{seen}")]
    if arrays.y:
        y = arrays.y
        cells.append(
            ("y", _predicted(plan), f"to predict: {y.described() if plan.task == 'quantity' else y.shares()}")
            if plan
            else ("y", "", y.described())
        )
    elif arrays.y_shape:
        what = "one-hot rows" if arrays.one_hot else "numbers"
        cells.append(("y", "to predict", f"{what} of shape {_shape(arrays.y_shape[1:])}"))
    return _lined(cells)


def _shape(shape: tuple[int, ...]) -> str:
    return " x ".join(map(str, shape))


def _given(found: Found, plan: Plan) -> list[str]:
    """What a net is given, what it says, and what it has to beat."""
    shape = plan.shape
    inputs = counted(shape[0], "input", "inputs") if len(shape) == 1 else f"inputs of shape {_shape(shape)}"
    said = [f"A net gets {inputs} and has {counted(plan.n_out, 'output', 'outputs')}."]
    if "label" in plan.entries and "last column" in plan.entries["label"].why:
        name = short(plan.entries["label"].value)
        said.append(f"The label is {name}, the last column; --label COLUMN predicts another one.")
    target = _target(found)
    if plan.task != "quantity" and target:
        name, n = max(target.counts.items(), key=lambda each: each[1])
        share = f"{n / target.filled:.1%} of the rows"
        said.append(f"Always saying {short(name)} is right in {share}; a net has to beat that.")
    elif target:
        sd = amount(float(target.column.numbers[~target.column.is_missing].std()))
        said.append(f"Always saying the mean, {amount(target.mean)}, has an RMSE of {sd}; a net has to beat that.")
    return said


def _told(plan: Plan) -> list[str]:
    """The arguments that the file needs, with the reason; why a column is left out stands in the table."""
    entries = [(name, entry) for name, entry in plan.entries.items() if name in TOLD]
    whys = {"drop": "see above"}
    return [f"{name} = {cut(toml(e.value), LONGEST_VALUE)}: {whys.get(name, e.why)}" for name, e in entries]


def _target(found: Found) -> Looked | None:
    if found.arrays:
        return found.arrays.y
    if found.table and found.plan:
        name = found.plan.entries["label"].value
        return next(column for column in found.table.columns if column.name == name)
    return None


def _next(found: Found) -> str:
    table, arrays = found.table, found.arrays
    path = typed([table.path if table else arrays.path if arrays else ""])
    options = f" --y {typed([arrays.y_path])}" if arrays and arrays.y_path else ""
    label = found.plan.entries.get("label") if found.plan else None
    options += f" --label {typed([label.value])}" if label and "last column" not in label.why else ""
    if not found.data:
        return f"Mend what is in the way, then: fnn data {path}{options}"
    return f"Next: fnn new {path}{options} > new.toml writes a config for it, fnn run new.toml trains it."


def _bytes(size: int) -> str:
    for unit, factor in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if size >= factor:
            return f"{size / factor:.3g} {unit}"
    return f"{size} bytes"
