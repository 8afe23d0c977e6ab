"""Data sets: embedded, generated, downloaded, and the user's own. NumPy only; nothing is read at import.

May import: errors, examples, storage.
"""

from fnn.data.dataset import Dataset
from fnn.data.inventory import Source, sources
from fnn.data.loading import load_data
from fnn.data.user_files import load_inputs

__all__ = ["Dataset", "Source", "load_data", "load_inputs", "sources"]
