"""Stand-ins for the tables of pandas, polars and pyarrow: what the library asks of them, and nothing else."""

import numpy as np


def missing(cell):
    return cell is None or cell != cell


class PandasLike:
    """Columns with `iloc`, which NumPy turns into arrays; whole numbers beside nulls are floats, text is objects."""

    def __init__(self, columns):
        self.columns, self._data = list(columns), columns

    def __getitem__(self, name):
        return PandasColumn(self._data[name])


class PandasColumn:
    iloc = None

    def __init__(self, cells):
        self.cells = cells

    def __len__(self):
        return len(self.cells)

    def __array__(self, dtype=None, copy=None):
        words = any(isinstance(cell, str | bool) for cell in self.cells)
        cells = [np.nan if missing(cell) else cell for cell in self.cells]
        return np.array(cells, object if words else None)


class PolarsLike:
    """Columns of lists that know how many nulls they have."""

    def __init__(self, columns):
        self.columns, self._data = list(columns), columns

    def __getitem__(self, name):
        return PolarsColumn(self._data[name])


class PolarsColumn:
    def __init__(self, cells):
        self.cells = cells

    def __len__(self):
        return len(self.cells)

    def __getitem__(self, part):
        return type(self)(self.cells[part])

    def __array__(self, dtype=None, copy=None):
        assert not any(map(missing, self.cells)) or len(self) < 2, "whole numbers would become floats"
        return np.array(self.cells, object if any(isinstance(cell, str) for cell in self.cells) else None)

    def null_count(self):
        return sum(map(missing, self.cells))

    def to_list(self):
        return list(self.cells)


class ArrowLike:
    """A table with `column_names`, whose `columns` are the columns themselves."""

    def __init__(self, columns):
        self.column_names, self._data = list(columns), columns

    @property
    def columns(self):
        return [self[name] for name in self._data]

    def __getitem__(self, name):
        return ArrowColumn(self._data[name])


class ArrowColumn(PolarsColumn):
    null_count = property(PolarsColumn.null_count)
    to_pylist = PolarsColumn.to_list


class ParquetFiles:
    """In the place of the module pyarrow.parquet: its files are in `files`, by path."""

    def __init__(self, files):
        self.files = files

    def ParquetFile(self, path):
        return ParquetFile(self.files[str(path)])


class ParquetFile:
    def __init__(self, columns):
        self.columns = columns
        self.schema_arrow = self.metadata = self
        self.names, self.num_rows = list(columns), len(next(iter(columns.values())))

    def read(self, columns):
        return ArrowLike({name: self.columns[name] for name in columns})


def as_csv(columns):
    """The text of a csv with these columns."""
    rows = zip(*columns.values(), strict=True)
    lines = [",".join("" if missing(cell) else str(cell) for cell in row) for row in rows]
    return "\n".join([",".join(columns), *lines]) + "\n"
