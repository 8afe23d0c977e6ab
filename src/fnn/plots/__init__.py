"""Pictures, with matplotlib imported at first use. May import: types, storage, checking."""

from fnn.plots.results import learning

__all__ = ["learning"]
