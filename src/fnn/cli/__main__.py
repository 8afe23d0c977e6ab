"""`python -m fnn.cli`."""

import sys

from fnn.cli.commands import main

sys.exit(main())
