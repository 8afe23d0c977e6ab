"""The doctests in `fnn.interop` need other libraries: `make extras` runs them, under FNN_EXTRAS=1."""

import os

collect_ignore = [] if os.environ.get("FNN_EXTRAS") == "1" else ["src/fnn/interop"]
